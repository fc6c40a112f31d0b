"""`skelgnn-tf benchmark`: it measures what it says of every kind of model, and refuses what is none."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys

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
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells a process's memory")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """lifter/ and recognizer/, run folders, and the lifter as model.tflite and model.onnx."""
    folder = tmp_path_factory.mktemp("benchmark")
    for name, config in (("lifter", LIFTER), ("recognizer", RECOGNIZER)):
        (folder / name).mkdir()
        checkpoints.save(build_model(config, ("sit", "stand")), config, folder / name / "model.keras")
    phone = PhoneModel(build_model(LIFTER), LIFTER, COCO_17)
    described = json.dumps(contract.describe(phone, "tiny", folder / "lifter") | {"quantization": "none"})
    for file, form in (("model.tflite", tflite), ("model.onnx", onnx)):
        (folder / file).write_bytes(form.with_contract(form.convert(phone), described))
    return folder


def call(*arguments):
    return CliRunner().invoke(main, ["benchmark", *map(str, arguments)], catch_exceptions=False)


@pytest.fixture(scope="module")
def printed(folder):
    """Of two Keras models, a `.tflite` and an `.onnx` file."""
    files = [folder / name for name in ("model.tflite", "model.onnx", "lifter", "recognizer/model.keras")]
    result = call(*files, "--runs", 12, "--threads", 1)
    assert result.exit_code == 0, result.output
    return result.output


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
