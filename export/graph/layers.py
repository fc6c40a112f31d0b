"""The layers of the models for phones: the same numbers from operations for which XNNPACK has a kernel.

XNNPACK, which runs TFLite files on CPUs, supports products, sums, maxima, contiguous slices and concatenations of up to
five tensors. It leaves gather, stack and unstack, strided slices, comparisons, selections and tiles to slower code, and
each of those cuts the graph in two. Neighbors are therefore runs of columns, comparisons are arithmetic, and batch norm
is folded into the product before it. Every function takes a Keras layer and returns a function of tensors; verify.py
compares the results with Keras.

Shapes: b batch (None in ONNX), t frames, i and j joints, c channels in, d channels out, r rows (b * t).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from skelgnn_tf.layers import HCSF, DynamicGraph, TemporalConv

#: Largest number of tensors that XNNPACK concatenates at once.
_MAX_PARTS = 5
#: Below any confidence that a detector gives, and still some steps of an int16 range up to 1.
_TINY = 1e-4

#: A tensor to a tensor.
Function = Callable[[Any], Any]


class Float:
    """No quantization: returns everything unchanged. `quantization.Quantizers` has the same methods and rounds."""

    def activation(self, name: str, x: Any) -> Any:
        """Input or output of a quantized operation, rounded to the steps of a range of its own."""
        return x

    def shared_activation(self, name: str, parts: Sequence[Any]) -> list[Any]:
        """Tensors (..., c), rounded to the steps of one range that they share."""
        return [self.activation(name, part) for part in parts]

    def weight(self, name: str, w: Any) -> Any:
        """A matrix (..., c, d), rounded with a scale for each column."""
        return w


FLOAT = Float()


def above_zero(x: Any) -> Any:
    """1 where x > 0 (exactly: x >= _TINY), 0 elsewhere."""
    positive = tf.nn.relu(x)
    return positive / tf.maximum(positive, _TINY)


def concatenate(parts: Sequence[Any], axis: int = -1) -> Any:
    """Concatenates any number of tensors, at most five at a time."""
    parts = list(parts)
    while len(parts) > 1:
        groups = np.array_split(np.arange(len(parts)), -(-len(parts) // _MAX_PARTS))
        parts = [parts[g[0]] if len(g) == 1 else tf.concat([parts[i] for i in g], axis) for g in groups]
    return parts[0]


def folded(norm: keras.layers.BatchNormalization | None) -> tuple[Any, Any]:
    """Scale and shift (c,) that a batch norm amounts to at inference; 1 and 0 without one."""
    if norm is None:
        return tf.constant(1.0), tf.constant(0.0)
    scale = value(norm.gamma) / tf.sqrt(value(norm.moving_variance) + norm.epsilon)
    return scale, value(norm.beta) - value(norm.moving_mean) * scale


def value(variable: keras.Variable) -> Any:
    """The weight of a layer as a tensor, through which gradients flow back."""
    return tf.convert_to_tensor(variable.value)


def hcsf(layer: HCSF, norm: keras.layers.BatchNormalization | None, quantizer: Float, name: str) -> Function:
    """`HCSF` and the batch norm after it: (b, t, j, c) -> (b, t, j, d)."""
    return (_shared_hcsf if layer.sharing == "shared" else _pair_hcsf)(layer, folded(norm), quantizer, name)


def _pair_hcsf(layer: HCSF, affine: tuple[Any, Any], quantizer: Float, name: str) -> Function:
    (scale, shift), joints = affine, layer.skeleton.num_joints
    bias = value(layer.b) * scale + shift
    short = _pair_product(value(layer.w) * scale, layer.neighbors, bias, quantizer, f"{name}/short")
    long = _pair_long(layer, scale, quantizer, name) if layer.squeezed else None

    def call(x: Any) -> Any:
        frames, c_in = x.shape[1], x.shape[-1]
        h = tf.reshape(short(tf.reshape(x, (-1, joints * c_in))), (-1, frames, joints, layer.channels))
        return h if long is None else h + long(x)

    return call


def _pair_long(layer: HCSF, scale: Any, quantizer: Float, name: str) -> Function:
    """The fused long-range groups: (b, t, j, c) -> (b, t, j, d)."""
    joints, width = layer.skeleton.num_joints, sum(layer.squeezed)
    w_a = quantizer.weight(f"{name}/w_a", value(layer.w_a) * scale)
    if layer.dynamic:
        graph, w_long = dynamic_graph(layer.graph, quantizer, f"{name}/graph"), value(layer.w_long)
    else:
        far = [
            _pair_product(value(w), js, None, quantizer, f"{name}/far{k}")
            for k, (w, js) in enumerate(zip(layer.w_far, layer.far, strict=True))
        ]

    def call(x: Any) -> Any:
        frames, c_in = x.shape[1], x.shape[-1]
        if layer.dynamic:
            # One operation with a product for each joint: (j, r, c) (j, c, d).
            messages = tf.matmul(tf.transpose(tf.reshape(x, (-1, joints, c_in)), (1, 0, 2)), w_long)
            messages = tf.reshape(tf.transpose(messages, (1, 0, 2)), (-1, frames, joints, width))
            h = _aggregate(graph(x), messages, layer.squeezed)
        else:
            columns = tf.reshape(x, (-1, joints * c_in))
            h = concatenate(
                [
                    tf.reshape(product(columns), (-1, frames, joints, d))
                    for product, d in zip(far, layer.squeezed, strict=True)
                ]
            )
        h = quantizer.activation(f"{name}/long", h)
        return quantizer.activation(f"{name}/fused", _product(h, w_a))

    return call


def _pair_product(w: Any, neighbors: list[list[int]], bias: Any, quantizer: Float, name: str) -> Function:
    """Columns (r, j * c) -> (r, i * d): for each joint i one product over the columns of its neighbors."""
    degrees = [len(js) for js in neighbors]
    c_in, c_out = w.shape[0] // sum(degrees), w.shape[1]
    ws = tf.split(w, [degree * c_in for degree in degrees], axis=0)
    ws = [
        quantizer.weight(f"{name}/w{i}", w_i) if degree else w_i
        for i, (w_i, degree) in enumerate(zip(ws, degrees, strict=True))
    ]

    def call(columns: Any) -> Any:
        rows = []
        for i, js in enumerate(neighbors):
            if js:
                row = tf.matmul(concatenate([columns[:, a * c_in : b * c_in] for a, b in _runs(js)]), ws[i])
            else:
                row = columns[:, :1] * tf.zeros((1, c_out))
            rows.append(row if bias is None else row + bias[i])
        # With one range for all joints, their concatenation is a copy.
        return concatenate(quantizer.shared_activation(f"{name}/y", rows))

    return call


def _runs(joints: list[int]) -> list[tuple[int, int]]:
    """Runs of consecutive joints: [1, 2, 3, 7] -> [(1, 4), (7, 8)]."""
    ends = [j + 1 for j in joints if j + 1 not in joints]
    return list(zip([j for j in joints if j - 1 not in joints], ends, strict=True))


def _aggregate(adjacency: list[Any], messages: Any, widths: list[int]) -> Any:
    """Each A_k (b, 1 or t, i, j) times its slice of messages (b, t, j, sum of widths), concatenated."""
    frames = messages.shape[1]
    # LiteRT's GPU path multiplies wrong numbers where it has to repeat a matrix itself.
    adjacency = [a if a.shape[1] == frames else a * tf.ones((1, frames, 1, 1)) for a in adjacency]
    return concatenate([tf.matmul(a, part) for a, part in zip(adjacency, _slices(messages, widths), strict=True)])


def _aggregate_fixed(adjacency: list[Any], messages: Any, widths: list[int]) -> Any:
    """The same for matrices (i, j) that do not depend on the input, as plain products from the right.

    GPUs have no product with a constant on the left.
    """
    parts = []
    for a, part in zip(adjacency, _slices(messages, widths), strict=True):
        _, t, j, d = part.shape
        rows = tf.matmul(tf.reshape(tf.transpose(part, (0, 1, 3, 2)), (-1, j)), a, transpose_b=True)
        parts.append(tf.transpose(tf.reshape(rows, (-1, t, d, a.shape[0])), (0, 1, 3, 2)))
    return concatenate(parts)


def _slices(messages: Any, widths: list[int]) -> list[Any]:
    """Slices of the last axis with some widths."""
    ends = np.cumsum(widths).tolist()
    return [messages[..., end - width : end] for end, width in zip(ends, widths, strict=True)]


def _product(x: Any, w: Any) -> Any:
    """x (b, t, j, c) w (c, d) as one plain product."""
    return tf.reshape(tf.matmul(tf.reshape(x, (-1, x.shape[-1])), w), (-1, *x.shape[1:-1], w.shape[1]))


def _shared_hcsf(layer: HCSF, affine: tuple[Any, Any], quantizer: Float, name: str) -> Function:
    scale, shift = affine
    # A fixed graph with 8-bit messages would become an 8-bit product of matrices, for which XNNPACK has no kernel.
    inside = quantizer if layer.dynamic else FLOAT
    own, far = tf.split(value(layer.w), [layer.channels, sum(layer.squeezed)], axis=1)
    # Two products, because squeezed channels have another range. W_a applies the scale of batch norm to the far ones.
    own = inside.weight(f"{name}/own/w", own * scale)
    far = inside.weight(f"{name}/far/w", far) if layer.squeezed else far
    bias = value(layer.b) * scale + shift
    w_a = quantizer.weight(f"{name}/w_a", value(layer.w_a) * scale) if layer.squeezed else None
    if layer.dynamic:
        graph = dynamic_graph(layer.graph, quantizer, f"{name}/graph")
        aggregate = _aggregate
    else:
        fixed, aggregate = tf.unstack(tf.constant(layer.adjacency)), _aggregate_fixed

    def call(x: Any) -> Any:
        adjacency = graph(x) if layer.dynamic else fixed
        near = inside.activation(f"{name}/own", _product(x, own))
        h = aggregate(adjacency[:1], near, [layer.channels]) + bias
        if w_a is None:
            return h
        long = aggregate(adjacency[1:], inside.activation(f"{name}/far", _product(x, far)), layer.squeezed)
        long = quantizer.activation(f"{name}/long", long)
        return quantizer.activation(f"{name}/h", h) + quantizer.activation(f"{name}/fused", _product(long, w_a))

    return call


def dynamic_graph(layer: DynamicGraph, quantizer: Float, name: str) -> Callable[[Any], list[Any]]:
    """`DynamicGraph`: (b, t, j, c) -> a tensor (b, 1 or t, i, j) for each group."""
    groups, joints, _ = layer.adjacency.shape
    width, embedding = layer.width, temporal_conv(layer.embedding, None, quantizer, f"{name}/embedding")
    m, alpha = tf.unstack(value(layer.m)), tf.unstack(value(layer.alpha))

    def call(x: Any) -> list[Any]:
        frames = x.shape[1]
        scale = 1 / math.sqrt(width) / (1 if layer.causal else frames)
        both, adjacency = quantizer.activation(f"{name}/embedding/y", embedding(x)), []
        for k in range(groups):
            theta, phi = (both[..., at * width : (at + 1) * width] for at in (k, groups + k))
            if not layer.causal:
                # One matrix per clip: (b, t, j, w) -> (b, 1, j, t * w).
                theta, phi = (
                    tf.reshape(tf.transpose(e, (0, 2, 1, 3)), (-1, 1, joints, frames * width)) for e in (theta, phi)
                )
            adjacency.append(m[k] + alpha[k] * tf.tanh(tf.matmul(theta * scale, phi, transpose_b=True)))
        return adjacency

    return call


def _every(step: int, x: Any) -> Any:
    """Every `step`-th frame of (b, t, j, c); XNNPACK has no slices with a stride."""
    _, t, j, c = x.shape
    missing = -t % step
    x = concatenate([x, *[x[:, -1:]] * missing], axis=1)
    return tf.reshape(x, (-1, (t + missing) // step, step * j, c))[:, :, :j]


def temporal_conv(
    layer: TemporalConv, norm: keras.layers.BatchNormalization | None, quantizer: Float, name: str
) -> Function:
    """`TemporalConv` and the batch norm after it: (b, t, j, c) -> (b, frames out, j, d)."""
    scale, shift = folded(norm)
    w = quantizer.weight(f"{name}/w", value(layer.w) * scale)
    bias = shift if layer.b is None else value(layer.b) * scale + shift
    reach = 0 if layer.zero_padded or layer.stride > 1 else (layer.kernel - 1) * layer.dilation
    before = reach if layer.causal else reach // 2

    def call(x: Any) -> Any:
        stride = layer.stride
        if layer.kernel == 1 and stride > 1:
            # LiteRT's WebGPU ignores the stride of a quantized 1x1 convolution.
            x, stride = _every(stride, x), 1
        edges = [(x[:, :1], before), (x, 1), (x[:, -1:], reach - before)]
        x = concatenate([part * tf.ones((1, n, 1, 1)) if n > 1 else part for part, n in edges if n], axis=1)
        y = tf.nn.conv2d(
            x, w, strides=(stride, 1), padding="SAME" if layer.zero_padded else "VALID",
            dilations=(layer.dilation, 1),
        )  # fmt: skip
        return y + bias

    return call
