"""Clip and ClipSet: recordings with 3D poses, the result of every loader for pose lifting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skelgnn_tf.geometry import Camera
from skelgnn_tf.skeletons import Skeleton


@dataclass(frozen=True)
class Clip:
    """One recording by one camera.

    Args:
        name: Origin of the clip, used in messages: "S9 Walking 1 camera 2".
        keypoints: float32 (persons, frames, joints, 2 or 3): x, y in pixels and optional confidence in [0, 1]. A
            keypoint with confidence 0 is missing and is set to zeros.
        pose_m: float32 (frames, joints, 3) camera-space meters of the first person, or (persons, frames, joints, 3) of
            all, zeros where a person is absent. None if there is no pose.
        label: Index of the action's class for recognition, or None.
        camera: The camera, or None if unknown.
        image_size_px: Width and height of the picture.
        fps: Frames per second.
        subject: Name of the person: "S9".
        action: Name by which scores are grouped: "Walking".
        repetitions: int32 (frames,), number of repetitions finished so far, or None.
        phase: float32 (frames,) in [0, 1], phase within the repetition, or None.
        valid: bool (frames,), the frames that count in a score, or None for all.
        dataset: Name of the data set in the catalog.

    Raises:
        ValueError: Shapes do not fit each other, or coordinates are NaN or infinite.

    Example:
        >>> clip = Clip("squats", np.zeros((1, 90, 17, 3), np.float32), fps=30.0)
        >>> clip.num_frames
        90
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
            raise ValueError(f"{self.name}: keypoints must be (persons, frames, joints, 2 or 3). Received: {shape}.")
        one, every = (*shape[1:3], 3), (*shape[:3], 3)
        if self.pose_m is not None and self.pose_m.shape not in (one, every):
            raise ValueError(
                f"{self.name}: pose_m must be {one} or {every} to fit the keypoints. Received: {self.pose_m.shape}."
            )
        if shape[-1] == 3:
            # Files have NaN or anything else where nothing was detected.
            seen = self.keypoints[..., 2:] > 0
            object.__setattr__(self, "keypoints", np.where(seen, self.keypoints, np.float32(0)))
        for what, array in (("keypoints", self.keypoints), ("pose_m", self.pose_m)):
            if array is not None and not np.isfinite(array).all():
                # The last three axes; an axis of persons may come before them.
                frame, joint, _ = np.argwhere(~np.isfinite(array))[0][-3:]
                raise ValueError(
                    f"{self.name}: {what} must be finite. Received: NaN or infinity at frame {frame}, joint {joint}. "
                    "Repair the file or leave the clip out."
                )

    @property
    def take(self) -> str:
        """Name of the recording, the same for all its cameras."""
        return self.name.partition(" camera")[0]

    @property
    def num_frames(self) -> int:
        """Number of frames T."""
        return self.keypoints.shape[1]


@dataclass(frozen=True)
class ClipSet:
    """Clips with one skeleton, split into training and test.

    Args:
        skeleton: Defines the joints of the clips.
        train: Training clips.
        test: Test clips.
        classes: Names of the classes by label; empty if the clips have no labels.
    """

    skeleton: Skeleton
    train: tuple[Clip, ...]
    test: tuple[Clip, ...]
    classes: tuple[str, ...] = ()
