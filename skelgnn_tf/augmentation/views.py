"""What a camera sees: mirrored windows and cameras drawn at random, in keras.ops."""

from __future__ import annotations

import math

import numpy as np
from keras import ops

from skelgnn_tf.augmentation.bodies import displacement, implied_neck
from skelgnn_tf.augmentation.random import Draws
from skelgnn_tf.augmentation.vectors import mirrored, unit
from skelgnn_tf.skeletons import Skeleton


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
