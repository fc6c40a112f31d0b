"""Poses as BVH, which Blender opens: a tree of bones with constant lengths, and their rotations over time."""

from __future__ import annotations

import itertools
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.spatial.transform import Rotation

from skelgnn_tf.inference.result import Prediction
from skelgnn_tf.skeletons import Skeleton
from skelgnn_tf.writers.conventions import Y_UP
from skelgnn_tf.writers.t_pose import rest_directions

#: How far an outermost bone extends beyond its joint, meters. BVH requires an end, and Blender a bone to draw.
_TIP_M = 0.05


class _Node(NamedTuple):
    """A ROOT or JOINT.

    Args:
        name: Name of the joint.
        depth: Depth in the tree.
        offset: (3,) meters from the node above.
        rotations: (frames, 3, 3) in the frame of the node above.
    """

    name: str
    depth: int
    offset: np.ndarray
    rotations: np.ndarray


def write(prediction: Prediction, path: Path) -> None:
    """Writes the poses of a prediction as a BVH file.

    Args:
        prediction: A prediction with poses.
        path: File to write.
    """
    poses = prediction.poses
    assert poses is not None
    # BVH has no missing joints: those that were not seen are where the lifter places them.
    path.write_text(bvh_text(poses.guess_m, poses.skeleton, prediction.fps), encoding="utf-8")


def bvh_text(pose_m: np.ndarray, skeleton: Skeleton, fps: float) -> str:
    """Poses as the text of a .bvh file: meters, y up, z towards the camera, with a T-pose facing +z as rest pose.

    Bones have their median length over the clip. Joints keep their position where bones keep their length; elsewhere,
    bones keep their direction. Every joint of the skeleton is a JOINT with its name. If a joint has several children,
    each child gets a JOINT "<parent>_to_<joint>" of length zero in between, since detected hips and shoulders do not
    move as one rigid body.

    Args:
        pose_m: (frames, joints, 3) meters, camera axes x right, y down, z forward. Frames of NaN, where the person is
            not seen, are filled by `bridged`.
        skeleton: Skeleton of the poses.
        fps: Frames per second.

    Returns:
        The text.

    Raises:
        ValueError: The person is not seen in any frame.
    """
    pose = bridged(np.asarray(pose_m, float)) * Y_UP
    children, parents = np.array(skeleton.bones).T
    lengths = np.zeros((skeleton.num_joints, 1))
    lengths[children, 0] = np.median(np.linalg.norm(pose[:, children] - pose[:, parents], axis=-1), axis=0)
    still = np.broadcast_to(np.eye(3), (len(pose), 3, 3))
    nodes = _hang(skeleton.root, 0, still, pose, rest_directions(skeleton) * lengths, skeleton)
    values = np.concatenate([pose[:, skeleton.root], *(_euler_degrees(node.rotations) for node in nodes)], axis=1)
    rows = [" ".join(f"{value:.6f}" for value in row) for row in values]
    motion = ["MOTION", f"Frames: {len(pose)}", f"Frame Time: {1 / fps:.8f}"]
    return "\n".join(["HIERARCHY", *_hierarchy(nodes), *motion, *rows]) + "\n"


def bridged(pose_m: np.ndarray) -> np.ndarray:
    """Interpolates frames of NaN linearly between their neighbors. At an end, the nearest pose is repeated.

    Args:
        pose_m: (frames, joints, 3).

    Returns:
        (frames, joints, 3) without NaN.

    Raises:
        ValueError: Every frame is NaN.
    """
    seen = ~np.isnan(pose_m).any(axis=(1, 2))
    if not seen.any():
        raise ValueError(
            "pose_m must have at least one frame in which the person is seen. Received: NaN in all frames."
        )
    frames, flat = np.arange(len(pose_m)), pose_m.reshape(len(pose_m), -1)
    lines = np.stack([np.interp(frames, frames[seen], values) for values in flat[seen].T], axis=1)
    return np.where(seen[:, None], flat, lines).reshape(pose_m.shape)


