"""Identity over time: persons found in single frames become persons over all frames."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

import numpy as np

from skelgnn_tf.keypoints.raw import PersonKeypoints

#: More persons than this are a crowd or detection errors; those seen in the fewest frames are left out.
_MAX_PERSONS = 8
#: Two sightings show the same person if the joints move by less than this fraction of the person's size.
_MAX_MOTION = 0.6


def assemble(people: Sequence[PersonKeypoints], num_frames: int) -> tuple[np.ndarray, list[str]]:
    """Joins the persons of single frames over time.

    Persons are told apart by their track numbers. If any is missing, each person is matched to the nearest one seen
    before. The eight persons seen most often are kept. If a track occurs twice in a frame, its first occurrence counts.

    Args:
        people: Persons in single frames, in any order.
        num_frames: Number of frames of the recording.

    Returns:
        float32 (persons, frames, joints, 3), zeros where a person is not seen, and notes.
    """
    if any(one.track is None for one in people):
        people = _tracked(people)
    counts = Counter(one.track for one in people if one.track is not None)
    tracks = [track for track, _ in counts.most_common()]
    notes = []
    if len(tracks) > _MAX_PERSONS:
        notes.append(f"{len(tracks)} persons are found; the {_MAX_PERSONS} seen most often are kept")
    kept = sorted(tracks[:_MAX_PERSONS])
    keypoints = np.zeros((len(kept), num_frames, *people[0].keypoints.shape), np.float32)
    done = set()
    for frame, track, one in people:
        if track in kept and (frame, track) not in done:
            keypoints[kept.index(track), frame] = one
            done.add((frame, track))
    return keypoints, notes


def _tracked(people: Sequence[PersonKeypoints]) -> list[PersonKeypoints]:
    """Gives each person a track: the best assignment of a frame's persons to those seen before, by joint distance."""
    # It takes 0.7 s to import, and most files need no tracking.
    from scipy.optimize import linear_sum_assignment

    last: list[np.ndarray] = []
    out = []
    for _, group in itertools.groupby(sorted(people, key=lambda one: one.frame), key=lambda one: one.frame):
        seen = list(group)
        costs = np.array([[_motion(before, one.keypoints) for one in seen] for before in last]).reshape(-1, len(seen))
        taken = {}
        for row, column in zip(*linear_sum_assignment(np.minimum(costs, 1e3)), strict=True):
            if costs[row, column] < _MAX_MOTION:
                taken[int(column)] = int(row)
        for column, one in enumerate(seen):
            track = taken.get(column, len(last))
            if track == len(last):
                last.append(one.keypoints)
            else:
                last[track] = one.keypoints
            out.append(one._replace(track=track))
    return out


def _motion(before: np.ndarray, now: np.ndarray) -> float:
    """Mean displacement of the joints (joints, 3) seen both times, relative to the person's size; inf if none is."""
    both = (before[:, 2] > 0) & (now[:, 2] > 0)
    if not both.any():
        return np.inf
    size = max(*np.ptp(before[both, :2], axis=0), *np.ptp(now[both, :2], axis=0), 1e-6)
    return float(np.linalg.norm(before[both, :2] - now[both, :2], axis=-1).mean() / size)
