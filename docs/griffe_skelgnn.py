"""Helps mkdocstrings: adds `training` and `export` to the package, and reads our docstrings' own sections."""

from __future__ import annotations

import re
from typing import Any

import griffe

#: Folders of the repository that setup.py installs inside skelgnn_tf.
_EDGES = ("training", "export")
#: Sections that Google's style does not have; their text begins on the line of the title or below it.
_OWN_SECTION = re.compile(r"^(Call|Source):((?:[ ]+\S.*)?(?:\n[ ]{4,}\S.*)*)", re.MULTILINE)
#: Several arguments with one description.
_SHARED_ENTRY = re.compile(r"^ {4}(\w+(?:, \w+)+):(.*(?:\n {5,}\S.*)*)", re.MULTILINE)


class SkelgnnExtension(griffe.Extension):
    """What the source tree and the docstrings look like before griffe parses them."""

    def on_package(self, *, pkg: griffe.Module, loader: griffe.GriffeLoader, **kwargs: Any) -> None:
        """Attaches training/ and export/ where an installation has them."""
        if pkg.name == "skelgnn_tf":
            for name in _EDGES:
                pkg.set_member(name, loader.load(name, submodules=True))

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Turns our sections into those that griffe knows."""
        if obj.docstring is None:
            return
        text = re.sub(r"^Example:$", "Examples:", obj.docstring.value, flags=re.MULTILINE)
        text = _OWN_SECTION.sub(_paragraph, text)
        text = _SHARED_ENTRY.sub(_one_entry_each, text)
        if obj.is_class and any(str(base).endswith("NamedTuple") for base in obj.bases):
            text = re.sub(r"^Args:$", "Attributes:", text, flags=re.MULTILINE)
        obj.docstring.value = text


def _paragraph(section: re.Match[str]) -> str:
    return f"**{section[1]}:** {' '.join(section[2].split())}"


def _one_entry_each(entry: re.Match[str]) -> str:
    return "\n".join(f"    {name}:{entry[2]}" for name in entry[1].split(", "))
