"""Human3.6M in VideoPose3D's files, and its cameras."""

from skelgnn_tf.datasets.h36m.loader import FPS, TEST_SUBJECTS, TRAIN_SUBJECTS, load

__all__ = ["FPS", "TEST_SUBJECTS", "TRAIN_SUBJECTS", "load"]
