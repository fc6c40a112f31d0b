"""Training for small files: with the rounding of int8, and with more and more zeros."""

import importlib.util
import io
import json
import math
import os
import subprocess
import sys
import zlib

import keras
import numpy as np
import pytest
from rich.console import Console

pytest.importorskip("tensorflow")
if keras.backend.backend() != "tensorflow":
    pytest.skip("compression needs Keras' TensorFlow backend", allow_module_level=True)

import tensorflow as tf

from skelgnn_tf import checkpoints
from skelgnn_tf.configs import ActionConfig, LiftConfig
from skelgnn_tf.datasets import h36m
from skelgnn_tf.export.compression import compression
from skelgnn_tf.export.formats.tflite import convert
from skelgnn_tf.export.graph.layers import Float
from skelgnn_tf.export.graph.phone_model import PhoneModel, lifter_core, recognizer_core
from skelgnn_tf.export.pruning import Pruning
from skelgnn_tf.export.quantization import QuantizationAware
from skelgnn_tf.models import ActionRecognizer, PoseLifter
from skelgnn_tf.models.build import build_model
from skelgnn_tf.training import fit as training
from skelgnn_tf.training.action import task as recognition
from support import tiny_actions, tiny_export, tiny_h36m
from support.command_line import call
from support.interrupts import interrupting

LIFTER = LiftConfig(
    channels=32, squeeze=0.5, blocks=1, sharing="shared", dynamic=False, dropout=0.25, noise=0.01, batch_size=50,
    epochs=3, learning_rate=5e-3, validation=0.3, seed=3, dataset=("h36m",),
)  # fmt: skip
RECOGNIZER = ActionConfig(
    dataset=("npz",), size="small", channels=8, frames=8, short_hops=1, max_hops=3, squeeze=0.5,
    batch_size=4, epochs=2, ema=0.0, rotation=10.0, seed=1,
)  # fmt: skip
#: What may be trained with rounding, by what is special about it.
MODELS = {
    "pair": tiny_export.lift_config(),
    "static pair": tiny_export.lift_config(dynamic=False, frames=1),
    "shared": tiny_export.lift_config(sharing="shared", skeleton="h36m_17_lcn", max_hops=3),
    "live": tiny_export.lift_config(causal=True, every_frame=True, blocks=1),
    "recognizer": tiny_export.action_config(persons=2, dynamic=False),
    "recognizer of poses": tiny_export.action_config(
        input="pose", skeleton="ntu_25", normalization="center", confidence=False, stream="bone"
    ),
}
CORES = {"lift": lifter_core, "action": recognizer_core}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Training data of each task."""
    folder = tmp_path_factory.mktemp("data")
    tiny_actions.write(folder, tiny_actions.arrays(train=8))
    files = {"data_file": str(folder / "actions.npz"), "labels": str(folder / "labels.txt")}
    return {
        "lift": h36m.load(tiny_h36m.write(folder, frames=20)).train,
        "action": recognition.load_data(RECOGNIZER.replace(**files)),
    }


def run(config, folder, data, **options):
    """Trains as the command line does; gives the folder."""
    compress = compression(config) if config.quantize_aware or config.prune else None
    training.train(
        config, folder, clips=data[config.task], console=Console(file=io.StringIO()), distribute="none",
        compress=compress, **options,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def base(data, tmp_path_factory):
    """A trained model of each task."""
    folder = tmp_path_factory.mktemp("base")
    return {c.task: run(c, folder / c.task, data) for c in (LIFTER, RECOGNIZER)}


def fine_tuning(base, **options):
    return checkpoints.read_config(base).fine_tuning(str(base), **options)


def clips_of(config, batch=40, seed=0):
    """Keypoints or poses as the model takes them, all of them seen."""
    model, rng = tiny_export.lived_in(config), np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (batch, *model.input_axes[1:])).astype(np.float32)
    if config.confidence:
        x[..., -1] = rng.uniform(0.2, 1, x.shape[:-1])
    return x


def aware_of(config):
    """A model of its own that is to be trained with rounding, and what its ranges were taken from."""
    x = clips_of(config)
    keras.utils.set_random_seed(0)
    return QuantizationAware(tiny_export.lived_in.__wrapped__(config), [(x[:20], 0), (x[20:], 0)]), x


def large_matrices(model):
    """What pruning counts: not the graph's, no small ones."""
    return [w for w in model.trainable_weights if len(w.shape) > 1 and math.prod(w.shape) >= 1024 and w.name != "m"]


