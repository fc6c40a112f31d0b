"""Downloads of BlazePose's model files: from Google, or by npm from Google's package."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from skelgnn_tf.atomic_write import atomic_write
from skelgnn_tf.detection.models import (
    DETECTOR_FILE,
    NPM_DETECTOR_FILE,
    TASK_URL,
    models_folder,
    read_task,
    sha256_of,
    task_file,
)

#: Size in bytes and SHA-256 of the known versions of the .task files, as many public projects pin them for the same
#: address. `full` has been published twice with the same size.
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
#: The same models in Google's npm package (Apache-2.0), and the SHA-256 of its files.
NPM_PACKAGE = "@mediapipe/pose@0.5.1675469404"
_NPM_SHA256 = {
    NPM_DETECTOR_FILE: "a63c614bef30d35947f13be361820b1e4e3bec9cfeebf4d11216a18373108e85",
    "pose_landmark_lite.tflite": "f17bfbecadb61c3be1baa8b8d851cc6619c870a87167b32848ad20db306b9d61",
    "pose_landmark_full.tflite": "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    "pose_landmark_heavy.tflite": "59e42d71bcd44cbdbabc419f0ff76686595fd265419566bd4009ef703ea8e1fe",
}
_CHUNK_BYTES = 1 << 16
_TIMEOUT_S = 30


def download_models(
    size: str = "lite",
    folder: str | Path | None = None,
    url: str = TASK_URL,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Path:
    """Downloads Google's .task file, unless it is there already. The file is complete and checked, or does not appear.

    Args:
        size: "lite", "full" or "heavy".
        folder: Where to save the file. By default the cache.
        url: The address. {size} stands for the size.
        on_progress: Called with the bytes received so far and the bytes in total.

    Returns:
        The path of the file.

    Raises:
        ValueError: The size is unknown, or the address gives another file.
        OSError: The download fails. The message says where to save the file by hand.

    Example:
        >>> download_models("full", on_progress=print)  # doctest: +SKIP
        PosixPath('/home/me/.cache/skelgnn-tf/blazepose/pose_landmarker_full.task')
    """
    path = task_file(size, folder)
    url = url.format(size=size)
    if path.is_file():
        read_task(path)
        return path
    num_bytes, known = _TASKS[size]
    with atomic_write(path) as tmp:
        with open(tmp, "wb") as file:
            received = _Received(file, num_bytes, on_progress)
            try:
                _download(url, received)
            except _TooLargeError:
                pass
            except OSError as error:
                # Errors of the disk have a number, those of the network do not.
                if error.errno is not None:
                    raise
                raise OSError(
                    f"{url}: the download failed ({_reason(error)}). Download it on another machine and save it as "
                    f"{path}."
                ) from error
        digest = received.digest.hexdigest()
        if received.done != num_bytes or digest not in known:
            raise ValueError(
                f"{url}: the file must have {num_bytes} bytes and SHA-256 {' or '.join(known)}. Received: "
                f"{received.done} bytes, SHA-256 {digest}. If Google has published a newer version that you trust, "
                f"save it as {path}."
            )
    return path


class _TooLargeError(Exception):
    """More bytes came than expected."""


class _Received:
    """A file that a downloader writes to. It reports progress, hashes, and stops when more comes than expected."""

    def __init__(self, file: BinaryIO, expected: int, on_progress: Callable[[int, int], None]) -> None:
        self._file, self._expected, self._on_progress = file, expected, on_progress
        self.digest, self.done = hashlib.sha256(), 0

    def write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self.digest.update(chunk)
        self.done += len(chunk)
        if self.done > self._expected:
            raise _TooLargeError
        self._on_progress(self.done, self._expected)

    def flush(self) -> None:
        self._file.flush()


def _download(url: str, received: _Received) -> None:
    # Only a download needs it.
    import pooch

    pooch.HTTPDownloader(chunk_size=_CHUNK_BYTES, timeout=_TIMEOUT_S)(url, received, None)


def _reason(error: OSError) -> str:
    """The cause of a failed download in a few words."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP {response.status_code} {response.reason}"
    # It wraps an error of the HTTP library, which wraps the one of the operating system.
    cause: BaseException = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    return str(getattr(cause, "strerror", None) or cause).splitlines()[0]


def fetch_npm_models(folder: str | Path | None = None) -> Path:
    """Downloads the models of all sizes with the npm client, for development and CI (`make detector`).

    Args:
        folder: Where to save the files. By default the cache.

    Returns:
        The folder.

    Raises:
        OSError: npm is not installed, or cannot download the package.
        ValueError: A file of the package is not the known one.
    """
    folder = Path(folder or models_folder())
    wanted = {name: folder / (DETECTOR_FILE if name == NPM_DETECTOR_FILE else name) for name in _NPM_SHA256}
    if all(path.is_file() and sha256_of(path) == _NPM_SHA256[name] for name, path in wanted.items()):
        return folder
    if not (npm := shutil.which("npm")):
        raise OSError("npm not found. Install Node.js, or run `skelgnn-tf detector download`.")
    folder.mkdir(parents=True, exist_ok=True)
    # In the folder itself, so that files are moved instead of copied and never visible half written.
    with tempfile.TemporaryDirectory(prefix=".npm-", dir=folder) as work:
        package = _npm_install(npm, Path(work))
        for name in wanted:
            if (found := sha256_of(package / name)) != _NPM_SHA256[name]:
                raise ValueError(
                    f"{NPM_PACKAGE}: {name} must have SHA-256 {_NPM_SHA256[name]}. Received: SHA-256 {found}."
                )
        for name, path in wanted.items():
            os.replace(package / name, path)
            # npm's files may be executable.
            path.chmod(0o644)
    return folder


def _npm_install(npm: str, work: Path) -> Path:
    """Installs the package in a folder; returns the package's folder."""
    (work / "package.json").write_text(json.dumps({"private": True}), encoding="utf-8")
    command = [npm, "install", "--prefix", str(work), "--ignore-scripts", "--no-audit", "--no-fund", NPM_PACKAGE]
    ran = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if ran.returncode:
        reason = next((line for line in ran.stderr.splitlines() if "error" in line.lower()), "no reason given")
        raise OSError(f"npm cannot download {NPM_PACKAGE} ({reason.strip()}). Check the network connection.")
    return work / "node_modules" / "@mediapipe" / "pose"
