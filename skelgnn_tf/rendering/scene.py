"""Scene: what a rendering shows of one person over time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skelgnn_tf.rendering.upright import guessed_up
from skelgnn_tf.rendering.view import floor_under, upright_view
from skelgnn_tf.skeletons import Skeleton


@dataclass(frozen=True)
class Scene:
    """One person's keypoints and poses over time, with words.

    Args:
        title: What the file is called.
        fps: Frames per second.
        image_size_px: Width and height of the picture that the keypoints lie in.
        skeleton: Of the keypoints and the poses.
        keypoints_px: (frames, joints, 3) x right, y down in pixels, confidence; 0 is missing.
        pose_m: (frames, joints, 3) camera-space metres, root-relative or not, NaN where nobody is seen; None for none.
        captions: For each frame its lines of text, the first of them large; or nothing.

    Raises:
        ValueError: Arrays that do not fit each other or the skeleton, or no frame.
    """

    title: str
    fps: float
    image_size_px: tuple[int, int]
    skeleton: Skeleton
    keypoints_px: np.ndarray
    pose_m: np.ndarray | None = None
    captions: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        wanted = (len(self.keypoints_px), self.skeleton.num_joints, 3)
        for what, array in (("keypoints_px", self.keypoints_px), ("pose_m", self.pose_m)):
            if array is not None and array.shape != wanted:
                raise ValueError(
                    f"{self.title}: a scene of {self.skeleton.name} wants {what} {wanted} (frames, joints, axes); "
                    f"got {array.shape}"
                )
        if not wanted[0]:
            raise ValueError(f"{self.title}: a scene wants at least one frame; there is none")
        if self.captions and len(self.captions) != wanted[0]:
            raise ValueError(f"{self.title}: {wanted[0]} frames want as many captions; got {len(self.captions)}")

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return len(self.keypoints_px)

    @cached_property
    def standing_m(self) -> np.ndarray | None:
        """Poses (frames, joints, 3) in metres, right, away and up from the floor under the root; NaN for nobody.

        Upwards is what `guessed_up` takes for it; the floor touches the lowest joint of each frame, for where the root
        goes is not known.
        """
        if self.pose_m is None:
            return None
        pose = self.pose_m - self.pose_m[:, [self.skeleton.root]]
        pose = upright_view(pose, guessed_up(pose, self.skeleton))
        return pose - floor_under(pose)
