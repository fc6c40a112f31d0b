"""Scene: what a rendering shows about one person over time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skelgnn_tf.rendering.upright import estimated_up
from skelgnn_tf.rendering.view import floor_under, upright_view
from skelgnn_tf.skeletons import Skeleton


@dataclass(frozen=True)
class Scene:
    """Keypoints and poses of one person over time, with captions.

    Args:
        title: Title, such as the name of the file.
        fps: Frames per second.
        image_size_px: Width and height of the picture of the keypoints.
        skeleton: Defines the joints of the keypoints and the poses.
        keypoints_px: (frames, joints, 3): x (right) and y (down) in pixels, confidence; 0 is missing.
        pose_m: (frames, joints, 3) camera-space meters, root-relative or not, NaN where no person or a joint is not
            seen. None without poses.
        guess_m: (frames, joints, 3), where joints that are not seen are drawn as ghosts, in the space of `pose_m`; NaN
            where no person is seen. By default there are no ghosts, and all joints of a person must be seen.
        captions: Lines of text for each frame, the first one large; empty for none.

    Raises:
        ValueError: The arrays do not fit each other or the skeleton, or there is no frame.
    """

    title: str
    fps: float
    image_size_px: tuple[int, int]
    skeleton: Skeleton
    keypoints_px: np.ndarray
    pose_m: np.ndarray | None = None
    guess_m: np.ndarray | None = None
    captions: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        wanted = (len(self.keypoints_px), self.skeleton.num_joints, 3)
        arrays = {"keypoints_px": self.keypoints_px, "pose_m": self.pose_m, "guess_m": self.guess_m}
        for what, array in arrays.items():
            if array is not None and array.shape != wanted:
                raise ValueError(
                    f"{self.title}: {what} must be {wanted} (frames, joints, axes) for {self.skeleton.name}. Received: "
                    f"{array.shape}."
                )
        if not wanted[0]:
            raise ValueError(f"{self.title}: the scene must have at least one frame. Received: none.")
        if self.captions and len(self.captions) != wanted[0]:
            raise ValueError(
                f"{self.title}: captions must have one entry for each of the {wanted[0]} frames. Received: "
                f"{len(self.captions)}."
            )

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return len(self.keypoints_px)

    @cached_property
    def standing_m(self) -> np.ndarray | None:
        """Poses (frames, joints, 3) in meters: right, away and up from the floor below the root. NaN without a person.

        Joints that were not seen are where they are guessed. The up direction is that of `estimated_up` of what was
        seen. The floor touches the lowest joint of each frame, since the path of the root is unknown.
        """
        if self.pose_m is None:
            return None
        pose = self.pose_m if self.guess_m is None else np.where(np.isnan(self.pose_m), self.guess_m, self.pose_m)
        pose = upright_view(pose - pose[:, [self.skeleton.root]], estimated_up(self.pose_m, self.skeleton))
        return pose - floor_under(pose)

    @cached_property
    def unseen(self) -> np.ndarray:
        """Joints that are drawn as ghosts, since they were not seen: bool (frames, joints)."""
        if self.pose_m is None or self.guess_m is None:
            return np.zeros(self.keypoints_px.shape[:2], bool)
        return np.isnan(self.pose_m).any(axis=-1) & ~np.isnan(self.guess_m).any(axis=-1)
