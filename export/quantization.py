"""Quantisation through tensorflow-model-optimization: ranges from real clips, training with rounding, pruning.

Its model wrappers refuse Keras 3, its quantizers and schedules do not. A quantizer keeps the range of one tensor and
rounds it to 8 bits and back ("fake quantisation"); the TFLite converter makes an integer operation of every operation
that stands between such tensors, and leaves the others in float32.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Iterable, Sequence
from functools import cache

import keras
import numpy as np
import tensorflow as tf

from skelgnn_tf.configs.config import Config
from skelgnn_tf.export.calibration import RealClips
from skelgnn_tf.export.graph.layers import Float
from skelgnn_tf.export.graph.phone_model import PhoneModel, lifter_core, recognizer_core
from skelgnn_tf.models import ActionRecognizer, PoseLifter

#: Clips at a time in calibration, and training batches that the first ranges are taken from.
_BATCH, _BATCHES = 50, 10
#: Smaller matrices are not pruned.
_SMALL = 1024


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

    def shared_activation(self, name: str, parts: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Rounded to the 256 steps of one range; in training it follows all of them together."""
        if self.mode != "train":
            return super().shared_activation(name, parts)
        # Part by part it would be drawn to the mean of their ranges, and cut the widest ones off.
        whole = self._following(tf.concat(parts, axis=-1), training=True, weights=self._ranges[name])
        return tf.split(whole, [part.shape[-1] for part in parts], axis=-1)

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
        """What tensorflow-model-optimization asks of a layer; it gives a shape as None, a number or not at all."""
        columns = options.get("shape")
        return self._add_weight(name, () if columns is None else (int(columns),), options["initializer"])


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


class QuantizationAware(keras.Model):
    """A model that is trained with the rounding of int8, through the graph that phones get.

    Batch norm keeps its statistics, nothing is dropped out. The ranges begin as wide as some batches make them.

    Args:
        model: PoseLifter or ActionRecognizer, trained.
        batches: (inputs, ...) of its training data; a few are looked at.

    Call:
        As the model's.
    """

    def __init__(self, model: PoseLifter | ActionRecognizer, batches: Iterable) -> None:
        super().__init__(name="quantization_aware", autocast=False)
        self.inner, self.quantizers = model, Quantizers(self._range)
        for inputs, *_ in itertools.islice(batches, _BATCHES):
            self.call(inputs)
        # Once more, so that the weights' ranges are made too before training traces the graph.
        self.quantizers.mode = "train"
        self.call(inputs)
        self.built = True

    def _range(self, name: str, shape: tuple, initializer) -> tf.Variable:
        # Several replicas see several ranges, and their mean is what counts.
        weight = self.add_weight(
            shape=shape, initializer=initializer, trainable=False, name=name.replace("/", "_"), aggregation="mean"
        )
        return weight.value

    def call(self, inputs, training: bool = False):  # noqa: D102
        if self.quantizers.mode != "calibrate":
            self.quantizers.mode = "train" if training else "fixed"
        if isinstance(self.inner, PoseLifter):
            return lifter_core(self.inner, self.quantizers)(self.inner.normalize(inputs))
        return recognizer_core(self.inner, self.quantizers)(inputs, training=training)


class Pruning(keras.callbacks.Callback):
    """Sets a growing share of a model's weights to zero, the smallest of each matrix first, and keeps them there.

    Args:
        model: Whose matrices are pruned.
        share: At the end, 0..1.
        steps: Of the whole training; the last quarter of it lets the other weights settle.

    Source: Zhu and Gupta, "To prune, or not to prune", 2017, by tensorflow-model-optimization's PolynomialDecay.
    """

    def __init__(self, model: keras.Model, share: float, steps: int) -> None:
        super().__init__()
        # The graph's own matrices stay: they are few and say who may hear whom.
        self.weights = [
            w for w in model.trainable_variables if w.name != "m" and len(w.shape) > 1 and math.prod(w.shape) >= _SMALL
        ]
        frequency = max(1, steps // 100)
        # A whole number of turns, so that the last one reaches the share.
        end = max(1, steps * 3 // 4 // frequency * frequency)
        self.schedule = _tfmot().sparsity.keras.PolynomialDecay(
            initial_sparsity=0.0, final_sparsity=share, begin_step=0, end_step=end, frequency=frequency
        )
        self.masks = []

    def on_train_begin(self, logs: dict | None = None) -> None:
        """A resumed run finds its zeros again, as many as the last turn before made."""
        step = self._step()
        self._prune(step - step % self.schedule.frequency)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """The optimizer has moved what is to stay zero."""
        step = self._step()
        if bool(self.schedule(step)[0]):
            self._prune(step)
        for weight, mask in zip(self.weights, self.masks, strict=True):
            weight.assign(weight * mask)

    def _step(self) -> int:
        # With several replicas their counter is no plain number.
        return int(keras.ops.convert_to_numpy(self.model.optimizer.iterations))

    def _prune(self, step: int) -> None:
        share = float(self.schedule(min(step, self.schedule.end_step))[1])
        self.masks = []
        for weight in self.weights:
            size = np.abs(keras.ops.convert_to_numpy(weight))
            gone = np.argsort(size, axis=None)[: round(share * size.size)]
            mask = np.ones(size.size, np.float32)
            mask[gone] = 0
            self.masks.append(tf.constant(mask.reshape(size.shape)))


def compression(config: Config) -> Callable:
    """What `training.train` is to do to a model for --quantize-aware and --prune.

    Returns:
        Of (model, batches, steps): the model to train in its place, and callbacks.

    Raises:
        ValueError: Another Keras backend than TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "--quantize-aware and --prune want Keras' TensorFlow backend; found "
            f"KERAS_BACKEND={keras.backend.backend()}"
        )

    def compress(model: keras.Model, batches: Iterable, steps: int) -> tuple[keras.Model, list]:
        callbacks = [Pruning(model, config.prune, steps)] if config.prune else []
        return (QuantizationAware(model, batches) if config.quantize_aware else model), callbacks

    return compress
