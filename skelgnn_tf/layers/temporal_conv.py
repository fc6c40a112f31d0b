"""TemporalConv: a convolution over the frames of each joint."""

from __future__ import annotations

import keras
from keras import ops


@keras.saving.register_keras_serializable("skelgnn_tf")
class TemporalConv(keras.layers.Layer):
    """Convolution over frames with the same weights for every joint.

    With stride 1 the first and the last frame are repeated outwards, so that the number of frames stays; `causal`
    repeats the first frame only and never looks ahead. With a larger stride nothing is padded. `zero_padded` pads with
    zeros instead, for any stride: T frames become ceil(T / stride), as in ST-GCN.

    Args:
        channels: Channels out.
        kernel: Frames that one output looks at.
        stride: Frames from one output to the next.
        dilation: Frames between two taps.
        causal: An output sees its own frame and earlier ones alone.
        use_bias: Whether a bias is added.
        zero_padded: Zeros at both ends; not together with `causal`.

    Call:
        (batch, frames, joints, channels in) -> (batch, frames out, joints, channels).

    Raises:
        ValueError: A kernel, stride or dilation below 1; `zero_padded` and `causal` together.

    Example:
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
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if min(channels, kernel, stride, dilation) < 1:
            raise ValueError(
                f"TemporalConv wants channels, kernel, stride and dilation of at least 1; got {channels}, {kernel}, "
                f"{stride}, {dilation}"
            )
        if zero_padded and causal:
            raise ValueError("zero_padded looks ahead by half the kernel; a causal convolution wants zero_padded=False")
        self.channels, self.kernel, self.stride, self.dilation = channels, kernel, stride, dilation
        self.causal, self.use_bias, self.zero_padded = causal, use_bias, zero_padded

    def build(self, input_shape: tuple) -> None:  # noqa: D102
        fan_in = self.kernel * input_shape[-1]
        self.w = self.add_weight(
            name="w",
            shape=(self.kernel, 1, input_shape[-1], self.channels),
            initializer=keras.initializers.RandomNormal(stddev=fan_in**-0.5),
        )
        self.b = self.add_weight(name="b", shape=(self.channels,), initializer="zeros") if self.use_bias else None

    def call(self, x):  # noqa: D102
        reach = (self.kernel - 1) * self.dilation
        if self.stride == 1 and reach and not self.zero_padded:
            before = reach if self.causal else reach // 2
            edges = [ops.repeat(x[:, :1], before, axis=1), x, ops.repeat(x[:, -1:], reach - before, axis=1)]
            x = ops.concatenate(edges, axis=1)
        y = ops.conv(
            x, self.w, strides=(self.stride, 1), padding="same" if self.zero_padded else "valid",
            data_format="channels_last", dilation_rate=(self.dilation, 1),
        )  # fmt: skip
        return y if self.b is None else y + self.b

    def compute_output_shape(self, input_shape: tuple) -> tuple:  # noqa: D102
        batch, frames, joints, _ = input_shape
        if self.zero_padded and frames is not None:
            frames = -(-frames // self.stride)
        elif self.stride > 1 and frames is not None:
            frames = (frames - (self.kernel - 1) * self.dilation - 1) // self.stride + 1
        return (batch, frames, joints, self.channels)

    def get_config(self) -> dict:  # noqa: D102
        return super().get_config() | {
            "channels": self.channels,
            "kernel": self.kernel,
            "stride": self.stride,
            "dilation": self.dilation,
            "causal": self.causal,
            "use_bias": self.use_bias,
            "zero_padded": self.zero_padded,
        }
