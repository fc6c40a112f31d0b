"""DynamicGraph: an adjacency matrix for each hop group that depends on the motion."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from skelgnn_tf.layers.temporal_conv import TemporalConv


@keras.saving.register_keras_serializable("skelgnn_tf")
class DynamicGraph(keras.layers.Layer):
    """A_k = M_k + alpha_k O_k with O_k = tanh(theta_k(X)^T phi_k(X)), for all hop groups k at once.

    M_k starts as the given adjacency and is trained. O_k is computed from the input, also at inference. theta and phi
    are temporal convolutions over the channels of each joint. O_k is one matrix for the whole clip. A causal graph has
    one matrix for each frame, which depends on that frame and the F - 1 frames before it.

    The product is divided by frames * sqrt(width), as in attention, so that tanh does not saturate for long clips.
    alpha_k starts at 0, so training begins with the static graph.

    Args:
        adjacency: Initial value of M_k, (groups, joints, joints): `graph.normalize_adjacency` of the hop groups.
        width: Channels of theta and phi for each group.
        temporal_kernel: Number of frames F that theta and phi look at.
        causal: Whether to make one graph for each frame, without later frames.

    Call:
        (batch, frames, joints, channels) -> (batch, 1 or frames, groups, joints to, joints from).

    Raises:
        ValueError: `adjacency` is not (groups, joints, joints).

    Source: Zeng et al., ICCV 2021, section 3.3 (docs/method.md).

    Example:
        >>> graph = DynamicGraph(np.eye(17)[None], width=8)
        >>> graph(np.zeros((2, 9, 17, 32))).shape
        (2, 1, 1, 17, 17)
    """

    def __init__(
        self, adjacency: np.ndarray, width: int, temporal_kernel: int = 3, causal: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.adjacency = np.asarray(adjacency, np.float32)
        if self.adjacency.ndim != 3 or self.adjacency.shape[1] != self.adjacency.shape[2]:
            raise ValueError(f"adjacency must have shape (groups, joints, joints). Received: {self.adjacency.shape}.")
        self.width, self.temporal_kernel, self.causal = width, temporal_kernel, causal
        self.embedding = TemporalConv(
            2 * len(self.adjacency) * width,
            temporal_kernel,
            causal=causal,
            use_bias=False,
            dtype=self.dtype_policy,
            name="embedding",
        )

    def build(self, input_shape: tuple[Any, ...]) -> None:  # noqa: D102
        self.embedding.build(input_shape)
        self.m = self.add_weight(
            name="m",
            shape=self.adjacency.shape,
            initializer=lambda shape, dtype: ops.convert_to_tensor(self.adjacency, dtype),
        )
        self.alpha = self.add_weight(name="alpha", shape=(len(self.adjacency),), initializer="zeros")

    def call(self, x: Any) -> Any:  # noqa: D102
        groups, joints, _ = self.adjacency.shape
        # A number, or a tensor in a graph that is traced for clips of any length.
        frames = ops.shape(x)[1]
        # (b, t, i, theta and phi * k * c) -> (b, t, theta and phi, k, i, c)
        both = ops.reshape(self.embedding(x), (-1, frames, joints, 2, groups, self.width))
        both = ops.transpose(both, (0, 1, 3, 4, 2, 5))
        theta, phi = both[:, :, 0], both[:, :, 1]
        scale = 1 / math.sqrt(self.width)
        if not self.causal:
            # One matrix per clip: frames and channels become one axis, (b, 1, k, i, t * c).
            theta, phi = (
                ops.reshape(ops.transpose(e, (0, 2, 3, 1, 4)), (-1, 1, groups, joints, frames * self.width))
                for e in (theta, phi)
            )
            length = frames if isinstance(frames, int) else ops.cast(frames, theta.dtype)
            scale = scale / length
        o = ops.tanh(ops.matmul(theta, ops.swapaxes(phi, -1, -2)) * scale)
        return self.m + ops.reshape(self.alpha, (groups, 1, 1)) * o

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:  # noqa: D102
        return (input_shape[0], input_shape[1] if self.causal else 1, *self.adjacency.shape)

    def get_config(self) -> dict[str, Any]:  # noqa: D102
        return super().get_config() | {
            "adjacency": self.adjacency.tolist(),
            "width": self.width,
            "temporal_kernel": self.temporal_kernel,
            "causal": self.causal,
        }
