"""The folder of an export: what it may hold, which of its files stay, and how new files replace it."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from skelgnn_tf.export.golden import GOLDEN
from skelgnn_tf.export.model_file import sha256
from skelgnn_tf.inference.runner import CONTRACT, OLD_CONTRACT

#: Files of a model. If there are several, an app runs the first.
MODEL_FILES = ("model.tflite", "model.onnx", "model.mlpackage")


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


def kept_entries(folder: Path, contract: dict[str, Any], written: Collection[str] = ()) -> dict[str, Any]:
    """Entries of the files in the folder that stay: those in other formats with the same contract.

    Args:
        folder: Of the export; need not exist.
        contract: The new contract, without `files`.
        written: Names of the model files that the new export replaces.

    Raises:
        ValueError: A file that would stay is not the one that its contract describes.
    """
    old, new = _read_contract(folder), json.loads(json.dumps(contract))
    same = all(old.get(key) == value for key, value in new.items() if key not in ("versions", "signatures"))
    kept = {
        name: entry
        for name, entry in old.get("files", {}).items()
        if same and name not in written and (folder / name).exists()
    }
    for name, entry in kept.items():
        if sha256(folder / name) != entry.get("sha256"):
            raise ValueError(
                f"{folder / name} must be the file that the contract next to it describes. Received: a file with "
                "another sha256. Export it again too, or delete it."
            )
    return kept


def replace_files(new: Path, folder: Path, kept: Collection[str]) -> None:
    """Moves a finished export into its folder, from which files that no longer belong to it are removed.

    The old contract leaves the folder first and the new one comes last, so that a crash in between leaves a folder
    without a contract, and never one with the contract of other files. If a file cannot be moved, the folder gets its
    old files back.

    Args:
        new: Folder with the new files, on the same disk.
        folder: Where they go; made if it does not exist.
        kept: Names of all model files of the export, new and old.
    """
    # True sorts behind False.
    arriving = sorted((file.name for file in new.iterdir()), key=CONTRACT.__eq__)
    leaving = [
        CONTRACT,
        OLD_CONTRACT,
        *(name for name in (*MODEL_FILES, GOLDEN) if name in arriving or name not in kept),
    ]
    fresh, old = not folder.exists(), new / "old"
    folder.mkdir(parents=True, exist_ok=True)
    old.mkdir()
    ways = [(folder / name, old / name) for name in leaving if (folder / name).exists()]
    ways += [(new / name, folder / name) for name in arriving]
    done: list[tuple[Path, Path]] = []
    try:
        for source, target in ways:
            os.replace(source, target)
            done.append((source, target))
    except BaseException:
        for source, target in reversed(done):
            os.replace(target, source)
        if fresh:
            folder.rmdir()
        raise


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
