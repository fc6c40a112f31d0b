"""FCN: the fully connected lifter of Martinez et al., ICCV 2017, for comparison."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers, ops

from skelgnn_tf.datasets.windows import Windows
from skelgnn_tf.geometry import flip_keypoints
from skelgnn_tf.skeletons import Skeleton


class FCN(keras.Model):
    """Dense layers over all joints of one frame: an input layer, residual blocks of two layers, an output layer.

    Each hidden layer is followed by batch norm, ReLU and dropout, and no weight vector is longer than 1. As in the
    original, keypoints are standardized, and poses are made from standardized values, by the mean and standard
    deviation of each coordinate over the training data, so the root, which never moves, is always at the origin.
    Unlike the original, the loss is chosen by the caller, in the unit of the poses.

    Args:
        windows: Training data. Means and standard deviations are taken over them and their mirror image.
        skeleton: Joints of keypoints and pose.
        width: Width of the hidden layers.
        blocks: Number of residual blocks.
        dropout: Share of channels dropped in training.

    Call:
        keypoints (batch, 1, joints, 2) -> pose (batch, 1, joints, 3), as `PoseLifter(frames=1)`.

    Source: "A simple yet effective baseline for 3d human pose estimation", section 3 and its code's settings.
    """

    #: Attributes that `inference.windows.lift` requires of a lifter.
    frames, causal, every_frame = 1, False, False

    def __init__(
        self, windows: Windows, skeleton: Skeleton, width: int = 1024, blocks: int = 2, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.skeleton = skeleton
        self.keypoint_mean, keypoint_std = _moments(windows.keypoints, skeleton)
        # Coordinates that never vary become 0.
        self.keypoint_scale = 1 / np.where(keypoint_std > 1e-6, keypoint_std, np.inf)
        self.pose_mean, self.pose_std = _moments(windows.target, skeleton)
        self.first = _hidden(width, dropout)
        self.blocks = [keras.Sequential([_hidden(width, dropout), _hidden(width, dropout)]) for _ in range(blocks)]
        self.last = _dense(skeleton.num_joints * 3)

    def call(self, keypoints, training: bool = False):  # noqa: D102
        x = (keypoints - self.keypoint_mean) * self.keypoint_scale
        x = self.first(ops.reshape(x, (-1, self.skeleton.num_joints * 2)), training=training)
        for block in self.blocks:
            x = x + block(x, training=training)
        pose = ops.reshape(self.last(x), (-1, 1, self.skeleton.num_joints, 3))
        return pose * self.pose_std + self.pose_mean


def _dense(width: int) -> layers.Dense:
    return layers.Dense(width, kernel_initializer="he_normal", kernel_constraint=keras.constraints.MaxNorm(1))


def _hidden(width: int, dropout: float) -> keras.Sequential:
    return keras.Sequential([_dense(width), layers.BatchNormalization(), layers.ReLU(), layers.Dropout(dropout)])


def _moments(values: np.ndarray, skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation float32 (joints, coordinates) of values (frames, joints, coordinates), mirrored too.

    The mirror image itself is not needed: its mean and mean square are the mirrored ones.
    """
    mean = values.mean(axis=0, dtype=np.float64)
    square = np.square(values).mean(axis=0, dtype=np.float64)
    square = (square + np.abs(flip_keypoints(square, skeleton))) / 2
    mean = (mean + flip_keypoints(mean, skeleton)) / 2
    return mean.astype(np.float32), np.sqrt(np.maximum(square - mean**2, 0)).astype(np.float32)
