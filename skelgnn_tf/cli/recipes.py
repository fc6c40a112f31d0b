"""skelgnn-tf recipes"""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from skelgnn_tf.cli.errors import one_line_errors
from skelgnn_tf.cli.options import wide_console


@click.command()
@one_line_errors
def recipes() -> None:
    """List the paper's runs, ready for train --config."""
    from rich.table import Table

    from skelgnn_tf.training.recipes import load_recipes

    table = Table("train --config", "what", "figure in the paper", show_lines=True)
    for recipe in load_recipes():
        file = recipe.file
        shown = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
        table.add_row(str(shown), recipe.about, recipe.figure)
    wide_console().print(table)
