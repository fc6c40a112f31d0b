"""Ways to compute what the HCSF layer computes. `layer_formulations.py` and `action_speed.py` time them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from skelgnn_tf.layers import HCSF
from skelgnn_tf.skeletons import NTU_25

#: Name of the formulation that the layer uses. It comes first.
OWN = "layer's own"
#: Largest difference of an output or a gradient from the layer's own, relative to the largest value.
BOUND = 1e-4


class Formulation(NamedTuple):
    """One way to the result.

    Args:
        weights: Trainable variables, in the layout that suits it.
        product: x -> output, with these weights.
    """

    weights: list[Any]
    product: Callable[[Any], Any]


def neighbors_of(channels: int) -> list[list[int]]:
    """The joints within one hop of each joint, as HCSF itself has them."""
    layer = HCSF(channels, short_hops=1, max_hops=1, dynamic=False)
    layer.build((None, 1, layer.skeleton.num_joints, channels))
    return layer.neighbors


def pair_formulations(neighbors: list[list[int]], w: np.ndarray) -> dict[str, Formulation]:
    """Sum over the neighbors j of x_j W_ij, one matrix for each pair of joints, in several ways.

    Args:
        neighbors: For each joint i the joints j.
        w: (pairs * channels in, channels out), in the order of `neighbors`, as the layer keeps it.

    Returns:
        Formulations of x (frames, joints, channels in) by name, the layer's own first.
    """
    joints, c_out = len(neighbors), w.shape[1]
    source = np.concatenate(neighbors)
    target = np.repeat(np.arange(joints), [len(js) for js in neighbors])
    blocks = w.reshape(len(source), -1, c_out)

    def own(x: Any, w: Any) -> Any:
        return HCSF._pair_product(ops.unstack(x, joints, axis=1), neighbors, w)

    def by_edge(x: Any, w: Any) -> Any:
        messages = ops.matmul(ops.take(ops.transpose(x, (1, 0, 2)), source, axis=0), w)
        return ops.transpose(ops.segment_sum(messages, target, joints), (1, 0, 2))

    return {
        OWN: _formulation(own, w),
        "gather by edge": _formulation(by_edge, blocks),
        "concatenated, padded": _padded(neighbors, blocks),
        "concatenated, by degree": _by_degree(neighbors, blocks),
        "by source joint": _by_source(source, target, blocks),
        "masked dense": _masked_dense(source, target, blocks),
    }


def _formulation(product: Callable[..., Any], *weights: np.ndarray) -> Formulation:
    """A formulation from a function of x and weights."""
    variables = [tf.Variable(w) for w in weights]
    return Formulation(variables, lambda x: product(x, *map(tf.convert_to_tensor, variables)))


def _padded(neighbors: list[list[int]], blocks: np.ndarray) -> Formulation:
    """The neighbors of each joint side by side, padded to the largest degree: one batched product."""
    _, c_in, c_out = blocks.shape
    joints, degree = len(neighbors), max(map(len, neighbors))
    index, mask = np.zeros((joints, degree), int), np.zeros((joints, degree, 1, 1), np.float32)
    w = np.zeros((joints, degree, c_in, c_out), np.float32)
    pair = 0
    for i, js in enumerate(neighbors):
        index[i, : len(js)], mask[i, : len(js)] = js, 1
        w[i, : len(js)] = blocks[pair : pair + len(js)]
        pair += len(js)

    def product(x: Any, w: Any) -> Any:
        side_by_side = ops.reshape(ops.take(x, index.ravel(), axis=1), (-1, joints, degree * c_in))
        w = ops.reshape(w * mask, (joints, degree * c_in, c_out))
        return ops.transpose(ops.matmul(ops.transpose(side_by_side, (1, 0, 2)), w), (1, 0, 2))

    return _formulation(product, w)


def _by_degree(neighbors: list[list[int]], blocks: np.ndarray) -> Formulation:
    """One batched product for all joints with the same number of neighbors: no padding."""
    _, c_in, c_out = blocks.shape
    ends = np.cumsum([len(js) for js in neighbors])
    groups, weights = [], []
    for degree in sorted({len(js) for js in neighbors}):
        members = [i for i, js in enumerate(neighbors) if len(js) == degree]
        groups.append((degree, members, np.concatenate([neighbors[i] for i in members])))
        weights.append(np.stack([blocks[ends[i] - degree : ends[i]].reshape(-1, c_out) for i in members]))
    order = np.argsort(np.concatenate([members for _, members, _ in groups]))

    def product(x: Any, *weights: Any) -> Any:
        parts = []
        for (degree, members, index), w in zip(groups, weights, strict=True):
            side_by_side = ops.reshape(ops.take(x, index, axis=1), (-1, len(members), degree * c_in))
            parts.append(ops.matmul(ops.transpose(side_by_side, (1, 0, 2)), w))
        return ops.transpose(ops.take(ops.concatenate(parts, axis=0), order, axis=0), (1, 0, 2))

    return _formulation(product, *weights)


def _by_source(source: np.ndarray, target: np.ndarray, blocks: np.ndarray) -> Formulation:
    """One product for each source joint gives all its messages, which are then summed at their targets."""
    joints = source.max() + 1
    outgoing = [np.flatnonzero(source == j) for j in range(joints)]
    weights = [np.concatenate(list(blocks[pairs]), axis=1) for pairs in outgoing]

    def product(x: Any, *weights: Any) -> Any:
        arrived: list[list[Any]] = [[] for _ in range(joints)]
        for x_j, pairs, w in zip(ops.unstack(x, joints, axis=1), outgoing, weights, strict=True):
            messages = ops.split(ops.matmul(x_j, w), len(pairs), axis=1)
            for i, message in zip(target[pairs], messages, strict=True):
                arrived[i].append(message)
        return ops.stack([sum(messages[1:], messages[0]) for messages in arrived], axis=1)

    return _formulation(product, *weights)


def _masked_dense(source: np.ndarray, target: np.ndarray, blocks: np.ndarray) -> Formulation:
    """All joints' channels times one matrix (joints * channels in, joints * channels out), mostly masked."""
    _, c_in, c_out = blocks.shape
    joints = source.max() + 1
    w = np.zeros((joints, c_in, joints, c_out), np.float32)
    mask = np.zeros_like(w)
    w[source, :, target], mask[source, :, target] = blocks, 1
    w, mask = (a.reshape(joints * c_in, joints * c_out) for a in (w, mask))

    def product(x: Any, w: Any) -> Any:
        flat = ops.matmul(ops.reshape(x, (-1, joints * c_in)), w * mask)
        return ops.reshape(flat, (-1, joints, c_out))

    return _formulation(product, w)


