"""Keras' other backends: what TensorFlow trained gives the same poses there, and training works without TensorFlow."""

import csv
import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

from skelgnn_tf import checkpoints
from skelgnn_tf.configs import ActionConfig, LiftConfig
from skelgnn_tf.models import ActionRecognizer
from skelgnn_tf.models.build import build_model
from support import oracles, tiny_h36m

BACKENDS = [
    pytest.param(name, marks=pytest.mark.skipif(not importlib.util.find_spec(name), reason=f"{name} is not installed"))
    for name in ("jax", "torch")
]

SMALL = {"channels": 4, "squeeze": 0.5, "blocks": 1}
CONFIGS = {
    "live": LiftConfig(frames=3, causal=True, every_frame=True, confidence=True, keypoint_frame="person", **SMALL),
    "shared": LiftConfig(sharing="shared", skeleton="h36m_17_lcn", **SMALL),
}
RECOGNIZER = ActionConfig(
    input="pose", skeleton="ntu_25", persons=2, confidence=False, normalization="view",
    stream="bone_motion", frames=8, size="small", channels=4, short_hops=1, max_hops=2, squeeze=0.5,
)  # fmt: skip
CLASSES = ("sit", "stand", "wave")

WITHOUT_TENSORFLOW = """
import os, sys
from pathlib import Path

for name in ("tensorflow", "tf_keras"):
    sys.modules[name] = None  # as if it were not installed

import keras
import numpy as np

from skelgnn_tf.configs import ActionConfig, LiftConfig
from skelgnn_tf import checkpoints
from skelgnn_tf.models.build import build_model
from skelgnn_tf.datasets import h36m
from skelgnn_tf.datasets.sequences import SequenceSet, SequenceWriter
from skelgnn_tf.skeletons import COCO_17
from skelgnn_tf.training.fit import train

folder = Path(sys.argv[1])
assert keras.backend.backend() == os.environ["KERAS_BACKEND"] != "tensorflow"
for file in sorted(folder.glob("*.keras")):
    loaded = checkpoints.load(file)
    model, config = loaded.model, loaded.config
    np.save(file.with_suffix(".npy"), keras.ops.convert_to_numpy(model(np.load(file.with_suffix(".in.npy")))))

config = LiftConfig(channels=4, squeeze=0.5, blocks=1, sharing="shared", dynamic=False, batch_size=64, epochs=2,
                learning_rate=5e-3, validation=0.3, ema=0.5)
clips = h36m.load(folder).train
train(config, folder / "whole", clips=clips)
varied = config.replace(
    views="random", confidence=True, keypoint_frame="person", frames=3, epochs=1, rate_jitter=0.2, noise=0.01,
    joint_offset=0.02, body_variety=0.1, limb_mix=0.2, limb_turn=5.0, side_swap=0.1, joint_drop=0.05,
)
train(varied, folder / "varied", clips=clips)
trained = checkpoints.load(folder / "whole").model
np.save(folder / "trained.npy", keras.ops.convert_to_numpy(trained(np.load(folder / "shared.in.npy"))))

# Three classes: who moves along x, along y, or not at all.
rng = np.random.default_rng(0)
writer = SequenceWriter("keypoints")
for label in np.arange(24) % 3:
    clip = rng.normal(size=(1, 1, 17, 3)) * 0.2 + rng.normal(size=(1, 10, 17, 3)) * 0.02
    clip[..., :2] += np.linspace(0, 2, 10)[:, None, None] * np.eye(3)[label, :2]
    clip[..., 2] = 1
    writer.add(f"clip {len(writer.parts)}", clip, label, 30)
data = writer.close()
config = ActionConfig(frames=8, size="small", channels=4, short_hops=1, max_hops=1, dynamic=False,
                batch_size=12, epochs=8, learning_rate=0.02, validation=0.25, ema=0.5)
train(config, folder / "action", clips=SequenceSet(COCO_17, ("sit", "stand", "wave"), data, data))
trained = checkpoints.load(folder / "action").model
np.save(folder / "action.npy", keras.ops.convert_to_numpy(trained(np.load(folder / "action.in.npy"))))
"""


