import importlib
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def load():
    """Imports a script or helper of benchmarks/ by its name, from whichever folder it is in."""
    with pytest.MonkeyPatch.context() as patch:
        for folder in (BENCHMARKS, BENCHMARKS / "accuracy", BENCHMARKS / "speed"):
            patch.syspath_prepend(folder)
        yield importlib.import_module