def shared_formulations(neighbors: list[list[int]], w: np.ndarray) -> dict[str, Formulation]:
    """Mean over the neighbors j of x_j W, one matrix for all pairs of joints, in several ways.

    Args:
        neighbors: For each joint i the joints j.
        w: (channels in, channels out).

    Returns:
        Formulations of x (frames, joints, channels in) by name, the layer's own first.
    """
    joints, c_out = len(neighbors), w.shape[1]
    source = np.concatenate(neighbors)
    target = np.repeat(np.arange(joints), [len(js) for js in neighbors])
    adjacency = np.zeros((joints, joints), np.float32)
    for i, js in enumerate(neighbors):
        adjacency[i, js] = 1 / len(js)
    share = adjacency[target, source][:, None]

    def own(x: Any, w: Any) -> Any:
        return HCSF._aggregate(adjacency[None, None, None], ops.matmul(x, w)[:, None], [c_out])[0][:, 0]

    def aggregate_first(x: Any, w: Any) -> Any:
        return ops.matmul(ops.matmul(adjacency, x), w)

    def gather(x: Any, w: Any) -> Any:
        messages = ops.transpose(ops.take(ops.matmul(x, w), source, axis=1) * share, (1, 0, 2))
        return ops.transpose(ops.segment_sum(messages, target, joints), (1, 0, 2))

    products = {f"{OWN}, A (X W)": own, "(A X) W": aggregate_first, "gather by edge": gather}
    return {name: _formulation(product, w) for name, product in products.items()}


def recognition_layer(channels: int, frames: int, dynamic: bool, **options: Any) -> HCSF:
    """The paper's layer for action recognition, with `channels` in and out."""
    options = {"skeleton": NTU_25, "short_hops": 5, "max_hops": 7, "squeeze": 1 / 8, **options}
    layer = HCSF(channels, dynamic=dynamic, sharing="shared", **options)
    layer.build((None, frames, layer.skeleton.num_joints, channels))
    if dynamic:
        # Its initial value, 0, would hide the dynamic part from a comparison.
        layer.graph.alpha.assign(np.ones(layer.graph.alpha.shape))
    return layer


