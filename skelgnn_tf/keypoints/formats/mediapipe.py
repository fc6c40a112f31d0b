"""MediaPipe landmarks in JSON: objects with x, y, z and visibility, as users of its various interfaces save them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from skelgnn_tf.keypoints.raw import PersonKeypoints, RawKeypoints
from skelgnn_tf.keypoints.tracks import assemble

#: Names of a frame's landmarks in MediaPipe's Python, Tasks, JavaScript and protobuf interfaces.
_LANDMARKS = ("pose_landmarks", "poseLandmarks", "landmarks", "landmark", "keypoints")
#: Names of a landmark's confidence.
CONFIDENCE_NAMES = ("visibility", "vis", "v", "confidence", "score", "likelihood", "c")


def read_landmarks(path: Path, values: Any) -> RawKeypoints:
    """Converts landmarks of frames to persons over time.

    Args:
        path: The file, used in messages.
        values: A list of frames, or {"frames": [...]} with optional "image_size" (or "width" and "height") and "fps". A
            frame is a list of landmarks {"x", "y", "visibility"}, a list of persons with such a list each, an object
            that holds one of them as "landmarks" or one of MediaPipe's other names, or null or [] without a person.

    Returns:
        (persons, frames, joints, 3).

    Raises:
        ValueError: The content is something else, or frames have different numbers of landmarks.
    """
    settings = values if isinstance(values, dict) else {}
    frames = settings.get("frames", values)
    if isinstance(frames, dict):
        frames = [frames]
    if not isinstance(frames, list) or not frames:
        raise ValueError(_unknown(path))
    people = [
        PersonKeypoints(number, None, np.array([_landmark(path, one, number) for one in person]))
        for number, frame in enumerate(frames)
        for person in _persons(path, frame, number)
    ]
    if not people:
        raise ValueError(f"{path}: the file has {len(frames)} frames and no landmarks.")
    counts = {len(one.keypoints) for one in people}
    if len(counts) > 1:
        raise ValueError(
            f"{path}: all frames must have the same number of landmarks. Received: {min(counts)} to {max(counts)}."
        )
    keypoints, notes = assemble(people, len(frames))
    size = (settings["width"], settings["height"]) if {"width", "height"} <= settings.keys() else None
    return RawKeypoints(keypoints, settings.get("image_size", size), settings.get("fps"), notes=tuple(notes))


def _persons(path: Path, frame: Any, number: int) -> list[list[Any]]:
    """The landmarks of each person of a frame."""
    while isinstance(frame, dict):
        names = [name for name in _LANDMARKS if name in frame]
        if not names:
            raise ValueError(_unknown(path, f"frame {number} with {', '.join(map(str, frame)) or 'nothing'}"))
        frame = frame[names[0]]
    if not frame:
        return []
    if not isinstance(frame, list):
        raise ValueError(_unknown(path, f"frame {number} of type {type(frame).__name__}"))
    if isinstance(frame[0], dict) and "x" in frame[0]:
        return [frame]
    return [person for one in frame for person in _persons(path, one, number)]


def _landmark(path: Path, landmark: Any, number: int) -> tuple[float, float, float]:
    try:
        confidence = next((landmark[name] for name in CONFIDENCE_NAMES if name in landmark), 1.0)
        return float(landmark["x"]), float(landmark["y"]), float(confidence)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path}: a landmark must have the numbers x, y and optional visibility. Received: something else in frame "
            f"{number}."
        ) from error


def _unknown(path: Path, received: str = "no frames") -> str:
    return (
        f"{path}: the file must be COCO results (image_id, keypoints), MMPose (instance_info), OpenPose (people) or "
        f"MediaPipe (a list of landmarks with x, y, visibility for each frame). Received: {received}."
    )
