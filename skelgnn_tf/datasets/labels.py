"""Names of the classes from a text file."""

from __future__ import annotations

from pathlib import Path


def read_labels(path: str | Path) -> tuple[str, ...]:
    """Reads the names of the classes from a text file with one name per line, in the order of the labels.

    Args:
        path: The file.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is not text, has no name, an empty line between names, or the same name twice.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: labels file not found. Expected a text file with one class name per line.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(_not_text(path, error.reason)) from error
    if "\0" in text:
        raise ValueError(_not_text(path, "zero bytes"))
    names = tuple(line.strip() for line in text.rstrip().splitlines())
    if not names:
        raise ValueError(f"{path}: the labels file must have one class name per line. Received: an empty file.")
    for number, name in enumerate(names, 1):
        if not name:
            raise ValueError(f"{path}: every line must name a class. Received: an empty line {number}.")
        if name in names[: number - 1]:
            first = names.index(name) + 1
            raise ValueError(
                f"{path}: every class must have its own name. Received: {name!r} in lines {first} and {number}."
            )
    return names


def _not_text(path: Path, received: str) -> str:
    return f"{path}: the labels file must be text with one class name per line. Received: {received}."
