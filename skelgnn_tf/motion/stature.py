"""How tall a person is, from 3D poses."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from skelgnn_tf.skeletons import H36M_17, Skeleton, joint_map

#: Height of the ankle joint over the sole, as a share of the stature. Source: Drillis and Contini, 1966.
_ANKLE = 0.039
#: From the middle of the hips upwards, Human3.6M's joints, whose head is the top of it. The neck is left out: half way
#: to the nose, it lies before the straight line.
_SPINE = ("hip", "spine", "thorax", "head")


def stature_m(pose_m: np.ndarray, skeleton: Skeleton) -> float:
    """Height of the person who stands straight, from bone lengths, so that any posture will do.

    Args:
        pose_m: (frames, joints, 3) metres; NaN where nobody is seen.
        skeleton: One that has, or implies, the joints of h36m_17.

    Raises:
        ValueError: A skeleton without legs, spine or head, or no frame with anybody.

    Example:
        >>> from skelgnn_tf.skeletons import H36M_17
        >>> pose_m = np.zeros((1, 17, 3)); pose_m[:, :, 1] = -np.arange(17) / 10
        >>> stature_m(pose_m, H36M_17) > 0
        True
    """
    try:
        # Others call other joints head and neck.
        pose_m = joint_map(skeleton, H36M_17) @ pose_m
    except ValueError as error:
        raise ValueError(f"the height is told from legs, spine and head; {error}") from error
    legs = [
        _length(pose_m, f"{side}_{a}", f"{side}_{b}")
        for side in ("left", "right")
        for a, b in (("hip", "knee"), ("knee", "ankle"))
    ]
    stature = (sum(legs) / 2 + sum(_length(pose_m, a, b) for a, b in pairwise(_SPINE))) / (1 - _ANKLE)
    if not stature > 0:
        raise ValueError("the height cannot be told, for nobody is seen in any frame")
    return float(stature)


def _length(pose_m: np.ndarray, a: str, b: str) -> float:
    """Median over the frames of the distance of two joints of (frames, 17, 3); NaN if there is none."""
    lengths = np.linalg.norm(pose_m[:, H36M_17.index(a)] - pose_m[:, H36M_17.index(b)], axis=-1)
    lengths = lengths[np.isfinite(lengths)]
    return float(np.median(lengths)) if len(lengths) else float("nan")
