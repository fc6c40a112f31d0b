"""tf.data pipelines that shuffle, cut and augment. A batch depends only on the seed and its step."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from skelgnn_tf.training.action.batches import ActionBatcher
from skelgnn_tf.training.lift.batches import Batcher


class _StatelessDraws:
    """Random numbers in a tf.data graph that depend only on a seed."""

    def __init__(self, seed: tf.Tensor) -> None:
        self.seed, self.count = seed, 0

    def _next(self) -> tf.Tensor:
        self.count += 1
        return tf.stack([self.seed[0], self.seed[1] * 100 + self.count])

    def uniform(self, shape: Any, low: float = 0.0, high: float = 1.0) -> tf.Tensor:
        """Uniform in [low, high), float32."""
        return tf.random.stateless_uniform(shape, self._next(), low, high)

    def normal(self, shape: Any) -> tf.Tensor:
        """Standard normal, float32."""
        return tf.random.stateless_normal(shape, self._next())


def training_batches(batcher: Batcher, first_step: int, epochs: int) -> tf.data.Dataset:
    """The batches of a lifter from one step to the end of the last epoch. Their order depends only on the seed.

    Args:
        batcher: Cuts and augments windows.
        first_step: Steps already taken, where a resumed run starts.
        epochs: Number of the last epoch.

    Returns:
        Batches (keypoints, target). The incomplete last batch of an epoch is left out, since each epoch is shuffled.
    """
    config, steps = batcher.config, batcher.steps

    def one_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        begin = tf.where(epoch == first_step // steps, first_step % steps, 0)
        rows = _rows_of_epoch(batcher, epoch)[begin:]
        numbers = epoch * steps + tf.range(begin, steps)
        return tf.data.Dataset.from_tensor_slices((rows, numbers))

    def make(rows: tf.Tensor, number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return batcher(rows, _StatelessDraws(tf.stack([config.seed, number])))

    numbers = tf.data.Dataset.range(first_step // steps, epochs, output_type=tf.int32)
    return numbers.flat_map(one_epoch).map(make, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def validation_batches(batcher: Batcher) -> tf.data.Dataset:
    """All windows of a lifter once, in order, with an incomplete last batch."""
    rows = tf.data.Dataset.range(len(batcher.windows), output_type=tf.int32).batch(batcher.config.batch_size)

    def make(number: tf.Tensor, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        seed = tf.stack([tf.constant(batcher.config.seed, tf.int64), -1 - number])
        return batcher(rows, _StatelessDraws(seed))

    return rows.enumerate().map(make, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def rows_of_step(batcher: Batcher, step: int) -> np.ndarray:
    """Rows of the windows in the batch of a step, int32 (batch,); steps count from 0 over all epochs."""
    steps = batcher.steps
    return _rows_of_epoch(batcher, tf.constant(step // steps))[step % steps].numpy()


def _rows_of_epoch(batcher: Batcher, epoch: tf.Tensor) -> tf.Tensor:
    """Rows of the windows in the order of an epoch, int32 (steps, batch)."""
    num_windows, steps = len(batcher.windows), batcher.steps
    size = min(batcher.config.batch_size, num_windows)
    seed = tf.stack([batcher.config.seed, epoch])
    order = tf.random.experimental.stateless_shuffle(tf.range(num_windows), seed=seed)
    return tf.reshape(order[: steps * size], (steps, size))


def sequence_batches(batcher: ActionBatcher, first_step: int, last_step: int) -> tf.data.Dataset:
    """The batches of a recognizer from `first_step` up to, but not including, `last_step`.

    They are cut in numpy instead of the graph, because the frames may be in a memory-mapped file larger than memory.
    """
    example = batcher(0)
    signature = [tf.TensorSpec((None, *part.shape[1:]), tf.as_dtype(part.dtype)) for part in example]

    def make(step: tf.Tensor) -> tuple[tf.Tensor, ...]:
        parts = tf.numpy_function(lambda step: batcher(int(step)), [step], [spec.dtype for spec in signature])
        return tuple(tf.ensure_shape(part, spec.shape) for part, spec in zip(parts, signature, strict=True))

    return tf.data.Dataset.range(first_step, last_step).map(make, tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
