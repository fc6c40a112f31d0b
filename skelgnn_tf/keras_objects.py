"""Makes Keras know our classes, so that `keras.saving.load_model` opens our files after `import skelgnn_tf`.

The classes are imported as soon as Keras is, so that `import skelgnn_tf` itself stays instant. (wrapt has such import
hooks too, but importing wrapt takes longer than everything else that `import skelgnn_tf` does.)
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

#: Modules that register classes and functions with Keras.
_MODULES = ("skelgnn_tf.layers", "skelgnn_tf.models", "skelgnn_tf.metrics")


def register_with_keras() -> None:
    """Imports those modules now if Keras is imported already, else right after Keras."""
    if sys.modules.get("keras") is not None:
        _import_modules()
    else:
        sys.meta_path.insert(0, _KerasFinder())


def _import_modules() -> None:
    for name in _MODULES:
        importlib.import_module(name)


class _KerasFinder:
    """Finds Keras as Python would, and imports our modules once it is executed."""

    def __init__(self) -> None:
        self._is_looking = False

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != "keras" or self._is_looking:
            return None
        self._is_looking = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._is_looking = False
        if spec is not None and spec.loader is not None:
            execute: Any = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                # Some only ask whether Keras is there, so the finder stays until Keras is imported.
                if self in sys.meta_path:
                    sys.meta_path.remove(self)
                _import_modules()

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
