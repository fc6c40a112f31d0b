"""The command line. Commands import what they need inside themselves, so that --help is instant."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

import click

from skelgnn_tf import __version__
from skelgnn_tf.configs.config import Config, flag


def _one_line_errors(command: Callable) -> Callable:
    """A user's mistake is one line on stderr and exit code 2, without traceback."""

    @functools.wraps(command)
    def wrapped(*args, **kwargs):
        try:
            return command(*args, **kwargs)
        except Exception as error:
            full = "No space left on device" in str(error)
            out_of_memory = type(error).__name__ == "ResourceExhaustedError" and not full
            expected = full or out_of_memory or isinstance(error, (ValueError, OSError, ImportError))
            if not expected or os.environ.get("SKELGNN_TF_TRACEBACK"):
                raise
            text = "the device is out of memory; choose a smaller --batch-size" if out_of_memory else str(error)
            if full and "make room" not in text:
                text = f"the disk is full; make room, or name another one for temporary files in TMPDIR ({text})"
            click.echo(f"skelgnn-tf: {' '.join(text.split())}", err=True)
            sys.exit(2)
        except KeyboardInterrupt:
            sys.exit(130)

    return wrapped


def _config_options(command: Callable) -> Callable:
    """One option for each field of Config, with the defaults of its tasks, its choices and help."""
    for f in reversed(dataclasses.fields(Config)):
        name = flag(f)
        defaults = {task: value for task, value in f.metadata["defaults"].items() if value is not None}
        example = next(next(iter(value.values())) if isinstance(value, dict) else value for value in defaults.values())
        shown = {"default": None, "show_default": False}
        if isinstance(example, bool):
            name += "/--no-" + f.name.replace("_", "-")
            shown["type"] = bool
        elif isinstance(example, tuple):
            shown["multiple"] = True
        else:
            shown["type"] = click.Choice(f.metadata["choices"]) if f.metadata["choices"] else type(example)
        only = f"{next(iter(defaults))}: " if len(defaults) == 1 else ""
        command = click.option(name, f.name, help=only + f.metadata["help"] + _shown_defaults(f, defaults), **shown)(
            command
        )
    return command


def _shown_defaults(f: dataclasses.Field, defaults: dict) -> str:
    """ "[default: 1; action 64]"."""

    def text(value) -> str:
        if isinstance(value, dict):
            return ", ".join(f"{one} {recipe}" for recipe, one in value.items())
        if isinstance(value, bool):
            return "on" if value else "off"
        return ", ".join(value) if isinstance(value, tuple) else str(value)

    shown = {task: text(value) for task, value in defaults.items() if value not in ((), "")}
    if f.name == "task" or len(set(shown.values())) < 2:
        return f"  [default: {next(iter(shown.values()))}]" if shown else ""
    return f"  [default: {'; '.join(f'{value} ({task})' for task, value in shown.items())}]"


