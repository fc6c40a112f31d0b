"""Vector arithmetic that the augmentations share."""

from __future__ import annotations

import numpy as np
from keras import ops

from skelgnn_tf.skeletons import Skeleton


def unit(v):
    """Vectors (..., 3) of length 1; those of no length stay so."""
    return v / ops.maximum(ops.norm(v, axis=-1, keepdims=True), 1e-6)


def mirrored(x, skeleton: Skeleton):
    """Poses or keypoints (..., joints, 2 or 3) as in a mirror: x turned round, left and right exchanged."""
    sign = np.ones(x.shape[-1], np.float32)
    sign[0] = -1
    return ops.take(x, np.array(skeleton.mirror), axis=-2) * sign
