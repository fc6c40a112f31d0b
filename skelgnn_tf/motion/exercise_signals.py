"""Exercise signals: a number per pose that rises and falls once in every repetition of an exercise."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skelgnn_tf.motion.body_measures import BodyMeasures, apart, first_seen, larger, mean
from skelgnn_tf.motion.plausibility import MEASURES
from skelgnn_tf.skeletons import Skeleton


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


class ExerciseState(NamedTuple):
    """What poses say about every exercise.

    Args:
        signals: {exercise: float64 (...)}, low at the start and end of a repetition, high in its middle; NaN where a
            joint that the exercise needs is missing.
        measures: {measure: float64 (...)} of `plausibility`, by which a repetition is told from other movements.
    """

    signals: dict[str, np.ndarray]
    measures: dict[str, np.ndarray]


def exercise_state(pose_m: np.ndarray, skeleton: Skeleton) -> ExerciseState:
    """The signals of all exercises and the measures of their plausibility.

    They are made of angles and lengths in the frame of the body, so they are the same from every camera. Only sit-ups,
    burpees and the lean use the upright of the picture. Lengths are relative to the trunk or to the arm, so the size of
    a pose does not matter. Where one side is missing, the other one counts.

    Args:
        pose_m: (..., joints, 3) meters, camera axes; NaN where a joint is missing.
        skeleton: Skeleton of the poses.

    Returns:
        ExerciseState.

    Raises:
        ValueError: As `joint_angles`, or the skeleton has no nose, neck or head.
    """
    body = BodyMeasures(pose_m, skeleton)
    return ExerciseState(_signals(body), {name: of(body) for name, of in MEASURES.items()})


def _signals(body: BodyMeasures) -> dict[str, np.ndarray]:
    # Feet outside the picture leave the bend of the hips.
    legs = first_seen((mean(body.knee) + mean(body.hip)) / 2, mean(body.hip))
    return {
        "squat": legs,
        "lunge": legs,
        "push_up": mean(body.elbow),
        "sit_up": (mean(body.curl) - body.lean) / 2,
        "jumping_jack": mean(body.shoulder) / 2
        + 20 * mean(body.hand_up)
        + 20 * first_seen(body.feet_apart, np.zeros_like(body.lean)),
        "deadlift": mean(body.hip),
        # With one arm or both.
        "overhead_press": larger(body.shoulder),
        "biceps_curl": larger(body.elbow / 2 + 40 * body.hand_forward),
        # The knees take turns, so their difference falls to zero between two of them.
        "high_knees": apart(first_seen(body.curl - 60 * body.leg, 1.4 * body.curl - 100)) / 1.5,
        "side_bend": np.degrees(np.abs(body.aside)),
        # On the floor, the hands are in front of the chest and the trunk is horizontal.
        "burpee": 45 * mean(body.hand_forward) + body.lean / 2,
    }
