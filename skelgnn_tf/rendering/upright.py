"""Estimates the up direction in camera space from standing people, so that a tilted camera does not make them lean."""

from __future__ import annotations

import numpy as np

from skelgnn_tf.skeletons import Skeleton

#: The up direction of a level camera, whose y axis points down.
LEVEL_UP = (0.0, -1.0, 0.0)
#: A standing person has legs at least this straight, and a trunk in line with them within this angle.
_STRAIGHT, _IN_LINE_DEG = 0.96, 15.0
#: Largest tilt of a phone; people who lean more are lying, as in a plank. On generated exercises the mean error of the
#: direction is 7 degrees with this limit and 16 without. From 46 on, some push-ups count as standing.
_MAX_TILT_DEG = 38.0
#: Number of standing frames that are needed.
_MIN_FRAMES = 5


def estimated_up(pose_m: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Estimates the up direction in camera space: from the ankles to the shoulders while a person stands.

    Args:
        pose_m: (frames, joints, 3) camera-space meters, NaN where no person is seen.
        skeleton: Defines the joints.

    Returns:
        (3,), the median direction with length 1. `LEVEL_UP` if nobody stands upright within the tilt of a phone, or the
        skeleton has no such joints.
    """
    parts = ("ankle", "knee", "hip", "shoulder")
    if not {f"{side}_{part}" for part in parts for side in ("left", "right")} <= set(skeleton.joints):
        return np.array(LEVEL_UP)
    ankle, knee, hip, shoulder = (_middle(pose_m, skeleton, part) for part in parts)
    shank, thigh = np.linalg.norm(knee - ankle, axis=-1), np.linalg.norm(hip - knee, axis=-1)
    leg, trunk, whole = hip - ankle, shoulder - hip, shoulder - ankle
    with np.errstate(invalid="ignore"):
        stands = np.linalg.norm(leg, axis=-1) > _STRAIGHT * (shank + thigh)
        stands &= _angle_deg(leg, trunk) < _IN_LINE_DEG
        stands &= _angle_deg(whole, np.array(LEVEL_UP)) < _MAX_TILT_DEG
    if stands.sum() < _MIN_FRAMES:
        return np.array(LEVEL_UP)
    up = np.median(whole[stands] / np.linalg.norm(whole[stands], axis=-1, keepdims=True), axis=0)
    return up / np.linalg.norm(up)


def _middle(pose_m: np.ndarray, skeleton: Skeleton, part: str) -> np.ndarray:
    """The middle (frames, 3) between a left and a right joint."""
    return pose_m[:, [skeleton.index(f"{side}_{part}") for side in ("left", "right")]].mean(axis=1)


def _angle_deg(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Angles (...) between vectors (..., 3) in degrees."""
    sine = np.linalg.norm(np.cross(one, other), axis=-1)
    return np.degrees(np.arctan2(sine, np.sum(one * other, axis=-1)))
