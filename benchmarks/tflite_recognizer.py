"""A recogniser as a checked float32 `.tflite` file; `action_speed.py` times both."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np

from skelgnn_tf.configs.config import Config, build_model
from skelgnn_tf.export import contract
from skelgnn_tf.export.calibration import RealClips
from skelgnn_tf.export.formats import tflite
from skelgnn_tf.export.graph.phone_model import PhoneModel
from skelgnn_tf.export.verify import bound, verify
from skelgnn_tf.models import ActionRecognizer

#: Share of the dynamic graph, which starts at 0 and would hide its part from a comparison.
ALPHA = 0.1


def recognizer(config: Config, classes: tuple[str, ...]) -> ActionRecognizer:
    """A model as it may be after training: a fresh one's scores are all but zero, whatever it sees."""
    keras.utils.set_random_seed(0)
    model = build_model(config, classes)
    for weight in model.weights:
        if weight.name == "alpha":
            weight.assign(np.full(weight.shape, ALPHA))
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    clips = clips_of(model, 32, seed=0)
    model(clips, training=True)
    # Scores that differ from clip to clip, and by as much as between classes.
    scores = keras.ops.convert_to_numpy(model(clips))
    spread = scores.std(axis=0).mean()
    model.dense.kernel.assign(model.dense.kernel / spread)
    model.dense.bias.assign(-scores.mean(axis=0) / spread)
    return model


def clips_of(model: ActionRecognizer, count: int, seed: int = 1) -> np.ndarray:
    """One body whose joints swing at random, as the model takes it: float32 (count, persons, frames, joints, 3)."""
    (persons, frames, joints, dims), rng = model.input_axes[1:], np.random.default_rng(seed)
    body_m = np.random.default_rng(0).normal(size=(joints, dims)) * 0.3 + np.array([0, 0, 3])
    pace, phase = (rng.uniform(0, high, (count, persons, 1, joints, dims)) for high in (0.4, 2 * np.pi))
    return np.float32(body_m + 0.1 * np.sin(pace * np.arange(frames)[:, None, None] + phase))


def export(model: ActionRecognizer, config: Config, file: Path) -> float:
    """Writes a recogniser of poses as a file that `Runner` loads, and checks it.

    Returns:
        The largest difference of a probability from Keras.

    Raises:
        ValueError: It is larger than in `skelgnn-tf export`, or TFLite's builtins lack an operation.
    """
    phone = PhoneModel(model, config, None)
    described = contract.describe(phone, config, file.stem, file)
    file.write_bytes(tflite.with_contract(tflite.convert(phone), json.dumps(described)))
    return check(file, model, config)


def check(file: Path, model: ActionRecognizer, config: Config) -> float:
    """As `export`, of a file that is there."""
    clips = RealClips("swinging joints", {"pose_m": clips_of(model, 4)}, None)
    result = verify(file, model, config, None, False, clips)
    if broken := bound("none", result):
        raise ValueError(f"{file.name} {broken}")
    return result.largest_difference
