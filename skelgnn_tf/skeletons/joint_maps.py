"""Maps between layouts: joints of one skeleton as weighted sums of another's."""

from __future__ import annotations

import numpy as np

from skelgnn_tf.skeletons.layouts import get
from skelgnn_tf.skeletons.skeleton import Skeleton

# Joints that another layout calls otherwise or that it only implies, as weights over its own joints (they sum to 1).
_COCO_TO_H36M = {
    "hip": {"left_hip": 0.5, "right_hip": 0.5},
    "thorax": {"left_shoulder": 0.5, "right_shoulder": 0.5},
    "spine": {"left_hip": 0.25, "right_hip": 0.25, "left_shoulder": 0.25, "right_shoulder": 0.25},
    # H36M's Neck/Nose lies half way from between the shoulders to between the ears, its Head as far beyond the ears.
    "neck": {"left_shoulder": 0.25, "right_shoulder": 0.25, "left_ear": 0.25, "right_ear": 0.25},
    "head": {"left_shoulder": -0.25, "right_shoulder": -0.25, "left_ear": 0.75, "right_ear": 0.75},
}
_IMPLIED = {
    ("coco_17", "h36m_17"): _COCO_TO_H36M,
    ("blazepose_33", "h36m_17"): _COCO_TO_H36M,
    ("mpi_inf_3dhp_17", "h36m_17"): {
        "hip": {"pelvis": 1.0},
        "thorax": {"neck": 1.0},
        "neck": {"head": 1.0},
        "head": {"head_top": 1.0},
    },
    ("h36m_17", "mpi_inf_3dhp_17"): {
        "pelvis": {"hip": 1.0},
        "neck": {"thorax": 1.0},
        "head": {"neck": 1.0},
        "head_top": {"head": 1.0},
    },
    ("ntu_25", "h36m_17"): {
        "hip": {"spine_base": 1.0},
        "spine": {"spine_mid": 1.0},
        "thorax": {"spine_shoulder": 1.0},
        "neck": {"neck": 1.0},
        "head": {"head": 1.0},
    },
}


def joint_map(source: str | Skeleton, target: str | Skeleton) -> np.ndarray:
    """Matrix that turns joints of one layout into another's: `target = joint_map(source, target) @ source`.

    Rows sum to one, so the map commutes with every affine map of the coordinates (pixels, metres).

    Args:
        source: Skeleton, or its name, of what a detector gives.
        target: Skeleton, or its name, of what a model wants.

    Returns:
        float32 (target joints, source joints).

    Raises:
        ValueError: The source cannot give a joint of the target; names those joints.
    """
    source = get(source) if isinstance(source, str) else source
    target = get(target) if isinstance(target, str) else target
    implied = _IMPLIED.get((source.name.removesuffix("_lcn"), target.name.removesuffix("_lcn")), {})
    matrix = np.zeros((target.num_joints, source.num_joints), np.float32)
    missing = []
    for row, joint in enumerate(target.joints):
        weights = implied.get(joint) or ({joint: 1.0} if joint in source.joints else {})
        if not weights:
            missing.append(joint)
        for name, weight in weights.items():
            matrix[row, source.index(name)] = weight
    if missing:
        raise ValueError(f"{source.name} cannot give these joints of {target.name}: {', '.join(missing)}")
    return matrix


def map_keypoints(keypoints: np.ndarray, source: str | Skeleton, target: str | Skeleton) -> np.ndarray:
    """Keypoints of one layout as another's; a joint is as sure as the least sure of those that it is made of.

    Args:
        keypoints: (..., source joints, 2, or 3 with confidence), any unit.
        source: Skeleton, or its name, of what a detector gives.
        target: Skeleton, or its name, of what a model wants.

    Returns:
        (..., target joints, 2 or 3).

    Raises:
        ValueError: As `joint_map`.
    """
    matrix = joint_map(source, target)
    mapped = matrix @ keypoints
    if keypoints.shape[-1] == 3:
        parts = [np.flatnonzero(row) for row in matrix]
        mapped[..., 2] = np.stack([keypoints[..., joints, 2].min(axis=-1) for joints in parts], axis=-1)
    return mapped
