"""Windows of clips: all frames stand once in memory, a window is a row of indices into them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.geometry import normalize_screen, to_pixel_protocol
from skelgnn_tf.skeletons import Skeleton


@dataclass(frozen=True)
class Windows:
    """The frames of many clips end to end, and the windows that may be cut out of them.

    Args:
        keypoints: float32 (all frames, joints, 2 or 3), screen units[, confidence].
        target: float32 (all frames, joints, 3): root-relative metres, or the pixel protocol's units.
        up: float32 (all frames, 3), the world's up in camera axes; zeros where the camera is unknown.
        first: int32 (windows,), first frame of the window's clip.
        last: int32 (windows,), last frame of the window's clip.
        center: int32 (windows,), the frame whose pose is wanted.
        fps: float32 (windows,), frames per second of the clip.
        clip: int32 (windows,), index of the clip.
        names: Of the clips.
        frames: T.
        ahead: Frames of a window after `center`.
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
    """Lays out the windows of T frames round every `stride`-th frame; at a clip's ends its first or last frame repeats.

    Args:
        clips: With poses, of one skeleton.
        skeleton: Of the clips.
        frames: T.
        causal: The wanted frame is the window's last instead of its centre.
        confidence: Keep or add the third channel (1 where the clip has none); otherwise drop it.
        protocol: "camera" or "pixel", what the target is.
        stride: Frames from one window to the next.
        limit: At most this many windows, spread evenly over the clips; 0 for all.

    Returns:
        Windows.

    Raises:
        ValueError: No clip, no frame that counts, a clip without pose, of other joints, or shorter than the window.
    """
    if not clips:
        raise ValueError("no clips to cut windows from; is the split empty?")
    for clip in clips:
        _check(clip, skeleton, frames)
    lengths = np.array([clip.num_frames for clip in clips])
    starts = np.cumsum(lengths) - lengths
    center = np.concatenate(
        [start + (np.arange(0, n, stride) if c.valid is None else np.flatnonzero(c.valid)[::stride])
         for c, start, n in zip(clips, starts, lengths, strict=True)]
    )  # fmt: skip
    if not len(center):
        raise ValueError(f"none of the {len(clips)} clips has a frame that counts; choose other clips")
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
    """The first person's keypoints in screen units: float32 (frames, joints, 2, or 3 with confidence).

    Without confidence nothing says which keypoints are missing, so those are interpolated over time.
    """
    keypoints = normalize_screen(clip.keypoints[0], clip.image_size_px)
    if not confidence:
        return _filled(keypoints) if keypoints.shape[-1] == 3 else keypoints
    if keypoints.shape[-1] == 3:
        return keypoints
    return np.concatenate([keypoints, np.ones_like(keypoints[..., :1])], axis=-1)


def _filled(keypoints: np.ndarray) -> np.ndarray:
    """Keypoints (frames, joints, 3) -> (frames, joints, 2), those of confidence 0 interpolated over time.

    A joint that is never seen lies in the middle of the others.
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
        raise ValueError(f"{clip.name} has no 3D pose to train on or to compare with")
    joints = clip.keypoints.shape[2]
    if joints != skeleton.num_joints:
        raise ValueError(
            f"{clip.name} has {joints} joints, {skeleton.name} wants {skeleton.num_joints}; map them with joint_map"
        )
    if clip.num_frames < frames:
        raise ValueError(
            f"{clip.name} has {clip.num_frames} frames, fewer than the window of {frames}; "
            "choose a smaller --frames or leave the clip out"
        )


def _target(clip: Clip, skeleton: Skeleton, protocol: str) -> np.ndarray:
    if protocol == "camera":
        return (clip.pose_m - clip.pose_m[:, skeleton.root, None]).astype(np.float32)
    if clip.camera is None:
        raise ValueError(f"{clip.name} has no camera, which --protocol pixel wants; use --protocol camera")
    return to_pixel_protocol(clip.pose_m, clip.camera, skeleton.root).astype(np.float32)


def _up(clip: Clip) -> np.ndarray:
    """The world's up (z) in the axes of the clip's camera, (3,); zeros if the camera is unknown."""
    return np.zeros(3, np.float32) if clip.camera is None else np.asarray(clip.camera.rotation[:, 2], np.float32)
