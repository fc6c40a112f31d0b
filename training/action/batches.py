"""One batch of labelled sequences: cropped, resampled and mirrored, in numpy, the same for every backend."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from skelgnn_tf.configs.config import Config
from skelgnn_tf.datasets.sequences import Sequences
from skelgnn_tf.skeletons import Skeleton

#: Shares of a clip that "resize" takes in training, and at test (from the middle), as CTR-GCN has them.
_CROP_TRAIN, _CROP_TEST = (0.5, 1.0), 0.95


class ActionBatcher:
    """Makes batches out of rows of a Sequences; a batch depends on the seed and its number alone.

    How a clip becomes T frames (`sampling`):

    - "resize": a crop of 50 to 100 % of it (95 % from the middle at test), but not less than T frames if it has them,
      interpolated to T frames. Source: CTR-GCN's valid_crop_resize.
    - "repeat": a clip of fewer than T frames starts again until they are full, of a longer one T frames are taken.
      Source: 2s-AGCN, the paper.
    - "window": T frames at the config's frame rate from anywhere (from the middle at test), as a live window sees it;
      the last frame of a clip that ends too soon stands still.

    Args:
        sequences: Clips.
        config: What a batch is made of.
        skeleton: Of the clips.
        classes: Names by label, for mirroring: "wave-left-hand" becomes "wave-right-hand".
        training: Whether clips are augmented and shuffled; otherwise they come as they stand.
    """

    def __init__(
        self, sequences: Sequences, config: Config, skeleton: Skeleton, classes: Sequence[str], training: bool
    ) -> None:
        self.sequences, self.config, self.skeleton, self.training = sequences, config, skeleton, training
        self.num_classes = len(classes)
        self.mirrored_label = mirrored_labels(classes)
        self.weights = class_weights(sequences.label, len(classes)) if training and config.class_weights else None

    @property
    def steps(self) -> int:
        """Batches in one pass: full ones in training, all otherwise."""
        count, size = len(self.sequences), self.config.batch_size
        return max(1, count // size) if self.training else -(-count // size)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(persons, frames, joints, channels) of a clip in a batch."""
        config = self.config
        channels = self.sequences.channels if self.sequences.kind == "pose" else 2 + config.confidence
        return (config.persons, config.frames, self.skeleton.num_joints, channels)

    def rows(self, step: int) -> np.ndarray:
        """Which clips the batch of a step holds, steps counted from 0 over all epochs."""
        epoch, batch = divmod(step, self.steps)
        order = np.arange(len(self.sequences))
        if self.training:
            order = np.random.default_rng([self.config.seed, 1, epoch]).permutation(order)
        return order[batch * self.config.batch_size : (batch + 1) * self.config.batch_size]

    def __call__(self, step: int) -> tuple[np.ndarray, ...]:
        """The batch of a step: clips float32 (batch, persons, T, joints, channels), one-hot labels, [weights]."""
        config, rows = self.config, self.rows(step)
        rng = np.random.default_rng([config.seed, 2, step])
        at = self._positions(rows, rng)
        if self.training and config.frame_drop:
            at = _held(at, rng.random(at.shape) < config.frame_drop)
        x = self._interpolated(rows, at)
        label = self.sequences.label[rows]
        if self.training and config.flip:
            # A class that says a side, but has no counterpart, keeps its clips as they are.
            chosen = (rng.random(len(rows)) < 0.5) & (self.mirrored_label[label] >= 0)
            x[chosen] = x[chosen][..., list(self.skeleton.mirror), :]
            x[chosen, ..., 0] *= -1
            label = np.where(chosen, self.mirrored_label[label], label)
        y = np.eye(self.num_classes, dtype=np.float32)[label]
        return (x, y) if self.weights is None else (x, y, self.weights[label])

    def _positions(self, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Which frames of the clips are looked at, as fractions: float64 (batch, T)."""
        config, lengths = self.config, self.sequences.frames[rows].astype(float)[:, None]
        # Drawn even where it is not used, so that all samplings share one order of draws.
        share, place = rng.random((2, len(rows), 1))
        if not self.training:
            share, place = share * 0, place * 0 + 0.5
        t = np.arange(config.frames)[None]
        if config.sampling == "resize":
            low, high = _CROP_TRAIN if self.training else (_CROP_TEST, _CROP_TEST)
            kept = np.floor(lengths * (low + (high - low) * share))
            kept = np.minimum(np.maximum(kept, config.frames), lengths)
            start = np.floor(place * (lengths - kept + (1 if self.training else 0)))
            return start + np.clip((t + 0.5) * kept / config.frames - 0.5, 0, kept - 1)
        if config.sampling == "repeat":
            start = np.floor(place * np.maximum(lengths - config.frames + 1, 1))
            return np.where(lengths < config.frames, t % lengths, start + t)
        step = self.sequences.fps[rows].astype(float)[:, None] / config.fps if config.fps else np.ones_like(lengths)
        if self.training and config.rate_jitter:
            step = step * (1 + config.rate_jitter) ** (2 * share - 1)
        start = place * np.maximum(lengths - 1 - step * (config.frames - 1), 0)
        # Halves go up: to the nearest even number, a clip from the middle would show every second frame twice.
        return np.minimum(np.floor(start + step * t + 0.5), lengths - 1)

    def _interpolated(self, rows: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Frames between two frames, linear; nearest where a joint is missing in one of the two."""
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
    """Where a frame is dropped, the one before it stands still; the first one always stays."""
    kept = np.maximum.accumulate(np.where(dropped, 0, np.arange(at.shape[1])), axis=1)
    return np.take_along_axis(at, kept, axis=1)


def mirrored_labels(classes: Sequence[str]) -> np.ndarray:
    """The label of each class seen in a mirror: int (classes,).

    "wave-left-hand" becomes "wave-right-hand"; a class without a side is its own; -1 where the counterpart is missing.
    """
    swap = {"left": "right", "right": "left", "Left": "Right", "Right": "Left", "LEFT": "RIGHT", "RIGHT": "LEFT"}
    # "upright" and "leftover" say no side.
    pattern = re.compile(
        r"(?<![A-Za-z])(left|right)(?![a-z])|(?<![A-Z])(Left|Right)(?![a-z])|(?<![A-Z])(LEFT|RIGHT)(?![A-Z])"
    )
    index = {name: i for i, name in enumerate(classes)}
    return np.array([index.get(pattern.sub(lambda m: swap[m.group()], name), -1) for name in classes])


def class_weights(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Weights that let all classes count alike: float32 (classes,), 1 on average of the clips, 0 without clips."""
    counts = np.bincount(labels, minlength=num_classes)
    there = counts > 0
    return np.where(there, len(labels) / (there.sum() * np.maximum(counts, 1)), 0).astype(np.float32)