def whole_layer_formulations(layer: HCSF) -> dict[str, Formulation]:
    """A whole layer with shared weights, in several ways that all use its own variables.

    "masked dense" exists only for a static graph. A dynamic graph needs such a matrix for each clip: 164 MB for the
    short range with 256 channels.

    Returns:
        Formulations of x (batch, frames, joints, channels in) by name, the layer's own first.
    """
    widths = [layer.channels, *layer.squeezed]
    ends = np.cumsum(widths)[:-1].tolist()
    joints = layer.skeleton.num_joints

    def graph(x: Any) -> Any:
        """(b or 1, 1, k, i, j)."""
        return layer.graph(x) if layer.dynamic else ops.convert_to_tensor(layer.adjacency[None, None])

    def weights() -> Any:
        """(channels in, C_k) of each group."""
        return ops.split(ops.convert_to_tensor(layer.w), ends, axis=-1)

    def fused(h: list[Any]) -> Any:
        return h[0] + _product(ops.concatenate(h[1:], axis=-1), layer.w_a) + layer.b

    def squeeze_last(x: Any) -> Any:
        stacked = ops.reshape(graph(x), (-1, 1, len(widths) * joints, joints))
        gathered = ops.split(ops.matmul(stacked, x), len(widths), axis=2)
        return fused([_product(x_k, w) for x_k, w in zip(gathered, weights(), strict=True)])

    def hop_by_hop(x: Any) -> Any:
        a = graph(x)
        return fused([ops.matmul(a[:, :, k], _product(x, w)) for k, w in enumerate(weights())])

    def masked_dense(x: Any) -> Any:
        frames, c_in = x.shape[1], x.shape[3]
        flat, h = ops.reshape(x, (-1, joints * c_in)), []
        for a, w in zip(layer.adjacency, weights(), strict=True):
            # (from, to) and (c, d) -> (from * c, to * d)
            dense = ops.reshape(a.T[:, None, :, None] * w[None, :, None], (joints * c_in, -1))
            h.append(ops.reshape(ops.matmul(flat, dense), (-1, frames, joints, w.shape[1])))
        return fused(h)

    products = {OWN: layer, "squeeze after aggregation": squeeze_last, "hop by hop": hop_by_hop}
    if not layer.dynamic:
        products["masked dense"] = masked_dense
    variables = [weight.value for weight in layer.trainable_weights]
    return {name: Formulation(variables, product) for name, product in products.items()}


def _product(x: Any, w: Any) -> Any:
    """x (..., c) times w (c, d) as one plain matrix product."""
    return ops.reshape(ops.matmul(ops.reshape(x, (-1, x.shape[-1])), w), (-1, *x.shape[1:-1], w.shape[-1]))


def gradients(formulation: Formulation, x: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """The output, and the gradients of the sum of its squares with respect to x and to the weights."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = formulation.product(x)
        loss = tf.reduce_sum(y * y)
    sources = [x, *formulation.weights]
    return y, tape.gradient(loss, sources, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def check_agreement(formulations: Mapping[str, Formulation], x: np.ndarray) -> None:
    """Raises ValueError, with the formulation's name, if its output or a gradient differs from the first one's.

    Gradients with respect to the weights are compared where two formulations have the same variables.
    """
    expected: dict[str, np.ndarray] = {}
    own = next(iter(formulations.values()))
    for name, formulation in formulations.items():
        y, (by_x, *by_weights) = gradients(formulation, tf.constant(x))
        found = {"output": y, "gradient by x": by_x}
        if formulation.weights is own.weights:
            found |= {f"gradient by weight {i}": gradient for i, gradient in enumerate(by_weights)}
        found = {what: keras.ops.convert_to_numpy(value) for what, value in found.items()}
        expected = expected or found
        for what, value in found.items():
            error = np.abs(value - expected[what]).max() / np.abs(expected[what]).max()
            if not error < BOUND:
                raise ValueError(f"{name}: the {what} is off by {error:.1e} of the largest value of the {OWN}")


def steps(
    formulations: Mapping[str, Formulation], x: np.ndarray, *, backward: bool = True, xla: bool = False
) -> dict[str, Callable[[], Any]]:
    """Compiled passes on x by the formulation's name: forward, or forward and backward."""
    tensor = tf.constant(x)

    def step(formulation: Formulation) -> Callable[[], Any]:
        def work(x: tf.Tensor) -> Any:
            return gradients(formulation, x)[1] if backward else formulation.product(x)

        compiled = tf.function(work, jit_compile=xla)
        return lambda: compiled(tensor)

    return {name: step(formulation) for name, formulation in formulations.items()}
