"""The errors of a 2D detector in keras.ops: noise, missing joints and swapped sides."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from skelgnn_tf.augmentation.random import Draws
from skelgnn_tf.skeletons import Skeleton


def blur(keypoints: Any, noise: float, draws: Draws) -> Any:
    """Adds the error of a detector. One part is constant over the window, the other changes with each frame.

    The size of the error differs between joints. Confidence, if there is one, is low where the error is large.

    Args:
        keypoints: (batch, frames, joints, 2 or 3).
        noise: Standard deviation of the median joint, relative to the longer side of the person's bounding box.
        draws: Random numbers.

    Returns:
        Keypoints of the same shape.
    """
    batch, frames, joints, channels = ops.shape(keypoints)
    xy = keypoints[..., :2]
    seen = keypoints[..., 2:] > 0 if channels == 3 else ops.ones_like(xy[..., :1]) > 0
    low, high = ops.min(ops.where(seen, xy, 1e6), axis=2), ops.max(ops.where(seen, xy, -1e6), axis=2)
    box = ops.maximum(ops.max(high - low, axis=-1), 0)[:, :, None, None]
    badly = ops.exp(0.7 * draws.normal((batch, 1, joints, 1)))
    lasting, passing = draws.normal((batch, 1, joints, 2)), draws.normal((batch, frames, joints, 2))
    error = noise * badly * (0.8 * lasting + 0.6 * passing)
    moved = xy + box * error
    if channels == 2:
        return moved
    size = ops.norm(error, axis=-1, keepdims=True) / (4 * noise)
    confidence = ops.clip(1 - size * draws.uniform((batch, 1, joints, 1)), 0.05, 1)
    return ops.concatenate([moved, keypoints[..., 2:] * confidence], axis=-1)


def drop(keypoints: Any, probability: float, draws: Draws) -> Any:
    """Marks keypoints as missing: half of them in the whole window, half in single frames.

    Args:
        keypoints: (batch, frames, joints, 3), the last channel confidence.
        probability: Mean probability that a keypoint is missing.
        draws: Random numbers.

    Returns:
        Keypoints of the same shape, all zeros where missing.
    """
    batch, frames, joints, _ = ops.shape(keypoints)
    # Windows differ in how much is hidden.
    half = probability * draws.uniform((batch, 1, 1, 1), 0, 2) / 2
    kept = (draws.uniform((batch, 1, joints, 1)) > half) & (draws.uniform((batch, frames, joints, 1)) > half)
    return keypoints * ops.cast(kept, keypoints.dtype)


def swap_sides(keypoints: Any, probability: float, skeleton: Skeleton, draws: Draws) -> Any:
    """Swaps left and right in a run of frames, as detectors do for people seen from the side or against the light.

    Args:
        keypoints: (batch, frames, joints, 2 or 3).
        probability: Probability that a window has such a run, which is up to half a window long.
        skeleton: Defines the joints and their mirror images.
        draws: Random numbers.

    Returns:
        Keypoints of the same shape.
    """
    batch, frames, *_ = ops.shape(keypoints)
    # Whole frames, so that a window of one frame may be swapped too.
    begin, length = ops.floor(draws.uniform((batch, 1), 0, frames)), draws.uniform((batch, 1), 0, frames / 2)
    t = ops.arange(frames, dtype="float32")[None]
    inside = (t >= begin) & (t < begin + length) & (draws.uniform((batch, 1)) < probability)
    return ops.where(inside[:, :, None, None], ops.take(keypoints, np.array(skeleton.mirror), axis=-2), keypoints)
