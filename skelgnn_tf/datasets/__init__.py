"""Labeled motion: clips for pose lifting and sequences for action recognition, by the names of the catalog."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skelgnn_tf.datasets.catalog import CATALOG, DataSet, tasks_of
    from skelgnn_tf.datasets.clip import Clip, ClipSet
    from skelgnn_tf.datasets.labels import read_labels
    from skelgnn_tf.datasets.load import load_clips, load_sequences
    from skelgnn_tf.datasets.sequences import Sequences, SequenceSet, SequenceWriter

#: Modules by the names that they define. They are imported on first use, since the catalog is needed for every --help.
_MODULES = {
    "CATALOG": "catalog",
    "DataSet": "catalog",
    "tasks_of": "catalog",
    "Clip": "clip",
    "ClipSet": "clip",
    "read_labels": "labels",
    "load_clips": "load",
    "load_sequences": "load",
    "SequenceSet": "sequences",
    "SequenceWriter": "sequences",
    "Sequences": "sequences",
}
__all__ = [
    "CATALOG",
    "Clip",
    "ClipSet",
    "DataSet",
    "SequenceSet",
    "SequenceWriter",
    "Sequences",
    "load_clips",
    "load_sequences",
    "read_labels",
    "tasks_of",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
