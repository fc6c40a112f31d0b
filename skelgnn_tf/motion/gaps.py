"""Gaps in poses: short ones are bridged and marked, long ones stay."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

#: Longest gap that is bridged. Half a second is one slow step or a quarter of a squat, so little is invented.
LONGEST_GAP_S = 0.5


def bridge_gaps(pose_m: np.ndarray, fps: float, longest_s: float = LONGEST_GAP_S) -> tuple[np.ndarray, np.ndarray]:
    """Fills the short gaps of a clip, separately for each joint, on the straight line between the gap's neighbors.

    A gap before the first or after the last frame in which a joint is seen has only one neighbor and stays.

    Args:
        pose_m: (frames, joints, 3) meters. A joint with any NaN is missing.
        fps: Frames per second.
        longest_s: Longest duration, in seconds, of the missing frames of a gap that is bridged.

    Returns:
        float64 (frames, joints, 3), the poses with NaN where a joint is still missing, and bool (frames, joints), True
        where a joint was bridged.

    Raises:
        ValueError: The poses do not have three axes, or `fps` is not positive.
    """
    pose_m = np.array(pose_m, np.float64)
    if pose_m.ndim != 3 or not fps > 0:
        raise ValueError(
            f"pose_m must have shape (frames, joints, 3) and fps must be positive. Received: {pose_m.shape}, {fps} fps."
        )
    seen = np.isfinite(pose_m).all(axis=-1)
    pose_m[~seen] = np.nan
    bridged = np.zeros_like(seen)
    for joint in range(seen.shape[1]):
        frames = np.flatnonzero(seen[:, joint])
        for before, after in pairwise(frames):
            # The tolerance of a hundredth of a frame makes 15 frames at 30 fps half a second, despite rounding.
            if 1 < after - before <= longest_s * fps + 1.01:
                share = (np.arange(before + 1, after) - before)[:, None] / (after - before)
                start, end = pose_m[before, joint], pose_m[after, joint]
                pose_m[before + 1 : after, joint] = start + share * (end - start)
                bridged[before + 1 : after, joint] = True
    return pose_m, bridged


class GapHolder:
    """The live form of `bridge_gaps`: later frames are unknown, so a missing joint keeps its last position.

    Args:
        longest_s: How long, in seconds, a joint keeps its position before it is missing.

    Example:
        >>> holder = GapHolder()
        >>> _ = holder.push(np.zeros((17, 3)), 0.0)
        >>> pose_m, held = holder.push(np.full((17, 3), np.nan), 0.1)
        >>> bool(held.all()), float(pose_m.max())
        (True, 0.0)
    """

    def __init__(self, longest_s: float = LONGEST_GAP_S) -> None:
        self.longest_s = longest_s
        self._pose_m: np.ndarray | None = None
        self._seen_s: np.ndarray | None = None

    def push(self, pose_m: np.ndarray, time_s: float) -> tuple[np.ndarray, np.ndarray]:
        """Takes the next pose.

        Args:
            pose_m: (joints, 3) meters. A joint with any NaN is missing.
            time_s: Time of the pose in seconds.

        Returns:
            float64 (joints, 3), the pose with NaN where a joint is still missing, and bool (joints,), True where a
            joint was held.
        """
        pose_m = np.array(pose_m, np.float64)
        seen = np.isfinite(pose_m).all(axis=-1)
        if self._pose_m is None or self._seen_s is None:
            self._pose_m, self._seen_s = np.full(pose_m.shape, np.nan), np.full(seen.shape, -np.inf)
        self._pose_m[seen] = pose_m[seen]
        self._seen_s[seen] = time_s
        held = ~seen & (time_s - self._seen_s <= self.longest_s + 1e-6)
        pose_m[held] = self._pose_m[held]
        pose_m[~seen & ~held] = np.nan
        return pose_m, held
