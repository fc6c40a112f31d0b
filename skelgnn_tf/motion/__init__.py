"""Poses over time: gaps, smoothing, joint angles, body height and repetitions. Causal, frame by frame, NumPy only."""

from skelgnn_tf.motion.body_height import body_height_m
from skelgnn_tf.motion.exercise_signals import MOVEMENTS
from skelgnn_tf.motion.gaps import GapHolder, bridge_gaps
from skelgnn_tf.motion.joint_angles import ANGLES, joint_angles
from skelgnn_tf.motion.one_euro import OneEuroFilter
from skelgnn_tf.motion.repetitions import RepetitionCounter, Repetitions

__all__ = [
    "ANGLES",
    "MOVEMENTS",
    "GapHolder",
    "OneEuroFilter",
    "RepetitionCounter",
    "Repetitions",
    "body_height_m",
    "bridge_gaps",
    "joint_angles",
]
