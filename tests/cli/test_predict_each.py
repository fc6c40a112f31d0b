"""`skelgnn-tf predict` with several inputs: a file of each, and what one bad input among many costs."""

import json

import numpy as np
import pytest

from skelgnn_tf.datasets.fitness import generate
from skelgnn_tf.skeletons import COCO_17
from support.command_line import call, mistake

CLIPS = generate(2, 12, frames=40, exercise="squat", layout="coco_17", skeleton=COCO_17)


def save_take(path, clip=CLIPS[0]):
    path.parent.mkdir(exist_ok=True)
    np.savez(path, keypoints=clip.keypoints[0], image_size=clip.image_size_px, fps=clip.fps)
    return path


def test_each_input_gets_the_file_that_it_gets_when_it_is_the_only_one(here):
    takes = [save_take(here / f"take.{i}.npz", clip) for i, clip in enumerate(CLIPS)]
    result = call("predict", *takes, "--output-dir", "out/deep")
    assert (result.exit_code, result.output) == (0, "")
    assert sorted(path.name for path in (here / "out" / "deep").iterdir()) == ["take.0.json", "take.1.json"]
    for i, take in enumerate(takes):
        assert call("predict", take, "--output", "alone.json").exit_code == 0
        assert (here / "alone.json").read_text() == (here / "out" / "deep" / f"take.{i}.json").read_text()


def test_one_input_may_have_a_folder_too(here):
    take = save_take(here / "take.npz")
    result = call("predict", take, "--output-dir", "out", "--output", "take.csv")
    assert result.exit_code == 0 and "saved: out/take.json" in result.stdout and "saved: take.csv" in result.stdout
    assert len(json.loads((here / "out" / "take.json").read_text())["pose"]["frames"]) == 40
    assert (here / "take.csv").exists()


def test_bad_inputs_cost_a_line_each_and_the_others_are_finished(here):
    takes = [here / "none.npz", save_take(here / "good.npz"), here / "empty.json", save_take(here / "last.npz")]
    takes[2].write_text("")
    result = call("predict", *takes, "--output-dir", "out")
    assert (result.exit_code, result.stdout) == (2, "")
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 2 and all(line.startswith("skelgnn-tf: ") for line in lines)
    assert "none.npz" in lines[0] and "empty.json" in lines[1]
    assert sorted(path.name for path in (here / "out").iterdir()) == ["good.json", "last.json"]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["a.npz", "b.npz"], "--output-dir must be given for more than one INPUT. Received: 2."),
        (["a.npz", "b.npz", "--output", "out.json"], "--output must be used with one INPUT. Received: 2."),
        (["a.npz", "b.npz", "--output-dir", "out", "--output", "o.json"], "--output must be used with one INPUT"),
        (["a.npz", "b.npz", "--output-dir", "out", "--render", "o.png"], "--render must be used with one INPUT"),
        (["a.npz", "webcam:0", "--output-dir", "out"], "webcam:0 must be the only INPUT. Received: 2."),
        (["webcam:0", "--output-dir", "out"], "--output-dir is not valid for webcam:0. It needs a file with an end."),
        (["a.npz", "other/a.mp4", "--output-dir", "out"], "each INPUT must have another name. Received: a.npz and"),
        (["a.npz", "a.npz", "--output-dir", "out"], "each INPUT must have another name"),
        (["c.json", "b.npz", "--output-dir", "."], "cannot write c.json: it is an INPUT. Choose another --output-dir."),
        (["a.npz", "b.npz", "--output-dir", "c.json"], "cannot write --output-dir c.json: c.json is a file"),
        (["a.npz", "b.npz", "--output-dir", "out", "--exercise", "yoga"], "--exercise must be one of"),
        (["a.npz", "b.npz", "--output-dir", "out", "--subject-height", "9"], "--subject-height must be 0.5 to 2.6"),
    ],
)  # fmt: skip
def test_what_does_not_fit_several_inputs_is_refused_before_any_work(here, arguments, found):
    """The inputs are no keypoints and there is no such recognizer, which would be complained of."""
    for name in ("a.npz", "b.npz", "c.json"):
        (here / name).write_bytes(b"no keypoints")
    assert found in mistake("predict", *arguments, "--recognizer", "no_such_model")


def test_without_an_input_one_is_asked_for(here):
    assert "INPUT" in mistake("predict", "--output-dir", "out")
