"""Opens every exported file of the presets in every runtime that installs here; prints a table in Markdown.

A cell is the largest difference, of a coordinate in mm or of a probability, and the median milliseconds of one window.
Every runtime is compared with a CPU for the same file: LiteRT's interpreter for `.tflite`, onnxruntime for `.onnx`.
Those two are compared with the float32 file in LiteRT's interpreter, and what they differ is the loss of the
quantization, which the export bounds. A difference above its bound (`skelgnn_tf.export.gpu.bound`) is marked, and the
command then fails. A runtime that cannot be installed or does not open a file gives its reason.
OpenVINO, ncnn and the JavaScript packages are installed into a folder of their own, without their dependencies.

Example: python benchmarks/runtimes/runtimes.py --exports exported/runtimes
"""

from __future__ import annotations

import datetime
import importlib.util
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parent))

import click
import numpy as np
from environments import CACHE, REFERENCES, RUNTIMES, Runtime, command, install, run, versions

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
        click.echo(_wrapped(f"{datetime.date.today()}, {_processor()}: {', '.join(versions(cache))}"))
        for preset in PRESETS:
            windows = Path(tmp) / f"{preset}.npz"
            _write_windows(preset, folder / preset / "none" / "golden.json", windows)
            click.echo()
            table = _Table(preset, folder / preset, windows, quantize, cache)
            table.show(reasons)
            above += table.above
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


class _Table:
    """The rows of a preset, printed as they come.

    Args:
        preset: Name of the preset.
        folder: Exports, QUANTIZATION/FILE.
        windows: `.npz` file of the inputs.
        quantize: Columns.
        cache: Where runtimes are installed.

    Attributes:
        above: Cells that are above their bound.
    """

    def __init__(self, preset: str, folder: Path, windows: Path, quantize: tuple[str, ...], cache: Path) -> None:
        self.preset, self.folder, self.windows, self.quantize, self.cache = preset, folder, windows, quantize, cache
        self.above: list[str] = []
        # Outputs of the references by file and quantization.
        self._expected: dict[tuple[str, str], np.ndarray] = {}
        self._float32 = self._run(REFERENCES["model.tflite"], "none")["output"]

    def show(self, reasons: dict[Runtime, str]) -> None:
        """Prints the table; `reasons` says why a runtime is skipped."""
        self._show_row(self.preset, list(self.quantize))
        click.echo(f"|---|{'---|' * len(self.quantize)}")
        for runtime in RUNTIMES:
            if runtime in REFERENCES.values():
                limits = [shown(self._bound(runtime, q), self._is_pose) for q in self.quantize]
                self._show_row(f"Bound, {Path(runtime.file).suffix}", limits)
            skipped = f"skipped: {_cleaned(reasons[runtime])}" if reasons[runtime] else ""
            self._show_row(runtime.title, [skipped or self._cell(runtime, q) for q in self.quantize])
        self._show_row("Core ML", [_core_ml(self.folder / q) for q in self.quantize])

    def _show_row(self, title: str, cells: list[str]) -> None:
        click.echo(f"| {title} | {' | '.join(cells)} |")

    @property
    def _is_pose(self) -> bool:
        return self._float32.ndim == 4

    def _bound(self, runtime: Runtime, quantization: str) -> float:
        output = "pose_m" if self._is_pose else "probabilities"
        return bound(quantization, output, Path(runtime.file).suffix)

    def _cell(self, runtime: Runtime, quantization: str) -> str:
        found = self._run(runtime, quantization)
        if "refused" in found:
            return f"refused: {_cleaned(found['refused'])}"
        limit = self._bound(runtime, quantization)
        if runtime in REFERENCES.values():
            self._expected[runtime.file, quantization] = found["output"]
            # What a quantization loses has bounds of its own, which the export has checked.
            limit = limit if quantization == "none" else math.inf
            text, fine = cell(found, self._float32, limit, " from float32")
        else:
            text, fine = cell(found, self._expected[runtime.file, quantization][:: runtime.every], limit)
        if not fine:
            self.above.append(f"{runtime.title}, {self.preset}, {quantization}: {text}")
        return text

    def _run(self, runtime: Runtime, quantization: str) -> dict[str, Any]:
        """`output` and `latency_ms` of a file, or why it is `refused`.

        Raises:
            click.ClickException: A reference refuses it.
        """
        windows, result = self.windows, self.windows.with_suffix(".result.npz")
        if runtime.every > 1:
            windows = self.windows.with_suffix(f".every{runtime.every}.npz")
            np.savez(windows, **{name: array[:: runtime.every] for name, array in np.load(self.windows).items()})
        result.unlink(missing_ok=True)
        refused = run(command(runtime, self.cache, self.folder / quantization / runtime.file, windows, result))
        if refused and runtime in REFERENCES.values():
            raise click.ClickException(f"{runtime.title} cannot run {self.preset}, {quantization}: {refused}")
        return {"refused": refused} if refused else dict(np.load(result))


def _core_ml(folder: Path) -> str:
    """What became of the Core ML package, which is read back and not run."""
    if (folder / "model.mlpackage").exists():
        return "converted, not run"
    return "skipped: needs coremltools" if folder.name in CORE_ML else "refused"


def cell(found: dict[str, Any], expected: np.ndarray, limit: float, of: str = "") -> tuple[str, bool]:
    """What a cell says, and whether the difference is within its bound.

    Args:
        found: What open_file.py or browser.py wrote.
        expected: (windows, 1 or T, joints, 3) meters or (windows, classes) probabilities.
        limit: Largest difference that is right.
        of: Words after the difference.
    """
    if found["output"].size != expected.size:
        return f"**outputs of another shape, {found['output'].shape}**", False
    is_pose = expected.ndim == 4
    difference = float(np.abs(found["output"].reshape(expected.shape) - expected).max())
    fine = difference <= limit
    text = shown(difference, is_pose) + of
    if not fine:
        text = f"**{text}, above {shown(limit, is_pose)}**"
    return f"{text}, {float(found['latency_ms']):.1f} ms", fine


def shown(difference: float, is_pose: bool) -> str:
    """A distance in meters as millimeters, or a difference of a probability."""
    return f"{difference * MM_PER_M:.2g} mm" if is_pose else f"{difference:.2g}"


def _wrapped(text: str) -> str:
    """The line as docs/export.md holds it."""
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


def _cleaned(reason: str) -> str:
    return reason.removeprefix("RuntimeError: ").replace("|", "/")[:120]


def _processor() -> str:
    """Name of the processor where the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
