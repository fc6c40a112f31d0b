"""How tall a person is, from 3D poses."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from skelgnn_tf.skeletons import Skeleton

#: Height of the ankle joint over the sole, as a share of the stature. Source: Drillis and Contini, 1966.
_ANKLE = 0.039
#: From the middle of the hips upwards. The neck is left out: half way to the nose, it lies before the straight line.
_SPINE = ("spine", "thorax", "head")


def stature_m(pose_m: np.ndarray, skeleton: Skeleton) -> float:
    """Height of the person who stands straight, from bone lengths, so that any posture will do.

    Args:
        pose_m: (frames, joints, 3) metres; NaN where nobody is seen.
        skeleton: With legs and `head`, its top, such as h36m_17.

    Raises:
        ValueError: A skeleton without legs or head, or no frame with anybody.

    Example:
        >>> from skelgnn_tf.skeletons import H36M_17
        >>> pose_m = np.zeros((1, 17, 3)); pose_m[:, :, 1] = -np.arange(17) / 10
        >>> stature_m(pose_m, H36M_17) > 0
        True
    """
    if "head" not in skeleton.joints:
        raise ValueError(f"the height is told from legs, spine and head; {skeleton.name} has no joint 'head'")
    legs = [
        _length(pose_m, skeleton, f"{side}_{a}", f"{side}_{b}")
        for side in ("left", "right")
        for a, b in (("hip", "knee"), ("knee", "ankle"))
    ]
    hips = (pose_m[:, skeleton.index("left_hip")] + pose_m[:, skeleton.index("right_hip")]) / 2
    chain = [joint for joint in _SPINE if joint in skeleton.joints]
    trunk = _median(hips - pose_m[:, skeleton.index(chain[0])])
    trunk += sum(_length(pose_m, skeleton, a, b) for a, b in pairwise(chain))
    stature = (sum(legs) / 2 + trunk) / (1 - _ANKLE)
    if not stature > 0:
        raise ValueError("the height cannot be told, for nobody is seen in any frame")
    return float(stature)


def _length(pose_m: np.ndarray, skeleton: Skeleton, a: str, b: str) -> float:
    return _median(pose_m[:, skeleton.index(a)] - pose_m[:, skeleton.index(b)])


def _median(bones_m: np.ndarray) -> float:
    lengths = np.linalg.norm(bones_m, axis=-1)
    lengths = lengths[np.isfinite(lengths)]
    return float(np.median(lengths)) if len(lengths) else float("nan")
