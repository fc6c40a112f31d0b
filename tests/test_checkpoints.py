"""checkpoints: one door to runs, `.keras` files and presets, those of version 0.1 included, to the same numbers."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from skelgnn_tf import checkpoints
from skelgnn_tf.checkpoints import PRESETS
from skelgnn_tf.configs import ActionConfig, LiftConfig, from_json
from skelgnn_tf.datasets import fitness
from skelgnn_tf.inference.windows import recognize
from skelgnn_tf.models import ActionRecognizer, PoseLifter
from skelgnn_tf.models.build import build_model
from support.command_line import call

V0_1 = Path(__file__).parent / "fixtures" / "v0_1"
#: On the machine that wrote the fixtures, numbers are equal to the bit.
EXACT = bool(os.environ.get("SKELGNN_TF_EXACT"))
SMALL = {"channels": 4, "squeeze": 0.5}
CONFIG = LiftConfig(frames=9, confidence=True, dataset=("h36m",), data_dir=("/my/own/disk",), **SMALL)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    checkpoints.save(build_model(CONFIG), CONFIG, folder / "model.keras")
    return folder


@pytest.fixture(scope="module")
def expected():
    with np.load(V0_1 / "expected.npz") as file:
        return dict(file)


def outputs(model, frames=9):
    x = np.random.default_rng(0).uniform(-1, 1, (2, frames, 17, 3)).astype(np.float32)
    return np.asarray(model(x))


def assert_as_written(actual, expected):
    if EXACT:
        np.testing.assert_array_equal(actual, expected)
    else:
        np.testing.assert_allclose(actual, expected, atol=1e-6)


def stored_weights(file):
    """The arrays of the layers in a weights file, or in the one inside a `.keras` file, as bytes and in any order."""
    if file.suffix == ".keras":
        with zipfile.ZipFile(file) as archive, archive.open("model.weights.h5") as member:
            return stored_arrays(h5py.File(member))
    return stored_arrays(h5py.File(file))


def stored_arrays(file):
    found = []

    def visit(name, node):
        if isinstance(node, h5py.Dataset) and not name.startswith("optimizer") and node.dtype == np.float32:
            found.append((node.shape, node[()].tobytes()))

    file.visititems(visit)
    return sorted(found)


# ---- files of version 0.1


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (V0_1 / "lifter", "lifter"),
        (V0_1 / "lifter" / "model.keras", "lifter"),
        (V0_1 / "preset", "lifter"),
        (V0_1 / "recognizer", "recognizer"),
        ("fitness_9f", "fitness_9f"),
    ],
    ids=lambda value: str(value).removeprefix(f"{V0_1}/"),
)
def test_what_version_0_1_wrote_gives_the_same_numbers(path, name, expected):
    model = checkpoints.load(path).model
    assert_as_written(np.asarray(model(expected[f"{name}_in"])), expected[f"{name}_out"])


@pytest.mark.parametrize("path", ["lifter/model.keras", "preset/model.weights.h5", "recognizer/model.keras"])
def test_the_weights_of_version_0_1_are_loaded_to_the_bit(path):
    file = V0_1 / path
    weights = checkpoints.load(file.parent).model.weights
    loaded = [(tuple(w.shape), np.asarray(w).tobytes()) for w in weights if w.dtype == "float32"]
    assert sorted(loaded) == stored_weights(file) and len(loaded) > 10


def test_a_run_of_version_0_1_has_the_config_that_it_was_made_with():
    config = LiftConfig(
        frames=3, channels=16, epochs=1, fitness_clips=4, confidence=True, causal=True, keypoint_frame="person",
        fps=30.0, batch_size=64,
    )  # fmt: skip
    for path in ("lifter", "lifter/model.keras", "preset"):
        assert checkpoints.read_config(V0_1 / path) == config == checkpoints.load(V0_1 / path).config
    assert from_json((V0_1 / "lifter" / "config.json").read_text()) == config
    action = checkpoints.load(V0_1 / "recognizer")
    # What was "auto" is settled.
    assert action.config == ActionConfig(
        size="small", channels=8, fitness_clips=26, epochs=1, input="keypoints", skeleton="coco_17", persons=1,
        normalization="box", fitness_scenes="studio",
    )  # fmt: skip
    assert len(action.model.classes) == 13


def test_a_run_of_version_0_1_is_resumed(tmp_path, here):
    folder = tmp_path / "old"
    shutil.copytree(V0_1 / "lifter", folder)
    result = call("train", "--resume", "--output", folder, "--epochs", 2)
    assert result.exit_code == 0 and "resumed at step 11" in result.stdout, result.output
    assert len((folder / "history.csv").read_text().splitlines()) == 3
    values = json.loads((folder / "config.json").read_text())
    assert (values["format"], values["epochs"]) == (2, 2)
    before, after = checkpoints.load(V0_1 / "lifter"), checkpoints.load(folder)
    assert after.config == before.config.replace(epochs=2)
    assert any((a != b).any() for a, b in zip(after.model.get_weights(), before.model.get_weights(), strict=True))
    if EXACT:
        # It ends where this version ends, had it made the whole run.
        from skelgnn_tf.training.fit import train

        whole = checkpoints.load(train(after.config, here / "whole"))
        for a, b in zip(after.model.get_weights(), whole.model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("metadata", [None, "{}", "[]", "{", '{"run": {"frames": "nine"}}', '{"run": [1]}'])
def test_a_preset_of_version_0_1_without_its_run_is_refused(tmp_path, metadata):
    shutil.copytree(V0_1 / "preset", tmp_path / "preset")
    (tmp_path / "preset" / "metadata.json").unlink()
    if metadata is not None:
        (tmp_path / "preset" / "metadata.json").write_text(metadata)
    with pytest.raises(ValueError, match=r"metadata.json must hold the config of the preset's run") as refused:
        checkpoints.load(tmp_path / "preset")
    assert "\n" not in str(refused.value)


def test_weights_of_version_0_1_that_do_not_fit_are_refused(tmp_path):
    shutil.copytree(V0_1 / "preset", tmp_path / "preset")
    whole = (V0_1 / "preset" / "model.weights.h5").read_bytes()
    config = (V0_1 / "preset" / "config.json").read_text()
    for weights, text in (
        (whole[: len(whole) // 2], config),
        (b"", config),
        (whole, config.replace('"channels": 16', '"channels": 8')),
    ):
        (tmp_path / "preset" / "model.weights.h5").write_bytes(weights)
        (tmp_path / "preset" / "config.json").write_text(text)
        with pytest.raises(ValueError, match=r"model.weights.h5 does not fit its config.json") as refused:
            checkpoints.load(tmp_path / "preset")
        assert "\n" not in str(refused.value)


# ---- Keras by itself

BY_KERAS_ALONE = """
import sys

