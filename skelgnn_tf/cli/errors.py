"""A user's mistake is one line on stderr and exit code 2, without a traceback."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rich_click as click


def one_line_errors(command: Callable[..., Any]) -> Callable[..., Any]:
    """Wraps a command. SKELGNN_TF_TRACEBACK=1 in the environment shows tracebacks."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except Exception as error:
            click.echo(f"skelgnn-tf: {line_of(error)}", err=True)
            sys.exit(2)
        except KeyboardInterrupt:
            sys.exit(130)

    return wrapped


def line_of(error: Exception) -> str:
    """What a user is told about an error, in one line; raises the error again if it is none of the user's making."""
    full = "No space left on device" in str(error)
    out_of_memory = type(error).__name__ == "ResourceExhaustedError" and not full
    expected = full or out_of_memory or isinstance(error, (ValueError, OSError, ImportError))
    if not expected or os.environ.get("SKELGNN_TF_TRACEBACK"):
        raise error
    text = "The device is out of memory. Choose a smaller --batch-size." if out_of_memory else str(error)
    if full and "make room" not in text.lower():
        text = f"The disk is full. Make room, or set TMPDIR to another disk for temporary files ({text})."
    return " ".join(text.split())


def check_writable(option: str, path: str | Path | None, is_folder: bool = True) -> None:
    """Refuses an output that cannot be written, before the work and not after it."""
    if path is None:
        return
    path = Path(path)
    there = next(p for p in (path, *path.parents) if p.exists())
    if there.is_dir() != (is_folder or there != path):
        what = "folder" if there.is_dir() else "file"
        raise ValueError(f"cannot write {option} {path}: {there} is a {what}. Choose another {option}.")
    if not os.access(there, os.W_OK):
        raise ValueError(f"cannot write {option} {path}: {there} is write-protected. Choose another {option}.")
