"""`skelgnn-tf benchmark`: it measures what it says of every kind of model, and refuses what is none."""

import hashlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("tensorflow")
if keras.backend.backend() != "tensorflow":
    pytest.skip("the export needs Keras' TensorFlow backend", allow_module_level=True)

from skelgnn_tf import checkpoints
from skelgnn_tf.cli.main import main
from skelgnn_tf.configs import ActionConfig, LiftConfig
from skelgnn_tf.export import benchmark, contract
from skelgnn_tf.export.formats import onnx, tflite
from skelgnn_tf.export.graph.phone_model import PhoneModel
from skelgnn_tf.models.build import build_model
from skelgnn_tf.skeletons import COCO_17
from support.benchmark_output import number, rows

LIFTER = LiftConfig(frames=3, channels=4, squeeze=0.5, blocks=1, sharing="shared", dynamic=False)
RECOGNIZER = ActionConfig(
    dataset=("npz",), skeleton="ntu_25", input="pose", frames=8, persons=2, confidence=False,
    normalization="center", size="small", channels=4, dynamic=False,
)  # fmt: skip
#: Vulkan in software, from Debian's chromium.
SWIFTSHADER = Path("/usr/lib/chromium/vk_swiftshader_icd.json")
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells a process's memory")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """lifter/ and recognizer/, run folders; the lifter as model.tflite, with its contract.json, and as model.onnx."""
    folder = tmp_path_factory.mktemp("benchmark")
    for name, config in (("lifter", LIFTER), ("recognizer", RECOGNIZER)):
        (folder / name).mkdir()
        checkpoints.save(build_model(config, ("sit", "stand")), config, folder / name / "model.keras")
    phone = PhoneModel(build_model(LIFTER), LIFTER, COCO_17)
    described = json.dumps(contract.describe(phone, "tiny", folder / "lifter") | {"quantization": "none"})
    for file, form in (("model.tflite", tflite), ("model.onnx", onnx)):
        (folder / file).write_bytes(form.with_contract(form.convert(phone), described))
    entries = {
        "model.tflite": entry(folder / "model.tflite"),
        "model.onnx": entry(folder / "model.onnx") | {"sha256": "0"},
    }
    (folder / "contract.json").write_text(json.dumps({"files": entries}))
    return folder


def entry(file):
    """What the contract next to a file says of it."""
    measured = {"score": "MPJPE mm", "keras": 40.25, "file": 40.5, "lost": 0.25, "clips": "9 windows of sways"}
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return {"sha256": digest, "verification": measured | {"latency_ms": {"1": 3.0}}}


def call(*arguments):
    return CliRunner().invoke(main, ["benchmark", *map(str, arguments)], catch_exceptions=False)


@pytest.fixture(scope="module")
def measured(folder):
    """What is printed and what is written of two Keras models, a `.tflite` and an `.onnx` file."""
    files = [folder / name for name in ("model.tflite", "model.onnx", "lifter", "recognizer/model.keras")]
    result = call(*files, "--runs", 12, "--threads", 1, "--json", folder / "reports/bench.json")
    assert result.exit_code == 0, result.output
    return result.output, json.loads((folder / "reports/bench.json").read_text())


@pytest.fixture(scope="module")
def printed(measured):
    return measured[0]


def test_every_kind_of_model_has_a_row_with_its_size(folder, printed):
    table = rows(printed)
    files = ["model.tflite", "model.onnx", "lifter/model.keras", "recognizer/model.keras"]
    assert [row[1] for row in table] == ["LiteRT, none", "onnxruntime, none", "Keras, float32", "Keras, float32"]
    for row, file in zip(table, files, strict=True):
        found, size = number(row[2]) * 1e6, (folder / file).stat().st_size
        # A Keras file holds more than its weights, which are what counts.
        assert abs(found - size) <= 500 if "Keras" not in row[1] else 0 < found < size
    assert multiprocessing.active_children() == []


def test_the_share_of_a_frame_is_the_medians_and_p95_is_no_less(printed):
    for row in rows(printed):
        median, p95, share = map(number, row[4:7])
        assert 0 < median <= p95
        # 30 frames are a second; both are rounded.
        assert abs(share - 30 * median / 1000 * 100) < 0.052