@pytest.fixture(scope="module", params=BACKENDS)
def elsewhere(request, tmp_path_factory):
    """A folder that another backend has been to: models, their inputs, what it made of them, and its own runs."""
    folder = tiny_h36m.write(tmp_path_factory.mktemp(request.param), frames=16)
    rng = np.random.default_rng(0)
    models = {}
    model = oracles.randomize(build_model(RECOGNIZER, CLASSES), scale=0.3)
    checkpoints.save(model, RECOGNIZER, folder / "recognizer.keras")
    x = rng.normal(size=(3, 2, 8, 25, 3)).astype(np.float32)
    x[1, 1] = 0
    np.save(folder / "recognizer.in.npy", x)
    models["recognizer"] = np.asarray(model(x))
    np.save(folder / "action.in.npy", rng.uniform(0.1, 1, (3, 1, 8, 17, 3)).astype(np.float32))
    for name, config in CONFIGS.items():
        model = oracles.randomize(build_model(config), scale=0.3)
        if name == "shared":
            # One that was trained, with an optimizer's state in its file.
            model.compile("adam", "mse", jit_compile=False)
            model.fit(
                rng.uniform(-1, 1, (32, 1, 17, 2)), rng.normal(size=(32, 1, 17, 3)), verbose=0, epochs=2, batch_size=16
            )
        checkpoints.save(model, config, folder / f"{name}.keras")
        x = rng.uniform(-0.5, 0.5, (3, config.frames, 17, model.input_channels)).astype(np.float32)
        np.save(folder / f"{name}.in.npy", x)
        models[name] = np.asarray(model(x))
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, str(folder)],
        # Compiling takes JAX longer than all that is computed.
        env={**os.environ, "KERAS_BACKEND": request.param, "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"},
        capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-3000:]
    return folder, models


def test_a_model_of_tensorflow_gives_the_same_poses_and_scores_elsewhere(elsewhere):
    folder, models = elsewhere
    assert set(models) == {*CONFIGS, "recognizer"}
    for name, here in models.items():
        there = np.load(folder / f"{name}.npy")
        np.testing.assert_allclose(there, here, atol=1e-5 * max(1, np.abs(here).max()), err_msg=name)


def test_training_works_without_tensorflow(elsewhere):
    folder, _ = elsewhere
    with open(folder / "whole" / "history.csv") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    assert float(rows[-1]["mpjpe_mm"]) == pytest.approx(1000 * float(rows[-1]["loss"]), rel=1e-3)
    # And what it trained is opened by TensorFlow.
    model = checkpoints.load(folder / "whole").model
    np.testing.assert_allclose(
        np.asarray(model(np.load(folder / "shared.in.npy"))), np.load(folder / "trained.npy"), atol=1e-5
    )


def test_every_augmentation_runs_without_tensorflow(elsewhere):
    with open(elsewhere[0] / "varied" / "history.csv") as file:
        (row,) = csv.DictReader(file)
    assert 0 < float(row["loss"]) < 1 and 0 < float(row["val_loss"]) < 1


def test_a_recognizer_trains_without_tensorflow(elsewhere):
    folder, _ = elsewhere
    with open(folder / "action" / "history.csv") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8 and float(rows[-1]["loss"]) < float(rows[0]["loss"])
    assert all(0 <= float(row[name]) <= 1 for row in rows for name in ("top1", "val_top1"))
    loaded = checkpoints.load(folder / "action")
    model, config = loaded.model, loaded.config
    assert isinstance(model, ActionRecognizer) and (config.skeleton, config.confidence) == ("coco_17", True)
    np.testing.assert_allclose(
        np.asarray(model(np.load(folder / "action.in.npy"))), np.load(folder / "action.npy"), atol=1e-5
    )