first, second, folder = sys.argv[1:]
__import__(first)
__import__(second)
import keras
import numpy as np

expected = np.load(f"{folder}/expected.npz")
for name in ("lifter", "recognizer"):
    model = keras.saving.load_model(f"{folder}/{name}/model.keras")
    out = keras.ops.convert_to_numpy(model(expected[f"{name}_in"]))
    print(name, keras.backend.backend(), type(model).__name__, abs(out - expected[f"{name}_out"]).max())
"""


@pytest.mark.parametrize("order", [("skelgnn_tf", "keras"), ("keras", "skelgnn_tf")], ids=lambda order: order[0])
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_keras_opens_our_files_after_the_package_is_imported_and_nothing_else(backend, order):
    pytest.importorskip(backend)
    ran = subprocess.run(
        [sys.executable, "-c", BY_KERAS_ALONE, *order, str(V0_1)],
        # Compiling takes JAX longer than all that is computed.
        env=os.environ | {"KERAS_BACKEND": backend, "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    lines = [line.split() for line in ran.stdout.splitlines()]
    assert [line[:3] for line in lines] == [
        ["lifter", backend, "PoseLifter"],
        ["recognizer", backend, "ActionRecognizer"],
    ]
    for *_, difference in lines:
        assert float(difference) < 1e-4


def test_a_config_is_read_without_keras():
    program = (
        "import sys\nfrom skelgnn_tf import checkpoints\n"
        "for path in sys.argv[1:]: print(checkpoints.describe(path)['task'])\n"
        "assert not {'keras', 'tensorflow', 'jax', 'torch'} & sys.modules.keys()\n"
    )
    paths = [str(V0_1 / "lifter"), str(V0_1 / "preset"), "exercises_2d"]
    ran = subprocess.run([sys.executable, "-c", program, *paths], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert ran.stdout.split() == ["lift", "lift", "action"]


# ---- a file


def test_a_model_file_carries_its_config(tmp_path):
    config = LiftConfig(frames=9, confidence=True, dataset=("h36m", "fitness"), data_dir=("x",), **SMALL)
    model = build_model(config)
    checkpoints.save(model, config, tmp_path / "a.keras")
    assert [f.name for f in tmp_path.iterdir()] == ["a.keras"]
    loaded = checkpoints.load(tmp_path / "a.keras")
    assert loaded.config == config == checkpoints.read_config(tmp_path / "a.keras")
    assert loaded.name == str(tmp_path / "a.keras") and isinstance(loaded.model, PoseLifter)
    np.testing.assert_array_equal(outputs(loaded.model), outputs(model))
    # It is still a file of Keras', which needs none of ours to open it.
    np.testing.assert_array_equal(
        outputs(keras.saving.load_model(tmp_path / "a.keras", safe_mode=True)), outputs(model)
    )


def test_the_file_of_a_recognizer_carries_its_config_and_its_classes(tmp_path):
    config = ActionConfig(
        input="pose", skeleton="ntu_25", persons=1, normalization="view", confidence=False, frames=8,
        size="small", channels=4, short_hops=1, max_hops=2, squeeze=0.5, rotation=10.0,
    )  # fmt: skip
    model = build_model(config, ("sit", "stand", "wave"))
    checkpoints.save(model, config, tmp_path / "a.keras")
    loaded = checkpoints.load(tmp_path / "a.keras")
    assert isinstance(loaded.model, ActionRecognizer)
    assert loaded.config == config and loaded.model.classes == ("sit", "stand", "wave")
    x = np.random.default_rng(0).normal(size=(2, 1, 8, 25, 3)).astype(np.float32)
    np.testing.assert_array_equal(loaded.model(x), model(x))


def test_a_run_folder_is_opened_as_its_best_model(run):
    a, b = checkpoints.load(run), checkpoints.load(str(run / "model.keras"))
    assert a.config == b.config == CONFIG
    np.testing.assert_array_equal(outputs(a.model), outputs(b.model))


def test_a_save_that_fails_leaves_the_old_file_and_no_half_one(tmp_path):
    config = LiftConfig(**SMALL)
    model = build_model(config)
    checkpoints.save(model, config, tmp_path / "a.keras")
    before = (tmp_path / "a.keras").read_bytes()
    model.get_config = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        checkpoints.save(model, config, tmp_path / "a.keras")
    assert (tmp_path / "a.keras").read_bytes() == before
    assert [f.name for f in tmp_path.iterdir()] == ["a.keras"]


def test_files_of_something_else_are_refused_in_one_line(tmp_path):
    plain = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)])
    plain.save(tmp_path / "plain.keras")
    (tmp_path / "text.keras").write_text("not a model")
    (tmp_path / "empty.keras").write_bytes(b"")
    with zipfile.ZipFile(tmp_path / "zip.keras", "w") as archive:
        archive.writestr("skelgnn_tf.json", LiftConfig().to_json())
    for name in ("plain", "text", "empty", "zip"):
        with pytest.raises(ValueError, match=rf"{name}\.keras (is|must be) ") as refused:
            checkpoints.load(tmp_path / f"{name}.keras")
        assert "\n" not in str(refused.value)


def test_a_model_file_that_lost_its_end_or_its_config_is_refused(tmp_path):
    config = LiftConfig(**SMALL)
    checkpoints.save(build_model(config), config, tmp_path / "whole.keras")
    whole = (tmp_path / "whole.keras").read_bytes()
    (tmp_path / "cut.keras").write_bytes(whole[: len(whole) // 2])
    # One character of the config is another: the archive's checksum tells.
    at = whole.index(b'"task": "lift"')
    (tmp_path / "changed.keras").write_bytes(whole[:at] + b"'" + whole[at + 1 :])
    for name, text in (("config", '{"frames": "nine"}'), ("list", "[]"), ("garbage", "{"), ("bytes", b"\xff\xfe")):
        with zipfile.ZipFile(tmp_path / "whole.keras") as old, zipfile.ZipFile(tmp_path / f"{name}.keras", "w") as new:
            for member in old.namelist():
                new.writestr(member, text if member == "skelgnn_tf.json" else old.read(member))
    for name in ("cut", "changed", "config", "list", "garbage", "bytes"):
        with pytest.raises(ValueError, match=rf"{name}\.keras") as refused:
            checkpoints.load(tmp_path / f"{name}.keras")
        assert "\n" not in str(refused.value)


def test_a_model_that_is_not_there_is_named_with_the_way_to_one(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing must be a run folder, .*fitness_9f.*skelgnn-tf train"):
        checkpoints.load(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError, match="Received: a folder without model.keras"):
        checkpoints.load(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(FileNotFoundError, match=f"has no model.keras.*--resume --output {tmp_path}"):
        checkpoints.load(tmp_path)
    with pytest.raises(FileNotFoundError, match="no_such_model"):
        checkpoints.load("no_such_model")


def test_a_model_of_the_other_task_is_refused():
    with pytest.raises(ValueError, match="exercises_2d must be a pose lifter. Received: an action recognizer."):
        checkpoints.load("exercises_2d", "lift")
    with pytest.raises(ValueError, match="lifter must be an action recognizer. Received: a pose lifter."):
        checkpoints.load(V0_1 / "lifter", "action")


# ---- presets


def test_a_run_becomes_a_preset_that_lifts_the_same(run, tmp_path):
    saved = checkpoints.save_preset(run, tmp_path / "mine", licence="Apache-2.0", p1_mm=50.0)
    assert saved == tmp_path / "mine"
    assert {f.name for f in saved.iterdir()} == {"config.json", "model.keras", "metadata.json"}
    original, preset = checkpoints.load(run), checkpoints.load(saved)
    np.testing.assert_array_equal(outputs(preset.model), outputs(original.model))
    # All of the run but the folders of its data, which are one machine's.
    assert preset.config == CONFIG.replace(data_dir=()) == from_json((saved / "config.json").read_text())
    metadata = json.loads((saved / "metadata.json").read_text())
    assert (metadata["format"], metadata["licence"], metadata["p1_mm"]) == (2, "Apache-2.0", 50.0)
    for file in saved.iterdir():
        assert b"/my/own/disk" not in file.read_bytes(), file.name


def test_a_preset_of_a_run_that_began_with_another_names_that_run_and_not_its_folder(run, tmp_path):
    config = CONFIG.replace(start="/my/own/disk/base")
    checkpoints.save(checkpoints.load(run).model, config, tmp_path / "model.keras")
    checkpoints.save_preset(tmp_path, tmp_path / "mine")
    assert checkpoints.read_config(tmp_path / "mine").start == "base"


def test_a_preset_has_no_optimizer(tmp_path):
    model = build_model(CONFIG)
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    checkpoints.save(model, CONFIG, tmp_path / "run.keras")
    checkpoints.save_preset(tmp_path / "run.keras", tmp_path / "mine")
    groups = []
    for file in (tmp_path / "run.keras", tmp_path / "mine" / "model.keras"):
        with zipfile.ZipFile(file) as archive, archive.open("model.weights.h5") as member:
            groups.append(set(h5py.File(member)["optimizer/vars"]) if "optimizer" in h5py.File(member) else set())
    assert groups[0] and not groups[1]
    np.testing.assert_array_equal(outputs(checkpoints.load(tmp_path / "mine").model), outputs(model))


@pytest.mark.parametrize("source", ["run", "preset of version 0.1"])
def test_a_preset_can_be_saved_from_a_preset(run, tmp_path, source):
    first = tmp_path / "one"
    checkpoints.save_preset(run if source == "run" else V0_1 / "preset", first)
    checkpoints.save_preset(first, tmp_path / "two")
    one, two = checkpoints.load(first), checkpoints.load(tmp_path / "two")
    assert one.config == two.config
    np.testing.assert_array_equal(outputs(two.model, two.model.frames), outputs(one.model, one.model.frames))


def test_a_model_is_described_without_its_weights(run, tmp_path):
    (tmp_path / "config.json").write_text(CONFIG.to_json())
    shutil.copy(run / "model.keras", tmp_path)
    for path, kind, task, metadata in (
        (tmp_path, "run", "lift", {}),
        (run / "model.keras", "file", "lift", {}),
        (V0_1 / "preset", "preset", "lift", {"description": "a small lifter"}),
        ("exercises_2d", "preset", "action", {"licence": "Apache-2.0"}),
    ):
        described = checkpoints.describe(path)
        assert (described["name"], described["kind"], described["task"]) == (str(path), kind, task)
        assert described["config"] == checkpoints.read_config(path).to_dict()
        assert metadata.items() <= described["metadata"].items() and bool(described["metadata"]) == bool(metadata)
    with pytest.raises(FileNotFoundError, match="no_such_model"):
        checkpoints.describe("no_such_model")


def test_presets_are_found_by_name_or_folder():
    assert checkpoints.preset_names() == ["exercises_2d", "fitness_9f"]
    for name in checkpoints.preset_names():
        assert checkpoints.find_preset(name) == PRESETS / name == checkpoints.find_preset(PRESETS / name)
    assert checkpoints.find_preset(V0_1 / "preset") == V0_1 / "preset"
    assert checkpoints.find_preset(V0_1 / "lifter") is None and checkpoints.find_preset("no_such_model") is None


@pytest.mark.parametrize("name", checkpoints.preset_names())
def test_a_shipped_preset_says_where_it_comes_from(name):
    folder, config = PRESETS / name, checkpoints.load(name).config
    assert {"config.json", "model.keras", "model.tflite", "metadata.json"} <= {f.name for f in folder.iterdir()}
    metadata = json.loads((folder / "metadata.json").read_text())
    assert metadata.keys() >= {"format", "description", "licence", "trained_on", "scores_on_test_splits"}
    assert config.data_dir == () and config == from_json((folder / "config.json").read_text())
    assert (folder / "model.keras").stat().st_size < {"lift": 3 << 20, "action": 2_000_000}[config.task]


@pytest.mark.parametrize("name", [n for n in checkpoints.preset_names() if checkpoints.read_config(n).task == "lift"])
def test_a_shipped_lifter_gives_a_body(name):
    model = checkpoints.load(name, "lift").model
    x = np.zeros((1, model.frames, model.skeleton.num_joints, model.input_channels), np.float32)
    x[..., 0] = np.linspace(-0.2, 0.2, 17)
    x[..., 1] = np.linspace(0.5, -0.5, 17)
    x[..., 2:] = 1
    pose_m = np.asarray(keras.saving.load_model(PRESETS / name / "model.keras")(x))
    np.testing.assert_array_equal(np.asarray(model(x)), pose_m)
    assert np.isfinite(pose_m).all() and np.abs(pose_m).max() < 3


def test_the_shipped_recognizer_knows_exercises_that_it_never_saw():
    loaded = checkpoints.load("exercises_2d", "action")
    model, config = loaded.model, loaded.config
    right = []
    for i, clip in enumerate(fitness.generate(26, seed=77, frames=200, layout="coco_17", skeleton=model.skeleton)):
        seen = recognize(model, clip.keypoints, step=clip.fps / config.fps, decide_every=20)
        right.append(model.classes[seen.probabilities[-1].argmax()] == clip.action)
        assert seen.probabilities.shape[1] == len(fitness.PHONE_CLASSES), i
    assert np.mean(right) > 0.75
