"""Reads the 2D keypoints of one recording from the files that detectors and their users save."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from skelgnn_tf import skeletons
from skelgnn_tf.keypoints.formats.arrays import read_npy, read_npz
from skelgnn_tf.keypoints.formats.coco import is_coco_results, read_coco_results
from skelgnn_tf.keypoints.formats.csv_table import read_csv
from skelgnn_tf.keypoints.formats.mediapipe import read_landmarks
from skelgnn_tf.keypoints.formats.openpose import read_openpose_folder, read_openpose_frame
from skelgnn_tf.keypoints.layout import recognized_layout
from skelgnn_tf.keypoints.raw import RawKeypoints, read_json
from skelgnn_tf.keypoints.sequence import KeypointSequence

_DEFAULT_FPS = 30.0
#: A person spans more pixels than this; smaller coordinates have another unit.
_MIN_SPAN_PX = 4.0


def read_keypoints(
    path: str | Path,
    layout: str | None = None,
    image_size_px: tuple[int, int] | None = None,
    fps: float | None = None,
) -> KeypointSequence:
    """Reads the 2D keypoints of a recording.

    Supported files:

    - `.npz` (key `keypoints` or a single array; optional keys `image_size` and `fps`) and `.npy`: (frames, joints, 2 or
      3) or (persons, frames, joints, 2 or 3) with x, y in pixels and optional confidence
    - `.json`: COCO results (AlphaPose, MMPose), MMPose's `instance_info`, one frame of OpenPose, MediaPipe landmarks
    - a folder of OpenPose's `*_keypoints.json`
    - `.csv`: one row for each frame with columns for x, y and optional visibility of each joint

    NaN and confidence 0 mark missing keypoints. In files without confidence, (0, 0) is missing too. Coordinates in
    [0, 1] are recognized and scaled by the image size.

    Args:
        path: The file or folder.
        layout: Name of a skeleton. By default the layout is recognized by the format, the number of joints and, for 17
            joints, their positions.
        image_size_px: Width and height. By default they come from the file, or from the extent of the keypoints.
        fps: Frames per second. By default they come from the file, or are 30.

    Returns:
        A `KeypointSequence`. Its `notes` say what was assumed.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file cannot be read or holds something else, the layout cannot be recognized, the coordinates
            are in [0, 1] and the image size is unknown, or all keypoints are missing.

    Example:
        >>> read_keypoints("squats.json", image_size_px=(1280, 720)).keypoints.shape  # doctest: +SKIP
        (1, 412, 17, 3)
    """
    path = Path(path)
    raw = _read(path)
    notes = list(raw.notes)
    image_size_px = _image_size(path, raw.image_size if image_size_px is None else image_size_px)
    keypoints = _keypoints(path, raw.keypoints, notes)
    keypoints[..., :2] *= _pixels_per_unit(path, keypoints, image_size_px, notes)
    layout = _layout(path, keypoints, layout, raw.layout, notes)
    if image_size_px is None:
        width, height = (max(1, math.ceil(x)) for x in keypoints[..., :2].max(axis=(0, 1, 2)))
        image_size_px = (width, height)
        notes.append(f"the file has no image size; {width} x {height} pixels, the extent of the keypoints, is assumed")
    fps = _fps(path, raw.fps if fps is None else fps, notes)
    return KeypointSequence(str(path), keypoints, layout, image_size_px, fps, tuple(notes))


def is_keypoint_file(path: str | Path) -> bool:
    """Whether `read_keypoints` reads this path: a file with a supported suffix, or a folder of OpenPose's files."""
    path = Path(path)
    return next(path.glob("*_keypoints.json"), None) is not None if path.is_dir() else path.suffix.lower() in _READERS


def _read(path: Path) -> RawKeypoints:
    if path.is_dir():
        return read_openpose_folder(path)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise ValueError(
            f"{path}: the file must be {', '.join(_READERS)} or a folder of OpenPose's *_keypoints.json. Received: "
            f"{path.suffix or 'no suffix'}. Save an array (frames, joints, 2) as .npy instead."
        )
    return reader(path)


def _read_json(path: Path) -> RawKeypoints:
    values = read_json(path)
    if not values:
        raise ValueError(f"{path}: the file is empty. Check that there is a person in the recording.")
    if is_coco_results(values):
        return read_coco_results(path, values)
    if isinstance(values, dict) and "people" in values:
        return read_openpose_frame(path, values)
    return read_landmarks(path, values)


_READERS: dict[str, Callable[[Path], RawKeypoints]] = {
    ".npz": read_npz,
    ".npy": read_npy,
    ".json": _read_json,
    ".csv": read_csv,
}