def test_the_score_is_that_of_the_contract_that_describes_the_file(printed):
    # The other file's hash is not the contract's, and a Keras model has none.
    assert [row[9] for row in rows(printed)] == ["40.50 MPJPE mm (+0.25)", "unknown", "unknown", "unknown"]


def test_loading_and_the_first_run_are_apart(printed):
    assert all(seconds > 0 for row in rows(printed) for seconds in map(float, row[8].split(" + ")))


def test_the_json_says_the_same_as_the_table(folder, measured):
    printed, report = measured
    assert report["format"] == 1 and report["cpu_cores"] == os.cpu_count() and len(report["models"]) == 4
    for row, model in zip(rows(printed), report["models"], strict=True):
        assert (model["runtime"], model["accelerator"], model["threads"], model["runs"]) == (row[1], "cpu", 1, 12)
        cells = [f"{model['bytes'] / 1e6:.3f}", "1", f"{model['median_ms']:.3f}", f"{model['p95_ms']:.3f}"]
        assert row[2:6] == cells
        assert row[8] == f"{model['load_ms']:.0f} + {model['first_run_ms']:.1f}"
        assert model["gpu_difference"] is None
    assert [model["file"] for model in report["models"]][:2] == [
        str(folder / "model.tflite"),
        str(folder / "model.onnx"),
    ]
    score = {
        key: entry(folder / "model.tflite")["verification"][key] for key in ("score", "keras", "file", "lost", "clips")
    }
    assert [model["accuracy"] for model in report["models"]] == [score, None, None, None]


def test_an_unwritable_json_is_refused_before_the_work(folder):
    result = call(folder / "model.tflite", "--json", folder)
    assert result.exit_code == 2 and result.stdout == "" and result.stderr.count("\n") == 1
    assert "cannot write --json" in result.stderr


@pytest.mark.parametrize("name", ["model.onnx", "lifter"])
def test_only_tflite_files_run_on_a_gpu(folder, name):
    result = call(folder / "model.tflite", folder / name, "--accelerator", "gpu")
    assert result.exit_code == 2 and result.stdout == "" and result.stderr.count("\n") == 1
    assert f"--accelerator gpu must be used with .tflite files. Received: {folder / name}." in result.stderr


@linux
def test_without_a_gpu_it_is_refused_in_one_line(folder, monkeypatch):
    for variable in ("VK_ICD_FILENAMES", "VK_DRIVER_FILES"):
        monkeypatch.setenv(variable, str(folder / "none.json"))
    result = call(folder / "model.tflite", "--accelerator", "gpu")
    assert result.exit_code == 2 and result.stdout == "" and result.stderr.count("\n") == 1
    assert "must be used where LiteRT finds a GPU" in result.stderr and "--accelerator cpu" in result.stderr


def test_a_gpu_is_compared_with_the_cpu(folder, monkeypatch):
    if not SWIFTSHADER.exists():
        pytest.skip(f"needs the software Vulkan of Debian's chromium ({SWIFTSHADER})")
    monkeypatch.setenv("VK_ICD_FILENAMES", str(SWIFTSHADER))
    result = call(folder / "model.tflite", "--accelerator", "gpu", "--runs", 2, "--json", folder / "gpu.json")
    assert result.exit_code == 0, result.output
    (model,) = json.loads((folder / "gpu.json").read_text())["models"]
    assert (model["accelerator"], model["threads"], model["runtime"]) == ("gpu", None, "LiteRT, GPU, none")
    assert 0 <= model["gpu_difference"] < 1e-4 and model["runs"] == 2
    (row,) = rows(result.output)
    assert row[3] == "" and number(row[10]) < 1e-4


@linux
def test_memory_is_that_of_a_process_that_has_the_models_runtime_alone(printed):
    for row in rows(printed):
        runtime, own = map(float, row[7].split(" + "))
        assert own > 0
        # This process has TensorFlow, and a phone's runtime is a small part of that.
        assert (runtime > 200) if "Keras" in row[1] else (15 < runtime < 150)


