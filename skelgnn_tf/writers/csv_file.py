"""Predictions as CSV: a row for each frame."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from skelgnn_tf.inference.result import Prediction
from skelgnn_tf.writers.conventions import rounded


def write(prediction: Prediction, path: Path) -> None:
    """Writes a prediction as a table with a row for each frame; cells of what is not seen are empty.

    Args:
        prediction: The prediction.
        path: File to write.
    """
    with open(path, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(_header(prediction))
        rows.writerows(_row(prediction, frame) for frame in range(prediction.num_frames))


def _header(prediction: Prediction) -> list[str]:
    poses, actions, motion = prediction.poses, prediction.actions, prediction.motion
    header = ["frame", "time_s"]
    if actions is not None:
        header += ["action", "probability"]
    if motion is not None:
        header += ["bridged", *(["exercise", "repetitions"] if motion.exercise else [])]
        header += [f"{name}_deg" for name in motion.angles_deg]
    if poses is not None:
        header += [f"{joint}_{axis}_m" for joint in poses.skeleton.joints for axis in "xyz"]
        header += [f"{joint}_confidence" for joint in poses.skeleton.joints]
    return header


def _row(prediction: Prediction, frame: int) -> list[Any]:
    poses, actions, motion = prediction.poses, prediction.actions, prediction.motion
    row: list[Any] = [frame, rounded(prediction.time_s[frame])]
    if actions is not None:
        probabilities = actions.decisions.frame_probabilities[frame]
        label = actions.labels[frame]
        row += [actions.name(label), rounded(probabilities[label]) if label >= 0 else ""]
    if motion is not None:
        row.append(int(motion.bridged[frame]))
        row += [motion.exercise[frame] or "", motion.repetitions[frame]] if motion.exercise else []
        row += ["" if np.isnan(angles[frame]) else round(angles[frame], 2) for angles in motion.angles_deg.values()]
    if poses is not None:
        row += ["" if np.isnan(x) else rounded(x) for x in poses.pose_m[frame].ravel()]
        row += rounded(poses.confidence[frame])
    return row
