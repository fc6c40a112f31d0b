"""The view of 3D poses: a parallel projection from slightly above onto a floor."""

from __future__ import annotations

import numpy as np

#: Colors of the picture without its image, of the floor, and of the lines between its tiles.
PAPER, FLOOR, GRID = "#F6F7F9", "#F0F2F5", "#D5DAE1"
#: Side of a tile of the floor.
TILE_M = 0.25
#: Default direction of the view.
AZIMUTH_RAD, ELEVATION_RAD = np.radians(-35.0), np.radians(14.0)


def upright_view(points_m: np.ndarray, up: tuple[float, float, float] | np.ndarray = (0.0, -1.0, 0.0)) -> np.ndarray:
    """Rotates points so that up is up.

    Args:
        points_m: (..., 3), camera-space meters.
        up: The up direction in camera space.

    Returns:
        (..., 3) meters: right, away from the camera, up.
    """
    upwards = np.asarray(up, float) / np.linalg.norm(up)
    away = np.array([0.0, 0.0, 1.0]) - upwards[2] * upwards
    away /= np.linalg.norm(away)
    return np.asarray(points_m) @ np.stack([np.cross(away, upwards), away, upwards], axis=-1)


def to_paper(points_m: np.ndarray, azimuth_rad: float = AZIMUTH_RAD) -> np.ndarray:
    """Projects upright points onto the picture.

    Args:
        points_m: (..., 3) meters, as returned by `upright_view`.
        azimuth_rad: Direction of the view. At 0 it is that of the camera, but from slightly above.

    Returns:
        (..., 3) meters: right and up in the picture, and the depth behind it.
    """
    cos, sin = np.cos(azimuth_rad), np.sin(azimuth_rad)
    right = cos * points_m[..., 0] + sin * points_m[..., 1]
    depth = -sin * points_m[..., 0] + cos * points_m[..., 1]
    cos, sin = np.cos(ELEVATION_RAD), np.sin(ELEVATION_RAD)
    # Parallel projection: bones keep their proportions wherever they are, and pictures can be compared.
    return np.stack([right, cos * points_m[..., 2] + sin * depth, cos * depth - sin * points_m[..., 2]], axis=-1)


def floor_under(pose: np.ndarray) -> np.ndarray:
    """Upright poses (..., joints, 3) -> points (..., 1, 3) below their origins at the height of the lowest joint."""
    return np.min(pose, axis=-2, keepdims=True) * (0, 0, 1)
