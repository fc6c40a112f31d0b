"""From the poses of single frames to a motion: gaps bridged, filtered, scaled, measured and counted."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from skelgnn_tf.inference.result import Motion, Prediction
from skelgnn_tf.motion import MOVEMENTS, OneEuroFilter, body_height_m, bridge_gaps, joint_angles
from skelgnn_tf.motion.exercise_cycles import Repetition
from skelgnn_tf.motion.exercise_signals import exercise_state, seen_enough
from skelgnn_tf.motion.recording import count_recording
from skelgnn_tf.skeletons import Skeleton

#: Heights of people in meters, with some room.
_HEIGHTS_M = (0.5, 2.6)


def add_motion(
    prediction: Prediction, smooth: bool = True, subject_height_m: float | None = None, exercise: str | None = None
) -> Prediction:
    """The prediction with continuous poses, joint angles and repetitions.

    Args:
        prediction: With unfiltered poses; one without poses is returned unchanged.
        smooth: Filter the poses (one-euro, forward and backward, so that they do not lag).
        subject_height_m: Height of the person in meters. Scales the poses, whose size is that of an average body. If
            legs, trunk or head were never seen, the lifter's guess of them is measured, and a note says so.
        exercise: Exercise to count; None counts the one that is recognized. Nothing is counted in a single frame.

    Raises:
        ValueError: A height out of range or without poses, an exercise that cannot be counted.
    """
    poses = prediction.poses
    check_height(subject_height_m, poses is not None)
    check_exercise(exercise, poses is not None)
    if poses is None:
        return prediction
    notes = list(prediction.notes)
    # Side by side, so that what was seen and what was guessed are filtered alike: (frames, 2 joints, 3).
    both_m, bridged = bridge_gaps(np.concatenate([poses.pose_m, poses.guess_m], axis=1), prediction.fps)
    # The counter needs unfiltered poses: it smooths its own signals.
    counted, found = _counted(prediction, exercise)
    if smooth:
        both_m = OneEuroFilter().smooth(both_m, prediction.fps, both_ways=True)
    if subject_height_m is not None:
        both_m = both_m * (subject_height_m / _measured_height_m(both_m, poses.skeleton, notes))
    pose_m, guess_m = np.split(both_m, 2, axis=1)
    motion = Motion(
        bridged=np.any(bridged[:, : poses.skeleton.num_joints], axis=1),
        angles_deg=joint_angles(pose_m, poses.skeleton),
        exercise=counted,
        repetitions=_totals(counted, found, prediction.time_s),
        repetition_list=tuple(found),
    )
    actions = prediction.actions
    if actions is not None and counted and exercise is None:
        # What is said and what is counted agree.
        labels = [-1 if name is None else actions.classes.index(name) for name in counted]
        actions = dataclasses.replace(actions, labels=np.array(labels))
    guess_m = np.where(np.isnan(pose_m), guess_m, pose_m)
    poses = dataclasses.replace(poses, pose_m=pose_m.astype(np.float32), guess_m=guess_m.astype(np.float32))
    return dataclasses.replace(prediction, notes=tuple(notes), poses=poses, actions=actions, motion=motion)


def _measured_height_m(both_m: np.ndarray, skeleton: Skeleton, notes: list[str]) -> float:
    """The height in poses and guesses (frames, 2 joints, 3): of what was seen, else of what the lifter guesses."""
    pose_m, guess_m = np.split(both_m, 2, axis=1)
    try:
        return body_height_m(pose_m, skeleton)
    except ValueError:
        height_m = body_height_m(guess_m, skeleton)
    notes.append("legs, trunk or head were never seen: --subject-height scales to their lengths as the lifter guesses")
    return height_m


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


def _counted(prediction: Prediction, exercise: str | None) -> tuple[tuple[str | None, ...], list[Repetition]]:
    """The exercise of each frame, and its repetitions; nothing without an exercise that can be counted."""
    poses, actions = prediction.poses, prediction.actions
    assert poses is not None
    countable = actions is not None and can_count(actions.classes)
    if prediction.num_frames == 1 or not (countable or exercise):
        return (), []
    labels, found = count_recording(
        exercise_state(poses.pose_m, poses.skeleton),
        prediction.time_s,
        prediction.fps,
        exercise=exercise,
        classes=actions.classes if countable and actions else (),
        frame_probabilities=actions.decisions.frame_probabilities if countable and actions else None,
        seen=seen_enough(poses.pose_m, poses.skeleton),
    )
    return tuple(labels), found


def _totals(exercises: tuple[str | None, ...], found: list[Repetition], time_s: np.ndarray) -> np.ndarray:
    """How many repetitions of the exercise of each frame have ended, int (frames,)."""
    totals = np.zeros(len(exercises), int)
    for one in found:
        ended = time_s >= one.end_s - 1e-6
        totals += one.complete * ended * np.array([name == one.exercise for name in exercises], int)
    return totals
