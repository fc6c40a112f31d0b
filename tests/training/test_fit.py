"""Training: it learns, it stops and goes on as if it had not, it says where NaN came from, it leaves a whole run."""

import csv
import io
import json
import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest
from rich.console import Console

from skelgnn_tf import checkpoints
from skelgnn_tf.configs import LiftConfig, from_json
from skelgnn_tf.datasets import h36m
from skelgnn_tf.datasets.windows import screen_keypoints
from skelgnn_tf.inference.windows import lift
from skelgnn_tf.skeletons import H36M_17
from skelgnn_tf.training import fit as training
from skelgnn_tf.training import run_folder
from skelgnn_tf.training.callbacks import NotANumber
from skelgnn_tf.training.lift import task as lifting
from skelgnn_tf.training.lift.batches import Batcher, cut_windows
from skelgnn_tf.training.tf_data import rows_of_step
from support import tiny_h36m
from support.interrupts import interrupting

# Shared weights and a static graph make the smallest graph for TensorFlow to trace.
TINY = LiftConfig(
    channels=4, squeeze=0.5, blocks=1, sharing="shared", dynamic=False, batch_size=32, epochs=3, learning_rate=5e-3,
    noise=0.01, validation=0.3, seed=3,
)  # fmt: skip


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return h36m.load(tiny_h36m.write(tmp_path_factory.mktemp("h36m"), frames=20)).train


def run(config, folder, clips, **options):
    """Trains; gives what was printed."""
    console = Console(file=io.StringIO(), width=200)
    training.train(config, folder, clips=clips, console=console, distribute="none", **options)
    return console.file.getvalue()


def history(folder):
    with open(folder / "history.csv") as file:
        return [{name: float(value) for name, value in row.items() if value != "NA"} for row in csv.DictReader(file)]


def weights(file):
    return checkpoints.load(file).model.get_weights()


def assert_same_model(one, other):
    for a, b in zip(weights(one), weights(other), strict=True):
        np.testing.assert_array_equal(a, b)


def validation_mm(folder, clips, config):
    """What the kept model scores on the held-out takes, by our own loop."""
    held_out = lifting.hold_out(clips, config.validation)[1]
    assert held_out
    model = checkpoints.load(folder).model
    errors = []
    for clip in held_out:
        truth = clip.pose_m - clip.pose_m[:, :1]
        errors.append(np.linalg.norm(lift(model, screen_keypoints(clip, False)) - truth, axis=-1))
    return np.concatenate(errors).mean() * 1000


@pytest.fixture(scope="module")
def whole(clips, tmp_path_factory):
    """Runs that were never stopped, by their momentum of EMA."""
    folders = {}
    for ema in (0.0, 0.8):
        folders[ema] = tmp_path_factory.mktemp("runs") / "whole"
        run(TINY.replace(ema=ema), folders[ema], clips)
    return folders


def test_a_run_folder_holds_all_that_is_needed_later(whole, clips):
    folder = whole[0.0]
    names = {f.name for f in folder.iterdir()}
    assert {"config.json", "model.keras", "last.keras", "checkpoints", "history.csv", "logs"} == names
    assert from_json((folder / "config.json").read_text()) == TINY == checkpoints.load(folder).config
    assert len(history(folder)) == 3
    assert list((folder / "logs").rglob("events.out.tfevents.*"))
    state = json.loads((folder / "checkpoints" / "state.json").read_text())
    assert {f.name for f in (folder / "checkpoints").iterdir()} == {"state.json", state["weights"]}
    assert (folder / "checkpoints" / state["weights"]).exists()


@pytest.mark.parametrize("ema", [0.0, 0.8])
def test_loss_and_metric_are_one_and_the_model_kept_is_the_best_one_validated(whole, clips, ema):
    rows = history(whole[ema])
    for row in rows:
        assert row["mpjpe_mm"] == pytest.approx(row["loss"] * 1000, rel=1e-4)
        assert row["val_mpjpe_mm"] == pytest.approx(row["val_loss"] * 1000, rel=1e-4)
    best = min(row["val_mpjpe_mm"] for row in rows)
    assert validation_mm(whole[ema], clips, TINY) == pytest.approx(best, rel=1e-3)
    assert json.loads((whole[ema] / "checkpoints" / "state.json").read_text())["best"] == pytest.approx(best, rel=1e-6)


def test_the_average_of_weights_is_another_model_than_the_last_weights(whole):
    plain, averaged = (weights(folder / "last.keras") for folder in whole.values())
    assert any(np.abs(a - b).max() > 1e-4 for a, b in zip(plain, averaged, strict=True))


