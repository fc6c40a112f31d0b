"""The command line: it works as written down, and a mistake costs one line and leaves nothing behind."""

import json
import os
import re
import zipfile
from pathlib import Path

import click
import keras
import numpy as np
import pytest

from skelgnn_tf import checkpoints
from skelgnn_tf.cli.main import COMMANDS, main
from skelgnn_tf.configs import LiftConfig
from skelgnn_tf.datasets import h36m
from skelgnn_tf.models.build import build_model
from support import oracles, tiny_h36m
from support.command_line import call, mistake

SMALL = "--channels 4 --squeeze 0.5 --blocks 1 --sharing shared --no-dynamic --batch-size 64".split()


def a_run(folder, **options):
    config = LiftConfig(channels=4, squeeze=0.5, blocks=1, sharing="shared", dataset=("h36m",), **options)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(config.to_json())
    checkpoints.save(oracles.randomize(build_model(config)), config, folder / "model.keras")
    return folder


# ---- what works


def test_train_evaluate_and_draw_go_hand_in_hand(here):
    tiny_h36m.write(here, frames=12)
    data = ["--dataset", "h36m", "--data-dir", here]
    trained = call("train", *data, "--epochs", 2, "--limit-train", 100, "--output", "runs/a", "--stride", 2, *SMALL)
    assert trained.exit_code == 0, trained.output
    assert "model: runs/a/model.keras" in trained.stdout and "epoch 2/2" in trained.stdout
    assert os.readlink("runs/last") == "a"
    config = checkpoints.read_config("runs/a")
    assert (config.channels, config.limit_train, config.stride, config.dynamic) == (4, 100, 2, False)

    # Without a model it is the newest run, whose data it knows.
    printed = call("evaluate", "--json", "-", "--no-baselines", "--no-flip")
    assert printed.exit_code == 0, printed.output
    assert json.loads(printed.stdout)["flip_averaged"] == "no"
    assert (here / "runs/a/report/report.md").exists()

    drawn = call("draw", "--output", "lifted.png")
    assert drawn.exit_code == 0 and "lifted.png" in drawn.stdout and (here / "lifted.png").exists()

    on = call("train", "--resume", "--epochs", 3)
    assert on.exit_code == 0, on.output
    assert "epoch 3/3" in on.stdout and "epoch 2/3" not in on.stdout
    assert checkpoints.load("runs/a").config.epochs == 3
    assert "Received: --channels" in mistake("train", "--resume", "--channels", 8)

    # The newest run is the newest, wherever it lies.
    elsewhere = here.parent / "elsewhere"
    assert call("train", *data, "--epochs", 1, "--limit-train", 100, "--output", elsewhere, *SMALL).exit_code == 0
    assert Path("runs/last").resolve() == elsewhere.resolve() and not (here.parent / "last").exists()


def test_data_sets_are_listed_with_files_and_sources():
    result = call("datasets")
    assert result.exit_code == 0
    for word in ("fitness", "h36m", "mpi-inf-3dhp", "data_3d_h36m.npz", "annot_data.mat", "VideoPose3D"):
        assert word in result.output


def test_help_shows_every_setting_with_the_papers_default():
    result = call("train", "--help")
    assert result.exit_code == 0
    for option in ("--dataset", "--data-dir", "--frames", "--limit-train", "--stride", "--resume", "--distribute"):
        assert option in result.output
    assert "--dynamic" in result.output and "--no-dynamic" in result.output
    for name in COMMANDS:
        command = main.get_command(click.Context(main), name)
        for one in getattr(command, "commands", {name: command}).values():
            for option in one.params:
                assert isinstance(option, click.Argument) or option.help or option.name == "size", (
                    f"{name} {option.name}"
                )


def test_the_list_of_commands_says_what_each_command_says_of_itself():
    for name, about in COMMANDS.items():
        command = main.get_command(click.Context(main), name)
        first = command.help.split(". ")[0].split("\n\n")[0].replace("\n", " ").rstrip(".")
        assert set(re.findall(r"[a-z]{5,}", about.lower())) & set(re.findall(r"[a-z]{5,}", first.lower())), (
            about,
            first,
        )


# ---- data that do not fit


def spoil(key=None, **arrays):
    return lambda folder: np.savez(folder / "data_3d_h36m.npz", **arrays)


def set_value(where, value):
    def change(poses, views):
        (poses if where == "3d" else views)["S1"]["Walking"][0][3] = value

    return lambda folder: tiny_h36m.write(folder, frames=12, change=change)


