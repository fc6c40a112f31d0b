"""People in random poses, seen from random sides."""

import numpy as np
from scipy.spatial.transform import Rotation

from skelgnn_tf.augmentation.random import NumpyDraws
from skelgnn_tf.skeletons import H36M_17

BATCH = 3000


def draws(seed=0):
    return NumpyDraws(np.random.default_rng(seed))


def person(batch=BATCH, frames=2, skeleton=H36M_17, seed=0):
    """Standing people in world axes (z up), root at the origin, each turned, with limbs that differ."""
    rng = np.random.default_rng(seed)
    place = {
        "hip": (0, 0, 0), "pelvis": (0, 0, 0), "spine": (0, 0, 0.22), "thorax": (0, 0, 0.45), "neck": (0, 0.04, 0.52),
        "head": (0, 0, 0.65), "head_top": (0, 0, 0.7), "hip_": (0.13, 0, 0), "knee_": (0.14, 0.03, -0.4),
        "ankle_": (0.14, 0, -0.75), "shoulder_": (0.17, 0, 0.44), "elbow_": (0.25, 0.03, 0.2),
        "wrist_": (0.3, 0.15, 0.1),
    }  # fmt: skip
    rows = []
    for name in skeleton.joints:
        side, _, joint = name.partition("_")
        x, y, z = place[joint + "_"] if side in ("left", "right") else place[name]
        # Who looks along y has the left hand at negative x.
        rows.append((-x if side == "left" else x, y, z))
    pose = np.array(rows) + rng.normal(0, 0.03, (batch, frames, len(rows), 3))
    pose -= pose[:, :, skeleton.root, None]
    turn = Rotation.from_rotvec(rng.uniform(0, 2 * np.pi, batch)[:, None] * np.array([0, 0, 1])).as_matrix()
    return np.einsum("bxy,btjy->btjx", turn, pose)


def seen_somehow(pose, seed=1):
    """The same people in the axes of random cameras, and the world's up there."""
    rotation = Rotation.random(len(pose), seed).as_matrix()
    return (
        np.einsum("bxy,btjy->btjx", rotation, pose).astype(np.float32),
        rotation[:, :, 2].astype(np.float32),
    )


def a_batch(batch=64, channels=3, frames=3):
    """Random keypoints (batch, frames, 17, channels) and poses (batch, frames, 17, 3)."""
    rng = np.random.default_rng(3)
    return (
        rng.uniform(-1, 1, (batch, frames, 17, channels)).astype(np.float32),
        rng.normal(size=(batch, frames, 17, 3)).astype(np.float32),
    )
