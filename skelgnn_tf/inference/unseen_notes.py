"""Notes on the parts of the body that were not seen, and on what is therefore not counted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skelgnn_tf.inference.result import Poses
from skelgnn_tf.motion import MOVEMENTS
from skelgnn_tf.motion.exercise_signals import needed_joints
from skelgnn_tf.motion.visibility import joints_of, unseen_parts

#: Spans of time that a note lists; more are summed up.
_SPANS = 3


def unseen_notes(poses: Poses, fps: float) -> list[str]:
    """What was not seen of a person and when, one line for the parts that were not seen at the same time.

    Args:
        poses: As the lifter gives them, not filtered.
        fps: Frames per second.

    Returns:
        Notes such as "legs not visible from 0.0 to 12.0 s: squat, lunge are not counted". Frames without a person are
        left out.
    """
    unseen = np.isnan(poses.pose_m).any(axis=-1)
    unseen &= ~unseen.all(axis=1, keepdims=True)
    together: dict[tuple[tuple[int, int], ...], list[str]] = {}
    for part, found in unseen_parts(unseen, poses.skeleton, fps).items():
        together.setdefault(tuple(found), []).append(part)
    notes = []
    for spans, parts in together.items():
        joints = {joint for part in parts for joint in joints_of(part)}
        lost = {
            joint: np.concatenate([unseen[first:end, i] for first, end in spans])
            for i, joint in enumerate(poses.skeleton.joints)
            if joint in joints
        }
        muted = [exercise for exercise in MOVEMENTS if _is_muted(exercise, lost)]
        counted = f": {', '.join(muted)} {'is' if len(muted) == 1 else 'are'} not counted" if muted else ""
        notes.append(f"{_listed(parts)} not visible {_times(spans, fps)}{counted}")
    return notes


def _is_muted(exercise: str, lost: dict[str, np.ndarray]) -> bool:
    """Whether an exercise cannot be counted in a frame, because of joints that are lost: {joint: bool (frames,)}."""
    pairs = [pair for pair in needed_joints(exercise) if all(joint in lost for joint in pair)]
    return any(np.all([lost[joint] for joint in pair], axis=0).any() for pair in pairs)


def _times(spans: Sequence[tuple[int, int]], fps: float) -> str:
    """ "from 0.0 to 1.5 and 3.0 to 12.0 s"."""
    if len(spans) > _SPANS:
        seconds = sum(end - first for first, end in spans) / fps
        return f"for {seconds:.1f} s between {spans[0][0] / fps:.1f} and {spans[-1][1] / fps:.1f} s"
    return f"from {_listed([f'{first / fps:.1f} to {end / fps:.1f}' for first, end in spans])} s"


def _listed(words: list[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
