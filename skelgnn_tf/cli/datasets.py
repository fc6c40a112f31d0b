"""skelgnn-tf datasets"""

from __future__ import annotations

import rich_click as click

from skelgnn_tf.cli.errors import one_line_errors
from skelgnn_tf.cli.options import wide_console


@click.command()
@one_line_errors
def datasets() -> None:
    """List the data sets, their files and their sources."""
    from rich.table import Table

    from skelgnn_tf.configs import CONFIGS
    from skelgnn_tf.datasets.catalog import CATALOG

    table = Table("--dataset", "for", "what", "files in --data-dir", "source", show_lines=True)
    for name, entry in CATALOG.items():
        tasks = ", ".join(CONFIGS[task].task_name for task in entry.tasks)
        table.add_row(name, tasks, entry.about, entry.files or "none", entry.source)
    wide_console().print(table)
