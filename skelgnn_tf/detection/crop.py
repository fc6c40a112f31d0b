"""Turned squares of a picture: what BlazePose looks at, and the way back to the picture's own pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class Crop:
    """A square of a picture, turned so that a person in it stands upright.

    Args:
        x_px: Its centre.
        y_px: Its centre.
        side_px: Its side.
        turn_rad: From the picture's upwards to its own, clockwise as one looks at the picture.
    """

    x_px: float
    y_px: float
    side_px: float
    turn_rad: float = 0.0

    @property
    def centre_px(self) -> np.ndarray:
        """float64 (2,)."""
        return np.array([self.x_px, self.y_px])

    @property
    def rotation(self) -> np.ndarray:
        """From the crop's directions to the picture's: float64 (2, 2)."""
        c, s = np.cos(self.turn_rad), np.sin(self.turn_rad)
        return np.array([[c, -s], [s, c]])

    def to_picture(self, points: np.ndarray) -> np.ndarray:
        """Points of the crop (..., 2), 0..1 from its upper left corner, in the picture's pixels."""
        return (points - 0.5) * self.side_px @ self.rotation.T + self.centre_px

    def from_picture(self, points_px: np.ndarray) -> np.ndarray:
        """Points of the picture (..., 2) in pixels, as shares 0..1 of the crop."""
        return (points_px - self.centre_px) @ self.rotation / self.side_px + 0.5


def person_crop(hips_px: np.ndarray, edge_px: np.ndarray) -> Crop:
    """The square of a person: BlazePose's alignment points are the hips' middle and a point of the circle round him.

    Args:
        hips_px: (2,) the middle of the hips, x and y.
        edge_px: (2,) straight above it (seen from the person), on the circle round the whole body.

    Returns:
        A quarter larger than the circle, as the landmark model was trained.
    """
    dx, dy = np.asarray(edge_px, float) - hips_px
    return Crop(float(hips_px[0]), float(hips_px[1]), 2.5 * float(np.hypot(dx, dy)), float(np.arctan2(dx, -dy)))


def cut_out(rgb: np.ndarray, crop: Crop, size: int) -> np.ndarray:
    """A crop's pixels, bilinearly; what lies outside the picture is black.

    Args:
        rgb: uint8 (height, width, 3).
        crop: Where.
        size: Pixels of the result's side.

    Returns:
        float32 (size, size, 3), 0..1.
    """
    corners = crop.to_picture(np.array([[0, 0], [0, 1], [1, 0], [1, 1]]))
    # Only the part that is looked at becomes a picture of Pillow, which is a copy.
    height, width, _ = rgb.shape
    x0, y0 = np.clip(np.floor(corners.min(axis=0)).astype(int) - 1, 0, (width, height))
    x1, y1 = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 2, 0, (width, height))
    if x1 <= x0 or y1 <= y0:
        return np.zeros((size, size, 3), np.float32)
    part = Image.fromarray(np.ascontiguousarray(rgb[y0:y1, x0:x1]))
    pixel = crop.rotation * crop.side_px / size
    # Pillow's coordinates begin at a pixel's corner, as the crop's do.
    start = crop.to_picture(np.zeros(2)) - (x0, y0)
    affine = (*pixel[0], start[0], *pixel[1], start[1])
    cut = part.transform((size, size), Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR)
    return np.asarray(cut, np.float32) / 255
