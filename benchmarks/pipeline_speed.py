"""Times the tf.data pipeline alone against the training steps that it feeds, in windows per second.

The pipeline must be far faster than training (five times, say), since both share the machine's cores. Training is
timed on one batch that lies in memory, so that it waits for nothing. The two take turns, and the best round counts.

Example: python benchmarks/pipeline_speed.py --frames 9
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import keras
from rich.console import Console
from rich.table import Table

from skelgnn_tf import skeletons
from skelgnn_tf.configs.config import Config, build_model
from skelgnn_tf.datasets import catalog
from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.metrics import keras_mpjpe
from skelgnn_tf.training.lift.batches import Batcher, cut_windows
from skelgnn_tf.training.tf_data import training_batches

#: How many times faster than training the pipeline should be.
AIM = 5
#: More epochs than any measurement reaches.
ENDLESS = 1_000_000
AUGMENTATIONS = {
    "default": {},
    "all": {
        "views": "random",
        "joint_offset": 0.02,
        "noise": 0.02,
        "confidence": True,
        "joint_drop": 0.1,
        "rate_jitter": 0.25,
    },
}


def windows_per_second(clips: Sequence[Clip], config: Config, seconds: float, rounds: int) -> tuple[float, float]:
    """Rates of the pipeline alone and of training alone.

    Args:
        clips: Training clips.
        config: Of the run.
        seconds: How long a round of either lasts.
        rounds: Of which the best counts.

    Returns:
        Windows per second, twice.
    """
    skeleton = skeletons.get(config.skeleton)
    batcher = Batcher(cut_windows(clips, skeleton, config, training=True), config, skeleton, training=True)
    batches = iter(training_batches(batcher, 0, ENDLESS))
    batch = next(batches)
    keras.utils.set_random_seed(config.seed)
    model = build_model(config)
    model.compile(keras.optimizers.Adam(config.learning_rate), loss=keras_mpjpe, jit_compile=config.xla)

    def train(steps: int) -> None:
        for _ in range(steps):
            model.train_on_batch(*batch)

    def cut(steps: int) -> None:
        for _ in range(steps):
            next(batches)

    rates = []
    for work in (cut, train):
        # Traces, and fills the prefetched batches.
        work(3)
        rates.append([work, _rate(work, 0.1, 2)])
    for _ in range(rounds):
        for pair in rates:
            work, rate = pair
            pair[1] = max(rate, _rate(work, seconds, max(2, round(seconds * rate))))
    size = int(batch[0].shape[0])
    return rates[0][1] * size, rates[1][1] * size


def _rate(work: Callable[[int], None], seconds: float, steps: int) -> float:
    """Steps per second of `work`, called for `steps` at a time until `seconds` are over."""
    done, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        work(steps)
        done += steps
    return done / (time.perf_counter() - begun)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--dataset", default="fitness", show_default=True, help="data set to cut windows from")
@click.option("--data-dir", multiple=True, help="folder of the data set's files")
@click.option("--frames", multiple=True, type=int, default=(1, 9), show_default=True, help="window length T")
@click.option("--channels", default=Config().channels, show_default=True, help="width C of the model")
@click.option("--batch-size", default=Config().batch_size, show_default=True, help="windows a step")
@click.option("--seconds", type=click.FloatRange(0), default=3.0, show_default=True, help="length of a round")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True, help="of which the best counts")
@click.option("--xla", is_flag=True, help="compile the training step with XLA")
def main(dataset, data_dir, frames, channels, batch_size, seconds, rounds, xla) -> None:
    """Time the tf.data pipeline alone against the training steps it feeds, by default and with all augmentation."""
    config = Config(
        dataset=(dataset,), data_dir=data_dir, channels=channels, batch_size=batch_size, validation=0.0, xla=xla
    )
    try:
        clips = catalog.load(config.dataset, config.data_dir, skeletons.get(config.skeleton)).train
        table = _table(clips, config, frames, seconds, rounds)
    except (ValueError, OSError) as error:
        click.echo(f"pipeline_speed: {error}", err=True)
        sys.exit(2)
    console = Console()
    console.width = console.width if console.is_terminal else 100
    console.print(table)


def _table(clips: Sequence[Clip], config: Config, frames: Sequence[int], seconds: float, rounds: int) -> Table:
    table = Table("frames", "augmentation", title=f"windows per second, {config.channels} channels")
    for column in ("pipeline alone", "training alone", f"ratio (aim: {AIM})"):
        table.add_column(column, justify="right")
    for t in frames:
        for name, changes in AUGMENTATIONS.items():
            pipeline, training = windows_per_second(clips, config.replace(frames=t, **changes), seconds, rounds)
            verdict = "" if pipeline >= AIM * training else "  too slow"
            table.add_row(str(t), name, f"{pipeline:,.0f}", f"{training:,.0f}", f"{pipeline / training:.1f}{verdict}")
    return table


if __name__ == "__main__":
    main()
