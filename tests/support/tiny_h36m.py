"""Writes a tiny data set in the layout of VideoPose3D's Human3.6M files: people who sway, seen by its cameras."""

import numpy as np

from skelgnn_tf.datasets.h36m.cameras import cameras
from skelgnn_tf.skeletons import H36M_17

# Meters in the world, z up: someone upright at the middle of the floor.
STANDING = {
    "hip": (0, 0, 0.95), "spine": (0, 0, 1.2), "thorax": (0, 0, 1.45), "neck": (0, 0.08, 1.55), "head": (0, 0, 1.68),
    "_hip": (0.13, 0, 0.95), "_knee": (0.14, 0, 0.5), "_ankle": (0.14, 0, 0.08),
    "_shoulder": (0.17, 0, 1.42), "_elbow": (0.25, 0, 1.15), "_wrist": (0.3, 0.1, 0.92),
}  # fmt: skip
TAKES = (("S1", "Walking"), ("S1", "Eating 1"), ("S5", "Eating"), ("S9", "Walking"), ("S9", "Eating 1"))


def world_pose(frames, seed):
    """World meters (frames, 17, 3): limbs swing, each take in its own way."""
    rng = np.random.default_rng(seed)
    rows = []
    for name in H36M_17.joints:
        side, _, joint = name.partition("_")
        x, y, z = STANDING["_" + joint] if side in ("left", "right") else STANDING[name]
        rows.append((-x if side == "left" else x, y, z))
    phase, swing = rng.uniform(0, 6, (17, 3)), rng.uniform(0.02, 0.08, (17, 3))
    t = np.arange(frames)[:, None, None] / 8
    return (np.array(rows) + swing * np.sin(t + phase)).astype(np.float32)


def boxed(value):
    box = np.empty((), object)
    box[()] = value
    return box


def write(folder, frames=30, name="gt", takes=TAKES, change=None):
    """data_3d_h36m.npz and data_2d_h36m_<name>.npz; `change(poses, views)` may spoil them first."""
    poses, views = {}, {}
    for seed, (subject, action) in enumerate(takes):
        world = world_pose(frames, seed)
        poses.setdefault(subject, {})[action] = world
        views.setdefault(subject, {})[action] = [
            c.project(c.to_camera(world.astype(float))).astype(np.float32) for c in cameras(subject)
        ]
    if change:
        change(poses, views)
    np.savez(folder / "data_3d_h36m.npz", positions_3d=boxed(poses))
    np.savez(folder / f"data_2d_h36m_{name}.npz", positions_2d=boxed(views), metadata=boxed({"num_joints": 17}))
    return folder
