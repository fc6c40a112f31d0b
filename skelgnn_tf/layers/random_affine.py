"""RandomAffine: turned, scaled and sheared bodies and missing joints, in training alone."""

from __future__ import annotations

import math

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable("skelgnn_tf")
class RandomAffine(keras.layers.Layer):
    """Multiplies each clip by a drawn matrix: rotation, scaling of each axis, shear; and drops joints.

    It stands inside the model, behind the normalisation, which would undo it; at inference it does nothing.

    Args:
        rotation: Largest angle in degrees about each axis (in the plane for keypoints), either way.
        scaling: Each axis is scaled by 1 +- at most this.
        shear: Largest entry of the shear matrix, either way.
        joint_drop: Share of joints that go missing (zero) for a whole clip.
        confidence: Whether the last channel is confidence.
        seed: Of the draws.

    Call:
        (batch, persons, frames, joints, channels) -> the same shape.

    Source: random rotation as CTR-GCN and PYSKL (RandomRot, RandomScale); shear as Rao et al., 2021.

    Example:
        >>> RandomAffine(rotation=17)(np.ones((2, 1, 8, 25, 3)), training=True).shape
        (2, 1, 8, 25, 3)
    """

    def __init__(
        self,
        rotation: float = 0.0,
        scaling: float = 0.0,
        shear: float = 0.0,
        joint_drop: float = 0.0,
        confidence: bool = False,
        seed: int | None = None,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.rotation, self.scaling, self.shear = rotation, scaling, shear
        self.joint_drop, self.confidence, self.seed = joint_drop, confidence, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, x, training: bool = False):  # noqa: D102
        if not training:
            return x
        place, sure = (x[..., :-1], x[..., -1:]) if self.confidence else (x, None)
        batch, (persons, frames, joints, dims) = ops.shape(x)[0], place.shape[1:]
        if self.rotation or self.scaling or self.shear:
            matrix = ops.swapaxes(self._matrix(batch, dims), 1, 2)
            flat = ops.reshape(place, (-1, persons * frames * joints, dims))
            place = ops.reshape(ops.matmul(flat, matrix), (-1, persons, frames, joints, dims))
        if self.joint_drop:
            kept = self._uniform((batch, 1, 1, joints, 1), 0, 1) >= self.joint_drop
            place = ops.where(kept, place, ops.zeros_like(place))
            sure = None if sure is None else ops.where(kept, sure, ops.zeros_like(sure))
        return place if sure is None else ops.concatenate([place, sure], axis=-1)

    def _uniform(self, shape: tuple, low: float, high: float):
        return keras.random.uniform(shape, low, high, seed=self.seed_generator)

    def _matrix(self, batch, dims: int):
        """rotation @ scaling @ shear: (b, dims, dims)."""
        most = math.radians(self.rotation)
        planes = [(0, 1)] if dims == 2 else [(0, 1), (1, 2), (2, 0)]
        # A tensor: torch's do not multiply an array that stands on their left.
        eye = ops.eye(dims)
        matrix = eye * self._uniform((batch, 1, dims), 1 - self.scaling, 1 + self.scaling)
        shear = (1 - eye) * self._uniform((batch, dims, dims), -1, 1) * self.shear
        matrix = ops.matmul(matrix, eye + shear)
        for a, b in planes:
            angle = self._uniform((batch, 1, 1), -most, most)
            # The plane's identity and its quarter turn make the rotation in it.
            plane, quarter = np.zeros((2, dims, dims), np.float32)
            plane[[a, b], [a, b]] = 1
            quarter[[a, b], [b, a]] = -1, 1
            matrix = ops.matmul(eye + (ops.cos(angle) - 1) * plane + ops.sin(angle) * quarter, matrix)
        return matrix

    def compute_output_shape(self, input_shape: tuple) -> tuple:  # noqa: D102
        return input_shape

    def get_config(self) -> dict:  # noqa: D102
        return super().get_config() | {
            "rotation": self.rotation,
            "scaling": self.scaling,
            "shear": self.shear,
            "joint_drop": self.joint_drop,
            "confidence": self.confidence,
            "seed": self.seed,
        }
