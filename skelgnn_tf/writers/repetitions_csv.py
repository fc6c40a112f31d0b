"""Repetitions as CSV: a row for each of them, with what was measured."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from skelgnn_tf.atomic_write import atomic_write
from skelgnn_tf.inference.result import Motion, Prediction

#: Decimals of seconds and degrees. A frame takes hundredths of a second, and an angle is known to a few degrees.
_SECONDS, _DEGREES = 2, 1


def save_repetitions(prediction: Prediction, path: str | Path) -> Path:
    """Writes a table with a row for each repetition and each position that was held.

    Columns name their unit: seconds (s) or degrees (deg). Cells of what could not be measured are empty.

    Args:
        prediction: With motion.
        path: Path of the .csv file.

    Returns:
        The path.

    Raises:
        ValueError: Another suffix, or no motion.
        OSError: The file cannot be written.

    Example:
        >>> save_repetitions(sk.predict("squats.mp4"), "reps.csv")  # doctest: +SKIP
    """
    motion = prediction.motion
    check_repetitions(path, motion is not None)
    assert motion is not None
    with atomic_write(path) as tmp, open(tmp, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerows(_rows(motion))
    return Path(path)


def check_repetitions(path: str | Path, with_poses: bool = True) -> None:
    """Raises ValueError unless `save_repetitions` can write a prediction, with or without poses, to a path."""
    if Path(path).suffix != ".csv":
        raise ValueError(f"{path} must end with .csv. Received: {Path(path).suffix or 'no suffix'}.")
    if not with_poses:
        raise ValueError(f"{path} must be written with a lifter. Repetitions are counted in 3D poses.")


def _rows(motion: Motion) -> list[list[Any]]:
    """The header and the rows. The angles of all exercises have columns."""
    ranges = list(dict.fromkeys(name for form in motion.form for name in form.range_deg))
    joints = list(dict.fromkeys(joint for form in motion.form for joint in form.asymmetry_deg))
    header = ["repetition", "exercise", "complete", "start_s", "end_s", "there_s", "hold_s", "back_s"]
    header += ["depth_deg", "target_deg", *(f"{joint}_asymmetry_deg" for joint in joints)]
    header += [f"{name}_{end}_deg" for name in ranges for end in ("min", "max")]
    rows: list[list[Any]] = [[*header, "cues"]]
    for form in motion.form:
        times = (form.start_s, form.end_s, form.there_s, form.hold_s, form.back_s)
        depths = (form.depth_deg, form.target_deg, *(form.asymmetry_deg.get(joint) for joint in joints))
        ends = [end for name in ranges for end in (form.range_deg.get(name) or (None, None))]
        rows.append(
            [
                "" if form.number is None else form.number,
                form.exercise,
                int(form.complete),
                *("" if time_s is None else round(time_s, _SECONDS) for time_s in times),
                *("" if angle is None else round(angle, _DEGREES) for angle in (*depths, *ends)),
                "; ".join(form.cues),
            ]
        )
    return rows
