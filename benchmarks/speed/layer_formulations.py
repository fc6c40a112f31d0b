"""Times ways to compute what HCSF computes: one matrix for each pair of joints ("pair") or one for all ("shared").

Every formulation is first checked to give the layer's own outputs and gradients. GFLOP/s counts only the useful
products, so padding and masked zeros show as a low rate.

Example: python benchmarks/speed/layer_formulations.py --channels 128 --frames 2304 --xla
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import click
import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.table import Table

from _timing import median_ms, median_s, ratios, tensorflow_done, time_in_turns
from formulations import (
    Formulation,
    check_agreement,
    neighbors_of,
    pair_formulations,
    shared_formulations,
    steps,
)

# Every formulation is a function of its own, traced once, which TensorFlow warns about.
tf.get_logger().setLevel("ERROR")


def table_of(
    title: str, formulations: Mapping[str, Formulation], x: np.ndarray, flops: float, rounds: int, xla: bool
) -> Table:
    """Times formulations on one size.

    Args:
        title: Title of the table.
        formulations: The layer's own first.
        x: (frames, joints, channels in).
        flops: Useful operations of the forward pass.
        rounds: Rounds that count.
        xla: Whether to compile with XLA.
    """
    forward = steps(formulations, x, backward=False, xla=xla)
    both = steps(formulations, x, xla=xla)
    works = {(name, which): step for which, made in enumerate((forward, both)) for name, step in made.items()}
    seconds = time_in_turns(works, rounds, finish=tensorflow_done)
    table = Table("formulation", title=title, title_justify="left")
    for column in ("forward ms", "forward + backward ms", "to the layer's own", "GFLOP/s"):
        table.add_column(column, justify="right")
    own = next(iter(formulations))
    for name in formulations:
        # Backward is two products of the forward's size: towards x and towards the weights.
        rate = 3 * flops / median_s(seconds[name, 1]) / 1e9
        ratio = ratios(seconds[name, 1], seconds[own, 1])
        table.add_row(name, median_ms(seconds[name, 0]), median_ms(seconds[name, 1]), ratio, f"{rate:.1f}")
    return table


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--channels",
    multiple=True,
    type=click.IntRange(1),
    default=(48, 128),
    show_default=True,
    help="Channels in and out. Repeat for several sizes.",
)
@click.option(
    "--frames",
    multiple=True,
    type=click.IntRange(1),
    default=(256, 2304),
    show_default=True,
    help="Frames per step, batch times window. Repeat for several sizes.",
)
@click.option("--rounds", type=click.IntRange(1), default=10, show_default=True, help="Rounds that count.")
@click.option("--xla", is_flag=True, help="Compile with XLA.")
def main(channels: tuple[int, ...], frames: tuple[int, ...], rounds: int, xla: bool) -> None:
    """Time formulations of the products of the HCSF layer, for every number of channels and frames."""
    console = Console()
    console.width = console.width if console.is_terminal else 100
    rng = np.random.default_rng(0)
    for c in channels:
        neighbors = neighbors_of(c)
        joints, pairs = len(neighbors), sum(map(len, neighbors))
        w = rng.normal(size=(pairs * c, c)).astype(np.float32) / c**0.5
        for count in frames:
            x = rng.normal(size=(count, joints, c)).astype(np.float32)
            for sharing, formulations, flops in (
                ("pair", pair_formulations(neighbors, w), 2 * count * pairs * c * c),
                ("shared", shared_formulations(neighbors, w[:c]), 2 * count * c * (joints * c + pairs)),
            ):
                check_agreement(formulations, x[:64])
                title = f"{sharing} weights, {c} channels, {count} frames" + (", XLA" if xla else "")
                console.print(table_of(title, formulations, x, flops, rounds, xla))


if __name__ == "__main__":
    main()
