"""Where training runs: the strategies of tf.distribute."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import keras


@contextlib.contextmanager
def scope(distribute: str) -> Iterator[int]:
    """Within it, models and optimizers are made on every device that training shall use.

    Args:
        distribute: "auto" (mirrored over the GPUs if there are two or more), "none", or "mirrored" (over all GPUs, or
            over the logical CPU devices if there is no GPU).

    Yields:
        Number of replicas; a batch is shared out among them.

    Raises:
        ValueError: "mirrored" on a backend other than TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        if distribute == "mirrored":
            raise ValueError(
                f"--distribute mirrored wants KERAS_BACKEND=tensorflow; this is {keras.backend.backend()}. "
                "Use --distribute none"
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
