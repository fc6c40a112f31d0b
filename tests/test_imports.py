"""Who may import whom, read from the sources, and what is really loaded, seen from a fresh process."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# A part is a module or a folder directly under skelgnn_tf; "" is the package's own __init__. Each part names the parts
# that it may import; docs/architecture.md draws them.
FOUNDATIONS = {"atomic_write", "cache_dir", "quiet", "frame_sampling"}
POSES = {"skeletons", "geometry"}
MAY_IMPORT = {
    **{part: set() for part in FOUNDATIONS},
    "skeletons": set(),
    "graph": {"skeletons"},
    "geometry": {"skeletons"},
    "metrics": POSES,
    "layers": {"skeletons", "graph", "geometry"},
    "models": {"skeletons", "graph", "geometry", "layers"},
    "configs": {"skeletons"},
    "checkpoints": {"configs", "models", "metrics"},
    "keras_objects": set(),
    "keypoints": POSES,
    "augmentation": POSES,
    "motion": POSES,
    "video": set(),
    "detection": {*POSES, "video", "keypoints"},
    "datasets": {*POSES, "keypoints"},
    "inference": {*POSES, "configs", "checkpoints", "keypoints", "datasets", "motion", "detection"},
    "writers": {*POSES, "inference"},
    "rendering": {*POSES, "inference", "keypoints"},
    "": {"keras_objects"},
}
EDGES = {"training", "export"}
CORE = {*MAY_IMPORT} - {""}
MAY_IMPORT |= {edge: {*CORE, ""} for edge in EDGES} | {"cli": {*CORE, *EDGES, ""}}
for _part in {*MAY_IMPORT} - FOUNDATIONS:
    MAY_IMPORT[_part] = MAY_IMPORT[_part] | FOUNDATIONS
#: Writers and rendering show results, and know nothing of how they come about.
RESULTS = ("skelgnn_tf.inference.result", "skelgnn_tf.inference.windows")
#: The only module that may load what sets TF_USE_LEGACY_KERAS.
COMPRESSION = "skelgnn_tf.export.quantization"

OTHER_BACKENDS = {"tensorflow", "tf_keras", "tensorflow_model_optimization", "tf2onnx", "jax", "torch"}
PICKLES = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}


def sources() -> dict[str, Path]:
    """{module name as installed: its file} of everything that is shipped."""
    found = {}
    for folder, package in (
        ("skelgnn_tf", "skelgnn_tf"),
        ("training", "skelgnn_tf.training"),
        ("export", "skelgnn_tf.export"),
    ):
        for file in sorted((ROOT / folder).rglob("*.py")):
            inside = file.relative_to(ROOT / folder).with_suffix("").parts
            found[".".join((package, *inside)).removesuffix(".__init__")] = file
    return found


def imports(module: str, source: str, is_package: bool = False) -> list[tuple[int, str, bool]]:
    """(line, absolute dotted name, whether it runs at import) of every import, wherever it stands."""
    found = []

    def visit(node: ast.AST, at_import: bool) -> None:
        if isinstance(node, ast.Import):
            found.extend((node.lineno, alias.name, at_import) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = module.split(".") if is_package else module.split(".")[:-1]
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            found.extend((node.lineno, f"{stem}.{alias.name}", at_import) for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__"):
            if node.args and isinstance(node.args[0], ast.Constant):
                found.append((node.lineno, str(node.args[0].value), at_import))
        later = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            return
        for child in ast.iter_child_nodes(node):
            visit(child, at_import and not later)

    visit(ast.parse(source), True)
    return found


def part_of(dotted: str) -> str:
    """The part that a dotted name under skelgnn_tf belongs to; "" for the package's own __init__."""
    name = dotted.split(".")[1] if "." in dotted else ""
    return name if name in MAY_IMPORT else ""


