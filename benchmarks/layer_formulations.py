"""Times ways to compute what HCSF computes: one matrix for each joint pair ("pair"), or one for all ("shared").

Every formulation is first checked to give the layer's own numbers, outputs and gradients. Then all run in turn, round
after round, so that whatever else the machine does hits them alike; the best round counts. GFLOP/s counts the useful
products only, so padding and masked zeros show as a low rate.

Example: python benchmarks/layer_formulations.py --channels 128 --frames 2304 --xla
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import numpy as np
import tensorflow as tf
from keras import ops
from rich.console import Console
from rich.table import Table

from skelgnn_tf.layers import HCSF

# Every formulation is a function of its own, traced once.
tf.get_logger().setLevel("ERROR")
OWN = "layer's own"


@dataclass(frozen=True)
class Formulation:
    """One way to the result.

    Args:
        weights: Trainable arrays in the layout that suits it.
        product: x (frames, joints, channels in) and those weights -> (frames, joints, channels out).
    """

    weights: list[np.ndarray]
    product: Callable


def neighbours_of(channels: int) -> list[list[int]]:
    """The joints within one hop of each joint, as HCSF itself has them."""
    layer = HCSF(channels, short_hops=1, max_hops=1, dynamic=False)
    layer.build((None, 1, layer.skeleton.num_joints, channels))
    return layer.neighbours


def pair_formulations(neighbours: list[list[int]], w: np.ndarray) -> dict[str, Formulation]:
    """Sum over the neighbours j of x_j W_ij, each way.

    Args:
        neighbours: For each joint i the joints j.
        w: (pairs * channels in, channels out), in the order of `neighbours`, as the layer keeps it.

    Returns:
        Formulations by name, the layer's own first.
    """
    joints, c_out = len(neighbours), w.shape[1]
    source = np.concatenate(neighbours)
    target = np.repeat(np.arange(joints), [len(js) for js in neighbours])
    blocks = w.reshape(len(source), -1, c_out)

    def own(x, w):
        return HCSF._pair_product(ops.unstack(x, joints, axis=1), neighbours, w)

    def by_edge(x, w):
        messages = ops.matmul(ops.take(ops.transpose(x, (1, 0, 2)), source, axis=0), w)
        return ops.transpose(ops.segment_sum(messages, target, joints), (1, 0, 2))

    return {
        OWN: Formulation([w], own),
        "gather by edge": Formulation([blocks], by_edge),
        "concatenated, padded": _padded(neighbours, blocks),
        "concatenated, by degree": _by_degree(neighbours, blocks),
        "by source joint": _by_source(source, target, blocks),
        "masked dense": _masked_dense(source, target, blocks),
    }


def _padded(neighbours: list[list[int]], blocks: np.ndarray) -> Formulation:
    """Each joint's neighbours side by side, filled up to the largest degree: one batched product."""
    _, c_in, c_out = blocks.shape
    joints, degree = len(neighbours), max(map(len, neighbours))
    index, mask = np.zeros((joints, degree), int), np.zeros((joints, degree, 1, 1), np.float32)
    w = np.zeros((joints, degree, c_in, c_out), np.float32)
    pair = 0
    for i, js in enumerate(neighbours):
        index[i, : len(js)], mask[i, : len(js)] = js, 1
        w[i, : len(js)] = blocks[pair : pair + len(js)]
        pair += len(js)

    def product(x, w):
        side_by_side = ops.reshape(ops.take(x, index.ravel(), axis=1), (-1, joints, degree * c_in))
        w = ops.reshape(w * mask, (joints, degree * c_in, c_out))
        return ops.transpose(ops.matmul(ops.transpose(side_by_side, (1, 0, 2)), w), (1, 0, 2))

    return Formulation([w], product)


