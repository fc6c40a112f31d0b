"""skelgnn-tf draw"""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from skelgnn_tf.cli.errors import check_writable, one_line_errors
from skelgnn_tf.cli.options import PATH, import_quietly, last_run


@click.command()
@click.argument("model", required=False, type=PATH)
@click.option("--dataset", multiple=True, help="Data set to draw from, instead of the one of the training.")
@click.option("--data-dir", multiple=True, help="Folder with the files of the data set.")
@click.option("--clip", default=0, show_default=True, help="Number of the test clip.")
@click.option("--output", type=PATH, help="PNG file.  [default: report/lifted.png of the run]")
@one_line_errors
def draw(
    model: Path | None, dataset: tuple[str, ...], data_dir: tuple[str, ...], clip: int, output: Path | None
) -> None:
    """Draw a test clip and the poses that MODEL (default: runs/last) lifts it to."""
    check_writable("--output", output, is_folder=False)
    import_quietly()
    from skelgnn_tf.training.lift.evaluate import draw_clip

    click.echo(f"picture: {draw_clip(model or last_run(), dataset, data_dir, clip, output)}")
