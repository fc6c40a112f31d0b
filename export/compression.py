"""What training does for `--quantize-aware` and `--prune`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import keras

from skelgnn_tf.configs import ActionConfig, LiftConfig
from skelgnn_tf.export.pruning import Pruning
from skelgnn_tf.export.quantization import QuantizationAware

#: (model, training batches, number of steps) -> (model to train in its place, callbacks).
Compress = Callable[[keras.Model, Iterable[Any], int], tuple[keras.Model, list[keras.callbacks.Callback]]]


def compression(config: LiftConfig | ActionConfig) -> Compress:
    """The argument `compress` of `training.fit.train` for a config.

    Raises:
        ValueError: Another Keras backend than TensorFlow.
    """
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise ValueError(
            "--quantize-aware and --prune must be used with Keras' TensorFlow backend. Received: "
            f"KERAS_BACKEND={backend}. Set KERAS_BACKEND=tensorflow."
        )

    def compress(
        model: keras.Model, batches: Iterable[Any], steps: int
    ) -> tuple[keras.Model, list[keras.callbacks.Callback]]:
        callbacks = [Pruning(model, config.prune, steps)] if config.prune else []
        return (QuantizationAware(model, batches) if config.quantize_aware else model), callbacks

    return compress
