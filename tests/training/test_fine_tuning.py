"""`train --from`: it begins where another run ended, keeps that run's settings, and refuses what does not fit."""

import shutil

import numpy as np
import pytest

from skelgnn_tf import checkpoints
from skelgnn_tf.configs import ActionConfig, LiftConfig
from skelgnn_tf.models.build import build_model
from support import oracles, tiny_actions, tiny_h36m
from support.command_line import call, mistake

OPTIONS = {
    "frames": 3, "channels": 4, "squeeze": 0.5, "blocks": 1, "sharing": "shared", "dynamic": False,
    "dataset": ("h36m",), "epochs": 30, "learning_rate": 0.02, "validation": 0.0, "batch_size": 64, "seed": 4,
}  # fmt: skip


@pytest.fixture
def base(here):
    """A trained lifter and its data, in the working folder."""
    tiny_h36m.write(here, frames=12)
    config = LiftConfig(**OPTIONS, data_dir=(str(here),))
    (here / "base").mkdir()
    checkpoints.save(oracles.randomize(build_model(config)), config, here / "base" / "model.keras")
    return here / "base"


def trained(*arguments):
    result = call("train", *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def learnt(path):
    """Its trainable weights; batch norm's statistics follow the data however small the steps."""
    return [np.asarray(w) for w in checkpoints.load(path).model.trainable_weights]


def assert_learnt_the_same(one, other):
    for a, b in zip(learnt(one), learnt(other), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_run_goes_on_from_anothers_weights_with_its_settings(base, without_tracing):
    trained("--from", "base", "--learning-rate", 0, "--output", "on")
    assert_learnt_the_same("on", base)
    config = checkpoints.read_config("on")
    assert config == checkpoints.read_config(base).replace(start="base", learning_rate=0.0, epochs=3)
    # Steps that are none too small do change it.
    trained("--from", "base", "--epochs", 1, "--output", "moved")
    assert checkpoints.read_config("moved").learning_rate == pytest.approx(0.002)
    assert any((a != b).any() for a, b in zip(learnt("moved"), learnt(base), strict=True))
    # Adam's first steps are as long as the learning rate.
    steps = 12 * 12 // 64
    moved = max(np.abs(a - b).max() for a, b in zip(learnt("moved"), learnt(base), strict=True))
    assert 0.001 < moved < 0.0021 * steps


def test_a_run_goes_on_from_a_preset_and_from_a_file(base, without_tracing):
    checkpoints.save_preset(base, base.parent / "preset", licence="none")
    for start in ("preset", "base/model.keras"):
        options = ["--data-dir", base.parent, "--epochs", 1, "--learning-rate", 0, "--output", "on"]
        trained("--from", start, *options)
        assert_learnt_the_same("on", base)
        assert checkpoints.read_config("on").start == start


def test_what_only_training_knows_may_be_another(base, without_tracing):
    options = ["--dropout", 0.5, "--noise", 0.01, "--seed", 9, "--no-flip", "--epochs", 1, "--learning-rate", 0]
    trained("--from", "base", *options, "--output", "on")
    assert_learnt_the_same("on", base)
    assert checkpoints.load("on").model.get_config()["dropout"] == 0.5


def test_a_resumed_run_does_not_need_where_it_came_from(base, without_tracing):
    trained("--from", "base", "--epochs", 1, "--output", "on")
    before = learnt("on")
    shutil.rmtree(base)
    assert "resumed at step" in trained("--resume", "--output", "on", "--epochs", 2, "--from", "base")
    assert checkpoints.load("on").config.epochs == 2 and checkpoints.load("on").config.start == "base"
    moved = [np.abs(a - b).max() for a, b in zip(learnt("on"), before, strict=True)]
    # By two steps of Adam, not by what fresh weights are apart.
    assert 0 < max(moved) < 0.0021 * 2
    assert "Received: --from. Leave" in mistake("train", "--resume", "--output", "on", "--from", "other")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--channels 8 --frames 1", ("channels (4, now 8)", "frames (3, now 1)", "Leave those options out")),
        ("--dynamic", ("dynamic (False, now True)",)),
        ("--skeleton h36m_17_lcn", ("skeleton (h36m_17, now h36m_17_lcn)",)),
        ("--sharing pair --causal", ("sharing (shared, now pair)", "causal (False, now True)")),
        ("--task action", ("Received: base, a model for pose lifting", "action recognition")),
        ("--prune 0.5 --ema 0.9", ("--prune must be used with --ema 0",)),
    ],
)
def test_another_architecture_is_refused_by_the_names_of_what_differs(base, arguments, words):
    message = mistake("train", "--from", "base", *arguments.split(), "--output", "runs/on")
    for word in words:
        assert word in message
    # What does not differ is not named, and a skeleton is not spelt out.
    assert "blocks" not in message and len(message) < 250


def test_a_start_that_is_no_model_costs_one_line(base):
    (base.parent / "stopped").mkdir()
    (base.parent / "stopped" / "config.json").write_text(checkpoints.read_config(base).to_json())
    (base.parent / "text.keras").write_text("no model")
    for start, words in {
        "nowhere": ("nowhere must be a run folder, a .keras file or a preset", "Received: nothing of that name"),
        "stopped": ("stopped has no model.keras",),
        "text.keras": ("text.keras must be a .keras file of skelgnn-tf",),
    }.items():
        message = mistake("train", "--from", start, "--output", "runs/on")
        for word in words:
            assert word in message
    assert "--quantize-aware must be used with --from" in mistake("train", "--quantize-aware", "--output", "runs/on")


def test_a_recognizer_of_other_classes_is_no_start(here, without_tracing):
    data = tiny_actions.write(here)
    config = ActionConfig(
        dataset=("npz",), data_file=str(here / "actions.npz"), labels=str(here / "labels.txt"),
        input="pose", skeleton="ntu_25", persons=1, normalization="center", confidence=False, frames=8, size="small",
        channels=4, short_hops=1, max_hops=1, dynamic=False,
    )  # fmt: skip
    for name, classes in (("same", tiny_actions.CLASSES), ("other", ("run", "sit", "stand")), ("two", ("a", "b"))):
        (here / name).mkdir()
        checkpoints.save(build_model(config, classes), config, here / name / "model.keras")
        if name == "same":
            trained("--from", name, "--epochs", 1, "--learning-rate", 0, "--output", "on")
            assert_learnt_the_same("on", "same")
        else:
            message = mistake("train", "--from", name, *data, "--output", "runs/on")
            assert f"--from {name} must be a model of the same architecture. Received: other classes." in message
