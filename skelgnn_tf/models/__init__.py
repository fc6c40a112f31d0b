"""Models built from the layers."""

from skelgnn_tf.models.action_recognizer import ActionRecognizer
from skelgnn_tf.models.build import build_model
from skelgnn_tf.models.pose_lifter import PoseLifter

__all__ = ["ActionRecognizer", "PoseLifter", "build_model"]
