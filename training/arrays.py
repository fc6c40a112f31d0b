"""Batches for Keras' JAX and torch backends: the pipeline's windows and augmentation without TensorFlow."""

from __future__ import annotations

import keras
import numpy as np

from skelgnn_tf.augmentation.random import NumpyDraws
from skelgnn_tf.training.action.batches import ActionBatcher
from skelgnn_tf.training.lift.batches import Batcher


class ArrayBatches(keras.utils.PyDataset):
    """The windows of one epoch after another, shuffled by seed if they are for training.

    Args:
        batcher: Cuts and augments.
        first_epoch: Epoch that a resumed run begins with.
        skip: Batches of that epoch already taken.
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

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        size, index = self.batcher.config.batch_size, index + self.skip
        stream = [self.batcher.config.seed, self.epoch, index, int(self.batcher.training)]
        draws = NumpyDraws(np.random.default_rng(stream))
        # Where the batcher keeps its frames.
        with keras.device("cpu:0"):
            batch = self.batcher(self.rows[index * size : (index + 1) * size].astype(np.int32), draws)
        return tuple(keras.ops.convert_to_numpy(part) for part in batch)

    def on_epoch_end(self) -> None:
        """The next epoch has another order; validation stays what it is."""
        if self.batcher.training:
            self.epoch += 1
            self._shuffle()


class SequenceBatches(keras.utils.PyDataset):
    """A recogniser's batches, one epoch after another.

    Args:
        batcher: Cuts and augments.
        first_step: Steps already taken; a resumed run begins here.
    """

    def __init__(self, batcher: ActionBatcher, first_step: int = 0) -> None:
        super().__init__()
        self.batcher, self.first_step = batcher, first_step

    def __len__(self) -> int:
        return self.batcher.steps - self.first_step % self.batcher.steps

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        return self.batcher(self.first_step + index)

    def on_epoch_end(self) -> None:
        """The next epoch has steps of its own; validation begins again."""
        self.first_step = self.first_step + len(self) if self.batcher.training else 0