def _by_degree(neighbours: list[list[int]], blocks: np.ndarray) -> Formulation:
    """One batched product for all joints that have the same number of neighbours: no padding."""
    _, c_in, c_out = blocks.shape
    ends = np.cumsum([len(js) for js in neighbours])
    groups, weights = [], []
    for degree in sorted({len(js) for js in neighbours}):
        members = [i for i, js in enumerate(neighbours) if len(js) == degree]
        groups.append((degree, members, np.concatenate([neighbours[i] for i in members])))
        weights.append(np.stack([blocks[ends[i] - degree : ends[i]].reshape(-1, c_out) for i in members]))
    order = np.argsort(np.concatenate([members for _, members, _ in groups]))

    def product(x, *weights):
        parts = []
        for (degree, members, index), w in zip(groups, weights, strict=True):
            side_by_side = ops.reshape(ops.take(x, index, axis=1), (-1, len(members), degree * c_in))
            parts.append(ops.matmul(ops.transpose(side_by_side, (1, 0, 2)), w))
        return ops.transpose(ops.take(ops.concatenate(parts, axis=0), order, axis=0), (1, 0, 2))

    return Formulation(weights, product)


def _by_source(source: np.ndarray, target: np.ndarray, blocks: np.ndarray) -> Formulation:
    """One product for each source joint gives all its messages; then they are summed where they arrive."""
    joints = source.max() + 1
    outgoing = [np.flatnonzero(source == j) for j in range(joints)]
    weights = [np.concatenate(list(blocks[pairs]), axis=1) for pairs in outgoing]

    def product(x, *weights):
        arrived = [[] for _ in range(joints)]
        for x_j, pairs, w in zip(ops.unstack(x, joints, axis=1), outgoing, weights, strict=True):
            messages = ops.split(ops.matmul(x_j, w), len(pairs), axis=1)
            for i, message in zip(target[pairs], messages, strict=True):
                arrived[i].append(message)
        return ops.stack([sum(messages[1:], messages[0]) for messages in arrived], axis=1)

    return Formulation(weights, product)


def _masked_dense(source: np.ndarray, target: np.ndarray, blocks: np.ndarray) -> Formulation:
    """All joints' channels times one matrix of (joints * channels in, joints * channels out), mostly masked."""
    _, c_in, c_out = blocks.shape
    joints = source.max() + 1
    w = np.zeros((joints, c_in, joints, c_out), np.float32)
    mask = np.zeros_like(w)
    w[source, :, target], mask[source, :, target] = blocks, 1
    w, mask = (a.reshape(joints * c_in, joints * c_out) for a in (w, mask))

    def product(x, w):
        flat = ops.matmul(ops.reshape(x, (-1, joints * c_in)), w * mask)
        return ops.reshape(flat, (-1, joints, c_out))

    return Formulation([w], product)


def shared_formulations(neighbours: list[list[int]], w: np.ndarray) -> dict[str, Formulation]:
    """Mean over the neighbours j of x_j W with one W for all pairs, each way.

    Args:
        neighbours: For each joint i the joints j.
        w: (channels in, channels out).

    Returns:
        Formulations by name, the layer's own first.
    """
    joints, c_out = len(neighbours), w.shape[1]
    source = np.concatenate(neighbours)
    target = np.repeat(np.arange(joints), [len(js) for js in neighbours])
    adjacency = np.zeros((joints, joints), np.float32)
    for i, js in enumerate(neighbours):
        adjacency[i, js] = 1 / len(js)
    share = adjacency[target, source][:, None]

    def own(x, w):
        return HCSF._aggregate(adjacency[None, None, None], ops.matmul(x, w)[:, None], [c_out])[0][:, 0]

    def aggregate_first(x, w):
        return ops.matmul(ops.matmul(adjacency, x), w)

    def gather(x, w):
        messages = ops.transpose(ops.take(ops.matmul(x, w), source, axis=1) * share, (1, 0, 2))
        return ops.transpose(ops.segment_sum(messages, target, joints), (1, 0, 2))

    return {
        f"{OWN}, A (X W)": Formulation([w], own),
        "(A X) W": Formulation([w], aggregate_first),
        "gather by edge": Formulation([w], gather),
    }


