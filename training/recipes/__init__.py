"""The paper's runs as TOML files for `skelgnn-tf train --config`, one for each row of its tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

#: How the first two lines of a recipe begin.
_ABOUT, _FIGURE = "# What: ", "# Paper: "


@dataclass(frozen=True)
class Recipe:
    """A run of the paper.

    Args:
        file: TOML file with its settings.
        about: What is trained.
        figure: Score in the paper.
    """

    file: Path
    about: str
    figure: str


def load_recipes(folder: Path = Path(__file__).parent) -> list[Recipe]:
    """All recipes in a folder, the ablations last.

    Raises:
        ValueError: A file does not begin with "# What: " and "# Paper: " lines.
    """
    files = sorted(folder.glob("*.toml"), key=lambda file: (file.stem.startswith("ablation"), file.stem))
    return [_read(file) for file in files]


def _read(file: Path) -> Recipe:
    about, figure = (*file.read_text(encoding="utf-8").splitlines(), "", "")[:2]
    if not (about.startswith(_ABOUT) and figure.startswith(_FIGURE)):
        raise ValueError(
            f"{file}: the first two lines must begin with {_ABOUT!r} and {_FIGURE!r}. Received: {about!r}, {figure!r}."
        )
    return Recipe(file, about.removeprefix(_ABOUT), figure.removeprefix(_FIGURE))
