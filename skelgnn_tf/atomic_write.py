"""Files that are whole or not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """A path beside `path`, of the same suffix, to write to; it takes that place when the block ends without an error.

    Folders on the way are made. After an error, a full disk or Ctrl-C, what was at `path` is still there as it was.

    Example:
        >>> with atomic_write("runs/a/scores.json") as beside:  # doctest: +SKIP
        ...     beside.write_text("{}")
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".partial.{path.name}")
    try:
        yield beside
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
