"""skelgnn-tf detector"""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from skelgnn_tf.cli.errors import check_writable, one_line_errors
from skelgnn_tf.cli.options import PATH


@click.group()
def detector() -> None:
    """Manage the model files that detect people in videos."""


@detector.command()
@click.option("--size", type=click.Choice(["lite", "full", "heavy"]), default="full", show_default=True)
@click.option("--folder", type=PATH, help="Destination.  [default: the cache]")
@one_line_errors
def download(size: str, folder: Path | None) -> None:
    """Download the models of BlazePose (Apache-2.0) from Google, once. predict needs them for videos."""
    from rich.console import Console
    from rich.progress import Progress

    from skelgnn_tf.detection.downloads import download_models

    check_writable("--folder", folder)
    with Progress(transient=True, console=Console(stderr=True)) as progress:
        task = progress.add_task(f"BlazePose {size}", total=None)
        file = download_models(
            size, folder, on_progress=lambda done, total: progress.update(task, completed=done, total=total)
        )
    click.echo(f"model: {file}")