class Bomb:
    """A pickle that runs code when it is loaded."""

    def __reduce__(self):
        return (os.mkdir, ("exploded",))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoil(x_train=np.zeros(3)), ("data_3d_h36m.npz", "'positions_3d'", "x_train")),
        (spoil(positions_3d=tiny_h36m.boxed({"S1": {"Walking": Bomb()}})), ("data_3d_h36m.npz", "plain data")),
        (set_value("3d", np.nan), ("NaN", "S1 Walking", "frame 0", "Repair the file")),
        (set_value("2d", np.inf), ("infinity", "S1 Walking camera 0", "frame 3")),
        (lambda f: (f / "data_3d_h36m.npz").write_bytes(b"PK damaged"), ("data_3d_h36m.npz", "Download it again")),
        (lambda f: (f / "data_3d_h36m.npz").unlink(), ("file not found", "data_3d_h36m.npz", "VideoPose3D")),
        (
            lambda f: tiny_h36m.write(
                f, frames=12, change=lambda p, v: v["S1"].update(Walking=[a[:, :16] for a in v["S1"]["Walking"]])
            ),
            ("17 joints", "16 joints", "S1 Walking"),
        ),
    ],
    ids=["wrong key", "code in a pickle", "nan", "infinite", "damaged", "missing file", "other joints"],
)
def test_data_that_do_not_fit_cost_one_line(here, tmp_path, spoil, words):
    data = tmp_path / "data"
    data.mkdir()
    tiny_h36m.write(data, frames=12)
    spoil(data)
    message = mistake("train", "--dataset", "h36m", "--data-dir", data, "--output", "runs/a", *SMALL)
    for word in words:
        assert word in message
    # The same for a model that is to be scored on them.
    run = a_run(tmp_path / "run")
    assert mistake("evaluate", run, "--dataset", "h36m", "--data-dir", data) == message


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--dataset h36m --data-dir /nowhere", ("/nowhere", "data_3d_h36m.npz", "VideoPose3D")),
        ("--dataset h36m", ("--data-dir", "data_3d_h36m.npz")),
        ("--dataset human36m", ("human36m", "fitness, h36m", "skelgnn-tf datasets")),
        ("--dataset h36m --data-dir DATA --keypoints cpn", ("'cpn'", "The folder has gt")),
        ("--dataset h36m --data-dir DATA --frames 27", ("12 frames", "27 frames of a window", "smaller --frames")),
        ("--dataset h36m --data-dir DATA --frames 8", ("odd", "1, 9, 27, 81", "Received: 8")),
        ("--frames 0", ("--frames", "at least 1", "Received: 0")),
        ("--epochs 0", ("--epochs", "at least 1", "Received: 0")),
        ("--dataset h36m --data-dir DATA --squeeze 0", ("squeeze", "Received: 0")),
        ("--dataset h36m --data-dir DATA --squeeze 1.5", ("squeeze", "Received: 1.5")),
        ("--dataset h36m --data-dir DATA --short-hops 3", ("short", "3", "2")),
        ("--joint-drop 0.1", ("--confidence",)),
        ("--dropout nan", ("--dropout", "nan")),
        ("--resume --output nothing", ("--resume", "nothing", "--output")),
        ("--resume", ("runs/last", "skelgnn-tf train")),
    ],
)
def test_settings_that_do_not_fit_cost_one_line(here, tmp_path, arguments, words):
    data = tiny_h36m.write(tmp_path, frames=12)
    message = mistake("train", *arguments.replace("DATA", str(data)).split())
    for word in words:
        assert word in message


@pytest.mark.parametrize("command", ["train --views all", "train --epochs many", "train --warp 9", "train stray"])
def test_what_click_refuses_has_its_exit_code_and_no_traceback(here, command):
    result = call(*command.split())
    assert result.exit_code == 2
    assert result.stderr.startswith("skelgnn-tf: ") and result.stderr.count("\n") == 1 and "--help" in result.stderr
    assert not list(here.iterdir())


@pytest.mark.parametrize("output", ["file", "file/run", "file/deep/er/run"])
def test_an_output_that_cannot_be_written_costs_one_line(here, tmp_path, output):
    data = tiny_h36m.write(tmp_path, frames=12)
    (here / "file").write_text("in the way")
    run = a_run(tmp_path / "run", data_dir=(str(data),))
    for command in (
        ("train", "--dataset", "h36m", "--data-dir", data, *SMALL, "--output", output),
        ("evaluate", run, "--no-baselines", "--output", output),
        ("evaluate", run, "--no-baselines", "--output", tmp_path / "report", "--json", f"{output}/r.json"),
        ("draw", run, "--output", f"{output}/a.png"),
    ):
        message = mistake(*command)
        assert "file" in message and "--" in message
    assert (here / "file").read_text() == "in the way"


# ---- models that are none


def test_a_model_that_is_none_costs_one_line(here, tmp_path):
    keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)]).save(tmp_path / "plain.keras")
    (tmp_path / "text.keras").write_text("no model")
    (tmp_path / "empty").mkdir()
    whole = a_run(tmp_path / "run") / "model.keras"
    (tmp_path / "half.keras").write_bytes(whole.read_bytes()[:4000])
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(tmp_path / "nonsense.keras", "w") as new:
        for member in old.namelist():
            new.writestr(member, b"{}" if member == "config.json" else old.read(member))
    for name, words in {
        "plain.keras": ("must be a .keras file of skelgnn-tf",),
        "text.keras": ("must be a .keras file of skelgnn-tf",),
        "half.keras": ("must be a .keras file of skelgnn-tf",),
        "nonsense.keras": ("damaged or was written by another version",),
        "empty": ("Received: a folder without model.keras", "skelgnn-tf train"),
        "nowhere": ("Received: nothing of that name", "skelgnn-tf train"),
    }.items():
        for command in ("evaluate", "draw"):
            message = mistake(command, tmp_path / name)
            for word in (name, *words):
                assert word in message


@pytest.mark.parametrize("command", ["evaluate", "draw", "export --tflite"])
def test_without_a_run_the_newest_one_cannot_be_taken(here, command):
    message = mistake(*command.split())
    assert "runs/last" in message and "skelgnn-tf train" in message


def test_a_clip_that_is_not_there_is_counted(here, tmp_path):
    data = tiny_h36m.write(tmp_path, frames=12)
    run = a_run(tmp_path / "run", data_dir=(str(data),))
    assert "--clip must be from 0 to 7, a test clip. Received: 9." in mistake("draw", run, "--clip", 9)
    assert len(h36m.load(data).test) == 8
