"""A recognizer and its verified float32 `.tflite` file. `action_speed.py` times both."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np

from skelgnn_tf.configs import ActionConfig
from skelgnn_tf.export import contract
from skelgnn_tf.export.calibration import RealClips
from skelgnn_tf.export.formats import tflite
from skelgnn_tf.export.graph.phone_model import PhoneModel
from skelgnn_tf.export.verify import broken_bound, verify
from skelgnn_tf.models import ActionRecognizer
from skelgnn_tf.models.build import build_model

#: Weight of the dynamic graph. Its initial value, 0, would hide the dynamic part from a comparison.
ALPHA = 0.1


def recognizer(config: ActionConfig, classes: tuple[str, ...]) -> ActionRecognizer:
    """A model that behaves like a trained one. The scores of a fresh model are nearly zero for every input."""
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
    # Scores that vary between clips by as much as between classes.
    scores = keras.ops.convert_to_numpy(model(clips))
    spread = scores.std(axis=0).mean()
    model.dense.kernel.assign(model.dense.kernel / spread)
    model.dense.bias.assign(-scores.mean(axis=0) / spread)
    return model


def clips_of(model: ActionRecognizer, count: int, seed: int = 1) -> np.ndarray:
    """Model inputs of one body whose joints swing at random: float32 (count, persons, frames, joints, 3), meters."""
    (persons, frames, joints, dims), rng = model.input_axes[1:], np.random.default_rng(seed)
    body_m = np.random.default_rng(0).normal(size=(joints, dims)) * 0.3 + np.array([0, 0, 3])
    pace, phase = (rng.uniform(0, high, (count, persons, 1, joints, dims)) for high in (0.4, 2 * np.pi))
    return np.float32(body_m + 0.1 * np.sin(pace * np.arange(frames)[:, None, None] + phase))


def export(model: ActionRecognizer, config: ActionConfig, file: Path) -> float:
    """Writes a recognizer of poses as a `.tflite` file that `Runner` loads, and verifies it.

    Returns:
        Largest difference of a probability from Keras.

    Raises:
        ValueError: The difference is larger than `skelgnn-tf export` allows, or TFLite has no builtin for an operation.
    """
    phone = PhoneModel(model, config, None)
    described = contract.describe(phone, file.stem, file)
    file.write_bytes(tflite.with_contract(tflite.convert(phone), json.dumps(described)))
    return check(file, model)


def check(file: Path, model: ActionRecognizer) -> float:
    """Verifies an existing file; returns and raises as `export`."""
    clips = RealClips("swinging joints", {"pose_m": clips_of(model, 4)}, None)
    result = verify(file, model, None, False, clips)
    if broken := broken_bound("none", result):
        raise ValueError(f"{file.name} {broken}")
    return result.largest_difference
