"""TemporalConv: a convolution over the frames of each joint."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("skelgnn_tf")
class TemporalConv(keras.layers.Layer):
    """Convolution over frames with the same weights for every joint.

    With stride 1, the first and the last frame are repeated outwards, which keeps the number of frames. `causal` only
    repeats the first frame and never looks ahead. A larger stride pads nothing. `zero_padded` pads with zeros instead,
    for any stride: T frames become ceil(T / stride), as in ST-GCN.

    Args:
        channels: Number of output channels.
        kernel: Number of frames that one output looks at.
        stride: Frames between two outputs.
        dilation: Frames between two taps of the kernel.
        causal: Whether an output depends only on its own frame and earlier ones.
        use_bias: Whether to add a bias.
        zero_padded: Whether to pad both ends with zeros. Not valid with `causal`.

    Call:
        (batch, frames, joints, channels in) -> (batch, frames out, joints, channels).

    Raises:
        ValueError: `channels`, `kernel`, `stride` or `dilation` is less than 1, or both `zero_padded` and `causal` are
            set.

    Example:
        >>> import numpy as np
        >>> TemporalConv(8, kernel=3, stride=3)(np.zeros((2, 9, 17, 4))).shape
        (2, 3, 17, 8)
    """

    def __init__(
        self,
        channels: int,
        kernel: int = 3,
        stride: int = 1,
        dilation: int = 1,
        causal: bool = False,
        use_bias: bool = True,
        zero_padded: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if min(channels, kernel, stride, dilation) < 1:
            raise ValueError(
                f"channels, kernel, stride and dilation must be at least 1. Received: {channels}, {kernel}, {stride} "
                f"and {dilation}."
            )
        if zero_padded and causal:
            raise ValueError("zero_padded must be False with causal=True. It looks ahead by half the kernel.")
        self.channels, self.kernel, self.stride, self.dilation = channels, kernel, stride, dilation
        self.causal, self.use_bias, self.zero_padded = causal, use_bias, zero_padded

    def build(self, input_shape: tuple[Any, ...]) -> None:  # noqa: D102
        fan_in = self.kernel * input_shape[-1]
        self.w = self.add_weight(
            name="w",
            shape=(self.kernel, 1, input_shape[-1], self.channels),
            initializer=keras.initializers.RandomNormal(stddev=fan_in**-0.5),
        )
        self.b = self.add_weight(name="b", shape=(self.channels,), initializer="zeros") if self.use_bias else None

    def call(self, x: Any) -> Any:  # noqa: D102
        reach = (self.kernel - 1) * self.dilation
        if self.stride == 1 and reach and not self.zero_padded:
            before = reach if self.causal else reach // 2
            edges = [ops.repeat(x[:, :1], before, axis=1), x, ops.repeat(x[:, -1:], reach - before, axis=1)]
            x = ops.concatenate(edges, axis=1)
        stride = self.stride
        if self.kernel == 1:
            # oneDNN, TensorFlow's kernels for CPUs, writes beyond the result of a 1x1 convolution with a stride.
            x, stride = x[:, ::stride], 1
        y = ops.conv(
            x, self.w, strides=(stride, 1), padding="same" if self.zero_padded else "valid",
            data_format="channels_last", dilation_rate=(self.dilation, 1),
        )  # fmt: skip
        return y if self.b is None else y + self.b

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:  # noqa: D102
        batch, frames, joints, _ = input_shape
        if self.zero_padded and frames is not None:
            frames = -(-frames // self.stride)
        elif self.stride > 1 and frames is not None:
            frames = (frames - (self.kernel - 1) * self.dilation - 1) // self.stride + 1
        return (batch, frames, joints, self.channels)

    def get_config(self) -> dict[str, Any]:  # noqa: D102
        return super().get_config() | {
            "channels": self.channels,
            "kernel": self.kernel,
            "stride": self.stride,
            "dilation": self.dilation,
            "causal": self.causal,
            "use_bias": self.use_bias,
            "zero_padded": self.zero_padded,
        }
