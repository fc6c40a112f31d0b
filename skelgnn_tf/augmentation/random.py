"""Sources of random numbers for augmentation: inside a tf.data graph or on arrays."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from keras import ops


class Draws(Protocol):
    """A seeded source of random numbers; each call gives fresh ones."""

    def uniform(self, shape: tuple, low: float = 0.0, high: float = 1.0):
        """Uniform in [low, high), float32."""

    def normal(self, shape: tuple):
        """Standard normal, float32."""


class NumpyDraws:
    """Draws from a numpy Generator."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def uniform(self, shape: tuple, low: float = 0.0, high: float = 1.0):
        """Uniform in [low, high), float32."""
        return ops.convert_to_tensor(self.rng.uniform(low, high, shape).astype(np.float32))

    def normal(self, shape: tuple):
        """Standard normal, float32."""
        return ops.convert_to_tensor(self.rng.standard_normal(shape, np.float32))
