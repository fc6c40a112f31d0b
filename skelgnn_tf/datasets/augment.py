"""What training does to windows: drawn cameras, mirroring, noisy, swapped and missing keypoints, in keras.ops.

The same functions run inside a tf.data graph and, on Keras' other backends, on arrays; only the source of randomness
differs (`Draws`).
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
from keras import ops

from skelgnn_tf.datasets.bodies import displacement, implied_neck, mirrored, unit
from skelgnn_tf.skeletons import Skeleton


class Draws(Protocol):
    """A seeded source of random numbers; each call gives fresh ones."""

    def uniform(self, shape: tuple, low: float = 0.0, high: float = 1.0):
        """Uniform in [low, high), float32."""

    def normal(self, shape: tuple):
        """Standard normal, float32."""


class NumpyDraws:
    """Draws from a numpy Generator."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def uniform(self, shape: tuple, low: float = 0.0, high: float = 1.0):
        """Uniform in [low, high), float32."""
        return ops.convert_to_tensor(self.rng.uniform(low, high, shape).astype(np.float32))

    def normal(self, shape: tuple):
        """Standard normal, float32."""
        return ops.convert_to_tensor(self.rng.standard_normal(shape, np.float32))


def flip(keypoints, target, skeleton: Skeleton, draws: Draws):
    """Mirrors half of the windows.

    Args:
        keypoints: (batch, frames, joints, 2 or 3), screen units.
        target: (batch, frames, joints, 3).
        skeleton: Whose mirror swaps the sides.
        draws: Decides which.

    Returns:
        The two, of the same shapes.
    """
    chosen = draws.uniform((ops.shape(keypoints)[0], 1, 1, 1)) < 0.5
    return tuple(ops.where(chosen, mirrored(x, skeleton), x) for x in (keypoints, target))


def random_view(target, up, skeleton: Skeleton, draws: Draws, joint_offset: float = 0.0):
    """Poses seen through drawn cameras: any side, any distance and field of view, pitched and rolled as a phone is.

    The camera's elevation is drawn from -30 to 60 degrees (a third of them within 10 of level), roll within +-35,
    distance 1.3 to 7 m, and the person stands up to a third of the field of view from the picture's centre.

    Args:
        target: (batch, frames, joints, 3) root-relative metres, in the axes of each window's own camera.
        up: (batch, 3) the world's up in those axes.
        skeleton: Of the joints.
        draws: Source of the cameras.
        joint_offset: Standard deviation in metres of each joint's displacement, fixed to the body: a detector's hip is
            not the motion capture's, nor is one body built as the next. Pose and picture are displaced alike, so that
            what is lifted are the joints that are seen.

    Returns:
        keypoints (batch, frames, joints, 2), screen units, and target (batch, frames, joints, 3) in the new axes.
    """
    batch = ops.shape(target)[0]
    one = (batch, 1)
    # World axes with y down, as a level camera has them: columns of (b, 3, 3).
    down = -up
    helper = ops.where(
        ops.abs(up[:, 2:]) < 0.9, np.array([[0, 0, 1.0]], np.float32), np.array([[1.0, 0, 0]], np.float32)
    )
    right = unit(ops.cross(down, helper))
    forward = ops.cross(right, down)
    world = ops.matmul(target, ops.expand_dims(ops.stack([right, down, forward], axis=-1), 1))

    level = ops.cast(draws.uniform(one) < 1 / 3, "float32")
    elevation = level * draws.uniform(one, -10, 10) + (1 - level) * draws.uniform(one, -30, 60)
    roll = ops.clip(draws.normal(one) * 15, -35, 35)
    aside = draws.uniform((batch, 2), -0.25, 0.25)
    distance = ops.exp(draws.uniform(one, math.log(1.3), math.log(7.0)))
    turn = _turn(draws.uniform(one, 0, 360), axis=1)
    look = ops.matmul(_turn(roll, axis=2), _turn(elevation, axis=0))
    # The camera is turned away from the person, by the angle at which the person then stands aside of the centre.
    away = ops.matmul(_turn(aside[:, :1] * 57.3, axis=1), _turn(aside[:, 1:] * 57.3, axis=0))
    rotation = ops.matmul(away, ops.matmul(look, turn))
    posed = ops.matmul(world, ops.expand_dims(ops.transpose(rotation, (0, 2, 1)), 1))
    place = distance * away[:, :, 2]

    if joint_offset:
        posed = implied_neck(posed + displacement(posed, joint_offset, skeleton, draws), skeleton, draws)
        posed = posed - posed[:, :, skeleton.root][:, :, None]
    seen = posed + ops.reshape(place, (-1, 1, 1, 3))
    focal = ops.reshape(draws.uniform(one, 1.2, 2.6), (-1, 1, 1, 1))
    # A limb stretched towards a near camera must not pass through it.
    keypoints = focal * seen[..., :2] / ops.maximum(seen[..., 2:], 0.3)
    return keypoints, posed


def _turn(degrees, axis: int):
    """Rotation matrices (b, 3, 3) about the axis x (0), y (1) or z (2) by angles (b, 1)."""
    radians = degrees[:, 0] * (math.pi / 180)
    cos, sin, zero, one = ops.cos(radians), ops.sin(radians), ops.zeros_like(radians), ops.ones_like(radians)
    rows = {
        0: [one, zero, zero, zero, cos, -sin, zero, sin, cos],
        1: [cos, zero, sin, zero, one, zero, -sin, zero, cos],
        2: [cos, -sin, zero, sin, cos, zero, zero, zero, one],
    }[axis]
    return ops.reshape(ops.stack(rows, axis=-1), (-1, 3, 3))


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
