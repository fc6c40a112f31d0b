"""The examples run from the root of the repository, without arguments or with fewer frames, and leave nothing there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.documents import ROOT

EXAMPLES = ROOT / "examples"
SMALL = {
    "lift_keypoints.py": ["--frames", "30"],
    "count_squats.py": [],
    "custom_exercise.py": [],
    "custom_skeleton.py": ["--clips", "2", "--epochs", "1"],
    "own_dataset.py": ["--clips", "2", "--epochs", "1"],
    "live_stream.py": ["--frames", "150"],
}


@pytest.fixture(scope="module")
def run():
    """Runs Python in the root of the repository; gives what it prints."""

    def run(*arguments: str) -> str:
        before = sorted(path.name for path in ROOT.iterdir())
        environment = {**os.environ, "MPLBACKEND": "Agg", "PYTHONWARNINGS": "ignore"}
        ran = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600
        )
        assert ran.returncode == 0, ran.stderr[-3000:]
        assert sorted(path.name for path in ROOT.iterdir()) == before, "something was left in the root"
        return ran.stdout

    return run


@pytest.fixture(scope="module")
def output(run):
    """What an example prints on small inputs; each runs once."""
    printed: dict[str, str] = {}

    def output(name: str) -> str:
        if name not in printed:
            printed[name] = run(f"examples/{name}", *SMALL[name])
        return printed[name]

    return output


def test_every_script_is_tested():
    assert {file.name for file in EXAMPLES.glob("*.py")} == SMALL.keys()


@pytest.mark.parametrize("name", SMALL)
def test_an_example_says_how_to_run_it(name):
    assert f"python examples/{name}" in (EXAMPLES / name).read_text(encoding="utf-8").split('"""')[1]


def test_lift_keypoints_prints_the_error_of_every_exercise(output):
    errors = re.findall(
        r"^(\w+) +MPJPE +([\d.]+) mm   P-MPJPE +([\d.]+) mm$", output("lift_keypoints.py"), re.MULTILINE
    )
    assert len(errors) == 13
    assert all(0 < float(aligned) <= float(plain) < 400 for _, plain, aligned in errors)


def test_count_squats_counts_them(output):
    text = output("count_squats.py")
    counted, true = (int(re.search(rf"^{name}: (\d+)$", text, re.MULTILINE)[1]) for name in ("squats", "truth"))
    assert true >= 3 and counted == true
    assert [int(n) for n in re.findall(r"s  squat (\d+)", text)] == list(range(1, true + 1))


def test_custom_skeleton_trains_a_model_of_its_own_joints(output):
    text = output("custom_skeleton.py")
    assert "coarse_12: root hip, 11 bones" in text
    assert re.search(r"val_mean_error_mm: [\d.]+", text)


def test_own_dataset_trains_on_its_classes(output):
    text = output("own_dataset.py")
    assert "6 clips of 3 classes" in text
    assert re.search(r"^a jumping_jack is recognized as (squat|jumping_jack|biceps_curl)$", text, re.MULTILINE)


def test_live_stream_follows_the_exercise(output):
    text = output("live_stream.py")
    assert re.search(r"^ +\d+\.\d s  jumping_jack: \d+$", text, re.MULTILINE)
    assert "truth: jumping_jack:" in text


def notebook() -> dict:
    """The notebook."""
    return json.loads((EXAMPLES / "quickstart.ipynb").read_text(encoding="utf-8"))


def test_the_notebook_holds_no_outputs():
    assert [cell for cell in notebook()["cells"] if cell.get("outputs") or cell.get("execution_count")] == []


def test_the_notebook_goes_from_nothing_to_a_lifted_clip_and_a_tflite(run, tmp_path):
    cells = [cell for cell in notebook()["cells"] if cell["cell_type"] == "code"]
    (parameters,) = (cell for cell in cells if "parameters" in cell["metadata"].get("tags", ()))
    small = {"train_clips": 13, "epochs": 1}
    program = []
    for cell in cells:
        program.append("".join(cell["source"]))
        if cell is parameters:
            assert all(re.search(rf"^{name} = ", program[-1], re.MULTILINE) for name in small)
            program += [f"{name} = {value}" for name, value in small.items()]
    script = Path(tmp_path) / "quickstart.py"
    script.write_text("\n".join(program), encoding="utf-8")
    text = run(str(script))
    assert re.search(r"^fitness_9f +MPJPE [\d.]+ mm$", text, re.MULTILINE)
    assert "['contract.json', 'golden.json', 'model.tflite']" in text
    assert "'pose_m': (1, 1, 17, 3)" in text


def test_an_exercise_of_ones_own_is_counted(output):
    lines = output("custom_exercise.py").splitlines()
    assert lines[-1] == "4 raises" and len(lines) == 5