def _keypoints(path: Path, array: Any, notes: list[str]) -> np.ndarray:
    """Any allowed array -> float32 (persons, frames, joints, 3) in the file's unit, zeros where a joint is missing."""
    _check_array(path, array)
    array = (array if array.ndim == 4 else array[None]).astype(np.float32)
    if np.isinf(array).any():
        person, frame, joint, _ = np.argwhere(np.isinf(array))[0]
        raise ValueError(
            f"{path}: keypoints must be finite. Received: infinity at person {person}, frame {frame}, joint {joint}. "
            "Mark missing keypoints with NaN."
        )
    seen = ~np.isnan(array).any(axis=-1)
    if array.shape[-1] == 3:
        confidence = np.where(seen, array[..., 2], 0)
        if confidence.min() < 0:
            raise ValueError(
                f"{path}: the third channel must be a confidence in [0, 1]. Received: a minimum of "
                f"{confidence.min():.4g}. Remove depth, keypoints are 2D."
            )
        if confidence.max() > 1:
            notes.append(f"the confidence is up to {confidence.max():.4g}; values above 1 count as 1")
        seen &= confidence > 0
    else:
        confidence = seen = seen & (array != 0).any(axis=-1)
    if not seen.any():
        raise ValueError(
            f"{path}: all keypoints are missing (NaN, zero or confidence 0). Check that there is a person in the "
            "recording."
        )
    keypoints = np.concatenate([array[..., :2], np.minimum(confidence, 1)[..., None]], axis=-1, dtype=np.float32)
    return np.where(seen[..., None], keypoints, np.float32(0))


def _check_array(path: Path, array: Any) -> None:
    """Raises ValueError unless the value is an array of numbers with a supported shape."""
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        received = f"an array of {array.dtype}" if isinstance(array, np.ndarray) else f"a {type(array).__name__}"
    elif array.ndim not in (3, 4) or array.shape[-1] not in (2, 3) or 0 in array.shape:
        received = f"an array {array.shape}"
    else:
        return
    raise ValueError(
        f"{path}: keypoints must be numbers (frames, joints, 2 or 3) or (persons, frames, joints, 2 or 3): x, y and "
        f"optional confidence. Received: {received}."
    )


def _pixels_per_unit(
    path: Path, keypoints: np.ndarray, image_size_px: tuple[int, int] | None, notes: list[str]
) -> np.ndarray:
    """float32 (2,): 1 for pixels, the image size for coordinates in [0, 1]."""
    xy = keypoints[keypoints[..., 2] > 0][:, :2]
    low, high = xy.min(), xy.max()
    if max(high, -low) > _MIN_SPAN_PX:
        return np.ones(2, np.float32)
    # Detectors place joints outside the picture slightly below 0 and above 1.
    if not -0.5 <= low <= high <= 1.5:
        raise ValueError(
            f"{path}: coordinates must be pixels or in [0, 1]. Received: {low:.3g} to {high:.3g}. Convert them to "
            "pixels."
        )
    if image_size_px is None:
        raise ValueError(
            f"{path}: image_size must be known for coordinates in [0, 1], such as MediaPipe's. Received: none. Set "
            "--image-size, add image_size (width, height) to the file, or convert the coordinates to pixels."
        )
    notes.append(f"coordinates in [0, 1] are scaled to the image of {image_size_px[0]} x {image_size_px[1]} pixels")
    return np.array(image_size_px, np.float32)


def _layout(path: Path, keypoints: np.ndarray, asked: str | None, told: str | None, notes: list[str]) -> str:
    """The layout that the user names, that the format defines, or that the joints (persons, frames, joints, 3) fit."""
    if asked is None:
        return told or recognized_layout(path, keypoints, notes)
    joints, expected = keypoints.shape[2], skeletons.get(asked).num_joints
    if joints != expected:
        raise ValueError(
            f"{path}: keypoints must have the {expected} joints of {asked}. Received: {joints} joints. Choose another "
            "--keypoint-layout."
        )
    if told is not None and told != asked:
        raise ValueError(
            f"{path}: the layout must be {told}, which the file's format defines. Received: {asked}. Remove "
            f"--keypoint-layout {asked}."
        )
    return asked


def _image_size(path: Path, value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    size = np.asarray(value)
    if size.dtype.kind not in "fiu" or size.shape != (2,) or not (np.isfinite(size).all() and (size >= 1).all()):
        raise ValueError(
            f"{path}: image_size must be the width and height in pixels, such as (1920, 1080). Received: {value}."
        )
    return round(float(size[0])), round(float(size[1]))


def _fps(path: Path, value: Any, notes: list[str]) -> float:
    if value is None:
        notes.append(f"the file has no frame rate; {_DEFAULT_FPS:g} frames per second are assumed")
        return _DEFAULT_FPS
    fps = np.asarray(value)
    if fps.dtype.kind not in "fiu" or fps.size != 1 or not 0 < float(fps.reshape(())) < np.inf:
        raise ValueError(f"{path}: fps must be a number above 0 (frames per second). Received: {value}.")
    return float(fps.reshape(()))
