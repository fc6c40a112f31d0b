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

    What is missing stays zero: joints of confidence 0; without confidence, persons without any joint in a frame.

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
        if normalization == "view":
            self.shoulders = [skeleton.index(f"{side}_shoulder") for side in ("right", "left")]

    def build(self, input_shape: tuple) -> None:  # noqa: D102
        dims = input_shape[-1] - self.confidence
        if self.normalization == "view" and dims != 3:
            raise ValueError('normalization "view" turns poses in space; for 2D keypoints use "box" or "center"')

    def call(self, x):  # noqa: D102
        if self.normalization == "none":
            return x
        place, sure = (x[..., :-1], x[..., -1:]) if self.confidence else (x, None)
        if sure is None:
            there = ops.cast(ops.any(place != 0, axis=(-2, -1), keepdims=True), x.dtype) * ops.ones_like(place[..., :1])
        else:
            there = ops.cast(sure > 0, x.dtype)
            place = place * there
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
        # The first frame in which the first person is seen: (b, joints, dims).
        seen = ops.any(there[:, 0] > 0, axis=(-2, -1))
        first = ops.one_hot(ops.argmax(ops.cast(seen, "int32"), axis=1), place.shape[2], dtype=place.dtype)
        pose = ops.sum(place[:, 0] * first[:, :, None, None], axis=1)
        center = self._point(pose, self.skeleton.middle)
        place = place - center[:, None, None, None]
        if self.normalization == "center":
            return place
        spine = center - self._point(pose, self.skeleton.pelvis)
        upright = _turn_onto(spine, (0.0, -1.0, 0.0))
        right, left = (pose[:, joint] for joint in self.shoulders)
        across = ops.squeeze(ops.matmul(upright, ops.expand_dims(left - right, -1)), -1)
        turn = ops.matmul(_turn_onto(across, (1.0, 0.0, 0.0)), upright)
        _, persons, frames, joints, dims = place.shape
        flat = ops.reshape(place, (-1, persons * frames * joints, dims))
        return ops.reshape(ops.matmul(flat, ops.swapaxes(turn, 1, 2)), (-1, persons, frames, joints, dims))

    @staticmethod
    def _point(pose, weights: np.ndarray):
        """A weighted mean of joints: (b, joints, dims) -> (b, dims)."""
        return ops.sum(pose * weights[:, None], axis=1)

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


def _turn_onto(vector, target: tuple[float, float, float]):
    """The smallest rotations (b, 3, 3) that turn vectors (b, 3) onto one direction; identity for a vector of zero.

    Source: Rodrigues' formula.
    """
    length = ops.norm(vector, axis=-1, keepdims=True)
    unit = vector / ops.maximum(length, 1e-6)
    wanted = ops.zeros_like(unit) + np.array(target, np.float32)
    x, y, z = (ops.cross(unit, wanted)[:, i] for i in range(3))
    zero = ops.zeros_like(x)
    skew = ops.reshape(ops.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1), (-1, 3, 3))
    # Opposite directions leave the axis open; the bound keeps numbers finite there.
    cosine = ops.reshape(ops.sum(unit * wanted, axis=-1), (-1, 1, 1))
    return np.eye(3, dtype=np.float32) + skew + ops.matmul(skew, skew) / ops.maximum(1 + cosine, 1e-6)