def _hang(
    joint: int, depth: int, above: np.ndarray, pose: np.ndarray, offsets: np.ndarray, skeleton: Skeleton
) -> list[_Node]:
    """The nodes of a joint and its descendants, parents first; `above` (frames, 3, 3) rotates the node above."""
    below = [child for child, parent in skeleton.bones if parent == joint]
    bones = pose[:, below] - pose[:, [joint]]
    # A row vector times a rotation is the vector in the rotated frame.
    rotations = _rotations(offsets[below], bones @ above)
    own = above @ rotations
    nodes = [_Node(skeleton.joints[joint], depth, offsets[joint], rotations)]
    if len(below) == 1:
        return nodes + _hang(below[0], depth + 1, own, pose, offsets, skeleton)
    for child in below:
        rotations = _shortest_rotations(offsets[child], ((pose[:, child] - pose[:, joint])[:, None] @ own)[:, 0])
        name = f"{skeleton.joints[joint]}_to_{skeleton.joints[child]}"
        nodes.append(_Node(name, depth + 1, np.zeros(3), rotations))
        nodes += _hang(child, depth + 2, own @ rotations, pose, offsets, skeleton)
    return nodes


def _rotations(rest: np.ndarray, bones: np.ndarray) -> np.ndarray:
    """Rotations (frames, 3, 3) that bring directions (k, 3) closest to bones (frames, k, 3), by Kabsch for k > 1."""
    if not len(rest):
        return np.broadcast_to(np.eye(3), (len(bones), 3, 3))
    if np.linalg.matrix_rank(rest, tol=1e-6) < 2:
        return _shortest_rotations(rest[0], bones[:, 0])
    u, _, vt = np.linalg.svd(np.swapaxes(bones, -1, -2) @ rest)
    u[..., -1] *= np.linalg.det(u @ vt)[:, None]
    return u @ vt


def _shortest_rotations(rest: np.ndarray, bones: np.ndarray) -> np.ndarray:
    """Shortest rotations (frames, 3, 3) that bring a direction (3,) to those of bones (frames, 3), without twist."""
    axes = np.cross(rest, bones)
    sines, cosines = np.linalg.norm(axes, axis=-1), bones @ rest
    # If the bone points straight back, any axis across it will do.
    across = np.cross(rest, np.eye(3)[np.argmin(np.abs(rest))])
    axes = np.where((sines > 1e-12)[:, None], axes, across + 1e-30)
    axes = axes / np.linalg.norm(axes, axis=-1, keepdims=True)
    return Rotation.from_rotvec(axes * np.arctan2(sines, cosines)[:, None]).as_matrix()


def _euler_degrees(rotations: np.ndarray) -> np.ndarray:
    """Rotations (frames, 3, 3) as angles (frames, 3) about z, the rotated x and the rotated y, without jumps."""
    with warnings.catch_warnings():
        # At a quarter turn about x, z and y are the same axis. scipy warns and sets one of the angles to zero.
        warnings.simplefilter("ignore", UserWarning)
        angles = Rotation.from_matrix(rotations).as_euler("ZXY", degrees=True)
    return np.unwrap(angles, axis=0, period=360)


def _hierarchy(nodes: list[_Node]) -> list[str]:
    lines = []
    for node, after in itertools.zip_longest(nodes, nodes[1:]):
        indent, next_depth = "  " * node.depth, after.depth if after else 0
        place = "Xposition Yposition Zposition " if node.depth == 0 else ""
        lines += [
            f"{indent}{'JOINT' if node.depth else 'ROOT'} {node.name}",
            f"{indent}{{",
            f"{indent}  OFFSET {_numbers(node.offset)}",
            f"{indent}  CHANNELS {6 if place else 3} {place}Zrotation Xrotation Yrotation",
        ]
        if next_depth <= node.depth:
            length = np.linalg.norm(node.offset)
            tip = node.offset / length * _TIP_M if length else np.array([0, _TIP_M, 0])
            lines += [f"{indent}  End Site", f"{indent}  {{", f"{indent}    OFFSET {_numbers(tip)}", f"{indent}  }}"]
        for depth in range(node.depth, next_depth - 1 if after else -1, -1):
            lines.append("  " * depth + "}")
    return lines


def _numbers(values: np.ndarray) -> str:
    return " ".join(f"{value:.6f}" for value in values)
