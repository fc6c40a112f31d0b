"""Maps between layouts: the joints of one skeleton as weighted sums of the joints of another."""

from __future__ import annotations

import numpy as np

from skelgnn_tf.skeletons.layouts import get
from skelgnn_tf.skeletons.skeleton import Skeleton

# Joints that another layout names differently or only implies, as weights of its own joints, which sum to 1.
_COCO_TO_H36M = {
    "hip": {"left_hip": 0.5, "right_hip": 0.5},
    "thorax": {"left_shoulder": 0.5, "right_shoulder": 0.5},
    "spine": {"left_hip": 0.25, "right_hip": 0.25, "left_shoulder": 0.25, "right_shoulder": 0.25},
    # Neck/Nose of Human3.6M is half way from between the shoulders to between the ears, Head as far above the ears.
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
    """Matrix that maps the joints of one layout to those of another: `target = joint_map(source, target) @ source`.

    Each row sums to one, so the map commutes with every affine map of the coordinates (pixels or meters).

    Args:
        source: Layout of the input, such as a detector's; a skeleton or its name.
        target: Layout of the output, such as a model's; a skeleton or its name.

    Returns:
        float32 (target joints, source joints).

    Raises:
        ValueError: The source has no equivalent of a joint of the target.

    Example:
        >>> joint_map("coco_17", "h36m_17").shape
        (17, 17)
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
        raise ValueError(
            f"source must have all joints of {target.name}. Received: {source.name}, which lacks {', '.join(missing)}."
        )
    return matrix


def map_keypoints(keypoints: np.ndarray, source: str | Skeleton, target: str | Skeleton) -> np.ndarray:
    """Maps keypoints from one layout to another.

    The confidence of a mapped joint is the lowest confidence of the joints that it is made of.

    Args:
        keypoints: (..., source joints, 2), or 3 with confidence, in any unit.
        source: Layout of the keypoints; a skeleton or its name.
        target: Layout of the output; a skeleton or its name.

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