def zeros(weight):
    return int((np.asarray(weight) == 0).sum())


# ---- rounding


class Watching(Float):
    """Remembers what quantizers make of each activation and of each matrix."""

    def __init__(self, quantizers):
        self.quantizers, self.rounded, self.matrices = quantizers, {}, {}

    def activation(self, name, x):
        return self.shared_activation(name, [x], self.quantizers.activation(name, x))[0]

    def shared_activation(self, name, parts, rounded=None):
        rounded = self.quantizers.shared_activation(name, parts) if rounded is None else [rounded]
        self.rounded[name] = np.concatenate([part.numpy().ravel() for part in rounded])
        return rounded

    def weight(self, name, w):
        y = self.quantizers.weight(name, w)
        self.matrices[name] = y.numpy().reshape(-1, w.shape[-1])
        return y


@pytest.mark.parametrize("config", MODELS.values(), ids=MODELS)
def test_a_model_with_rounding_is_the_model_but_for_the_rounding(config):
    # With fresh weights, for batch norm of drawn ones multiplies what rounding does.
    keras.utils.set_random_seed(0)
    model, x = build_model(config, tiny_export.CLASSES if config.task == "action" else ()), clips_of(config)
    aware = QuantizationAware(model, [(x[:20], 0), (x[20:], 0)])
    expected, found = np.asarray(model(x)), aware(x).numpy()
    assert found.shape == expected.shape
    error = np.abs(found - expected).mean() / np.abs(expected - expected.mean(axis=0)).mean()
    assert 1e-3 < error < 0.15
    # Looking on changes nothing.
    np.testing.assert_array_equal(aware(x).numpy(), found)


@pytest.mark.parametrize("config", MODELS.values(), ids=MODELS)
def test_in_training_every_tensor_lies_on_the_256_steps_of_its_range(config):
    aware, x = aware_of(config)
    watching = Watching(aware.quantizers)
    aware.quantizers.mode = "train"
    lifts = config.task == "lift"
    CORES[config.task](aware.inner, watching)(aware.inner.normalize(x) if lifts else tf.constant(x))
    assert len(watching.rounded) > 3 and len(watching.matrices) > 3
    for values in watching.rounded.values():
        steps = np.unique(values)
        assert 2 < len(steps) <= 256
        # Zero is a step, and all others are whole numbers of the smallest apart.
        width = np.diff(steps).min()
        np.testing.assert_allclose(steps / width, (steps / width).round(), atol=0.02)
    for matrix in watching.matrices.values():
        numbers = matrix / np.maximum(np.abs(matrix).max(axis=0), 1e-12) * 127
        np.testing.assert_allclose(numbers, numbers.round(), atol=1e-3)


@pytest.mark.parametrize("config", MODELS.values(), ids=MODELS)
def test_rounding_lets_gradients_through_to_every_weight(config):
    aware, x = aware_of(config)
    with tf.GradientTape() as tape:
        y = aware(x, training=True)
        # Of many directions, or batch norm's scale might take all of it.
        loss = tf.reduce_sum(y * np.random.default_rng(1).normal(size=y.shape))
    weights = aware.trainable_variables
    assert [w.path for w in weights] == [w.path for w in aware.inner.trainable_variables] and weights
    for weight, gradient in zip(weights, tape.gradient(loss, [w.value for w in weights]), strict=True):
        assert gradient is not None, weight.path
        assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0, weight.path


def test_ranges_follow_slowly_in_training_and_stand_still_otherwise():
    aware, x = aware_of(MODELS["static pair"])
    ranges = [w for w in aware.non_trainable_variables if w.path.endswith(("y_min", "y_max", "out_min", "out_max"))]
    before = [float(w) for w in ranges]
    assert len(ranges) > 6 and min(before) < 0 < max(before)
    wide = x * np.float32(3)
    aware(wide)
    assert [float(w) for w in ranges] == before
    aware(wide, training=True)
    after = [float(w) for w in ranges]
    assert any(abs(a) > abs(b) for a, b in zip(after, before, strict=True))
    # A thousandth of the way to what came by, and that is at most some times as wide.
    np.testing.assert_allclose(after, before, rtol=0.01, atol=0.01)


