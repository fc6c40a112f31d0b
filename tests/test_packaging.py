"""The wheel holds what the tree holds, the pins keep the bounds, and the README's commands exist."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from email import message_from_string
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = {"skelgnn_tf": "skelgnn_tf", "training": "skelgnn_tf/training", "export": "skelgnn_tf/export"}
PYTHONS = ("3.10", "3.11", "3.12", "3.13")


def shipped_files(tree: Path) -> set[str]:
    """Paths inside the wheel of all that lies in the shipped folders."""
    return {
        f"{installed}/{file.relative_to(tree / folder).as_posix()}"
        for folder, installed in FOLDERS.items()
        for file in (tree / folder).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """A copy of what the wheel is built from, with one preset more, so that the build leaves nothing in the tree."""
    copy = tmp_path_factory.mktemp("tree")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, copy)
    preset = copy / "skelgnn_tf" / "presets" / "one_more"
    preset.mkdir(parents=True)
    for file in ("config.json", "model.weights.h5", "metadata.json"):
        (preset / file).write_bytes(b"{}")
    return copy


@pytest.fixture(scope="module")
def wheel(tree) -> zipfile.ZipFile:
    """The wheel of `tree`, built with the setuptools at hand: no download."""
    command = ["-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index", "-w", "dist", "."]
    built = subprocess.run([sys.executable, *command], cwd=tree, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    (file,) = (tree / "dist").glob("*.whl")
    return zipfile.ZipFile(file)


@pytest.fixture(scope="module")
def about(wheel):
    """The wheel's METADATA."""
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return message_from_string(wheel.read(name).decode())


@pytest.fixture(scope="module")
def requirements(about) -> list[Requirement]:
    """All that the wheel asks for, extras included, as (requirement with its marker)."""
    return [Requirement(line) for line in about.get_all("Requires-Dist")]


def pins() -> list[Requirement]:
    """The lines of constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def pins_for(python: str) -> dict[str, str]:
    """{package: version} that constraints.txt pins under that Python."""
    found: dict[str, str] = {}
    for pin in pins():
        if pin.marker is None or pin.marker.evaluate({"python_version": python}):
            name = canonicalize_name(pin.name)
            assert name not in found, f"constraints.txt pins {name} twice for Python {python}"
            (specifier,) = pin.specifier
            assert specifier.operator == "==", f"{pin} is no exact pin"
            found[name] = specifier.version
    return found


def test_the_wheel_holds_every_file_of_the_shipped_folders_and_no_other(tree, wheel):
    in_wheel = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert in_wheel == shipped_files(tree)
    assert "skelgnn_tf/presets/one_more/model.weights.h5" in in_wheel
    assert {"skelgnn_tf/training/__init__.py", "skelgnn_tf/export/__init__.py"} <= in_wheel


def test_an_unpacked_wheel_finds_its_training_and_export(wheel, tmp_path):
    wheel.extractall(tmp_path)
    program = (
        "import importlib.util as u, sys\n"
        "for name in ('training', 'export'): print(u.find_spec(f'skelgnn_tf.{name}').origin)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [Path(line).parent.relative_to(tmp_path).as_posix() for line in ran.stdout.split()] == [
        "skelgnn_tf/training",
        "skelgnn_tf/export",
    ]


def test_the_wheel_says_its_licence_its_pythons_and_its_command(wheel, about):
    assert about["License-Expression"] == "Apache-2.0"
    allowed = SpecifierSet(about["Requires-Python"])
    assert [v for v in ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14") if v in allowed] == list(PYTHONS)
    (entry_points,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "skelgnn-tf = skelgnn_tf.cli.main:main" in wheel.read(entry_points).decode()


@pytest.mark.parametrize("python", PYTHONS)
def test_the_pins_keep_the_bounds_of_setup_py(python, requirements):
    pinned = pins_for(python)
    for requirement in requirements:
        name = canonicalize_name(requirement.name)
        assert name in pinned, f"constraints.txt lacks {name}"
        assert pinned[name] in requirement.specifier, f"{name}=={pinned[name]} breaks {requirement}"


def test_every_bound_names_a_lowest_version(requirements):
    assert [str(r) for r in requirements if not any(s.operator == ">=" for s in r.specifier)] == []


def test_the_pins_cover_all_that_an_installation_brings(requirements):
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    pinned = pins_for(python)
    if metadata.version("tensorflow") != pinned["tensorflow"]:
        pytest.skip(f"this environment holds tensorflow {metadata.version('tensorflow')}, not CI's")
    todo = [canonicalize_name(r.name) for r in requirements if not r.marker or r.marker.evaluate({"extra": "dev"})]
    seen: set[str] = set()
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            needs = (Requirement(line) for line in metadata.requires(name) or ())
            todo += [canonicalize_name(r.name) for r in needs if not r.marker or r.marker.evaluate({"extra": ""})]
    assert seen - pinned.keys() == set()


def make_targets() -> set[str]:
    """Targets of the Makefile."""
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def test_the_readme_is_finished():
    assert "@@" not in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_make_commands_of_the_readme_exist():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\bmake ([a-z-]+)\b", "\n".join(re.findall(r"```.*?```|`[^`\n]+`", readme, re.DOTALL))))
    assert {"quickstart", "test"} <= named
    assert named <= make_targets()


def test_every_option_that_quickstart_uses_is_in_the_commands_help(tmp_path):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = makefile.replace("$(BIN)/", "").splitlines()
    commands = [shlex.split(line) for line in lines if line.startswith("\tskelgnn-tf ")]
    assert {command[1] for command in commands} >= {"train", "evaluate", "export", "draw"}
    program = "import sys; from skelgnn_tf.cli.main import main; main()"
    for _, command, *arguments in commands:
        ran = subprocess.run(
            [sys.executable, "-c", program, command, "--help"], cwd=tmp_path, capture_output=True, text=True
        )
        assert ran.returncode == 0, ran.stderr
        for option in (argument for argument in arguments if argument.startswith("--")):
            assert re.search(rf"(?<![\w-]){option}(?![\w-])", ran.stdout), f"{command} has no {option}"
