"""Ways to compute what HCSF with shared weights computes; `action_speed.py` times them."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from skelgnn_tf.layers import HCSF
from skelgnn_tf.skeletons import NTU_25

OWN = "the layer's own"
#: Furthest that an output or a gradient may lie from the layer's own, as a share of its largest value.
BOUND = 1e-4


def built(channels: int, frames: int, dynamic: bool, **options) -> HCSF:
    """The paper's layer of recognition, `channels` in and out."""
    options = {"skeleton": NTU_25, "short_hops": 5, "max_hops": 7, "squeeze": 1 / 8, **options}
    layer = HCSF(channels, dynamic=dynamic, sharing="shared", **options)
    layer.build((None, frames, layer.skeleton.num_joints, channels))
    if dynamic:
        # At 0, where it starts, it would hide the dynamic part from a comparison.
        layer.graph.alpha.assign(np.ones(layer.graph.alpha.shape))
    return layer


def formulations(layer: HCSF) -> dict[str, Callable]:
    """Functions of x (batch, frames, joints, channels in) with the layer's weights and its result, its own first.

    "masked dense" is there for a static graph alone: a dynamic one wants such a matrix for each clip, which at 256
    channels are 164 MB a clip for the short range.
    """
    widths = [layer.channels, *layer.squeezed]
    ends = np.cumsum(widths)[:-1].tolist()
    joints = layer.skeleton.num_joints

    def graph(x):
        """(b or 1, 1, k, i, j)."""
        return layer.graph(x) if layer.dynamic else ops.convert_to_tensor(layer.adjacency[None, None])

    def weights():
        """(channels in, C_k) of each group."""
        return ops.split(ops.convert_to_tensor(layer.w), ends, axis=-1)

    def fused(h):
        return h[0] + _product(ops.concatenate(h[1:], axis=-1), layer.w_a) + layer.b

    def squeeze_last(x):
        a = graph(x)
        stacked = ops.reshape(a, (-1, 1, len(widths) * joints, joints))
        gathered = ops.split(ops.matmul(stacked, x), len(widths), axis=2)
        return fused([_product(x_k, w) for x_k, w in zip(gathered, weights(), strict=True)])

    def hop_by_hop(x):
        a = graph(x)
        return fused([ops.matmul(a[:, :, k], _product(x, w)) for k, w in enumerate(weights())])

    def masked_dense(x):
        frames, c_in = x.shape[1], x.shape[3]
        flat, h = ops.reshape(x, (-1, joints * c_in)), []
        for a, w in zip(layer.adjacency, weights(), strict=True):
            # (from, to) and (c, d) -> (from * c, to * d)
            dense = ops.reshape(a.T[:, None, :, None] * w[None, :, None], (joints * c_in, -1))
            h.append(ops.reshape(ops.matmul(flat, dense), (-1, frames, joints, w.shape[1])))
        return fused(h)

    ways = {OWN: layer, "squeeze after aggregation": squeeze_last, "hop by hop": hop_by_hop}
    return ways if layer.dynamic else ways | {"masked dense": masked_dense}


def _product(x, w):
    """x (..., c) times w (c, d) as one plain matrix product."""
    return ops.reshape(ops.matmul(ops.reshape(x, (-1, x.shape[-1])), w), (-1, *x.shape[1:-1], w.shape[-1]))


def gradients(way: Callable, layer: HCSF, x: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """The output, and the gradients of its squared sum by x and by the layer's weights."""
    weights = [weight.value for weight in layer.trainable_weights]
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = way(x)
        loss = tf.reduce_sum(y * y)
    return y, tape.gradient(loss, [x, *weights], unconnected_gradients=tf.UnconnectedGradients.ZERO)


def check_agreement(ways: dict[str, Callable], layer: HCSF, x: np.ndarray) -> None:
    """Raises ValueError, with the way's name, if its output or a gradient differs from the first one's."""
    names, expected = ["x", *(weight.name for weight in layer.trainable_weights)], None
    for name, way in ways.items():
        y, by = gradients(way, layer, tf.constant(x))
        found = [("output", y), *((f"gradient by {n}", g) for n, g in zip(names, by, strict=True))]
        found = [(what, keras.ops.convert_to_numpy(value)) for what, value in found]
        expected = expected or found
        for (what, a), (_, b) in zip(found, expected, strict=True):
            error = np.abs(a - b).max() / np.abs(b).max()
            if not error < BOUND:
                raise ValueError(f"{name}: the {what} is off by {error:.1e} of the largest value of {OWN}")


def steps(ways: dict[str, Callable], layer: HCSF, x: np.ndarray) -> dict[str, Callable[[], object]]:
    """Compiled forward and backward passes on x, by the way's name."""
    x = tf.constant(x)

    def step_of(way: Callable) -> Callable:
        compiled = tf.function(lambda x: gradients(way, layer, x)[1])
        return lambda: compiled(x)

    return {name: step_of(way) for name, way in ways.items()}
