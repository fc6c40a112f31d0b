"""Skeletal graph neural networks for Keras: pose lifting and action recognition, from training to the phone.

Everything here is imported when it is first used, so that `import skelgnn_tf` is instant.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skelgnn_tf import datasets, geometry, inference, layers, metrics, models, motion, skeletons
    from skelgnn_tf.checkpoints import load
    from skelgnn_tf.configs import ActionConfig, LiftConfig
    from skelgnn_tf.inference.live import LiveSession
    from skelgnn_tf.inference.pipeline import predict
    from skelgnn_tf.inference.runner import Runner
    from skelgnn_tf.keypoints import KeypointSequence, read_keypoints

__version__ = "0.1.0"

#: {public name: module that defines it}; modules of the package define themselves.
_PUBLIC = {
    "load": "checkpoints",
    "predict": "inference.pipeline",
    "read_keypoints": "keypoints",
    "KeypointSequence": "keypoints",
    "LiveSession": "inference.live",
    "Runner": "inference.runner",
    "LiftConfig": "configs",
    "ActionConfig": "configs",
}
_MODULES = ("datasets", "geometry", "inference", "layers", "metrics", "models", "motion", "skeletons")

__all__ = [
    "ActionConfig",
    "KeypointSequence",
    "LiftConfig",
    "LiveSession",
    "Runner",
    "datasets",
    "geometry",
    "inference",
    "layers",
    "load",
    "metrics",
    "models",
    "motion",
    "predict",
    "read_keypoints",
    "skeletons",
]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(f"skelgnn_tf.{_PUBLIC[name]}"), name)
    if name in _MODULES:
        return importlib.import_module(f"skelgnn_tf.{name}")
    raise AttributeError(f"module 'skelgnn_tf' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def _register() -> None:
    from skelgnn_tf.keras_objects import register_with_keras

    register_with_keras()


_register()
