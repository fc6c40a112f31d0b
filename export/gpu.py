"""An exported `.tflite` file on LiteRT's GPU path, compared with the CPU.

A GPU's driver may crash or hang, so the file runs in a process of its own:

    python -m skelgnn_tf.export.gpu FILE.tflite INPUTS.npz OUTPUTS.npz
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skelgnn_tf.inference.runner import Runner

if TYPE_CHECKING:
    # Imports Keras, which the process apart does without.
    from skelgnn_tf.export.calibration import RealClips

#: {quantization: (of a coordinate in meters, of a probability)}: how far a runtime's outputs for a few windows may be
#: from those of LiteRT on the CPU for the same `.tflite` file. Measured with both presets (benchmarks/runtimes):
#: - Arithmetic in 32 bits: right runtimes are within 5e-7 m and 1.1e-6, because they sum in another order.
#: - dynamic: 5.7e-3 m and 5.4e-3. LiteRT's CPU kernels round activations to 8 bits; GPUs and OpenVINO do not.
#: - int8: 0.019 m and 0.016, and wrong ones (OpenVINO with overflows) 0.036 m and 0.086 or more. A value near the
#:   middle of two steps falls to either, and the step grows through the layers: keypoints moved by a hundredth of a
#:   pixel change LiteRT's own outputs by 0.016 m and 0.047.
#: - int16x8: no other runtime takes it. Keypoints moved as far change it by 6e-4 m and 2e-3.
_BOUNDS = {
    "none": (1e-5, 1e-5),
    "float16": (1e-5, 1e-5),
    "dynamic": (12e-3, 0.012),
    "int8": (30e-3, 0.04),
    "int16x8": (2e-3, 5e-3),
}
#: Outputs that are compared, and their places in _BOUNDS.
_COMPARED = {"pose_m": 0, "probabilities": 1}
#: Number of windows; odd, so that the middle one is among them.
_WINDOWS = 21
#: Seconds after which a GPU is given up. A software GPU takes 20 to compile the largest graph.
_TIMEOUT = 120
#: Where Linux has its GPUs.
_DEVICES = ("dri/renderD*", "nvidia[0-9]*", "mali*", "kgsl-3d0")
#: Variables that name a Vulkan driver, which may be one in software.
_DRIVERS = ("VK_DRIVER_FILES", "VK_ICD_FILENAMES")


def bound(quantization: str, output: str, suffix: str = ".tflite") -> float:
    """How far a runtime's outputs may be from those of the CPU for the same file.

    Args:
        quantization: Of the file.
        output: "pose_m" (meters) or "probabilities".
        suffix: Of the file. The CPU is that of LiteRT for ".tflite" and that of onnxruntime for ".onnx".
    """
    # Such a file stores weights in 8 bits and computes in 32.
    if suffix == ".onnx" and quantization == "dynamic":
        quantization = "none"
    return _BOUNDS[quantization][_COMPARED[output]]


def compare(file: Path, quantization: str, clips: RealClips) -> dict[str, Any] | None:
    """Compares outputs of the GPU of this machine with those of the CPU, for the inputs of golden.json and some more.

    Args:
        file: `.tflite`.
        quantization: Of the file.
        clips: Windows to choose from.

    Returns:
        `windows`: how many, `largest_difference` of a coordinate in meters or of a probability (None for NaN), the
        `bound` that it has to keep, and `agrees`; or the `reason` why LiteRT does not run the file there. None on a
        machine without a GPU.
    """
    if not _has_gpu():
        return None
    # The first, the middle and the last one are those of golden.json.
    at = np.linspace(0, len(clips) - 1, _WINDOWS).round().astype(int)
    inputs = {name: array[at] for name, array in clips.inputs.items()}
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder) / "inputs.npz", Path(folder) / "outputs.npz"
        np.savez(given, **inputs)
        reason = _run_apart(file, given, found)
        if reason:
            return {"reason": reason}
        outputs = dict(np.load(found))
    expected = _each(Runner(file).run, inputs)
    name = next(name for name in _COMPARED if name in expected)
    difference, limit = float(np.abs(outputs[name] - expected[name]).max()), bound(quantization, name)
    # JSON has no NaN, and NaN is not "<=" anything.
    largest = difference if np.isfinite(difference) else None
    return {"windows": len(at), "largest_difference": largest, "bound": limit, "agrees": difference <= limit}


def _each(run: Callable[..., dict[str, np.ndarray]], inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The outputs for windows that are run one by one."""
    count = len(next(iter(inputs.values())))
    found = [run(**{name: array[i : i + 1] for name, array in inputs.items()}) for i in range(count)]
    return {name: np.concatenate([outputs[name] for outputs in found]) for name in found[0]}


def _has_gpu() -> bool:
    """Whether there may be a GPU; other systems than Linux have one."""
    named = any(os.environ.get(name) for name in _DRIVERS)
    return sys.platform != "linux" or named or any(next(Path("/dev").glob(d), None) for d in _DEVICES)


def _run_apart(file: Path, inputs: Path, outputs: Path) -> str:
    """Runs the file in a process of its own; returns why there are no outputs, or ""."""
    command = [sys.executable, "-m", "skelgnn_tf.export.gpu", str(file), str(inputs), str(outputs)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=_TIMEOUT)
    except subprocess.TimeoutExpired:
        return f"it gave no result within {_TIMEOUT} s"
    except OSError as error:
        return f"the process did not start: {error.strerror}"
    if done.returncode < 0:
        return f"the process was ended by signal {-done.returncode}"
    return "" if done.returncode == 0 and outputs.exists() else done.stdout.strip()[-200:] or "the process failed"


def compiled(file: Path, accelerator: str) -> Callable[..., dict[str, np.ndarray]]:
    """A `.tflite` file as LiteRT's CompiledModel.

    Args:
        file: Written by `skelgnn-tf export`.
        accelerator: "CPU" or "GPU".

    Returns:
        A function of the inputs by name, float32 with batch size 1, that returns the outputs by name.

    Raises:
        RuntimeError: There is no such accelerator, or it does not take the whole graph.
    """
    from ai_edge_litert.compiled_model import CompiledModel
    from ai_edge_litert.hardware_accelerator import HardwareAccelerator

    model, name = CompiledModel.from_file(str(file), HardwareAccelerator[accelerator]), "serving_default"
    if not model.is_fully_accelerated():
        raise RuntimeError(f"the {accelerator} does not take the whole graph")
    ins = {key: model.create_input_buffer_by_name(name, key) for key in model.get_input_tensor_details(name)}
    shapes = {key: tuple(detail["shape"]) for key, detail in model.get_output_tensor_details(name).items()}
    outs = {key: model.create_output_buffer_by_name(name, key) for key in shapes}

    def run(**inputs: np.ndarray) -> dict[str, np.ndarray]:
        for key, buffer in ins.items():
            buffer.write(np.ascontiguousarray(inputs[key], np.float32))
        model.run_by_name(name, ins, outs)
        return {key: outs[key].read(int(np.prod(shape)), np.float32).reshape(shape) for key, shape in shapes.items()}

    return run


def _main(file: str, inputs: str, outputs: str) -> None:
    """Writes the outputs; prints the reason if there are none."""
    try:
        found = _each(compiled(Path(file), "GPU"), dict(np.load(inputs)))
    except RuntimeError as error:
        print(" ".join(str(error).split()))
        raise SystemExit(1) from error
    np.savez(outputs, **found)  # type: ignore[arg-type]  # for mypy, any name may be that of an option


if __name__ == "__main__":
    _main(*sys.argv[1:])
