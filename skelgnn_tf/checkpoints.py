"""The one door to trained models: run folders, `.keras` files and presets are loaded, described and saved here."""

from __future__ import annotations

import errno
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skelgnn_tf.atomic_write import atomic_write
from skelgnn_tf.configs import ActionConfig, LiftConfig, from_json

#: Presets that come with the package, a folder each: config.json, model.keras, model.tflite, metadata.json.
PRESETS = Path(__file__).parent / "presets"

#: Format of a preset's metadata.json.
FORMAT = 2

#: Name of the config inside a `.keras` file, next to Keras' own members.
_MEMBER = "skelgnn_tf.json"


@dataclass(frozen=True)
class LoadedModel:
    """A trained model and the config of its run.

    Args:
        name: What it was loaded from: "fitness_9f", "runs/last", "squats.keras".
        model: `PoseLifter` or `ActionRecognizer`; for exported files an `inference.exported.ExportedModel`.
        config: Everything that defined the run.
    """

    name: str
    model: Any
    config: LiftConfig | ActionConfig


def load(path: str | Path, task: str | None = None) -> LoadedModel:
    """Loads a trained model.

    Args:
        path: Run folder, `.keras` file, or name or folder of a preset.
        task: "lift" or "action" if only a model of that task is accepted.

    Raises:
        FileNotFoundError: There is no such model; lists the presets.
        ValueError: A file that skelgnn-tf did not write, weights that do not fit, a model of the other task.

    Example:
        >>> loaded = load("fitness_9f")
        >>> type(loaded.model).__name__, loaded.config.frames
        ('PoseLifter', 9)
    """
    config = read_config(path)
    check_task(str(path), config.task, task)
    file = _model_file(path)
    model = _load_h5_preset(file.parent) if file.suffix == ".h5" else _load_keras(file)
    return LoadedModel(str(path), model, config)


def check_task(name: str, found: str, wanted: str | None) -> None:
    """Raises ValueError if a model is for another task than the one that is wanted."""
    words = {"lift": "a pose lifter", "action": "an action recognizer"}
    if wanted is not None and found != wanted:
        raise ValueError(f"{name} must be {words[wanted]}. Received: {words[found]}.")


def read_config(path: str | Path) -> LiftConfig | ActionConfig:
    """The config of a trained model without loading the model; raises as `load`."""
    file = _model_file(path)
    if file.suffix == ".h5":
        return _read_h5_preset_config(file.parent)
    try:
        with zipfile.ZipFile(file) as archive:
            return from_json(archive.read(_MEMBER).decode())
    except (zipfile.BadZipFile, KeyError) as error:
        raise ValueError(f"{file} must be a .keras file of skelgnn-tf, with {_MEMBER} inside.") from error
    except ValueError as error:
        raise ValueError(f"{file} is damaged or was written by another version: {error}") from error


def describe(path: str | Path) -> dict[str, Any]:
    """Describes a trained model without loading it.

    Returns:
        {"name", "kind" ("run", "file" or "preset"), "task", "config" (dict), "metadata" (of a preset; else empty)}.

    Raises:
        FileNotFoundError, ValueError: As `load`.
    """
    file, config = _model_file(path), read_config(path)
    metadata_file = file.parent / "metadata.json"
    is_preset = metadata_file.exists()
    return {
        "name": str(path),
        "kind": "preset" if is_preset else "run" if (file.parent / "config.json").exists() else "file",
        "task": config.task,
        "config": config.to_dict(),
        "metadata": json.loads(metadata_file.read_text(encoding="utf-8")) if is_preset else {},
    }


def save(model: Any, config: LiftConfig | ActionConfig, path: str | Path) -> None:
    """Writes a `.keras` file that carries its config, completely or not at all."""
    with atomic_write(path) as tmp:
        model.save(tmp)
        with zipfile.ZipFile(tmp, "a") as archive:
            archive.writestr(_MEMBER, config.to_json())


