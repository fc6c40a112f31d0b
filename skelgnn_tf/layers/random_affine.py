"""RandomAffine: random rotation, scaling, shear and missing joints in training."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable("skelgnn_tf")
class RandomAffine(keras.layers.Layer):
    """Multiplies each clip by a random matrix of rotation, scaling along each axis and shear, and drops joints.

    The layer is part of the model, after the normalization, which would cancel it. At inference it does nothing.

    Args:
        rotation: Largest angle about each axis in degrees, in both directions. Keypoints are rotated in the plane.
        scaling: Largest change of scale along each axis; factors are between 1 - scaling and 1 + scaling.
        shear: Largest absolute value of an entry of the shear matrix.
        joint_drop: Share of joints that are set to zero for a whole clip.
        confidence: Whether the last channel is confidence.
        seed: Random seed.

    Call:
        (batch, persons, frames, joints, channels) -> the same shape.

    Source: rotation as in CTR-GCN and PYSKL (RandomRot, RandomScale), shear as in Rao et al., 2021.

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
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rotation, self.scaling, self.shear = rotation, scaling, shear
        self.joint_drop, self.confidence, self.seed = joint_drop, confidence, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: D102
        if not training:
            return x
        place, confidence = (x[..., :-1], x[..., -1:]) if self.confidence else (x, None)
        batch, (persons, frames, joints, dims) = ops.shape(x)[0], place.shape[1:]
        if self.rotation or self.scaling or self.shear:
            matrix = ops.swapaxes(self._matrix(batch, dims), 1, 2)
            flat = ops.reshape(place, (-1, persons * frames * joints, dims))
            place = ops.reshape(ops.matmul(flat, matrix), (-1, persons, frames, joints, dims))
        if self.joint_drop:
            kept = self._uniform((batch, 1, 1, joints, 1), 0, 1) >= self.joint_drop
            place = ops.where(kept, place, ops.zeros_like(place))
            if confidence is not None:
                confidence = ops.where(kept, confidence, ops.zeros_like(confidence))
        return place if confidence is None else ops.concatenate([place, confidence], axis=-1)

    def _uniform(self, shape: tuple[Any, ...], low: float, high: float) -> Any:
        return keras.random.uniform(shape, low, high, seed=self.seed_generator)

    def _matrix(self, batch: Any, dims: int) -> Any:
        """rotation @ scaling @ shear: (b, dims, dims)."""
        most = math.radians(self.rotation)
        planes = [(0, 1)] if dims == 2 else [(0, 1), (1, 2), (2, 0)]
        # A tensor, since PyTorch cannot multiply a NumPy array on the left of a tensor.
        eye = ops.eye(dims)
        matrix = eye * self._uniform((batch, 1, dims), 1 - self.scaling, 1 + self.scaling)
        shear = (1 - eye) * self._uniform((batch, dims, dims), -1, 1) * self.shear
        matrix = ops.matmul(matrix, eye + shear)
        for a, b in planes:
            angle = self._uniform((batch, 1, 1), -most, most)
            # A rotation in a plane is made from the identity and the quarter turn of that plane.
            plane, quarter = np.zeros((2, dims, dims), np.float32)
            plane[[a, b], [a, b]] = 1
            quarter[[a, b], [b, a]] = -1, 1
            matrix = ops.matmul(eye + (ops.cos(angle) - 1) * plane + ops.sin(angle) * quarter, matrix)
        return matrix

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:  # noqa: D102
        return input_shape

    def get_config(self) -> dict[str, Any]:  # noqa: D102
        return super().get_config() | {
            "rotation": self.rotation,
            "scaling": self.scaling,
            "shear": self.shear,
            "joint_drop": self.joint_drop,
            "confidence": self.confidence,
            "seed": self.seed,
        }
