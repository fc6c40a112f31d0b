"""Times the tf.data pipeline without training against the training steps that it feeds, in windows per second.

The pipeline must be several times faster than training, since both share the cores of the machine. Training is timed
on one batch in memory, so that it waits for nothing. The two take turns; rates are medians over the rounds.

Example: python benchmarks/speed/pipeline_speed.py --frames 9
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import click
import keras
import numpy as np
from rich.console import Console
from rich.table import Table

from _timing import median_s, ratios, time_in_turns, timed
from skelgnn_tf import skeletons
from skelgnn_tf.configs import LiftConfig
from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.datasets.load import load_clips
from skelgnn_tf.metrics import keras_mpjpe
from skelgnn_tf.models.build import build_model
from skelgnn_tf.training.lift.batches import Batcher, cut_windows
from skelgnn_tf.training.tf_data import training_batches

#: How many times faster than training the pipeline should be.
AIM = 5
#: Epochs of the pipeline: more than any measurement needs.
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


def windows_per_second(
    clips: Sequence[Clip], config: LiftConfig, seconds: float, rounds: int
) -> tuple[np.ndarray, np.ndarray]:
    """Seconds per window of the pipeline without training, and of training.

    Args:
        clips: Training clips.
        config: Config of the run.
        seconds: Approximate length of a round.
        rounds: Rounds that count.

    Returns:
        Seconds per window (rounds, 1), twice.
    """
    skeleton = skeletons.get(config.skeleton)
    batcher = Batcher(cut_windows(clips, skeleton, config, training=True), config, skeleton, training=True)
    batches = iter(training_batches(batcher, 0, ENDLESS))
    batch = next(batches)
    keras.utils.set_random_seed(config.seed)
    model = build_model(config)
    model.compile(keras.optimizers.Adam(config.learning_rate), loss=keras_mpjpe, jit_compile=config.xla)
    size = int(batch[0].shape[0])
    works, windows = {}, {}
    for name, step in (("pipeline", lambda: next(batches)), ("training", lambda: model.train_on_batch(*batch))):
        steps = _steps(step, seconds)
        works[name], windows[name] = _repeated(step, steps), steps * size
    taken = time_in_turns(works, rounds)
    return taken["pipeline"] / windows["pipeline"], taken["training"] / windows["training"]


def _repeated(step: Callable[[], object], steps: int) -> Callable[[], None]:
    def work() -> None:
        for _ in range(steps):
            step()

    return work


def _steps(step: Callable[[], object], seconds: float) -> int:
    """How many steps take about `seconds`."""
    # Traces the step, and uses up the batches that were prefetched meanwhile.
    _repeated(step, 3)()
    steps = 2
    while (taken := timed(_repeated(step, steps))[1]) < min(seconds, 0.1):
        steps *= 2
    return max(2, round(steps * seconds / taken))


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--dataset", default="fitness", show_default=True, help="Data set to cut windows from.")
@click.option("--data-dir", multiple=True, help="Folder with the files of the data set.")
@click.option(
    "--frames", multiple=True, type=int, default=(1, 9), show_default=True, help="Window length T. Repeat for several."
)
@click.option("--channels", default=LiftConfig().channels, show_default=True, help="Width C of the model.")
@click.option("--batch-size", default=LiftConfig().batch_size, show_default=True, help="Windows per step.")
@click.option(
    "--seconds", type=click.FloatRange(0), default=3.0, show_default=True, help="Approximate seconds of a round."
)
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True, help="Rounds that count.")
@click.option("--xla", is_flag=True, help="Compile the training step with XLA.")
def main(
    dataset: str,
    data_dir: tuple[str, ...],
    frames: tuple[int, ...],
    channels: int,
    batch_size: int,
    seconds: float,
    rounds: int,
    xla: bool,
) -> None:
    """Time the tf.data pipeline against the training steps that it feeds, without and with all augmentation."""
    config = LiftConfig(
        dataset=(dataset,), data_dir=data_dir, channels=channels, batch_size=batch_size, validation=0.0, xla=xla
    )
    try:
        clips = load_clips(config.dataset, config.data_dir, skeletons.get(config.skeleton)).train
        table = _table(clips, config, frames, seconds, rounds)
    except (ValueError, OSError) as error:
        click.echo(f"pipeline_speed: {error}", err=True)
        sys.exit(2)
    console = Console()
    console.width = console.width if console.is_terminal else 100
    console.print(table)


def _table(clips: Sequence[Clip], config: LiftConfig, frames: Sequence[int], seconds: float, rounds: int) -> Table:
    table = Table("frames", "augmentation", title=f"windows per second, {config.channels} channels")
    for column in ("pipeline", "training", f"ratio (aim: {AIM})"):
        table.add_column(column, justify="right")
    for t in frames:
        for name, changes in AUGMENTATIONS.items():
            pipeline, training = windows_per_second(clips, config.replace(frames=t, **changes), seconds, rounds)
            verdict = "" if median_s(training) >= AIM * median_s(pipeline) else "  too slow"
            rates = (f"{1 / median_s(seconds_each):,.0f}" for seconds_each in (pipeline, training))
            table.add_row(str(t), name, *rates, ratios(training, pipeline) + verdict)
    return table


if __name__ == "__main__":
    main()
