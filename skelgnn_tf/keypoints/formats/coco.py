"""Keypoints in one JSON file: COCO's list of results, as AlphaPose and MMPose write it, and MMPose's list of frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from skelgnn_tf.keypoints.raw import PersonKeypoints, RawKeypoints, frame_numbers
from skelgnn_tf.keypoints.tracks import assemble
from skelgnn_tf.skeletons import COCO_17

#: Layouts whose first 17 joints are COCO's, by their number of joints.
_EXTENDED_COCO = {26: "Halpe-26", 133: "COCO-WholeBody", 136: "Halpe-136"}


def is_coco_results(values: Any) -> bool:
    """Whether the content of a JSON file is a list of persons, or MMPose's list of frames."""
    if isinstance(values, dict):
        return "instance_info" in values
    return isinstance(values, list) and any(
        isinstance(one, dict) and (one.keys() & {"keypoints", "instances"}) for one in values
    )


def read_coco_results(path: Path, values: Any) -> RawKeypoints:
    """Converts COCO results or MMPose's frames to persons over time.

    Args:
        path: The file, used in messages.
        values: Either a list of persons, {"image_id", "keypoints": [x, y, confidence, ...]} with AlphaPose's "idx" or
            MMPose's "track_id", or a list of frames, {"frame_id", "instances": [{"keypoints": [[x, y], ...],
            "keypoint_scores": [...]}]}, which may be the value of "instance_info".

    Returns:
        (persons, frames, joints, 3). Layouts that extend COCO's are cut to its 17 joints.

    Raises:
        ValueError: An entry lacks a field, or a person has another number of joints than the first one.
    """
    items = values["instance_info"] if isinstance(values, dict) else values
    is_frames = any(isinstance(one, dict) and "instances" in one for one in items)
    fields = ("frame_id", "instances") if is_frames else ("image_id", "keypoints")
    try:
        if is_frames:
            persons = [(one["frame_id"], person) for one in items for person in one["instances"]]
            names = [one["frame_id"] for one in items]
        else:
            # MMPose writes the persons of a single picture without image_id.
            persons = [(one.get("image_id", 0), one) for one in items]
            names = [name for name, _ in persons]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: every entry must have {' and '.join(fields)}. Received: one without {error}.") from (
            error
        )
    if not persons:
        raise ValueError(f"{path}: the file has {len(names)} frames and no person.")
    numbers, notes = frame_numbers(names, f"{path}: {fields[0]}")
    frame_of = dict(zip(names, numbers, strict=True))
    people = [PersonKeypoints(frame_of[name], _track(one), _joints(path, one, name)) for name, one in persons]
    joints = len(people[0].keypoints)
    for (name, _), one in zip(persons, people, strict=True):
        if len(one.keypoints) != joints:
            raise ValueError(
                f"{path}: every person must have the same joints. Received: {joints} joints in frame "
                f"{persons[0][0]}, {len(one.keypoints)} in frame {name}."
            )
    keypoints, more = assemble(people, max(numbers) + 1)
    notes += more
    if joints in _EXTENDED_COCO:
        notes.append(f"{joints} joints are read as {_EXTENDED_COCO[joints]}, whose first 17 are {COCO_17.name}")
        return RawKeypoints(keypoints[:, :, : COCO_17.num_joints], layout=COCO_17.name, notes=tuple(notes))
    return RawKeypoints(keypoints, notes=tuple(notes))


def _track(person: dict[str, Any]) -> int | None:
    track = person.get("track_id", person.get("idx"))
    if track is None:
        return None
    # AlphaPose wraps it in one or two lists, depending on its tracker.
    values = np.ravel(track)
    return int(values[0]) if len(values) and np.issubdtype(values.dtype, np.number) else None


def _joints(path: Path, person: Any, name: Any) -> np.ndarray:
    """The keypoints (joints, 3) of a person."""
    try:
        keypoints = np.array(person["keypoints"], float)
        if "keypoint_scores" in person:
            scores = np.array(person["keypoint_scores"], float).reshape(-1, 1)
            return np.concatenate([keypoints.reshape(len(scores), -1)[:, :2], scores], axis=1)
        return keypoints.reshape(-1, 3)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path}: 'keypoints' must be x, y, confidence of each joint. Received: something else for a person in "
            f"frame {name}."
        ) from error
