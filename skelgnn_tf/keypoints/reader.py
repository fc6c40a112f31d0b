"""Files with the 2D keypoints of one take, as detectors' users save them: what `predict` reads."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skelgnn_tf import skeletons
from skelgnn_tf.datasets import pickles
from skelgnn_tf.keypoints.formats.coco import is_coco_results, read_coco_results
from skelgnn_tf.keypoints.formats.mediapipe import read_landmark_csv, read_landmark_json
from skelgnn_tf.keypoints.formats.openpose import frame_detections, read_openpose_folder
from skelgnn_tf.keypoints.layout import recognized_layout
from skelgnn_tf.keypoints.tracks import Raw, assemble, read_json

#: What a file may hold beside its keypoints.
_BESIDE = ("image_size", "fps")
_USUAL_FPS = 30.0
#: A person is larger than this many pixels; whatever stays below is in another unit.
_FEW_PX = 4.0


@dataclass(frozen=True)
class KeypointFile:
    """The 2D keypoints of one take.

    Args:
        name: The file, for messages.
        keypoints: float32 (persons, frames, joints, 3): x right, y down in pixels, confidence 0..1; a missing keypoint
            is all zeros.
        layout: Name of the skeleton whose joints they are.
        image_size_px: Width and height of the picture.
        fps: Frames per second.
        notes: What the file did not say and was taken for granted, a line each.
    """

    name: str
    keypoints: np.ndarray
    layout: str
    image_size_px: tuple[int, int]
    fps: float
    notes: tuple[str, ...] = ()


def read_keypoints(
    path: str | Path,
    layout: str | None = None,
    image_size_px: tuple[int, int] | None = None,
    fps: float | None = None,
) -> KeypointFile:
    """Reads the keypoints of a take.

    - .npz (key `keypoints`, or its only array; also `image_size`, `fps`) and .npy: (frames, joints, 2 or 3) or
      (persons, frames, joints, 2 or 3), x, y in pixels[, confidence]
    - .json: COCO results (AlphaPose, MMPose), MMPose's `instance_info`, a frame of OpenPose, or MediaPipe's landmarks
    - a folder of OpenPose's *_keypoints.json
    - .csv: x, y[, visibility] of each joint in columns, a row for each frame

    NaN and confidence 0 are missing; without confidence (0, 0) is missing too, as detectors write it. Coordinates in
    0..1 are recognised and scaled by the picture's size.

    Args:
        path: The file or folder.
        layout: Name of a skeleton; None recognises it by the format, the number of joints and, with 17, by their
            places.
        image_size_px: Width and height; None takes the file's, or what the keypoints span.
        fps: Frames per second; None takes the file's, or 30.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A file that cannot be read or holds something else, a layout that cannot be told, coordinates in
            0..1 without a picture's size, no keypoint at all; names file and what was expected.
    """
    path = Path(path)
    raw = _raw(path)
    notes = list(raw.notes)
    image_size_px = _image_size(path, raw.image_size if image_size_px is None else image_size_px)
    keypoints = _keypoints(path, raw.keypoints, notes)
    keypoints[..., :2] *= _pixels_per_unit(path, keypoints, image_size_px, notes)
    layout = _layout(path, keypoints, layout, raw.layout, notes)
    if image_size_px is None:
        width, height = (max(1, math.ceil(x)) for x in keypoints[..., :2].max(axis=(0, 1, 2)))
        image_size_px = (width, height)
        notes.append(f"no picture size in the file; {width} x {height} pixels, what the keypoints span, is assumed")
    fps = _fps(path, raw.fps if fps is None else fps, notes)
    return KeypointFile(str(path), keypoints, layout, image_size_px, fps, tuple(notes))


def is_keypoint_file(path: str | Path) -> bool:
    """Whether `read_keypoints` is the one to read this: by its suffix, or as a folder with JSON files in it."""
    path = Path(path)
    return next(path.glob("*_keypoints.json"), None) is not None if path.is_dir() else path.suffix.lower() in _READERS


def _raw(path: Path) -> Raw:
    if path.is_dir():
        return read_openpose_folder(path)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise ValueError(
            f"{path}: expected keypoints as {', '.join(_READERS)} or a folder of OpenPose's *_keypoints.json; or save "
            "an array (frames, joints, 2)"
        )
    return reader(path)


def _read_npz(path: Path) -> Raw:
    keys = pickles.npz_keys(path)
    arrays = [key for key in keys if key not in _BESIDE]
    if "keypoints" not in keys and len(arrays) != 1:
        raise ValueError(f"{path} holds {', '.join(keys) or 'nothing'}; expected the key 'keypoints', or one array")
    key = "keypoints" if "keypoints" in keys else arrays[0]
    return Raw(pickles.load_npz(path, key), **{name: pickles.load_npz(path, name) for name in _BESIDE if name in keys})


def _read_npy(path: Path) -> Raw:
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}; expected a keypoint file {' or '.join(_READERS)}")
    try:
        return Raw(np.load(path, allow_pickle=False))
    except (ValueError, EOFError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{path} is no array of numbers that numpy.save wrote ({reason}); save it anew") from error


def _read_json(path: Path) -> Raw:
    values = read_json(path)
    if not values:
        raise ValueError(f"{path} is empty; is there no person in the take?")
    if is_coco_results(values):
        return read_coco_results(path, values)
    if isinstance(values, dict) and "people" in values:
        detections = frame_detections(path, values, 0)
        if not detections:
            raise ValueError(f"{path} has no person in it")
        return Raw(assemble(detections, 1)[0], layout=skeletons.COCO_17.name)
    return read_landmark_json(path, values)


_READERS: dict[str, Callable[[Path], Raw]] = {
    ".npz": _read_npz,
    ".npy": _read_npy,
    ".json": _read_json,
    ".csv": read_landmark_csv,
}


def _keypoints(path: Path, array: Any, notes: list[str]) -> np.ndarray:
    """Any allowed array -> float32 (persons, frames, joints, 3), missing ones zeros, still in the file's unit."""
    expected = "expected numbers (frames, joints, 2 or 3) or (persons, frames, joints, 2 or 3): x, y[, confidence]"
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        found = f"an array of {array.dtype}" if isinstance(array, np.ndarray) else f"a {type(array).__name__}"
        raise ValueError(f"{path} holds {found}; {expected}")
    if array.ndim not in (3, 4) or array.shape[-1] not in (2, 3) or 0 in array.shape:
        raise ValueError(f"{path} holds an array {array.shape}; {expected}")
    array = (array if array.ndim == 4 else array[None]).astype(np.float32)
    if np.isinf(array).any():
        person, frame, joint, _ = np.argwhere(np.isinf(array))[0]
        raise ValueError(f"{path}: infinite at person {person}, frame {frame}, joint {joint}; missing ones want NaN")
    seen = ~np.isnan(array).any(axis=-1)
    if array.shape[-1] == 3:
        confidence = np.where(seen, array[..., 2], 0)
        if confidence.min() < 0:
            raise ValueError(
                f"{path}: the third channel goes down to {confidence.min():.4g}, so it is no confidence (0..1); "
                "keypoints are 2D: leave depth out"
            )
        if confidence.max() > 1:
            notes.append(f"confidence goes up to {confidence.max():.4g}; what is above 1 counts as 1")
        seen &= confidence > 0
    else:
        confidence = seen = seen & (array != 0).any(axis=-1)
    if not seen.any():
        raise ValueError(f"{path}: all keypoints are missing (NaN, zero, or of confidence 0); is there no person?")
    keypoints = np.concatenate([array[..., :2], np.minimum(confidence, 1)[..., None]], axis=-1, dtype=np.float32)
    return np.where(seen[..., None], keypoints, np.float32(0))


