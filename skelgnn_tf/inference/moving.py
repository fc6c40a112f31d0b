"""From a lifter's poses to a motion: gaps bridged, filtered, scaled, measured and counted."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from skelgnn_tf.inference.result import Motion, Prediction
from skelgnn_tf.motion.gaps import bridge_gaps
from skelgnn_tf.motion.joint_angles import joint_angles
from skelgnn_tf.motion.one_euro import OneEuroFilter
from skelgnn_tf.motion.repetitions import MOVEMENTS, RepetitionCounter
from skelgnn_tf.motion.stature import stature_m

#: People's heights, metres, with some room.
_HEIGHTS_M = (0.5, 2.6)


def moving(prediction: Prediction, smooth: bool = True, subject_height_m: float | None = None) -> Prediction:
    """The prediction with its poses made a motion, and with angles and repetitions.

    Args:
        prediction: With raw poses; one without comes back as it is.
        smooth: Filter the poses (one-euro, from both ends, so that they do not lag).
        subject_height_m: How tall the person is; scales the poses, whose own size is that of an average body.

    Raises:
        ValueError: A height that nobody has, or one without poses to scale.
    """
    poses = prediction.poses
    check_height(subject_height_m, poses is not None)
    if poses is None:
        return prediction
    pose_m, bridged = bridge_gaps(poses.pose_m, prediction.fps)
    # The counter wants poses as they come: it smooths its own signals.
    exercise, repetitions = _counted(prediction)
    if smooth:
        pose_m = OneEuroFilter().smooth(pose_m, prediction.fps, both_ways=True)
    if subject_height_m is not None:
        pose_m = pose_m * (subject_height_m / stature_m(pose_m, poses.skeleton))
    motion = Motion(
        bridged=bridged.any(axis=1),
        angles_deg=joint_angles(pose_m, poses.skeleton),
        exercise=exercise,
        repetitions=repetitions,
    )
    poses = dataclasses.replace(poses, pose_m=pose_m.astype(np.float32))
    return dataclasses.replace(prediction, poses=poses, motion=motion)


def check_height(subject_height_m: float | None, with_poses: bool = True) -> None:
    """Raises ValueError for a height that `moving` could not scale to, with or without poses."""
    if subject_height_m is None:
        return
    if not _HEIGHTS_M[0] <= subject_height_m <= _HEIGHTS_M[1]:
        raise ValueError(f"--subject-height wants metres, {_HEIGHTS_M[0]} to {_HEIGHTS_M[1]}; got {subject_height_m:g}")
    if not with_poses:
        raise ValueError("--subject-height scales 3D poses, and without a lifter there are none")


def countable(classes: Sequence[str]) -> bool:
    """Whether an exercise that can be counted is among a recogniser's classes."""
    return any(name in MOVEMENTS for name in classes)


def _counted(prediction: Prediction) -> tuple[tuple[str | None, ...], np.ndarray]:
    """The counted exercise and its repetitions at each frame, as they would have been known live."""
    poses, actions = prediction.poses, prediction.actions
    if actions is None or not countable(actions.classes):
        return (), np.zeros(0, int)
    counter = RepetitionCounter(poses.skeleton, classes=actions.classes)
    decided = dict(zip(actions.decisions.last.tolist(), actions.decisions.probabilities, strict=True))
    known = [
        counter.push(pose, time_s, decided.get(frame))
        for frame, (pose, time_s) in enumerate(zip(poses.pose_m, prediction.time_s, strict=True))
    ]
    return tuple(one.exercise for one in known), np.array([one.count for one in known])
