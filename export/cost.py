"""What a model costs and how accurate it is, as a table and for JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skelgnn_tf import __version__
from skelgnn_tf.export.model_file import sha256
from skelgnn_tf.inference.runner import CONTRACT, OLD_CONTRACT

if TYPE_CHECKING:
    from rich.console import Console

#: Of the JSON of `benchmark --json`.
FORMAT = 1
FRAME_MS = 1e3 / 30


@dataclass
class Cost:
    """What one model costs with a number of threads.

    Args:
        file: The model, as it was given.
        threads: Number of CPU threads; 0 on a GPU.
        runtime: What runs it, and its quantization: "LiteRT, dynamic".
        bytes: Size of the file; for a Keras model, of its weights.
        runtime_bytes: Memory of a process that has imported the runtime and not yet loaded the file. 0 if unknown.
        peak_bytes: Peak memory of the process. 0 if unknown.
        load_seconds: From the file's path to a model that can be run; the runtime was imported before.
        first_seconds: Of the first run.
        seconds: Of each later run of one window that was measured.
        gpu_difference: Largest difference of an output on the GPU from that on the CPU; None on the CPU.
    """

    file: Path
    threads: int
    runtime: str
    bytes: int
    runtime_bytes: int
    peak_bytes: int = 0
    load_seconds: float = 0.0
    first_seconds: float = 0.0
    seconds: list[float] = field(default_factory=list)
    gpu_difference: float | None = None

    def quantile_ms(self, q: float) -> float:
        """Milliseconds in which a share `q` of the runs was done."""
        return float(np.quantile(self.seconds, q)) * 1e3

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; None for what is unknown, and for a `gpu_difference` that is NaN."""
        return {
            "file": str(self.file),
            "runtime": self.runtime,
            "accelerator": "cpu" if self.threads else "gpu",
            "threads": self.threads or None,
            "bytes": self.bytes,
            "load_ms": self.load_seconds * 1e3,
            "first_run_ms": self.first_seconds * 1e3,
            "median_ms": self.quantile_ms(0.5),
            "p95_ms": self.quantile_ms(0.95),
            "runs": len(self.seconds),
            "runtime_memory_bytes": self.runtime_bytes or None,
            "peak_memory_bytes": self.peak_bytes or None,
            "accuracy": accuracy(self.file),
            # JSON has no NaN.
            "gpu_difference": self.gpu_difference if np.isfinite(self.gpu_difference or 0) else None,
        }


def accuracy(file: Path) -> dict[str, Any] | None:
    """How well an exported file does, as its export measured it and the contract next to it says.

    Returns:
        `score`, what was measured ("MPJPE mm", "top-1 %", "agreement %"), `keras` and `file`, the scores of the Keras
        model and of the file, `lost`, how much worse the file is, and `clips`, on what. None for other models, and for
        files without such a contract.
    """
    for name in (CONTRACT, OLD_CONTRACT):
        try:
            entry = json.loads((file.parent / name).read_text(encoding="utf-8"))["files"][file.name]
            if entry["sha256"] == sha256(file):
                return {key: entry["verification"][key] for key in ("score", "keras", "file", "lost", "clips")}
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None


def report(costs: Sequence[Cost]) -> dict[str, Any]:
    """What `benchmark --json` writes: the machine, and the cost and accuracy of each model."""
    return {
        "format": FORMAT,
        "skelgnn_tf": __version__,
        "system": platform.platform(),
        "processor": platform.machine(),
        "cpu_cores": os.cpu_count(),
        "models": [cost.to_dict() for cost in costs],
    }


def show(costs: Sequence[Cost], console: Console) -> None:
    """Prints the costs as a table, and what was measured."""
    # The processes that run the models import this module too, and draw nothing.
    from rich.table import Table

    table, on_gpu = Table("model", "runtime"), any(cost.gpu_difference is not None for cost in costs)
    names = ["size MB", "threads", "median ms", "p95 ms", "of a 30 fps frame", "memory MB", "load + first run ms"]
    for column in [*names, "score (loss)", *(["GPU - CPU"] if on_gpu else [])]:
        table.add_column(column, justify="right")
    for cost in costs:
        median = cost.quantile_ms(0.5)
        own = (cost.peak_bytes - cost.runtime_bytes) / 1e6
        table.add_row(
            str(cost.file), cost.runtime, f"{cost.bytes / 1e6:.3f}", str(cost.threads or ""), f"{median:.3f}",
            f"{cost.quantile_ms(0.95):.3f}", f"{median / FRAME_MS:.1%}",
            f"{cost.runtime_bytes / 1e6:.0f} + {own:.1f}" if cost.peak_bytes else "unknown",
            f"{cost.load_seconds * 1e3:.0f} + {cost.first_seconds * 1e3:.1f}", _score(accuracy(cost.file)),
            *([f"{cost.gpu_difference:.2g}"] if on_gpu else []),
        )  # fmt: skip
    console.print(table)
    console.print(_ON_GPU if on_gpu else _ON_CPU, highlight=False)


def _score(found: dict[str, Any] | None) -> str:
    return "unknown" if found is None else f"{found['file']:.2f} {found['score']} ({found['lost']:+.2f})"


_MEMORY = "Memory: the process with the runtime imported, + the peak that loading and running the model adds."
_LOAD = "Load: from the path to a model that can be run."
_SCORE = (
    f"Score: of the file on its export's test clips, and how much worse than Keras; from the {CONTRACT} next to it. "
    "unknown: there is none for this file."
)
_ON_CPU = (
    "One window, batch size 1, on the CPU; the models took turns. LiteRT and onnxruntime: from pixels to the result. "
    "Keras: only the model, as a traced graph, the fastest form in TensorFlow; predict calls it untraced, on many "
    f"windows at once. {_MEMORY} {_LOAD} {_SCORE}"
)
_ON_GPU = (
    "One window, batch size 1, from pixels to the result, with the copies to and from the GPU; the models took turns. "
    f"{_MEMORY} {_LOAD} {_SCORE} The score was measured on the CPU, and holds "
    "on the GPU only if GPU - CPU is small: the largest difference between their outputs for the window, in meters or "
    "of a probability."
)
