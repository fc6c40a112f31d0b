"""`make runtimes`: files give Keras' numbers in the runtimes that are installed, and the table marks a difference."""

import importlib.util
import json
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

pytest.importorskip("tensorflow")
if keras.backend.backend() != "tensorflow":
    pytest.skip("the export needs Keras' TensorFlow backend", allow_module_level=True)

from skelgnn_tf.export import contract
from skelgnn_tf.export.formats import onnx, tflite
from skelgnn_tf.export.verify import keras_poses, keras_probabilities
from skelgnn_tf.inference.runner import Runner
from skelgnn_tf.skeletons import COCO_17
from support import tiny_export
from support.tiny_export import action_config, inputs_of, lift_config, phone

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks" / "runtimes"
CONFIGS = {"lifter": lift_config(), "recognizer": action_config()}
WINDOWS = 4


def module(name, patch):
    """Imports a script of benchmarks/runtimes."""
    # The table's script sets it for the process that it is.
    patch.setenv("KERAS_BACKEND", "tensorflow")
    patch.syspath_prepend(FOLDER)
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    # Dataclasses look up their module in sys.modules.
    patch.setitem(sys.modules, name, loaded)
    spec.loader.exec_module(loaded)
    return loaded


with pytest.MonkeyPatch.context() as at_collection:
    environments = module("environments", at_collection)
RUNTIMES = {runtime.title: runtime for runtime in environments.RUNTIMES}


@pytest.fixture(scope="module")
def table():
    with pytest.MonkeyPatch.context() as patch:
        yield module("runtimes", patch)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """(model, quantization, name of the file) -> the exported file of a small model."""
    folder = tmp_path_factory.mktemp("runtimes")

    def export(model, quantization, name):
        path = folder / model / quantization / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            config = CONFIGS[model]
            made, form = (tiny_export.onnx, onnx) if path.suffix == ".onnx" else (tiny_export.tflite, tflite)
            told = json.dumps(contract.describe(phone(config), "small", "runs/small"))
            path.write_bytes(form.with_contract(made(config, quantization=quantization), told))
        return path

    return export


def outputs_of(runtime, file, model, tmp_path):
    """What a runtime gives for a few windows in a process of its own, (windows, ...)."""
    windows, result = tmp_path / "windows.npz", tmp_path / "result.npz"
    np.savez(windows, **inputs_of(phone(CONFIGS[model]), WINDOWS))
    reason = environments.run(environments.command(runtime, environments.CACHE, file, windows, result))
    assert reason == ""
    found = np.load(result)
    assert found["latency_ms"] > 0
    return found["output"].reshape(WINDOWS, -1)


def expected_of(model):
    config, inputs = CONFIGS[model], inputs_of(phone(CONFIGS[model]), WINDOWS)
    if model == "lifter":
        return keras_poses(tiny_export.lived_in(config), COCO_17, False, inputs).reshape(WINDOWS, -1)
    return keras_probabilities(tiny_export.lived_in(config), COCO_17, inputs)


@pytest.mark.parametrize("model", CONFIGS)
@pytest.mark.parametrize("title", RUNTIMES)
def test_a_file_gives_the_numbers_of_keras_in_every_runtime_that_is_installed(title, model, files, tmp_path):
    runtime = RUNTIMES[title]
    if runtime.browser or runtime.name == "litert_gpu":
        pytest.skip("takes a browser or a GPU: make runtimes; tests/export/test_gpu.py")
    if reason := environments.missing(runtime, environments.CACHE):
        pytest.skip(f"{reason}: make runtimes installs it")
    found = outputs_of(runtime, files(model, "none", runtime.file), model, tmp_path)
    np.testing.assert_allclose(found, expected_of(model), atol=1e-4)


@pytest.mark.parametrize("quantization", ["dynamic", "int8"])
@pytest.mark.parametrize("model", CONFIGS)
def test_both_interfaces_of_litert_round_a_file_alike(model, quantization, files, tmp_path):
    file = files(model, quantization, "model.tflite")
    found = outputs_of(RUNTIMES["LiteRT CompiledModel, CPU"], file, model, tmp_path)
    runner, output = Runner(file), "pose_m" if model == "lifter" else "probabilities"
    inputs = tiny_export.each(inputs_of(phone(CONFIGS[model]), WINDOWS))
    expected = np.concatenate([runner.run(**window)[output] for window in inputs]).reshape(WINDOWS, -1)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_runtime_that_is_missing_or_fails_gives_its_reason(files, tmp_path):
    openvino = RUNTIMES["OpenVINO, .onnx"]
    assert environments.missing(openvino, tmp_path) == f"needs openvino in {tmp_path}"
    windows, result = tmp_path / "windows.npz", tmp_path / "result.npz"
    np.savez(windows, **inputs_of(phone(CONFIGS["lifter"]), WINDOWS))
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    command = environments.command(RUNTIMES["onnxruntime"], tmp_path, tmp_path / "model.onnx", windows, result)
    assert "model.onnx" in environments.run(command) and not result.exists()


