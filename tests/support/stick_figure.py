"""A person of seventeen joints whose angles are known, seen by a camera."""

from __future__ import annotations

import numpy as np

from skelgnn_tf.skeletons import H36M_17

DOWN, FORWARD, LEFT = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, -1.0]), np.array([1.0, 0.0, 0.0])
THIGH_M, SHANK_M, TRUNK_M, ARM_M, FOREARM_M = 0.42, 0.43, 0.48, 0.30, 0.26


def figure(
    knee: tuple[float, float] = (0, 0),
    hip: tuple[float, float] = (0, 0),
    elbow: tuple[float, float] = (0, 0),
    shoulder: tuple[float, float] = (0, 0),
    lean: float = 0,
) -> np.ndarray:
    """Pose (17, 3) in meters of somebody who faces the camera; (left, right) angles in degrees, all bent forward."""

    def to(degrees: float) -> np.ndarray:
        return np.cos(np.radians(degrees)) * DOWN + np.sin(np.radians(degrees)) * FORWARD

    at = {"hip": np.zeros(3)}
    up = -to(-lean)
    at |= {"spine": 0.5 * TRUNK_M * up, "thorax": TRUNK_M * up, "neck": 1.2 * TRUNK_M * up, "head": 1.45 * TRUNK_M * up}
    for side, name in enumerate(("left", "right")):
        out = LEFT * (1 - 2 * side)
        at[f"{name}_hip"] = 0.12 * out
        at[f"{name}_knee"] = at[f"{name}_hip"] + THIGH_M * to(hip[side] - lean)
        at[f"{name}_ankle"] = at[f"{name}_knee"] + SHANK_M * to(hip[side] - lean - knee[side])
        at[f"{name}_shoulder"] = at["thorax"] + 0.18 * out
        at[f"{name}_elbow"] = at[f"{name}_shoulder"] + ARM_M * to(shoulder[side] - lean)
        at[f"{name}_wrist"] = at[f"{name}_elbow"] + FOREARM_M * to(shoulder[side] - lean + elbow[side])
    return np.stack([at[joint] for joint in H36M_17.joints])


def squatting(u: float) -> np.ndarray:
    """Standing at 0, a deep squat at 1."""
    return figure(knee=(110 * u, 110 * u), hip=(100 * u, 100 * u), shoulder=(70 * u, 70 * u), lean=35 * u)


def lunging(u: float) -> np.ndarray:
    """One foot in front and one behind at 0, both knees bent at 1."""
    return figure(knee=(85 * u, 15 + 75 * u), hip=(15 + 70 * u, -15 - 10 * u))


def curling(u: float) -> np.ndarray:
    """Arms hanging at 0, both elbows bent at 1."""
    return figure(elbow=(10 + 125 * u, 10 + 125 * u), shoulder=(5, 5))


def turned(pose_m: np.ndarray, angles: tuple[float, float, float]) -> np.ndarray:
    """Poses (..., 3) turned about x, y and z by degrees."""
    matrix = np.eye(3)
    for axis, degrees in enumerate(angles):
        cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        i, j = [k for k in range(3) if k != axis]
        one = np.eye(3)
        one[i, i] = one[j, j] = cos
        one[i, j], one[j, i] = -sin, sin
        matrix = one @ matrix
    return pose_m @ matrix.T
