"""`skelgnn-tf train`: the data set decides the task, TOML files hold settings, options override them."""

import dataclasses
from pathlib import Path

import click
import pytest
import tomlkit

from skelgnn_tf.cli.main import main
from skelgnn_tf.configs import CONFIGS, ActionConfig, LiftConfig
from support.command_line import call, mistake


def printed_config(*arguments):
    result = call("train", *arguments, "--print-config")
    assert result.exit_code == 0, result.output
    return tomlkit.parse(result.stdout).unwrap()


@pytest.mark.parametrize(
    ("arguments", "task"),
    [
        ((), "lift"),
        (("--dataset", "h36m", "--data-dir", "d"), "lift"),
        (("--dataset", "ntu60-xsub", "--data-dir", "d"), "action"),
        (("--dataset", "npz", "--data-file", "f.npz"), "action"),
        (("--task", "action"), "action"),
        (("--task", "action", "--dataset", "fitness"), "action"),
        (("--task", "lift", "--dataset", "fitness"), "lift"),
    ],
)
def test_the_data_set_decides_the_task(here, arguments, task):
    assert printed_config(*arguments)["task"] == task


def test_what_is_printed_is_the_whole_config_and_trains_nothing(here):
    values = printed_config("--dataset", "h36m", "--data-dir", "d", "--frames", 9)
    assert values.pop("task") == "lift"
    assert LiftConfig(**values) == LiftConfig(dataset=("h36m",), data_dir=("d",), frames=9)
    values = printed_config("--task", "action", "--recipe", "paper", "--sampling", "repeat")
    del values["task"]
    assert ActionConfig(**values) == ActionConfig(recipe="paper", sampling="repeat")
    assert not list(here.iterdir())


def test_a_printed_config_trains_the_same_run_and_options_override_it(here):
    Path("mine.toml").write_text(call("train", "--frames", 9, "--channels", 32, "--epochs", 7, "--print-config").stdout)
    values = printed_config("--config", "mine.toml", "--epochs", 3)
    assert (values["frames"], values["channels"], values["epochs"]) == (9, 32, 3)
    Path("short.toml").write_text('dataset = "ntu60-xsub"\ndata_dir = "d"\nstream = "bone"\n')
    values = printed_config("--config", "short.toml")
    assert (values["task"], values["dataset"], values["stream"]) == ("action", ["ntu60-xsub"], "bone")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("frames = 8", ("mine.toml", "--frames must be odd", "8")),
        ("frames = nine", ("mine.toml", "TOML")),
        ('frames = "9"', ("mine.toml", "--frames must be an integer", "'9'")),
        ("[model]\nframes = 9", ("mine.toml", "[model]", "not a table")),
        ("frame = 9", ("mine.toml", "unknown fields: frame")),
        ('dataset = "h36m"\nstream = "bone"', ("mine.toml", "--stream is only valid for action recognition")),
        ('task = "walk"', ("mine.toml", "task must be one of lift, action")),
    ],
)
def test_a_toml_file_that_does_not_fit_costs_one_line(here, text, words):
    Path("mine.toml").write_text(text)
    line = mistake("train", "--config", "mine.toml")
    for word in words:
        assert word in line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--config nowhere.toml", ("nowhere.toml", "skelgnn-tf recipes")),
        ("--config .", ("must be a readable TOML file",)),
        ("--stream bone", ("--stream is only valid for action recognition. This is pose lifting.",)),
        ("--dataset ntu60-xsub --protocol pixel", ("--protocol is only valid for pose lifting",)),
        ("--dataset h36m --task action", ("task must be lift for h36m. Received: action. Leave it out.",)),
        ("--dataset h36m --dataset ntu60-xsub", ("data sets of one task", "h36m, ntu60-xsub")),
        (
            "--from exercises_2d --task lift",
            ("--from must be a model for pose lifting", "exercises_2d, a model for action recognition"),
        ),
        ("--from fitness_9f --stream bone", ("--stream is only valid for action recognition",)),
        ("--from nowhere", ("nowhere", "fitness_9f")),
        ("--dataset ntu60-xsub --data-dir /nowhere", ("/nowhere",)),
    ],
)
def test_options_that_do_not_fit_cost_one_line(here, arguments, words):
    line = mistake("train", *arguments.split())
    for word in words:
        assert word in line


def test_help_has_a_panel_for_each_group_and_for_what_is_only_valid_for_one_task():
    command = main.get_command(click.Context(main), "train")
    panels = {option.name: getattr(option, "panel", None) for option in command.params}
    assert panels["frames"] == "Model" and panels["epochs"] == "Optimization" and panels["prune"] == "Compression"
    assert panels["protocol"] == "Pose lifting only" and panels["stream"] == "Action recognition only"
    shown = call("train", "--help").output
    for panel in ("Data", "Model", "Augmentation", "Optimization", "Compression", "Pose lifting only"):
        assert f"─ {panel} ─" in shown
    # Every field is an option.
    for cls in CONFIGS.values():
        assert {field.name for field in dataclasses.fields(cls)} <= panels.keys()
