"""skelgnn-tf train"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from skelgnn_tf.cli.errors import check_writable, one_line_errors
from skelgnn_tf.cli.options import PATH, config_options, given, import_quietly, last_run
from skelgnn_tf.configs import CONFIGS, ActionConfig, LiftConfig, from_toml, make_config, to_toml
from skelgnn_tf.configs.base import typed
from skelgnn_tf.configs.files import check_fields
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
    if config_file is not None:
        task, options = _with_file(config_file, task, options)
    if resume:
        output = output or last_run()
        config = _resumed(output, task, options, config_file)
    else:
        config = _new_config(task, options)
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


def _with_file(file: Path, task: str | None, options: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """The task and the settings of a TOML file, overridden by the options."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ValueError(f"{file} must be a readable TOML file: {error.strerror}. See skelgnn-tf recipes.") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{file} must be a TOML file in UTF-8: {error.reason}.") from error
    stated, settings = from_toml(text, str(file))
    try:
        make_config(stated or _task_of(None, settings), settings)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
    return task or stated, settings | options


def _new_config(task: str | None, options: dict[str, Any]) -> LiftConfig | ActionConfig:
    if not options.get("start"):
        return make_config(_task_of(task, options), options)
    from skelgnn_tf import checkpoints

    before = checkpoints.read_config(options["start"])
    wanted = task or (_task_of(None, options) if options.get("dataset") else before.task)
    if wanted != before.task and not ("dataset" in options and before.task in tasks_of(options["dataset"][0])):
        raise ValueError(
            f"--from {options['start']} is a model for {before.task_name}. It cannot be used for "
            f"{CONFIGS[wanted].task_name}."
        )
    if task is not None and task != before.task:
        raise ValueError(
            f"--from {options['start']} is a model for {before.task_name}. It cannot be used for "
            f"{CONFIGS[task].task_name}."
        )
    check_fields(before.task, options)
    return before.fine_tuning(**options)


def _resumed(
    folder: Path, task: str | None, options: dict[str, Any], config_file: Path | None
) -> LiftConfig | ActionConfig:
    if config_file is not None:
        raise ValueError(f"--config must not be used with --resume. {folder} keeps its settings.")
    import_quietly()
    from skelgnn_tf.training.run_folder import resumed_config

    config = resumed_config(folder, **options)
    if task is not None and task != config.task:
        raise ValueError(f"--task must be left out or {config.task}. Received: {task}. {folder} keeps its settings.")
    return config


def _task_of(task: str | None, options: dict[str, Any]) -> str:
    """The task that the data sets decide; for data sets of both, --task, or lift."""
    datasets = typed(options.get("dataset", ("fitness",)), tuple[str, ...], "--dataset")
    possible = set(CONFIGS)
    for name in datasets:
        tasks = tasks_of(name)
        if task is not None and task not in tasks:
            raise ValueError(
                f"--task {task} is not valid for --dataset {name}, which is for {CONFIGS[tasks[0]].task_name}. "
                "Leave --task out."
            )
        possible &= set(tasks)
    if not possible:
        raise ValueError(f"--dataset must name data sets of one task. Received: {', '.join(datasets)}.")
    if task is not None:
        return task
    return "lift" if "lift" in possible else "action"
