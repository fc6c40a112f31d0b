"""2D keypoints of the people in a video, picture by picture or all at once: BlazePose's 33 joints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skelgnn_tf.detection.blazepose import NUM_JOINTS, BlazePose, Landmarks
from skelgnn_tf.detection.models import DetectorModels, find_models
from skelgnn_tf.detection.tracker import Tracker
from skelgnn_tf.skeletons import BLAZEPOSE_33
from skelgnn_tf.video.reader import Video, open_video

LAYOUT = BLAZEPOSE_33.name
#: BlazePose gives all joints always, and `visibility` says how sure it is. Inside the picture hidden joints are worth
#: having: in a real video those of visibility 0.05 to 0.2 were within 3 % of the person's height in the median (most
#: visible: 1 %). Where the picture ends at the knees, the rest was off by 24 %, at a `presence` of 0.87.
_LEAST_VISIBLE, _LEAST_PRESENT, _LEAST_OUTSIDE = 0.02, 0.5, 0.5


@dataclass(frozen=True, eq=False)
class FrameKeypoints:
    """Who is where in one picture of a video.

    Args:
        index: The picture's number, from 0.
        time_s: index / fps.
        keypoints: float32 (persons, 33, 3): x right, y down in the upright picture's pixels, confidence 0..1; a missing
            joint, or person, is all zeros.
        world_m: float32 (persons, 33, 3), BlazePose's own 3D to compare with: metres from the hips' middle along the
            picture's x, y and forward; NaN for a missing person.
        rgb: uint8 (height, width, 3), the picture.
        repeated: The picture before again, as the video has no newer one.
    """

    index: int
    time_s: float
    keypoints: np.ndarray
    world_m: np.ndarray
    rgb: np.ndarray
    repeated: bool


@dataclass(frozen=True, eq=False)
class VideoKeypoints:
    """Who is where in a whole video; the fields but the last are those of `datasets.keypoint_files.KeypointFile`.

    Args:
        name: The video, for messages.
        keypoints: float32 (persons, frames, 33, 3), as in `FrameKeypoints`.
        layout: "blazepose_33".
        image_size_px: Width and height of the upright picture.
        fps: Frames per second.
        notes: What was taken for granted, a line each.
        world_m: float32 (persons, frames, 33, 3), as in `FrameKeypoints`.
    """

    name: str
    keypoints: np.ndarray
    layout: str
    image_size_px: tuple[int, int]
    fps: float
    notes: tuple[str, ...]
    world_m: np.ndarray


def track_keypoints(video: Video, models: DetectorModels, persons: int = 1) -> Iterator[FrameKeypoints]:
    """Follows the largest people through a video; holds no more than a few pictures at a time.

    Each place of `keypoints` is one person for as long as he is followed. `video.notes` tells when somebody else is
    left out.

    Args:
        video: What to look at.
        models: BlazePose's files.
        persons: How many to follow at most.

    Raises:
        ValueError: No person to follow, model files that do not fit, a video that cannot be read on.

    Example:
        >>> video = open_video("squats.mp4")  # doctest: +SKIP
        >>> for frame in track_keypoints(video, find_models()):
        ...     print(frame.time_s, frame.keypoints[0, 0])
    """
    if persons < 1:
        raise ValueError(f"persons wants how many people to follow, 1 or more; got {persons}")
    tracker = Tracker(BlazePose(models), video.fps, persons, video.notes)
    keypoints = world_m = None
    for picture in video:
        if keypoints is None or not picture.repeated:
            keypoints, world_m = as_keypoints(tracker.update(picture.rgb, picture.time_s), video.image_size_px)
        yield FrameKeypoints(picture.index, picture.time_s, keypoints, world_m, picture.rgb, picture.repeated)


def read_video_keypoints(
    source: str | Path,
    models: DetectorModels | None = None,
    persons: int = 1,
    fps: float | None = None,
) -> VideoKeypoints:
    """The keypoints of a whole video or folder of pictures; for long ones, and webcams, there is `track_keypoints`.

    Args:
        source: As `open_video` takes it, but no webcam.
        models: BlazePose's files; None takes the lite ones of the cache.
        persons: How many to follow at most; who is never seen is left out.
        fps: Pictures per second, whatever the file says.

    Raises:
        FileNotFoundError: No such source, or no model files.
        ValueError: Nobody is ever seen, a webcam, whatever `open_video` and `track_keypoints` raise.
    """
    video = open_video(source, fps)
    if video.live:
        raise ValueError(f"{source} has no end; expected a video or a folder of pictures")
    frames = [(f.keypoints, f.world_m) for f in track_keypoints(video, models or find_models(), persons)]
    keypoints, world_m = (np.stack(arrays, axis=1) for arrays in zip(*frames, strict=True))
    ever = (keypoints[..., 2] > 0).any(axis=(1, 2))
    if not ever.any():
        raise ValueError(
            f"{video.name}: nobody is seen in its {len(frames)} pictures; the whole body should be in the picture, "
            "upright and not too small"
        )
    return VideoKeypoints(
        video.name, keypoints[ever], LAYOUT, video.image_size_px, video.fps, tuple(video.notes), world_m[ever]
    )


def as_keypoints(seen: list[Landmarks | None], image_size_px: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Landmarks as the rest of the package wants them: a joint that is not known is zeros, with confidence 0.

    Not known are joints of visibility below 0.02 or presence below 0.5; outside the picture of visibility below 0.5.

    Args:
        seen: Of each place; None for one that is free.
        image_size_px: Width and height of the picture.

    Returns:
        `keypoints` and `world_m` of FrameKeypoints, both float32 (persons, 33, 3).
    """
    keypoints = np.zeros((len(seen), NUM_JOINTS, 3), np.float32)
    world_m = np.full_like(keypoints, np.nan)
    for place, one in enumerate(seen):
        if one is not None:
            inside = np.all((one.points_px >= 0) & (one.points_px <= image_size_px), axis=1)
            known = (one.visibility >= np.where(inside, _LEAST_VISIBLE, _LEAST_OUTSIDE)) & (
                one.presence >= _LEAST_PRESENT
            )
            keypoints[place] = np.where(known[:, None], np.column_stack([one.points_px, one.visibility]), 0)
            world_m[place] = one.world_m
    return keypoints, world_m
