"""KeypointSequence: 2D keypoints of people over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skelgnn_tf import skeletons


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

    Raises:
        ValueError: Keypoints whose shape does not fit the layout, a frame rate or a picture of size 0.

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

    def __post_init__(self) -> None:
        shape, joints = self.keypoints.shape, skeletons.get(self.layout).num_joints
        if len(shape) != 4 or shape[2:] != (joints, 3) or 0 in shape:
            raise ValueError(
                f"{self.name}: keypoints must be (persons, frames, joints, 3) with the {joints} joints of "
                f"{self.layout}. Received: {shape}. For other joints use skeletons.map_keypoints."
            )
        if not 0 < self.fps < np.inf:
            raise ValueError(f"{self.name}: fps must be above 0. Received: {self.fps}.")
        if min(self.image_size_px) < 1:
            raise ValueError(f"{self.name}: image_size_px must be at least 1 x 1. Received: {self.image_size_px}.")