def test_a_runtime_that_hangs_is_ended_with_all_of_its_processes(tmp_path):
    hanging = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {sleeping(tmp_path)!r}]).wait()"
    assert environments.run([sys.executable, "-c", hanging], seconds=5) == "no result within 5 s"
    child = int((tmp_path / "pid").read_text())
    # The system takes a moment to end it.
    end = time.monotonic() + 20
    while is_running(child) and time.monotonic() < end:
        time.sleep(0.05)
    assert not is_running(child)


def is_running(pid):
    stat = Path(f"/proc/{pid}/stat")
    # An ended process may wait as a zombie for its new parent.
    return stat.exists() and stat.read_text().rpartition(") ")[2][0] != "Z"


def sleeping(folder):
    return f"import os, time; open({str(folder / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(600)"


@pytest.mark.parametrize(
    ("shape", "apart", "limit", "text", "fine"),
    [
        ((24, 1, 17, 3), 5e-6, 1e-5, "0.005 mm, 1.2 ms", True),
        ((24, 1, 17, 3), 2e-4, 1e-5, "**0.2 mm, above 0.01 mm**, 1.2 ms", False),
        ((24, 1, 17, 3), 0.1, np.inf, "1e+02 mm, 1.2 ms", True),
        ((24, 14), 0.02, 0.03, "0.02, 1.2 ms", True),
        ((24, 14), 0.8, 0.03, "**0.8, above 0.03**, 1.2 ms", False),
        ((24, 14), np.nan, np.inf, "**nan, above inf**, 1.2 ms", False),
    ],
)
def test_a_difference_above_its_bound_is_marked(table, shape, apart, limit, text, fine):
    expected = np.random.default_rng(0).random(shape).astype(np.float32)
    found = expected.copy()
    found.flat[7] += apart
    assert table.cell({"output": found.reshape(24, -1), "latency_ms": 1.23}, expected, limit) == (text, fine)


def test_outputs_of_another_shape_are_marked(table):
    found = {"output": np.zeros((24, 13)), "latency_ms": 1.0}
    assert table.cell(found, np.zeros((24, 14), np.float32), 1.0)[1] is False


@pytest.fixture
def rows(table, files, tmp_path, monkeypatch, capsys):
    """A function that prints the table of a small lifter: {title: cells of "none" and "int8"}, and what is above."""
    titles = ("LiteRT Interpreter", "LiteRT CompiledModel, CPU", "onnxruntime")
    monkeypatch.setattr(table, "RUNTIMES", [runtime for runtime in table.RUNTIMES if runtime.title in titles])
    np.savez(tmp_path / "windows.npz", **inputs_of(phone(CONFIGS["lifter"]), WINDOWS))
    for quantization in ("none", "int8"):
        (tmp_path / quantization).mkdir()
        for name in ("model.tflite", "model.onnx"):
            (tmp_path / quantization / name).write_bytes(files("lifter", quantization, name).read_bytes())

    def show():
        made = table._Table("toy", tmp_path, tmp_path / "windows.npz", ("none", "int8"), tmp_path)
        made.show(dict.fromkeys(table.RUNTIMES, ""))
        lines = [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines()]
        return {title: cells for title, *cells in lines}, made.above

    return show


def test_a_runtime_is_compared_with_the_cpu_for_the_same_file_and_that_with_float32(rows):
    found, above = rows()
    assert above == []
    assert list(found)[2:] == [
        "Bound, .tflite", "LiteRT Interpreter", "LiteRT CompiledModel, CPU", "Bound, .onnx", "onnxruntime", "Core ML",
    ]  # fmt: skip
    lost = found["LiteRT Interpreter"][1]
    assert " mm from float32, " in lost and float(lost.split(" mm")[0]) > 0.1
    assert float(found["LiteRT CompiledModel, CPU"][1].split(" mm")[0]) < 0.01
    assert "from float32" not in found["LiteRT CompiledModel, CPU"][1]


def test_an_onnx_file_of_another_model_is_above_the_bound(rows, tmp_path):
    other = tiny_export.onnx(lift_config(dynamic=False))
    (tmp_path / "none" / "model.onnx").write_bytes(other)
    (above,) = rows()[1]
    assert above.startswith("onnxruntime, toy, none: **") and "above 0.01 mm" in above
