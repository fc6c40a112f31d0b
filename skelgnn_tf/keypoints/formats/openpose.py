"""Keypoints as OpenPose writes them: a folder with one *_keypoints.json for each frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from skelgnn_tf.keypoints.raw import PersonKeypoints, RawKeypoints, frame_numbers, read_json
from skelgnn_tf.keypoints.tracks import assemble
from skelgnn_tf.skeletons import COCO_17

_BODY_18 = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist",
    "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle", "right_eye", "left_eye",
    "right_ear", "left_ear",
)  # fmt: skip
_BODY_25 = (
    *_BODY_18[:8], "mid_hip", *_BODY_18[8:], "left_big_toe", "left_small_toe", "left_heel", "right_big_toe",
    "right_small_toe", "right_heel",
)  # fmt: skip
#: OpenPose's joint orders by the number of joints. Source: poseParameters.cpp of OpenPose 1.7.
_ORDERS = {len(order): order for order in (_BODY_18, _BODY_25)}


def read_openpose_folder(path: Path) -> RawKeypoints:
    """Reads COCO's 17 joints of all persons from a folder of *_keypoints.json. File names number the frames.

    Raises:
        ValueError: The folder has no such file, a file has another layout, or no file has a person.
    """
    files = sorted(path.glob("*_keypoints.json"))
    if not files:
        raise ValueError(f"{path}: the folder must have one *_keypoints.json for each frame. Received: none.")
    numbers, notes = frame_numbers([file.name for file in files], f"{path}: the file name")
    people = []
    for file, frame in zip(files, numbers, strict=True):
        people += _frame_people(file, read_json(file), frame)
    if not people:
        raise ValueError(f"{path}: none of the {len(files)} files has a person.")
    keypoints, more = assemble(people, max(numbers) + 1)
    return RawKeypoints(keypoints, layout=COCO_17.name, notes=(*notes, *more))


def read_openpose_frame(path: Path, values: Any) -> RawKeypoints:
    """Converts the content of a single *_keypoints.json to a recording of one frame.

    Raises:
        ValueError: The file has another layout or no person.
    """
    people = _frame_people(path, values, 0)
    if not people:
        raise ValueError(f"{path}: the file has no person.")
    return RawKeypoints(assemble(people, 1)[0], layout=COCO_17.name)


def _frame_people(path: Path, values: Any, frame: int) -> list[PersonKeypoints]:
    """All persons of one frame, {"people": [{"pose_keypoints_2d": [x, y, confidence, ...]}, ...]}."""
    people = values.get("people") if isinstance(values, dict) else None
    if not isinstance(people, list):
        raise ValueError(f"{path}: the file must have a list 'people', as OpenPose writes it with --write_json.")
    out = []
    for person in people:
        flat = person.get("pose_keypoints_2d", person.get("pose_keypoints")) if isinstance(person, dict) else None
        try:
            joints = np.array(flat, float).reshape(-1, 3)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path}: 'pose_keypoints_2d' must be x, y, confidence of each joint.") from error
        if len(joints) not in _ORDERS:
            raise ValueError(
                f"{path}: a person must have OpenPose's BODY_25 (25 joints) or COCO (18 joints). Received: "
                f"{len(joints)} joints."
            )
        order = _ORDERS[len(joints)]
        # -1 if OpenPose did not track the person.
        track = int(np.ravel(person.get("person_id", -1))[0])
        keypoints = joints[[order.index(joint) for joint in COCO_17.joints]]
        out.append(PersonKeypoints(frame, track if track >= 0 else None, keypoints))
    return out