def test_ranges_of_what_comes_by_again_stay_where_they_are():
    # The joints share ranges, and one of them must not draw a range to its own.
    config = MODELS["pair"]
    keras.utils.set_random_seed(0)
    x = clips_of(config)
    aware = QuantizationAware(tiny_export.lived_in.__wrapped__(config), [(x, 0)])
    ranges = [w for w in aware.non_trainable_variables if "short_y" in w.path]
    before = np.array([float(w) for w in ranges])
    aware(x, training=True)
    after = np.array([float(w) for w in ranges])
    # Rounding moves what comes by a little, and the range follows a thousandth of that.
    assert len(ranges) == 4 and np.abs(after - before).max() < 2e-4 * np.abs(before).max()


@pytest.mark.parametrize("task", ["lift", "action"])
def test_training_with_rounding_makes_a_rounded_model_better_and_keeps_it_plain(base, data, tmp_path, task):
    config = fine_tuning(base[task], quantize_aware=True, epochs=3, learning_rate=3e-3)
    folder = run(config, tmp_path / "aware", data)
    loaded, before = checkpoints.load(folder), checkpoints.load(base[task]).model
    model = loaded.model
    assert type(model) is {"lift": PoseLifter, "action": ActionRecognizer}[task] and loaded.config == config
    # Batch norm's statistics are those of the first training; everything else has learnt.
    names = {w.path for w in model.non_trainable_variables if "moving" in w.path}
    assert names
    for a, b in zip(model.weights, before.weights, strict=True):
        same = np.array_equal(a, b)
        assert same == (not a.trainable), a.path
    task_data = training.make_task(config.replace(flip=False, noise=0.0) if task == "lift" else config, data[task])
    assert rounded_loss(model, task_data) < rounded_loss(before, task_data)
    assert checkpoints.load(folder / "last.keras").config == config


def rounded_loss(model, task):
    """Mean loss over the training data, of the model with rounding."""
    batches = [(x, y) for x, y, *_ in task.batches(0, 1)]
    aware = QuantizationAware(model, batches)
    return float(np.mean([float(tf.reduce_mean(task.loss(y, aware(x)))) for x, y in batches]))


def test_no_step_at_all_leaves_every_weight_as_it_was(base, data, tmp_path, without_tracing):
    config = fine_tuning(base["lift"], quantize_aware=True, epochs=1, learning_rate=0.0)
    folder = run(config, tmp_path / "aware", data)
    for a, b in zip(checkpoints.load(folder).model.weights, checkpoints.load(base["lift"]).model.weights, strict=True):
        np.testing.assert_array_equal(a, b)


# ---- stopping and going on


@pytest.mark.parametrize(
    ("task", "options", "stops"),
    [
        ("lift", {"epochs": 2, "quantize_aware": True, "ema": 0.8}, [("on_train_batch_end", 2)]),
        ("lift", {"epochs": 2, "prune": 0.6}, [("on_train_batch_end", 2), ("on_epoch_end", 1)]),
        ("action", {"epochs": 1, "quantize_aware": True, "prune": 0.6}, [("on_train_batch_end", 1)]),
    ],
    ids=["rounding and average", "zeros", "rounding and zeros"],
)
def test_a_compressing_run_that_was_stopped_ends_where_an_uninterrupted_one_does(
    base, data, tmp_path, monkeypatch, without_tracing, task, options, stops
):
    config = fine_tuning(base[task], learning_rate=3e-3, **options)
    whole, stopped = run(config, tmp_path / "whole", data), tmp_path / "stopped"
    for number, (event, at) in enumerate(stops):
        with monkeypatch.context() as patch:
            interrupting(patch, event, at)
            with pytest.raises(KeyboardInterrupt):
                run(config, stopped, data, resume=number > 0)
    run(config, stopped, data, resume=True)
    for name in ("last.keras", "model.keras"):
        for a, b in zip(
            checkpoints.load(stopped / name).model.weights, checkpoints.load(whole / name).model.weights, strict=True
        ):
            np.testing.assert_array_equal(a, b)
    states = [json.loads((f / "checkpoints" / "state.json").read_text()) for f in (stopped, whole)]
    assert states[0] == states[1]


