"""PersonFrame: keypoints relative to the bounding box of the person."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("skelgnn_tf")
class PersonFrame(keras.layers.Layer):
    """Centers the keypoints of each frame on the box around the visible ones, and scales its longer side to 2.

    The result does not depend on the distance to the camera or on how the picture is cropped. Each frame has a box of
    its own, so nothing depends on later frames. A joint is visible if its confidence is above 0; without confidence,
    all joints are visible. Missing joints, and frames without visible joints, become zeros.

    Call:
        (batch, frames, joints, 2 or 3) in any unit with square pixels -> the same shape, with x and y in [-1, 1].

    Source: docs/method.md, "Keypoint frame".

    Example:
        >>> import numpy as np
        >>> PersonFrame()(np.random.rand(2, 9, 17, 3)).shape
        (2, 9, 17, 3)
    """

    def call(self, keypoints: Any) -> Any:  # noqa: D102
        xy = keypoints[..., :2]
        if keypoints.shape[-1] == 2:
            visible = ops.ones_like(xy[..., :1])
        else:
            seen = keypoints[..., 2:] > 0
            visible = ops.cast(seen, xy.dtype)
            # A missing keypoint may be NaN, which a product with zero does not remove.
            xy = ops.where(seen, xy, ops.zeros_like(xy))
        far = 1e6
        low = ops.min(xy * visible + far * (1 - visible), axis=-2, keepdims=True)
        high = ops.max(xy * visible - far * (1 - visible), axis=-2, keepdims=True)
        side = ops.max(high - low, axis=-1, keepdims=True)
        # A single visible joint has no size, so it is not scaled.
        scale = 2 / ops.where(side > 0, side, ops.full_like(side, 2))
        centered = (xy - (low + high) / 2) * scale * visible
        return ops.concatenate([centered, keypoints[..., 2:]], axis=-1)

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:  # noqa: D102
        return input_shape
