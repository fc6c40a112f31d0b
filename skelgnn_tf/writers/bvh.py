"""Poses as BVH, which Blender opens: a tree of bones of constant length and their rotations over time."""

from __future__ import annotations

import itertools
import warnings
from typing import NamedTuple

import numpy as np
from scipy.spatial.transform import Rotation

from skelgnn_tf.skeletons import Skeleton
from skelgnn_tf.writers.t_pose import rest_directions

#: Camera axes (x right, y down, z forward) -> x right, y up, z towards the camera: a half turn about x.
Y_UP = np.array([1.0, -1.0, -1.0])
#: How far an outermost bone reaches beyond its joint, metres: BVH wants an end, and Blender a bone to draw.
_TIP_M = 0.05


class _Node(NamedTuple):
    """A ROOT or JOINT: how deep it hangs, its place from the one above (3,), its turns in that one (frames, 3, 3)."""

    name: str
    depth: int
    offset: np.ndarray
    turns: np.ndarray


def bvh_text(pose_m: np.ndarray, skeleton: Skeleton, fps: float) -> str:
    """A motion as the text of a .bvh file: metres, y up, z towards the camera, the rest pose a T that faces +z.

    Bones have their median length over the motion: where bones keep their length, joints are where they were, and
    elsewhere bones have their direction. Every joint of the skeleton is a JOINT of its name. Of several joints on one,
    each hangs on a JOINT "<parent>_to_<joint>" without length, for detected hips and shoulders do not move as one
    rigid piece.

    Args:
        pose_m: (frames, joints, 3) metres, camera axes x right, y down, z forward; frames of NaN, where nobody is seen,
            are filled by `bridged`.
        skeleton: Whose joints they are.
        fps: Frames per second.

    Raises:
        ValueError: Nobody is seen in any frame.
    """
    pose = bridged(np.asarray(pose_m, float)) * Y_UP
    children, parents = np.array(skeleton.bones).T
    lengths = np.zeros((skeleton.num_joints, 1))
    lengths[children, 0] = np.median(np.linalg.norm(pose[:, children] - pose[:, parents], axis=-1), axis=0)
    still = np.broadcast_to(np.eye(3), (len(pose), 3, 3))
    nodes = _hang(skeleton.root, 0, still, pose, rest_directions(skeleton) * lengths, skeleton)
    values = np.concatenate([pose[:, skeleton.root], *(_euler_degrees(node.turns) for node in nodes)], axis=1)
    rows = [" ".join(f"{value:.6f}" for value in row) for row in values]
    motion = ["MOTION", f"Frames: {len(pose)}", f"Frame Time: {1 / fps:.8f}"]
    return "\n".join(["HIERARCHY", *_hierarchy(nodes), *motion, *rows]) + "\n"


def bridged(pose_m: np.ndarray) -> np.ndarray:
    """Poses (frames, joints, 3), frames of NaN on a straight line between their neighbours; at an end the next holds.

    Raises:
        ValueError: Every frame is NaN.
    """
    seen = ~np.isnan(pose_m).any(axis=(1, 2))
    if not seen.any():
        raise ValueError("a motion wants at least one frame with a person; nobody is seen in any")
    frames, flat = np.arange(len(pose_m)), pose_m.reshape(len(pose_m), -1)
    lines = np.stack([np.interp(frames, frames[seen], values) for values in flat[seen].T], axis=1)
    return np.where(seen[:, None], flat, lines).reshape(pose_m.shape)


def _hang(
    joint: int, depth: int, above: np.ndarray, pose: np.ndarray, offsets: np.ndarray, skeleton: Skeleton
) -> list[_Node]:
    """The node of a joint and all below it, parents first; `above` (frames, 3, 3) turns what it hangs on."""
    below = [child for child, parent in skeleton.bones if parent == joint]
    bones = pose[:, below] - pose[:, [joint]]
    # A row vector times a rotation is the vector seen from within the turned frame.
    turns = _turns(offsets[below], bones @ above)
    own = above @ turns
    nodes = [_Node(skeleton.joints[joint], depth, offsets[joint], turns)]
    if len(below) == 1:
        return nodes + _hang(below[0], depth + 1, own, pose, offsets, skeleton)
    for child in below:
        turns = _swings(offsets[child], ((pose[:, child] - pose[:, joint])[:, None] @ own)[:, 0])
        name = f"{skeleton.joints[joint]}_to_{skeleton.joints[child]}"
        nodes.append(_Node(name, depth + 1, np.zeros(3), turns))
        nodes += _hang(child, depth + 2, own @ turns, pose, offsets, skeleton)
    return nodes


def _turns(rest: np.ndarray, bones: np.ndarray) -> np.ndarray:
    """Rotations (frames, 3, 3) that bring directions (k, 3) closest to bones (frames, k, 3); Kabsch for two or more."""
    if not len(rest):
        return np.broadcast_to(np.eye(3), (len(bones), 3, 3))
    if np.linalg.matrix_rank(rest, tol=1e-6) < 2:
        return _swings(rest[0], bones[:, 0])
    u, _, vt = np.linalg.svd(np.swapaxes(bones, -1, -2) @ rest)
    u[..., -1] *= np.linalg.det(u @ vt)[:, None]
    return u @ vt


def _swings(rest: np.ndarray, bones: np.ndarray) -> np.ndarray:
    """Shortest rotations (frames, 3, 3) that bring a direction (3,) to those of bones (frames, 3); no twist."""
    axes = np.cross(rest, bones)
    sines, cosines = np.linalg.norm(axes, axis=-1), bones @ rest
    # Any axis across the bone turns it round when it points straight back.
    across = np.cross(rest, np.eye(3)[np.argmin(np.abs(rest))])
    axes = np.where((sines > 1e-12)[:, None], axes, across + 1e-30)
    axes = axes / np.linalg.norm(axes, axis=-1, keepdims=True)
    return Rotation.from_rotvec(axes * np.arctan2(sines, cosines)[:, None]).as_matrix()


def _euler_degrees(turns: np.ndarray) -> np.ndarray:
    """Rotations (frames, 3, 3) as angles (frames, 3) about z, then the turned x, then the turned y, without jumps."""
    with warnings.catch_warnings():
        # At a quarter turn about x, scipy warns that z and y are one: it makes one of them zero, which is as good.
        warnings.simplefilter("ignore", UserWarning)
        angles = Rotation.from_matrix(turns).as_euler("ZXY", degrees=True)
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
