"""Quantization: ranges as wide as the clips, rounding to their steps, and zero that stays zero."""

import os

import keras
import numpy as np
import pytest

pytest.importorskip("tensorflow")
if keras.backend.backend() != "tensorflow":
    pytest.skip("the export needs Keras' TensorFlow backend", allow_module_level=True)

import tensorflow as tf

from skelgnn_tf.export.graph.layers import Float
from skelgnn_tf.export.quantization import Quantizers, calibrated
from support import tiny_export
from support.tiny_export import action_config, inputs_of, lift_config, phone

FAR = tf.constant([-1e9, 1e9])
LIVE, ACTION = lift_config(causal=True), action_config(persons=2)


class Watching(Float):
    """Remembers the least and the largest number of each activation."""

    def __init__(self):
        self.seen = {}

    def activation(self, name, x):
        low, high = self.seen.get(name, (np.inf, -np.inf))
        self.seen[name] = (min(low, float(np.min(x))), max(high, float(np.max(x))))
        return x


def run(model, inputs):
    return next(iter(model.run(**{name: tf.constant(array) for name, array in inputs.items()}).values())).numpy()


def test_calibration_changes_nothing_and_rounding_knows_all_that_came_by():
    quantizers = Quantizers()
    batches = [np.float32([0.5, -1.0]), np.float32([3.0, 0.25]), np.float32([0.0, 1.0])]
    for batch in batches:
        np.testing.assert_array_equal(quantizers.activation("a", tf.constant(batch)), batch)
    quantizers.activation("b", tf.constant([0.0, 7.0]))
    quantizers.fix()
    x = np.linspace(-2, 4, 5001, dtype=np.float32)
    rounded = quantizers.activation("a", tf.constant(x)).numpy()
    steps = np.unique(rounded)
    width = 4 / 255
    assert len(steps) == 256 and 0 in steps
    np.testing.assert_allclose(np.diff(steps), width, rtol=1e-3)
    # Outside of the range is its end, which lies within half a step of what came by, for zero must be a step.
    assert abs(rounded[0] + 1) <= width / 2 and abs(rounded[-1] - 3) <= width / 2
    inside = (x > steps[0]) & (x < steps[-1])
    assert np.abs(rounded - x)[inside].max() <= width / 2 + 1e-5
    # Each name has a range of its own, and it follows nothing once it is fixed.
    np.testing.assert_allclose(quantizers.activation("b", FAR), [0, 7], atol=1e-5)
    np.testing.assert_array_equal(quantizers.activation("a", tf.constant(x)), rounded)


def test_each_column_of_a_matrix_has_255_steps_around_zero():
    quantizers = Quantizers()
    w = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32) * [1, 10, 0.01, 3, 1]
    w = w.astype(np.float32)
    np.testing.assert_array_equal(quantizers.weight("w", tf.constant(w)), w)
    quantizers.fix()
    rounded = quantizers.weight("w", tf.constant(w)).numpy()
    largest = np.abs(w).max(axis=0)
    numbers = rounded / largest * 127
    np.testing.assert_allclose(numbers, numbers.round(), atol=1e-3)
    assert np.abs(numbers).max() <= 127 + 1e-3
    assert (np.abs(rounded - w) <= largest / 127 / 2 * (1 + 1e-3)).all() and (rounded != w).any()


@pytest.mark.parametrize("config", [LIVE, ACTION], ids=["lifter", "recognizer"])
def test_ranges_are_as_wide_as_all_clips_make_them(config):
    clips = tiny_export.calibration(config, windows=60)
    watching, quantizers = Watching(), Quantizers()
    run(phone(config, quantizer=watching), clips.inputs)
    plain = run(phone(config), clips.inputs)
    # A clip at a time, as it may come.
    model = phone(config, quantizer=quantizers)
    found = np.concatenate([run(model, window) for window in clips.one_by_one()])
    np.testing.assert_allclose(found, plain, atol=1e-5)
    quantizers.fix()
    assert len(watching.seen) > 3
    for name, (low, high) in watching.seen.items():
        low, high = min(low, 0), max(high, 0)
        ends = quantizers.activation(name, FAR).numpy()
        np.testing.assert_allclose(ends, [low, high], rtol=0, atol=(high - low) / 255)


@pytest.mark.parametrize("config", [LIVE, ACTION], ids=["lifter", "recognizer"])
def test_a_calibrated_model_is_rounded_and_close(config):
    # More clips than are looked at at once.
    clips = tiny_export.calibration(config, windows=120)
    model = phone(config)
    rounded = calibrated(model, clips)
    assert (rounded.inputs, rounded.outputs, rounded.step_inputs) == (model.inputs, model.outputs, model.step_inputs)
    inputs = inputs_of(model, batch=30, seed=9)
    found, expected = run(rounded, inputs), run(model, inputs)
    error = np.abs(found - expected).mean() / np.abs(expected - expected.mean(axis=0)).mean()
    # Random weights round badly where classes are close; trained ones lose nothing (README).
    assert 1e-4 < error < (0.2 if config is LIVE else 0.9), error
    np.testing.assert_array_equal(run(rounded, inputs), found)


def test_calibration_in_parts_is_that_of_all_clips_together():
    clips, quantizers = tiny_export.calibration(LIVE, windows=70), Quantizers()
    run(phone(LIVE, quantizer=quantizers), clips.inputs)
    quantizers.fix()
    together = phone(LIVE, quantizer=quantizers)
    inputs = inputs_of(together, batch=10, seed=9)
    np.testing.assert_allclose(run(calibrated(phone(LIVE), clips), inputs), run(together, inputs), atol=1e-6)


def test_the_library_leaves_keras_3_as_it_was():
    Quantizers()
    assert "TF_USE_LEGACY_KERAS" not in os.environ and keras.__version__.startswith("3")