def broken_rules(module: str, source: str, is_package: bool = False) -> list[str]:
    """One line for each import of a module that the architecture does not allow."""
    part, broken = part_of(module), []
    for line, name, at_import in imports(module, source, is_package):
        top = name.split(".")[0]
        if top == "skelgnn_tf":
            target = part_of(name)
            if target != part and target not in MAY_IMPORT.get(part, set()):
                broken.append(f"{module}:{line} imports {name}: {part or top} may not know {target or top}")
            elif part in ("writers", "rendering") and target == "inference" and not name.startswith(RESULTS):
                broken.append(f"{module}:{line} imports {name}: only results are written and rendered")
            elif part == "cli" and target in EDGES and at_import:
                broken.append(f"{module}:{line} imports {name} before a command asks for it")
        elif top in OTHER_BACKENDS and part not in EDGES:
            broken.append(f"{module}:{line} imports {name}: the core is numpy, scipy and keras.ops")
        elif top == "tensorflow_model_optimization" and module != "skelgnn_tf.export.quantization":
            broken.append(
                f"{module}:{line} imports {name}, which sets TF_USE_LEGACY_KERAS: only export/quantize.py may"
            )
        elif top in PICKLES and module != "skelgnn_tf.datasets.pickles":
            broken.append(f"{module}:{line} imports {name}: datasets/pickles.py is the only door for pickles")
    return broken


SOURCES = sources()


@pytest.mark.parametrize("module", SOURCES)
def test_a_module_imports_only_what_stands_below_it(module):
    file = SOURCES[module]
    assert broken_rules(module, file.read_text(encoding="utf-8"), file.name == "__init__.py") == []


def test_every_shipped_part_has_a_place_in_the_order():
    parts = {module.split(".")[1] for module in SOURCES if "." in module}
    assert parts <= MAY_IMPORT.keys(), "name the new part in docs/architecture.md and here"
    assert "utils" not in {file.stem for file in SOURCES.values()}


def test_no_module_lets_numpy_run_what_a_pickle_holds():
    for module, file in SOURCES.items():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                assert ast.unparse(node.value) == "False", f"{module}:{node.value.lineno} loads pickles with numpy"


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("skelgnn_tf.graph", "from skelgnn_tf.layers.hcsf import HCSF"),
        ("skelgnn_tf.graph", "from skelgnn_tf import layers"),
        ("skelgnn_tf.models.pose_lifter", "from ..configs import LiftConfig"),
        ("skelgnn_tf.models.pose_lifter", "def f():\n    from skelgnn_tf import checkpoints"),
        ("skelgnn_tf.datasets.ntu.loader", "from skelgnn_tf.models import pose_lifter"),
        ("skelgnn_tf.rendering.movie", "from skelgnn_tf.inference.pipeline import predict"),
        ("skelgnn_tf.inference.pipeline", "from skelgnn_tf.rendering import movie"),
        ("skelgnn_tf.training.fit", "from skelgnn_tf.export import tflite"),
        ("skelgnn_tf.export.formats.tflite", "import skelgnn_tf.training.fit"),
        ("skelgnn_tf.export.verify", "from ..training import evaluate"),
        ("skelgnn_tf.inference.windows", "import skelgnn_tf.export.contract"),
        ("skelgnn_tf.inference.windows", "class A:\n    def f(self):\n        import tensorflow.lite"),
        ("skelgnn_tf.layers.hcsf", "import importlib\nimportlib.import_module('tensorflow')"),
        ("skelgnn_tf.layers.hcsf", "import jax.numpy as jnp"),
        ("skelgnn_tf.cli.main", "import skelgnn_tf.training.fit"),
        ("skelgnn_tf.cli.main", "def train():\n    import tensorflow"),
        ("skelgnn_tf.export.formats.tflite", "import tensorflow_model_optimization as tfmot"),
        ("skelgnn_tf.datasets.h36m.loader", "import pickle"),
    ],
)
def test_the_walk_finds_what_the_design_forbids(module, source):
    assert len(broken_rules(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("skelgnn_tf.cli.main", "def train():\n    from skelgnn_tf.training import train"),
        (
            "skelgnn_tf.layers.hcsf",
            "from . import dynamic_graph\nfrom skelgnn_tf.graph import hop_groups\nimport keras",
        ),
        ("skelgnn_tf.training.fit", "import tensorflow as tf\nfrom skelgnn_tf import config, metrics"),
        ("skelgnn_tf.export.quantization", "import tensorflow_model_optimization as tfmot"),
        ("skelgnn_tf.datasets.pickles", "import pickle"),
    ],
)
def test_the_walk_lets_pass_what_the_design_allows(module, source):
    assert broken_rules(module, source) == []


