"""The command line. Commands are imported when they run, so that --help is instant."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import rich_click as click
from click.exceptions import NoArgsIsHelpError

from skelgnn_tf import __version__

#: Each command, a module of this package, and what the list of commands says about it.
COMMANDS = {
    "train": "Train a model and leave it in a run folder.",
    "evaluate": "Score models on their test split.",
    "predict": "Turn a video or 2D keypoints into 3D poses, actions and repetitions.",
    "export": "Turn a model into files for phones, checked against Keras.",
    "benchmark": "Measure latency, memory and size of models.",
    "draw": "Draw a test clip and the poses that a model lifts it to.",
    "datasets": "List the data sets, their files and their sources.",
    "recipes": "List the paper's runs, ready for train --config.",
    "detector": "Manage the model files that detect people in videos.",
}


class _LazyGroup(click.RichGroup):
    """Imports a command when it is needed; the list of commands needs none."""

    _listing = False

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        if self._listing:
            return click.Command(cmd_name, help=COMMANDS[cmd_name])
        return getattr(importlib.import_module(f"skelgnn_tf.cli.{cmd_name}"), cmd_name)

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Makes what click refuses one line too."""
        run: Any = super().main
        if not standalone_mode:
            return run(*args, standalone_mode=False, **extra)
        try:
            code = run(*args, standalone_mode=False, **extra)
        except NoArgsIsHelpError as error:
            error.show()
            sys.exit(error.exit_code)
        except click.ClickException as error:
            context = getattr(error, "ctx", None)
            command = "skelgnn-tf" if context is None else " ".join(["skelgnn-tf", *context.command_path.split()[1:]])
            text = " ".join(error.format_message().split()).rstrip(".")
            if getattr(error, "option_name", None) == "--hop":
                text = "No such option '--hop'. It is called --decide-every now"
            click.echo(f"skelgnn-tf: {text}. See {command} --help.", err=True)
            sys.exit(error.exit_code)
        sys.exit(code if isinstance(code, int) else 0)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        self._listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._listing = False


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="skelgnn-tf")
def main() -> None:
    """Skeletal graph neural networks: 2D keypoints to 3D poses and actions, from training to the phone."""


if __name__ == "__main__":
    main()
