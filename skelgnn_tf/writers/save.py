"""Writes a prediction in the format that the suffix of its file names."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np

from skelgnn_tf.atomic_write import atomic_write
from skelgnn_tf.inference.result import Prediction

#: {suffix: module of this package that writes it}. A module is imported when it is used: BVH needs scipy, for example.
_WRITERS = {".json": "json_file", ".npz": "npz_file", ".csv": "csv_file", ".bvh": "bvh", ".trc": "trc"}
#: Formats that hold only 3D poses.
_POSE_FORMATS = (".bvh", ".trc")


def save(prediction: Prediction, path: str | Path) -> Path:
    """Writes a prediction as .json, .npz, .csv, .bvh or .trc, completely or not at all.

    Text files have five or more decimals for meters and probabilities, .npz has full precision. A .csv file has a row
    for each frame, without the windows of the recognizer. A .bvh or .trc file has only the poses.

    Args:
        prediction: What `predict` returns.
        path: File to write. Its suffix selects the format.

    Returns:
        The path.

    Raises:
        ValueError: The suffix is unknown, or the format needs poses and the prediction has none.
        OSError: The file cannot be written.

    Example:
        >>> save(prediction, "squats.bvh")  # doctest: +SKIP
        PosixPath('squats.bvh')
    """
    path = Path(path)
    check_suffix(path, prediction.poses is not None)
    writer = importlib.import_module(f"skelgnn_tf.writers.{_WRITERS[path.suffix]}")
    with atomic_write(path) as tmp:
        writer.write(prediction, tmp)
    return path


def check_suffix(path: str | Path, with_poses: bool = True) -> None:
    """Checks that `save` can write a prediction, with or without poses, to a path.

    Raises:
        ValueError: The suffix is unknown, or the format needs poses.
    """
    suffix = Path(path).suffix
    if suffix not in _WRITERS:
        raise ValueError(f"{path} must end with {', '.join(_WRITERS)}. Received: {suffix or 'no suffix'}.")
    if suffix in _POSE_FORMATS and not with_poses:
        others = ", ".join(name for name in _WRITERS if name not in _POSE_FORMATS)
        raise ValueError(
            f"{path} must end with {others} without a lifter. Received: {suffix}, which holds only 3D poses."
        )


def notes_on(prediction: Prediction, path: str | Path) -> tuple[str, ...]:
    """What `save` changes to write a prediction in the format of a path, one line each."""
    suffix = Path(path).suffix
    if suffix not in _POSE_FORMATS or prediction.poses is None:
        return ()
    missing = np.isnan(prediction.poses.pose_m).any(axis=-1)
    empty = int(missing.all(axis=1).sum())
    partial = int(missing.any(axis=1).sum()) - empty
    if suffix == ".trc":
        notes = [
            (empty, f"markers are missing (nan) in {empty} frames without a person"),
            (partial, f"markers of joints that were not seen are missing (nan) in {partial} frames"),
        ]
    else:
        notes = [
            (1, "bones have their median length; where the lifter stretches a bone, its direction is kept"),
            (empty, f"{empty} frames without a person are interpolated; at both ends the next pose is held"),
            (partial, f"in {partial} frames joints that were not seen are guesses of the lifter; BVH cannot omit them"),
        ]
    return tuple(f"{path}: {note}" for frames, note in notes if frames)
