"""Scores a trained lifter on its data sets' test splits and saves it as a preset with those scores in its metadata.

Example: python benchmarks/save_preset.py runs/fitness_9f skelgnn_tf/presets/fitness_9f --cmu ../shared/data/cmu_mocap
"""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
from rich.console import Console

from skelgnn_tf import presets
from skelgnn_tf.training.evaluate import evaluate

SCORES = ("p1_mm", "p2_mm", "n_mpjpe_mm", "mpjve_mm", "hardest_5_mm", "frames")


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--cmu", required=True, help="CMU motion capture in Human3.6M's layout")
def main(run: Path, folder: Path, cmu: str) -> None:
    """Save RUN as the preset FOLDER."""
    console = Console()
    scores = {}
    for name, arguments in {
        "fitness, noisy detector": {"dataset": ("fitness",)},
        "cmu_mocap, ground-truth 2D of Human3.6M's level cameras": {"dataset": ("h36m",), "data_dir": (cmu,)},
    }.items():
        where = run / f"report_{arguments['dataset'][0]}"
        report = evaluate(run, **arguments, flip=False, with_baselines=False, console=console, folder=where)
        scores[name] = {key: round(report[key], 1) for key in SCORES}
    presets.save(
        run,
        folder,
        description="2D keypoints of the last 9 frames (h36m_17 joints of any detector, with confidence) to the 3D "
        "pose of now; causal; in the frame of the person's box; for any camera angle, noise, occlusion, shifted joints",
        trained_on="generated fitness motion and CMU motion capture (mocap.cs.cmu.edu, funded by NSF EIA-0196217), "
        "seen through drawn cameras",
        made_by="make preset",
        licence="Apache-2.0",
        scores_on_test_splits=scores,
    )
    console.print(f"{folder}: {sum(f.stat().st_size for f in folder.iterdir()) / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
