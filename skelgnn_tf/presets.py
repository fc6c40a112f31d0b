"""Presets: trained weights, the run that made them, and the one way to open any trained model."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from skelgnn_tf.config import Config, load_model


def load(path: str | Path):
    """The model and the Config of a run folder, a `.keras` file, or a preset's name or folder.

    Returns:
        (PoseLifter, Config).

    Raises:
        FileNotFoundError: None of these.
        ValueError: A file that skelgnn-tf did not write, or weights that do not fit.
    """
    from skelgnn_tf.models.pose_lifter import PRESETS, PoseLifter, is_preset

    path = Path(path)
    for folder in (path, PRESETS / path):
        if is_preset(folder):
            try:
                metadata = json.loads((folder / "metadata.json").read_text())
                config = Config.from_json(json.dumps(metadata["run"]))
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise ValueError(
                    f"{folder}/metadata.json does not hold the run of the preset as presets.save writes it: {error}"
                ) from error
            return PoseLifter.from_preset(folder), config
    return load_model(path)


def save(path: str | Path, folder: Path, **metadata) -> None:
    """Writes a trained model as a preset: config.json, model.weights.h5, metadata.json.

    Args:
        path: What `load` takes.
        folder: Where to.
        metadata: What a user should know: data, scores, licence. The run's Config is added, without the folders of
            its data, which are one machine's.
    """
    model, config = load(path)
    model.save_to_preset(folder)
    metadata["run"] = dataclasses.asdict(config.replace(data_dir=()))
    (folder / "metadata.json").write_text(json.dumps(metadata, indent=2) + "\n")
