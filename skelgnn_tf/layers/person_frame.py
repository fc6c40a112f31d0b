"""PersonFrame: keypoints in the frame of the person's own box, so that distance and cropping do not matter."""

from __future__ import annotations

import keras
from keras import ops


@keras.saving.register_keras_serializable("skelgnn_tf")
class PersonFrame(keras.layers.Layer):
    """Centres each frame's keypoints on the box round the visible ones and scales its longer side to 2.

    Each frame has a box of its own: nothing is learnt from later frames. A joint is visible where its confidence is
    above 0 (all are, without confidence). Missing joints, and frames without any visible joint, come out as zeros.

    Call:
        (batch, frames, joints, 2 or 3) in any unit with square pixels -> the same shape, x and y in [-1, 1].

    Source: DESIGN.md, "Keypoint frame".
    """

    def call(self, keypoints):  # noqa: D102
        xy = keypoints[..., :2]
        if keypoints.shape[-1] == 2:
            visible = ops.ones_like(xy[..., :1])
        else:
            seen = keypoints[..., 2:] > 0
            visible = ops.cast(seen, xy.dtype)
            # A missing keypoint may be NaN, which no product with zero removes.
            xy = ops.where(seen, xy, ops.zeros_like(xy))
        far = 1e6
        low = ops.min(xy * visible + far * (1 - visible), axis=-2, keepdims=True)
        high = ops.max(xy * visible - far * (1 - visible), axis=-2, keepdims=True)
        side = ops.max(high - low, axis=-1, keepdims=True)
        # One visible joint, or none, has no size: its frame stays where it is.
        scale = 2 / ops.where(side > 0, side, ops.full_like(side, 2))
        centred = (xy - (low + high) / 2) * scale * visible
        return ops.concatenate([centred, keypoints[..., 2:]], axis=-1)

    def compute_output_shape(self, input_shape: tuple) -> tuple:  # noqa: D102
        return input_shape
