"""Targets: the shipped ones make sense, a user's file changes some, and a mistake in it is said in one line."""

import re

import pytest

from skelgnn_tf.datasets.fitness import CLASSES
from skelgnn_tf.motion import ANGLES, MOVEMENTS, Target, default_targets, read_targets
from skelgnn_tf.motion.form import HOLDS
from skelgnn_tf.motion.targets import SIDES


def test_every_angle_belongs_to_one_joint_left_before_right():
    assert sorted(name for names in SIDES.values() for name in names) == sorted(ANGLES)
    assert SIDES["knee"] == ("left_knee", "right_knee") and SIDES["trunk_lean"] == ("trunk_lean",)


def test_every_exercise_has_a_target_that_people_can_reach():
    targets = default_targets()
    assert set(targets) == {*MOVEMENTS, *HOLDS} <= set(CLASSES)
    for exercise, target in targets.items():
        assert target.angles, exercise
        if exercise in HOLDS:
            assert target.hold_s > 0 and target.depth_deg is None
        else:
            assert 10 < target.depth_deg < 160, exercise


def test_the_shipped_file_names_a_source_or_reason_in_every_table():
    from skelgnn_tf.motion import targets

    text = targets._SHIPPED.read_text(encoding="utf-8")
    tables = re.split(r"^\[(\w+)\]$", text, flags=re.MULTILINE)
    assert all(body.lstrip().startswith("#") for body in tables[2::2])


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('[squat]\ndepth_deg = 100\n[plank]\nhold_s = 30.5\n[lunge]\nangles = ["hip"]\n')
    mine, shipped = read_targets(path), default_targets()
    assert mine["squat"] == Target(shipped["squat"].angles, 100, shipped["squat"].asymmetry_deg)
    assert mine["plank"].hold_s == 30.5
    assert mine["lunge"].angles == ("hip",) and mine["lunge"].depth_deg == shipped["lunge"].depth_deg
    others = {name: target for name, target in mine.items() if name not in ("squat", "plank", "lunge")}
    assert others == {name: shipped[name] for name in others}
    assert default_targets()["squat"].depth_deg != 100


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[squats]\n", "an exercise must be one of squat, lunge, .*Received: squats"),
        ("squat = 90\n", r"squat must be a table, \[squat\]. Received: 90"),
        ("[squat]\ndepth = 90\n", r"a key of \[squat\] must be one of angles, depth_deg, asymmetry_deg, hold_s"),
        ('[squat]\nangles = ["wrist"]\n', r"\[squat\] angles must be a list of knee, hip, .*Received: \['wrist'\]"),
        ('[squat]\nangles = "knee"\n', r"\[squat\] angles must be a list of .*Received: 'knee'"),
        ("[squat]\nangles = [1]\n", r"\[squat\] angles must be a list of"),
        ('[squat]\ndepth_deg = "deep"\n', r"\[squat\] depth_deg must be a number from 0 .*Received: 'deep'"),
        ("[squat]\ndepth_deg = true\n", r"\[squat\] depth_deg must be a number"),
        ("[squat]\ndepth_deg = 181\n", r"\[squat\] depth_deg must be a number from 0 to 180 degrees. Received: 181"),
        ("[squat]\nasymmetry_deg = nan\n", r"\[squat\] asymmetry_deg must be a number"),
        ("[plank]\nhold_s = -1\n", r"\[plank\] hold_s must be a number of 0 s or more. Received: -1"),
        ("[squat\n", "the targets must be a TOML file"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_file_is_said_with_the_files_name(tmp_path, text, message):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        read_targets(path)
    assert str(error.value).startswith(f"{path}: ")


def test_a_file_that_is_not_there_or_not_text_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.toml: the targets must be a TOML file. Nothing was found"):
        read_targets(tmp_path / "none.toml")
    (tmp_path / "picture.toml").write_bytes(b"\x89PNG\xff\x00")
    with pytest.raises(ValueError, match="picture.toml: the targets must be a TOML file"):
        read_targets(tmp_path / "picture.toml")