# ---- zeros


@pytest.mark.parametrize("task", ["lift", "action"])
def test_after_training_the_share_of_every_large_matrix_is_zero_and_it_still_learns(base, data, tmp_path, task):
    config = fine_tuning(base[task], prune=0.6, epochs=3, learning_rate=3e-3)
    model = checkpoints.load(run(config, tmp_path / "pruned", data)).model
    before = checkpoints.load(base[task]).model
    large = large_matrices(model)
    assert large and len(large) < len(model.trainable_weights)
    for weight in model.trainable_weights:
        size = math.prod(weight.shape)
        if any(weight is one for one in large):
            assert zeros(weight) == round(0.6 * size), weight.path
        elif len(weight.shape) > 1:
            assert zeros(weight) < 0.2 * size, weight.path
    graphs = [w for w in model.trainable_weights if w.name == "m"]
    # Large enough to be pruned, and yet they are not.
    assert task == "lift" or (graphs and max(math.prod(w.shape) for w in graphs) > 1024)
    for a, b in zip(large, large_matrices(before), strict=True):
        assert not np.array_equal(np.asarray(a)[np.asarray(a) != 0], np.asarray(b)[np.asarray(a) != 0])


def dense(seed=0):
    """A model, and all that makes its training the same again."""
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.layers.Input((40,)), keras.layers.Dense(50), keras.layers.Dense(3)])
    model.compile(keras.optimizers.Adam(0.01), loss="mse")
    model.optimizer.build(model.trainable_variables)
    return model


def dense_batches(first, last):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(4, 40)).astype(np.float32), rng.normal(size=(4, 3)).astype(np.float32)
    return tf.data.Dataset.from_tensors((x, y)).repeat(last - first)


class Zeros(keras.callbacks.Callback):
    """Counts after each step."""

    def on_train_begin(self, logs=None):
        self.counts = []

    def on_train_batch_end(self, batch, logs=None):
        self.counts.append([zeros(w) for w in self.model.trainable_weights])


def test_zeros_grow_along_a_cubic_until_three_quarters_of_the_steps():
    steps, share, model, counting = 60, 0.7, dense(), Zeros()
    model.fit(dense_batches(0, steps), callbacks=[Pruning(model, share, steps), counting], verbose=0)
    size = 40 * 50
    expected = [round(share * (1 - (1 - min(1, step / 45)) ** 3) * size) for step in range(1, steps + 1)]
    found, *others = np.array(counting.counts).T
    np.testing.assert_allclose(found, expected, atol=1)
    assert found[-1] == expected[-1] == 1400 and (np.diff(found) >= 0).all()
    # Biases and the small matrix stay; a bias begins at zero.
    assert all(column.max() <= 0 for column in (others[0][1:], others[1], others[2][1:]))


