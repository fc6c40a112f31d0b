"""What the export refuses costs one line and leaves nothing; what `--force` keeps says so."""

import errno
import os
import shutil
import subprocess

import keras
import numpy as np
import pytest

pytest.importorskip("tensorflow")
if keras.backend.backend() != "tensorflow":
    pytest.skip("the export needs Keras' TensorFlow backend", allow_module_level=True)

from skelgnn_tf.export import calibration
from support import tiny_export, tiny_h36m
from support.export_command import a_run, a_small_run, call, mistake, told
from support.tiny_export import action_config


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tiny_h36m.write(tmp_path_factory.mktemp("h36m"))


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working folder; few windows are compared."""
    monkeypatch.setattr(calibration, "WINDOWS", 20)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def small(here, data):
    return a_small_run(here, data)


def test_a_model_that_gives_no_numbers_leaves_no_file(here, data):
    a_small_run(here, data, lambda w: np.full_like(w, np.nan))
    for format in ("--onnx", "--tflite"):
        message = mistake("runs/small", format, "--output", "out")
        assert "differs from Keras by nan" in message and "was not kept" in message and "--force" in message


def test_force_keeps_what_breaks_its_bound_and_says_so(here, data):
    # Kilometers in float32 are not known to a tenth of a millimeter.
    a_small_run(here, data, lambda w: w * 1000 if w.ndim > 1 else w)
    assert "differs from Keras by" in mistake("runs/small", "--onnx", "--output", "out")
    result = call("runs/small", "--onnx", "--output", "out", "--force")
    assert result.exit_code == 0, result.output
    assert "kept by --force although it differs from Keras by" in result.stdout
    assert "differs from Keras by" in told(here / "out")["files"]["model.onnx"]["broken_bound"]


def test_without_training_clips_int8_asks_for_their_folder(here, data):
    a_small_run(here, here / "gone")
    message = mistake("runs/small", "--tflite", "--quantize", "int8", "--output", "out")
    assert "h36m" in message and f"{here / 'gone'}" in message and "--data-dir" in message
    result = call("runs/small", "--tflite", "--quantize", "int8", "--output", "out", "--data-dir", data, "--force")
    assert result.exit_code == 0, result.output
    assert told(here / "out")["files"]["model.tflite"]["quantization"] == "int8"
    assert "h36m (test split)" in result.stdout


def test_without_the_models_data_generated_clips_stand_in(here):
    a_small_run(here, here / "gone")
    result = call("runs/small", "--onnx", "--output", "out")
    assert result.exit_code == 0, result.output
    assert "20 windows of generated clips, because the model's own data were not found (test split)" in result.stdout
    assert told(here / "out")["training_data"] == "h36m"


def test_without_the_models_data_a_recognizer_of_other_joints_names_their_folder(here):
    config = action_config(
        dataset=("ntu60-xsub",), data_dir=(str(here / "gone"),), input="pose", skeleton="ntu_25",
        normalization="center", confidence=False,
    )  # fmt: skip
    a_run(here / "runs/acts", tiny_export.lived_in(config), config)
    message = mistake("runs/acts", "--tflite", "--output", "out")
    assert message.startswith(f"{here / 'gone'}: ") and "--data-dir" in message


@pytest.mark.parametrize(
    ("options", "arguments", "words"),
    [
        ({"protocol": "pixel", "keypoint_frame": "screen"}, ["--onnx"], ["--protocol camera"]),
        ({"skeleton": "mpi_inf_3dhp_17"}, ["--onnx", "--keypoint-layout", "coco_17"], ["spine", "head_top"]),
        (
            {},
            ["--tflite", "--onnx", "--quantize", "int16x8"],
            [
                "--quantize must be one of none, float16, dynamic, int8 with --onnx. Received: int16x8. "
                "Export --tflite with int16x8, and --onnx in a second command."
            ],
        ),
        ({}, [], ["--tflite, --onnx, --coreml or several of them", "Received: none"]),
    ],
)
def test_what_cannot_be_exported_is_told_in_one_line(here, data, options, arguments, words):
    a_small_run(here, data, **options)
    message = mistake("runs/small", *arguments, "--output", "out")
    assert all(word in message for word in words), message


def test_a_run_that_was_never_finished_is_named(here):
    (here / "runs/half").mkdir(parents=True)
    (here / "runs/half/config.json").write_text("{}")
    assert "runs/half has no model.keras" in mistake("runs/half", "--tflite")
    assert mistake("runs/none", "--tflite").startswith("runs/none must be a run folder, a .keras file or a preset")


def test_a_disk_that_fills_up_at_the_end_changes_nothing(small, here, data, monkeypatch):
    assert call(small, "--onnx", "--output", "out").exit_code == 0
    a_small_run(here / "other", data, lambda w: w / 2)

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    # Renaming needs room too, in a folder that must grow.
    monkeypatch.setattr(os, "replace", full)
    message = mistake("other/runs/small", "--tflite", "--output", "out", "--overwrite")
    assert message == "out cannot be written: No space left on device. Make room on the disk."


def test_a_full_disk_is_told_in_one_line(small, here):
    disk = here / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        assert "No space left on device. Make room" in mistake(small, "--onnx", "--output", "disk/out")
    finally:
        subprocess.run(["umount", str(disk)], check=True)
