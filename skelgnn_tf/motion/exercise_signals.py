"""Exercise signals: a number per pose that rises and falls once in every repetition of an exercise."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skelgnn_tf.motion.joint_angles import CAMERA_UP, angle_deg, cross, joint_places
from skelgnn_tf.skeletons import Skeleton

# The position of the head is the first of these joints that a skeleton has. "neck" of Human3.6M is at nose height.
_HEADS = ("nose", "neck", "head")


class Movement(NamedTuple):
    """How the signal of an exercise repeats.

    The values were found on lifted clips of `fitness` (seeds 200, 202 and 204); see
    benchmarks/accuracy/repetition_counts.py.

    Args:
        least: Smallest rise of the signal, in its unit (about degrees), that can be a repetition.
        fastest_s: Duration of the fastest repetitions in seconds. It sets how much the signal is smoothed.
        share: Smallest rise as a share of the person's usual rise; a smaller rise is an attempt.
        fall: Share of the rise by which the signal must fall again.
        settled: Share of the rise by which the signal falls before the end can be predicted.
        finish: How much later a repetition ends than the fall indicates: as a share of the time for which the signal
            was high, and in seconds.
    """

    least: float
    fastest_s: float
    share: float
    fall: float
    settled: float
    finish: tuple[float, float]


#: The exercises of the `fitness` data set that have repetitions. Jumping jacks, high knees and burpees are never
#: abandoned half way, so a small rise is a badly seen repetition, and their `share` is low.
MOVEMENTS = {
    "squat": Movement(20, 1.6, 0.35, 0.5, 0.8, (0.25, -0.07)),
    "lunge": Movement(29, 1.8, 0.45, 0.5, 0.6, (0.36, 0.16)),
    "push_up": Movement(28, 1.1, 0.4, 0.6, 0.8, (0.05, -0.04)),
    "sit_up": Movement(10, 1.6, 0.4, 0.5, 0.8, (0.24, -0.10)),
    "jumping_jack": Movement(28, 0.8, 0.33, 0.7, 0.8, (0.17, -0.05)),
    "deadlift": Movement(25, 1.8, 0.4, 0.7, 0.8, (0.22, -0.14)),
    "overhead_press": Movement(60, 1.4, 0.4, 0.55, 0.6, (0.13, 0.02)),
    "biceps_curl": Movement(37, 1.3, 0.4, 0.6, 0.8, (0.17, -0.06)),
    "high_knees": Movement(6, 0.45, 0.25, 0.5, 0.6, (0.34, -0.01)),
    "side_bend": Movement(3.5, 1.8, 0.4, 0.6, 0.7, (0.08, 0.12)),
    "burpee": Movement(25, 2.6, 0.25, 0.5, 0.5, (0.21, -0.27)),
}


def exercise_signals(pose_m: np.ndarray, skeleton: Skeleton) -> dict[str, np.ndarray]:
    """The signals of all exercises: low at the start and end of a repetition, high in its middle.

    They are made of angles and lengths in the frame of the body, so they are the same from every camera. Only sit-ups
    and burpees also use the lean of the trunk in the picture, up to a constant. Lengths are relative to the trunk or to
    the arm, so the size of a pose does not matter.

    Args:
        pose_m: (..., joints, 3) meters, camera axes.
        skeleton: Skeleton of the poses.

    Returns:
        {exercise: float64 (...)}, NaN where a joint is missing.

    Raises:
        ValueError: As `joint_angles`, or the skeleton has no nose, neck or head.
    """
    at = joint_places(pose_m, skeleton)
    head = next((joint for joint in _HEADS if joint in skeleton.joints), None)
    if head is None:
        raise ValueError(
            f"skeleton must have a joint {', '.join(_HEADS[:-1])} or {_HEADS[-1]}. Received: {skeleton.name}."
        )
    hips, shoulders = at["hips"], at["shoulders"]
    head_up, trunk = np.asarray(pose_m, np.float64)[..., skeleton.index(head), :] - hips, shoulders - hips
    trunk_m = np.maximum(_length(trunk), 1e-9)
    # Both sides at once: (..., sides, 3), left first.
    hip, knee, ankle, shoulder, elbow, wrist = (
        np.stack([at[f"left_{joint}"], at[f"right_{joint}"]], axis=-2)
        for joint in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
    )
    bends = {
        "knee": (knee - hip, ankle - knee),
        "hip": (-trunk[..., None, :], knee - hip),
        "elbow": (elbow - shoulder, wrist - elbow),
        "shoulder": (-trunk[..., None, :], elbow - shoulder),
        # Head to knees around the hips, which shows sit-ups that only curl the back.
        "curl": (-head_up[..., None, :], knee - hips[..., None, :]),
    }
    first = np.stack(np.broadcast_arrays(*(pair[0] for pair in bends.values()), hip)[:-1])
    side = dict(zip(bends, angle_deg(first, np.stack([pair[1] for pair in bends.values()])), strict=True))
    lean = angle_deg(trunk, np.array(CAMERA_UP))
    reach = wrist - shoulder
    arm_m = np.maximum(_length(elbow - shoulder) + _length(wrist - elbow), 1e-9)
    # Forward direction of the trunk: perpendicular to it and to the line of the shoulders.
    forward = _unit(cross(trunk, at["right_shoulder"] - at["left_shoulder"]))
    hand_up = np.sum(reach * _unit(trunk)[..., None, :], axis=-1) / arm_m
    hand_forward = np.sum(reach * forward[..., None, :], axis=-1) / arm_m
    feet_apart = _length(at["left_ankle"] - at["right_ankle"]) / trunk_m
    # A knee that moves towards the lens hardly bends in a lifted pose, but its ankle rises.
    leg = _length(ankle - hips[..., None, :]) / trunk_m[..., None]
    # Trunk against legs, so that the tilt of the camera and of the hips cancels.
    legs_down = (at["left_ankle"] + at["right_ankle"]) / 2 - hips
    aside = np.sum((_unit(head_up) + _unit(legs_down)) * _unit(at["right_hip"] - at["left_hip"]), axis=-1)
    legs = (_mean(side["knee"]) + _mean(side["hip"])) / 2
    return {
        "squat": legs,
        "lunge": legs,
        "push_up": _mean(side["elbow"]),
        "sit_up": (_mean(side["curl"]) - lean) / 2,
        "jumping_jack": _mean(side["shoulder"]) / 2 + 20 * _mean(hand_up) + 20 * feet_apart,
        "deadlift": _mean(side["hip"]),
        # With one arm or both.
        "overhead_press": _larger(side["shoulder"]),
        "biceps_curl": _larger(side["elbow"] / 2 + 40 * hand_forward),
        "high_knees": _larger(side["curl"] - 60 * leg) / 1.5,
        "side_bend": np.degrees(np.abs(aside)),
        # On the floor, the hands are in front of the chest and the trunk is horizontal.
        "burpee": 45 * _mean(hand_forward) + lean / 2,
    }


def _mean(sides: np.ndarray) -> np.ndarray:
    return (sides[..., 0] + sides[..., 1]) / 2


def _larger(sides: np.ndarray) -> np.ndarray:
    return np.maximum(sides[..., 0], sides[..., 1])


def _length(a: np.ndarray) -> np.ndarray:
    return np.sqrt(np.sum(a * a, axis=-1))


def _unit(a: np.ndarray) -> np.ndarray:
    return a / np.maximum(_length(a), 1e-9)[..., None]
