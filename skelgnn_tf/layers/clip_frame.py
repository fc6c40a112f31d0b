"""ClipFrame: a whole clip in the frame of its first pose or of its box, so that place and view do not matter."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from skelgnn_tf.skeletons import Skeleton

#: What `ClipFrame` can do.
NORMALIZATIONS = ("none", "center", "view", "box")


@keras.saving.register_keras_serializable("skelgnn_tf")
class ClipFrame(keras.layers.Layer):
    """Normalises a clip of one or two persons, once for all its frames, so that motion through space stays.

    - "none": nothing.
    - "center": the origin moves to the middle of the first person's trunk in the first frame.
    - "view": the same, then the clip is turned so that in that frame the first person stands upright and faces the
      camera: the spine points up, then the line from right to left shoulder along x.
    - "box": for keypoints; the origin is the mean of all visible joints, the unit half the mean height or width
      (whichever is larger) of a person in a frame.

    What is missing stays zero: joints of confidence 0 (whatever stands there, NaN even); without confidence, persons
    without any joint in a frame. "The first frame" is the first that shows the most of the first person's trunk.

    Args:
        skeleton: Of the joints.
        normalization: One of the four.
        confidence: Whether the last channel is confidence.

    Call:
        (batch, persons, frames, joints, channels) -> the same shape; camera axes (x right, y down, z forward).

    Raises:
        ValueError: Another normalisation; "view" on a skeleton without shoulders or on keypoints.

    Source: first-frame centring as CTR-GCN's data, "view" as PYSKL's PreNormalize3D (in our axes).

    Example:
        >>> from skelgnn_tf.skeletons import NTU_25
        >>> ClipFrame(NTU_25, "view")(np.random.rand(1, 2, 8, 25, 3)).shape
        (1, 2, 8, 25, 3)
    """

    def __init__(self, skeleton: Skeleton, normalization: str = "center", confidence: bool = False, **kwargs) -> None:
        super().__init__(**kwargs)
        if normalization not in NORMALIZATIONS:
            raise ValueError(f"normalization wants {', '.join(NORMALIZATIONS)}; got {normalization!r}")
        self.skeleton, self.normalization, self.confidence = skeleton, normalization, confidence
        self.needed = (skeleton.middle > 0).astype(np.float32)
        if normalization == "view":
            self.shoulders = [skeleton.index(f"{side}_shoulder") for side in ("right", "left")]
            self.needed[skeleton.pelvis > 0] = self.needed[self.shoulders] = 1

    def build(self, input_shape: tuple) -> None:  # noqa: D102
        dims = input_shape[-1] - self.confidence
        if self.normalization == "view" and dims != 3:
            raise ValueError('normalization "view" turns poses in space; for 2D keypoints use "box" or "center"')

    def call(self, x):  # noqa: D102
        if self.confidence:
            seen = x[..., -1:] > 0
            # What stands at a missing joint may be NaN, which no product with zero removes.
            x = ops.where(seen, x, ops.zeros_like(x))
        if self.normalization == "none":
            return x
        place, sure = (x[..., :-1], x[..., -1:]) if self.confidence else (x, None)
        if sure is None:
            there = ops.cast(ops.any(place != 0, axis=(-2, -1), keepdims=True), x.dtype) * ops.ones_like(place[..., :1])
        else:
            there = ops.cast(seen, x.dtype)
        place = self._boxed(place, there) if self.normalization == "box" else self._centred(place, there)
        place = place * there
        return place if sure is None else ops.concatenate([place, sure], axis=-1)

    def _boxed(self, place, there):
        everything = (1, 2, 3)
        count = ops.maximum(ops.sum(there, axis=everything, keepdims=True), 1)
        center = ops.sum(place * there, axis=everything, keepdims=True) / count
        far = 1e6
        low = ops.min(place + far * (1 - there), axis=3, keepdims=True)
        high = ops.max(place - far * (1 - there), axis=3, keepdims=True)
        side = ops.maximum(ops.max(high - low, axis=-1, keepdims=True), 0)
        seen = ops.cast(side > 0, side.dtype)
        size = ops.sum(side, axis=everything, keepdims=True) / ops.maximum(
            ops.sum(seen, axis=everything, keepdims=True), 1
        )
        return (place - center) * 2 / ops.where(size > 0, size, ops.ones_like(size))

    def _centred(self, place, there):
        # The first frame that shows the most of what is needed of the first person: (b, joints, dims).
        shown = ops.sum(there[:, 0] * self.needed[:, None], axis=(-2, -1))
        first = ops.one_hot(ops.argmax(ops.cast(shown, "int32"), axis=1), place.shape[2], dtype=place.dtype)[
            :, :, None, None
        ]
        pose, seen = (ops.sum(v[:, 0] * first, axis=1) for v in (place, there))
        center = _mean(pose, seen, self.skeleton.middle)
        place = place - center[:, None, None, None]
        if self.normalization == "center":
            return place
        spine = center - _mean(pose, seen, self.skeleton.pelvis)
        upright = _turn_onto(spine, (0.0, -1.0, 0.0))
        right, left = (pose[:, joint] for joint in self.shoulders)
        across = ops.squeeze(ops.matmul(upright, ops.expand_dims(left - right, -1)), -1)
        turn = ops.matmul(_turn_onto(across, (1.0, 0.0, 0.0)), upright)
        _, persons, frames, joints, dims = place.shape
        flat = ops.reshape(place, (-1, persons * frames * joints, dims))
        return ops.reshape(ops.matmul(flat, ops.swapaxes(turn, 1, 2)), (-1, persons, frames, joints, dims))

    def compute_output_shape(self, input_shape: tuple) -> tuple:  # noqa: D102
        return input_shape

    def get_config(self) -> dict:  # noqa: D102
        return super().get_config() | {
            "skeleton": self.skeleton.get_config(),
            "normalization": self.normalization,
            "confidence": self.confidence,
        }

    @classmethod
    def from_config(cls, config: dict) -> ClipFrame:  # noqa: D102
        return cls(**config | {"skeleton": Skeleton.from_config(config["skeleton"])})


def _mean(pose, seen, weights: np.ndarray):
    """A weighted mean of the joints that are seen, zero if none is: (b, joints, dims), (b, joints, 1) -> (b, dims)."""
    weights = seen * weights[:, None]
    return ops.sum(pose * weights, axis=1) / ops.maximum(ops.sum(weights, axis=1), 1e-6)


def _turn_onto(vector, target: tuple[float, float, float]):
    """The smallest rotations (b, 3, 3) that turn vectors (b, 3) onto one direction; identity for a vector of zero.

    Two half-turns, about the vector and about what lies half way to the target, make a rotation exactly, while
    Rodrigues' formula loses its digits for a vector that points the other way: a person seen from behind.
    """
    wanted = ops.zeros_like(vector) + np.array(target, np.float32)
    length = ops.norm(vector, axis=-1, keepdims=True)
    unit = ops.where(length > 1e-6, vector / ops.maximum(length, 1e-6), wanted)
    half_way = unit + wanted
    # Opposite directions leave the axis open; a person seen from behind turns about the vertical.
    aside = ops.zeros_like(vector) + np.roll(np.array(target, np.float32), -1)
    half_way = ops.where(ops.norm(half_way, axis=-1, keepdims=True) > 1e-3, half_way, aside)
    return ops.matmul(_half_turn(half_way), _half_turn(unit))


def _half_turn(axis):
    """Rotations (b, 3, 3) by 180 degrees about vectors (b, 3) of any length."""
    outer = ops.expand_dims(axis, -1) * ops.expand_dims(axis, -2)
    return 2 * outer / ops.sum(ops.square(axis), axis=-1, keepdims=True)[..., None] - np.eye(3, dtype=np.float32)
