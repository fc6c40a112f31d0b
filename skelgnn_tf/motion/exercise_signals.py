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
    share: float = 0.4
    fall: float = 0.6
    settled: float = 0.8
    finish: tuple[float, float] = (0.2, 0.0)


#: The exercises of the `fitness` data set that have repetitions. Jumping jacks, high knees and burpees are never
#: abandoned half way, so a small rise is a badly seen repetition, and their `share` is low.
MOVEMENTS = {
    "squat": Movement(16, 1.0, 0.35, 0.5, 0.8, (0.25, -0.07)),
    "lunge": Movement(21, 1.8, 0.45, 0.5, 0.6, (0.36, 0.16)),
    "push_up": Movement(28, 0.7, 0.4, 0.6, 0.8, (0.05, -0.04)),
    "sit_up": Movement(10, 1.6, 0.4, 0.5, 0.8, (0.24, -0.10)),
    "jumping_jack": Movement(28, 0.8, 0.33, 0.7, 0.8, (0.17, -0.05)),
    "deadlift": Movement(25, 1.8, 0.4, 0.7, 0.8, (0.22, -0.14)),
    "overhead_press": Movement(38, 0.9, 0.4, 0.55, 0.6, (0.13, 0.02)),
    "biceps_curl": Movement(26, 0.8, 0.4, 0.6, 0.8, (0.17, -0.06)),
    "high_knees": Movement(6, 0.25, 0.25, 0.5, 0.6, (0.34, -0.01)),
    "side_bend": Movement(3.5, 1.2, 0.4, 0.6, 0.7, (0.08, 0.12)),
    "burpee": Movement(25, 1.8, 0.25, 0.5, 0.5, (0.21, -0.27)),
}


#: The joints of an exercise's signal, as parts of the body: of each part one side must be seen.
_NEEDS = {
    "squat": ("hip", "knee"),
    "lunge": ("hip", "knee"),
    "push_up": ("shoulder", "elbow", "wrist"),
    "sit_up": ("shoulder", "hip", "knee"),
    "jumping_jack": ("shoulder", "elbow", "wrist"),
    "deadlift": ("shoulder", "hip", "knee"),
    "overhead_press": ("shoulder", "elbow", "wrist"),
    "biceps_curl": ("shoulder", "elbow", "wrist"),
    "high_knees": ("hip", "knee"),
    "side_bend": ("shoulder", "hip"),
    "burpee": ("shoulder", "hip", "wrist"),
    "plank": ("shoulder", "hip"),
}


class ExerciseState(NamedTuple):
    """What poses say about every exercise.

    Args:
        signals: {exercise: float64 (...)}, low at the start and end of a repetition, high in its middle; NaN where a
            joint that the exercise needs is missing.
        postures: {exercise: bool (...)}, whether the body may be in the middle of a repetition.
    """

    signals: dict[str, np.ndarray]
    postures: dict[str, np.ndarray]


def needed_joints(exercise: str) -> tuple[tuple[str, str], ...]:
    """The joints without which an exercise can be neither recognized nor counted.

    Args:
        exercise: Name of a class.

    Returns:
        Pairs of joints, of each of which one must be seen; empty for a class that needs none, such as rest.

    Example:
        >>> needed_joints("squat")
        (('left_hip', 'right_hip'), ('left_knee', 'right_knee'))
    """
    return tuple((f"left_{part}", f"right_{part}") for part in _NEEDS.get(exercise, ()))


def seen_enough(pose_m: np.ndarray, skeleton: Skeleton) -> dict[str, np.ndarray]:
    """Where enough of the body is seen for each class that needs certain joints.

    Args:
        pose_m: (..., joints, 3) meters; NaN where a joint is missing.
        skeleton: Skeleton of the poses, with shoulders, elbows, wrists, hips and knees.

    Returns:
        {class: bool (...)}.
    """
    seen = np.isfinite(pose_m).all(axis=-1)
    parts = {
        part: seen[..., [skeleton.index(f"left_{part}"), skeleton.index(f"right_{part}")]].any(axis=-1)
        for part in {part for parts in _NEEDS.values() for part in parts}
    }
    return {name: np.all([parts[part] for part in needed], axis=0) for name, needed in _NEEDS.items()}


def exercise_signals(pose_m: np.ndarray, skeleton: Skeleton) -> ExerciseState:
    """The signals and postures of all exercises.

    They are made of angles and lengths in the frame of the body, so they are the same from every camera. Only sit-ups,
    burpees and postures also use the lean of the trunk in the picture, up to a constant. Lengths are relative to the
    trunk or to the arm, so the size of a pose does not matter. Where one side is missing, the other one counts.

    Args:
        pose_m: (..., joints, 3) meters, camera axes; NaN where a joint is missing.
        skeleton: Skeleton of the poses.

    Returns:
        ExerciseState.

    Raises:
        ValueError: As `joint_angles`, or the skeleton has no nose, neck or head.
    """
    at = joint_places(pose_m, skeleton)
    head = next((joint for joint in _HEADS if joint in skeleton.joints), None)
    if head is None:
        raise ValueError(
            f"skeleton must have a joint {', '.join(_HEADS[:-1])} or {_HEADS[-1]}. Received: {skeleton.name}."
        )
    measured = _measure(at, np.asarray(pose_m, np.float64)[..., skeleton.index(head), :])
    return ExerciseState(_signals(*measured), _postures(*measured))