@linux
def test_memory_that_was_given_back_counts_at_its_peak():
    code = (
        "import numpy as np; from skelgnn_tf.export.benchmark import _memory_bytes as memory; before = memory('VmRSS');"
        "np.ones(200_000_000, np.uint8); print(memory('VmHWM') - before, memory('VmRSS') - before)"
    )
    peak, now = map(int, subprocess.check_output([sys.executable, "-c", code], text=True).split())
    assert 190e6 < peak < 230e6 and now < 50e6


def test_models_take_turns_and_none_is_always_first():
    asked = []

    def work(name):
        def run(times):
            asked.append((name, times))
            return [len(asked)] * times

        return run

    seconds = benchmark.in_turns([work(name) for name in "abc"], 25)
    assert [len(taken) for taken in seconds] == [25, 25, 25]
    for turn, times in enumerate((10, 10, 5)):
        assert sorted(asked[3 * turn : 3 * turn + 3]) == [("a", times), ("b", times), ("c", times)]
    assert {asked[begin][0] for begin in (0, 3, 6)} == {"a", "b", "c"}
    # The times are those of the work's own turns.
    assert all(asked[turn - 1][0] == name for name, taken in zip("abc", seconds, strict=True) for turn in taken)


@pytest.mark.parametrize("shape", [(1, 9, 17, 3), (1, 2, 64, 33, 3)])
def test_the_keypoints_are_of_a_person_in_the_picture_who_moves(shape):
    x = benchmark._filled(shape, benchmark._person("keypoints", shape))
    assert x.shape == shape and x.dtype == np.float32
    xy = x[..., :2]
    assert np.all((xy > 0) & (xy < benchmark._PICTURE_PX)) and np.all(x[..., 2] == 1)
    width, height = np.ptp(xy.reshape(-1, 2), axis=0)
    assert 200 < width < 800 and 400 < height < 1000
    assert np.all(np.ptp(xy, axis=-3) > 0)


def test_a_pose_is_a_grown_up_in_front_of_the_camera():
    x = benchmark._filled((1, 1, 64, 25, 3), benchmark._person("pose_m", (1, 1, 64, 25, 3)))
    assert 1 < np.ptp(x[..., 1]) < 2.1 and 3 < x[..., 2].min() < x[..., 2].max() < 5


def test_what_is_no_model_costs_one_line(folder, tmp_path):
    (tmp_path / "notes.tflite").write_text("mine")
    (tmp_path / "notes.onnx").write_text("mine")
    # What a shell leaves of a pattern that fits nothing.
    for name, message in (
        ("*.onnx", "must be a .tflite or .onnx file. Nothing was found"),
        ("none.tflite", "must be a .tflite or .onnx file. Nothing was found"),
        ("notes.tflite", "must be a .tflite or .onnx file of skelgnn-tf"),
        ("notes.onnx", "must be a .tflite or .onnx file of skelgnn-tf"),
    ):
        result = call(folder / "model.tflite", tmp_path / name, "--threads", 1)
        assert result.exit_code == 2 and result.stdout == ""
        assert result.stderr.startswith(f"skelgnn-tf: {tmp_path / name} {message}") and result.stderr.count("\n") == 1
        assert multiprocessing.active_children() == []


def test_a_model_that_is_no_preset_either_costs_one_line():
    result = call("no_such_preset")
    assert result.exit_code == 2 and result.stderr.count("\n") == 1
    assert "no_such_preset must be a run folder, a .keras file or a preset" in result.stderr


@pytest.mark.parametrize("arguments", [[], ["a.tflite", "--threads", "0"], ["a.tflite", "--runs", "0"]])
def test_nothing_to_run_is_refused(arguments):
    assert call(*arguments).exit_code == 2


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal")
def test_a_process_that_the_system_ends_is_said_in_one_line(folder):
    process = benchmark._Process(folder / "model.tflite", 1)
    process.ready()
    os.kill(process._process.pid, signal.SIGKILL)
    with pytest.raises(ValueError, match=r"model.tflite: its process ended with code -9"):
        # One may be answered before the signal comes through.
        while True:
            process.run(1000)
    process.end()