@pytest.mark.parametrize(
    ("ema", "stops"),
    [
        (0.0, [("on_train_batch_end", 2), ("on_epoch_end", 1), ("on_test_begin", 2)]),
        (0.8, [("on_train_batch_end", 2), ("on_epoch_end", 1), ("on_test_begin", 2)]),
    ],
    ids=["plain", "ema"],
)
def test_a_run_stopped_again_and_again_ends_where_an_uninterrupted_one_does(
    whole, clips, tmp_path, monkeypatch, ema, stops
):
    folder = tmp_path / "stopped"
    for number, (event, at) in enumerate(stops):
        with monkeypatch.context() as patch:
            interrupting(patch, event, at)
            console = Console(file=io.StringIO(), width=200)
            with pytest.raises(KeyboardInterrupt):
                training.train(
                    TINY.replace(ema=ema), folder, clips=clips, console=console, distribute="none", resume=number > 0
                )
            assert f"skelgnn-tf train --resume --output {folder}" in console.file.getvalue(), event
        if event == "on_test_begin":
            best = json.loads((folder / "checkpoints" / "state.json").read_text())
            assert best["epochs"] * 5 < best["steps"]
    assert "resumed at step" in run(TINY.replace(ema=ema), folder, clips, resume=True)
    assert_same_model(folder / "last.keras", whole[ema] / "last.keras")
    assert_same_model(folder / "model.keras", whole[ema] / "model.keras")
    # Losses of an epoch that was cut short are of its rest alone; validation is of the whole model.
    stopped, uninterrupted = ({row["epoch"]: row for row in history(f)} for f in (folder, whole[ema]))
    for epoch in (0.0, 1.0):
        assert stopped[epoch]["val_mpjpe_mm"] == uninterrupted[epoch]["val_mpjpe_mm"]
    states = [json.loads((f / "checkpoints" / "state.json").read_text()) for f in (folder, whole[ema])]
    assert states[0] == states[1]


def test_a_finished_run_is_not_trained_again_but_on(whole, clips, tmp_path):
    folder = tmp_path / "more"
    shutil.copytree(whole[0.0], folder)
    before = weights(folder / "last.keras")
    assert "use a larger --epochs" in run(TINY, folder, clips, resume=True)
    for a, b in zip(weights(folder / "last.keras"), before, strict=True):
        np.testing.assert_array_equal(a, b)
    more = run_folder.resumed_config(folder, epochs=4)
    assert more == TINY.replace(epochs=4)
    run(more, folder, clips, resume=True)
    assert [row["epoch"] for row in history(folder)] == [0, 1, 2, 3]
    # The learning rate falls with each epoch as the recipe has it, past the first --epochs too.
    assert from_json((folder / "config.json").read_text()).epochs == 4


def test_resuming_keeps_the_settings(whole, tmp_path):
    assert run_folder.resumed_config(whole[0.0]) == TINY
    assert run_folder.resumed_config(whole[0.0], channels=4) == TINY
    with pytest.raises(
        ValueError, match=r"except for --epochs and the place of the data. Received: --seed, --channels. Leave"
    ):
        run_folder.resumed_config(whole[0.0], channels=8, seed=4, epochs=9)
    with pytest.raises(
        FileNotFoundError, match="--resume must be used with a run folder. Received: .* Name a run with --output"
    ):
        run_folder.resumed_config(tmp_path)


def test_a_run_without_a_checkpoint_cannot_be_resumed(clips, tmp_path):
    (tmp_path / "config.json").write_text(TINY.to_json())
    with pytest.raises(FileNotFoundError, match="must have a checkpoint for --resume.*Train without --resume"):
        run(TINY, tmp_path, clips, resume=True)


def test_training_on_one_clip_learns_it(clips, tmp_path):
    config = LiftConfig(
        channels=8, squeeze=0.5, blocks=1, dropout=0.0, flip=False, batch_size=5, epochs=30,
        learning_rate=1e-2, decay=1.0, validation=0.0,
    )  # fmt: skip
    run(config, tmp_path / "run", clips[:1])
    errors = [row["mpjpe_mm"] for row in history(tmp_path / "run")]
    assert errors[-1] < errors[0] / 5
    model = checkpoints.load(tmp_path / "run").model
    truth = clips[0].pose_m - clips[0].pose_m[:, :1]
    learnt = np.linalg.norm(lift(model, screen_keypoints(clips[0], False)) - truth, axis=-1).mean() * 1000
    mean_pose = np.linalg.norm(truth.mean(axis=0) - truth, axis=-1).mean() * 1000
    assert learnt < mean_pose


