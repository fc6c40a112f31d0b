"""Quantisation through tensorflow-model-optimization: ranges from real clips, training with rounding, pruning.

Its model wrappers refuse Keras 3, its quantizers and schedules do not. A quantizer keeps the range of one tensor and
rounds it to 8 bits and back ("fake quantisation"); the TFLite converter makes an integer operation of every operation
that stands between such tensors, and leaves the others in float32.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache

import tensorflow as tf

from skelgnn_tf.export.phone_layers import Float
from skelgnn_tf.export.phone_model import PhoneModel
from skelgnn_tf.export.real_clips import RealClips

#: Clips at a time in calibration.
_BATCH = 50


@cache
def _tfmot():
    """The library; importing it turns Keras 3 off for other packages, which is undone."""
    before = os.environ.get("TF_USE_LEGACY_KERAS")
    import tensorflow_model_optimization as tfmot

    if before is None:
        os.environ.pop("TF_USE_LEGACY_KERAS", None)
    return tfmot


class Quantizers(Float):
    """8-bit ranges of a model's activations and weights, by name.

    Args:
        add_weight: Makes a range's variable: (name, shape, initializer) -> tf.Variable.

    Attributes:
        mode: "calibrate" widens the ranges to what comes by and changes nothing; "train" rounds, and lets ranges follow
            slowly; "fixed" rounds.
    """

    def __init__(self, add_weight: Callable | None = None) -> None:
        quantizers = _tfmot().quantization.keras.quantizers
        bits = {"num_bits": 8, "per_axis": False, "symmetric": False, "narrow_range": False}
        self._widest, self._following = quantizers.AllValuesQuantizer(**bits), quantizers.MovingAverageQuantizer(**bits)
        self._weight = quantizers.LastValueQuantizer(num_bits=8, per_axis=True, symmetric=True, narrow_range=True)
        self._add_weight, self._ranges = add_weight or _variable, {}
        self.mode = "calibrate"

    def activation(self, name: str, x: tf.Tensor) -> tf.Tensor:
        """Rounded to the 256 steps of its range."""
        if name not in self._ranges:
            self._ranges[name] = self._widest.build((), name, self)
        ranges = self._ranges[name]
        if self.mode == "calibrate":
            self._widest(x, training=True, weights=ranges)
            return x
        return self._following(x, training=self.mode == "train", weights=ranges)

    def weight(self, name: str, w: tf.Tensor) -> tf.Tensor:
        """Rounded to the 255 steps of each column's largest value."""
        if self.mode == "calibrate":
            return w
        if name not in self._ranges:
            self._ranges[name] = self._weight.build(w.shape, name, self)
        return self._weight(w, training=True, weights=self._ranges[name])

    def fix(self) -> None:
        """Ends calibration: from now on the ranges are constants, which an exported graph needs."""
        self.mode = "fixed"
        self._ranges = {
            name: {end: tf.constant(range_.numpy()) for end, range_ in ranges.items()}
            for name, ranges in self._ranges.items()
        }

    def add_weight(self, name: str, **options) -> tf.Variable:
        """What tensorflow-model-optimization asks of a layer."""
        return self._add_weight(name, options.get("shape", ()), options["initializer"])


def _variable(name: str, shape: tuple, initializer) -> tf.Variable:
    return tf.Variable(initializer(shape, tf.float32), trainable=False, name=name)


def calibrated(phone: PhoneModel, clips: RealClips) -> PhoneModel:
    """The same phone model with 8-bit ranges inside, as wide as the clips make them."""
    quantizers = Quantizers()
    build = lambda: PhoneModel(phone.model, phone.config, phone.layout, phone.flip, quantizers)  # noqa: E731
    measure = build()
    for begin in range(0, len(clips), _BATCH):
        measure.run(**{name: tf.constant(array[begin : begin + _BATCH]) for name, array in clips.inputs.items()})
    quantizers.fix()
    return build()
