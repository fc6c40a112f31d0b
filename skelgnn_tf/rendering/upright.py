"""Which way is up in camera space, told by people who stand: a phone that looks down would else make them lean."""

from __future__ import annotations

import numpy as np

from skelgnn_tf.skeletons import Skeleton

#: Upwards of a level camera, whose y points down.
LEVEL_UP = (0.0, -1.0, 0.0)
#: Someone who stands has legs this straight, and a trunk in line with them to this angle.
_STRAIGHT, _IN_LINE_DEG = 0.96, 15.0
#: A phone looks up or down less than this; who leans more lies, as in a plank. Of generated exercises, the error of
#: upwards is 7 degrees on average with it and 16 without; from 46 on, some push-ups are taken for standing.
_MOST_TILT_DEG = 38.0
#: So many frames of standing are wanted.
_LEAST_FRAMES = 5


def guessed_up(pose_m: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Upwards in camera space, from the ankles to the shoulders while someone stands: unit (3,).

    Args:
        pose_m: (frames, joints, 3) camera-space metres, NaN where nobody is seen.
        skeleton: Whose joints they are.

    Returns:
        The mean direction, or `LEVEL_UP` if nobody stands, the skeleton has no such joints, or the direction is so far
        from level that it is no camera's tilt.
    """
    points = [_middle(pose_m, skeleton, part) for part in ("ankle", "knee", "hip", "shoulder")]
    if any(point is None for point in points):
        return np.array(LEVEL_UP)
    ankle, knee, hip, shoulder = points
    shank, thigh = np.linalg.norm(knee - ankle, axis=-1), np.linalg.norm(hip - knee, axis=-1)
    leg, trunk, whole = hip - ankle, shoulder - hip, shoulder - ankle
    with np.errstate(invalid="ignore"):
        stands = np.linalg.norm(leg, axis=-1) > _STRAIGHT * (shank + thigh)
        stands &= _angle_deg(leg, trunk) < _IN_LINE_DEG
        stands &= _angle_deg(whole, np.array(LEVEL_UP)) < _MOST_TILT_DEG
    if stands.sum() < _LEAST_FRAMES:
        return np.array(LEVEL_UP)
    up = np.median(whole[stands] / np.linalg.norm(whole[stands], axis=-1, keepdims=True), axis=0)
    return up / np.linalg.norm(up)


def _middle(pose_m: np.ndarray, skeleton: Skeleton, part: str) -> np.ndarray | None:
    """The place (frames, 3) between a left and a right joint."""
    names = (f"left_{part}", f"right_{part}")
    if not set(names) <= set(skeleton.joints):
        return None
    return pose_m[:, [skeleton.index(name) for name in names]].mean(axis=1)


def _angle_deg(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Angles (...) between vectors (..., 3), degrees."""
    sine = np.linalg.norm(np.cross(one, other), axis=-1)
    return np.degrees(np.arctan2(sine, np.sum(one * other, axis=-1)))