def check_agreement(formulations: dict[str, Formulation], x: np.ndarray) -> None:
    """Raises ValueError, with the formulation's name, if outputs or gradients differ from the first one's."""
    expected = None
    for name, formulation in formulations.items():
        x_in, weights = tf.constant(x), [tf.constant(w) for w in formulation.weights]
        with tf.GradientTape() as tape:
            tape.watch(x_in)
            y = formulation.product(x_in, *weights)
            loss = tf.reduce_sum(y * y)
        found = y.numpy(), tape.gradient(loss, x_in).numpy()
        expected = expected or found
        for what, a, b in zip(("output", "gradient"), found, expected, strict=True):
            error = np.abs(a - b).max() / np.abs(b).max()
            if not error < 1e-4:
                raise ValueError(f"{name}: the {what} is off by {error:.1e} of the largest value of the layer's own")


def steps_of(formulation: Formulation, xla: bool) -> tuple[Callable, Callable]:
    """Compiled functions of x: forward alone, and forward with the gradients of x and of all weights."""
    weights = [tf.Variable(w) for w in formulation.weights]

    @tf.function(jit_compile=xla)
    def forward(x):
        return formulation.product(x, *weights)

    @tf.function(jit_compile=xla)
    def both(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = formulation.product(x, *weights)
            loss = tf.reduce_sum(y * y)
        return tape.gradient(loss, [x, *weights])

    return forward, both


def best_seconds(formulations: dict[str, Formulation], x: np.ndarray, rounds: int, xla: bool) -> dict[str, np.ndarray]:
    """Best seconds of forward and of forward with backward, (2,), for each formulation; all take turns."""
    x = tf.constant(x)
    steps = {name: steps_of(formulation, xla) for name, formulation in formulations.items()}
    best = {name: np.full(2, np.inf) for name in steps}
    for number in range(rounds + 1):
        for name, pair in steps.items():
            seconds = [_seconds(step, x) for step in pair]
            # The first round traces and compiles.
            if number:
                best[name] = np.minimum(best[name], seconds)
    return best


def _seconds(step: Callable, x: tf.Tensor) -> float:
    tf.test.experimental.sync_devices()
    begun = time.perf_counter()
    step(x)
    # A GPU returns before it is done.
    tf.test.experimental.sync_devices()
    return time.perf_counter() - begun


def table_of(title: str, best: dict[str, np.ndarray], flops: float) -> Table:
    """The figures of one size; `flops` are the useful ones of the forward pass."""
    table = Table("formulation", title=title, title_justify="left")
    for column in ("forward ms", "forward + backward ms", "to the layer's own", "GFLOP/s"):
        table.add_column(column, justify="right")
    own = next(iter(best.values()))[1]
    for name, (forward, both) in best.items():
        # Backward is two products of the forward's size: towards x and towards the weights.
        rate = 3 * flops / both / 1e9
        table.add_row(name, f"{forward * 1e3:.2f}", f"{both * 1e3:.2f}", f"{both / own:.2f} x", f"{rate:.1f}")
    return table


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--channels", multiple=True, type=click.IntRange(1), default=(48, 128), show_default=True, help="in and out"
)
@click.option(
    "--frames", multiple=True, type=click.IntRange(1), default=(256, 2304), show_default=True, help="batch times window"
)
@click.option("--rounds", type=click.IntRange(1), default=10, show_default=True, help="of which the best counts")
@click.option("--xla", is_flag=True, help="compile with XLA")
def main(channels: tuple[int, ...], frames: tuple[int, ...], rounds: int, xla: bool) -> None:
    """Time formulations of the HCSF layer's products, for every given number of channels and frames."""
    console = Console()
    console.width = console.width if console.is_terminal else 100
    rng = np.random.default_rng(0)
    for c in channels:
        neighbours = neighbours_of(c)
        joints, pairs = len(neighbours), sum(map(len, neighbours))
        w = rng.normal(size=(pairs * c, c)).astype(np.float32) / c**0.5
        for count in frames:
            x = rng.normal(size=(count, joints, c)).astype(np.float32)
            for sharing, formulations, flops in (
                ("pair", pair_formulations(neighbours, w), 2 * count * pairs * c * c),
                ("shared", shared_formulations(neighbours, w[:c]), 2 * count * c * (joints * c + pairs)),
            ):
                check_agreement(formulations, x[:64])
                best = best_seconds(formulations, x, rounds, xla)
                title = f"{sharing} weights, {c} channels, {count} frames" + (", XLA" if xla else "")
                console.print(table_of(title, best, flops))


if __name__ == "__main__":
    main()
