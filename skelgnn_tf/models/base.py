"""PresetModel: what the models share: their config, and weights that come with the package or lie in a folder."""

from __future__ import annotations

import json
from pathlib import Path

import keras

from skelgnn_tf.skeletons import Skeleton

#: Presets that come with the package, a folder each: config.json, model.weights.h5, metadata.json.
PRESETS = Path(__file__).parents[1] / "presets"


class PresetModel(keras.Model):
    """A model that is made from plain values and can be kept as a preset.

    Subclasses put their constructor's values, plain, into `_config`, and name their `input_axes`.
    """

    @property
    def input_axes(self) -> tuple[int | None, ...]:
        """Shape of the input, None for the batch."""
        raise NotImplementedError

    def get_config(self) -> dict:  # noqa: D102
        return super().get_config() | self._config

    @classmethod
    def from_config(cls, config: dict) -> PresetModel:  # noqa: D102
        return cls(**config | {"skeleton": Skeleton.from_config(config["skeleton"])})

    @classmethod
    def from_preset(cls, name_or_folder: str | Path) -> PresetModel:
        """A trained model.

        Args:
            name_or_folder: A preset that comes with the package ("fitness_9f", "exercises_2d"), or a folder with
                config.json and model.weights.h5, as `save_to_preset` writes them.

        Raises:
            FileNotFoundError: Neither of the two; lists the presets.
            ValueError: A preset of another class, or weights that do not fit the config.

        Example:
            >>> from skelgnn_tf.models import PoseLifter
            >>> PoseLifter.from_preset("fitness_9f").frames
            9
        """
        folder = find_preset(name_or_folder)
        if folder is None:
            shipped = ", ".join(sorted(f.name for f in PRESETS.glob("*") if is_preset(f)))
            raise FileNotFoundError(
                f"{name_or_folder} is neither a shipped preset ({shipped}) nor a folder with config.json and "
                "model.weights.h5"
            )
        saved = json.loads((folder / "config.json").read_text())
        if saved["class_name"] != cls.__name__:
            raise ValueError(f"{folder} holds a model of class {saved['class_name']}, not {cls.__name__}")
        model = cls.from_config(saved["config"])
        model.build(model.input_axes)
        try:
            model.load_weights(folder / "model.weights.h5")
        except (ValueError, OSError, KeyError) as error:
            reason = str(error).splitlines()[0]
            raise ValueError(f"{folder}/model.weights.h5 does not fit its config.json: {reason}") from error
        return model

    def save_to_preset(self, folder: Path) -> None:
        """Writes config.json and model.weights.h5, without the optimizer's state, into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        config = {"class_name": type(self).__name__, "config": self._config}
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
        weights_alone = type(self).from_config(self._config)
        weights_alone.build(self.input_axes)
        weights_alone.set_weights(self.get_weights())
        weights_alone.save_weights(folder / "model.weights.h5")


def is_preset(folder: Path) -> bool:
    """Whether a folder holds config.json and model.weights.h5."""
    return (folder / "config.json").exists() and (folder / "model.weights.h5").exists()


def find_preset(name_or_folder: str | Path) -> Path | None:
    """The folder of a preset, given it or the name of a shipped one; None if there is none."""
    return next((folder for folder in (Path(name_or_folder), PRESETS / name_or_folder) if is_preset(folder)), None)
