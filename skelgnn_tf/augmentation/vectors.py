"""Vector arithmetic shared by the augmentations."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from skelgnn_tf.skeletons import Skeleton


def unit(v: Any) -> Any:
    """Scales vectors (..., 3) to length 1. Zero vectors stay zero."""
    return v / ops.maximum(ops.norm(v, axis=-1, keepdims=True), 1e-6)


def mirrored(x: Any, skeleton: Skeleton) -> Any:
    """Mirrors poses or keypoints (..., joints, 2 or 3): x changes sign, left and right are exchanged."""
    sign = np.ones(x.shape[-1], np.float32)
    sign[0] = -1
    return ops.take(x, np.array(skeleton.mirror), axis=-2) * sign
