"""skelgnn-tf benchmark"""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from skelgnn_tf.cli.errors import one_line_errors
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
@one_line_errors
def benchmark(files: tuple[Path, ...], threads: tuple[int, ...], runs: int) -> None:
    """Measure latency, memory and size of FILES, next to each other.

    FILES are exported files (.tflite, .onnx), run folders, .keras files or presets.
    """
    from skelgnn_tf.export.benchmark import benchmark as measure

    measure(files, wide_console(), threads, runs)
