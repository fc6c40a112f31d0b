"""2D keypoints of people over time: the value that prediction takes, and the readers of keypoint files."""

from skelgnn_tf.keypoints.reader import is_keypoint_file, read_keypoints
from skelgnn_tf.keypoints.sequence import KeypointSequence

__all__ = ["KeypointSequence", "is_keypoint_file", "read_keypoints"]
