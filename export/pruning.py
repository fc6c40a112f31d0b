"""Pruning: training that sets a growing share of the weights to zero."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from skelgnn_tf.export.quantization import import_tfmot

#: Smaller matrices are not pruned.
_SMALL = 1024


class Pruning(keras.callbacks.Callback):
    """Sets a growing share of a model's weights to zero, the smallest of each matrix first, and keeps them there.

    Args:
        model: Model whose matrices are pruned.
        share: Share of zeros at the end, 0..1.
        steps: Number of steps of the whole training. In the last quarter only the other weights change.

    Source: Zhu and Gupta, "To prune, or not to prune", 2017; PolynomialDecay of tensorflow-model-optimization.
    """

    def __init__(self, model: keras.Model, share: float, steps: int) -> None:
        super().__init__()
        # The matrices of the graph are left out: they are few and determine which joints influence which.
        self.weights = [
            w for w in model.trainable_variables if w.name != "m" and len(w.shape) > 1 and math.prod(w.shape) >= _SMALL
        ]
        frequency = max(1, steps // 100)
        # A multiple of the frequency, so that the last update reaches the share.
        end = max(1, steps * 3 // 4 // frequency * frequency)
        self.schedule = import_tfmot().sparsity.keras.PolynomialDecay(
            initial_sparsity=0.0, final_sparsity=share, begin_step=0, end_step=end, frequency=frequency
        )
        self.masks: list[Any] = []

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Restores the zeros of a resumed run, as many as its last update made."""
        step = self._step()
        self._prune(step - step % self.schedule.frequency)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Sets to zero again what the optimizer has moved."""
        step = self._step()
        if bool(self.schedule(step)[0]):
            self._prune(step)
        for weight, mask in zip(self.weights, self.masks, strict=True):
            weight.assign(weight * mask)

    def _step(self) -> int:
        # With several replicas, their counter is no plain number.
        return int(keras.ops.convert_to_numpy(self.model.optimizer.iterations))

    def _prune(self, step: int) -> None:
        share = float(self.schedule(min(step, self.schedule.end_step))[1])
        self.masks = []
        for weight in self.weights:
            size = np.abs(keras.ops.convert_to_numpy(weight))
            smallest = np.argsort(size, axis=None)[: round(share * size.size)]
            mask = np.ones(size.size, np.float32)
            mask[smallest] = 0
            self.masks.append(tf.constant(mask.reshape(size.shape)))
