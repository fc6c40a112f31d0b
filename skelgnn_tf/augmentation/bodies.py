"""Bodies and movements that no clip shows: other bones and joints, limbs that are turned or move as another's."""

from __future__ import annotations

import math

import numpy as np
from keras import ops

from skelgnn_tf.augmentation.random import Draws
from skelgnn_tf.augmentation.vectors import mirrored, unit
from skelgnn_tf.skeletons import Skeleton

_HEADS = ("nose", "neck", "head", "head_top")


def mix_limbs(target, share: float, skeleton: Skeleton, draws: Draws):
    """Moves some arms, legs and heads as other windows' in the batch, so that no combination is unheard of.

    A limb keeps its bones' lengths and takes their directions, as they lie to the other's trunk.

    Args:
        target: (batch, frames, joints, 3) root-relative metres.
        share: Of limbs that move as another's.
        skeleton: Of the joints.
        draws: Decides which.

    Returns:
        Poses of the same shape.

    Source: Li et al., "Cascaded Deep Monocular 3D Human Pose Estimation with Evolutionary Training Data", CVPR 2020,
    whose crossover exchanges parts of bodies.
    """
    mixed = list(ops.unstack(target, axis=2))
    for place, (stem, across) in enumerate(_limbs(skeleton).items()):
        axes = _trunk(target, skeleton, across)
        # Batches are shuffled, so a neighbour is anybody.
        other, other_axes = (ops.roll(x, place + 1, axis=0) for x in (target, axes))
        chosen = draws.uniform((ops.shape(target)[0], 1, 1)) < share
        for joint in skeleton.below(skeleton.index(stem)):
            parent = skeleton.parents[joint]
            own, its = (pose[:, :, joint] - pose[:, :, parent] for pose in (target, other))
            along = ops.einsum("btij,btj->bti", other_axes, its)
            turned = unit(ops.einsum("btij,bti->btj", axes, along)) * ops.norm(own, axis=-1, keepdims=True)
            mixed[joint] = mixed[parent] + ops.where(chosen, turned, own)
    return ops.stack(mixed, axis=2)


