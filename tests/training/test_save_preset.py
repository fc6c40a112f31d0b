"""`python -m skelgnn_tf.training.save_preset`: a run becomes a preset whose scores are those of `evaluate`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from skelgnn_tf import checkpoints
from skelgnn_tf.configs import ActionConfig, LiftConfig
from skelgnn_tf.models.build import build_model
from skelgnn_tf.training.save_preset import main, read_metadata
from support import oracles, tiny_h36m

LIFT = LiftConfig(frames=1, channels=4, squeeze=0.5, blocks=1, sharing="shared", fitness_clips=2)
ACTION = ActionConfig(
    input="keypoints", skeleton="coco_17", persons=1, normalization="box", frames=8, size="small", channels=4,
    short_hops=1, max_hops=1, dynamic=False, fitness_clips=13,
)  # fmt: skip


def write_run(folder, config, classes=()):
    folder.mkdir()
    checkpoints.save(oracles.randomize(build_model(config, classes)), config, folder / "model.keras")
    return folder


def save(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def metadata_of(folder):
    return json.loads((folder / "metadata.json").read_text())


def test_a_lifter_is_scored_on_generated_and_on_real_motion(here):
    run, cmu = write_run(here / "run", LIFT), here / "cmu"
    cmu.mkdir()
    tiny_h36m.write(cmu, frames=6)
    (here / "about.json").write_text(json.dumps({"description": "mine", "licence": "CC0", "format": 1}))
    result = save(run, "preset", "--metadata", "about.json", "--cmu", cmu)
    assert result.exit_code == 0, result.output
    metadata = metadata_of(here / "preset")
    scores = metadata.pop("scores_on_test_splits")
    assert metadata == {"format": 2, "description": "mine", "licence": "CC0"}
    assert [score["frames"] for score in scores.values()] == [12_000, 2 * 4 * 6]
    for score, report in zip(scores.values(), ("report_fitness", "report_h36m"), strict=True):
        written = json.loads((run / report / "report.json").read_text())
        assert written["flip_averaged"] == "no"
        for key, value in score.items():
            assert value == pytest.approx(written[key], abs=0.051), key
    x = np.random.default_rng(0).uniform(-1, 1, (2, 1, 17, 2)).astype(np.float32)
    np.testing.assert_array_equal(checkpoints.load(here / "preset").model(x), checkpoints.load(run).model(x))


def test_a_recognizer_keeps_what_the_preset_before_it_said_but_neither_its_scores_nor_its_export(here):
    classes = checkpoints.load("exercises_2d").model.classes
    run, folder = write_run(here / "run", ACTION, classes), here / "preset"
    folder.mkdir()
    (folder / "metadata.json").write_text(json.dumps({"licence": "CC0", "scores_on_test_splits": {"old": 1}}))
    (folder / "model.tflite").write_bytes(b"of other weights")
    result = save(run, folder)
    assert result.exit_code == 0, result.output
    assert {f.name for f in folder.iterdir()} == {"config.json", "metadata.json", "model.keras"}
    metadata = metadata_of(folder)
    (score,) = metadata["scores_on_test_splits"].values()
    assert metadata["licence"] == "CC0" and score["clips"] == 420
    written = json.loads((run / "report" / "report.json").read_text())
    assert score["top1"] == pytest.approx(written["top1"], abs=5.1e-5)


def test_what_cannot_be_a_preset_costs_one_line_and_leaves_nothing(here):
    (here / "list.json").write_text("[]")
    (here / "half.json").write_text("{")
    run = write_run(here / "run", LIFT)
    for arguments, words in (
        ((here / "nothing", "preset"), "nothing must be a run folder"),
        ((run, "preset", "--metadata", "list.json"), "list.json must be a JSON object. Received: list."),
        ((run, "preset", "--metadata", "half.json"), "half.json must be a JSON file. Received: "),
    ):
        result = save(*arguments)
        assert result.exit_code == 1 and words in result.output and not (here / "preset").exists()
    assert read_metadata(here / "nothing.json") == {}


def test_the_command_is_a_module():
    ran = subprocess.run(
        [sys.executable, "-m", "skelgnn_tf.training.save_preset", "--help"],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0 and "Save RUN as the preset FOLDER." in ran.stdout, ran.stderr
