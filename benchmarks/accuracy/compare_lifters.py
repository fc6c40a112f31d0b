"""Trains one-frame lifters on the same samples, one after the other, and scores them on the test split.

All lifters see the same batches in the same order, with the same mirroring, loss (MPJPE), optimizer (Adam) and decay
of the learning rate. The last weights count, so no score of a validation or test split selects anything. The hardest
poses are those of each model itself and, for a comparison on equal poses, those of the FCN.

On a GPU, KERAS_BACKEND=jax trains all seeds side by side, with the data on the device.

Example: python benchmarks/accuracy/compare_lifters.py --dataset h36m --data-dir DATA_DIR
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import keras
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from fcn import FCN
from skelgnn_tf import skeletons
from skelgnn_tf.configs import LiftConfig
from skelgnn_tf.datasets.clip import Clip, ClipSet
from skelgnn_tf.datasets.load import load_clips
from skelgnn_tf.metrics import MM_PER_M, keras_mpjpe
from skelgnn_tf.models.build import build_model
from skelgnn_tf.training.lift.batches import Batcher, cut_windows
from skelgnn_tf.training.lift.evaluate import predict_clips
from skelgnn_tf.training.lift.scores import frame_errors, score_lifting
from skelgnn_tf.training.reports import rounded

#: Each lifter by its changes of the default LiftConfig. The first is the reference for the hardest poses.
LIFTERS = {
    "FCN": None,
    # A joint has weights of its own, separate from its neighbors', as in SemGCN. With one matrix for both, a joint
    # cannot be told from its neighborhood, and the network stays at the mean pose (209 mm on cmu_mocap).
    "GCN": {"sharing": "shared", "short_hops": 0, "max_hops": 1, "squeeze": 1.0, "dynamic": False},
    "LCN": {"sharing": "pair", "short_hops": 2, "max_hops": 2, "dynamic": False},
    "HCSF": {"dynamic": False},
    "D-HCSF": {},
}
#: Final learning rate, relative to the initial one.
FINAL_RATE = 0.05
#: Steps of one call on JAX.
CALL_STEPS = 200


class Watch(keras.callbacks.Callback):
    """Shows the progress of one model, as a bar on a terminal, else as a line for each tenth, and measures its rate.

    Args:
        name: Name of the model.
        steps: Total number of steps.
        batch_size: Frames per step.
        unit: Name of the loss's unit, and how many of it make one unit of the loss.
        console: Where to show it.
    """

    def __init__(self, name: str, steps: int, batch_size: int, unit: tuple[str, float], console: Console) -> None:
        super().__init__()
        self.name, self.steps, self.batch_size, self.unit, self.console = name, steps, batch_size, unit, console
        columns = ("{task.description:7}", BarColumn(24), "{task.completed}/{task.total} steps", "{task.fields[state]}")
        self.bar = Progress(
            *(c if isinstance(c, BarColumn) else TextColumn(c) for c in columns), TimeRemainingColumn(),
            console=console, transient=True, disable=not console.is_terminal,
        )  # fmt: skip
        self.task = self.bar.add_task(name, total=steps, state="")
        self.frames_per_second = 0.0

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Updates the progress. The loss is read rarely, since reading it waits for the device."""
        done, warm = batch + 1, min(5, self.steps - 1)
        # The first steps trace and compile, so they do not count.
        if done == warm:
            self.begun = time.perf_counter()
        tenth = done * 10 // self.steps > batch * 10 // self.steps
        if done <= warm or (done % 20 and not tenth):
            return
        unit, scale = self.unit
        loss = float(logs["loss"]) * scale
        self.frames_per_second = (done - warm) * self.batch_size / (time.perf_counter() - self.begun)
        state = f"loss {loss:.1f} {unit}  {self.frames_per_second:,.0f} frames/s"
        if tenth and not self.console.is_terminal:
            left = (self.steps - done) * self.batch_size / self.frames_per_second
            self.console.print(f"{self.name}: {done}/{self.steps} steps  {state}  {left:.0f} s left", soft_wrap=True)
        self.bar.update(self.task, completed=done, state=state)


