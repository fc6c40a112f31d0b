"""8-bit quantization through tensorflow-model-optimization: ranges from real clips, and training with rounding.

The model wrappers of that library refuse Keras 3; its quantizers do not. A quantizer keeps the range of one tensor and
rounds it to 8 bits and back ("fake quantization"). The TFLite converter turns every operation between such tensors into
an integer operation and leaves the others in float32.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

import keras
import tensorflow as tf

from skelgnn_tf.export.calibration import RealClips
from skelgnn_tf.export.graph.layers import Float
from skelgnn_tf.export.graph.phone_model import PhoneModel, lifter_core, recognizer_core
from skelgnn_tf.models import ActionRecognizer, PoseLifter

#: Windows per batch of calibration, and training batches that determine the first ranges.
_BATCH, _BATCHES = 50, 10


@cache
def import_tfmot() -> Any:
    """Imports tensorflow-model-optimization and undoes that this turns Keras 3 off for other packages."""
    before = os.environ.get("TF_USE_LEGACY_KERAS")
    import tensorflow_model_optimization as tfmot

    if before is None:
        os.environ.pop("TF_USE_LEGACY_KERAS", None)
    return tfmot


class Quantizers(Float):
    """8-bit ranges of the activations and weights of a model, by name.

    Args:
        add_weight: Makes the variable of a range: (name, shape, initializer) -> tf.Variable.

    Attributes:
        mode: "calibrate" widens the ranges to all values and changes nothing. "train" rounds, and lets the ranges
            follow slowly. "fixed" rounds.
    """

    def __init__(self, add_weight: Callable[..., Any] | None = None) -> None:
        quantizers = import_tfmot().quantization.keras.quantizers
        bits = {"num_bits": 8, "per_axis": False, "symmetric": False, "narrow_range": False}
        self._widest, self._following = quantizers.AllValuesQuantizer(**bits), quantizers.MovingAverageQuantizer(**bits)
        self._weight = quantizers.LastValueQuantizer(num_bits=8, per_axis=True, symmetric=True, narrow_range=True)
        self._add_weight = add_weight or _variable
        self._ranges: dict[str, dict[str, Any]] = {}
        self.mode = "calibrate"

    def activation(self, name: str, x: Any) -> Any:
        """The tensor, rounded to the 256 steps of its range."""
        if name not in self._ranges:
            self._ranges[name] = self._widest.build((), name, self)
        ranges = self._ranges[name]
        if self.mode == "calibrate":
            self._widest(x, training=True, weights=ranges)
            return x
        return self._following(x, training=self.mode == "train", weights=ranges)

    def shared_activation(self, name: str, parts: Sequence[Any]) -> list[Any]:
        """The tensors, rounded to the 256 steps of one range; in training it follows all of them together."""
        if self.mode != "train":
            return super().shared_activation(name, parts)
        # Part by part, the range would be drawn to the mean of the parts' ranges and cut off the widest ones.
        whole = self._following(tf.concat(parts, axis=-1), training=True, weights=self._ranges[name])
        return tf.split(whole, [part.shape[-1] for part in parts], axis=-1)

    def weight(self, name: str, w: Any) -> Any:
        """The matrix, rounded to 255 steps up to the largest value of each column."""
        if self.mode == "calibrate":
            return w
        if name not in self._ranges:
            self._ranges[name] = self._weight.build(w.shape, name, self)
        return self._weight(w, training=True, weights=self._ranges[name])

    def fix(self) -> None:
        """Ends calibration: from now on the ranges are constants, as an exported graph requires."""
        self.mode = "fixed"
        self._ranges = {
            name: {end: tf.constant(range_.numpy()) for end, range_ in ranges.items()}
            for name, ranges in self._ranges.items()
        }

    def add_weight(self, name: str, **options: Any) -> Any:
        """Called by tensorflow-model-optimization, which passes a shape as None, as a number, or not at all."""
        columns = options.get("shape")
        return self._add_weight(name, () if columns is None else (int(columns),), options["initializer"])


def _variable(name: str, shape: tuple[int, ...], initializer: Callable[..., Any]) -> Any:
    return tf.Variable(initializer(shape, tf.float32), trainable=False, name=name)


def calibrated(phone: PhoneModel, clips: RealClips) -> PhoneModel:
    """The same phone model with 8-bit ranges inside, as wide as the clips make them."""
    quantizers = Quantizers()

    def build() -> PhoneModel:
        return PhoneModel(phone.model, phone.config, phone.layout, phone.flip, quantizers)

    measuring = build()
    for begin in range(0, len(clips), _BATCH):
        measuring.run(**{name: tf.constant(array[begin : begin + _BATCH]) for name, array in clips.inputs.items()})
    quantizers.fix()
    return build()


class QuantizationAware(keras.Model):
    """A model that is trained with the rounding of int8, through the graph that is exported.

    Batch norm keeps its statistics, and there is no dropout. The ranges start as wide as some batches make them.

    Args:
        model: PoseLifter or ActionRecognizer, trained.
        batches: (inputs, ...) of its training data, of which a few are used.

    Call:
        Same as the model.
    """

    def __init__(self, model: PoseLifter | ActionRecognizer, batches: Iterable[Any]) -> None:
        super().__init__(name="quantization_aware", autocast=False)
        self.inner, self.quantizers = model, Quantizers(self._range)
        for inputs, *_ in itertools.islice(batches, _BATCHES):
            self.call(inputs)
        # Once more, so that the ranges of the weights exist before training traces the graph.
        self.quantizers.mode = "train"
        self.call(inputs)
        self.built = True

    def _range(self, name: str, shape: tuple[int, ...], initializer: Callable[..., Any]) -> Any:
        # Several replicas see several ranges, whose mean counts.
        weight = self.add_weight(
            shape=shape, initializer=initializer, trainable=False, name=name.replace("/", "_"), aggregation="mean"
        )
        return weight.value

    def call(self, inputs: Any, training: bool = False) -> Any:  # noqa: D102
        if self.quantizers.mode != "calibrate":
            self.quantizers.mode = "train" if training else "fixed"
        if isinstance(self.inner, PoseLifter):
            return lifter_core(self.inner, self.quantizers)(self.inner.normalize(inputs))
        return recognizer_core(self.inner, self.quantizers)(inputs, training=training)
