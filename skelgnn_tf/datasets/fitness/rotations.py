"""Rotation matrices and unit vectors, vectorized over frames. Angles, not quaternions: clips keep their exact bits."""

from __future__ import annotations

import numpy as np


def rotation(x: np.ndarray | float, y: np.ndarray | float = 0.0, z: np.ndarray | float = 0.0) -> np.ndarray:
    """Rotations by x, then y, then z about the fixed axes: radians (...) -> matrices (..., 3, 3)."""
    x, y, z = np.broadcast_arrays(x, y, z)
    cx, sx, cy, sy, cz, sz = np.cos(x), np.sin(x), np.cos(y), np.sin(y), np.cos(z), np.sin(z)
    out = np.empty((*x.shape, 3, 3))
    out[..., 0, 0], out[..., 0, 1], out[..., 0, 2] = cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx
    out[..., 1, 0], out[..., 1, 1], out[..., 1, 2] = sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx
    out[..., 2, 0], out[..., 2, 1], out[..., 2, 2] = -sy, cy * sx, cy * cx
    return out


def bend(angles: np.ndarray, share: float = 1.0) -> np.ndarray:
    """Bends by flexion (forward), side (right) and twist (left): radians (..., 3) -> matrices (..., 3, 3)."""
    return rotation(-share * angles[..., 0], share * angles[..., 1], share * angles[..., 2])


def unit(vectors: np.ndarray) -> np.ndarray:
    """Scales vectors (..., 3) to length 1."""
    return vectors / np.sqrt(np.einsum("...c,...c->...", vectors, vectors) + 1e-18)[..., None]
