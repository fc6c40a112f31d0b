"""Scores a trained model on its data sets' test splits and saves it as a preset with those scores in its metadata.

Examples:
    python benchmarks/save_preset.py runs/fitness_9f skelgnn_tf/presets/fitness_9f --cmu ../shared/data/cmu_mocap
    python benchmarks/save_preset.py runs/exercises_2d skelgnn_tf/presets/exercises_2d
"""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
from rich.console import Console

from skelgnn_tf import checkpoints
from skelgnn_tf.training.action.evaluate import evaluate_actions
from skelgnn_tf.training.lift.evaluate import evaluate

LIFTER = {
    "description": "2D keypoints of the last 9 frames (h36m_17 joints of any detector, with confidence) to the 3D pose "
    "of now; causal; in the frame of the person's box; for any camera angle, noise, occlusion, shifted joints",
    "trained_on": "generated fitness motion and CMU motion capture (mocap.cs.cmu.edu, funded by NSF EIA-0196217), seen "
    "through drawn cameras",
}
RECOGNIZER = {
    "description": "twelve exercises and rest from 2D keypoints (coco_17 joints of any detector, with confidence) of "
    "the last 64 frames at the rate in run.fps; in the frame of the person's box",
    "trained_on": "generated fitness motion, seen by a phone's camera and a noisy detector",
}


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--cmu", help="lifters: CMU motion capture in Human3.6M's layout, scored as well")
def main(run: Path, folder: Path, cmu: str | None) -> None:
    """Save RUN as the preset FOLDER."""
    console = Console()
    lifter = checkpoints.task_of(run) == "lift"
    scores = _score_lifter(run, cmu, console) if lifter else _score_recognizer(run, console)
    made = {"made_by": "make preset", "licence": "Apache-2.0", "scores_on_test_splits": scores}
    checkpoints.save(run, folder, **(LIFTER if lifter else RECOGNIZER), **made)
    console.print(f"{folder}: {sum(f.stat().st_size for f in folder.iterdir()) / 1e6:.2f} MB")


def _score_lifter(run: Path, cmu: str | None, console: Console) -> dict:
    tests = {"fitness, noisy detector": {"dataset": ("fitness",)}}
    if cmu:
        what = "cmu_mocap, ground-truth 2D of Human3.6M's level cameras"
        tests[what] = {"dataset": ("h36m",), "data_dir": (cmu,)}
    scores = {}
    for name, arguments in tests.items():
        where = run / f"report_{arguments['dataset'][0]}"
        report = evaluate(run, **arguments, flip=False, with_baselines=False, console=console, folder=where)
        keys = ("p1_mm", "p2_mm", "n_mpjpe_mm", "mpjve_mm", "hardest_5_mm", "frames")
        scores[name] = {key: round(report[key], 1) for key in keys}
    return scores


def _score_recognizer(run: Path, console: Console) -> dict:
    report = evaluate_actions([run], console=console)
    keys = ("top1", "mean_class_accuracy", "clips")
    return {"fitness, noisy detector, one window a clip": {key: round(report[key], 4) for key in keys}}


if __name__ == "__main__":
    main()
