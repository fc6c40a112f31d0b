"""Models as `.tflite` files in every quantisation beside BlazePose's landmark models: speed, size, accuracy, XNNPACK.

What is compared takes turns, round after round. A percentage is the median of the rounds' own ratios to the first
model, with the middle half in brackets; that is BlazePose-lite where `--blazepose` or the cache (`skelgnn-tf detector
download`, `make detector`) has it. Timed is LiteRT's `invoke` on one window or picture.

Example: python benchmarks/edge_latency.py --blazepose node_modules/@mediapipe/pose
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from skelgnn_tf import checkpoints
from skelgnn_tf.detection import models as detector_models
from skelgnn_tf.export import calibration as real_clips
from skelgnn_tf.export import contract, op_times
from skelgnn_tf.export.formats import tflite
from skelgnn_tf.export.graph.phone_model import PhoneModel
from skelgnn_tf.export.quantization import calibrated
from skelgnn_tf.export.verify import verify, zipped
from skelgnn_tf.quiet import quiet
from skelgnn_tf.skeletons import BLAZEPOSE_33
from turns import ratios

PRESETS = ("fitness_9f", "exercises_2d")
#: In a row, before another model has its turn.
RUNS = 10


@dataclass(frozen=True)
class File:
    """A `.tflite` file to be timed.

    Args:
        model: "fitness_9f" or "BlazePose lite".
        quantization: Of a model of ours.
        content: Of the file.
        inputs: By name as the interpreter knows it, or {} for anything.
        lost: Accuracy lost to Keras' float32, in words.
    """

    model: str
    quantization: str
    content: bytes
    inputs: dict[str, np.ndarray]
    lost: str


def exported(path: str, quantizations: tuple[str, ...], data_dir: tuple[str, ...]) -> Iterator[File]:
    """A model in each quantisation, for BlazePose's joints, and scored on clips of its test split."""
    model, config = checkpoints.load(path)
    phone = PhoneModel(model, config, BLAZEPOSE_33)
    calibration, test = real_clips.load(model, config, BLAZEPOSE_33, data_dir)
    described = contract.describe(phone, config, path, path)
    for quantization in quantizations:
        rounded = quantization.startswith("int")
        if rounded and calibration is None:
            raise ValueError(f"{quantization} wants the training clips of {path}; name their folder with --data-dir")
        ready = calibrated(phone, calibration) if quantization == "int8" else phone
        content = tflite.convert(ready, quantization, calibration.one_by_one() if rounded else ())
        own = {"signatures": contract.signatures(phone, "model.tflite", quantization), "quantization": quantization}
        content = tflite.with_contract(content, json.dumps(described | own))
        with tempfile.TemporaryDirectory(prefix="edge_latency") as folder:
            file = Path(folder) / "model.tflite"
            file.write_bytes(content)
            result = verify(file, model, config, BLAZEPOSE_33, False, test)
        poses = result.score.startswith("MPJPE")
        lost = f"{result.lost:+.2f} mm ({result.lost / result.keras:+.2%})" if poses else f"{result.lost:+.2f} points"
        yield File(Path(path).name, quantization, content, next(test.one_by_one()), lost)


def blazepose(place: Path | None) -> Iterator[File]:
    """BlazePose's landmark models, as many as are there."""
    for size in detector_models.SIZES:
        try:
            content = detector_models.find_models(place, size).landmarker
        except FileNotFoundError:
            continue
        yield File(f"BlazePose {size}", "", content, {}, "")


def invoker(file: File, threads: int) -> Callable[[], None]:
    """One run of a file, its input in place."""
    with quiet():
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(model_content=file.content, num_threads=threads)
        interpreter.allocate_tensors()
    rng = np.random.default_rng(0)
    for entry in interpreter.get_input_details():
        name = entry["name"].removeprefix("serving_default_").split(":")[0]
        # A picture may be anything.
        value = file.inputs[name] if file.inputs else rng.uniform(size=entry["shape"])
        interpreter.set_tensor(entry["index"], value.astype(entry["dtype"]))
    return interpreter.invoke


