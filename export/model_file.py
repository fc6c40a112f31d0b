"""Hash and size of a model file; a Core ML package is a folder of files."""

from __future__ import annotations

import hashlib
from pathlib import Path


def sha256(file: Path) -> str:
    """Hash of a file in hexadecimal digits.

    That of a folder is the hash of its list of hashes: of what `find * -type f | LC_ALL=C sort | xargs sha256sum`
    prints inside it.
    """
    if not file.is_dir():
        return hashlib.sha256(file.read_bytes()).hexdigest()
    paths = sorted(path.relative_to(file).as_posix() for path in file.rglob("*") if path.is_file())
    lines = [f"{sha256(file / path)}  {path}\n" for path in paths]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def num_bytes(file: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    return sum(path.stat().st_size for path in [file, *file.rglob("*")] if path.is_file())
