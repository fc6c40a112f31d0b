"""Values and helpers that the readers of keypoint files share."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

#: Frame numbers may skip up to this many times as many frames as there are, plus a few seconds. Larger gaps mean that
#: the numbers do not count frames.
_SPARSE, _SPARE_FRAMES = 20, 600


class PersonKeypoints(NamedTuple):
    """One person in one frame.

    Attributes:
        frame: Index of the frame, from 0.
        track: Identity of the person across frames, or None if the file does not say.
        keypoints: (joints, 3) x, y, confidence; NaN or confidence 0 where a joint is missing.
    """

    frame: int
    track: int | None
    keypoints: np.ndarray


class RawKeypoints(NamedTuple):
    """The content of a keypoint file before it is checked.

    Attributes:
        keypoints: (frames, joints, 2 or 3) or (persons, frames, joints, 2 or 3), in the file's own unit.
        image_size: Width and height, or None.
        fps: Frames per second, or None.
        layout: Name of the skeleton if the format defines it, or None.
        notes: What was assumed, one line each.
    """

    keypoints: Any
    image_size: Any = None
    fps: Any = None
    layout: str | None = None
    notes: tuple[str, ...] = ()


def read_json(path: Path) -> Any:
    """Returns the content of a JSON file.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is not valid JSON.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: file not found. Expected keypoints as JSON.")
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{path}: the file is not valid JSON ({reason}). Check that the file is complete.") from error


def frame_numbers(names: Sequence[Any], where: str) -> tuple[list[int], list[str]]:
    """Converts the names or numbers of pictures to frame indices.

    Names that differ in a single number are ordered by it. The lowest number becomes frame 0, and numbers that do not
    occur are frames without a person. Other names are numbered in their order.

    Args:
        names: One name for each person, such as 17, "000017.jpg" or "take_017_keypoints.json".
        where: File and field, used in messages.

    Returns:
        A frame index for each name, and notes.

    Raises:
        ValueError: The numbers are so far apart that they cannot count the frames of one recording.
    """
    parts = {name: re.split(r"(\d+)", str(name)) for name in names}
    first_parts = next(iter(parts.values()))
    varying = {i for part in parts.values() for i in range(len(part)) if part[i : i + 1] != first_parts[i : i + 1]}
    # Splitting leaves the numbers at odd positions.
    if len({len(part) for part in parts.values()}) > 1 or len(varying) > 1 or any(i % 2 == 0 for i in varying):
        order = {name: i for i, name in enumerate(parts)}
        return [order[name] for name in names], [f"{where} is not a plain number; the pictures are numbered in order"]
    if not varying:
        return [0] * len(names), []
    number = {name: int(part[next(iter(varying))]) for name, part in parts.items()}
    first, last, count = min(number.values()), max(number.values()), len(parts)
    if last - first >= _SPARSE * count + _SPARE_FRAMES:
        raise ValueError(
            f"{where} must number the frames of one recording. Received: {first} to {last} for {count} frames. Number "
            "the frames consecutively."
        )
    notes = [f"{where} starts at {first}, which becomes frame 0"] if first > 1 else []
    missing = last - first + 1 - count
    if missing:
        notes.append(f"{where} skips {missing} frames between {first} and {last}; they have no person")
    return [number[name] - first for name in names], notes
