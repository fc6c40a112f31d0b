"""The result of an export as a table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from skelgnn_tf.export.verify import Verification


def show(folder: Path, files: dict[str, Any], results: dict[str, Verification | None], console: Console) -> None:
    """Prints a column for each new file.

    Args:
        folder: Of the export.
        files: Entries of its files in contract.json.
        results: Verifications of the new files, at least one file; None for a file that cannot be run here.
        console: Where to print.
    """
    verified = {name: result for name, result in results.items() if result is not None}
    if verified:
        console.print(_table(files, verified))
    for name in results.keys() - verified.keys():
        entry = files[name]
        about = f"{entry['bytes'] / 1e6:.3f} MB, {entry['quantization']}. NOT VERIFIED: {entry['not_verified']}"
        console.print(f"{folder / name}: {about}", highlight=False, soft_wrap=True)
    for name, result in verified.items():
        console.print(f"{folder / name}: compared with Keras on {result.clips}", highlight=False, soft_wrap=True)
        if "broken_bound" in files[name]:
            console.print(f"kept by --force although it {files[name]['broken_bound']}", highlight=False, soft_wrap=True)
        if "gpu" in files[name]:
            console.print(f"{folder / name}: {_on_gpu(files[name]['gpu'], result)}", highlight=False, soft_wrap=True)


def _table(files: dict[str, Any], results: dict[str, Verification]) -> Table:
    table, first = Table("", *results), next(iter(results.values()))
    poses = first.score.startswith("MPJPE")

    def row(name: str, text: Callable[[dict[str, Any], Verification], str]) -> None:
        table.add_row(name, *(text(files[file], result) for file, result in results.items()))

    row("quantization", lambda entry, r: entry["quantization"])
    row("size (zipped)", lambda entry, r: f"{r.bytes / 1e6:.3f} MB ({r.zipped_bytes / 1e6:.3f})")
    row("difference from Keras: largest (mean)", lambda entry, r: _difference(r))
    row(first.score, lambda entry, r: f"{r.keras:.2f} -> {r.file:.2f}")
    row("loss", lambda entry, r: f"{r.lost:+.2f} mm ({r.lost / r.keras:+.2%})" if poses else f"{r.lost:+.2f} points")
    for threads in first.latency_ms:
        cells = (f"{result.latency_ms[threads]:.3f}" for result in results.values())
        table.add_row(f"ms per window, {threads} thread(s)", *cells)
    if "model.tflite" in results:
        row("XNNPACK partitions", lambda entry, r: str(entry.get("xnnpack_partitions", "")))
        row("time by operator", lambda entry, r: _shares(entry.get("time_by_op", [])))
    return table


def _difference(result: Verification) -> str:
    largest, mean = result.largest_difference, result.mean_difference
    if result.score.startswith("MPJPE"):
        return f"{largest * 1e3:.3g} mm ({mean * 1e3:.3g})"
    return f"{largest:.2g} ({mean:.2g})"


def _shares(operators: list[dict[str, Any]]) -> str:
    return ", ".join(f"{operator['name']} {operator['share']:.0%}" for operator in operators[:6])


def _on_gpu(found: dict[str, Any], result: Verification) -> str:
    """What LiteRT's GPU path gave, as a sentence."""
    if "reason" in found:
        return f"LiteRT does not run it on this machine's GPU ({found['reason']})"
    unit, scale = (" mm", 1e3) if result.score.startswith("MPJPE") else (" of a probability", 1)
    largest = "NaN" if found["largest_difference"] is None else f"{found['largest_difference'] * scale:.2g}{unit}"
    limit = f"limit: {found['bound'] * scale:g}{unit}"
    if found["agrees"]:
        return f"LiteRT on this machine's GPU differs from the CPU by at most {largest} ({limit})"
    return (
        f"WARNING: wrong on this machine's GPU, where LiteRT differs from the CPU by {largest} ({limit}); run it on "
        "the CPU, or export it with another --quantize"
    )