def _measure(at: dict[str, np.ndarray], head: np.ndarray) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Angles and lengths of both sides, (..., sides), left first, and those of the trunk, (...)."""
    hips, shoulders = at["hips"], at["shoulders"]
    # Both sides at once: (..., sides, 3), left first.
    hip, knee, ankle, shoulder, elbow, wrist = (
        np.stack([at[f"left_{joint}"], at[f"right_{joint}"]], axis=-2)
        for joint in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
    )
    head_up, trunk = head - hips, shoulders - hips
    # Without hips, the trunk of a person whose head and chest are seen is taken as upright.
    upright = np.broadcast_to(np.array(CAMERA_UP), trunk.shape)
    down = -np.where(np.isfinite(trunk), trunk, upright)
    trunk_m = np.maximum(_length(trunk), 1e-9)
    bends = {
        "knee": (knee - hip, ankle - knee),
        "hip": (down[..., None, :], knee - hip),
        "elbow": (elbow - shoulder, wrist - elbow),
        "shoulder": (down[..., None, :], elbow - shoulder),
        # Head to knees around the hips, which shows sit-ups that only curl the back.
        "curl": (-head_up[..., None, :], knee - hips[..., None, :]),
    }
    first = np.stack(np.broadcast_arrays(*(pair[0] for pair in bends.values()), hip)[:-1])
    side = dict(zip(bends, angle_deg(first, np.stack([pair[1] for pair in bends.values()])), strict=True))
    reach = wrist - shoulder
    arm_m = np.maximum(_length(elbow - shoulder) + _length(wrist - elbow), 1e-9)
    # Forward direction of the trunk: perpendicular to it and to the line of the shoulders.
    forward = _unit(cross(-down, at["right_shoulder"] - at["left_shoulder"]))
    side["hand_up"] = np.sum(reach * _unit(-down)[..., None, :], axis=-1) / arm_m
    side["hand_forward"] = np.sum(reach * forward[..., None, :], axis=-1) / arm_m
    # A knee that moves towards the lens hardly bends in a lifted pose, but its ankle rises.
    side["leg"] = _length(ankle - hips[..., None, :]) / trunk_m[..., None]
    # Trunk against legs, so that the tilt of the camera and of the hips cancels.
    legs_down = _first_seen(_mean(np.moveaxis(ankle, -2, -1)) - hips, _mean(np.moveaxis(knee, -2, -1)) - hips, -upright)
    whole = {
        "lean": angle_deg(trunk, np.array(CAMERA_UP)),
        "feet_apart": _length(at["left_ankle"] - at["right_ankle"]) / trunk_m,
        "aside": np.sum((_unit(head_up) + _unit(legs_down)) * _unit(at["right_hip"] - at["left_hip"]), axis=-1),
    }
    return side, whole


def _signals(side: dict[str, np.ndarray], whole: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    # Feet outside the picture leave the bend of the hips.
    legs = _first_seen((_mean(side["knee"]) + _mean(side["hip"])) / 2, _mean(side["hip"]))
    curl, lean = side["curl"], whole["lean"]
    return {
        "squat": legs,
        "lunge": legs,
        "push_up": _mean(side["elbow"]),
        "sit_up": (_mean(curl) - lean) / 2,
        "jumping_jack": _mean(side["shoulder"]) / 2
        + 20 * _mean(side["hand_up"])
        + 20 * _first_seen(whole["feet_apart"], np.zeros_like(lean)),
        "deadlift": _mean(side["hip"]),
        # With one arm or both.
        "overhead_press": _larger(side["shoulder"]),
        "biceps_curl": _larger(side["elbow"] / 2 + 40 * side["hand_forward"]),
        # The knees take turns, so their difference falls to zero between two of them.
        "high_knees": _apart(_first_seen(curl - 60 * side["leg"], 1.4 * curl - 100)) / 1.5,
        "side_bend": np.degrees(np.abs(whole["aside"])),
        # On the floor, the hands are in front of the chest and the trunk is horizontal.
        "burpee": 45 * _mean(side["hand_forward"]) + lean / 2,
    }


def _postures(side: dict[str, np.ndarray], whole: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    lean, hip, hand_up = whole["lean"], _mean(side["hip"]), side["hand_up"]
    bent = np.fmax(_larger(side["knee"]), _larger(side["hip"]))
    return {
        "squat": bent > 35,
        "lunge": bent > 30,
        "push_up": ~(lean < 20) & ~(hip > 90),
        "sit_up": hip > 40,
        "jumping_jack": _larger(hand_up) > -0.3,
        "deadlift": hip > 35,
        "overhead_press": (_larger(hand_up) > 0.3) & (_smaller(side["elbow"]) < 110),
        "biceps_curl": (_larger(side["elbow"]) > 55) & (_larger(hand_up) < 0.7),
        "high_knees": ~(lean > 60),
        "side_bend": ~(hip > 60),
        "burpee": ~(lean < 25),
    }


def _first_seen(*choices: np.ndarray) -> np.ndarray:
    """The first of several values that is not NaN."""
    out = choices[-1]
    for choice in choices[-2::-1]:
        out = np.where(np.isfinite(choice), choice, out)
    return out


def _mean(sides: np.ndarray) -> np.ndarray:
    return _first_seen((sides[..., 0] + sides[..., 1]) / 2, sides[..., 0], sides[..., 1])


def _larger(sides: np.ndarray) -> np.ndarray:
    return np.fmax(sides[..., 0], sides[..., 1])


def _smaller(sides: np.ndarray) -> np.ndarray:
    return np.fmin(sides[..., 0], sides[..., 1])


def _apart(sides: np.ndarray) -> np.ndarray:
    return _first_seen(np.abs(sides[..., 0] - sides[..., 1]), sides[..., 0], sides[..., 1])


def _length(a: np.ndarray) -> np.ndarray:
    return np.sqrt(np.sum(a * a, axis=-1))


def _unit(a: np.ndarray) -> np.ndarray:
    return a / np.maximum(_length(a), 1e-9)[..., None]
