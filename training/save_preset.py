"""Saves a run as a preset, with its scores on test splits in metadata.json.

Examples:
    python -m skelgnn_tf.training.save_preset runs/squats my_lifter --metadata about.json --cmu DATA_DIR
    python -m skelgnn_tf.training.save_preset runs/exercises_2d skelgnn_tf/presets/exercises_2d
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from skelgnn_tf import checkpoints
from skelgnn_tf.quiet import quiet
from skelgnn_tf.training.reports import report_folder

#: Keys of metadata.json that are written anew.
_WRITTEN = ("format", "scores_on_test_splits")
_LIFT_SCORES = ("p1_mm", "p2_mm", "n_mpjpe_mm", "mpjve_mm", "hardest_5_mm", "frames")
_ACTION_SCORES = ("top1", "mean_class_accuracy", "clips")


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--metadata",
    "metadata_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON object with a description, the data and the license.  [default: metadata.json in FOLDER]",
)
@click.option("--cmu", help="Lifters: folder with CMU motion capture in Human3.6M's layout, to be scored, too.")
def main(run: Path, folder: Path, metadata_file: Path | None, cmu: str | None) -> None:
    """Save RUN as the preset FOLDER."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet():
        import keras  # noqa: F401
    console = Console()
    try:
        metadata = read_metadata(metadata_file or folder / "metadata.json")
        save_scored_preset(run, folder, metadata, cmu, console)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    console.print(f"{folder}: {sum(file.stat().st_size for file in folder.iterdir()) / 1e6:.2f} MB")


def save_scored_preset(
    run: str | Path, folder: Path, metadata: dict[str, Any], cmu: str | None, console: Console
) -> None:
    """Scores a run on test splits and saves it as a preset.

    Args:
        run: What `checkpoints.load` takes.
        folder: Preset folder.
        metadata: What a user should know: description, data, license.
        cmu: For lifters, folder of CMU motion capture in Human3.6M's layout; None scores generated motion only.
        console: Where the scores are printed.

    Raises:
        ValueError, FileNotFoundError: The run or the data are missing, damaged or do not fit.
    """
    lifter = checkpoints.read_config(run).task == "lift"
    scores = _score_lifter(run, cmu, console) if lifter else _score_recognizer(run, console)
    checkpoints.save_preset(run, folder, **metadata, scores_on_test_splits=scores)
    # An exported file of earlier weights would no longer agree with model.keras.
    (folder / "model.tflite").unlink(missing_ok=True)


def read_metadata(file: Path) -> dict[str, Any]:
    """The object in a JSON file, without what a new preset replaces; empty if there is no such file.

    Raises:
        ValueError: The file is not a JSON object.
    """
    if not file.exists():
        return {}
    try:
        metadata = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{file} must be a JSON file. Received: {error}.") from error
    if not isinstance(metadata, dict):
        raise ValueError(f"{file} must be a JSON object. Received: {type(metadata).__name__}.")
    return {key: value for key, value in metadata.items() if key not in _WRITTEN}


def _score_lifter(run: str | Path, cmu: str | None, console: Console) -> dict[str, Any]:
    from skelgnn_tf.training.lift.evaluate import evaluate

    tests: dict[str, dict[str, Any]] = {"fitness, noisy detector": {"dataset": ("fitness",)}}
    if cmu:
        name = "cmu_mocap, ground-truth 2D of Human3.6M's level cameras"
        tests[name] = {"dataset": ("h36m",), "data_dir": (cmu,)}
    scores = {}
    for name, data in tests.items():
        folder = report_folder(run).with_name(f"report_{data['dataset'][0]}")
        report = evaluate(run, **data, flip=False, with_baselines=False, console=console, folder=folder)
        scores[name] = {key: round(report[key], 1) for key in _LIFT_SCORES}
    return scores


def _score_recognizer(run: str | Path, console: Console) -> dict[str, Any]:
    from skelgnn_tf.training.action.evaluate import evaluate_actions

    report = evaluate_actions([run], console=console)
    return {"fitness, noisy detector, one window a clip": {key: round(report[key], 4) for key in _ACTION_SCORES}}


if __name__ == "__main__":
    main()
