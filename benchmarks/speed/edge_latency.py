"""Speed, size, accuracy and XNNPACK coverage of models as `.tflite` files, next to BlazePose's landmark models.

Every model is exported in every quantization. Times are LiteRT's `invoke` on one window or picture, the median over
rounds in which all files take turns. A percentage is the median of the ratios to the first model within each round,
with the middle half in brackets. The first model is BlazePose lite where `--blazepose` or the cache
(`skelgnn-tf detector download`, `make detector`) has it.

Example: python benchmarks/speed/edge_latency.py --blazepose node_modules/@mediapipe/pose
"""

from __future__ import annotations

import json
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
import numpy as np
from rich.console import Console
from rich.table import Table

from _timing import median_ms, ratios, time_in_turns
from skelgnn_tf import checkpoints
from skelgnn_tf.detection import models as detector_models
from skelgnn_tf.export import contract, op_times
from skelgnn_tf.export.calibration import load_real_clips
from skelgnn_tf.export.formats import tflite
from skelgnn_tf.export.graph.phone_model import PhoneModel
from skelgnn_tf.export.quantization import calibrated
from skelgnn_tf.export.verify import verify, zipped
from skelgnn_tf.quiet import quiet
from skelgnn_tf.skeletons import BLAZEPOSE_33

PRESETS = ("fitness_9f", "exercises_2d")
#: Runs in a row in each turn.
RUNS = 10


@dataclass(frozen=True)
class File:
    """A `.tflite` file to time.

    Args:
        model: Name, such as "fitness_9f" or "BlazePose lite".
        quantization: Quantization of one of our models; empty for BlazePose.
        content: Bytes of the file.
        inputs: Arrays by input name; empty for random pictures.
        lost: Accuracy lost against the float32 model in Keras, as text.
    """

    model: str
    quantization: str
    content: bytes
    inputs: dict[str, np.ndarray]
    lost: str


def exported(path: str, quantizations: tuple[str, ...], data_dir: tuple[str, ...]) -> Iterator[File]:
    """A model in each quantization, for BlazePose's joints, scored on clips of its test split."""
    loaded = checkpoints.load(path)
    phone = PhoneModel(loaded.model, loaded.config, BLAZEPOSE_33)
    training, test = load_real_clips(loaded, BLAZEPOSE_33, data_dir)
    described = contract.describe(phone, path, path)
    for quantization in quantizations:
        rounded = quantization.startswith("int")
        if rounded and training is None:
            raise ValueError(
                f"{quantization} requires the training clips of {path}. Name their folder with --data-dir."
            )
        ready = calibrated(phone, training) if quantization == "int8" else phone
        content = tflite.convert(ready, quantization, training.one_by_one() if rounded else ())
        own = {"signatures": contract.signatures(phone, "model.tflite", quantization), "quantization": quantization}
        content = tflite.with_contract(content, json.dumps(described | own))
        with tempfile.TemporaryDirectory(prefix="edge_latency") as folder:
            file = Path(folder) / "model.tflite"
            file.write_bytes(content)
            result = verify(file, loaded.model, BLAZEPOSE_33, False, test)
        poses = result.score.startswith("MPJPE")
        lost = f"{result.lost:+.2f} mm ({result.lost / result.keras:+.2%})" if poses else f"{result.lost:+.2f} points"
        yield File(Path(path).name, quantization, content, next(test.one_by_one()), lost)


def blazepose(place: Path | None) -> Iterator[File]:
    """BlazePose's landmark models, as many as are found."""
    for size in detector_models.SIZES:
        try:
            content = detector_models.find_models(place, size).landmarker
        except FileNotFoundError:
            continue
        yield File(f"BlazePose {size}", "", content, {}, "")


def invoker(file: File, threads: int) -> Callable[[], None]:
    """A function that runs a file once; its input is already set."""
    with quiet():
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(model_content=file.content, num_threads=threads)
        interpreter.allocate_tensors()
    rng = np.random.default_rng(0)
    for entry in interpreter.get_input_details():
        name = entry["name"].removeprefix("serving_default_").split(":")[0]
        # Any picture takes the same time.
        value = file.inputs[name] if file.inputs else rng.uniform(size=entry["shape"])
        interpreter.set_tensor(entry["index"], value.astype(entry["dtype"]))
    return interpreter.invoke


def speed_table(files: list[File], rounds: int, threads: tuple[int, ...]) -> Table:
    """Times every file with every number of threads."""
    works = {(i, n): invoker(file, n) for i, file in enumerate(files) for n in threads}
    seconds = time_in_turns(works, rounds, runs=RUNS)
    reference = f"% of {files[0].model} {files[0].quantization}".strip()
    table = _table("speed", ("threads", "ms", reference, "ms after another", reference))
    for (i, n), taken in seconds.items():
        cells = []
        # The first run of a turn finds the caches full of another model's weights, as in an app behind a detector.
        for part in (slice(1, None), slice(0, 1)):
            cells += [median_ms(taken[:, part], 3), ratios(100 * taken[:, part], seconds[0, n][:, part])]
        table.add_row(files[i].model, files[i].quantization, str(n), *cells, end_section=n == threads[-1])
    return table


def file_table(files: list[File]) -> Table:
    """Sizes, accuracy and XNNPACK coverage, which do not depend on the clock."""
    table = _table("files", ("MB", "zipped", "lost", "XNNPACK partitions", "time in XNNPACK's operators"))
    for file in files:
        try:
            inside = f"{sum(kind.share for kind in op_times.op_times(file.content) if kind.xnnpack):.0%}"
        except RuntimeError:
            # float16 weights are widened by operators of their own, which XNNPACK refuses to run separately.
            inside = "unknown"
        table.add_row(
            file.model, file.quantization, f"{len(file.content) / 1e6:.3f}", f"{zipped(file.content) / 1e6:.3f}",
            file.lost, str(op_times.partitions(file.content)), inside,
        )  # fmt: skip
    return table


def _table(title: str, figures: tuple[str, ...]) -> Table:
    table = Table("model", "quantization", title=title, title_justify="left")
    for column in figures:
        table.add_column(column, justify="right")
    return table


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("models", nargs=-1)
@click.option(
    "--quantize", "quantizations", multiple=True, type=click.Choice(tflite.QUANTIZATIONS),
    default=tflite.QUANTIZATIONS, show_default=True, help="Quantization of the models. Repeat for several.",
)  # fmt: skip
@click.option(
    "--blazepose",
    "place",
    type=click.Path(path_type=Path),
    help="Folder with BlazePose's models.  [default: the cache]",
)
@click.option("--data-dir", multiple=True, help="Folder with the models' data sets.  [default: as in training]")
@click.option(
    "--threads",
    multiple=True,
    type=click.IntRange(1),
    default=(1, 2),
    show_default=True,
    help="Number of CPU threads. Repeat for several.",
)
@click.option("--rounds", type=click.IntRange(1), default=30, show_default=True, help=f"Rounds of {RUNS} runs.")
def main(
    models: tuple[str, ...],
    quantizations: tuple[str, ...],
    place: Path | None,
    data_dir: tuple[str, ...],
    threads: tuple[int, ...],
    rounds: int,
) -> None:
    """Export MODELS (presets, run folders or .keras files; by default both presets) and time them next to BlazePose."""
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
