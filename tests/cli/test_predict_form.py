"""`skelgnn-tf predict` with repetitions as a table and a plot: what is written, targets of one's own, and mistakes."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

import skelgnn_tf as sk
from skelgnn_tf.datasets.fitness import generate
from skelgnn_tf.skeletons import COCO_17
from support.command_line import call, mistake

CLIP = generate(1, 12, frames=210, exercise="squat", layout="coco_17", skeleton=COCO_17)[0]


@pytest.fixture
def take(here):
    np.savez(here / "take.npz", keypoints=CLIP.keypoints[0], image_size=CLIP.image_size_px, fps=CLIP.fps)
    return "take.npz"


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_json_table_and_python_agree_and_the_plot_is_drawn(take):
    result = call(
        "predict", take, "--exercise", "squat", "--output", "sq.json", "--repetitions", "reps.csv", "--plot", "a.png"
    )
    assert result.exit_code == 0, result.output
    assert all(f"saved: {name}" in result.stdout for name in ("sq.json", "reps.csv", "a.png"))
    motion = json.loads(open("sq.json").read())["motion"]
    listed, rows = motion["repetition_list"], rows_of("reps.csv")
    forms = sk.predict(take, exercise="squat").motion.form
    assert (
        len(listed) == len(rows) == len(forms) and sum(one["complete"] for one in listed) == motion["repetitions"][-1]
    )
    assert motion["repetitions"][-1] >= 1
    for one, row, form in zip(listed, rows, forms, strict=True):
        for name in ("start_s", "end_s", "there_s", "hold_s", "back_s", "depth_deg"):
            assert one[name] == pytest.approx(getattr(form, name), abs=1e-4)
            assert float(row[name]) == pytest.approx(one[name], abs=0.051)
    with Image.open("a.png") as plot:
        assert plot.format == "PNG" and np.ptp(np.asarray(plot.convert("L"))) > 100


def test_depth_is_about_the_truth_of_the_generator(take):
    """The generator knows the poses; measured in them, the deepest knees are within a lifter's error."""
    truth = sk.motion.joint_angles(CLIP.pose_m, COCO_17)
    knees = (truth["left_knee"] + truth["right_knee"]) / 2
    for form in sk.predict(take, exercise="squat").motion.form:
        inside = slice(round(form.start_s * CLIP.fps), round(form.end_s * CLIP.fps) + 1)
        assert form.depth_deg == pytest.approx(knees[inside].max(), abs=20)


def test_targets_of_ones_own_change_the_cues(take, here):
    (here / "deep.toml").write_text("[squat]\ndepth_deg = 179\nhold_s = 60\n")
    result = call("predict", take, "--exercise", "squat", "--targets", "deep.toml", "--output", "sq.json")
    assert result.exit_code == 0, result.output
    listed = json.loads((here / "sq.json").read_text())["motion"]["repetition_list"]
    for one in listed:
        depth = next(cue for cue in one["cues"] if cue.startswith("depth"))
        assert depth == f"depth {one['depth_deg']:.0f}°, target 179°" and depth in result.stdout
        assert any(cue.startswith("held ") and cue.endswith(" s, target 60 s") for cue in one["cues"])
        assert one["target_deg"] == 179
    opened = sk.motion.read_targets("deep.toml")
    by_value, by_file = (sk.predict(take, exercise="squat", targets=one).motion.form for one in (opened, "deep.toml"))
    assert by_value == by_file and [list(form.cues) for form in by_file] == [one["cues"] for one in listed]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--repetitions", "reps.txt"], "reps.txt must end with .csv. Received: .txt."),
        (["--plot", "angles.jpg"], "angles.jpg must end with .png. Received: .jpg."),
        (["--repetitions", "r.csv", "--lifter", "none"], "r.csv must be written with a lifter"),
        (["--plot", "a.png", "--lifter", "none"], "a.png must be drawn with a lifter"),
        (["--targets", "bad.toml", "--lifter", "none"], "--targets must be used with a lifter"),
        (["--targets", "none.toml"], "none.toml: the targets must be a TOML file. Nothing was found."),
        (["--targets", "bad.toml"], "bad.toml: [squat] depth_deg must be a number from 0 to 180 degrees."),
        (["--plot", "bad.toml/a.png"], "bad.toml is a file"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_any_work(here, arguments, found):
    (here / "bad.toml").write_text("[squat]\ndepth_deg = 'low'\n")
    assert found in mistake("predict", "nowhere.npz", "--recognizer", "no_such_model", *arguments)


@pytest.mark.parametrize("option", [("--repetitions", "r.csv"), ("--plot", "a.png"), ("--targets", "t.toml")])
def test_a_webcam_has_no_repetitions_to_list(here, option):
    assert (
        mistake("predict", "webcam:0", *option)
        == f"{option[0]} is not valid for webcam:0. It needs a file with an end."
    )


@pytest.mark.parametrize("option", [("--repetitions", "r.csv"), ("--plot", "a.png")])
def test_a_table_or_plot_is_of_one_input(here, option):
    line = mistake("predict", "a.npz", "b.npz", "--output-dir", "out", *option)
    assert line.startswith(f"{option[0]} must be used with one INPUT. Received: 2.")
