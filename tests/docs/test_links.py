"""README and docs: short enough, and what they name exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.documents import ROOT, code_of, pages, read, repository_files, words_of

FILES = repository_files()
MARKDOWN = [file for file in FILES if file.suffix == ".md"]
#: What may name files of the repository. The changelog also names files that are gone; this test names made-up ones.
NAMING = [
    file
    for file in FILES
    if file.suffix in (".py", ".md", ".kt", ".kts", ".toml", ".yml", ".cff", ".ipynb")
    or file.name in ("Makefile", "run", "constraints.txt")
    if file not in (Path("CHANGELOG.md"), Path("tests/docs/test_links.py"))
]
#: Folders that a text may leave out at the front of a path.
PARENTS = ("", "skelgnn_tf", "android_demo")
FOLDERS = {file.parts[0] for file in FILES if len(file.parts) > 1} | {
    file.parts[1] for file in FILES if len(file.parts) > 2 and file.parts[0] in PARENTS
}
SUFFIXES = "py|md|toml|json|png|jpg|ipynb|kt|kts|cff|yml|txt|html|h5|keras"
#: Markdown files that are not of this repository, by what a text means with them.
FOREIGN = {
    "DATASETS.md": "VideoPose3D's instructions",
    "report.md": "written by skelgnn-tf evaluate",
}


def named_files(text: str) -> set[str]:
    """Paths that begin with a folder of the repository, and bare names of Markdown files."""
    path = rf"(?<![\w./*~$@{{}}-])((?:{'|'.join(map(re.escape, FOLDERS))})/[\w./*-]*?\.(?:{SUFFIXES}))(?![\w/-])"
    return set(re.findall(path, text)) | set(re.findall(r"(?<![\w./*<>-])(\w+\.md)\b", text))


def exists(name: str) -> bool:
    """Whether a path, perhaps with wildcards, names a file here, from the root or from one of `PARENTS`."""
    if "/" not in name:
        return name in FOREIGN or any(file.name == name for file in FILES)
    return any(any(True for _ in (ROOT / parent).glob(name)) for parent in PARENTS)


def test_the_readme_is_short():
    assert len(read("README.md").splitlines()) <= 160


@pytest.mark.parametrize("page", MARKDOWN, ids=str)
def test_every_relative_link_points_to_a_file(page):
    text = re.sub(r"^ *```.*?^ *```", "", read(page), flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"`[^`\n]+`", "", text)
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    relative = [target.partition("#")[0] for target in targets if not re.match(r"[a-z]+:|#", target)]
    assert [target for target in relative if not (ROOT / page.parent / target).exists()] == []


def test_links_are_found_at_all():
    assert len(re.findall(r"\]\(docs/", read("README.md"))) > 5


@pytest.mark.parametrize("file", NAMING, ids=str)
def test_every_file_that_a_text_names_exists(file):
    # A test may build paths that are nowhere; what it says must be there all the same.
    text = words_of(read(file)) if file.parts[0] == "tests" and file.suffix == ".py" else read(file)
    missing = sorted(name for name in named_files(text) if not exists(name))
    assert missing == [], f"{file} names files that are not here"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("as PAPER.md has it", ["PAPER.md"]),
        ("see docs/methods.md.", ["docs/methods.md"]),
        ("(benchmarks/compare_lifters.py)", ["benchmarks/compare_lifters.py"]),
        ("only datasets/pickle.py may", ["datasets/pickle.py"]),
        ("training/recipies/*.toml", ["training/recipies/*.toml"]),
        ("docs/method.md, README.md, layers/hcsf.py and tests/*/test_links.py", []),
        ("pyskl/datasets/pose_dataset.py and https://example.org/docs/page.md", []),
    ],
)
def test_a_name_without_a_file_is_noticed(text, found):
    assert [name for name in sorted(named_files(text)) if not exists(name)] == found


def test_every_make_target_that_the_pages_name_exists():
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    named = {
        target
        for page in [*pages(), Path("CONTRIBUTING.md"), Path("CHANGELOG.md")]
        for code in code_of(read(page))
        for target in re.findall(r"^make ([a-z-]+)", code)
    }
    assert {"quickstart", "test", "docs"} <= named
    assert named - targets == set()
