"""skelgnn-tf benchmark"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import rich_click as click

from skelgnn_tf.atomic_write import atomic_write
from skelgnn_tf.cli.errors import check_writable, one_line_errors
from skelgnn_tf.cli.options import PATH, wide_console


@click.command()
@click.argument("files", nargs=-1, required=True, type=PATH)
@click.option(
    "--threads",
    multiple=True,
    type=click.IntRange(1),
    default=(1, 2),
    show_default=True,
    help="Number of CPU threads. Repeat to measure several.",
)
@click.option(
    "--runs", type=click.IntRange(1), default=100, show_default=True, help="Number of measured runs per file."
)
@click.option(
    "--accelerator",
    type=click.Choice(["cpu", "gpu"]),
    default="cpu",
    show_default=True,
    help="gpu: LiteRT's GPU path, for .tflite files; --threads then has no effect.",
)
@click.option("--json", "json_file", type=PATH, help="Write the result to this file, too.")
@one_line_errors
def benchmark(files: tuple[Path, ...], json_file: Path | None, **options: Any) -> None:
    """Measure latency, memory and size of FILES, next to each other, and show how accurate they are.

    FILES are exported files (.tflite, .onnx), run folders, .keras files or presets.
    """
    check_writable("--json", json_file, is_folder=False)
    from skelgnn_tf.export.benchmark import benchmark as measure
    from skelgnn_tf.export.cost import report

    console = wide_console()
    console.width = console.width if console.is_terminal else 200
    costs = measure(files, console, **options)
    if json_file is not None:
        with atomic_write(json_file) as tmp:
            tmp.write_text(json.dumps(report(costs), indent=1) + "\n", encoding="utf-8")
