"""What readers of detectors' files share: detections, one person in one frame each, become persons over time."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

#: More persons than this are a crowd, or mistakes of the detector: those seen least are left out.
_MOST_PERSONS = 8
#: Someone is followed while the joints move less than this share of the person's size from one sight to the next.
_FOLLOWED = 0.6
#: Numbers of frames may leave this many times as many out as there are, and a few seconds; else they are no frames.
_SPARSE, _SPARE_FRAMES = 20, 600


class Detection(NamedTuple):
    """One person in one frame: keypoints (joints, 3) x, y, confidence, NaN or confidence 0 where missing."""

    frame: int
    track: int | None
    keypoints: np.ndarray


class Raw(NamedTuple):
    """What a file says, before anything is checked or taken for granted.

    Args:
        keypoints: (frames, joints, 2 or 3) or (persons, frames, joints, 2 or 3), whatever its unit.
        image_size: Width and height, or None.
        fps: Frames per second, or None.
        layout: Name of the skeleton, if the file's format says it.
        notes: What was taken for granted, a line each.
    """

    keypoints: Any
    image_size: Any = None
    fps: Any = None
    layout: str | None = None
    notes: tuple[str, ...] = ()


def read_json(path: Path) -> Any:
    """The values of a JSON file; ValueError names it if it is none."""
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}; expected keypoints as JSON")
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{path} is no JSON ({reason}); is the file whole?") from error


def frame_numbers(names: Sequence[Any], where: str) -> tuple[list[int], list[str]]:
    """Frames from 0, and notes, for pictures' names or numbers, such as 17, "000017.jpg" or "take_017_keypoints.json".

    Names that differ in one number alone are numbered by it, from the lowest on; numbers that are left out are frames
    without anyone. Other names are frames in their order.

    Raises:
        ValueError: Numbers so far apart that they are no frames of one take.
    """
    parts = {name: re.split(r"(\d+)", str(name)) for name in names}
    first_parts = next(iter(parts.values()))
    varying = {i for part in parts.values() for i in range(len(part)) if part[i : i + 1] != first_parts[i : i + 1]}
    # Splitting leaves the numbers at odd places.
    if len({len(part) for part in parts.values()}) > 1 or len(varying) > 1 or any(i % 2 == 0 for i in varying):
        order = {name: i for i, name in enumerate(parts)}
        return [order[name] for name in names], [f"{where} are no plain numbers; they are taken for frames in a row"]
    if not varying:
        return [0] * len(names), []
    number = {name: int(part[next(iter(varying))]) for name, part in parts.items()}
    first, last, count = min(number.values()), max(number.values()), len(parts)
    if last - first >= _SPARSE * count + _SPARE_FRAMES:
        raise ValueError(
            f"{where} go from {first} to {last} for {count} frames, no frames of one take; number them in a row"
        )
    notes = [f"{where} begin at {first}, which is taken for the beginning"] if first > 1 else []
    left_out = last - first + 1 - count
    if left_out:
        notes.append(f"{where} leave {left_out} frames out between {first} and {last}; nobody is seen in them")
    return [number[name] - first for name in names], notes


def assemble(detections: Sequence[Detection], num_frames: int) -> tuple[np.ndarray, list[str]]:
    """Detections -> float32 (persons, frames, joints, 3), zeros where a person is not seen, and notes.

    Persons are those that the detections' tracks name; without tracks, whoever is nearest from one sight to the next.
    At most eight are kept, those seen most. Whoever is found twice in a frame is taken once, the first time.
    """
    if any(detection.track is None for detection in detections):
        detections = _followed(detections)
    tracks = [track for track, _ in Counter(detection.track for detection in detections).most_common()]
    notes = []
    if len(tracks) > _MOST_PERSONS:
        notes.append(f"{len(tracks)} persons are found; the {_MOST_PERSONS} that are seen most are kept")
    kept = sorted(tracks[:_MOST_PERSONS])
    keypoints = np.zeros((len(kept), num_frames, *detections[0].keypoints.shape), np.float32)
    done = set()
    for frame, track, one in detections:
        if track in kept and (frame, track) not in done:
            keypoints[kept.index(track), frame] = one
            done.add((frame, track))
    return keypoints, notes


def _followed(detections: Sequence[Detection]) -> list[Detection]:
    """The same with a track each: the fit of all that were seen before to all of a frame, nearest joints first."""
    last: list[np.ndarray] = []
    out = []
    for _, group in itertools.groupby(sorted(detections, key=lambda one: one.frame), key=lambda one: one.frame):
        group = list(group)
        costs = np.array([[_moved(before, one.keypoints) for one in group] for before in last]).reshape(-1, len(group))
        taken = {}
        for row, column in zip(*linear_sum_assignment(np.minimum(costs, 1e3)), strict=True):
            if costs[row, column] < _FOLLOWED:
                taken[int(column)] = int(row)
        for column, one in enumerate(group):
            track = taken.get(column, len(last))
            if track == len(last):
                last.append(one.keypoints)
            else:
                last[track] = one.keypoints
            out.append(one._replace(track=track))
    return out


def _moved(before: np.ndarray, now: np.ndarray) -> float:
    """Mean way of the joints (joints, 3) seen both times, as a share of the person's size; infinite without any."""
    both = (before[:, 2] > 0) & (now[:, 2] > 0)
    if not both.any():
        return np.inf
    size = max(*np.ptp(before[both, :2], axis=0), *np.ptp(now[both, :2], axis=0), 1e-6)
    return float(np.linalg.norm(before[both, :2] - now[both, :2], axis=-1).mean() / size)
