"""skelgnn-tf train"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from skelgnn_tf.cli.errors import check_writable, one_line_errors
from skelgnn_tf.cli.options import PATH, config_options, given, import_quietly, last_run
from skelgnn_tf.configs import CONFIGS, ActionConfig, LiftConfig, from_toml, make_config, to_toml
from skelgnn_tf.configs.base import typed
from skelgnn_tf.configs.files import check_fields, check_types
from skelgnn_tf.datasets.catalog import tasks_of


@click.command()
@click.option(
    "--task",
    type=click.Choice(list(CONFIGS)),
    help="Only needed for fitness, which has both tasks: lift (keypoints to 3D poses) or action (sequences to actions)."
    "  [default: lift]",
    panel="Run",
)
@click.option(
    "--config",
    "config_file",
    type=PATH,
    help="TOML file with settings, such as a recipe (skelgnn-tf recipes). Options override it.",
    panel="Run",
)
@click.option("--print-config", is_flag=True, help="Print the settings as TOML for --config, and stop.", panel="Run")
@click.option("--output", type=PATH, help="Run folder.  [default: runs/<data set>-<frames>f-<time>]", panel="Run")
@click.option("--resume", is_flag=True, help="Continue the run in --output (default: runs/last).", panel="Run")
@click.option(
    "--distribute",
    type=click.Choice(["auto", "none", "mirrored"]),
    default="auto",
    show_default=True,
    help="Use several GPUs through tf.distribute.",
    panel="Run",
)
@config_options
@one_line_errors
def train(
    task: str | None,
    config_file: Path | None,
    print_config: bool,
    output: Path | None,
    resume: bool,
    distribute: str,
    **values: Any,
) -> None:
    """Train a model and leave it in a run folder.

    Without options, this trains the paper's lifter for one frame on the generated fitness data. The data set decides
    between pose lifting and action recognition. --from continues from a trained model.
    """
    options = given(values)
    if resume:
        output = output or last_run()
        config = _resumed(output, task, options, config_file)
    elif config_file is None:
        config = _new_config(task, options)
    else:
        settings = _read_toml(config_file)
        try:
            stated = settings.pop("task", None)
            # Also what an option overrides must be a value of its field.
            check_types(settings)
            config = _new_config(task or stated, settings | options)
        except ValueError as error:
            raise ValueError(f"{config_file}: {error}") from error
    if print_config:
        click.echo(to_toml(config), nl=False)
        return
    check_writable("--output", output)
    import_quietly()
    from skelgnn_tf.training.fit import train as run
    from skelgnn_tf.training.run_folder import default_folder, link_last

    folder = output or default_folder(config)
    compress = None
    if config.quantize_aware or config.prune:
        import_quietly("skelgnn_tf.export.compression")
        from skelgnn_tf.export.compression import compression

        compress = compression(config)
    try:
        run(config, folder, resume=resume, distribute=distribute, compress=compress)
    finally:
        # An interrupted run is the newest all the same; one that was refused left no folder.
        if (folder / "checkpoints").exists():
            link_last(folder)
    click.echo(f"model: {folder / 'model.keras'}\nscore it: skelgnn-tf evaluate {folder}")


def _read_toml(file: Path) -> dict[str, Any]:
    """The settings in a TOML file, the task among them if it is stated."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ValueError(f"{file} must be a readable TOML file: {error.strerror}. See skelgnn-tf recipes.") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{file} must be a TOML file in UTF-8: {error.reason}.") from error
    return from_toml(text, str(file))


def _new_config(task: str | None, options: dict[str, Any]) -> LiftConfig | ActionConfig:
    """The config of a new run from its settings by field name; the data sets or the first model tell the task."""
    if "dataset" in options:
        options = options | {"dataset": typed(options["dataset"], tuple[str, ...], "--dataset")}
    start = options.get("start")
    if task is not None and (not isinstance(task, str) or task not in CONFIGS):
        raise ValueError(f"task must be one of {', '.join(CONFIGS)}. Received: {task!r}.")
    if not start:
        return make_config(_task_of(task, options.get("dataset", ("fitness",))), options)
    from skelgnn_tf import checkpoints

    before = checkpoints.read_config(typed(start, str, "--from"))
    known = {task} if task else set(CONFIGS)
    for name in options.get("dataset", ()):
        known &= set(tasks_of(name))
    if before.task not in known:
        wanted = " or ".join(CONFIGS[one].task_name for one in sorted(known)) or "the task of --dataset"
        raise ValueError(f"--from must be a model for {wanted}. Received: {start}, a model for {before.task_name}.")
    check_fields(before.task, options)
    return before.fine_tuning(**options)


def _resumed(
    folder: Path, task: str | None, options: dict[str, Any], config_file: Path | None
) -> LiftConfig | ActionConfig:
    if config_file is not None:
        raise ValueError(f"--config must not be used with --resume. {folder} keeps its settings.")
    from skelgnn_tf.training.run_folder import resumed_config

    config = resumed_config(folder, **options)
    if task is not None and task != config.task:
        raise ValueError(f"--task must be left out or {config.task}. Received: {task}. {folder} keeps its settings.")
    return config


def _task_of(task: str | None, datasets: tuple[str, ...]) -> str:
    """The task that the data sets decide; for data sets of both, the one that is stated, or lift."""
    possible = set(CONFIGS)
    for name in datasets:
        possible &= set(tasks_of(name))
    if not possible:
        raise ValueError(f"--dataset must name data sets of one task. Received: {', '.join(datasets)}.")
    if task is None:
        return "lift" if "lift" in possible else "action"
    if task not in possible:
        raise ValueError(f"task must be {possible.pop()} for {', '.join(datasets)}. Received: {task}. Leave it out.")
    return task
