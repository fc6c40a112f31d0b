"""Keypoints as NumPy arrays: .npz and .npy."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from skelgnn_tf.keypoints.raw import RawKeypoints

#: Keys of an .npz that are not keypoints.
_SETTINGS = ("image_size", "fps")


def read_npz(path: Path) -> RawKeypoints:
    """Reads the array `keypoints`, or the only array, and the optional `image_size` and `fps` of an .npz file.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is damaged, is not an .npz file, or has several arrays and none is called `keypoints`.
    """
    _check_exists(path)
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{path}: the file must be an .npz file, as numpy.savez writes it. Received: no zip file.")
    try:
        with np.load(path, allow_pickle=False) as file:
            keys = file.files
            arrays = [key for key in keys if key not in _SETTINGS]
            key = arrays[0] if "keypoints" not in keys and len(arrays) == 1 else "keypoints"
            if key in keys:
                return RawKeypoints(file[key], **{name: file[name] for name in _SETTINGS if name in keys})
    # A damaged stream may raise nearly anything.
    except Exception as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{path}: the file must hold plain arrays of numbers. Received: {reason}.") from error
    raise ValueError(
        f"{path}: the file must have the key 'keypoints' or a single array. Received: {', '.join(keys) or 'no key'}."
    )


def read_npy(path: Path) -> RawKeypoints:
    """Reads the array of an .npy file.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is damaged or is not an .npy file of numbers.
    """
    _check_exists(path)
    try:
        return RawKeypoints(np.load(path, allow_pickle=False))
    except (ValueError, EOFError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"{path}: the file must be an .npy file of numbers. Received: {reason}. Save it with numpy.save."
        ) from error


def _check_exists(path: Path) -> None:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: file not found. Expected keypoints as {path.suffix}.")
