"""The folder of an export: what it may hold, which of its files stay, and how new files replace it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from skelgnn_tf.export.contract import GOLDEN
from skelgnn_tf.inference.runner import CONTRACT, OLD_CONTRACT

#: Files of a model. If there are both, golden.json belongs to the first.
MODEL_FILES = ("model.tflite", "model.onnx")


def check_folder(folder: Path, weights_sha256: str, overwrite: bool) -> None:
    """Refuses a folder that cannot take the export of a model.

    Args:
        folder: Where to export to; need not exist.
        weights_sha256: Hash of the model's weights, as in its contract.
        overwrite: Whether the export of another model may be replaced.

    Raises:
        ValueError: A file, a folder with files that belong to no export, or the export of another model.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} must be a folder. Received: a file. Choose another --output.")
    there = sorted(f.name for f in folder.iterdir() if not f.name.startswith(".")) if folder.exists() else []
    own = (*MODEL_FILES, CONTRACT, GOLDEN)
    foreign = [name for name in there if name not in (*own, OLD_CONTRACT)]
    if foreign:
        raise ValueError(
            f"{folder} must be empty or an export ({', '.join(own)}). Received: a folder with {foreign[0]}. Choose "
            "another --output."
        )
    found = _read_contract(folder)
    if there and found.get("weights_sha256") != weights_sha256 and not overwrite:
        name = found.get("name", f"without a valid {CONTRACT}")
        raise ValueError(
            f"{folder} holds another model ({name}). Replace it with --overwrite, or choose another --output."
        )


def kept_entries(folder: Path, contract: dict[str, Any]) -> dict[str, Any]:
    """Entries of the files in the folder that stay: those in other formats with the same contract."""
    old, new = _read_contract(folder), json.loads(json.dumps(contract))
    same = all(old.get(key) == value for key, value in new.items() if key not in ("versions", "signatures"))
    return {name: entry for name, entry in old.get("files", {}).items() if same and (folder / name).exists()}


def replace_files(new: Path, folder: Path, kept: Iterable[str]) -> None:
    """Moves a finished export into its folder, and then removes the files that no longer belong to it.

    Args:
        new: Folder with the new files, on the same disk.
        folder: Where they go; made if it does not exist.
        kept: Names of all model files of the export, new and old.
    """
    fresh = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        for file in new.iterdir():
            os.replace(file, folder / file.name)
    finally:
        if fresh and not any(folder.iterdir()):
            folder.rmdir()
    for name in {*MODEL_FILES, OLD_CONTRACT} - set(kept):
        (folder / name).unlink(missing_ok=True)


def _read_contract(folder: Path) -> dict[str, Any]:
    """The contract in a folder, of this version or of version 0.1; empty if there is no valid one."""
    for name in (CONTRACT, OLD_CONTRACT):
        try:
            found = json.loads((folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(found, dict):
            return found
    return {}
