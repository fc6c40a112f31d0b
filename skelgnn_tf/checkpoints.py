"""Presets: trained weights, the run that made them, and the one way to open any trained model."""

from __future__ import annotations

import json
from pathlib import Path

from skelgnn_tf.configs.config import Config, load_model, read_config


def load(path: str | Path, task: str | None = None):
    """The model and the Config of a run folder, a `.keras` file, or a preset's name or folder.

    Args:
        path: One of these.
        task: "lift" or "action", if only a model of that task will do.

    Returns:
        (PoseLifter or ActionRecognizer, Config).

    Raises:
        FileNotFoundError: None of these.
        ValueError: A file that skelgnn-tf did not write, weights that do not fit, a model of the other task.
    """
    if task is not None and (found := task_of(path)) != task:
        what = {"lift": "a lifter", "action": "a recogniser of actions"}
        raise ValueError(f"{path} is {what[found]}; this wants {what[task]} (skelgnn-tf train --task {task})")
    folder = _find(path)
    if folder is None:
        return load_model(Path(path))
    from skelgnn_tf import models

    config = _preset_config(folder)
    cls = models.PoseLifter if config.task == "lift" else models.ActionRecognizer
    return cls.from_preset(folder), config


def config_of(path: str | Path) -> Config:
    """The Config alone, without loading the model; errors as `load`."""
    folder = _find(path)
    return read_config(Path(path)) if folder is None else _preset_config(folder)


def task_of(path: str | Path) -> str:
    """ "lift" or "action", without loading the model; errors as `load`."""
    return config_of(path).task


def save(path: str | Path, folder: Path, **metadata) -> None:
    """Writes a trained model as a preset: config.json, model.weights.h5, metadata.json.

    Args:
        path: What `load` takes.
        folder: Where to.
        metadata: What a user should know: data, scores, licence. The run's Config is added, without the folders of
            its data and of the run that it began with, which are one machine's.
    """
    model, config = load(path)
    model.save_to_preset(folder)
    own = {"data_dir": (), "start": Path(config.start).name} | (
        {"data_file": "", "labels": ""} if config.task == "action" else {}
    )
    metadata["run"] = json.loads(config.replace(**own).to_json())
    (folder / "metadata.json").write_text(json.dumps(metadata, indent=2) + "\n")


def _find(path: str | Path) -> Path | None:
    # Keras is slow to load, and `--help` must not wait for it.
    from skelgnn_tf.models.base import find_preset

    return find_preset(path)


def _preset_config(folder: Path) -> Config:
    try:
        return Config.from_json(json.dumps(json.loads((folder / "metadata.json").read_text())["run"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{folder}/metadata.json does not hold the run of the preset as checkpoints.save writes it: {error}"
        ) from error
