"""DynamicGraph: an adjacency for each hop group that depends on the motion."""

from __future__ import annotations

import math

import keras
import numpy as np
from keras import ops

from skelgnn_tf.layers.temporal_conv import TemporalConv


@keras.saving.register_keras_serializable("skelgnn_tf")
class DynamicGraph(keras.layers.Layer):
    """A_k = M_k + alpha_k O_k with O_k = tanh(theta_k(X)^T phi_k(X)), for all hop groups k at once.

    M_k starts as the given adjacency and is trained; O_k is computed from the input, also at test. theta and phi are
    temporal convolutions over each joint's channels. O_k is one matrix for the whole clip; a causal graph has one for
    each frame, which knows that frame and the F - 1 before it. The product is divided by frames * sqrt(width), as in
    attention, so that tanh does not saturate however long the clip is. alpha_k starts at 0: training begins with the
    static graph.

    Args:
        adjacency: (groups, joints, joints), where M_k starts; `graph.normalize_adjacency` of the hop groups.
        width: Channels of theta and phi for each group.
        temporal_kernel: F, frames that theta and phi look at.
        causal: One graph a frame, without look-ahead.

    Call:
        (batch, frames, joints, channels) -> (batch, 1 or frames, groups, joints to, joints from).

    Raises:
        ValueError: An adjacency that is not (groups, joints, joints).

    Source: Zeng et al., ICCV 2021, section 3.3 (PAPER.md, "Dynamic graph").

    Example:
        >>> graph = DynamicGraph(np.eye(17)[None], width=8)
        >>> graph(np.zeros((2, 9, 17, 32))).shape
        (2, 1, 1, 17, 17)
    """

    def __init__(
        self, adjacency: np.ndarray, width: int, temporal_kernel: int = 3, causal: bool = False, **kwargs
    ) -> None:
        super().__init__(**kwargs)
        self.adjacency = np.asarray(adjacency, np.float32)
        if self.adjacency.ndim != 3 or self.adjacency.shape[1] != self.adjacency.shape[2]:
            raise ValueError(f"adjacency wants (groups, joints, joints); got {self.adjacency.shape}")
        self.width, self.temporal_kernel, self.causal = width, temporal_kernel, causal
        self.embedding = TemporalConv(
            2 * len(self.adjacency) * width,
            temporal_kernel,
            causal=causal,
            use_bias=False,
            dtype=self.dtype_policy,
            name="embedding",
        )

    def build(self, input_shape: tuple) -> None:  # noqa: D102
        self.embedding.build(input_shape)
        self.m = self.add_weight(
            name="m",
            shape=self.adjacency.shape,
            initializer=lambda shape, dtype: ops.convert_to_tensor(self.adjacency, dtype),
        )
        self.alpha = self.add_weight(name="alpha", shape=(len(self.adjacency),), initializer="zeros")

    def call(self, x):  # noqa: D102
        groups, joints, _ = self.adjacency.shape
        frames = x.shape[1]
        # (b, t, i, theta and phi * k * c) -> (b, t, theta and phi, k, i, c)
        both = ops.reshape(self.embedding(x), (-1, frames, joints, 2, groups, self.width))
        both = ops.transpose(both, (0, 1, 3, 4, 2, 5))
        theta, phi = both[:, :, 0], both[:, :, 1]
        scale = 1 / math.sqrt(self.width)
        if not self.causal:
            # One matrix a clip: frames and channels are flattened into one axis, (b, 1, k, i, t * c).
            theta, phi = (
                ops.reshape(ops.transpose(e, (0, 2, 3, 1, 4)), (-1, 1, groups, joints, frames * self.width))
                for e in (theta, phi)
            )
            scale /= frames
        o = ops.tanh(ops.matmul(theta, ops.swapaxes(phi, -1, -2)) * scale)
        return self.m + ops.reshape(self.alpha, (groups, 1, 1)) * o

    def compute_output_shape(self, input_shape: tuple) -> tuple:  # noqa: D102
        return (input_shape[0], input_shape[1] if self.causal else 1, *self.adjacency.shape)

    def get_config(self) -> dict:  # noqa: D102
        return super().get_config() | {
            "adjacency": self.adjacency.tolist(),
            "width": self.width,
            "temporal_kernel": self.temporal_kernel,
            "causal": self.causal,
        }
