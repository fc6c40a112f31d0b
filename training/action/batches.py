"""One batch of labeled sequences: cropped, resampled and mirrored, in numpy, the same for every backend."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from skelgnn_tf.configs import ActionConfig
from skelgnn_tf.datasets.sequences import Sequences
from skelgnn_tf.frame_sampling import clip_positions
from skelgnn_tf.skeletons import Skeleton


class ActionBatcher:
    """Makes batches from rows of a Sequences. A batch depends only on the seed and on its number.

    `frame_sampling.clip_positions` describes how a clip becomes T frames.

    Args:
        sequences: Clips.
        config: Settings of a batch.
        skeleton: Skeleton of the clips.
        classes: Class names in the order of the labels, for mirroring: "wave-left-hand" becomes "wave-right-hand".
        training: Whether clips are shuffled and augmented. Otherwise they come in order and unchanged.
    """

    def __init__(
        self, sequences: Sequences, config: ActionConfig, skeleton: Skeleton, classes: Sequence[str], training: bool
    ) -> None:
        self.sequences, self.config, self.skeleton, self.training = sequences, config, skeleton, training
        self.num_classes = len(classes)
        self.mirrored_label = mirrored_labels(classes)
        self.weights = class_weights(sequences.label, len(classes)) if training and config.class_weights else None

    @property
    def steps(self) -> int:
        """Batches in one epoch: the full ones in training, all of them otherwise."""
        count, size = len(self.sequences), self.config.batch_size
        return max(1, count // size) if self.training else -(-count // size)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of a clip in a batch: (persons, T, joints, channels)."""
        config = self.config
        channels = self.sequences.channels if self.sequences.kind == "pose" else 2 + config.confidence
        return (config.persons, config.frames, self.skeleton.num_joints, channels)

    def rows(self, step: int) -> np.ndarray:
        """Rows of the clips in the batch of a step, int (batch,); steps count from 0 over all epochs."""
        epoch, batch = divmod(step, self.steps)
        order = np.arange(len(self.sequences))
        if self.training:
            order = np.random.default_rng([self.config.seed, 1, epoch]).permutation(order)
        return order[batch * self.config.batch_size : (batch + 1) * self.config.batch_size]

    def __call__(self, step: int) -> tuple[np.ndarray, ...]:
        """The batch of a step.

        Returns:
            Clips float32 (batch, persons, T, joints, channels) and one-hot labels float32 (batch, classes); with class
            weights in training also float32 (batch,).
        """
        config, rows = self.config, self.rows(step)
        rng = np.random.default_rng([config.seed, 2, step])
        at = self._positions(rows, rng)
        if self.training and config.frame_drop:
            at = _held(at, rng.random(at.shape) < config.frame_drop)
        x = self._interpolated(rows, at)
        label = self.sequences.label[rows]
        if self.training and config.flip:
            # Clips of a class that names a side, but has no counterpart, are not mirrored.
            chosen = (rng.random(len(rows)) < 0.5) & (self.mirrored_label[label] >= 0)
            x[chosen] = x[chosen][..., list(self.skeleton.mirror), :]
            x[chosen, ..., 0] *= -1
            label = np.where(chosen, self.mirrored_label[label], label)
        y = np.eye(self.num_classes, dtype=np.float32)[label]
        return (x, y) if self.weights is None else (x, y, self.weights[label])

    def _positions(self, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Positions of the frames in the clips, with fractions: float64 (batch, T)."""
        config, lengths = self.config, self.sequences.frames[rows].astype(float)[:, None]
        # Drawn even if unused, so that the order of draws is the same for each sampling.
        share, place = rng.random((2, len(rows), 1))
        if not self.training:
            share, place = share * 0, place * 0 + 0.5
        step = self.sequences.fps[rows].astype(float)[:, None] / config.fps if config.fps else np.ones_like(lengths)
        if self.training and config.rate_jitter:
            step = step * (1 + config.rate_jitter) ** (2 * share - 1)
        return clip_positions(lengths, config.frames, config.sampling, step, share, place, self.training)

    def _interpolated(self, rows: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Clips at positions between frames: linear, or nearest where a joint is missing in one of the two frames.

        Args:
            rows: int (batch,), which clips.
            at: float64 (batch, T), positions of the frames.

        Returns:
            float32 (batch, persons, T, joints, channels).
        """
        persons, confidence = self.config.persons, self.sequences.kind == "keypoints" and self.sequences.channels == 3
        low = np.floor(at).astype(int)
        x = self.sequences.take(rows, low, persons)
        if np.any(at != low):
            after = self.sequences.take(rows, np.ceil(at).astype(int), persons)
            share = (at - low).astype(np.float32)[:, None, :, None, None]
            seen = [v[..., -1:] > 0 if confidence else np.any(v != 0, axis=-1, keepdims=True) for v in (x, after)]
            x = np.where(seen[0] & seen[1], x * (1 - share) + after * share, np.where(share < 0.5, x, after))
        return x if x.shape[-1] == self.shape[-1] else x[..., : self.shape[-1]]


def _held(at: np.ndarray, dropped: np.ndarray) -> np.ndarray:
    """Positions (batch, T) with each dropped frame replaced by the previous one; the first frame is never dropped."""
    kept = np.maximum.accumulate(np.where(dropped, 0, np.arange(at.shape[1])), axis=1)
    return np.take_along_axis(at, kept, axis=1)


def mirrored_labels(classes: Sequence[str]) -> np.ndarray:
    """The label of each class after mirroring.

    Args:
        classes: Class names in the order of the labels.

    Returns:
        int (classes,): the class with the sides in its name swapped, the class itself if its name has no side, -1 if
        there is no such class.

    Example:
        >>> mirrored_labels(("wave-left-hand", "wave-right-hand", "sit")).tolist()
        [1, 0, 2]
    """
    swap = {"left": "right", "right": "left", "Left": "Right", "Right": "Left", "LEFT": "RIGHT", "RIGHT": "LEFT"}
    # "upright" and "leftover" do not name a side.
    pattern = re.compile(
        r"(?<![A-Za-z])(left|right)(?![a-z])|(?<![A-Z])(Left|Right)(?![a-z])|(?<![A-Z])(LEFT|RIGHT)(?![A-Z])"
    )
    index = {name: i for i, name in enumerate(classes)}
    return np.array([index.get(pattern.sub(lambda m: swap[m.group()], name), -1) for name in classes])


def class_weights(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Weights that give all classes the same total weight.

    Args:
        labels: int (clips,).
        num_classes: Number of classes.

    Returns:
        float32 (classes,): 1 on average over the clips, 0 for a class without clips.
    """
    counts = np.bincount(labels, minlength=num_classes)
    there = counts > 0
    return np.where(there, len(labels) / (there.sum() * np.maximum(counts, 1)), 0).astype(np.float32)
