"""Windows of clips: all frames are in memory once, and a window is a row of indices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.geometry import normalize_screen, to_pixel_protocol
from skelgnn_tf.skeletons import Skeleton


@dataclass(frozen=True)
class Windows:
    """The concatenated frames of clips, and the windows to cut out of them.

    Args:
        keypoints: float32 (all frames, joints, 2 or 3), screen units and optional confidence.
        target: float32 (all frames, joints, 3): root-relative meters, or the units of the pixel protocol.
        up: float32 (all frames, 3), the world's up direction in camera axes; zeros where the camera is unknown.
        first: int32 (windows,), first frame of the window's clip.
        last: int32 (windows,), last frame of the window's clip.
        center: int32 (windows,), the frame whose pose is predicted.
        fps: float32 (windows,), frames per second of the clip.
        clip: int32 (windows,), index of the clip.
        names: Names of the clips.
        frames: Number of frames T of a window.
        ahead: Number of frames of a window after `center`.
    """

    keypoints: np.ndarray
    target: np.ndarray
    up: np.ndarray
    first: np.ndarray
    last: np.ndarray
    center: np.ndarray
    fps: np.ndarray
    clip: np.ndarray
    names: tuple[str, ...]
    frames: int
    ahead: int

    def __len__(self) -> int:
        return len(self.center)


def cut(
    clips: Sequence[Clip],
    skeleton: Skeleton,
    frames: int,
    *,
    causal: bool = False,
    confidence: bool = False,
    protocol: str = "camera",
    stride: int = 1,
    limit: int = 0,
) -> Windows:
    """Cuts clips into windows of T frames. At the ends of a clip its first or last frame is repeated.

    Args:
        clips: Clips with poses and one skeleton.
        skeleton: Skeleton of the clips.
        frames: Number of frames T of a window.
        causal: Whether the predicted frame is the last of the window instead of the middle one.
        confidence: Whether to keep the third channel (1 if the clip has none) or to drop it.
        protocol: "camera" or "pixel", which defines the target.
        stride: Number of frames from one window to the next.
        limit: Maximum number of windows, spread evenly over the clips; 0 for all.

    Returns:
        The frames and the windows.

    Raises:
        ValueError: There is no clip or no valid frame, or a clip has no pose, other joints, or fewer frames than a
            window.
    """
    if not clips:
        raise ValueError("clips must hold at least one clip. Received: none. Check that the split is not empty.")
    for clip in clips:
        _check(clip, skeleton, frames)
    lengths = np.array([clip.num_frames for clip in clips])
    starts = np.cumsum(lengths) - lengths
    center = np.concatenate(
        [start + (np.arange(0, n, stride) if c.valid is None else np.flatnonzero(c.valid)[::stride])
         for c, start, n in zip(clips, starts, lengths, strict=True)]
    )  # fmt: skip
    if not len(center):
        raise ValueError(
            f"the clips must have a valid frame. Received: none in {len(clips)} clips. Choose other clips."
        )
    if limit and limit < len(center):
        center = center[np.linspace(0, len(center) - 1, limit).round().astype(int)]
    index = np.searchsorted(starts, center, side="right") - 1
    return Windows(
        keypoints=np.concatenate([screen_keypoints(clip, confidence) for clip in clips]),
        target=np.concatenate([_target(clip, skeleton, protocol) for clip in clips]),
        up=np.concatenate([np.tile(_up(clip), (clip.num_frames, 1)) for clip in clips]),
        first=starts[index].astype(np.int32),
        last=(starts + lengths - 1)[index].astype(np.int32),
        center=center.astype(np.int32),
        fps=np.array([clip.fps for clip in clips], np.float32)[index],
        clip=index.astype(np.int32),
        names=tuple(clip.name for clip in clips),
        frames=frames,
        ahead=0 if causal else frames // 2,
    )


def screen_keypoints(clip: Clip, confidence: bool) -> np.ndarray:
    """Returns the first person's keypoints in screen units.

    Without confidence, missing keypoints could not be recognized, so they are interpolated over time.

    Args:
        clip: The clip.
        confidence: Whether to return confidence as a third channel.

    Returns:
        float32 (frames, joints, 2, or 3 with confidence).
    """
    keypoints = normalize_screen(clip.keypoints[0], clip.image_size_px)
    if not confidence:
        return _filled(keypoints) if keypoints.shape[-1] == 3 else keypoints
    if keypoints.shape[-1] == 3:
        return keypoints
    return np.concatenate([keypoints, np.ones_like(keypoints[..., :1])], axis=-1)


def _filled(keypoints: np.ndarray) -> np.ndarray:
    """Keypoints (frames, joints, 3) -> (frames, joints, 2), interpolated over time where the confidence is 0.

    A joint that is never seen is placed in the middle of the others.
    """
    xy, seen, frames = keypoints[..., :2].copy(), keypoints[..., 2] > 0, np.arange(len(keypoints))
    for joint in np.flatnonzero(~seen.all(axis=0) & seen.any(axis=0)):
        at = frames[seen[:, joint]]
        for axis in (0, 1):
            xy[:, joint, axis] = np.interp(frames, at, xy[at, joint, axis])
    known = seen.any(axis=0)
    xy[:, ~known] = xy[:, known].mean(axis=1, keepdims=True) if known.any() else 0
    return xy


def _check(clip: Clip, skeleton: Skeleton, frames: int) -> None:
    if clip.pose_m is None:
        raise ValueError(f"{clip.name}: the clip must have a 3D pose. Received: none.")
    joints = clip.keypoints.shape[2]
    if joints != skeleton.num_joints:
        raise ValueError(
            f"{clip.name}: the clip must have the {skeleton.num_joints} joints of {skeleton.name}. Received: {joints} "
            "joints. Map them with skeletons.map_keypoints."
        )
    if clip.num_frames < frames:
        raise ValueError(
            f"{clip.name}: the clip must have the {frames} frames of a window. Received: {clip.num_frames} frames. "
            "Choose a smaller --frames or leave the clip out."
        )


def _target(clip: Clip, skeleton: Skeleton, protocol: str) -> np.ndarray:
    # `_check` has refused clips without poses.
    assert clip.pose_m is not None
    if protocol == "camera":
        return (clip.pose_m - clip.pose_m[:, skeleton.root, None]).astype(np.float32)
    if clip.camera is None:
        raise ValueError(
            f"{clip.name}: the clip must have a camera for --protocol pixel. Received: none. Set --protocol camera."
        )
    return to_pixel_protocol(clip.pose_m, clip.camera, skeleton.root).astype(np.float32)


def _up(clip: Clip) -> np.ndarray:
    """The world's up direction (z) in the axes of the clip's camera, (3,); zeros if the camera is unknown."""
    return np.zeros(3, np.float32) if clip.camera is None else np.asarray(clip.camera.rotation[:, 2], np.float32)
