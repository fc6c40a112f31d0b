"""Batches for the JAX and torch backends of Keras: the same windows and augmentation without TensorFlow."""

from __future__ import annotations

import keras
import numpy as np

from skelgnn_tf.augmentation.random import NumpyDraws
from skelgnn_tf.training.action.batches import ActionBatcher
from skelgnn_tf.training.lift.batches import Batcher


class ArrayBatches(keras.utils.PyDataset):
    """The windows of a lifter, epoch after epoch. In training, the seed decides their order.

    Args:
        batcher: Cuts and augments windows.
        first_epoch: Epoch in which a resumed run starts.
        skip: Batches of that epoch that the run has already seen.
    """

    def __init__(self, batcher: Batcher, first_epoch: int = 0, skip: int = 0) -> None:
        super().__init__()
        self.batcher, self.epoch, self.skip = batcher, first_epoch, skip
        self._shuffle()

    def _shuffle(self) -> None:
        count = len(self.batcher.windows)
        seed = [self.batcher.config.seed, self.epoch]
        self.rows = np.random.default_rng(seed).permutation(count) if self.batcher.training else np.arange(count)

    def __len__(self) -> int:
        size, count = self.batcher.config.batch_size, len(self.batcher.windows)
        return (self.batcher.steps if self.batcher.training else -(-count // size)) - self.skip

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        size, index = self.batcher.config.batch_size, index + self.skip
        stream = [self.batcher.config.seed, self.epoch, index, int(self.batcher.training)]
        draws = NumpyDraws(np.random.default_rng(stream))
        # The device of the batcher's frames.
        with keras.device("cpu:0"):
            batch = self.batcher(self.rows[index * size : (index + 1) * size].astype(np.int32), draws)
        return tuple(keras.ops.convert_to_numpy(part) for part in batch)

    def on_epoch_end(self) -> None:
        """Shuffles the next epoch of a training; validation stays the same."""
        if self.batcher.training:
            self.epoch += 1
            self._shuffle()


class SequenceBatches(keras.utils.PyDataset):
    """The batches of a recognizer, epoch after epoch.

    Args:
        batcher: Cuts and augments clips.
        first_step: Steps already taken, where a resumed run starts.
    """

    def __init__(self, batcher: ActionBatcher, first_step: int = 0) -> None:
        super().__init__()
        self.batcher, self.first_step = batcher, first_step

    def __len__(self) -> int:
        return self.batcher.steps - self.first_step % self.batcher.steps

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        return self.batcher(self.first_step + index)

    def on_epoch_end(self) -> None:
        """Continues with the steps of the next epoch; validation starts again."""
        self.first_step = self.first_step + len(self) if self.batcher.training else 0