def turn_limbs(target, degrees: float, skeleton: Skeleton, draws: Draws):
    """Turns arms, legs and head about shoulders, hips and neck, and what is below elbows and knees half as much.

    Heads also nod, by up to five times as much: data sets show people who look ahead.

    Args:
        target: (batch, frames, joints, 3) root-relative metres.
        degrees: Standard deviation of the angle about each axis.
        skeleton: Of the joints.
        draws: Source of the turns, one for all frames of a window.

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
                # The second bone turns with the first, and by itself.
                rotation = ops.matmul(_turned(degrees / (1 + depth) * draws.normal((batch, 3))), rotation)
            parent = skeleton.parents[joint]
            bone = target[:, :, joint] - target[:, :, parent]
            turned[joint] = turned[parent] + ops.einsum("bij,btj->bti", rotation, bone)
    return ops.stack(turned, axis=2)


def vary_bodies(target, sigma: float, skeleton: Skeleton, draws: Draws):
    """Gives each window a body of its own: bones longer and shorter, alike on both sides, joints' angles as they were.

    People differ by some percent, and so do data sets in where they say that a joint is: a wrist, a hip, the head.

    Args:
        target: (batch, frames, joints, 3) root-relative metres.
        sigma: Standard deviation of the logarithm of a bone's length.
        skeleton: Of the joints.
        draws: Source of the bodies.

    Returns:
        Poses of the same shape.
    """
    batch, joints = ops.shape(target)[0], skeleton.num_joints
    both, own = draws.normal((batch, 1, joints, 1)), draws.normal((batch, 1, joints, 1))
    # A bone of the middle has no twin: it is its own.
    both = (both + ops.take(both, np.array(skeleton.mirror), axis=2)) / np.where(
        np.array(skeleton.mirror) == np.arange(joints), 2, math.sqrt(2)
    ).astype(np.float32)[:, None]
    scale = ops.exp(sigma * (0.98 * both + 0.2 * own))
    varied = list(ops.unstack(target, axis=2))
    for joint in skeleton.below(skeleton.root)[1:]:
        parent = skeleton.parents[joint]
        varied[joint] = varied[parent] + scale[:, :, joint] * (target[:, :, joint] - target[:, :, parent])
    return ops.stack(varied, axis=2)


def displacement(pose, sigma: float, skeleton: Skeleton, draws: Draws):
    """A displacement of each joint (b, t, j, 3 metres) that turns with the trunk, of this deviation."""
    trunk = _trunk(pose, skeleton, "hip")
    # Both sides of a detector err alike, and each a little on its own.
    batch, joints = ops.shape(pose)[0], skeleton.num_joints
    own, shared = draws.normal((batch, 1, joints, 3)), draws.normal((batch, 1, joints, 3))
    offset = sigma * (0.5 * own + 0.6 * (shared + mirrored(shared, skeleton)))
    # Of heads, detectors show anything from the ears to the top.
    offset = offset * np.array([[3.0 if name in _HEADS else 1.0] for name in skeleton.joints], np.float32)
    along = sigma * 2 * draws.normal((batch, 1, joints, 1))
    parents = np.array([joint if parent < 0 else parent for joint, parent in enumerate(skeleton.parents)])
    return ops.matmul(offset, trunk) + along * (ops.take(pose, parents, axis=-2) - pose)


def implied_neck(pose, skeleton: Skeleton, draws: Draws):
    """Half of the windows as of a detector without a neck, which `skeletons.joint_map` puts on the way to the head."""
    if not {"thorax", "neck", "head"} <= set(skeleton.joints):
        return pose
    thorax, neck, head = (skeleton.index(name) for name in ("thorax", "neck", "head"))
    joints = list(ops.unstack(pose, axis=2))
    chosen = draws.uniform((ops.shape(pose)[0], 1, 1)) < 0.5
    joints[neck] = ops.where(chosen, joints[thorax] + (joints[head] - joints[thorax]) / 3, joints[neck])
    return ops.stack(joints, axis=2)


def _limbs(skeleton: Skeleton) -> dict[str, str]:
    """The first joint of whatever moves by itself, and the joints across the trunk where it hangs."""
    shoulder = skeleton.index("left_shoulder")
    heads = (name for name in ("neck", "head") if name in skeleton.joints)
    head = next((name for name in heads if shoulder not in skeleton.below(skeleton.index(name))), None)
    ends = {"elbow": "shoulder", "knee": "hip"}
    limbs = {f"{side}_{end}": ends[end] for end in ends for side in ("left", "right")}
    return limbs if head is None else {head: "shoulder"} | limbs


def _trunk(pose, skeleton: Skeleton, across: str):
    """How the trunk lies at the hips or shoulders: (b, t, 3 axes, 3), the body's left, up and the third."""
    left, right, *shoulders = (
        pose[:, :, skeleton.index(name)]
        for name in (f"left_{across}", f"right_{across}", "left_shoulder", "right_shoulder")
    )
    upward = (shoulders[0] + shoulders[1]) / 2 - pose[:, :, skeleton.root]
    x = unit(left - right)
    z = unit(ops.cross(x, upward))
    return ops.stack([x, ops.cross(z, x), z], axis=-2)


def _turned(degrees):
    """Rotation matrices (b, 3, 3) about the axes (b, 3), by as many degrees as those are long."""
    angle = ops.norm(degrees, axis=-1, keepdims=True)
    x, y, z = ops.unstack(degrees / ops.maximum(angle, 1e-6), axis=-1)
    zero = ops.zeros_like(x)
    cross = ops.reshape(ops.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1), (-1, 3, 3))
    radians = angle[:, :, None] * (math.pi / 180)
    return ops.eye(3) + ops.sin(radians) * cross + (1 - ops.cos(radians)) * ops.matmul(cross, cross)
