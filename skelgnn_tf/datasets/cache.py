"""Where parsed data sets are kept, so that a second run loads them in seconds."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path


def cache_folder(name: str, sources: Sequence[Path], version: str) -> Path:
    """The folder for what is parsed from some files; another one when a file, or how it is parsed, changes.

    Args:
        name: Begins the folder's name, for people who look into the cache.
        sources: The files, by whose path, size and time of change the folder is named.
        version: Of the parser and of all settings that change what it makes.

    Returns:
        A folder in $SKELGNN_TF_CACHE, or skelgnn-tf in $XDG_CACHE_HOME or ~/.cache; it need not exist.
    """
    digest = hashlib.sha256(version.encode())
    for source in sorted(sources):
        stat = source.stat()
        digest.update(f"{source.resolve()}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode())
    return cache_root() / f"{name}-{digest.hexdigest()[:16]}"


def cache_root() -> Path:
    """$SKELGNN_TF_CACHE, or skelgnn-tf in $XDG_CACHE_HOME or ~/.cache."""
    if os.environ.get("SKELGNN_TF_CACHE"):
        return Path(os.environ["SKELGNN_TF_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "skelgnn-tf"
