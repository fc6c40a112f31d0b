"""2D keypoints of the people in a video, picture by picture or all at once: BlazePose's 33 joints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skelgnn_tf.detection.blazepose import NUM_JOINTS, BlazePose
from skelgnn_tf.detection.detector import Landmarks
from skelgnn_tf.detection.models import DetectorModels, find_models
from skelgnn_tf.detection.tracker import Tracker
from skelgnn_tf.keypoints.sequence import KeypointSequence
from skelgnn_tf.skeletons import BLAZEPOSE_33
from skelgnn_tf.video.reader import Video, open_video

LAYOUT = BLAZEPOSE_33.name
#: BlazePose always returns all joints and rates them with `visibility`. Inside the picture, hidden joints are useful:
#: in a real video those with a visibility of 0.05 to 0.2 were within 3 % of the person's height in the median (most
#: visible joints: 1 %). In a picture that ends at the knees, the joints below were off by 24 % at a presence of 0.87.
_MIN_VISIBILITY, _MIN_PRESENCE, _MIN_VISIBILITY_OUTSIDE = 0.02, 0.5, 0.5


@dataclass(frozen=True, eq=False)
class FrameKeypoints:
    """The people in one picture of a video.

    Args:
        index: Index of the picture, from 0.
        time_s: index / fps.
        keypoints: float32 (persons, 33, 3): x (right) and y (down) in pixels of the upright picture, confidence in
            [0, 1]. A missing joint or person is all zeros.
        world_m: float32 (persons, 33, 3), BlazePose's own 3D estimate: meters from the middle of the hips along the
            picture's x and y axes and forward. NaN for a missing person.
        rgb: uint8 (height, width, 3), the picture.
        repeated: Whether this is the previous picture again because the video has no newer one.
    """

    index: int
    time_s: float
    keypoints: np.ndarray
    world_m: np.ndarray
    rgb: np.ndarray
    repeated: bool


def track_keypoints(video: Video, models: DetectorModels, persons: int = 1) -> Iterator[FrameKeypoints]:
    """Follows the largest people through a video. It holds only a few pictures at a time.

    Each index of the `persons` axis is one person for as long as the person is followed. `video.notes` receives a line
    when other people are left out.

    Args:
        video: The video.
        models: BlazePose's model files.
        persons: Maximum number of people to follow.

    Yields:
        The people in each picture.

    Raises:
        ValueError: `persons` is below 1, the model files are not BlazePose's, or the video cannot be read further.

    Example:
        >>> video = open_video("squats.mp4")  # doctest: +SKIP
        >>> for frame in track_keypoints(video, find_models()):  # doctest: +SKIP
        ...     print(frame.time_s, frame.keypoints[0, 0])
    """
    if persons < 1:
        raise ValueError(f"persons must be 1 or more. Received: {persons}.")
    tracker = Tracker(BlazePose(models), video.fps, persons, video.notes)
    keypoints = world_m = None
    for picture in video:
        if keypoints is None or world_m is None or not picture.repeated:
            keypoints, world_m = as_keypoints(tracker.update(picture.rgb, picture.time_s), video.image_size_px)
        yield FrameKeypoints(picture.index, picture.time_s, keypoints, world_m, picture.rgb, picture.repeated)


def read_video_keypoints(
    source: str | Path,
    models: DetectorModels | None = None,
    persons: int = 1,
    fps: float | None = None,
) -> KeypointSequence:
    """Detects the keypoints of a whole video. `track_keypoints` suits long videos and webcams.

    Args:
        source: A video file or a folder of pictures.
        models: BlazePose's model files. By default the lite ones of the cache.
        persons: Maximum number of people to follow. People who are never seen are left out.
        fps: Pictures per second. By default they come from the file.

    Returns:
        A `KeypointSequence` of BlazePose's 33 joints, with `world_m`.

    Raises:
        FileNotFoundError: The source or the model files do not exist.
        ValueError: No person is ever seen, the source is a webcam, or `open_video` or `track_keypoints` raises.
    """
    video = open_video(source, fps)
    if video.live:
        raise ValueError(f"{source}: the source must be a video or a folder of pictures. Received: a webcam.")
    frames = [(f.keypoints, f.world_m) for f in track_keypoints(video, models or find_models(), persons)]
    keypoints, world_m = (np.stack(arrays, axis=1) for arrays in zip(*frames, strict=True))
    ever = (keypoints[..., 2] > 0).any(axis=(1, 2))
    if not ever.any():
        raise ValueError(
            f"{video.name}: no person is seen in {len(frames)} pictures. The whole body must be in the picture, "
            "upright and not too small."
        )
    return KeypointSequence(
        video.name, keypoints[ever], LAYOUT, video.image_size_px, video.fps, tuple(video.notes), world_m[ever]
    )


def as_keypoints(seen: list[Landmarks | None], image_size_px: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Converts landmarks to keypoints, with zeros for joints that the detector only guesses.

    These are joints with a visibility below 0.02 or a presence below 0.5, and outside the picture those with a
    visibility below 0.5.

    Args:
        seen: The landmarks in each place, or None if it is free.
        image_size_px: Width and height of the picture.

    Returns:
        `keypoints` and `world_m` of `FrameKeypoints`, both float32 (persons, 33, 3).
    """
    keypoints = np.zeros((len(seen), NUM_JOINTS, 3), np.float32)
    world_m = np.full_like(keypoints, np.nan)
    for place, one in enumerate(seen):
        if one is not None:
            inside = np.all((one.points_px >= 0) & (one.points_px <= image_size_px), axis=1)
            known = (one.visibility >= np.where(inside, _MIN_VISIBILITY, _MIN_VISIBILITY_OUTSIDE)) & (
                one.presence >= _MIN_PRESENCE
            )
            keypoints[place] = np.where(known[:, None], np.column_stack([one.points_px, one.visibility]), 0)
            world_m[place] = one.world_m
    return keypoints, world_m