def _import_keras_quietly(module: str = "keras") -> None:
    """Keeps TensorFlow's start-up notices off the terminal; they come from C++, past Python's stderr.

    Args:
        module: What brings TensorFlow in: Keras, or on its other backends a module of the export's.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    stderr = os.dup(2)
    try:
        with open(os.devnull, "w") as devnull:
            os.dup2(devnull.fileno(), 2)
        importlib.import_module(module)
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="skelgnn-tf")
def main() -> None:
    """Skeletal graph neural networks: 2D keypoints to 3D poses, from training to the phone."""


@main.command()
@_config_options
@click.option(
    "--output", type=click.Path(path_type=Path), help="run folder  [default: runs/<data set>-<frames>f-<time>]"
)
@click.option("--resume", is_flag=True, help="go on with the run in --output (default runs/last)")
@click.option(
    "--distribute", type=click.Choice(["auto", "none", "mirrored"]), default="auto", show_default=True,
    help="several GPUs by tf.distribute",
)  # fmt: skip
@_one_line_errors
def train(output: Path | None, resume: bool, distribute: str, **values) -> None:
    """Train a model and leave it in a run folder.

    Without options: the paper's lifter for one frame on the generated `fitness` data. With --task action: a recogniser
    of exercises. Options that begin with "lift:" or "action:" are of that task alone. --from goes on with a trained
    model.
    """
    _import_keras_quietly()
    from skelgnn_tf import checkpoints
    from skelgnn_tf.training.fit import default_folder, link_last, resumed_config
    from skelgnn_tf.training.fit import train as run

    given = {name: value for name, value in values.items() if value is not None and value != ()}
    if resume:
        folder = output or _last_run()
        config = resumed_config(folder, **given)
    else:
        config = checkpoints.config_of(given["start"]).fine_tuning(**given) if given.get("start") else Config(**given)
        folder = output or default_folder(config)
    _check_writable("--output", folder)
    compress = None
    if config.quantize_aware or config.prune:
        _import_keras_quietly("skelgnn_tf.export.quantization")
        from skelgnn_tf.export.quantization import compression

        compress = compression(config)
    try:
        run(config, folder, resume=resume, distribute=distribute, compress=compress)
    finally:
        # A run that was stopped is the newest all the same; one that was refused left no folder.
        if (folder / "checkpoints").exists():
            link_last(folder)
    click.echo(f"model: {folder / 'model.keras'}\nscore it: skelgnn-tf evaluate {folder}")


@main.command()
@click.argument("models", nargs=-1, type=click.Path(path_type=Path))
@click.option("--dataset", multiple=True, help="score on these instead of the data that the model was trained on")
@click.option("--data-dir", multiple=True, help="folder of the data set's files; one for each that has files")
@click.option("--data-file", help="action: the data set's file")
@click.option("--labels", help="action: text file with the classes' names, one a line")
@click.option(
    "--skip-bad/--no-skip-bad", default=None, type=bool, help="action: leave bad clips out  [default: as trained]"
)
@click.option("--ensemble", is_flag=True, help="action: average the scores of several models")
@click.option("--weights", help="with --ensemble: one number for each model, 0.6,0.6,0.4,0.4  [default: equal]")
@click.option("--keypoints", help="h36m: which 2D detections")
@click.option(
    "--flip/--no-flip", default=None, type=bool, help="lift: average with the mirrored input  [default: as trained]"
)
@click.option(
    "--hard-reference", type=click.Path(path_type=Path), help="lift: model whose hardest poses are compared on"
)
@click.option(
    "--baselines/--no-baselines",
    "with_baselines",
    default=None,
    type=bool,
    help="lift: mean pose and ridge lifters beside it  [default: on]",
)
@click.option("--json", "json_path", help="write the report there too; - prints it")
@click.option("--output", type=click.Path(path_type=Path), help="report folder  [default: the run's report/]")
@_one_line_errors
def evaluate(models: tuple[Path, ...], ensemble: bool, output: Path | None, json_path: str | None, **options) -> None:
    """Score MODELS (run folders, .keras files or presets; default runs/last) on their test split.

    Several recognisers are fused with --ensemble.
    """
    models = models or (_last_run(),)
    if (len(models) > 1) != ensemble:
        wants = "--ensemble wants several models" if ensemble else "several models want --ensemble"
        raise ValueError(f"{wants}; got {len(models)} ({', '.join(str(model) for model in models)})")
    _check_writable("--output", output)
    _check_writable("--json", None if json_path == "-" else json_path, is_folder=False)
    _import_keras_quietly()
    from skelgnn_tf import checkpoints

    given = {name: value for name, value in options.items() if value not in (None, ())}
    task = checkpoints.task_of(models[0])
    foreign = sorted(given.keys() - _EVALUATION[task] - {"dataset", "data_dir"})
    foreign += ["ensemble"] if ensemble and task == "lift" else []
    if foreign:
        raise ValueError(f"--{foreign[0].replace('_', '-')} does not go with {models[0]}, a model of --task {task}")
    if task == "lift":
        from skelgnn_tf.training.lift.evaluate import evaluate as run

        run(models[0], json_path=json_path, folder=output, **given)
    else:
        from skelgnn_tf.training.action.evaluate import evaluate_actions

        weights = _numbers(given.pop("weights", None))
        evaluate_actions(models, weights=weights, json_path=json_path, folder=output, **given)


#: Options of `evaluate` that belong to one task.
_EVALUATION = {
    "lift": {"keypoints", "flip", "hard_reference", "with_baselines"},
    "action": {"data_file", "labels", "skip_bad", "weights"},
}


def _numbers(text: str | None) -> list[float] | None:
    """Numbers with commas between them."""
    try:
        return None if text is None else [float(part) for part in text.split(",")]
    except ValueError as error:
        raise ValueError(
            f"--weights wants numbers with commas between them, such as 0.6,0.6,0.4,0.4; got {text}"
        ) from error


@main.command()
@_one_line_errors
def datasets() -> None:
    """List the data sets, their files and where they are to be had."""
    from rich.console import Console
    from rich.table import Table

    from skelgnn_tf.datasets import actions
    from skelgnn_tf.datasets.catalog import CATALOG

    table = Table("--task", "--dataset", "what", "files in --data-dir", "where from", show_lines=True)
    for task, catalog in (("lift", CATALOG), ("action", actions.CATALOG)):
        for name, entry in catalog.items():
            table.add_row(task, name, entry.about, entry.files or "none", entry.source)
    console = Console()
    # Names and addresses are to be copied, so a pipe gets lines of any length.
    console.width = console.width if console.is_terminal else 160
    console.print(table)


@main.command()
@click.argument("model", required=False, type=click.Path(path_type=Path))
@click.option("--tflite", is_flag=True, help="write model.tflite")
@click.option("--onnx", is_flag=True, help="write model.onnx")
@click.option(
    "--quantize", "quantization", type=click.Choice(["none", "float16", "dynamic", "int8", "int16x8"]), default="none",
    show_default=True, help="float16: half the size; dynamic: 8-bit weights; int8: 8-bit arithmetic, calibrated on "
    "training clips; int16x8: 16-bit activations",
)  # fmt: skip
@click.option(
    "--keypoint-layout", "layout", type=click.Choice(["h36m_17", "coco_17", "blazepose_33"]),
    help="joints that the app's detector gives  [default: the model's own]",
)  # fmt: skip
@click.option("--flip", is_flag=True, help="lifters: average with the mirrored keypoints, at twice the cost")
@click.option("--data-dir", multiple=True, help="where the model's data lie  [default: as trained]")
@click.option("--overwrite", is_flag=True, help="--output may hold another model")
@click.option("--force", is_flag=True, help="keep a file that loses more accuracy than its kind may")
@click.option("--output", type=click.Path(path_type=Path), help="folder  [default: exported/<run>]")
@_one_line_errors
def export(model: Path | None, tflite: bool, onnx: bool, output: Path | None, **options) -> None:
    """Turn MODEL (default runs/last) into files for phones, checked against Keras on real clips."""
    formats = tuple(name for name, wanted in (("tflite", tflite), ("onnx", onnx)) if wanted)
    if not formats:
        raise ValueError("nothing to export; expected --tflite, --onnx or both")
    _check_writable("--output", output)
    _import_keras_quietly()
    from skelgnn_tf.export.export import export as run

    run(model or _last_run(), output, formats=formats, **options)


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--threads", multiple=True, type=click.IntRange(1), default=(1, 2), show_default=True,
    help="of the CPU; given several times, each is measured",
)  # fmt: skip
@click.option("--runs", type=click.IntRange(1), default=100, show_default=True, help="of each file that count")
@_one_line_errors
def benchmark(files: tuple[Path, ...], threads: tuple[int, ...], runs: int) -> None:
    """Measure latency, memory and size of FILES side by side.

    FILES are what `export` wrote (.tflite, .onnx), run folders, .keras files or presets.
    """
    from rich.console import Console

    from skelgnn_tf.export.benchmark import benchmark as measure

    console = Console()
    # A pipe gets whole lines.
    console.width = console.width if console.is_terminal else 160
    measure(files, console, threads, runs)


@main.command()
@click.argument("model", required=False, type=click.Path(path_type=Path))
@click.option("--dataset", multiple=True, help="instead of the data that the model was trained on")
@click.option("--data-dir", multiple=True, help="folder of the data set's files")
@click.option("--clip", default=0, show_default=True, help="which test clip")
@click.option("--output", type=click.Path(path_type=Path), help="PNG  [default: report/lifted.png of the run]")
@_one_line_errors
def draw(model: Path | None, dataset, data_dir, clip: int, output: Path | None) -> None:
    """Draw a test clip as MODEL (default runs/last) lifts it."""
    _import_keras_quietly()
    from skelgnn_tf.training.lift.evaluate import draw_clip

    _check_writable("--output", output, is_folder=False)
    click.echo(f"picture: {draw_clip(model or _last_run(), dataset, data_dir, clip, output)}")


@main.command()
@click.argument("source", metavar="INPUT", type=click.Path(path_type=Path))
@click.option(
    "--lifter", default="fitness_9f", show_default=True,
    help="preset, run folder, .keras, .tflite or .onnx file; none for no 3D",
)  # fmt: skip
@click.option("--recognizer", default="exercises_2d", show_default=True, help="the same for actions; none for none")
@click.option(
    "--keypoint-layout", "layout",
    help="joints of a keypoint file: coco_17, h36m_17, blazepose_33, ...  [default: by its form]",
)  # fmt: skip
@click.option("--image-size", "image_size_px", nargs=2, type=int, help="keypoint file: width and height of the picture")
@click.option("--fps", type=float, help="frames per second  [default: as in the file, else 30]")
@click.option("--hop", default=8, show_default=True, help="frames from one decision to the next")
@click.option("--persons", default=1, show_default=True, help="video: how many people to follow; the largest counts")
@click.option(
    "--detector", type=click.Choice(["lite", "full", "heavy"]), default="full", show_default=True,
    help="video: size of BlazePose",
)  # fmt: skip
@click.option("--detector-models", help="video: folder or .task file with BlazePose's models  [default: the cache]")
@click.option("--smooth/--no-smooth", default=True, show_default=True, help="filter the poses over time")
@click.option("--subject-height", "subject_height_m", type=float, help="how tall the person is, metres")
@click.option("--output", type=click.Path(path_type=Path), help=".json, .npz, .csv, .bvh or .trc")
@click.option("--render", "picture", type=click.Path(path_type=Path), help=".gif, .mp4, .html or .png")
@_one_line_errors
def predict(source: Path, lifter: str, recognizer: str, **options) -> None:
    """Turn INPUT into 3D poses, actions and repetitions over time.

    INPUT is a video, a folder of pictures, webcam:0, or 2D keypoints: .npz, .npy, .csv, .json (AlphaPose, MMPose,
    MediaPipe) or a folder of OpenPose's.
    """
    for option, path in (("--output", options["output"]), ("--render", options["picture"])):
        _check_writable(option, path, is_folder=False)
    _import_keras_quietly()
    from skelgnn_tf.inference.command import run

    models = {"lifter": lifter, "recognizer": recognizer}
    run(source, **{role: None if name == "none" else name for role, name in models.items()}, **options)


@main.group()
def detector() -> None:
    """The model files that find people's keypoints in videos."""


