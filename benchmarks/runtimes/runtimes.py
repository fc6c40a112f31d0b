"""Opens every exported file of the presets in every runtime that installs here; prints a table in Markdown.

A cell is the largest difference from float32 in LiteRT's interpreter, of a coordinate in mm or of a probability, and
the median milliseconds of one window. A difference above the bound of its quantization (`skelgnn_tf.export.gpu.bound`)
is marked, and the command then fails. A runtime that cannot be installed or does not open a file gives its reason.
OpenVINO, ncnn and the JavaScript packages are installed into a folder of their own, without their dependencies.

Example: python benchmarks/runtimes/runtimes.py --exports exported/runtimes
"""

from __future__ import annotations

import datetime
import importlib.util
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parent))

import click
import numpy as np
from environments import CACHE, RUNTIMES, Runtime, command, install, run, versions

from skelgnn_tf.export.gpu import bound
from skelgnn_tf.metrics import MM_PER_M

PRESETS = ("fitness_9f", "exercises_2d")
QUANTIZATIONS = ("none", "float16", "dynamic", "int8")
LAYOUT = "blazepose_33"
#: Quantizations of Core ML packages, which only Apple's systems run.
CORE_ML = ("none", "float16")
#: Windows of the test split that are run besides the golden inputs.
_WINDOWS = 21


@click.command()
@click.option("--cache", type=click.Path(path_type=Path), default=CACHE, help="Where runtimes are installed.")
@click.option(
    "--exports",
    type=click.Path(path_type=Path),
    help="Folder of exports, PRESET/QUANTIZATION; those that are missing are made and stay. Default: a temporary one.",
)
@click.option("--quantize", multiple=True, default=QUANTIZATIONS, show_default=True, help="Columns; may be repeated.")
def main(cache: Path, exports: Path | None, quantize: tuple[str, ...]) -> None:
    """Prints the table runtime x file of both presets."""
    cache, above = cache.expanduser().resolve(), []
    reasons = {runtime: _log(f"{runtime.title}: ", install(runtime, cache)) for runtime in RUNTIMES}
    with tempfile.TemporaryDirectory() as tmp:
        folder = exports.resolve() if exports else Path(tmp)
        for preset in PRESETS:
            for quantization in ("none", *quantize):
                _export(preset, quantization, folder / preset / quantization)
        click.echo(f"{datetime.date.today()}, {_processor()}: {', '.join(versions(cache))}")
        for preset in PRESETS:
            windows = Path(tmp) / f"{preset}.npz"
            _write_windows(preset, folder / preset / "none" / "golden.json", windows)
            above += _table(preset, folder / preset, windows, quantize, cache, reasons)
    if above:
        raise click.ClickException("above the bound of the quantization: " + "; ".join(above))


def _log(before: str, text: str) -> str:
    if text:
        click.echo(before + text, err=True)
    return text


def _export(preset: str, quantization: str, output: Path) -> None:
    """Exports a preset in both formats, unless that has been done."""
    if (output / "model.tflite").exists() and (output / "model.onnx").exists():
        return
    _log("", f"exporting {preset}, {quantization}")
    options = ["--tflite", "--onnx", "--quantize", quantization, "--keypoint-layout", LAYOUT, "--output", str(output)]
    if quantization in CORE_ML and importlib.util.find_spec("coremltools"):
        options.append("--coreml")
    program = Path(sys.executable).parent / "skelgnn-tf"
    done = subprocess.run([program, "export", preset, *options], capture_output=True, text=True)
    if done.returncode:
        raise click.ClickException(f"{preset}, {quantization}: {done.stderr.strip().splitlines()[-1]}")


def _write_windows(preset: str, golden_file: Path, file: Path) -> None:
    """The golden inputs of an export and windows of the test split."""
    from skelgnn_tf import checkpoints, skeletons
    from skelgnn_tf.export.calibration import load_real_clips

    golden = json.loads(golden_file.read_text())["cases"]
    test = load_real_clips(checkpoints.load(preset), skeletons.get(LAYOUT))[1]
    at = np.linspace(0, len(test) - 1, _WINDOWS).round().astype(int)
    cases = {
        name: np.array([case["inputs"][name] for case in golden], np.float32).reshape(-1, *array.shape[1:])
        for name, array in test.inputs.items()
    }
    np.savez(file, **{name: np.concatenate([cases[name], array[at]]) for name, array in test.inputs.items()})


def _table(
    preset: str, folder: Path, windows: Path, quantize: tuple[str, ...], cache: Path, reasons: dict[Runtime, str]
) -> list[str]:
    """Prints the rows of a preset as they come; returns the cells that are above their bound."""
    click.echo(f"\n| {preset} | {' | '.join(quantize)} |\n|---|{'---|' * len(quantize)}")
    result, above = windows.with_suffix(".result.npz"), []
    reason = run(command(RUNTIMES[0], cache, folder / "none" / RUNTIMES[0].file, windows, result))
    if reason:
        raise click.ClickException(f"{RUNTIMES[0].title} cannot run {preset}: {reason}")
    expected = np.load(result)["output"]
    for runtime in RUNTIMES:
        cells = []
        for quantization in quantize:
            text, fine = f"skipped: {_cleaned(reasons[runtime])}", True
            if not reasons[runtime]:
                result.unlink(missing_ok=True)
                reason = run(command(runtime, cache, folder / quantization / runtime.file, windows, result))
                refused = f"refused: {_cleaned(reason)}"
                text, fine = (refused, True) if reason else cell(result, expected, quantization)
            cells.append(text)
            above += [] if fine else [f"{runtime.title}, {preset}, {quantization}: {text}"]
        click.echo(f"| {runtime.title} | {' | '.join(cells)} |")
    click.echo(f"| Core ML | {' | '.join(_core_ml(folder / quantization) for quantization in quantize)} |")
    return above


def _core_ml(folder: Path) -> str:
    """What became of the Core ML package, which is read back and not run."""
    if (folder / "model.mlpackage").exists():
        return "converted, not run"
    return "skipped: needs coremltools" if folder.name in CORE_ML else "refused"


def cell(result: Path, expected: np.ndarray, quantization: str) -> tuple[str, bool]:
    """What a cell says, and whether the difference is within its bound.

    Args:
        result: What open_file.py or browser.py wrote.
        expected: float32 (windows, 1 or T, joints, 3) meters or (windows, classes) probabilities.
        quantization: Of the file.
    """
    found = np.load(result)
    if found["output"].size != expected.size:
        return f"**outputs of another shape, {found['output'].shape}**", False
    poses = expected.ndim == 4
    difference = float(np.abs(found["output"].reshape(expected.shape) - expected).max())
    limit = bound(quantization, "pose_m" if poses else "probabilities")
    shown = f"{difference * MM_PER_M:.2g} mm" if poses else f"{difference:.2g}"
    fine = difference <= limit
    if not fine:
        shown = f"**{shown}, above {f'{limit * MM_PER_M:g} mm' if poses else f'{limit:g}'}**"
    return f"{shown}, {float(found['latency_ms']):.1f} ms", fine


def _cleaned(reason: str) -> str:
    return reason.removeprefix("RuntimeError: ").replace("|", "/")[:120]


def _processor() -> str:
    """Name of the processor where the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
