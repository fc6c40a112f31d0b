"""BlazePose's model files on disk: a folder, Google's .task file, or the cache that a download fills."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

from skelgnn_tf.cache_dir import cache_dir

SIZES = ("lite", "full", "heavy")
#: Google's address of a .task file, which is a zip of both models.
TASK_URL = (
    "https://storage.googleapis.com/mediapipe-models/pose_landmarker/pose_landmarker_{size}/float16/latest/"
    "pose_landmarker_{size}.task"
)
#: Google's names of the two .tflite files: of the detector in the npm package, and as MediaPipe calls both.
NPM_DETECTOR_FILE = "pose_solution_packed_assets.data"
DETECTOR_FILE, LANDMARKER_FILE = "pose_detection.tflite", "pose_landmark_{size}.tflite"
_DETECTOR_MEMBER, _LANDMARKER_MEMBER = "pose_detector.tflite", "pose_landmarks_detector.tflite"


@dataclass(frozen=True)
class DetectorModels:
    """The two models of BlazePose.

    Args:
        name: Their file or folder, used in messages.
        detector: Content of the .tflite file that finds people.
        landmarker: Content of the .tflite file that finds their joints.
    """

    name: str
    detector: bytes
    landmarker: bytes


def models_folder() -> Path:
    """Returns the folder that downloads go to: `blazepose` in the cache folder (see `skelgnn_tf.cache_dir`)."""
    return cache_dir() / "blazepose"


def task_file(size: str, folder: str | Path | None = None) -> Path:
    """Returns the path of a .task file in a folder, by default the cache.

    Raises:
        ValueError: The size is unknown.
    """
    if size not in SIZES:
        raise ValueError(f"size must be {', '.join(SIZES[:-1])} or {SIZES[-1]}. Received: {size!r}.")
    return Path(folder or models_folder()) / f"pose_landmarker_{size}.task"


def find_models(place: str | Path | None = None, size: str = "lite") -> DetectorModels:
    """Reads BlazePose's models.

    Args:
        place: A .task file, or a folder with pose_landmarker_<size>.task, or a folder with pose_detection.tflite (or
            the npm package's pose_solution_packed_assets.data) and pose_landmark_<size>.tflite. By default the cache.
        size: "lite" (fastest), "full" or "heavy" (most accurate).

    Raises:
        FileNotFoundError: The files do not exist. The message says how to get them.
        ValueError: The size is unknown, or a file is something else.
    """
    task = task_file(size, place)
    folder = task.parent
    if folder.suffix == ".task":
        if not folder.is_file():
            raise FileNotFoundError(f"{folder}: file not found. Expected Google's {task.name}.")
        return read_task(folder)
    if task.is_file():
        return read_task(task)
    landmarker = folder / LANDMARKER_FILE.format(size=size)
    detectors = [folder / name for name in (DETECTOR_FILE, NPM_DETECTOR_FILE) if (folder / name).is_file()]
    if landmarker.is_file() and detectors:
        return DetectorModels(
            str(folder), _tflite(detectors[0].read_bytes(), detectors[0]), _tflite(landmarker.read_bytes(), landmarker)
        )
    raise FileNotFoundError(
        f"{folder}: BlazePose's {size} model not found. Run `skelgnn-tf detector download --size {size}`, or save "
        f"{TASK_URL.format(size=size)} there as {task.name}."
    )


def read_task(path: Path) -> DetectorModels:
    """Reads both models of a .task file.

    Raises:
        ValueError: The file is something else.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            detector, landmarker = archive.read(_DETECTOR_MEMBER), archive.read(_LANDMARKER_MEMBER)
    except (zipfile.BadZipFile, KeyError, OSError) as error:
        reason = " ".join(str(error).strip("'\"").split())
        raise ValueError(
            f"{path}: the file must be a pose_landmarker .task file, a zip of {_DETECTOR_MEMBER} and "
            f"{_LANDMARKER_MEMBER}. Received: {reason}. Download {TASK_URL.format(size='lite')} again."
        ) from error
    return DetectorModels(str(path), _tflite(detector, path), _tflite(landmarker, path))


def sha256_of(path: Path) -> str:
    """Returns the SHA-256 of a file as hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _tflite(content: bytes, path: Path) -> bytes:
    # A FlatBuffers file has its type after the offset of its root.
    if content[4:8] != b"TFL3":
        raise ValueError(f"{path}: the file must hold a .tflite model. Received: something else. Download it again.")
    return content
