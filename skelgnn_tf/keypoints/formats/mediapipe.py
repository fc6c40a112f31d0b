"""Landmarks as users of MediaPipe save them: JSON of {x, y, z, visibility}, or CSV with a column for each number."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np

from skelgnn_tf import skeletons
from skelgnn_tf.keypoints.tracks import Detection, Raw, assemble

#: Names under which a frame's landmarks stand; of MediaPipe's Python, Tasks, JavaScript and protobuf interfaces.
_LANDMARKS = ("pose_landmarks", "poseLandmarks", "landmarks", "landmark", "keypoints")
_CONFIDENCE = ("visibility", "vis", "v", "confidence", "score", "likelihood", "c")
#: Missing whole landmarks, x, y, confidence.
_NOTHING = (np.nan, np.nan, 0.0)


def read_landmark_json(path: Path, values: Any) -> Raw:
    """A list of frames, or {"frames": [...]} with "image_size" (or "width" and "height") and "fps".

    A frame is a list of landmarks {"x", "y", "visibility"}, a list of persons each with such a list, an object that
    holds one of them under "landmarks" or MediaPipe's other names, or null or [] where nobody is seen.

    Raises:
        ValueError: Anything else, or frames of different numbers of landmarks.
    """
    beside = values if isinstance(values, dict) else {}
    frames = beside.get("frames", values)
    if isinstance(frames, dict):
        frames = [frames]
    if not isinstance(frames, list) or not frames:
        raise ValueError(_unknown(path))
    detections = [
        Detection(number, None, np.array([_landmark(path, one, number) for one in person]))
        for number, frame in enumerate(frames)
        for person in _persons(path, frame, number)
    ]
    if not detections:
        raise ValueError(f"{path} has {len(frames)} frames and no landmarks in them")
    counts = {len(one.keypoints) for one in detections}
    if len(counts) > 1:
        raise ValueError(f"{path}: frames have {min(counts)} to {max(counts)} landmarks; expected one number")
    keypoints, notes = assemble(detections, len(frames))
    size = (beside["width"], beside["height"]) if {"width", "height"} <= beside.keys() else None
    return Raw(keypoints, beside.get("image_size", size), beside.get("fps"), notes=tuple(notes))


def _persons(path: Path, frame: Any, number: int) -> list[list]:
    """The landmarks of each person of a frame."""
    while isinstance(frame, dict):
        names = [name for name in _LANDMARKS if name in frame]
        if not names:
            raise ValueError(_unknown(path, f"frame {number} holds {', '.join(map(str, frame)) or 'nothing'}"))
        frame = frame[names[0]]
    if not frame:
        return []
    if not isinstance(frame, list):
        raise ValueError(_unknown(path, f"frame {number} is a {type(frame).__name__}"))
    if isinstance(frame[0], dict) and "x" in frame[0]:
        return [frame]
    return [person for one in frame for person in _persons(path, one, number)]


def _landmark(path: Path, landmark: Any, number: int) -> tuple[float, float, float]:
    try:
        sure = next((landmark[name] for name in _CONFIDENCE if name in landmark), 1.0)
        return float(landmark["x"]), float(landmark["y"]), float(sure)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: a landmark of frame {number} wants numbers x, y and visibility") from error


def _unknown(path: Path, found: str = "no frames are in it") -> str:
    return (
        f"{path}: {found}; expected COCO results (image_id, keypoints), MMPose (instance_info), OpenPose (people) or "
        "MediaPipe (for each frame a list of landmarks with x, y, visibility)"
    )


def read_landmark_csv(path: Path) -> Raw:
    """A row for each frame; columns "<joint>_x", "<joint>_y" and, if there is one, "<joint>_visibility".

    A joint is a skeleton's name for it ("left_knee", "LEFT_KNEE"), or a number counted from 0 or 1 ("x0", "0_x",
    "landmark_0_x"). Depth and other columns are left out; empty cells are missing.

    Raises:
        ValueError: No such columns, no row, or a cell that is no number.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}; expected keypoints as CSV")
    with open(path, newline="", encoding="utf-8-sig") as file:
        header, *rows = [row for row in csv.reader(file) if row] or [[]]
    columns = _columns(header)
    layout, joints = _joints_of(path, columns)
    if not rows:
        raise ValueError(f"{path} has a header and no row; expected a row for each frame")
    keypoints = np.full((len(rows), len(joints), 3), _NOTHING)
    for frame, row in enumerate(rows):
        for i, joint in enumerate(joints):
            places = columns[joint]
            cells = [row[at].strip() if at < len(row) else "" for at in places.values()]
            if all(cells):
                try:
                    numbers = dict(zip(places, map(float, cells), strict=True))
                except ValueError as error:
                    raise ValueError(f"{path}: row {frame + 2}, {joint}: {error}; expected numbers") from error
                keypoints[frame, i] = numbers["x"], numbers["y"], numbers.get("sure", 1.0)
    return Raw(keypoints, layout=layout)


def _columns(header: list[str]) -> dict[str, dict[str, int]]:
    """{joint: {"x", "y"[, "sure"]: column}} of the columns whose names say so."""
    columns: dict[str, dict[str, int]] = {}
    sure = "|".join(_CONFIDENCE)
    for at, name in enumerate(header):
        name = re.sub(r"[\s.\-\[\]]+", "_", name.strip().lower()).strip("_")
        behind = re.fullmatch(rf"(.+?)_?(?<![a-z])(x|y|{sure})(?:_px)?", name)
        before = re.fullmatch(rf"(x|y|{sure})_?(\d+)", name)
        if behind or before:
            joint, axis = behind.groups() if behind else before.groups()[::-1]
            joint = re.sub(r"^(landmark|joint|point|kp|keypoint)_?(?=\d+$)", "", joint)
            columns.setdefault(joint, {}).setdefault(axis if axis in ("x", "y") else "sure", at)
    return {joint: places for joint, places in columns.items() if {"x", "y"} <= places.keys()}


def _joints_of(path: Path, columns: dict[str, dict[str, int]]) -> tuple[str | None, list[str]]:
    """The layout, if names tell it, and the columns' joints in its order."""
    numbers = sorted((joint for joint in columns if joint.isdigit()), key=int)
    if numbers:
        if [int(number) - int(numbers[0]) for number in numbers] != list(range(len(numbers))):
            raise ValueError(f"{path}: numbers of joints go {', '.join(numbers)}; expected none left out")
        return None, numbers
    fitting = [skeleton for skeleton in skeletons.ALL.values() if set(skeleton.joints) <= columns.keys()]
    if not fitting:
        raise ValueError(
            f"{path}: no known layout has its columns ({len(columns)} joints with x and y); expected x0, y0, "
            "visibility0, x1, ... or nose_x, nose_y, nose_visibility, left_eye_inner_x, ..."
        )
    most = max(fitting, key=lambda skeleton: skeleton.num_joints)
    return most.name, list(most.joints)
