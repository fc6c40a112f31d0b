"""Saving a prediction: what every file has, and what it costs to import."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from skelgnn_tf.inference.result import Poses, Prediction
from skelgnn_tf.skeletons import H36M_17
from skelgnn_tf.writers import check_suffix, save


@pytest.fixture
def prediction():
    rng = np.random.default_rng(0)
    pose_m, confidence = rng.normal(size=(4, 17, 3)).astype(np.float32), rng.random((4, 17), np.float32)
    return Prediction(
        source="squats.mp4", layout="coco_17", image_size_px=(640, 480), fps=30.0, num_frames=4, num_persons=1,
        person=0, notes=(), poses=Poses("lifter", H36M_17, pose_m, 0, pose_m, confidence), actions=None,
    )  # fmt: skip


def test_json_begins_with_the_number_of_its_schema(prediction, tmp_path):
    found = json.loads(save(prediction, tmp_path / "a.json").read_text())
    assert next(iter(found)) == "format" and found["format"] == 2
    assert set(found) - {"format"} == {
        "source", "layout", "image_size_px", "fps", "num_frames", "num_persons", "person", "notes", "pose", "action",
        "motion",
    }  # fmt: skip


@pytest.mark.parametrize("suffix", [".json", ".npz", ".csv", ".bvh", ".trc"])
def test_a_file_is_written_into_a_new_folder_and_nothing_else_is_left_there(prediction, tmp_path, suffix):
    file = save(prediction, tmp_path / "deep" / f"out{suffix}")
    assert file.stat().st_size > 0 and list(file.parent.iterdir()) == [file]


def test_formats_that_hold_only_poses_refuse_a_prediction_without_them(prediction, tmp_path):
    for suffix in (".bvh", ".trc"):
        with pytest.raises(ValueError, match=rf"out{suffix} must end with .json, .npz, .csv without a lifter"):
            save(replace(prediction, poses=None), tmp_path / f"out{suffix}")
    with pytest.raises(ValueError, match="out must end with .json, .npz, .csv, .bvh, .trc. Received: no suffix"):
        check_suffix("out")


@pytest.mark.parametrize("module", ["motion", "writers", "skeletons", "geometry", "graph"])
def test_importing_a_room_of_arrays_loads_no_deep_learning_framework(module):
    program = f"""
import sys
import skelgnn_tf.{module}
loaded = {{"tensorflow", "keras", "jax", "torch", "scipy"}} & sys.modules.keys()
assert not loaded, loaded
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=dict(os.environ))
    assert ran.returncode == 0, ran.stderr