def _pixels_per_unit(
    path: Path, keypoints: np.ndarray, image_size_px: tuple[int, int] | None, notes: list[str]
) -> np.ndarray:
    """1 for pixels, the picture's size for coordinates in 0..1: float32 (2,)."""
    xy = keypoints[keypoints[..., 2] > 0][:, :2]
    low, high = xy.min(), xy.max()
    if max(high, -low) > _FEW_PX:
        return np.ones(2, np.float32)
    # Detectors put joints outside the picture a little below 0 and above 1.
    if not -0.5 <= low <= high <= 1.5:
        raise ValueError(f"{path}: coordinates lie in {low:.3g} to {high:.3g}, neither pixels nor 0..1; give pixels")
    if image_size_px is None:
        raise ValueError(
            f"{path}: coordinates lie in 0..1, shares of a picture whose size is unknown, as MediaPipe gives them; "
            "say it with --image-size, add image_size (width, height) to the file, or give pixels"
        )
    notes.append(f"coordinates in 0..1 were scaled to the picture of {image_size_px[0]} x {image_size_px[1]} pixels")
    return np.array(image_size_px, np.float32)


def _layout(path: Path, keypoints: np.ndarray, asked: str | None, told: str | None, notes: list[str]) -> str:
    """The layout that the user asked for, the format told, or the joints (persons, frames, joints, 3) look like."""
    if asked is None:
        return told or recognized_layout(path, keypoints, notes)
    joints, wanted = keypoints.shape[2], skeletons.get(asked).num_joints
    if joints != wanted:
        raise ValueError(f"{path} has {joints} joints; {asked} has {wanted}. Choose another --keypoint-layout")
    if told is not None and told != asked:
        raise ValueError(f"{path} has the joints of {told}, as its format says; leave --keypoint-layout {asked} out")
    return asked


def _image_size(path: Path, value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    size = np.asarray(value)
    if size.dtype.kind not in "fiu" or size.shape != (2,) or not (np.isfinite(size).all() and (size >= 1).all()):
        raise ValueError(f"{path}: image_size wants width and height in pixels, such as (1920, 1080); got {value}")
    return round(float(size[0])), round(float(size[1]))


def _fps(path: Path, value: Any, notes: list[str]) -> float:
    if value is None:
        notes.append(f"no frame rate in the file; {_USUAL_FPS:g} frames per second are assumed")
        return _USUAL_FPS
    fps = np.asarray(value)
    if fps.dtype.kind not in "fiu" or fps.size != 1 or not 0 < float(fps.reshape(())) < np.inf:
        raise ValueError(f"{path}: fps wants frames per second, a number above 0; got {value}")
    return float(fps.reshape(()))
