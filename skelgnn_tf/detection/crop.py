"""Rotated squares of a picture: the input of BlazePose, and the way back to the picture's pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class Crop:
    """A square of a picture, rotated so that a person in it stands upright.

    Args:
        x_px: x of its center.
        y_px: y of its center.
        side_px: Length of its side.
        turn_rad: Angle from the picture's up direction to the crop's, clockwise as seen by a viewer.
    """

    x_px: float
    y_px: float
    side_px: float
    turn_rad: float = 0.0

    @property
    def center_px(self) -> np.ndarray:
        """float64 (2,)."""
        return np.array([self.x_px, self.y_px])

    @property
    def rotation(self) -> np.ndarray:
        """Directions in the crop -> directions in the picture: float64 (2, 2)."""
        c, s = np.cos(self.turn_rad), np.sin(self.turn_rad)
        return np.array([[c, -s], [s, c]])

    def to_picture(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 2) in [0, 1] from the crop's upper left corner -> pixels of the picture (..., 2)."""
        return (points - 0.5) * self.side_px @ self.rotation.T + self.center_px

    def from_picture(self, points_px: np.ndarray) -> np.ndarray:
        """Pixels of the picture (..., 2) -> points (..., 2) in [0, 1] from the crop's upper left corner."""
        return (points_px - self.center_px) @ self.rotation / self.side_px + 0.5


def person_crop(hips_px: np.ndarray, edge_px: np.ndarray) -> Crop:
    """Returns the crop of a person from BlazePose's two alignment points.

    Args:
        hips_px: (2,) middle of the hips, x and y.
        edge_px: (2,) point on the circle around the whole body, straight above the hips as seen from the person.

    Returns:
        A crop 1.25 times as wide as the circle, as in the training of the landmark model.
    """
    dx, dy = np.asarray(edge_px, float) - hips_px
    return Crop(float(hips_px[0]), float(hips_px[1]), 2.5 * float(np.hypot(dx, dy)), float(np.arctan2(dx, -dy)))


def cut_out(rgb: np.ndarray, crop: Crop, size: int) -> np.ndarray:
    """Samples the pixels of a crop bilinearly. Whatever lies outside the picture is black.

    Args:
        rgb: uint8 (height, width, 3).
        crop: The part to sample.
        size: Side of the result in pixels.

    Returns:
        float32 (size, size, 3) in [0, 1].
    """
    corners = crop.to_picture(np.array([[0, 0], [0, 1], [1, 0], [1, 1]]))
    # Pillow copies its input, so it gets only the part that the crop covers.
    height, width, _ = rgb.shape
    x0, y0 = np.clip(np.floor(corners.min(axis=0)).astype(int) - 1, 0, (width, height))
    x1, y1 = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 2, 0, (width, height))
    if x1 <= x0 or y1 <= y0:
        return np.zeros((size, size, 3), np.float32)
    part = Image.fromarray(np.ascontiguousarray(rgb[y0:y1, x0:x1]))
    pixel = crop.rotation * crop.side_px / size
    # The origin of Pillow's coordinates is the corner of a pixel, as in the crop.
    start = crop.to_picture(np.zeros(2)) - (x0, y0)
    affine = (*pixel[0], start[0], *pixel[1], start[1])
    cut = part.transform((size, size), Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR)
    return np.asarray(cut, np.float32) / 255
