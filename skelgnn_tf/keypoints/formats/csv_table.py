"""Keypoints in a CSV file: one row for each frame, one column for each number."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np

from skelgnn_tf import skeletons
from skelgnn_tf.keypoints.formats.mediapipe import CONFIDENCE_NAMES
from skelgnn_tf.keypoints.raw import RawKeypoints

#: x, y and confidence of a missing joint.
_MISSING = (np.nan, np.nan, 0.0)


def read_csv(path: Path) -> RawKeypoints:
    """Reads a table with the columns "<joint>_x", "<joint>_y" and optional "<joint>_visibility".

    A joint is the name of a skeleton's joint ("left_knee", "LEFT_KNEE"), or a number from 0 or 1 ("x0", "0_x",
    "landmark_0_x"). Depth and other columns are ignored. Empty cells are missing joints.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file has no such columns, no row, or a cell that is not a number.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: file not found. Expected keypoints as CSV.")
    with open(path, newline="", encoding="utf-8-sig") as file:
        header, *rows = [row for row in csv.reader(file) if row] or [[]]
    columns = _columns(header)
    layout, joints = _joints_of(path, columns)
    if not rows:
        raise ValueError(f"{path}: the table must have one row for each frame. Received: a header and no row.")
    keypoints = np.full((len(rows), len(joints), 3), _MISSING)
    for frame, row in enumerate(rows):
        for i, joint in enumerate(joints):
            places = columns[joint]
            cells = [row[at].strip() if at < len(row) else "" for at in places.values()]
            if all(cells):
                try:
                    numbers = dict(zip(places, map(float, cells), strict=True))
                except ValueError as error:
                    raise ValueError(
                        f"{path}: cells must be numbers. Received: {error} in row {frame + 2}, joint {joint}."
                    ) from error
                keypoints[frame, i] = numbers["x"], numbers["y"], numbers.get("confidence", 1.0)
    return RawKeypoints(keypoints, layout=layout)


def _columns(header: list[str]) -> dict[str, dict[str, int]]:
    """{joint: {"x", "y"[, "confidence"]: column}} of the columns that are named so."""
    columns: dict[str, dict[str, int]] = {}
    confidence = "|".join(CONFIDENCE_NAMES)
    for at, name in enumerate(header):
        name = re.sub(r"[\s.\-\[\]]+", "_", name.strip().lower()).strip("_")
        if match := re.fullmatch(rf"(.+?)_?(?<![a-z])(x|y|{confidence})(?:_px)?", name):
            joint, axis = match.groups()
        elif match := re.fullmatch(rf"(x|y|{confidence})_?(\d+)", name):
            axis, joint = match.groups()
        else:
            continue
        joint = re.sub(r"^(landmark|joint|point|kp|keypoint)_?(?=\d+$)", "", joint)
        columns.setdefault(joint, {}).setdefault(axis if axis in ("x", "y") else "confidence", at)
    return {joint: places for joint, places in columns.items() if {"x", "y"} <= places.keys()}


def _joints_of(path: Path, columns: dict[str, dict[str, int]]) -> tuple[str | None, list[str]]:
    """The layout, if the names define it, and the columns' joints in its order."""
    numbers = sorted((joint for joint in columns if joint.isdigit()), key=int)
    if numbers:
        if [int(number) - int(numbers[0]) for number in numbers] != list(range(len(numbers))):
            raise ValueError(f"{path}: the joint numbers must be consecutive. Received: {', '.join(numbers)}.")
        return None, numbers
    fitting = [skeleton for skeleton in skeletons.ALL.values() if set(skeleton.joints) <= columns.keys()]
    if not fitting:
        raise ValueError(
            f"{path}: the columns must be those of a known layout, such as x0, y0, visibility0, x1, ... or nose_x, "
            f"nose_y, nose_visibility, left_eye_inner_x, ... Received: {len(columns)} joints with x and y."
        )
    most = max(fitting, key=lambda skeleton: skeleton.num_joints)
    return most.name, list(most.joints)
