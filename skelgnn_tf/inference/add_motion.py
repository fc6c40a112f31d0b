"""From the poses of single frames to a motion: gaps bridged, filtered, scaled, measured and counted."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from skelgnn_tf.inference.result import Motion, Prediction
from skelgnn_tf.motion import MOVEMENTS, OneEuroFilter, RepetitionCounter, body_height_m, bridge_gaps, joint_angles
from skelgnn_tf.motion.exercise_signals import exercise_signals

#: Heights of people in meters, with some room.
_HEIGHTS_M = (0.5, 2.6)


def add_motion(
    prediction: Prediction, smooth: bool = True, subject_height_m: float | None = None, exercise: str | None = None
) -> Prediction:
    """The prediction with continuous poses, joint angles and repetitions.

    Args:
        prediction: With unfiltered poses; one without poses is returned unchanged.
        smooth: Filter the poses (one-euro, forward and backward, so that they do not lag).
        subject_height_m: Height of the person in meters. Scales the poses, whose size is that of an average body.
        exercise: Exercise to count; None counts the one that is recognized.

    Raises:
        ValueError: A height out of range or without poses, an exercise that cannot be counted.
    """
    poses = prediction.poses
    check_height(subject_height_m, poses is not None)
    check_exercise(exercise, poses is not None)
    if poses is None:
        return prediction
    pose_m, bridged = bridge_gaps(poses.pose_m, prediction.fps)
    # The counter needs unfiltered poses: it smooths its own signals.
    counted, repetitions = _counted(prediction, exercise)
    if smooth:
        pose_m = OneEuroFilter().smooth(pose_m, prediction.fps, both_ways=True)
    if subject_height_m is not None:
        pose_m = pose_m * (subject_height_m / body_height_m(pose_m, poses.skeleton))
    motion = Motion(
        bridged=np.any(bridged, axis=1),
        angles_deg=joint_angles(pose_m, poses.skeleton),
        exercise=counted,
        repetitions=repetitions,
    )
    poses = dataclasses.replace(poses, pose_m=pose_m.astype(np.float32))
    return dataclasses.replace(prediction, poses=poses, motion=motion)


def check_height(subject_height_m: float | None, with_poses: bool = True) -> None:
    """Raises ValueError for a height that `add_motion` could not scale to, with or without poses."""
    if subject_height_m is None:
        return
    if not _HEIGHTS_M[0] <= subject_height_m <= _HEIGHTS_M[1]:
        raise ValueError(
            f"--subject-height must be {_HEIGHTS_M[0]} to {_HEIGHTS_M[1]} meters. Received: {subject_height_m:g}."
        )
    if not with_poses:
        raise ValueError("--subject-height must be used with a lifter. It scales 3D poses.")


def check_exercise(exercise: str | None, with_poses: bool = True) -> None:
    """Raises ValueError for an exercise that `add_motion` could not count, with or without poses."""
    if exercise is None:
        return
    if exercise not in MOVEMENTS:
        raise ValueError(f"--exercise must be one of {', '.join(MOVEMENTS)}. Received: {exercise}.")
    if not with_poses:
        raise ValueError("--exercise must be used with a lifter. Repetitions are counted in 3D poses.")


def can_count(classes: Sequence[str]) -> bool:
    """Whether an exercise that can be counted is among the classes of a recognizer."""
    return any(name in MOVEMENTS for name in classes)


def _counted(prediction: Prediction, exercise: str | None) -> tuple[tuple[str | None, ...], np.ndarray]:
    """The counted exercise and its repetitions at each frame, as a live counter would know them."""
    poses, actions = prediction.poses, prediction.actions
    assert poses is not None
    decided: dict[int, np.ndarray] = {}
    if exercise is not None:
        counter = RepetitionCounter(poses.skeleton, exercise=exercise)
    elif actions is not None and can_count(actions.classes):
        counter = RepetitionCounter(poses.skeleton, classes=actions.classes)
        decided = dict(zip(actions.decisions.last.tolist(), actions.decisions.probabilities, strict=True))
    else:
        return (), np.zeros(0, int)
    # Of all frames at once: one by one they take half of the time of a prediction without Keras.
    signals = exercise_signals(poses.pose_m, poses.skeleton)
    known = [
        counter.push(pose, time_s, decided.get(frame), {name: values[frame] for name, values in signals.items()})
        for frame, (pose, time_s) in enumerate(zip(poses.pose_m, prediction.time_s, strict=True))
    ]
    return tuple(one.exercise for one in known), np.array([one.count for one in known])
