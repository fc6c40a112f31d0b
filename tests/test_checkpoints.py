"""Presets: one way to open a run, a file or a preset; what a preset folder holds."""

import json

import numpy as np
import pytest

from skelgnn_tf import checkpoints
from skelgnn_tf.configs.config import Config, build_model, save_model
from skelgnn_tf.datasets import fitness
from skelgnn_tf.inference.windows import recognize
from skelgnn_tf.models import PoseLifter
from skelgnn_tf.models.base import PRESETS, is_preset

CONFIG = Config(frames=9, channels=4, squeeze=0.5, confidence=True, dataset=("h36m",), data_dir=("/my/own/disk",))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    save_model(build_model(CONFIG), CONFIG, folder / "model.keras")
    return folder


def lift(model):
    x = np.random.default_rng(0).uniform(-1, 1, (2, 9, 17, 3)).astype(np.float32)
    return np.asarray(model(x))


def test_a_run_becomes_a_preset_that_lifts_the_same(run, tmp_path):
    checkpoints.save(run, tmp_path / "mine", licence="Apache-2.0", p1_mm=50.0)
    assert {f.name for f in (tmp_path / "mine").iterdir()} == {"config.json", "model.weights.h5", "metadata.json"}
    (original, _), (model, config) = checkpoints.load(run), checkpoints.load(tmp_path / "mine")
    np.testing.assert_array_equal(lift(model), lift(original))
    # All of the run but the folders of its data, which are one machine's.
    assert config == CONFIG.replace(data_dir=())
    metadata = json.loads((tmp_path / "mine" / "metadata.json").read_text())
    assert (metadata["licence"], metadata["p1_mm"]) == ("Apache-2.0", 50.0)
    assert "/my/own/disk" not in (tmp_path / "mine" / "metadata.json").read_text()


def test_a_preset_can_be_saved_from_a_preset(run, tmp_path):
    checkpoints.save(run, tmp_path / "one")
    checkpoints.save(tmp_path / "one", tmp_path / "two")
    np.testing.assert_array_equal(lift(checkpoints.load(tmp_path / "two")[0]), lift(checkpoints.load(run)[0]))


def test_a_file_and_its_run_folder_are_the_same_model(run):
    (a, config), (b, other) = checkpoints.load(run), checkpoints.load(str(run / "model.keras"))
    assert config == other == CONFIG
    np.testing.assert_array_equal(lift(a), lift(b))


@pytest.mark.parametrize("metadata", [None, "{}", "[]", "{", '{"run": {"frames": "nine"}}'])
def test_a_preset_without_its_run_is_refused(run, tmp_path, metadata):
    checkpoints.load(run)[0].save_to_preset(tmp_path)
    if metadata is not None:
        (tmp_path / "metadata.json").write_text(metadata)
    with pytest.raises(ValueError, match=r"metadata.json does not hold the run") as refused:
        checkpoints.load(tmp_path)
    assert "\n" not in str(refused.value)


def test_a_name_that_is_nothing_at_all_is_refused():
    with pytest.raises((FileNotFoundError, ValueError), match="no_such_model"):
        checkpoints.load("no_such_model")


SHIPPED = sorted(f.name for f in PRESETS.glob("*") if is_preset(f))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_preset_says_where_it_comes_from(name):
    config = checkpoints.load(name)[1]
    metadata = json.loads((PRESETS / name / "metadata.json").read_text())
    assert metadata.keys() > {"run", "licence", "trained_on", "scores_on_test_splits"}
    assert config.data_dir == () and config.task == checkpoints.task_of(name)
    assert (PRESETS / name / "model.weights.h5").stat().st_size < {"lift": 3 << 20, "action": 2_000_000}[config.task]


@pytest.mark.parametrize("name", [name for name in SHIPPED if checkpoints.task_of(name) == "lift"])
def test_a_shipped_lifter_gives_a_body(name):
    model, _ = checkpoints.load(name, "lift")
    x = np.zeros((1, model.frames, model.skeleton.num_joints, model.input_channels), np.float32)
    x[..., 0] = np.linspace(-0.2, 0.2, 17)
    x[..., 1] = np.linspace(0.5, -0.5, 17)
    x[..., 2:] = 1
    pose_m = np.asarray(PoseLifter.from_preset(name)(x))
    np.testing.assert_array_equal(np.asarray(model(x)), pose_m)
    assert np.isfinite(pose_m).all() and np.abs(pose_m).max() < 3


def test_the_shipped_recogniser_knows_exercises_that_it_never_saw():
    model, config = checkpoints.load("exercises_2d", "action")
    right = []
    for i, clip in enumerate(fitness.generate(26, seed=77, frames=200, layout="coco_17", skeleton=model.skeleton)):
        seen = recognize(model, clip.keypoints, step=clip.fps / config.fps, hop=20)
        right.append(model.classes[seen.probabilities[-1].argmax()] == clip.action)
        assert seen.probabilities.shape[1] == 13, i
    assert np.mean(right) > 0.75


def test_a_preset_of_another_task_is_refused():
    with pytest.raises(ValueError, match="exercises_2d is a recogniser of actions; this wants a lifter"):
        checkpoints.load("exercises_2d", "lift")
    with pytest.raises(ValueError, match="holds a model of class ActionRecognizer"):
        PoseLifter.from_preset("exercises_2d")