def take_turns(works: list[Callable[[], None]], rounds: int) -> tuple[np.ndarray, np.ndarray]:
    """Seconds (works, rounds) of a turn's first run, and of its others.

    In its first run a model finds caches full of another's weights, as in an app that runs it behind a detector.
    """
    first, others = np.zeros((2, len(works), rounds + 1))
    for number in range(rounds + 1):
        # Each work comes first, last and between the others in turn.
        for i in np.roll(np.arange(len(works)), -number):
            first[i, number], *rest = (_seconds(works[i]) for _ in range(RUNS))
            others[i, number] = np.median(rest)
    return first[:, 1:], others[:, 1:]


def _seconds(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def speed_table(files: list[File], rounds: int, threads: tuple[int, ...]) -> Table:
    """Times all files on all numbers of threads."""
    works = [(file, n) for file in files for n in threads]
    first, others = take_turns([invoker(*work) for work in works], rounds)
    reference = f"% of {files[0].model} {files[0].quantization}".strip()
    table = _table("speed", ("threads", "ms", reference, "ms behind another", reference))
    for i, (file, n) in enumerate(works):
        cells = []
        for seconds in (others, first):
            cells += [f"{np.median(seconds[i]) * 1e3:.3f}", ratios(100 * seconds[i], seconds[threads.index(n)])]
        table.add_row(file.model, file.quantization, str(n), *cells, end_section=n == threads[-1])
    return table


def file_table(files: list[File]) -> Table:
    """What does not depend on the machine's clock."""
    table = _table("files", ("MB", "zipped", "lost", "XNNPACK partitions", "time in XNNPACK's operators"))
    for file in files:
        try:
            inside = f"{sum(kind.share for kind in op_times.op_times(file.content) if kind.xnnpack):.0%}"
        except RuntimeError:
            # Halved weights are widened by operators of a kind of their own, which XNNPACK refuses to run apart.
            inside = "unknown"
        table.add_row(
            file.model, file.quantization, f"{len(file.content) / 1e6:.3f}", f"{zipped(file.content) / 1e6:.3f}",
            file.lost, str(op_times.partitions(file.content)), inside,
        )  # fmt: skip
    return table


def _table(title: str, figures: tuple[str, ...]) -> Table:
    table = Table("model", "quantisation", title=title, title_justify="left")
    for column in figures:
        table.add_column(column, justify="right")
    return table


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("models", nargs=-1)
@click.option(
    "--quantize", "quantizations", multiple=True, type=click.Choice(tflite.QUANTIZATIONS),
    default=tflite.QUANTIZATIONS, show_default=True,
)  # fmt: skip
@click.option(
    "--blazepose", "place", type=click.Path(path_type=Path), help="folder of its models  [default: the cache]"
)
@click.option("--data-dir", multiple=True, help="where the models' data lie  [default: as trained]")
@click.option("--threads", multiple=True, type=click.IntRange(1), default=(1, 2), show_default=True)
@click.option("--rounds", type=click.IntRange(1), default=30, show_default=True, help=f"of {RUNS} runs")
def main(models, quantizations, place, data_dir, threads, rounds) -> None:
    """Export MODELS (presets, run folders, .keras files; default: both presets) and time them beside BlazePose."""
    console = Console()
    console.width = console.width if console.is_terminal else 160
    try:
        files = list(blazepose(place))
        for model in models or PRESETS:
            files += exported(model, quantizations, data_dir)
        console.print(speed_table(files, rounds, threads))
        console.print(file_table(files))
        if not any(file.model.startswith("BlazePose") for file in files):
            console.print(f"BlazePose's models are not in {place or detector_models.models_folder()}.", soft_wrap=True)
    except (ValueError, OSError) as error:
        click.echo(f"edge_latency: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
