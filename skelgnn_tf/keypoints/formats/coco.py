"""Keypoints in one JSON of results: COCO's list, which AlphaPose and MMPose write, and MMPose's lists of frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from skelgnn_tf.keypoints.tracks import Detection, Raw, assemble, frame_numbers
from skelgnn_tf.skeletons import COCO_17

#: Layouts by their number of joints that begin with COCO's 17.
_BEGIN_LIKE_COCO = {26: "Halpe-26", 133: "COCO-WholeBody", 136: "Halpe-136"}


def is_coco_results(values: Any) -> bool:
    """Whether a JSON's values look like a list of persons, or like MMPose's frames."""
    if isinstance(values, dict):
        return "instance_info" in values
    return isinstance(values, list) and any(
        isinstance(one, dict) and (one.keys() & {"keypoints", "instances"}) for one in values
    )


def read_coco_results(path: Path, values: Any) -> Raw:
    """All persons of a take.

    Either a list of persons, {"image_id", "keypoints": [x, y, confidence, ...]} with AlphaPose's "idx" or MMPose's
    "track_id", or a list of frames, {"frame_id", "instances": [{"keypoints": [[x, y], ...], "keypoint_scores"}]}, which
    may stand in {"instance_info": ...}.

    Raises:
        ValueError: A person without keypoints, or one of another number of joints than the first.
    """
    items = values["instance_info"] if isinstance(values, dict) else values
    is_frames = any(isinstance(one, dict) and "instances" in one for one in items)
    try:
        if is_frames:
            persons = [(one["frame_id"], person) for one in items for person in one["instances"]]
            names = [one["frame_id"] for one in items]
        else:
            # MMPose writes a single picture's persons without saying which picture it is.
            persons = [(one.get("image_id", 0), one) for one in items]
            names = [name for name, _ in persons]
    except (KeyError, TypeError, AttributeError) as error:
        wanted = "frame_id and instances" if is_frames else "image_id and keypoints"
        raise ValueError(f"{path}: an entry lacks {error}; expected a list of {wanted}") from error
    if not persons:
        raise ValueError(f"{path} has {len(names)} frames and no person in them")
    numbers, notes = frame_numbers(names, f"{path}: {'frame_id' if is_frames else 'image_id'}")
    frame_of = dict(zip(names, numbers, strict=True))
    detections = [Detection(frame_of[name], _track(person), _joints(path, person, name)) for name, person in persons]
    joints = len(detections[0].keypoints)
    for (name, _), one in zip(persons, detections, strict=True):
        if len(one.keypoints) != joints:
            raise ValueError(
                f"{path}: {len(one.keypoints)} joints at {name}, {joints} at {persons[0][0]}; expected one"
            )
    keypoints, more = assemble(detections, max(numbers) + 1)
    notes += more
    if joints in _BEGIN_LIKE_COCO:
        notes.append(f"{joints} joints are taken for {_BEGIN_LIKE_COCO[joints]}, whose first 17 are {COCO_17.name}")
        return Raw(keypoints[:, :, : COCO_17.num_joints], layout=COCO_17.name, notes=tuple(notes))
    return Raw(keypoints, notes=tuple(notes))


def _track(person: dict) -> int | None:
    track = person.get("track_id", person.get("idx"))
    # AlphaPose wraps it in a list or two, depending on its tracker.
    values = np.ravel(track) if track is not None else ()
    return int(values[0]) if len(values) and np.issubdtype(np.asarray(values).dtype, np.number) else None


def _joints(path: Path, person: Any, name: Any) -> np.ndarray:
    """A person's keypoints (joints, 3)."""
    try:
        keypoints = np.array(person["keypoints"], float)
        if "keypoint_scores" in person:
            scores = np.array(person["keypoint_scores"], float).reshape(-1, 1)
            return np.concatenate([keypoints.reshape(len(scores), -1)[:, :2], scores], axis=1)
        return keypoints.reshape(-1, 3)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: a person at {name} wants 'keypoints', x, y, confidence of each joint") from error