def test_a_loss_that_is_no_number_stops_with_its_batch_named(clips, tmp_path):
    bad = 5
    spoilt = [replace(c, pose_m=c.pose_m * np.float32(1e25)) if i == bad else c for i, c in enumerate(clips[:6])]
    config = TINY.replace(validation=0.0, batch_size=8, epochs=2)
    with pytest.raises(NotANumber) as stopped:
        run(config, tmp_path / "run", spoilt)
    # The first batch that the spoilt clip comes up in, by its rows.
    b = Batcher(cut_windows(tuple(spoilt), H36M_17, config, True), config, H36M_17, True)
    step = next(s for s in range(30) if (b.windows.clip[rows_of_step(b, s)] == bad).any())
    message = str(stopped.value)
    assert f"at step {step}: epoch 1, batch {step + 1}" in message
    assert spoilt[bad].name in message or "more" in message
    assert "--learning-rate" in message and "\n" not in message
    assert not (tmp_path / "run" / "model.keras").exists()


def test_a_learning_rate_that_explodes_stops_after_the_last_good_epoch(clips, tmp_path):
    config = TINY.replace(learning_rate=1e30, validation=0.0, batch_size=1000, epochs=4)
    with pytest.raises(NotANumber, match=r"epoch [234], batch 1, clips .*smaller --learning-rate"):
        run(config, tmp_path / "run", clips)
    assert len(history(tmp_path / "run")) >= 1
    assert json.loads((tmp_path / "run" / "checkpoints" / "state.json").read_text())["steps"] >= 1


def test_the_pixel_protocol_is_measured_in_pixels(clips, tmp_path):
    config = TINY.replace(protocol="pixel", epochs=1, validation=0.0)
    assert "px" in run(config, tmp_path / "run", clips)
    (row,) = history(tmp_path / "run")
    assert row["mpjpe_px"] == pytest.approx(row["loss"] * 500, rel=1e-4)


def test_mixed_precision_and_xla_train_too(clips, tmp_path):
    policy = keras.config.dtype_policy()
    try:
        run(TINY.replace(mixed_precision=True, xla=True, epochs=2), tmp_path / "run", clips)
    finally:
        keras.config.set_dtype_policy(policy)
    rows = history(tmp_path / "run")
    assert np.isfinite(rows[-1]["loss"]) and rows[-1]["loss"] < rows[0]["loss"]
    model = checkpoints.load(tmp_path / "run").model
    assert all(w.dtype == "float32" for w in model.trainable_weights)


# ---- the folder


def test_a_run_that_stood_there_is_moved_aside(clips, tmp_path):
    folder = tmp_path / "run"
    config = TINY.replace(epochs=1, validation=0.0, batch_size=1000)
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "mine.txt").write_text("kept")
    (tmp_path / "run.1").mkdir()
    assert f"is now {tmp_path / 'run.2'}" in run(config, folder, clips)
    assert (tmp_path / "run.2" / "mine.txt").read_text() == "kept"
    assert (folder / "model.keras").exists() and not (folder / "mine.txt").exists()


def test_a_folder_of_something_else_is_never_touched(clips, tmp_path):
    (tmp_path / "thesis.tex").write_text("important")
    with pytest.raises(
        ValueError,
        match="--output must be a new folder or a run of skelgnn-tf. .*holds something else.*Choose another --output",
    ):
        run(TINY, tmp_path, clips)
    assert [f.name for f in tmp_path.iterdir()] == ["thesis.tex"]


def test_an_output_below_a_file_is_refused(clips, tmp_path):
    (tmp_path / "file").write_text("in the way")
    for folder in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(
            ValueError, match="--output must be a writable folder. .*Choose another --output"
        ) as refused:
            run(TINY, folder, clips)
        assert "\n" not in str(refused.value)
    assert [f.name for f in tmp_path.iterdir()] == ["file"]


def test_data_that_do_not_fit_leave_the_old_run_where_it_is(clips, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="the 27 frames of a window"):
        run(TINY.replace(frames=27), folder, clips)
    assert [f.name for f in tmp_path.iterdir()] == ["run"]


def test_held_out_takes_are_whole_takes_and_about_as_many_as_asked_for(clips):
    many = [replace(clips[0], name=f"S1 take{i} camera {c}") for i in range(40) for c in range(4)]
    for share in (0.05, 0.25, 0.5, 0.9):
        fit, held = lifting.hold_out(many, share)
        assert not {c.take for c in fit} & {c.take for c in held}
        assert len(fit) + len(held) == 160
        assert len({c.take for c in held}) == round(share * 40)
    assert lifting.hold_out(many, 0.0) == (tuple(many), ())
    assert lifting.hold_out(many[:4], 0.5) == (tuple(many[:4]), ())
    fit, held = lifting.hold_out(many[:8], 0.9)
    assert fit and held


def test_a_run_gets_a_name_from_its_data():
    name = run_folder.default_folder(TINY.replace(dataset=("h36m", "fitness"), frames=9))
    assert name.parent.name == "runs" and name.name.startswith("h36m-fitness-9f-")
