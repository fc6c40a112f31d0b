"""Keypoints as OpenPose writes them: a folder with one *_keypoints.json for each frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from skelgnn_tf.keypoints.tracks import Detection, Raw, assemble, frame_numbers, read_json
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
#: OpenPose's orders of joints by their number; source: poseParameters.cpp of OpenPose 1.7.
_ORDERS = {len(order): order for order in (_BODY_18, _BODY_25)}


def read_openpose_folder(path: Path) -> Raw:
    """COCO's 17 joints of all persons in a folder of *_keypoints.json; frames are numbered by the files' names.

    Raises:
        ValueError: No such file in the folder, or another number of joints than BODY_25's or COCO's.
    """
    files = sorted(path.glob("*_keypoints.json"))
    if not files:
        raise ValueError(
            f"{path} is a folder without *_keypoints.json; expected one for each frame, as OpenPose writes"
        )
    numbers, notes = frame_numbers([file.name for file in files], f"{path}: numbers of files")
    detections = []
    for file, frame in zip(files, numbers, strict=True):
        detections += frame_detections(file, read_json(file), frame)
    if not detections:
        raise ValueError(f"{path}: none of {len(files)} files has a person in it")
    keypoints, more = assemble(detections, max(numbers) + 1)
    return Raw(keypoints, layout=COCO_17.name, notes=(*notes, *more))


def frame_detections(path: Path, values: Any, frame: int) -> list[Detection]:
    """All persons of one frame, {"people": [{"pose_keypoints_2d": [x, y, confidence, ...]}, ...]}."""
    people = values.get("people") if isinstance(values, dict) else None
    if not isinstance(people, list):
        raise ValueError(f"{path} has no list 'people'; expected what OpenPose writes with --write_json")
    detections = []
    for person in people:
        flat = person.get("pose_keypoints_2d", person.get("pose_keypoints")) if isinstance(person, dict) else None
        try:
            joints = np.array(flat, float).reshape(-1, 3)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path}: a person wants 'pose_keypoints_2d', x, y, confidence of each joint") from error
        if len(joints) not in _ORDERS:
            raise ValueError(f"{path} has {len(joints)} joints; expected OpenPose's BODY_25 (25) or COCO (18)")
        order = _ORDERS[len(joints)]
        # -1 where OpenPose did not follow anyone.
        track = int(np.ravel(person.get("person_id", -1))[0])
        keypoints = joints[[order.index(joint) for joint in COCO_17.joints]]
        detections.append(Detection(frame, track if track >= 0 else None, keypoints))
    return detections
