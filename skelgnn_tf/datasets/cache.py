"""Where parsed data sets are kept, so that a second run loads them in seconds."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path


def cache_folder(name: str, sources: Sequence[str | Path], version: str) -> Path:
    """The folder for what is parsed from some files; another one when a file, or how it is parsed, changes.

    Args:
        name: Begins the folder's name, for people who look into the cache.
        sources: The files, by whose path, size and time of change the folder is named.
        version: Of the parser and of all settings that change what it makes.

    Returns:
        A folder in $SKELGNN_TF_CACHE, or skelgnn-tf in $XDG_CACHE_HOME or ~/.cache; it need not exist.
    """
    digest = hashlib.sha256(version.encode())
    # A data set has 100,000 files in a folder or two, and to resolve a path takes longer than all else here.
    resolve = functools.cache(os.path.realpath)
    for source in sorted(map(os.fspath, sources)):
        folder, file = os.path.split(source)
        stat = os.stat(source)
        digest.update(f"{resolve(folder)}\0{file}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode())
    return cache_root() / f"{name}-{digest.hexdigest()[:16]}"


def cache_root() -> Path:
    """$SKELGNN_TF_CACHE, or skelgnn-tf in $XDG_CACHE_HOME or ~/.cache."""
    if os.environ.get("SKELGNN_TF_CACHE"):
        return Path(os.environ["SKELGNN_TF_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "skelgnn-tf"
