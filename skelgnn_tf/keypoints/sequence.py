"""KeypointSequence: 2D keypoints of people over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class KeypointSequence:
    """2D keypoints of the people in one recording, read from a file or detected in a video.

    Args:
        name: Name of the file or video, used in messages.
        keypoints: float32 (persons, frames, joints, 3): x (right) and y (down) in pixels, confidence in [0, 1]. A
            missing keypoint is all zeros.
        layout: Name of the skeleton that defines the joints, such as "coco_17".
        image_size_px: Width and height of the picture.
        fps: Frames per second.
        notes: What was assumed because the source does not say it, one line each.
        world_m: float32 (persons, frames, joints, 3), the detector's own 3D estimate in meters from the middle of the
            hips, along the picture's x and y axes and forward. NaN where a person is missing; None if the source has
            no such estimate.

    Example:
        >>> keypoints = np.zeros((1, 120, 17, 3), np.float32)
        >>> KeypointSequence("squats", keypoints, "coco_17", (1280, 720), fps=30.0).fps
        30.0
    """

    name: str
    keypoints: np.ndarray
    layout: str
    image_size_px: tuple[int, int]
    fps: float
    notes: tuple[str, ...] = ()
    world_m: np.ndarray | None = None
