"""skelgnn-tf evaluate"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from skelgnn_tf.cli.errors import check_writable, one_line_errors
from skelgnn_tf.cli.options import PATH, given, import_quietly, last_run
from skelgnn_tf.configs import CONFIGS

_LIFT, _ACTION = (f"{cls.task_name.capitalize()} only" for cls in CONFIGS.values())

#: Options that are only valid for one task.
_ONLY = {
    "lift": {"keypoints", "flip", "hard_reference", "with_baselines"},
    "action": {"data_file", "labels", "skip_bad", "weights", "ensemble"},
}


@click.command()
@click.argument("models", nargs=-1, type=PATH)
@click.option("--dataset", multiple=True, help="Score on this data set instead of the one of the training.")
@click.option("--data-dir", multiple=True, help="Folder with the files of the data set; one for each that has files.")
@click.option("--json", "json_path", help="Also write the report here; - prints it.")
@click.option("--output", type=PATH, help="Report folder.  [default: report/ of the run]")
@click.option("--keypoints", help="h36m: which 2D detections.", panel=_LIFT)
@click.option(
    "--flip/--no-flip",
    default=None,
    type=bool,
    help="Average with the mirrored input.  [default: as trained]",
    panel=_LIFT,
)
@click.option("--hard-reference", type=PATH, help="Also score on the hardest poses of this model.", panel=_LIFT)
@click.option(
    "--baselines/--no-baselines",
    "with_baselines",
    default=None,
    type=bool,
    help="Also score the mean pose and ridge regression.  [default: on]",
    panel=_LIFT,
)
@click.option("--data-file", help="File of the data set.", panel=_ACTION)
@click.option("--labels", help="Text file with the class names, one per line.", panel=_ACTION)
@click.option(
    "--skip-bad/--no-skip-bad", default=None, type=bool, help="Skip bad clips.  [default: as trained]", panel=_ACTION
)
@click.option("--ensemble", is_flag=True, default=None, help="Average the scores of several models.", panel=_ACTION)
@click.option(
    "--weights",
    help="With --ensemble: one number per model, such as 0.6,0.6,0.4,0.4.  [default: equal]",
    panel=_ACTION,
)
@one_line_errors
def evaluate(models: tuple[Path, ...], output: Path | None, json_path: str | None, **options: Any) -> None:
    """Score MODELS on their test split.

    MODELS are run folders, .keras files or presets; without any, the newest run (runs/last) is scored. Several
    recognizers are fused with --ensemble.
    """
    models = models or (last_run(),)
    values = given(options)
    ensemble = bool(values.get("ensemble"))
    if (len(models) > 1) != ensemble:
        rule = "MODELS must be several with --ensemble" if ensemble else "several MODELS must be used with --ensemble"
        raise ValueError(f"{rule}. Received: {', '.join(str(model) for model in models)}.")
    check_writable("--output", output)
    check_writable("--json", None if json_path == "-" else json_path, is_folder=False)
    from skelgnn_tf import checkpoints

    config = checkpoints.read_config(models[0])
    for task, names in _ONLY.items():
        foreign = sorted(names & values.keys())
        if task != config.task and foreign:
            option = "baselines" if foreign[0] == "with_baselines" else foreign[0].replace("_", "-")
            wanted = CONFIGS[task].task_name
            raise ValueError(f"--{option} is only valid for {wanted}. {models[0]} is for {config.task_name}.")
    import_quietly()
    if config.task == "lift":
        from skelgnn_tf.training.lift.evaluate import evaluate as run

        run(models[0], json_path=json_path, folder=output, **values)
    else:
        from skelgnn_tf.training.action.evaluate import evaluate_actions

        values.pop("ensemble", None)
        weights = _numbers(values.pop("weights", None))
        evaluate_actions(models, weights=weights, json_path=json_path, folder=output, **values)


def _numbers(text: str | None) -> list[float] | None:
    try:
        return None if text is None else [float(part) for part in text.split(",")]
    except ValueError as error:
        raise ValueError(
            f"--weights must be numbers separated by commas (0.6,0.6,0.4,0.4). Received: {text}."
        ) from error
