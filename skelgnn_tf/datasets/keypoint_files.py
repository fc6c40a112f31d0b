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

#: What a file may hold beside its keypoints.
_BESIDE = ("image_size", "fps")
_USUAL_FPS = 30.0
#: A person is larger than this many pixels; whatever stays below is in another unit.
_FEW_PX = 4.0
#: How large a face may be beside its person: 0.06 to 0.25 in COCO's order of generated exercises, where joints 0 to 4
#: are the face; 0.26 to 0.80 with h36m_17's joints 0 to 4.
_FACE_SHARE = 0.25


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
    """Reads keypoints from an .npz (key `keypoints`, or its only array; also `image_size`, `fps`) or .npy file.

    The array is (frames, joints, 2 or 3) or (persons, frames, joints, 2 or 3): x, y in pixels[, confidence]. NaN and
    confidence 0 are missing; without confidence (0, 0) is missing too, as detectors write it. Coordinates in 0..1 are
    recognised and scaled by the picture's size.

    Args:
        path: The file.
        layout: Name of a skeleton; None recognises it by the number of joints and, with 17, by how they lie.
        image_size_px: Width and height; None takes the file's, or what the keypoints span.
        fps: Frames per second; None takes the file's, or 30.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A file that cannot be read or holds something else, a layout that cannot be told, coordinates in
            0..1 without a picture's size, no keypoint at all; names file and what was expected.
    """
    path, notes = Path(path), []
    if path.suffix not in _READERS:
        raise ValueError(f"{path}: expected a keypoint file {' or '.join(_READERS)}; save an array (frames, joints, 2)")
    array, beside = _READERS[path.suffix](path)
    image_size_px = _image_size(path, beside["image_size"] if image_size_px is None else image_size_px)
    keypoints = _keypoints(path, array, notes)
    keypoints[..., :2] *= _pixels_per_unit(path, keypoints, image_size_px, notes)
    if layout is None:
        layout = _recognized(path, keypoints, notes)
    elif keypoints.shape[2] != skeletons.get(layout).num_joints:
        raise ValueError(
            f"{path} has {keypoints.shape[2]} joints; {layout} has {skeletons.get(layout).num_joints}. Choose another "
            "--keypoint-layout"
        )
    if image_size_px is None:
        width, height = (max(1, math.ceil(x)) for x in keypoints[..., :2].max(axis=(0, 1, 2)))
        image_size_px = (width, height)
        notes.append(f"no picture size in the file; {width} x {height} pixels, what the keypoints span, is assumed")
    fps = _fps(path, beside["fps"] if fps is None else fps, notes)
    return KeypointFile(str(path), keypoints, layout, image_size_px, fps, tuple(notes))


def _read_npz(path: Path) -> tuple[Any, dict]:
    keys = pickles.npz_keys(path)
    arrays = [key for key in keys if key not in _BESIDE]
    if "keypoints" not in keys and len(arrays) != 1:
        raise ValueError(f"{path} holds {', '.join(keys) or 'nothing'}; expected the key 'keypoints', or one array")
    key = "keypoints" if "keypoints" in keys else arrays[0]
    beside = {name: pickles.load_npz(path, name) if name in keys else None for name in _BESIDE}
    return pickles.load_npz(path, key), beside


def _read_npy(path: Path) -> tuple[Any, dict]:
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}; expected a keypoint file {' or '.join(_READERS)}")
    try:
        return np.load(path, allow_pickle=False), dict.fromkeys(_BESIDE)
    except (ValueError, EOFError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{path} is no array of numbers that numpy.save wrote ({reason}); save it anew") from error


#: Reader for each kind of file: the array, and what stands beside it ({"image_size", "fps"}, None if unknown).
_READERS: dict[str, Callable[[Path], tuple[Any, dict]]] = {".npz": _read_npz, ".npy": _read_npy}


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
            f"{path}: coordinates lie in 0..1, shares of a picture whose size is unknown; add image_size (width, "
            "height) to the file, or give pixels"
        )
    notes.append(f"coordinates in 0..1 were scaled to the picture of {image_size_px[0]} x {image_size_px[1]} pixels")
    return np.array(image_size_px, np.float32)


def _recognized(path: Path, keypoints: np.ndarray, notes: list[str]) -> str:
    """The layout that keypoints (persons, frames, joints, 3) have by number of joints and, with 17, by their places."""
    joints = keypoints.shape[2]
    # LCN's is Human3.6M's with other edges.
    layouts = [s.name for s in skeletons.ALL.values() if s.num_joints == joints and not s.extra_edges]
    if not layouts:
        known = ", ".join(f"{s.name} ({s.num_joints})" for s in skeletons.ALL.values() if not s.extra_edges)
        raise ValueError(
            f"{path} has {joints} joints, which no known layout has: {known}. Leave other joints out, and say which "
            "layout it is with --keypoint-layout"
        )
    if len(layouts) == 1:
        return layouts[0]
    layout = _like_coco_or_shortest(keypoints, [name for name in layouts if name != "coco_17"])
    others = ", ".join(name for name in layouts if name != layout)
    notes.append(f"{joints} joints lie as in {layout}; if they are {others}, say so with --keypoint-layout")
    return layout


def _like_coco_or_shortest(keypoints: np.ndarray, others: list[str]) -> str:
    """coco_17 if its face is small beside the person, else the layout whose bones are shortest."""
    flat = keypoints.reshape(-1, *keypoints.shape[2:])
    seen = flat[..., 2] > 0
    face = [i for i, name in enumerate(skeletons.COCO_17.joints) if name.endswith(("nose", "eye", "ear"))]
    whole, part = _sizes(flat, seen), _sizes(flat[:, face], seen[:, face])
    # In a close-up of a head and shoulders a face is large too.
    fit = (seen.mean(axis=1) > 0.75) & (whole > 0)
    if not fit.any() or np.median(part[fit] / whole[fit]) <= _FACE_SHARE:
        return "coco_17"
    return min(others, key=lambda name: _mean_bone(flat, seen, skeletons.get(name)))


def _sizes(keypoints: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The longer side of the box round each frame's visible joints (frames, joints, 3) -> (frames,); 0 without any."""
    low = np.where(seen[..., None], keypoints[..., :2], np.inf).min(axis=1)
    high = np.where(seen[..., None], keypoints[..., :2], -np.inf).max(axis=1)
    return np.where(seen.any(axis=1), np.max(high - low, axis=-1), 0)


def _mean_bone(keypoints: np.ndarray, seen: np.ndarray, skeleton: skeletons.Skeleton) -> float:
    children, parents = np.array(skeleton.bones).T
    lengths = np.linalg.norm(keypoints[:, children, :2] - keypoints[:, parents, :2], axis=-1)
    both = seen[:, children] & seen[:, parents]
    return lengths[both].mean() if both.any() else np.inf


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
