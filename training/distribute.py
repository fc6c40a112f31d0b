"""Where training runs: the strategies of tf.distribute."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import keras


@contextlib.contextmanager
def scope(distribute: str) -> Iterator[int]:
    """A context that places models and optimizers on all devices used for training.

    Args:
        distribute: "auto" mirrors the model if there are two or more GPUs. "none" uses one device. "mirrored" uses all
            GPUs, or the logical CPU devices if there is no GPU.

    Yields:
        Number of replicas, among which each batch is divided.

    Raises:
        ValueError: "mirrored" on a backend other than TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        if distribute == "mirrored":
            raise ValueError(
                f"--distribute mirrored must be used with KERAS_BACKEND=tensorflow. Received: "
                f"{keras.backend.backend()}. Use --distribute none."
            )
        yield 1
        return
    import tensorflow as tf

    gpus = tf.config.list_logical_devices("GPU")
    devices = gpus or tf.config.list_logical_devices("CPU")
    if distribute == "none" or (distribute == "auto" and len(gpus) < 2):
        yield 1
        return
    strategy = tf.distribute.MirroredStrategy([device.name for device in devices])
    with strategy.scope():
        yield strategy.num_replicas_in_sync
