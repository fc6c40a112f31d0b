"""Clip and ClipSet: what every loader gives and everything else takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skelgnn_tf.geometry import Camera
from skelgnn_tf.skeletons import Skeleton


@dataclass(frozen=True)
class Clip:
    """One take of one camera.

    Args:
        name: Where it comes from, for messages: "S9 Walking 1 camera 2".
        keypoints: float32 (persons, frames, joints, 2 or 3): x, y in pixels of the picture[, confidence 0..1]; a
            keypoint of confidence 0 is missing and becomes zeros, whatever it was.
        pose_m: float32 (frames, joints, 3) camera-space metres of the first person, or (persons, frames, joints, 3) of
            all, zeros where a person is absent; or None.
        label: Index of the action's class for recognition, or None.
        camera: The camera that took it, or None if unknown.
        image_size_px: Width and height of the picture.
        fps: Frames per second.
        subject: "S9".
        action: The name that scores are grouped by: "Walking".
        repetitions: int32 (frames,) repetitions finished so far, or None.
        phase: float32 (frames,) 0..1 within the repetition, or None.
        valid: bool (frames,), the frames that count in a score, or None for all.
        dataset: The data set's name in the catalogue.

    Raises:
        ValueError: Shapes that do not fit each other, or coordinates that are NaN or infinite; names clip and frame.
    """

    name: str
    keypoints: np.ndarray
    pose_m: np.ndarray | None = None
    label: int | None = None
    camera: Camera | None = None
    image_size_px: tuple[int, int] = (1000, 1000)
    fps: float = 50.0
    subject: str = ""
    action: str = ""
    repetitions: np.ndarray | None = None
    phase: np.ndarray | None = None
    valid: np.ndarray | None = None
    dataset: str = ""

    def __post_init__(self) -> None:
        shape = self.keypoints.shape
        if len(shape) != 4 or shape[-1] not in (2, 3) or not shape[0]:
            raise ValueError(f"{self.name}: keypoints want (1 or more persons, frames, joints, 2 or 3); got {shape}")
        one, every = (*shape[1:3], 3), (*shape[:3], 3)
        if self.pose_m is not None and self.pose_m.shape not in (one, every):
            raise ValueError(f"{self.name}: pose_m wants {one} or {every} like its keypoints; got {self.pose_m.shape}")
        if shape[-1] == 3:
            # Where nothing was detected, files have NaN or anything; it never counts.
            seen = self.keypoints[..., 2:] > 0
            object.__setattr__(self, "keypoints", np.where(seen, self.keypoints, np.float32(0)))
        for what, array in (("keypoints", self.keypoints), ("pose_m", self.pose_m)):
            if array is not None and not np.isfinite(array).all():
                # The last three axes, for a person's may stand before them.
                frame, joint, _ = np.argwhere(~np.isfinite(array))[0][-3:]
                raise ValueError(
                    f"{self.name}: {what} are NaN or infinite at frame {frame}, joint {joint}; "
                    "mend the file or leave the clip out"
                )

    @property
    def take(self) -> str:
        """Name of the take, the same for all cameras that saw it."""
        return self.name.partition(" camera")[0]

    @property
    def num_frames(self) -> int:
        """Number of frames T."""
        return self.keypoints.shape[1]


@dataclass(frozen=True)
class ClipSet:
    """Clips of one skeleton, split into training and test."""

    skeleton: Skeleton
    train: tuple[Clip, ...]
    test: tuple[Clip, ...]
    classes: tuple[str, ...] = ()
