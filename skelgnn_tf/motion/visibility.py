"""Which joints were not seen: those that are missing for longer than the gaps that prediction bridges.

A joint that a detector loses for a few frames is estimated from the frames around it. A joint outside the picture, or
hidden for long, is not: a pose of it would be invented.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from skelgnn_tf.motion.gaps import LONGEST_GAP_S
from skelgnn_tf.skeletons import Skeleton

#: Parts of the body: the name of one and of both, the joint that shows it, and the part that it belongs to.
_PAIRS = (
    ("shoulder", "shoulders", "shoulder", None),
    ("arm", "arms", "elbow", None),
    ("hand", "hands", "wrist", "elbow"),
    ("hip", "hips", "hip", None),
    ("leg", "legs", "knee", None),
    ("foot", "feet", "ankle", "knee"),
)


def unseen_joints(confidence: np.ndarray, fps: float) -> np.ndarray:
    """The joints of a clip that were not seen: never, or not for longer than `LONGEST_GAP_S` around the frame.

    Args:
        confidence: (frames, joints), 0 where a joint is missing.
        fps: Frames per second.

    Returns:
        bool (frames, joints).

    Raises:
        ValueError: The confidence does not have two axes, or `fps` is not positive.

    Example:
        >>> confidence = np.ones((60, 17)); confidence[10:20] = 0; confidence[30:, 3] = 0
        >>> unseen = unseen_joints(confidence, fps=30.0)
        >>> int(unseen[:30].sum()), int(unseen[30:].sum())
        (0, 30)
    """
    seen = np.asarray(confidence) > 0
    if seen.ndim != 2 or not fps > 0:
        raise ValueError(
            f"confidence must have shape (frames, joints) and fps must be positive. Received: {seen.shape}, {fps} fps."
        )
    num_frames = len(seen)
    frames = np.arange(num_frames)[:, None]
    before = np.maximum.accumulate(np.where(seen, frames, -1), axis=0)
    after = np.minimum.accumulate(np.where(seen, frames, num_frames)[::-1], axis=0)[::-1]
    # A joint that is seen lies between itself and itself: -1 frames.
    return _is_long((after - before - 1) / fps) | ~seen.any(axis=0)


class VisibilityTracker:
    """The live form of `unseen_joints`: later frames are unknown, so a joint is unseen once its gap is too long.

    Example:
        >>> tracker = VisibilityTracker()
        >>> [bool(tracker.push(np.array([c]), t)[0]) for t, c in ((0.0, 0), (0.1, 0.9), (0.6, 0), (0.7, 0))]
        [True, False, False, True]
    """

    def __init__(self) -> None:
        self._seen_s: np.ndarray | None = None

    def push(self, confidence: np.ndarray, time_s: float) -> np.ndarray:
        """Takes the next frame.

        Args:
            confidence: (joints,), 0 where a joint is missing.
            time_s: Time of the frame in seconds.

        Returns:
            bool (joints,), True where a joint is unseen: it has never been seen, or not for longer than
            `LONGEST_GAP_S`.
        """
        seen = np.asarray(confidence) > 0
        if self._seen_s is None:
            self._seen_s = np.full(seen.shape, -np.inf)
        self._seen_s[seen] = time_s
        return _is_long(time_s - self._seen_s)


def unseen_parts(unseen: np.ndarray, skeleton: Skeleton, fps: float) -> dict[str, list[tuple[int, int]]]:
    """The parts of the body that were not seen, from head to feet, and when.

    Args:
        unseen: bool (frames, joints).
        skeleton: Defines the joints.
        fps: Frames per second.

    Returns:
        {part: [(first frame, frame after the last one), ...]} with parts such as "head", "left arm", "hands" or "legs".
        The plural says that both sides were lost within that time, not always together. Glimpses of at most
        `LONGEST_GAP_S` do not interrupt it. A hand or a foot that is lost with its limb is not named.

    Example:
        >>> from skelgnn_tf.skeletons import H36M_17
        >>> unseen = np.array([[joint.endswith(("knee", "ankle")) for joint in H36M_17.joints]] * 30)
        >>> unseen_parts(unseen, H36M_17, fps=30.0)
        {'legs': [(0, 30)]}
    """
    parts: dict[str, list[tuple[int, int]]] = {}
    head = next((joint for joint in ("head", "nose") if joint in skeleton.joints), None)
    if head is not None:
        parts["head"] = _spans(unseen[:, skeleton.index(head)], fps)
    of_joint: dict[str, list[tuple[int, int]]] = {}
    for one, both, joint, limb in _PAIRS:
        sides = {side: f"{side}_{joint}" for side in ("left", "right") if f"{side}_{joint}" in skeleton.joints}
        lost = {side: unseen[:, skeleton.index(name)] for side, name in sides.items()}
        of_joint[joint] = _spans(np.any(list(lost.values()), axis=0), fps) if lost else []
        for first, end in of_joint[joint]:
            if limb is None or not any(begin <= first and end <= over for begin, over in of_joint[limb]):
                lost_sides = [side for side, where in lost.items() if where[first:end].any()]
                name = both if len(lost_sides) > 1 else f"{lost_sides[0]} {one}"
                parts.setdefault(name, []).append((first, end))
    return {part: spans for part, spans in parts.items() if spans}


def joints_of(part: str) -> tuple[str, ...]:
    """The joints that are lost with a part that `unseen_parts` names, such as both knees and ankles for "legs".

    Example:
        >>> joints_of("left arm")
        ('left_elbow', 'left_wrist')
    """
    side, _, name = part.rpartition(" ")
    lost = next((joint for one, both, joint, _ in _PAIRS if name in (one, both)), None)
    if lost is None:
        return ("head", "nose")
    below = [joint for _, _, joint, limb in _PAIRS if limb == lost]
    return tuple(f"{of}_{joint}" for of in ((side,) if side else ("left", "right")) for joint in (lost, *below))


def _spans(where: np.ndarray, fps: float) -> list[tuple[int, int]]:
    """The first frames of runs of (frames,) and those after their ends; runs with a short gap in between are one."""
    edges = np.flatnonzero(np.diff(where, prepend=False, append=False)).tolist()
    spans: list[tuple[int, int]] = []
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        if spans and not _is_long((first - spans[-1][1]) / fps):
            first = spans.pop()[0]
        spans.append((first, end))
    return spans


def _is_long(missing_s: Any) -> Any:
    """The rule: whether a gap is longer than those that are bridged. The tolerance is for rounded times."""
    return missing_s > LONGEST_GAP_S + 1e-6
