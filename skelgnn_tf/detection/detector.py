"""The interface of a pose detector, and the values that it returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from skelgnn_tf.detection.crop import Crop


@dataclass(frozen=True)
class Detection:
    """A person found in a picture.

    Args:
        crop: The part of the picture to search for landmarks.
        score: Confidence in [0, 1] that it shows a person.
    """

    crop: Crop
    score: float


@dataclass(frozen=True, eq=False)
class Landmarks:
    """The landmarks of one person in one picture.

    Args:
        points_px: float32 (joints, 2), x (right) and y (down) in pixels of the picture.
        visibility: float32 (joints,) in [0, 1], whether a joint is visible: neither hidden nor outside the picture.
        presence: float32 (joints,) in [0, 1], whether a joint is inside the crop, hidden or not.
        world_m: float32 (joints, 3), the detector's own 3D estimate: meters from the middle of the hips along the
            picture's x and y axes and forward.
        confidence: Confidence in [0, 1] that the crop shows a person.
        next_crop: The part of the next picture to search for the same person.
    """

    points_px: np.ndarray
    visibility: np.ndarray
    presence: np.ndarray
    world_m: np.ndarray
    confidence: float
    next_crop: Crop


class Detector(Protocol):
    """Finds people in a picture and their landmarks in two steps, so that known people are followed cheaply."""

    def detect(self, rgb: np.ndarray, square: Crop) -> list[Detection]:
        """Returns the people in a part of a picture, the most confident first.

        Args:
            rgb: uint8 (height, width, 3).
            square: The part to search. Whatever lies outside the picture counts as black.
        """

    def landmarks(self, rgb: np.ndarray, crop: Crop) -> Landmarks:
        """Returns the landmarks of the person in a part of a picture.

        Args:
            rgb: uint8 (height, width, 3).
            crop: The part that shows the person.
        """
