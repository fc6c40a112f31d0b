"""The cache of parsed data sets, with which a second run loads them in seconds."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from skelgnn_tf.cache_dir import cache_dir


def cache_folder(name: str, sources: Sequence[str | Path], version: str) -> Path:
    """Returns the folder for what is parsed from some files. It changes when a file or the parser changes.

    Args:
        name: Start of the folder's name, for people who look into the cache.
        sources: The files. Their paths, sizes and modification times determine the folder.
        version: Version of the parser and all settings that change its result.

    Returns:
        A folder in the cache folder (see `skelgnn_tf.cache_dir`). It may not exist.
    """
    digest = hashlib.sha256(version.encode())
    # A data set has 100,000 files in one or two folders, and resolving paths takes longer than everything else.
    resolve = functools.cache(os.path.realpath)
    for source in sorted(os.fspath(source) for source in sources):
        folder, file = os.path.split(source)
        stat = os.stat(source)
        digest.update(f"{resolve(folder)}\0{file}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode())
    return cache_dir() / f"{name}-{digest.hexdigest()[:16]}"
