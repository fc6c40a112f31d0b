"""Poses over time: gaps, smoothing, joint angles, body height and repetitions. Causal, frame by frame, NumPy only."""

from skelgnn_tf.motion.body_height import body_height_m
from skelgnn_tf.motion.cycles import Cycle, CycleCounter
from skelgnn_tf.motion.exercise_cycles import Repetition
from skelgnn_tf.motion.exercise_signals import MOVEMENTS, Movement
from skelgnn_tf.motion.form import RepetitionForm, measure_form
from skelgnn_tf.motion.gaps import GapHolder, bridge_gaps
from skelgnn_tf.motion.joint_angles import ANGLES, joint_angles
from skelgnn_tf.motion.one_euro import OneEuroFilter
from skelgnn_tf.motion.repetitions import RepetitionCounter, Repetitions
from skelgnn_tf.motion.targets import Target, default_targets, read_targets
from skelgnn_tf.motion.visibility import VisibilityTracker, unseen_joints, unseen_parts

__all__ = [
    "ANGLES",
    "MOVEMENTS",
    "Cycle",
    "CycleCounter",
    "GapHolder",
    "Movement",
    "OneEuroFilter",
    "Repetition",
    "RepetitionCounter",
    "RepetitionForm",
    "Repetitions",
    "Target",
    "VisibilityTracker",
    "body_height_m",
    "bridge_gaps",
    "default_targets",
    "joint_angles",
    "measure_form",
    "read_targets",
    "unseen_joints",
    "unseen_parts",
]
