"""The texts of the repository, as tests of the documentation read them."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tokenize
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def repository_files() -> list[Path]:
    """All files that git tracks or would track, relative to the root; without git, all outside hidden folders."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        found = (file.relative_to(ROOT) for file in ROOT.rglob("*") if file.is_file())
        return [file for file in found if not any(part.startswith(".") and part != ".ci" for part in file.parts)]
    return [Path(line) for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def read(file: Path | str) -> str:
    """Text of a file of the repository."""
    return (ROOT / file).read_text(encoding="utf-8")


def words_of(source: str) -> str:
    """Docstrings and comments of Python source."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = (ast.get_docstring(node) for node in ast.walk(ast.parse(source)) if isinstance(node, documented))
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return "\n".join([*filter(None, docstrings), *(token.string for token in tokens if token.type == tokenize.COMMENT)])


def pages() -> list[Path]:
    """README and the pages of docs/."""
    return [
        Path("README.md"),
        *(file for file in repository_files() if file.parts[0] == "docs" and file.suffix == ".md"),
    ]


def code_of(text: str) -> list[str]:
    """Lines of code blocks, continuation lines joined, and inline code of a Markdown text."""
    blocks = re.findall(r"^ *```[^\n]*\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    outside = re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
    return [*lines, *(" ".join(code.split()) for code in re.findall(r"`([^`]+)`", outside))]
