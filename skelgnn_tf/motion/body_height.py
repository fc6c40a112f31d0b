"""The height of a person, from 3D poses."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from skelgnn_tf.skeletons import H36M_17, Skeleton, joint_map

#: Height of the ankle joint above the ground, as a share of the body height. Source: Drillis and Contini, 1966.
_ANKLE = 0.039
#: Joints of Human3.6M from the middle of the hips to the top of the head. The neck is left out: it is half way to the
#: nose, so it lies in front of the straight line.
_SPINE = ("hip", "spine", "thorax", "head")


def body_height_m(pose_m: np.ndarray, skeleton: Skeleton) -> float:
    """Height of a person standing straight, derived from bone lengths, so it does not depend on the posture.

    Args:
        pose_m: (frames, joints, 3) meters; NaN where the person or a joint is not seen.
        skeleton: Skeleton of the poses. It must have or imply the joints of h36m_17.

    Returns:
        Meters.

    Raises:
        ValueError: The skeleton has no legs, spine or head, or one of their bones is not seen in any frame.

    Example:
        >>> from skelgnn_tf.skeletons import H36M_17
        >>> pose_m = np.zeros((1, 17, 3)); pose_m[:, :, 1] = -np.arange(17) / 10
        >>> body_height_m(pose_m, H36M_17) > 0
        True
    """
    try:
        # Other layouts use the names head and neck for other joints.
        matrix = joint_map(skeleton, H36M_17)
    except ValueError as error:
        raise ValueError(f"skeleton must have legs, spine and head to derive the body height: {error}") from error
    # Only the joints that a mapped joint is made of make it NaN.
    gone = (matrix != 0) @ np.isnan(pose_m).any(axis=-1, keepdims=True)
    pose_m = np.where(gone, np.nan, matrix @ np.nan_to_num(pose_m))
    legs = [
        _length(pose_m, f"{side}_{a}", f"{side}_{b}")
        for side in ("left", "right")
        for a, b in (("hip", "knee"), ("knee", "ankle"))
    ]
    height = (sum(legs) / 2 + sum(_length(pose_m, a, b) for a, b in pairwise(_SPINE))) / (1 - _ANKLE)
    if not height > 0:
        raise ValueError(
            "pose_m must have at least one frame in which the person is seen from head to feet. Received: NaN in all "
            "frames."
        )
    return float(height)


def _length(pose_m: np.ndarray, a: str, b: str) -> float:
    """Median distance of two joints over the frames of (frames, 17, 3), in meters; NaN if none is seen."""
    lengths = np.linalg.norm(pose_m[:, H36M_17.index(a)] - pose_m[:, H36M_17.index(b)], axis=-1)
    lengths = lengths[np.isfinite(lengths)]
    return float(np.median(lengths)) if len(lengths) else float("nan")
