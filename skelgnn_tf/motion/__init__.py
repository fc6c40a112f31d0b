"""What happens to poses over time: gaps, smoothing, joint angles, repetitions. Causal, frame by frame, numpy alone."""

from skelgnn_tf.motion.exercise_signals import MOVEMENTS
from skelgnn_tf.motion.gaps import GapHolder, bridge_gaps
from skelgnn_tf.motion.joint_angles import ANGLES, joint_angles
from skelgnn_tf.motion.one_euro import OneEuroFilter
from skelgnn_tf.motion.repetitions import RepetitionCounter, Repetitions
from skelgnn_tf.motion.stature import stature_m

__all__ = [
    "ANGLES",
    "MOVEMENTS",
    "GapHolder",
    "OneEuroFilter",
    "RepetitionCounter",
    "Repetitions",
    "bridge_gaps",
    "joint_angles",
    "stature_m",
]
