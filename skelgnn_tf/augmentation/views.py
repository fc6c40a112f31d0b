"""Views in keras.ops: mirrored windows, and poses seen by random cameras."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from keras import ops

from skelgnn_tf.augmentation.bodies import displacement, implied_neck
from skelgnn_tf.augmentation.random import Draws
from skelgnn_tf.augmentation.vectors import mirrored, unit
from skelgnn_tf.skeletons import Skeleton


def flip(keypoints: Any, target: Any, skeleton: Skeleton, draws: Draws) -> tuple[Any, Any]:
    """Mirrors half of the windows.

    Args:
        keypoints: (batch, frames, joints, 2 or 3), screen units.
        target: (batch, frames, joints, 3).
        skeleton: Defines the joints and their mirror images.
        draws: Random numbers.

    Returns:
        Keypoints and target of the same shapes.
    """
    chosen = draws.uniform((ops.shape(keypoints)[0], 1, 1, 1)) < 0.5
    keypoints, target = (ops.where(chosen, mirrored(x, skeleton), x) for x in (keypoints, target))
    return keypoints, target


def random_view(target: Any, up: Any, skeleton: Skeleton, draws: Draws, joint_offset: float = 0.0) -> tuple[Any, Any]:
    """Projects poses with random cameras: from any side, with any distance, field of view, pitch and roll of a phone.

    The elevation of the camera is -30 to 60 degrees (for a third of the windows within 10 degrees), the roll is within
    35 degrees, the distance is 1.3 to 7 m, and the person is up to a third of the field of view off the center.

    Args:
        target: (batch, frames, joints, 3), root-relative meters in the axes of each window's own camera.
        up: (batch, 3), the world's up direction in these axes.
        skeleton: Defines the joints.
        draws: Random numbers.
        joint_offset: Standard deviation in meters of the displacement of each joint, which is fixed to the body. The
            hip of a detector is not that of motion capture, and bodies differ. Pose and picture are displaced alike, so
            that the joints that are seen are the ones that are lifted.

    Returns:
        Keypoints (batch, frames, joints, 2) in screen units, and target (batch, frames, joints, 3) in the new axes.
    """
    batch = ops.shape(target)[0]
    one = (batch, 1)
    # World axes with y down, like those of a level camera: columns of (b, 3, 3).
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
    # Rotates the camera away from the person by the angle at which the person is then off the center.
    away = ops.matmul(_turn(aside[:, :1] * 57.3, axis=1), _turn(aside[:, 1:] * 57.3, axis=0))
    rotation = ops.matmul(away, ops.matmul(look, turn))
    posed = ops.matmul(world, ops.expand_dims(ops.transpose(rotation, (0, 2, 1)), 1))
    place = distance * away[:, :, 2]

    if joint_offset:
        posed = implied_neck(posed + displacement(posed, joint_offset, skeleton, draws), skeleton, draws)
        posed = posed - posed[:, :, skeleton.root][:, :, None]
    seen = posed + ops.reshape(place, (-1, 1, 1, 3))
    focal = ops.reshape(draws.uniform(one, 1.2, 2.6), (-1, 1, 1, 1))
    # A limb that reaches toward a near camera must not pass through it.
    keypoints = focal * seen[..., :2] / ops.maximum(seen[..., 2:], 0.3)
    return keypoints, posed


def _turn(degrees: Any, axis: int) -> Any:
    """Rotation matrices (b, 3, 3) about the axis x (0), y (1) or z (2) by angles (b, 1)."""
    radians = degrees[:, 0] * (math.pi / 180)
    cos, sin, zero, one = ops.cos(radians), ops.sin(radians), ops.zeros_like(radians), ops.ones_like(radians)
    rows = {
        0: [one, zero, zero, zero, cos, -sin, zero, sin, cos],
        1: [cos, zero, sin, zero, one, zero, -sin, zero, cos],
        2: [cos, -sin, zero, sin, cos, zero, zero, zero, one],
    }[axis]
    return ops.reshape(ops.stack(rows, axis=-1), (-1, 3, 3))
