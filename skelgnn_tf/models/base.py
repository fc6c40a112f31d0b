"""SkeletonModel: what the models share."""

from __future__ import annotations

from typing import Any

import keras

from skelgnn_tf.skeletons import Skeleton


class SkeletonModel(keras.Model):
    """A model that is made from plain values.

    Subclasses put their constructor's arguments, as plain values, into `_config`, and define `input_axes`.
    """

    _config: dict[str, Any]

    @property
    def input_axes(self) -> tuple[int | None, ...]:
        """Shape of the input, None for the batch."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:  # noqa: D102
        return super().get_config() | self._config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SkeletonModel:  # noqa: D102
        return cls(**config | {"skeleton": Skeleton.from_config(config["skeleton"])})
