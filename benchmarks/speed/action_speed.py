"""Speed of action recognition: the HCSF layer, a training step, one clip's latency, and the data pipeline.

- hcsf: the layer against other ways to compute the same, forward and backward, in the shapes of the paper's stages.
- training: clips per second of a training step (AdamW) for each stream, a static graph and plain one-hop GCN layers.
- latency: one clip through Keras and through an exported float32 `.tflite` file, which must give the same
  probabilities.
- pipeline: batches from a float16 cache, without training, against the training steps that consume them.

Times are medians over rounds in which all alternatives take turns. A ratio is the median of the ratios within each
round, with the middle half in brackets.

Example: python benchmarks/speed/action_speed.py --only training --size small --batch 32
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import click
import keras
import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.table import Table

import formulations
from _timing import median_ms, median_s, ratios, tensorflow_done, time_in_turns
from skelgnn_tf.configs import ActionConfig
from skelgnn_tf.datasets.sequences import SequenceSet, SequenceWriter
from skelgnn_tf.inference.runner import Runner
from skelgnn_tf.layers.stream import STREAMS
from skelgnn_tf.models.action_recognizer import SIZES
from skelgnn_tf.skeletons import NTU_25
from skelgnn_tf.training.action.task import Recognition
from skelgnn_tf.training.tf_data import sequence_batches
from tflite_recognizer import clips_of, export, recognizer

# Every formulation is a function of its own, traced once, which TensorFlow warns about.
tf.get_logger().setLevel("ERROR")
CLASSES = tuple(f"action {i}" for i in range(60))
VARIANTS = {stream: {"stream": stream} for stream in STREAMS} | {
    "static graph": {"dynamic": False},
    "one-hop GCN": {"dynamic": False, "short_hops": 1, "max_hops": 1},
}
#: The settings that training derives from "auto" for poses.
POSES = {"input": "pose", "persons": 1, "confidence": False, "normalization": "center"}


@dataclass(frozen=True)
class Settings:
    """What is measured.

    Args:
        sizes: Sizes of the models, "small" or "paper".
        frames: Number of frames T of a clip.
        channels: Width of the first blocks; 0 for the width of the size.
        batch: Clips per step.
        clips: Clips in the cache of the pipeline.
        repeats: Rounds that count.
    """

    sizes: tuple[str, ...]
    frames: int
    channels: int
    batch: int
    clips: int
    repeats: int

    def config(self, size: str, **changes) -> ActionConfig:
        """The config of a run with these settings and the defaults of `skelgnn-tf train`."""
        return ActionConfig(
            dataset=("npz",), skeleton=NTU_25.name, size=size, frames=self.frames,
            channels=self.channels, batch_size=self.batch, **changes,
        )  # fmt: skip


def actions(count: int, folder: Path | None = None) -> SequenceSet:
    """Clips of 40 to 130 frames with 25 drifting joints; in memory, or in a folder as float16."""
    rng = np.random.default_rng(0)
    drift_m = np.cumsum(rng.normal(size=(1, 130, 25, 3)) * 0.03, axis=1) + rng.normal(size=(1, 1, 25, 3)) * 0.3
    writer = SequenceWriter("pose", folder)
    for i, frames in enumerate(rng.integers(40, 131, count)):
        writer.add(f"clip {i}", drift_m[:, :frames] + [0, 0, 3], i % len(CLASSES), 30.0)
    sequences = writer.close()
    return SequenceSet(NTU_25, CLASSES, sequences, sequences)


def _table(title: str, words: tuple[str, ...], figures: tuple[str, ...]) -> Table:
    table = Table(*words, title=title, title_justify="left")
    for column in figures:
        table.add_column(column, justify="right")
    return table


# ---- hcsf


def hcsf_tables(settings: Settings) -> Iterator[Table]:
    """The layer against other formulations, with a dynamic and a static graph, for each stage of the network."""
    rng, narrow = np.random.default_rng(0), settings.channels or SIZES["paper"]["widths"][0]
    figures = ("channels", "frames", "forward + backward ms", f"to {formulations.OWN}")
    table = _table(f"HCSF, batch {settings.batch}", ("formulation", "graph"), figures)
    for stage in range(3):
        channels, frames = narrow * 2**stage, -(-settings.frames // 2**stage)
        x = rng.normal(size=(settings.batch, frames, NTU_25.num_joints, channels)).astype(np.float32)
        for graph in ("dynamic", "static"):
            layer = formulations.recognition_layer(channels, frames, dynamic=graph == "dynamic")
            ways = formulations.whole_layer_formulations(layer)
            formulations.check_agreement(ways, x[:2])
            seconds = time_in_turns(formulations.steps(ways, x), settings.repeats, finish=tensorflow_done)
            for name, taken in seconds.items():
                ratio = ratios(taken, seconds[formulations.OWN])
                table.add_row(name, graph, str(channels), str(frames), median_ms(taken), ratio)
            table.add_section()
    yield table


# ---- training


def trained(task: Recognition) -> tuple[keras.Model, Callable[[], object]]:
    """A model as `skelgnn-tf train` compiles it, and one training step on a batch in memory."""
    keras.utils.set_random_seed(task.config.seed)
    model = task.build()
    model.compile(task.optimizer(), loss=task.loss, metrics=task.metrics(), jit_compile=task.config.xla)
    batch = [tf.constant(part) for part in task.batcher(0)]
    return model, lambda: model.train_on_batch(*batch)


def training_tables(settings: Settings) -> Iterator[Table]:
    """Clips per second of a training step of each stream, of a static graph and of a plain GCN."""
    data = actions(settings.batch)
    for size in settings.sizes:
        made = {
            name: trained(Recognition(settings.config(size, **changes), data)) for name, changes in VARIANTS.items()
        }
        works = {name: step for name, (_, step) in made.items()}
        seconds = time_in_turns(works, settings.repeats, finish=tensorflow_done)
        title = f"training, {size}, batch {settings.batch}, 1 person, {settings.frames} frames"
        table = _table(title, ("model",), ("parameters", "clips/s", "time to joint's"))
        for name, taken in seconds.items():
            rate = settings.batch / median_s(taken)
            table.add_row(name, f"{made[name][0].count_params():,}", f"{rate:.1f}", ratios(taken, seconds["joint"]))
        yield table
        made.clear()
        keras.backend.clear_session()
        gc.collect()


# ---- latency


def latency_tables(settings: Settings) -> Iterator[Table]:
    """Milliseconds of one clip, through Keras and through LiteRT."""
    for size in settings.sizes:
        works, facts = {}, {}
        with tempfile.TemporaryDirectory(prefix="action_speed") as folder:
            for stream in ("joint", "bone_motion"):
                config = settings.config(size, stream=stream, **POSES)
                model, file = recognizer(config, CLASSES), Path(folder) / f"{stream}.tflite"
                largest_difference, clip = export(model, config, file), clips_of(model, 1)
                compiled, tensor = tf.function(model), tf.constant(clip)
                works[f"{stream}: Keras"] = lambda compiled=compiled, tensor=tensor: compiled(tensor)
                for threads in (1, 2):
                    name, runner = f"LiteRT, {threads} thread{'s' * (threads > 1)}", Runner(file, threads)
                    works[f"{stream}: {name}"] = lambda runner=runner, clip=clip: runner.run(pose_m=clip)
                    facts[stream, name] = f"{file.stat().st_size / 1e6:.2f}", f"{largest_difference:.1e}"
            # A single clip takes little time.
            seconds = time_in_turns(works, 6 * settings.repeats, finish=tensorflow_done)
        title = f"latency, {size}, (1, 1 person, {settings.frames} frames, 25 joints, 3)"
        table = _table(title, ("stream", "runner"), ("ms", "to Keras", "to joint", "file MB", "off Keras by"))
        for name, taken in seconds.items():
            stream, way = name.split(": ")
            to_keras, to_joint = seconds[f"{stream}: Keras"], seconds[f"joint: {way}"]
            facts_here = facts.get((stream, way), ("", ""))
            table.add_row(stream, way, median_ms(taken), ratios(taken, to_keras), ratios(taken, to_joint), *facts_here)
        yield table


# ---- pipeline


def pipeline_tables(settings: Settings) -> Iterator[Table]:
    """Clips per second from a cache, without training, against the training steps of both sizes."""
    with tempfile.TemporaryDirectory(prefix="action_speed") as folder:
        data = actions(settings.clips, Path(folder) / "cache")
        works, units, held = {}, {}, []
        for sampling in ("resize", "window"):
            batcher = Recognition(settings.config(settings.sizes[0], sampling=sampling), data).batcher
            batches = sequence_batches(batcher, 0, batcher.steps)
            # A whole epoch: nothing is prefetched when it begins, and nothing continues after it.
            works[sampling] = lambda batches=batches: [None for _ in batches]
            units[sampling] = batcher.steps * len(batcher.rows(0))
        for size in settings.sizes:
            model, works[size] = trained(Recognition(settings.config(size), data))
            units[size] = settings.batch
            held.append(model)
        seconds = time_in_turns(works, settings.repeats, finish=tensorflow_done)
        title = f"pipeline, batch {settings.batch}, {settings.frames} frames, {settings.clips} clips in float16"
        figures = [f"{what} {size}" for size in settings.sizes for what in ("training, clips/s:", "times as fast as")]
        table = _table(title, ("sampling",), ("clips/s", *figures))
        for sampling in ("resize", "window"):
            rate = {name: units[name] / seconds[name] for name in (sampling, *settings.sizes)}
            cells = [f"{np.median(rate[sampling]):,.0f}"]
            for size in settings.sizes:
                cells += [f"{np.median(rate[size]):,.1f}", ratios(rate[sampling], rate[size])]
            table.add_row(sampling, *cells)
        yield table


SECTIONS = {
    "hcsf": hcsf_tables,
    "training": training_tables,
    "latency": latency_tables,
    "pipeline": pipeline_tables,
}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(list(SECTIONS)),
    help="Section to measure. Repeat for several.  [default: all]",
)
@click.option(
    "--size",
    multiple=True,
    type=click.Choice(list(SIZES)),
    default=tuple(SIZES),
    show_default=True,
    help="Size of the model. Repeat for several.",
)
@click.option("--frames", type=click.IntRange(4), default=64, show_default=True, help="Frames per clip.")
@click.option(
    "--channels", type=click.IntRange(0), default=0, help="Width of the first blocks. 0: the width of the size."
)
@click.option("--batch", type=click.IntRange(2), default=8, show_default=True, help="Clips per training step.")
@click.option(
    "--clips", type=click.IntRange(2), default=2000, show_default=True, help="Clips in the cache of the pipeline."
)
@click.option(
    "--repeats",
    type=click.IntRange(1),
    default=5,
    show_default=True,
    help="Rounds that count. Latency takes six times as many.",
)
def main(
    only: tuple[str, ...], size: tuple[str, ...], frames: int, channels: int, batch: int, clips: int, repeats: int
) -> None:
    """Time the layer, training, latency and the data pipeline of action recognition."""
    console = Console()
    console.width = console.width if console.is_terminal else 120
    settings = Settings(size, frames, channels, batch, clips, repeats)
    try:
        for name in only or SECTIONS:
            for table in SECTIONS[name](settings):
                console.print(table)
    except (ValueError, OSError) as error:
        click.echo(f"action_speed: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