def run_python(program: str, *arguments: str, **environment: str) -> str:
    """What a fresh Python prints, run in the repository; fails with its error output."""
    ran = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


WITHOUT_TENSORFLOW = """
import importlib, sys

for name in ("tensorflow", "tf_keras", "tensorflow_model_optimization", "tf2onnx"):
    sys.modules[name] = None  # Python then raises ModuleNotFoundError, as if it were not installed

for module in sys.argv[1:]:
    importlib.import_module(module)

import keras
import numpy as np
from skelgnn_tf.models.pose_lifter import PoseLifter
from skelgnn_tf.skeletons import H36M_17

assert keras.backend.backend() == "jax"
pose_m = np.asarray(PoseLifter(skeleton=H36M_17, frames=1, channels=16)(np.zeros((2, 1, 17, 2), "float32")))
assert pose_m.shape[0] == 2 and pose_m.shape[-2:] == (17, 3), pose_m.shape
assert np.isfinite(pose_m).all()
print("a pose without TensorFlow")
"""


def test_the_core_imports_and_lifts_with_tensorflow_blocked():
    core = [module for module in SOURCES if part_of(module) not in EDGES]
    printed = run_python(WITHOUT_TENSORFLOW, *core, KERAS_BACKEND="jax")
    assert "a pose without TensorFlow" in printed


HELP = """
import sys
from skelgnn_tf.cli.main import main

try:
    main()
except SystemExit as end:
    assert not end.code, end.code
loaded = {"tensorflow", "keras", "jax", "torch"} & sys.modules.keys()
assert not loaded, f"help waits for {sorted(loaded)}"
"""


@pytest.mark.parametrize("arguments", [("--help",), ("train", "--help")])
def test_help_loads_no_deep_learning_framework(arguments):
    assert "Usage:" in run_python(HELP, *arguments)


PREDICT = """
import sys

for name in ("tensorflow", "keras", "jax", "torch"):
    sys.modules[name] = None  # Python then raises ModuleNotFoundError, as if it were not installed

from skelgnn_tf.cli.main import main

main(sys.argv[1:], standalone_mode=False)
assert not {name for name, module in sys.modules.items() if module and name in ("tensorflow", "keras", "jax", "torch")}
"""


@pytest.mark.parametrize("models", ["presets", "exported file"])
def test_predict_needs_neither_keras_nor_tensorflow(tmp_path, models):
    """Presets carry the file that a phone gets, and LiteRT runs it."""
    fixtures = ROOT / "tests" / "fixtures" / "v0_1"
    lifter = "fitness_9f" if models == "presets" else str(fixtures / "export" / "model.tflite")
    arguments = [str(fixtures / "keypoints.npz"), "--lifter", lifter, "--output", str(tmp_path / "out.json")]
    run_python(PREDICT, "predict", *arguments)
    found = json.loads((tmp_path / "out.json").read_text())
    assert len(found["pose"]["frames"]) == 90 and found["action"]["segments"] and found["pose"]["lifter"] == lifter


IMPORT = """
import sys
import skelgnn_tf as sk

heavy = {"tensorflow", "keras", "jax", "torch", "numpy", "scipy", "matplotlib", "av", "PIL", "rich"}
assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()
for name in sk.__all__:
    assert getattr(sk, name).__name__.split(".")[-1] == name, name
assert set(sk.__all__) <= set(dir(sk))
try:
    sk.no_such_name
except AttributeError as error:
    print(error)
"""


def test_the_public_names_are_imported_when_they_are_used():
    assert run_python(IMPORT).strip().endswith("module 'skelgnn_tf' has no attribute 'no_such_name'")


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
@pytest.mark.parametrize(
    "order",
    [
        "skelgnn_tf, keras",
        "keras, skelgnn_tf",
        "skelgnn_tf.layers.hcsf, keras",
        "skelgnn_tf, importlib.util; importlib.util.find_spec('keras'); import keras",
    ],
)
def test_keras_opens_our_files_after_importing_the_package(backend, order):
    program = f"import {order}\nprint(type(keras.saving.load_model(__import__('sys').argv[1])).__name__)"
    file = ROOT / "tests" / "fixtures" / "v0_1" / "lifter" / "model.keras"
    assert run_python(program, str(file), KERAS_BACKEND=backend).strip().endswith("PoseLifter")