@detector.command()
@click.option("--size", type=click.Choice(["lite", "full", "heavy"]), default="full", show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), help="where to  [default: the cache]")
@_one_line_errors
def download(size: str, folder: Path | None) -> None:
    """Fetch BlazePose's models (Apache-2.0) from Google, once; predict on videos wants them."""
    from rich.console import Console
    from rich.progress import Progress

    from skelgnn_tf.detection.models import download_models

    _check_writable("--folder", folder)
    with Progress(transient=True, console=Console(stderr=True)) as progress:
        task = progress.add_task(f"BlazePose {size}", total=None)
        file = download_models(
            size, folder, on_progress=lambda done, total: progress.update(task, completed=done, total=total)
        )
    click.echo(f"model: {file}")


def _check_writable(option: str, path: str | Path | None, is_folder: bool = True) -> None:
    """Refuses an output that something is in the way of, before the work and not after it."""
    if path is None:
        return
    path = Path(path)
    there = next(p for p in (path, *path.parents) if p.exists())
    if there.is_dir() != (is_folder or there != path):
        what = "folder" if there.is_dir() else "file"
        raise ValueError(f"cannot write {option} {path}: {there} is a {what}; choose another {option}")
    if not os.access(there, os.W_OK):
        raise ValueError(f"cannot write {option} {path}: {there} is write-protected; choose another {option}")


def _last_run() -> Path:
    last = Path("runs/last")
    if not last.exists():
        raise FileNotFoundError("there is no runs/last yet; name a model, or train one: skelgnn-tf train")
    return last.resolve().relative_to(Path.cwd()) if last.resolve().is_relative_to(Path.cwd()) else last.resolve()


if __name__ == "__main__":
    main()
