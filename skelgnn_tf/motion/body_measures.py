"""Measures of a pose that are the same from every camera and for every body size: angles and relative lengths."""

from __future__ import annotations

import numpy as np

from skelgnn_tf.motion.joint_angles import CAMERA_UP, angle_deg, cross, joint_places
from skelgnn_tf.skeletons import Skeleton

# The position of the head is the first of these joints that a skeleton has. "neck" of Human3.6M is at nose height.
_HEADS = ("nose", "neck", "head")


class BodyMeasures:
    """Measures of poses. A length is relative to the trunk or to the arm; NaN where a joint is missing.

    Args:
        pose_m: (..., joints, 3) meters, camera axes; NaN where a joint is missing.
        skeleton: Skeleton of the poses.

    Attributes:
        knee, hip, elbow, shoulder: Angles of `joint_angles` (..., 2), left and right, in degrees. Without hips, the
            trunk of a person whose head and chest are seen is taken as upright.
        curl: (..., 2), from head to knees around the hips, which shows sit-ups that only curl the back.
        hand_up, hand_forward: (..., 2), how far the hand is above and in front of the shoulder, in arm lengths.
        leg: (..., 2), from hips to ankle in trunk lengths. A knee that moves towards the lens hardly bends in a lifted
            pose, but its ankle rises.
        lean: Trunk against the upright of the picture, in degrees.
        aside: Sideways bend of the trunk against the legs, in about radians, so that a tilted camera cancels.
        feet_apart: Distance of the ankles in trunk lengths.
        feet_wide, stride: Its parts along the line of the hips and square to it.

    Raises:
        ValueError: As `joint_angles`, or the skeleton has no nose, neck or head.
    """

    def __init__(self, pose_m: np.ndarray, skeleton: Skeleton) -> None:
        at = joint_places(pose_m, skeleton)
        name = next((joint for joint in _HEADS if joint in skeleton.joints), None)
        if name is None:
            raise ValueError(
                f"skeleton must have a joint {', '.join(_HEADS[:-1])} or {_HEADS[-1]}. Received: {skeleton.name}."
            )
        head = np.asarray(pose_m, np.float64)[..., skeleton.index(name), :]
        # Both sides at once: (..., sides, 3), left first.
        hip, knee, ankle, shoulder, elbow, wrist = (
            np.stack([at[f"left_{joint}"], at[f"right_{joint}"]], axis=-2)
            for joint in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
        )
        hips, across = at["hips"], _unit(at["right_hip"] - at["left_hip"])
        head_up, trunk = head - hips, at["shoulders"] - hips
        upright = np.broadcast_to(np.array(CAMERA_UP), trunk.shape)
        down = -np.where(np.isfinite(trunk), trunk, upright)
        trunk_m = np.maximum(_length(trunk), 1e-9)
        bends = (
            (knee - hip, ankle - knee),
            (down[..., None, :], knee - hip),
            (elbow - shoulder, wrist - elbow),
            (down[..., None, :], elbow - shoulder),
            (-head_up[..., None, :], knee - hips[..., None, :]),
        )
        first = np.stack(np.broadcast_arrays(*(pair[0] for pair in bends), hip)[:-1])
        angles = angle_deg(first, np.stack([pair[1] for pair in bends]))
        self.knee, self.hip, self.elbow, self.shoulder, self.curl = angles
        reach = wrist - shoulder
        arm_m = np.maximum(_length(elbow - shoulder) + _length(wrist - elbow), 1e-9)
        # Forward direction of the trunk: perpendicular to it and to the line of the shoulders.
        forward = _unit(cross(-down, at["right_shoulder"] - at["left_shoulder"]))
        self.hand_up = np.sum(reach * _unit(-down)[..., None, :], axis=-1) / arm_m
        self.hand_forward = np.sum(reach * forward[..., None, :], axis=-1) / arm_m
        self.leg = _length(ankle - hips[..., None, :]) / trunk_m[..., None]
        # Trunk against legs, so that the tilt of the camera and of the hips cancels.
        legs_down = first_seen(*(mean(np.moveaxis(joint, -2, -1)) - hips for joint in (ankle, knee)), -upright)
        self.lean = angle_deg(trunk, np.array(CAMERA_UP))
        self.aside = np.sum((_unit(head_up) + _unit(legs_down)) * across, axis=-1)
        feet = (at["left_ankle"] - at["right_ankle"]) / trunk_m[..., None]
        self.feet_apart = _length(feet)
        self.feet_wide = np.abs(np.sum(feet * across, axis=-1))
        self.stride = np.sqrt(np.maximum(self.feet_apart**2 - self.feet_wide**2, 0))


def first_seen(*choices: np.ndarray) -> np.ndarray:
    """The first of several values that is not NaN."""
    out = choices[-1]
    for choice in choices[-2::-1]:
        out = np.where(np.isfinite(choice), choice, out)
    return out


def mean(sides: np.ndarray) -> np.ndarray:
    """Mean of both sides (..., 2), or the side that is seen."""
    return first_seen((sides[..., 0] + sides[..., 1]) / 2, sides[..., 0], sides[..., 1])


def larger(sides: np.ndarray) -> np.ndarray:
    """The larger of both sides (..., 2), or the side that is seen."""
    return np.fmax(sides[..., 0], sides[..., 1])


def smaller(sides: np.ndarray) -> np.ndarray:
    """The smaller of both sides (..., 2), or the side that is seen."""
    return np.fmin(sides[..., 0], sides[..., 1])


def apart(sides: np.ndarray) -> np.ndarray:
    """Difference between both sides (..., 2), or the side that is seen."""
    return first_seen(np.abs(sides[..., 0] - sides[..., 1]), sides[..., 0], sides[..., 1])


def _length(a: np.ndarray) -> np.ndarray:
    return np.sqrt(np.sum(a * a, axis=-1))


def _unit(a: np.ndarray) -> np.ndarray:
    return a / np.maximum(_length(a), 1e-9)[..., None]
