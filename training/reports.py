"""What the reports of both tasks share: where they go, rounded values, Markdown tables, the look of the plots."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from skelgnn_tf.atomic_write import atomic_write

#: Cell of a table without a value.
MISSING = "-"
MODEL_COLOR, GRID_COLOR, LINE_COLOR = "#1F6FB2", "#E4E7EC", "#3A3F4B"


def report_folder(path: Path | str) -> Path:
    """The default report folder of a model: report/ in a run folder, next to a `.keras` file, or in runs/<preset>."""
    path = Path(path)
    if path.is_dir():
        return path / "report"
    return path.parent / "report" if path.exists() else Path("runs") / str(path) / "report"


def write_text(path: Path, text: str) -> Path:
    """Writes a UTF-8 text file, completely or not at all; returns its path."""
    with atomic_write(path) as tmp:
        tmp.write_text(text, encoding="utf-8")
    return path


def hand_over(files: Sequence[Path], json_path: str | None, console: Console) -> None:
    """Copies or prints the JSON of a written report, and prints where the report is.

    Args:
        files: The files of the report, report.json first.
        json_path: Path of a copy of the JSON, its folder created if needed; "-" prints the JSON; None does neither.
        console: Where the report folder is printed.
    """
    text = files[0].read_text(encoding="utf-8")
    if json_path == "-":
        print(text, end="")
    elif json_path:
        write_text(Path(json_path), text)
    names = ", ".join(file.name for file in files)
    console.print(f"report: {files[0].parent}/ ({names})", highlight=False, soft_wrap=True)


#: Of report.json, which also names its task: pose lifting and action recognition have other scores.
FORMAT = 1


def rounded(value: Any, decimals: int = 3) -> Any:
    """The same nested dicts and lists with plain Python numbers, floats rounded to `decimals` places."""
    if isinstance(value, dict):
        return {str(key): rounded(inner, decimals) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(inner, decimals) for inner in value]
    if hasattr(value, "tolist"):
        return rounded(value.tolist(), decimals)
    return round(value, decimals) if isinstance(value, float) else value


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """The lines of a Markdown table, its first column aligned left and the others right."""
    ruler = ["---", *["---:"] * (len(header) - 1)]
    # Names that users chose may contain bars.
    cells = [[str(cell).replace("|", "\\|") for cell in row] for row in (header, ruler, *rows)]
    return ["| " + " | ".join(row) + " |" for row in cells]


def heading(scores: dict[str, Any], without: str) -> list[str]:
    """The strings and integers of a report as a Markdown list, except the key `without`."""
    values = {key: value for key, value in scores.items() if isinstance(value, (str, int)) and key != without}
    return [f"- {key.replace('_', ' ')}: {value}" for key, value in values.items()]


def pictures(names: Iterable[str]) -> list[str]:
    """The last section of a report in Markdown: its plots."""
    return ["", "## Plots", ""] + [f"![{Path(name).stem.replace('_', ' ')}]({name})" for name in names]