def save_preset(path: str | Path, folder: str | Path, **metadata: Any) -> Path:
    """Writes a trained model as a preset: config.json, model.keras without optimizer state, metadata.json.

    Args:
        path: What `load` takes.
        folder: Where to.
        metadata: What a user should know: data, scores, license. Paths of this machine are left out of the config.

    Returns:
        The folder.
    """
    loaded, folder = load(path), Path(folder)
    private: dict[str, Any] = {"data_dir": (), "start": Path(loaded.config.start).name}
    if isinstance(loaded.config, ActionConfig):
        private |= {"data_file": "", "labels": "", "other_motion": ""}
    config = loaded.config.replace(**private)
    # A fresh model has no optimizer.
    model = type(loaded.model).from_config(loaded.model.get_config())
    model.build(model.input_axes)
    model.set_weights(loaded.model.get_weights())
    # A phone file of other weights must not stay; `skelgnn-tf export` makes the new one.
    (folder / "model.tflite").unlink(missing_ok=True)
    save(model, config, folder / "model.keras")
    for name, text in (
        ("config.json", config.to_json()),
        ("metadata.json", json.dumps({"format": FORMAT} | metadata, indent=2)),
    ):
        with atomic_write(folder / name) as tmp:
            tmp.write_text(text + "\n", encoding="utf-8")
    return folder


def preset_names() -> list[str]:
    """Names of the presets that come with the package."""
    return sorted(folder.name for folder in PRESETS.glob("*") if (folder / "model.keras").exists())


def phone_file(path: str | Path) -> Path | None:
    """The `.tflite` that a preset carries, given what `load` takes; None if that is no preset or carries none."""
    if Path(path).is_file():
        return None
    try:
        file = _model_file(path).with_name("model.tflite")
    except FileNotFoundError:
        return None
    return file if file.is_file() and file.with_name("metadata.json").is_file() else None


def find_preset(name: str | Path) -> Path | None:
    """The folder of a preset, given the folder itself or the name of a shipped one; None if there is none."""
    folders = (Path(name), PRESETS / name)
    return next((folder for folder in folders if (folder / "metadata.json").exists()), None)


def _model_file(path: str | Path) -> Path:
    """The file that holds the weights of what `load` takes."""
    path = Path(path)
    for folder in (path, PRESETS / path):
        # Presets of version 0.1 have model.weights.h5.
        for name in ("model.keras", "model.weights.h5"):
            if (folder / name).is_file():
                return folder / name
    if (path / "config.json").is_file():
        raise FileNotFoundError(
            f"{path} has no model.keras: its training has not finished an epoch. Continue it with "
            f"skelgnn-tf train --resume --output {path}"
        )
    if not path.is_file():
        found = "a folder without model.keras" if path.is_dir() else "nothing of that name"
        raise FileNotFoundError(
            f"{path} must be a run folder, a .keras file or a preset ({', '.join(preset_names())}). Received: {found}. "
            "Train a model with skelgnn-tf train."
        )
    return path


def _load_keras(file: Path) -> Any:
    import keras

    _register()
    try:
        return keras.saving.load_model(file, compile=False, safe_mode=True)
    except (ValueError, TypeError, KeyError, OSError) as error:
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise
        reason = str(error).splitlines()[0]
        raise ValueError(f"{file} is damaged or was written by another version: {reason}") from error


def _register() -> None:
    """Makes Keras know the classes and functions that our files name."""
    import skelgnn_tf.metrics
    import skelgnn_tf.models  # noqa: F401


def _load_h5_preset(folder: Path) -> Any:
    """The model of a preset that version 0.1 wrote: config.json holds the model's class and arguments."""
    from skelgnn_tf import models

    saved = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    model = getattr(models, saved["class_name"]).from_config(saved["config"])
    model.build(model.input_axes)
    file = folder / "model.weights.h5"
    try:
        model.load_weights(file)
    except (ValueError, OSError, KeyError) as error:
        raise ValueError(f"{file} does not fit its config.json: {str(error).splitlines()[0]}") from error
    return model


def _read_h5_preset_config(folder: Path) -> LiftConfig | ActionConfig:
    """The config of a preset that version 0.1 wrote: the entry `run` of its metadata.json."""
    file = folder / "metadata.json"
    try:
        return from_json(json.dumps(json.loads(file.read_text(encoding="utf-8"))["run"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{file} must hold the config of the preset's run: {error}") from error
