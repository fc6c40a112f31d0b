"""LiteRT's GPU path: an exported file is compared with the CPU, and neither a missing nor a broken GPU does harm."""

import io
import os
from pathlib import Path

import keras
import numpy as np
import pytest

pytest.importorskip("tensorflow")
if keras.backend.backend() != "tensorflow":
    pytest.skip("the export needs Keras' TensorFlow backend", allow_module_level=True)

import json

from rich.console import Console

from skelgnn_tf.export import contract, gpu, summary
from skelgnn_tf.export.calibration import RealClips
from skelgnn_tf.export.formats import tflite
from skelgnn_tf.export.verify import Verification
from support import tiny_export
from support.tiny_export import action_config, inputs_of, lift_config, phone

LIFTER = lift_config(frames=3, causal=True)
# The GPU path refuses the graph of 8 frames.
RECOGNIZER = action_config(frames=16)
#: Vulkan in software, from Debian's chromium.
SWIFTSHADER = Path("/usr/lib/chromium/vk_swiftshader_icd.json")


@pytest.fixture(scope="module", params=["lifter", "recognizer"])
def exported(request, tmp_path_factory):
    """A small model's `.tflite` file, and windows for it."""
    config = LIFTER if request.param == "lifter" else RECOGNIZER
    told = json.dumps(contract.describe(phone(config), "small", "runs/small"))
    path = tmp_path_factory.mktemp("gpu") / "model.tflite"
    path.write_bytes(tflite.with_contract(tiny_export.tflite(config), told))
    return path, RealClips("drawn", inputs_of(phone(config), batch=25), None)


@pytest.fixture
def software_gpu(monkeypatch):
    if not SWIFTSHADER.exists():
        pytest.skip(f"needs the software Vulkan of Debian's chromium ({SWIFTSHADER})")
    monkeypatch.setenv("VK_ICD_FILENAMES", str(SWIFTSHADER))


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(gpu, "_DEVICES", ())
    for name in ("VK_ICD_FILENAMES", "VK_DRIVER_FILES"):
        monkeypatch.delenv(name, raising=False)


def test_a_gpu_gives_the_outputs_of_the_cpu(exported, software_gpu):
    found = gpu.compare(exported[0], "none", exported[1])
    assert found["agrees"], found
    assert 0 < found["largest_difference"] <= 1e-5 == found["bound"] and found["windows"] == 21
    assert json.loads(json.dumps(found)) == found


def test_a_difference_above_the_bound_is_told(exported, software_gpu, monkeypatch):
    monkeypatch.setitem(gpu._BOUNDS, "none", (0.0, 0.0))
    assert gpu.compare(exported[0], "none", exported[1])["agrees"] is False


def test_without_a_gpu_there_is_nothing_to_tell(exported, no_gpu, monkeypatch):
    # On Linux; elsewhere LiteRT is asked.
    monkeypatch.setattr("sys.platform", "linux")
    assert gpu.compare(exported[0], "none", exported[1]) is None


def test_a_driver_that_cannot_be_loaded_is_a_reason(exported, no_gpu, monkeypatch, tmp_path):
    monkeypatch.setenv("VK_ICD_FILENAMES", str(tmp_path / "missing.json"))
    found = gpu.compare(exported[0], "none", exported[1])
    assert list(found) == ["reason"] and found["reason"]


def test_a_driver_that_hangs_is_given_up(exported, monkeypatch, tmp_path):
    monkeypatch.setenv("VK_ICD_FILENAMES", str(tmp_path / "missing.json"))
    monkeypatch.setattr(gpu, "_TIMEOUT", 0.01)
    assert gpu.compare(exported[0], "none", exported[1]) == {"reason": "it gave no result within 0.01 s"}


@pytest.mark.skipif(os.name != "posix", reason="a process that ends by a signal")
def test_a_driver_that_crashes_is_a_reason(exported, monkeypatch, tmp_path):
    crashing = tmp_path / "python"
    crashing.write_text("#!/bin/sh\nkill -SEGV $$\n")
    crashing.chmod(0o755)
    monkeypatch.setenv("VK_ICD_FILENAMES", "any")
    monkeypatch.setattr("sys.executable", str(crashing))
    assert gpu.compare(exported[0], "none", exported[1]) == {"reason": "the process was ended by signal 11"}


def test_the_cpu_as_an_accelerator_gives_the_outputs_of_the_interpreter(exported):
    file, clips = exported
    window = next(clips.one_by_one())
    found, expected = gpu.compiled(file, "CPU")(**window), gpu.Runner(file).run(**window)
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, atol=1e-6)


def test_coarser_arithmetic_has_a_wider_bound():
    assert set(gpu._BOUNDS) == set(tflite.QUANTIZATIONS)
    for output in ("pose_m", "probabilities"):
        none, half, dynamic, int8 = (gpu.bound(q, output) for q in ("none", "float16", "dynamic", "int8"))
        assert none == half < dynamic < int8
        # Of a dynamic .onnx file only the weights have 8 bits.
        assert gpu.bound("dynamic", output, ".onnx") == none < gpu.bound("int8", output, ".onnx") == int8


@pytest.mark.parametrize(
    ("found", "score", "text"),
    [
        ({"windows": 21, "largest_difference": 2e-5, "bound": 1e-4, "agrees": True}, "MPJPE mm",
         "LiteRT on this machine's GPU differs from the CPU by at most 0.02 mm (limit: 0.1 mm)"),
        ({"windows": 21, "largest_difference": 0.8, "bound": 0.03, "agrees": False}, "top-1 %",
         "differs from the CPU by 0.8 of a probability (limit: 0.03 of a probability)"),
        ({"windows": 21, "largest_difference": None, "bound": 0.03, "agrees": False}, "MPJPE mm",
         "differs from the CPU by NaN (limit: 30 mm)"),
        ({"reason": "no driver"}, "MPJPE mm", "does not run it on this machine's GPU (no driver)"),
    ],
)  # fmt: skip
def test_the_summary_says_what_the_gpu_gave_and_warns_of_a_difference(found, score, text):
    result = Verification("clips", 0.0, 0.0, score, 50.0, 50.0, 1, 1, {"1": 1.0})
    printed = io.StringIO()
    entry = {"quantization": "none", "gpu": found}
    console = Console(file=printed, width=300)
    summary.show(Path("out"), {"model.tflite": entry}, {"model.tflite": result}, console)
    assert text in printed.getvalue()
    assert ("WARNING" in printed.getvalue()) == (found.get("agrees") is False)