def train(
    name: str, config: LiftConfig, batcher: Batcher, samples: int, seeds: Sequence[int], console: Console
) -> Iterator[tuple[keras.Model, float]]:
    """Trains a lifter on a number of samples, once with each seed.

    Args:
        name: Key of LIFTERS.
        config: Its settings.
        batcher: Makes the batches; the same for all lifters.
        samples: Frames to train on, counting repeated ones again.
        seeds: Seeds of weights, order and augmentation.
        console: Where to show progress.

    Yields:
        The model of each seed, and frames per second in training, of all that are trained at once.
    """
    size = min(config.batch_size, len(batcher.windows))
    steps = max(2, samples // size)

    def build() -> keras.Model:
        model = FCN(batcher.windows, batcher.skeleton) if LIFTERS[name] is None else build_model(config)
        # Gives the FCN its weights.
        model(batcher.windows.keypoints[:1, None])
        return model

    def optimizer() -> keras.optimizers.Optimizer:
        rate = keras.optimizers.schedules.ExponentialDecay(config.learning_rate, steps, FINAL_RATE)
        return keras.optimizers.Adam(rate)

    if keras.backend.backend() == "jax":
        yield from _train_on_device(name, build, optimizer, batcher, steps, seeds, console)
        return
    from skelgnn_tf.training.tf_data import training_batches

    epochs = math.ceil(steps / (len(batcher.windows) // size))
    unit = ("mm", MM_PER_M) if config.protocol == "camera" else ("screen units", 1.0)
    for seed in seeds:
        keras.utils.set_random_seed(seed)
        model = build()
        model.compile(optimizer(), loss=keras_mpjpe, jit_compile=False)
        watch = Watch(name, steps, size, unit, console)
        own = Batcher(batcher.windows, batcher.config.replace(seed=seed), batcher.skeleton, True)
        with watch.bar:
            data = training_batches(own, 0, epochs)
            model.fit(data, steps_per_epoch=steps, verbose=0, shuffle=False, callbacks=[watch])
        yield model, watch.frames_per_second


def _train_on_device(
    name: str,
    build: Callable[[], keras.Model],
    optimizer: Callable[[], keras.optimizers.Optimizer],
    batcher: Batcher,
    steps: int,
    seeds: Sequence[int],
    console: Console,
) -> Iterator[tuple[keras.Model, float]]:
    """The same on JAX. An epoch ends with its last full call."""
    from skelgnn_tf.training.on_device import DeviceTraining, lifting_batches

    make, steps_of_epoch, shared = lifting_batches(batcher)
    training = DeviceTraining(build, optimizer, keras_mpjpe, make, seeds)
    length = min(CALL_STEPS, batcher.steps, steps)
    calls, per_epoch, begun, own = -(-steps // length), batcher.steps // length, 0.0, None
    for call in range(calls):
        epoch, place = divmod(call, per_epoch)
        if place == 0:
            own = steps_of_epoch(seeds, epoch)
        loss = training.run([part[:, place * length : (place + 1) * length] for part in own], shared).mean()
        # The first call compiles.
        begun = begun or time.perf_counter()
        if (call + 1) * 10 // calls > call * 10 // calls:
            console.print(f"{name}: {call + 1}/{calls} calls of {length} steps  loss {loss:.4g}", soft_wrap=True)
    frames = (calls - 1) * length * min(batcher.config.batch_size, len(batcher.windows)) * len(seeds)
    rate = frames / (time.perf_counter() - begun)
    for model in training.models():
        yield model, rate


def compare(
    names: Sequence[str], config: LiftConfig, clips: ClipSet, samples: int, seeds: Sequence[int], console: Console
) -> Iterator[tuple[str, dict]]:
    """Trains and scores lifters one after the other.

    Args:
        names: Keys of LIFTERS, in any order; they are taken in the order of LIFTERS.
        config: Settings that all have in common.
        clips: Training and test clips.
        samples: Frames that each lifter is trained on.
        seeds: Seeds of weights, order and augmentation.
        console: Where to show progress.

    Yields:
        Name, and the scores of `score_lifting` with `parameters` and `frames_per_second`, as means over the seeds;
        `by_seed` holds them one by one. `hard_reference` is present if the first model is the FCN.
    """
    batcher = Batcher(cut_windows(clips.train, clips.skeleton, config, training=True), config, clips.skeleton, True)
    references: dict[int, np.ndarray] = {}
    for name in (name for name in LIFTERS if name in names):
        own = config.replace(**(LIFTERS[name] or {}))
        by_seed = {}
        for seed, (model, rate) in zip(seeds, train(name, own, batcher, samples, seeds, console), strict=True):
            with console.status(f"{name}: scoring"):
                predictions = predict_clips(model, own, clips.test, flip=config.flip)
                if LIFTERS[name] is None:
                    references[seed] = frame_errors(predictions, clips.test, clips.skeleton)
                scores = score_lifting(predictions, clips.test, clips.skeleton, references.get(seed), config.protocol)
            by_seed[seed] = scores | {"parameters": int(model.count_params()), "frames_per_second": rate}
        yield name, _mean(list(by_seed.values())) | {"by_seed": by_seed}


def _mean(values: Sequence[Any]) -> Any:
    """The mean of numbers in equal dicts; what is no number is that of the first."""
    first = values[0]
    if isinstance(first, dict):
        return {key: _mean([value[key] for value in values]) for key in first}
    if isinstance(first, float):
        return float(np.mean(values))
    return first


def table_of(results: dict[str, dict]) -> Table:
    """A table with a row for each lifter."""
    table = Table("lifter")
    columns = ("P1 mm", "P2 mm", "own hardest 5 % mm", "FCN's hardest 5 % mm", "over 60 mm", "parameters", "frames/s")
    for column in columns:
        table.add_column(column, justify="right")
    for name, scores in results.items():
        reference = scores.get("hard_reference")
        table.add_row(
            name,
            *(_with_spread(scores, key) for key in ("p1_mm", "p2_mm", "hardest_5_mm")),
            f"{reference['hardest_5_mm']:.1f}" if reference else "",
            f"{100 * scores['share_over_60mm']:.1f} %",
            f"{scores['parameters']:,}",
            f"{scores['frames_per_second']:,.0f}",
        )
    return table


def _with_spread(scores: dict, key: str) -> str:
    """The mean over the seeds, with half the distance of the extremes if there are several."""
    values = [one[key] for one in scores["by_seed"].values()]
    return f"{scores[key]:.1f}" + (f" ± {np.ptp(values) / 2:.1f}" if len(values) > 1 else "")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--dataset", multiple=True, default=("fitness",), show_default=True, help="Data set. Repeat for several.")
@click.option(
    "--data-dir", multiple=True, help="Folder with the files of the data set. Repeat for each data set that has files."
)
@click.option("--keypoints", default=LiftConfig().keypoints, show_default=True, help="h36m: 2D detections to use.")
@click.option(
    "--protocol",
    type=click.Choice(["camera", "pixel"]),
    default=LiftConfig().protocol,
    show_default=True,
    help="Protocol of the lifter.",
)
@click.option(
    "--samples",
    type=click.IntRange(1),
    default=1_000_000,
    show_default=True,
    help="Frames that each lifter is trained on.",
)
@click.option(
    "--channels",
    type=click.IntRange(1),
    default=LiftConfig().channels,
    show_default=True,
    help="Width C; does not apply to the FCN.",
)
@click.option(
    "--models",
    multiple=True,
    type=click.Choice(list(LIFTERS), case_sensitive=False),
    help="Lifter to train. Repeat for several.  [default: all]",
)
@click.option(
    "--seed",
    "seeds",
    multiple=True,
    type=click.IntRange(0),
    default=(LiftConfig().seed,),
    show_default=True,
    help="Random seed of weights, order and augmentation. Repeat for several, whose scores are averaged.",
)
@click.option(
    "--json", "json_path", type=click.Path(path_type=Path, dir_okay=False), help="Write all scores to this file."
)
def main(samples: int, models: tuple[str, ...], seeds: tuple[int, ...], json_path: Path | None, **values) -> None:
    """Train FCN, GCN, LCN, HCSF and D-HCSF on equal samples and compare them on the test split."""
    console = Console()
    console.width = console.width if console.is_terminal else 120
    try:
        config = LiftConfig(frames=1, seed=seeds[0], **values)
        if json_path and not os.access(json_path.absolute().parent, os.W_OK):
            raise ValueError(f"cannot write {json_path}. Its folder must exist and be writable.")
        clips = load_clips(
            config.dataset, config.data_dir, skeletons.get(config.skeleton), config.keypoints, config.seed
        )
        if not clips.test:
            raise ValueError(f"{', '.join(config.dataset)} must have test clips. Received: none.")
    except (ValueError, OSError) as error:
        click.echo(f"compare_lifters: {' '.join(str(error).split())}", err=True)
        sys.exit(2)
    results, code = {}, 0
    try:
        for name, scores in compare(models or tuple(LIFTERS), config, clips, samples, seeds, console):
            results[name] = scores
            console.print(f"{name}: P1 {scores['p1_mm']:.1f} mm", highlight=False)
    # The lifters trained so far took hours, so they are shown in any case.
    except KeyboardInterrupt:
        code = 130
        click.echo(f"Stopped. {len(results)} of {len(models or LIFTERS)} lifters are trained.", err=True)
    except ValueError as error:
        code = 2
        click.echo(f"compare_lifters: {' '.join(str(error).split())}", err=True)
    if results:
        _print(results, config, samples, seeds, clips.test, console)
    if results and json_path:
        settings = {name: getattr(config, name) for name in ("dataset", "keypoints", "protocol", "channels")}
        settings |= {"samples": samples, "seeds": seeds}
        json_path.write_text(json.dumps(rounded({"settings": settings, "lifters": results}), indent=2) + "\n")
    sys.exit(code)


def _print(
    results: dict, config: LiftConfig, samples: int, seeds: Sequence[int], test: Sequence[Clip], console: Console
) -> None:
    console.print(table_of(results))
    frames = int(np.sum([clip.num_frames if clip.valid is None else clip.valid.sum() for clip in test]))
    keypoints = f" ({config.keypoints})" if "h36m" in config.dataset else ""
    console.print(
        f"{', '.join(config.dataset)}{keypoints}, protocol {config.protocol}: {samples:,} samples, batch "
        f"{config.batch_size}, {config.channels} channels, Adam {config.learning_rate:g} down to "
        f"{config.learning_rate * FINAL_RATE:g}, seed {', '.join(map(str, seeds))}, mirroring; last "
        f"weights, {frames:,} test frames",
        highlight=False,
        soft_wrap=True,
    )


if __name__ == "__main__":
    main()
