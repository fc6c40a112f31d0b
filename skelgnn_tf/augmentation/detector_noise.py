"""The errors of a 2D detector: noise, missing joints and swapped sides, in keras.ops."""

from __future__ import annotations

import numpy as np
from keras import ops

from skelgnn_tf.augmentation.random import Draws
from skelgnn_tf.skeletons import Skeleton


def blur(keypoints, noise: float, draws: Draws):
    """Adds a detector's error: part of it stays through the window, part changes with each frame.

    Joints differ in how badly they are seen; confidence, if there is one, falls where the error is large.

    Args:
        keypoints: (batch, frames, joints, 2 or 3).
        noise: Standard deviation of the median joint, as a share of the longer side of the person's box.
        draws: Source of the error.

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
    sure = ops.clip(1 - size * draws.uniform((batch, 1, joints, 1)), 0.05, 1)
    return ops.concatenate([moved, keypoints[..., 2:] * sure], axis=-1)


def drop(keypoints, share: float, draws: Draws):
    """Marks keypoints as missing: half of them for the whole window, half in single frames.

    Args:
        keypoints: (batch, frames, joints, 3), the last channel confidence.
        share: Of keypoints, missing on average.
        draws: Decides which.

    Returns:
        Keypoints of the same shape, confidence, x and y 0 where missing.
    """
    batch, frames, joints, _ = ops.shape(keypoints)
    # How much is hidden differs from window to window.
    share = share * draws.uniform((batch, 1, 1, 1), 0, 2)
    kept = (draws.uniform((batch, 1, joints, 1)) > share / 2) & (draws.uniform((batch, frames, joints, 1)) > share / 2)
    return keypoints * ops.cast(kept, keypoints.dtype)


def swap_sides(keypoints, share: float, skeleton: Skeleton, draws: Draws):
    """Takes left for right during a run of frames, as detectors do with people seen from the side or against the light.

    Args:
        keypoints: (batch, frames, joints, 2 or 3).
        share: Of windows that have such a run; it is up to half a window long.
        skeleton: Whose mirror swaps the sides.
        draws: Decides where.

    Returns:
        Keypoints of the same shape.
    """
    batch, frames, *_ = ops.shape(keypoints)
    # Whole frames, so that even a window of one frame may be swapped.
    begin, length = ops.floor(draws.uniform((batch, 1), 0, frames)), draws.uniform((batch, 1), 0, frames / 2)
    t = ops.arange(frames, dtype="float32")[None]
    inside = (t >= begin) & (t < begin + length) & (draws.uniform((batch, 1)) < share)
    return ops.where(inside[:, :, None, None], ops.take(keypoints, np.array(skeleton.mirror), axis=-2), keypoints)
