"""Bodies and motion that no clip has, in keras.ops: other bones and joints, limbs turned or exchanged."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from keras import ops

from skelgnn_tf.augmentation.random import Draws
from skelgnn_tf.augmentation.vectors import mirrored, unit
from skelgnn_tf.skeletons import Skeleton

_HEADS = ("nose", "neck", "head", "head_top")


def mix_limbs(target: Any, probability: float, skeleton: Skeleton, draws: Draws) -> Any:
    """Gives arms, legs and heads the motion of other windows in the batch, for new combinations.

    A limb keeps the lengths of its bones and takes their directions relative to the trunk from the other window.

    Args:
        target: (batch, frames, joints, 3) root-relative meters.
        probability: Probability that a limb takes its motion from another window.
        skeleton: Defines the joints.
        draws: Random numbers.

    Returns:
        Poses of the same shape.

    Source: Li et al., "Cascaded Deep Monocular 3D Human Pose Estimation with Evolutionary Training Data", CVPR 2020,
    whose crossover exchanges parts of bodies.
    """
    mixed = list(ops.unstack(target, axis=2))
    for place, (stem, across) in enumerate(_limbs(skeleton).items()):
        axes = _trunk(target, skeleton, across)
        # Batches are shuffled, so a neighbor is a random window.
        other, other_axes = (ops.roll(x, place + 1, axis=0) for x in (target, axes))
        chosen = draws.uniform((ops.shape(target)[0], 1, 1)) < probability
        for joint in skeleton.below(skeleton.index(stem)):
            parent = skeleton.parents[joint]
            own, its = (pose[:, :, joint] - pose[:, :, parent] for pose in (target, other))
            along = ops.einsum("btij,btj->bti", other_axes, its)
            turned = unit(ops.einsum("btij,bti->btj", axes, along)) * ops.norm(own, axis=-1, keepdims=True)
            mixed[joint] = mixed[parent] + ops.where(chosen, turned, own)
    return ops.stack(mixed, axis=2)


def turn_limbs(target: Any, degrees: float, skeleton: Skeleton, draws: Draws) -> Any:
    """Rotates arms, legs and head about shoulders, hips and neck, and forearms and shanks by half as much in addition.

    Heads also nod by up to five times as much, since people in data sets mostly look ahead. The rotation is constant
    over a window.

    Args:
        target: (batch, frames, joints, 3) root-relative meters.
        degrees: Standard deviation of the angle about each axis.
        skeleton: Defines the joints.
        draws: Random numbers.

    Returns:
        Poses of the same shape.

    Source: Gong et al., "PoseAug: A Differentiable Pose Augmentation Framework for 3D Human Pose Estimation", CVPR
    2021, whose bone angles are learned.
    """
    batch = ops.shape(target)[0]
    turned = list(ops.unstack(target, axis=2))
    left = _trunk(target, skeleton, "shoulder")[:, 0, 0]
    nod = _turned(draws.uniform((batch, 1), 0, 5 * degrees) * left)
    for stem in _limbs(skeleton):
        rotation = nod if stem in _HEADS else ops.eye(3)
        for depth, joint in enumerate(skeleton.below(skeleton.index(stem))):
            if depth < 2:
                # The second bone turns with the first one, and on its own.
                rotation = ops.matmul(_turned(degrees / (1 + depth) * draws.normal((batch, 3))), rotation)
            parent = skeleton.parents[joint]
            bone = target[:, :, joint] - target[:, :, parent]
            turned[joint] = turned[parent] + ops.einsum("bij,btj->bti", rotation, bone)
    return ops.stack(turned, axis=2)


def vary_bodies(target: Any, sigma: float, skeleton: Skeleton, draws: Draws) -> Any:
    """Gives each window another body: the lengths of bones change, similarly on both sides, joint angles do not.

    People differ by some percent, and data sets differ as much in their definitions of a wrist, a hip or a head.

    Args:
        target: (batch, frames, joints, 3) root-relative meters.
        sigma: Standard deviation of the logarithm of a bone's length.
        skeleton: Defines the joints.
        draws: Random numbers.

    Returns:
        Poses of the same shape.
    """
    batch, joints = ops.shape(target)[0], skeleton.num_joints
    both, own = draws.normal((batch, 1, joints, 1)), draws.normal((batch, 1, joints, 1))
    # A bone in the middle is its own mirror image.
    both = (both + ops.take(both, np.array(skeleton.mirror), axis=2)) / np.where(
        np.array(skeleton.mirror) == np.arange(joints), 2, math.sqrt(2)
    ).astype(np.float32)[:, None]
    scale = ops.exp(sigma * (0.98 * both + 0.2 * own))
    varied = list(ops.unstack(target, axis=2))
    for joint in skeleton.below(skeleton.root)[1:]:
        parent = skeleton.parents[joint]
        varied[joint] = varied[parent] + scale[:, :, joint] * (target[:, :, joint] - target[:, :, parent])
    return ops.stack(varied, axis=2)


def displacement(pose: Any, sigma: float, skeleton: Skeleton, draws: Draws) -> Any:
    """Returns a random displacement of each joint that turns with the trunk.

    Args:
        pose: (batch, frames, joints, 3) meters.
        sigma: Standard deviation in meters.
        skeleton: Defines the joints.
        draws: Random numbers.

    Returns:
        (batch, frames, joints, 3) meters.
    """
    trunk = _trunk(pose, skeleton, "hip")
    # A detector makes similar errors on both sides.
    batch, joints = ops.shape(pose)[0], skeleton.num_joints
    own, shared = draws.normal((batch, 1, joints, 3)), draws.normal((batch, 1, joints, 3))
    offset = sigma * (0.5 * own + 0.6 * (shared + mirrored(shared, skeleton)))
    # Detectors place heads anywhere from the ears to the top.
    offset = offset * np.array([[3.0 if name in _HEADS else 1.0] for name in skeleton.joints], np.float32)
    along = sigma * 2 * draws.normal((batch, 1, joints, 1))
    parents = np.array([joint if parent < 0 else parent for joint, parent in enumerate(skeleton.parents)])
    return ops.matmul(offset, trunk) + along * (ops.take(pose, parents, axis=-2) - pose)


def implied_neck(pose: Any, skeleton: Skeleton, draws: Draws) -> Any:
    """Places the neck of half of the windows as `skeletons.joint_map` does for detectors without a neck.

    Args:
        pose: (batch, frames, joints, 3) meters.
        skeleton: Defines the joints.
        draws: Random numbers.

    Returns:
        Poses of the same shape.
    """
    if not {"thorax", "neck", "head"} <= set(skeleton.joints):
        return pose
    thorax, neck, head = (skeleton.index(name) for name in ("thorax", "neck", "head"))
    joints = list(ops.unstack(pose, axis=2))
    chosen = draws.uniform((ops.shape(pose)[0], 1, 1)) < 0.5
    joints[neck] = ops.where(chosen, joints[thorax] + (joints[head] - joints[thorax]) / 3, joints[neck])
    return ops.stack(joints, axis=2)


def _limbs(skeleton: Skeleton) -> dict[str, str]:
    """The first moving joint of each limb, and the pair of joints of the trunk that it is attached to."""
    shoulder = skeleton.index("left_shoulder")
    heads = (name for name in ("neck", "head") if name in skeleton.joints)
    head = next((name for name in heads if shoulder not in skeleton.below(skeleton.index(name))), None)
    ends = {"elbow": "shoulder", "knee": "hip"}
    limbs = {f"{side}_{end}": ends[end] for end in ends for side in ("left", "right")}
    return limbs if head is None else {head: "shoulder"} | limbs


def _trunk(pose: Any, skeleton: Skeleton, across: str) -> Any:
    """Axes of the trunk at the hips or shoulders: (b, t, 3 axes, 3), the body's left, up and the third one."""
    left, right, *shoulders = (
        pose[:, :, skeleton.index(name)]
        for name in (f"left_{across}", f"right_{across}", "left_shoulder", "right_shoulder")
    )
    upward = (shoulders[0] + shoulders[1]) / 2 - pose[:, :, skeleton.root]
    x = unit(left - right)
    z = unit(ops.cross(x, upward))
    return ops.stack([x, ops.cross(z, x), z], axis=-2)


def _turned(degrees: Any) -> Any:
    """Rotation matrices (b, 3, 3) from rotation vectors (b, 3) in degrees."""
    angle = ops.norm(degrees, axis=-1, keepdims=True)
    x, y, z = ops.unstack(degrees / ops.maximum(angle, 1e-6), axis=-1)
    zero = ops.zeros_like(x)
    cross = ops.reshape(ops.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1), (-1, 3, 3))
    radians = angle[:, :, None] * (math.pi / 180)
    return ops.eye(3) + ops.sin(radians) * cross + (1 - ops.cos(radians)) * ops.matmul(cross, cross)
