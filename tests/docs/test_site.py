"""The documentation builds without a broken link or reference, and the API pages hold what docstrings say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.documents import ROOT, read


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The built pages."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


def test_every_page_is_built(site):
    for page in (ROOT / "docs").rglob("*.md"):
        name = page.relative_to(ROOT / "docs").with_suffix("")
        built = site / (name.parent if name.name == "index" else name) / "index.html"
        assert built.exists(), f"{page} is not built"


def test_the_api_has_a_page_for_every_public_package(site):
    packages = {folder.name for folder in (ROOT / "skelgnn_tf").iterdir() if (folder / "__init__.py").exists()}
    private = {"cli", "presets"}
    wanted = (packages - private) | {"training", "export", "checkpoints", "geometry", "metrics"}
    assert {page.stem for page in (ROOT / "docs" / "api").glob("*.md")} >= wanted
    for name in wanted:
        assert f'id="skelgnn_tf.{name}' in (site / "api" / name / "index.html").read_text(encoding="utf-8"), name


def test_our_own_docstring_sections_are_shown(site):
    page = (site / "api" / "layers" / "index.html").read_text(encoding="utf-8")
    assert "<strong>Call:</strong> (batch, frames, joints" in page
    assert "<strong>Source:</strong> Zeng et al." in page
    assert "&gt;&gt;&gt; " in page or "gp" in page
    assert "<blockquote>" not in page


def test_training_and_export_are_shown_as_they_are_installed(site):
    assert 'id="skelgnn_tf.training.fit.train"' in (site / "api/training/index.html").read_text(encoding="utf-8")
    assert 'id="skelgnn_tf.export.export.export"' in (site / "api/export/index.html").read_text(encoding="utf-8")


def test_the_changelog_is_a_page(site):
    assert "predict --hop N" in (site / "changelog" / "index.html").read_text(encoding="utf-8")
    assert read("docs/changelog.md").strip() == '--8<-- "CHANGELOG.md"'
