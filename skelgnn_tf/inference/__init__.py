"""Runs trained models on keypoints: whole clips, live streams, exported files. Names are imported when used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skelgnn_tf.inference.exported import ExportedModel
    from skelgnn_tf.inference.live import LiveResult, LiveSession
    from skelgnn_tf.inference.pipeline import predict
    from skelgnn_tf.inference.result import Actions, Motion, Poses, Prediction, Segment
    from skelgnn_tf.inference.runner import Runner
    from skelgnn_tf.inference.windows import ActionStream, Decisions, lift, recognize

#: {public name: module that defines it}
_PUBLIC = {
    "ActionStream": "windows",
    "Actions": "result",
    "Decisions": "windows",
    "ExportedModel": "exported",
    "LiveResult": "live",
    "LiveSession": "live",
    "Motion": "result",
    "Poses": "result",
    "Prediction": "result",
    "Runner": "runner",
    "Segment": "result",
    "lift": "windows",
    "predict": "pipeline",
    "recognize": "windows",
}
__all__ = [
    "ActionStream",
    "Actions",
    "Decisions",
    "ExportedModel",
    "LiveResult",
    "LiveSession",
    "Motion",
    "Poses",
    "Prediction",
    "Runner",
    "Segment",
    "lift",
    "predict",
    "recognize",
]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(f"{__name__}.{_PUBLIC[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
