"""`predict` with several inputs: a JSON file of each in one folder."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from skelgnn_tf.cli.errors import line_of
from skelgnn_tf.inference.result import Prediction


def check_number(sources: Sequence[Path], output_dir: Path | None, files: Mapping[str, Path | None]) -> None:
    """Refuses several inputs without a folder, or with an option that names the file of one input.

    Args:
        sources: The inputs.
        output_dir: Folder for their files.
        files: {option: file of one input}.

    Raises:
        ValueError: Options that do not fit the number of inputs.
    """
    if len(sources) == 1:
        return
    for option, path in files.items():
        if path is not None:
            raise ValueError(
                f"{option} must be used with one INPUT. Received: {len(sources)}. --output-dir writes NAME.json for "
                "each of them."
            )
    if output_dir is None:
        raise ValueError(f"--output-dir must be given for more than one INPUT. Received: {len(sources)}.")
    for source in sources:
        if str(source).startswith("webcam:"):
            raise ValueError(f"{source} must be the only INPUT. Received: {len(sources)}.")


def json_files(sources: Sequence[Path], output_dir: Path) -> list[Path]:
    """NAME.json in a folder for each of the inputs.

    Raises:
        ValueError: Two inputs would have the same file, or an input would be overwritten.
    """
    found: dict[Path, Path] = {}
    inputs = {source.resolve() for source in sources}
    for source in sources:
        # A name such as "." has no stem of its own; a folder keeps its dots.
        place = source.resolve()
        path = output_dir / f"{place.name if place.is_dir() else place.stem}.json"
        if path in found:
            raise ValueError(
                f"each INPUT must have another name. Received: {found[path]} and {source}, both for {path}. "
                "Predict them into different folders."
            )
        if path.resolve() in inputs:
            raise ValueError(f"cannot write {path}: it is an INPUT. Choose another --output-dir.")
        found[path] = source
    return list(found)


def predict_each(sources: Sequence[Path], paths: Sequence[Path], run: Callable[[Path], Prediction]) -> None:
    """Writes the prediction of each input and shows progress on stderr.

    An input that cannot be predicted costs one line there and, after all others, the exit code 2.

    Args:
        sources: The inputs.
        paths: The file of each.
        run: Predicts an input.
    """
    from rich.console import Console
    from rich.progress import track

    from skelgnn_tf.writers import save

    console, is_complete = Console(stderr=True), True
    shown: dict[str, Any] = {"console": console, "transient": True, "disable": not console.is_terminal}
    for source, path in track(list(zip(sources, paths, strict=True)), "predicting", **shown):
        try:
            save(run(source), path)
        except Exception as error:
            line = line_of(error)
            line = line if source.name in line else f"{source}: {line}"
            # The console knows about the bar and does not write into it.
            console.print(f"skelgnn-tf: {line}", highlight=False, markup=False, soft_wrap=True)
            is_complete = False
    if not is_complete:
        sys.exit(2)
