"""Random numbers for augmentation: from a NumPy generator, or from any other source with the same interface."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from keras import ops


class Draws(Protocol):
    """A seeded source of random numbers. Every call returns new ones."""

    def uniform(self, shape: tuple[Any, ...], low: float = 0.0, high: float = 1.0) -> Any:
        """Returns float32 numbers that are uniform in [low, high)."""

    def normal(self, shape: tuple[Any, ...]) -> Any:
        """Returns float32 numbers with a standard normal distribution."""


class NumpyDraws:
    """`Draws` from a NumPy generator.

    Args:
        rng: The generator.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def uniform(self, shape: tuple[Any, ...], low: float = 0.0, high: float = 1.0) -> Any:
        """Returns float32 numbers that are uniform in [low, high)."""
        return ops.convert_to_tensor(self.rng.uniform(low, high, shape).astype(np.float32))

    def normal(self, shape: tuple[Any, ...]) -> Any:
        """Returns float32 numbers with a standard normal distribution."""
        return ops.convert_to_tensor(self.rng.standard_normal(shape, np.float32))
