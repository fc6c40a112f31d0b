"""The Android demo: its Kotlin core against what Python computes, and its app against stubs of the API that it calls.

Compiled with the npm package kotlin-compiler and run with JUnit on a JVM; `make android-test` fetches both.
"""

import importlib.util
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

DEMO = Path(__file__).resolve().parents[1] / "android_demo"


def module(name: str):
    """A script of android_demo as a module."""
    spec = importlib.util.spec_from_file_location(f"android_demo_{name}", DEMO / f"{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up.
    sys.modules[spec.name] = loaded
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture(scope="module")
def tools():
    try:
        return module("tools").find()
    except FileNotFoundError as missing:
        pytest.skip(f"the Kotlin tests are not run: {missing}")


@pytest.fixture(scope="module")
def strings(tmp_path_factory) -> Path:
    """R.kt with the string resources, as the Android build makes it."""
    root = ElementTree.parse(DEMO / "app/src/main/res/values/strings.xml").getroot()
    names = "\n".join(f"        const val {item.attrib['name']} = {i}" for i, item in enumerate(root))
    file = tmp_path_factory.mktemp("r") / "R.kt"
    file.write_text(f"package org.skelgnn.demo\n\nobject R {{\n    object string {{\n{names}\n    }}\n}}\n")
    return file


@pytest.fixture(scope="module")
def compiled(tools, strings, tmp_path_factory) -> Path:
    """Core, its tests, the app and the stubs, compiled in one go: starting the compiler costs most."""
    classes = tmp_path_factory.mktemp("classes")
    sources = [file for part in ("core/src", "app/src", "typecheck") for file in sorted((DEMO / part).rglob("*.kt"))]
    done = tools.compile([*sources, strings], classes)
    assert done.returncode == 0, done.stderr
    return classes


@pytest.fixture(scope="module")
def reports(tools, compiled, tmp_path_factory) -> ElementTree.Element:
    """JUnit's report of the core's tests."""
    golden, folder = tmp_path_factory.mktemp("golden"), tmp_path_factory.mktemp("reports")
    module("golden").write(golden)
    done = tools.test(compiled, golden, folder)
    report = folder / "TEST-junit-jupiter.xml"
    assert report.is_file(), done.stdout[-3000:] + done.stderr
    return ElementTree.parse(report).getroot()


def test_the_kotlin_core_gives_what_python_gives(reports):
    wrong = [
        f"{case.attrib['classname']} {case.attrib['name']}: {problem.attrib.get('message', '')[:300]}"
        for case in reports.iter("testcase")
        for problem in (*case.iter("failure"), *case.iter("error"), *case.iter("skipped"))
    ]
    assert not wrong, "\n".join(wrong)
    ran = {case.attrib["classname"].rpartition(".")[2] for case in reports.iter("testcase")}
    assert ran == {file.stem for file in DEMO.rglob("core/src/test/**/*Test.kt")}


def test_the_app_fits_the_api_that_it_calls(compiled):
    made = {file.stem for file in (compiled / "org/skelgnn/demo").rglob("*.class")}
    assert {"MainActivity", "DemoViewModel", "LiteRtRunner", "PoseDetector", "CameraSource"} <= made


def test_core_needs_nothing_but_kotlin_and_java():
    for file in (DEMO / "core/src/main").rglob("*.kt"):
        imports = re.findall(r"^import ([\w.]+)", file.read_text(), re.M)
        assert all(name.startswith(("kotlin.", "java.", "org.skelgnn.core.")) for name in imports), (file.name, imports)


def test_every_stub_names_its_documentation():
    for file in (DEMO / "typecheck").rglob("*.kt"):
        comment = file.read_text().partition("package ")[0]
        assert re.search(r"https://\S+", comment), f"{file.name} does not say what it was written from"


def test_sources_are_short():
    for file in DEMO.rglob("src/**/*.kt"):
        assert len(file.read_text().splitlines()) < 200, file.name
        assert max(map(len, file.read_text().splitlines())) <= 120, file.name


def test_gradle_scripts_name_what_the_version_catalog_has():
    tomllib = pytest.importorskip("tomllib", reason="TOML comes with Python 3.11")
    catalog = tomllib.loads((DEMO / "gradle/libs.versions.toml").read_text())
    known = {key.replace("-", ".") for key in catalog["libraries"]}
    known |= {"plugins." + key.replace("-", ".") for key in catalog["plugins"]}
    scripts = "\n".join(file.read_text() for file in DEMO.glob("*/build.gradle.kts"))
    scripts += (DEMO / "build.gradle.kts").read_text()
    assert {name for name in re.findall(r"\(libs\.([\w.]+)\)", scripts)} == known
    entries = (*catalog["libraries"].values(), *catalog["plugins"].values())
    assert {entry["version"]["ref"] for entry in entries if "version" in entry} == set(catalog["versions"])


def test_resources_that_the_manifest_names_exist():
    resources = DEMO / "app/src/main/res"
    values = [item for file in resources.glob("values/*.xml") for item in ElementTree.parse(file).getroot()]
    defined = {f"{item.tag}/{item.attrib['name']}" for item in values}
    defined |= {f"drawable/{ElementTree.parse(file) and file.stem}" for file in resources.glob("drawable/*.xml")}
    manifest = ElementTree.parse(DEMO / "app/src/main/AndroidManifest.xml").getroot()
    named = {value for item in manifest.iter() for value in item.attrib.values() if value.startswith("@")}
    assert {name.removeprefix("@") for name in named} <= defined
