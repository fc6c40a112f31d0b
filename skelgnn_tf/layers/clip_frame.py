"""ClipFrame: normalizes the position, view or size of a whole clip."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from skelgnn_tf.skeletons import Skeleton, get

#: Normalizations of `ClipFrame`.
NORMALIZATIONS = ("none", "center", "view", "box")


@keras.saving.register_keras_serializable("skelgnn_tf")
class ClipFrame(keras.layers.Layer):
    """Normalizes a clip of one or two persons, with one transform for all its frames, which keeps motion through space.

    - "none": the input, unchanged.
    - "center": moves the origin to the middle of the first person's trunk in the first frame.
    - "view": "center", then rotates the clip so that in that frame the first person stands upright and faces the
      camera: the spine points up, and the line from the right to the left shoulder points along x.
    - "box": for keypoints. The origin is the mean of all visible joints. The unit is half the height or width,
      whichever is larger, of a person in a frame, averaged over the clip.

    Missing values stay zero. A joint is missing if its confidence is 0, whatever its coordinates, including NaN.
    Without confidence, a person is missing in a frame in which all its joints are zero. "The first frame" is the first
    of the frames that show the most of the first person's trunk.

    Args:
        skeleton: Skeleton of the joints, or its name.
        normalization: "none", "center", "view" or "box".
        confidence: Whether the last channel is confidence.

    Call:
        (batch, persons, frames, joints, channels) -> the same shape, in camera axes (x right, y down, z forward).

    Raises:
        ValueError: `normalization` is unknown, or it is "view" and the skeleton has no shoulders or the input is 2D.

    Source: "center" as in the data of CTR-GCN, "view" as PreNormalize3D of PYSKL, in our axes.

    Example:
        >>> from skelgnn_tf.skeletons import NTU_25
        >>> ClipFrame(NTU_25, "view")(np.random.rand(1, 2, 8, 25, 3)).shape
        (1, 2, 8, 25, 3)
    """

    def __init__(
        self, skeleton: Skeleton | str, normalization: str = "center", confidence: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if normalization not in NORMALIZATIONS:
            raise ValueError(f"normalization must be one of {', '.join(NORMALIZATIONS)}. Received: {normalization!r}.")
        self.skeleton = skeleton = get(skeleton)
        self.normalization, self.confidence = normalization, confidence
        self.needed = (skeleton.middle > 0).astype(np.float32)
        if normalization == "view":
            self.shoulders = [skeleton.index(f"{side}_shoulder") for side in ("right", "left")]
            self.needed[skeleton.pelvis > 0] = self.needed[self.shoulders] = 1

    def build(self, input_shape: tuple[Any, ...]) -> None:  # noqa: D102
        dims = input_shape[-1] - self.confidence
        if self.normalization == "view" and dims != 3:
            raise ValueError(
                f"normalization must be box, center or none for 2D keypoints. Received: view, with input {input_shape}."
            )

    def call(self, x: Any) -> Any:  # noqa: D102
        if self.confidence:
            seen = x[..., -1:] > 0
            # A missing joint may be NaN, which a product with zero does not remove.
            x = ops.where(seen, x, ops.zeros_like(x))
        if self.normalization == "none":
            return x
        place, confidence = (x[..., :-1], x[..., -1:]) if self.confidence else (x, None)
        if confidence is None:
            there = ops.cast(ops.any(place != 0, axis=(-2, -1), keepdims=True), x.dtype) * ops.ones_like(place[..., :1])
        else:
            there = ops.cast(seen, x.dtype)
        place = self._boxed(place, there) if self.normalization == "box" else self._centered(place, there)
        place = place * there
        return place if confidence is None else ops.concatenate([place, confidence], axis=-1)

    def _boxed(self, place: Any, there: Any) -> Any:
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

    def _centered(self, place: Any, there: Any) -> Any:
        # The first frame that shows the most of the needed joints of the first person: (b, joints, dims).
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
        upright = _rotation_onto(spine, (0.0, -1.0, 0.0))
        right, left = (pose[:, joint] for joint in self.shoulders)
        across = ops.squeeze(ops.matmul(upright, ops.expand_dims(left - right, -1)), -1)
        turn = ops.matmul(_rotation_onto(across, (1.0, 0.0, 0.0)), upright)
        _, persons, frames, joints, dims = place.shape
        flat = ops.reshape(place, (-1, persons * frames * joints, dims))
        return ops.reshape(ops.matmul(flat, ops.swapaxes(turn, 1, 2)), (-1, persons, frames, joints, dims))

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:  # noqa: D102
        return input_shape

    def get_config(self) -> dict[str, Any]:  # noqa: D102
        return super().get_config() | {
            "skeleton": self.skeleton.get_config(),
            "normalization": self.normalization,
            "confidence": self.confidence,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ClipFrame:  # noqa: D102
        return cls(**config | {"skeleton": Skeleton.from_config(config["skeleton"])})


def _mean(pose: Any, seen: Any, weights: np.ndarray) -> Any:
    """Weighted mean of the visible joints, zero if there is none: (b, joints, dims), (b, joints, 1) -> (b, dims)."""
    weights = seen * weights[:, None]
    return ops.sum(pose * weights, axis=1) / ops.maximum(ops.sum(weights, axis=1), 1e-6)


def _rotation_onto(vector: Any, target: tuple[float, float, float]) -> Any:
    """Smallest rotations (b, 3, 3) that bring vectors (b, 3) onto one direction; the identity for a zero vector.

    Two half turns, about the vector and about the direction half way to the target, make the rotation exactly.
    Rodrigues' formula loses precision for a vector that points the opposite way, as for a person seen from behind.
    """
    wanted = ops.zeros_like(vector) + np.array(target, np.float32)
    length = ops.norm(vector, axis=-1, keepdims=True)
    unit = ops.where(length > 1e-6, vector / ops.maximum(length, 1e-6), wanted)
    half_way = unit + wanted
    # Opposite directions do not define an axis. A person seen from behind is turned about the vertical.
    aside = ops.zeros_like(vector) + np.roll(np.array(target, np.float32), -1)
    half_way = ops.where(ops.norm(half_way, axis=-1, keepdims=True) > 1e-3, half_way, aside)
    return ops.matmul(_half_turn(half_way), _half_turn(unit))


def _half_turn(axis: Any) -> Any:
    """Rotations (b, 3, 3) by 180 degrees about vectors (b, 3) of any length."""
    outer = ops.expand_dims(axis, -1) * ops.expand_dims(axis, -2)
    return 2 * outer / ops.sum(ops.square(axis), axis=-1, keepdims=True)[..., None] - np.eye(3, dtype=np.float32)
