import os
from pathlib import Path

# Before the first `import keras`, which reads them once.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parents[1]

# A loaded machine is no failure: no example has a deadline.
hypothesis.settings.register_profile("skelgnn", deadline=None, print_blob=True)
hypothesis.settings.load_profile("skelgnn")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real motion beside the repository; skips the test where there is none."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real motion is not here: no folder {folder}")
    return folder


@pytest.fixture
def without_tracing():
    """Runs training steps eagerly: tracing one takes seconds, and the tests that ask for this take a few only."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Parsed data sets of tests do not go into the user's cache."""
    os.environ["SKELGNN_TF_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder
