"""Run folders: their names, what a new one holds, the settings of an old one, and the link runs/last."""

from __future__ import annotations

import dataclasses
import datetime
import os
from pathlib import Path
from typing import Any

from rich.console import Console

from skelgnn_tf.atomic_write import atomic_write
from skelgnn_tf.configs import ActionConfig, LiftConfig, from_json
from skelgnn_tf.configs.base import flag
from skelgnn_tf.configs.files import check_fields

#: Settings that a resumed run may change.
_FREE = ("epochs", "data_dir", "data_file", "labels")


def default_folder(config: LiftConfig | ActionConfig) -> Path:
    """runs/<data sets>-<frames>f-<time> for a lifter, runs/<data set>-<stream>-<time> for a recognizer."""
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    what = config.stream if isinstance(config, ActionConfig) else f"{config.frames}f"
    return Path("runs") / f"{'-'.join(config.dataset)}-{what}-{now}"


def make_folder(folder: Path, config: LiftConfig | ActionConfig, console: Console) -> None:
    """Creates an empty run folder with its config.json. A run that is already there is renamed.

    Args:
        folder: Run folder.
        config: Everything that defines the run.
        console: Where the new name of an older run is printed.

    Raises:
        ValueError: The folder cannot be written, or holds something else than a run.
    """
    if folder.is_symlink():
        raise ValueError(
            f"--output must be a folder of its own. Received: {folder}, a link to {folder.resolve()}. Choose another "
            "--output, or continue that run with --resume."
        )
    try:
        if folder.exists() and any(folder.iterdir()):
            if not (folder / "config.json").exists():
                raise ValueError(
                    f"--output must be a new folder or a run of skelgnn-tf. Received: {folder}, which holds something "
                    "else. Choose another --output."
                )
            # "." has no name to add a number to.
            folder, number = folder.resolve(), 1
            while (aside := folder.with_name(f"{folder.name}.{number}")).exists():
                number += 1
            folder.rename(aside)
            console.print(f"the previous run in {folder} is now {aside}")
        folder.mkdir(parents=True, exist_ok=True)
        write_config(folder, config)
    except OSError as error:
        raise ValueError(
            f"--output must be a writable folder. Received: {folder} ({error.strerror}). Choose another --output."
        ) from error


def write_config(folder: Path, config: LiftConfig | ActionConfig) -> None:
    """Writes config.json of a run."""
    with atomic_write(folder / "config.json") as tmp:
        tmp.write_text(config.to_json() + "\n", encoding="utf-8")


def resumed_config(folder: Path, **changes: Any) -> LiftConfig | ActionConfig:
    """The config of a run to resume.

    Args:
        folder: Run folder.
        **changes: Other values of settings. Only the number of epochs and the place of the data may differ.

    Raises:
        FileNotFoundError: The folder is not a run.
        ValueError: The config is damaged, or other settings differ.
    """
    file = folder / "config.json"
    if not file.exists():
        raise FileNotFoundError(
            f"--resume must be used with a run folder. Received: {folder}, which has no config.json. Name a run with "
            "--output."
        )
    try:
        config = from_json(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{file} is damaged or was written by another version: {error}") from error
    check_fields(config.task, changes)
    different = [name for name, value in changes.items() if name not in _FREE and getattr(config, name, None) != value]
    if different:
        names = ", ".join(flag(field) for field in dataclasses.fields(config) if field.name in different)
        raise ValueError(
            f"{folder}: --resume must keep the settings of the run, except for --epochs and the place of the data. "
            f"Received: {names}. Leave them out."
        )
    return config.replace(**{name: value for name, value in changes.items() if name in _FREE})


def link_last(folder: Path) -> None:
    """Makes runs/last in the working directory point to a run, wherever it is."""
    link, tmp = Path("runs/last"), Path("runs/.last.partial")
    if folder.absolute() == link.absolute() or (link.exists() and not link.is_symlink()):
        return
    link.parent.mkdir(exist_ok=True)
    tmp.unlink(missing_ok=True)
    tmp.symlink_to(os.path.relpath(folder.resolve(), link.parent.resolve()))
    os.replace(tmp, link)