@pytest.mark.parametrize("steps", [1, 2, 3, 257, 399])
def test_however_many_steps_there_are_the_last_turn_reaches_the_share(steps):
    model = dense()
    pruning = Pruning(model, 0.37, steps)
    model.fit(dense_batches(0, steps), callbacks=[pruning], verbose=0)
    assert zeros(model.layers[0].kernel) == round(0.37 * 2000)
    # Not at every step: sorting costs time.
    assert pruning.schedule.frequency == max(1, steps // 100)


def test_pruning_that_was_stopped_between_two_turns_goes_on_the_same():
    steps = 400
    whole = dense()
    whole.fit(dense_batches(0, steps), callbacks=[Pruning(whole, 0.8, steps)], verbose=0)
    parts = dense()
    for first, last in ((0, 41), (41, 199), (199, 330), (330, steps)):
        parts.fit(dense_batches(first, last), callbacks=[Pruning(parts, 0.8, steps)], verbose=0)
    for a, b in zip(parts.weights, whole.weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_exported_file_keeps_the_zeros_and_is_smaller_zipped():
    config = tiny_export.lift_config(channels=48, blocks=1, sharing="shared")
    sizes = {}
    for share in (0.0, 0.7):
        model = build_model(config)
        keras.utils.set_random_seed(0)
        for weight in large_matrices(model):
            values = np.random.default_rng(0).normal(size=weight.shape)
            weight.assign(np.where(np.abs(values) >= np.quantile(np.abs(values), share), values, 0))
        file = convert(PhoneModel(model, config, tiny_export.ALL["coco_17"]), "none", ())
        sizes[share] = (len(file), len(zlib.compress(file)))
    assert sizes[0.7][0] == pytest.approx(sizes[0.0][0], rel=0.01)
    assert sizes[0.7][1] < 0.75 * sizes[0.0][1]


# ---- the command line


def test_a_lifter_is_rounded_pruned_scored_and_exported_by_the_command_line(base, data, here):
    folder = tiny_h36m.write(here, frames=20)
    options = ["--dataset", "h36m", "--data-dir", folder, "--epochs", 1, "--output", "runs/small"]
    made = call("train", "--from", base["lift"], "--quantize-aware", "--prune", 0.5, *options)
    assert made.exit_code == 0, made.output
    loaded = checkpoints.load("runs/small")
    model, config = loaded.model, loaded.config
    assert type(model) is PoseLifter and config.quantize_aware and config.prune == 0.5
    assert all(zeros(w) == round(0.5 * math.prod(w.shape)) for w in large_matrices(model))
    scored = call("evaluate", "runs/small", "--no-baselines", "--json", "scores.json")
    assert scored.exit_code == 0, scored.output
    assert json.loads((here / "scores.json").read_text())["parameters"] == model.count_params()
    exported = call("export", "runs/small", "--tflite", "--force", "--output", "phone")
    assert exported.exit_code == 0, exported.output
    assert (here / "phone" / "model.tflite").stat().st_size > 1000


# ---- where it runs

TWO_DEVICES = """
import sys
from pathlib import Path

import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

from skelgnn_tf import checkpoints
from skelgnn_tf.datasets import h36m
from skelgnn_tf.export.compression import compression
from skelgnn_tf.training.fit import train

data, base, folder = sys.argv[1:]
config = checkpoints.read_config(base).fine_tuning(base, quantize_aware=True, prune=0.5, epochs=1)
clips = h36m.load(data).train
for distribute in ("none", "mirrored"):
    train(config, Path(folder) / distribute, clips=clips, distribute=distribute, compress=compression(config))
"""


def test_several_replicas_round_and_prune_as_one_does(base, tmp_path):
    data = tiny_h36m.write(tmp_path, frames=20)
    ran = subprocess.run(
        [sys.executable, "-c", TWO_DEVICES, str(data), str(base["lift"]), str(tmp_path)],
        env={**os.environ, "KERAS_BACKEND": "tensorflow"}, capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert ran.stdout.count("2 replicas") == 1
    one, two = (checkpoints.load(tmp_path / name).model for name in ("none", "mirrored"))
    for a, b in zip(one.weights, two.weights, strict=True):
        assert np.isfinite(np.asarray(b)).all()
        # Batch norm stands still, so that the halves of a batch make what the whole one makes, but for rounding.
        assert np.abs(np.asarray(a) - np.asarray(b)).mean() <= 0.1 * np.abs(np.asarray(a)).mean() + 1e-6, a.path
    for weight in large_matrices(two):
        assert zeros(weight) == round(0.5 * math.prod(weight.shape))


@pytest.mark.skipif(not importlib.util.find_spec("jax"), reason="jax is not installed")
def test_another_backend_is_refused_in_one_line(base, tmp_path):
    command = [sys.executable, "-m", "skelgnn_tf.cli.main", "train", "--from", str(base["lift"]), "--quantize-aware"]
    ran = subprocess.run(
        [*command, "--output", "out"], cwd=tmp_path, env={**os.environ, "KERAS_BACKEND": "jax"}, capture_output=True,
        text=True,
    )  # fmt: skip
    assert ran.returncode == 2 and ran.stdout == "" and not list(tmp_path.iterdir())
    (line,) = ran.stderr.strip().splitlines()
    assert "TensorFlow backend" in line and "KERAS_BACKEND=jax" in line and line.startswith("skelgnn-tf: ")
