"""Recognition from the command line: what learns, resumes, is scored and fused, and what a mistake costs."""

import json

import numpy as np
import pytest

from skelgnn_tf import checkpoints
from skelgnn_tf.configs import ActionConfig
from skelgnn_tf.datasets.sequences import SequenceWriter
from skelgnn_tf.training.action import task as recognition
from support import tiny_actions, tiny_ntu
from support.command_line import call, mistake

SMALL = (
    "--task action --size small --channels 8 --frames 8 --no-dynamic --short-hops 1 --max-hops 1 --rotation 0 --seed 1"
).split()


def train(*arguments):
    result = call("train", *SMALL, *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with the data and runs of two streams."""
    folder = tmp_path_factory.mktemp("recognition")
    data = tiny_actions.write(folder)
    settings = ["--batch-size", 4, "--learning-rate", 0.01]
    with pytest.MonkeyPatch.context() as patch:
        # A run leaves its link runs/last where it was started.
        patch.chdir(folder)
        for name, stream, epochs in (("j", "joint", 60), ("b", "bone", 2)):
            train(*data, *settings, "--stream", stream, "--epochs", epochs, "--output", folder / name)
    return folder


def probabilities(run, folder):
    """Softmax of a run's test scores by our own loop over the clips."""
    loaded = checkpoints.load(run)
    model, config = loaded.model, loaded.config
    data = recognition.load_data(config)
    rows = []
    for i in range(len(data.test)):
        clip = data.test.clip(i)
        # Eight frames at 15 of the clip's 30 frames a second, from its middle.
        start = max(clip.shape[1] - 1 - 2 * 7, 0) / 2
        at = np.minimum(np.floor(start + 2 * np.arange(config.frames) + 0.5).astype(int), clip.shape[1] - 1)
        x = clip[:, at]
        logits = np.asarray(model(x[None].astype(np.float32)))[0].astype(float)
        rows.append(np.exp(logits) / np.exp(logits).sum())
    return np.array(rows), data.test.label


def test_hands_that_go_up_are_told_apart(trained, here):
    result = call("evaluate", trained / "j", "--json", "report.json")
    assert result.exit_code == 0, result.output
    report = json.loads((here / "report.json").read_text())
    assert report == json.loads((trained / "j" / "report" / "report.json").read_text())
    # The data set that it was trained on, named once more, is where it was.
    again = call("evaluate", trained / "j", "--dataset", "npz", "--output", "again", "--json", "again.json")
    assert again.exit_code == 0, again.output
    assert json.loads((here / "again.json").read_text()) == report
    scores, labels = probabilities(trained / "j", trained)
    assert report["top1"] == pytest.approx((scores.argmax(axis=1) == labels).mean(), abs=1e-4)
    assert report["top1"] > 0.8 and report["clips"] == 12 and np.sum(report["confusion"]) == 12
    assert (trained / "j" / "report" / "confusion.png").exists()
    config = checkpoints.load(trained / "j").config
    assert (config.input, config.skeleton, config.persons, config.normalization) == ("pose", "ntu_25", 1, "center")


def test_streams_are_fused_by_the_mean_of_their_scores(trained, here):
    runs = [trained / "j", trained / "b"]
    result = call("evaluate", *runs, "--ensemble", "--weights", "3,1", "--json", "fused.json")
    assert result.exit_code == 0, result.output
    report = json.loads((here / "fused.json").read_text())
    (a, labels), (b, _) = (probabilities(run, trained) for run in runs)
    assert report["top1"] == pytest.approx(((0.75 * a + 0.25 * b).argmax(axis=1) == labels).mean(), abs=1e-4)
    assert [member["stream"] for member in report["ensemble"]] == ["joint", "bone"]
    assert [member["weight"] for member in report["ensemble"]] == [0.75, 0.25]
    assert "MODELS must be several with --ensemble" in mistake("evaluate", trained / "j", "--ensemble")
    assert "several MODELS must be used with --ensemble" in mistake("evaluate", *runs)
    assert "one number for each of 2 models. Received: 3." in mistake(
        "evaluate", *runs, "--ensemble", "--weights", "1,2,3"
    )
    assert "--ensemble is only valid for action recognition" in mistake(
        "evaluate", "fitness_9f", "fitness_9f", "--ensemble"
    )
    line = mistake("evaluate", trained / "j", "--weights", "1")
    assert line == f"--weights must be used with --ensemble. Received: one model, {trained / 'j'}."
    assert "--weights must be numbers separated by commas" in mistake(
        "evaluate", *runs, "--ensemble", "--weights", "much,little"
    )
    assert "--hard-reference is only valid for pose lifting" in mistake(
        "evaluate", runs[0], "--hard-reference", runs[1]
    )


def test_models_and_data_that_do_not_fit_each_other_cost_one_line(trained, here):
    runs = []
    for name, data in (
        ("renamed", tiny_actions.write(make_folder(here / "a"), classes=("left", "right", "none"))),
        ("fewer clips", tiny_actions.write(make_folder(here / "b"), tiny_actions.arrays(test=9))),
    ):
        train(*data, "--epochs", 1, "--output", name)
        runs.append(name)
    line = mistake("evaluate", trained / "j", runs[0], "--ensemble")
    assert line == f"renamed must have the classes of {trained / 'j'} to be fused with it. Received: other classes."
    line = mistake("evaluate", trained / "j", runs[1], "--ensemble")
    assert line.startswith(f"fewer clips must have the test clips of {trained / 'j'}. Received: other data. Name one")
    line = mistake("evaluate", runs[0], "--labels", trained / "labels.txt")
    assert line.startswith("renamed must be scored on data with its 3 classes (left, right, none, ...). ") and (
        "Received: 3 classes (lift-left, " in line
    )


def make_folder(path):
    path.mkdir()
    return path


def test_a_run_in_two_parts_ends_where_one_in_one_part_does(trained, here):
    data = tiny_actions.write(here)
    settings = [*data, "--batch-size", 8, "--joint-drop", 0.1, "--dropout", 0.2, "--flip", "--output"]
    # The schedule of the learning rate reaches to the last epoch, so the run is cut by hand, not by --epochs.
    train(*settings, "whole", "--epochs", 3)
    from skelgnn_tf.training import fit as training

    class Stop(training.Checkpoint):
        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, logs)
            if epoch == 0:
                raise KeyboardInterrupt

    original = training.Checkpoint
    training.Checkpoint = Stop
    try:
        assert call("train", *SMALL, *settings, "parts", "--epochs", 3).exit_code == 130
    finally:
        training.Checkpoint = original
    assert call("train", "--resume", "--output", "parts").exit_code == 0
    for a, b in zip(
        checkpoints.load(here / "whole").model.get_weights(),
        checkpoints.load(here / "parts").model.get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)


def test_raw_skeletons_of_a_part_of_ntu_are_trained_on(here):
    (here / "raw").mkdir()
    tiny_ntu.write(here / "raw", *(f"S001C001P00{p}R001A00{a}" for p in (1, 2, 3) for a in (1, 2)))
    data = ["--dataset", "ntu60-xsub", "--data-dir", "raw", "--epochs", 1, "--output", "run"]
    assert "and 55 more classes" in train(*data)
    loaded = checkpoints.load(here / "run")
    model, config = loaded.model, loaded.config
    assert len(model.classes) == 60 and config.dataset == ("ntu60-xsub",)
    # The best known preset way works for recognizers too.
    checkpoints.save_preset(here / "run", here / "mine", licence="none")
    loaded = checkpoints.load(here / "mine")
    again, its_config = loaded.model, loaded.config
    assert its_config == config.replace(data_dir=()) and again.classes == model.classes
    x = np.random.default_rng(0).normal(size=(2, *model.input_axes[1:])).astype(np.float32)
    np.testing.assert_allclose(np.asarray(again(x)), np.asarray(model(x)), atol=1e-6)


def broken(made, what):
    """The arrays with one fault each."""
    if what == "NaN":
        made["x_train"][5, 3, 7] = np.nan
    elif what == "a label outside":
        made["y_train"][5] = 0
    elif what == "lengths":
        made["y_train"] = made["y_train"][:-1]
    elif what == "a class without clip":
        made |= {key: np.pad(made[key], ((0, 0), (0, 1))) for key in ("y_train", "y_test")}
    elif what == "an empty split":
        made |= {"x_test": made["x_test"][:0], "y_test": made["y_test"][:0]}
    return made


@pytest.mark.parametrize(
    ("what", "found"),
    [
        ("NaN", r"x_train"),
        ("a label outside", r"y_train"),
        ("lengths", r"23"),
        ("a class without clip", r"jump"),
        ("an empty split", r"test"),
    ],
)
def test_bad_files_cost_one_line_that_names_file_and_place(here, what, found):
    classes = (*tiny_actions.CLASSES, "jump") if what == "a class without clip" else tiny_actions.CLASSES
    data = tiny_actions.write(here, broken(tiny_actions.arrays(), what), classes)
    line = mistake("train", *SMALL, *data, "--output", "run")
    assert found in line
    if what in ("NaN", "a label outside"):
        assert "actions.npz" in line and "5" in line and "--skip-bad" in line


def test_skipped_clips_are_listed_and_counted_in_the_report(here):
    data = tiny_actions.write(here, broken(tiny_actions.arrays(), "NaN"))
    printed = train(*data, "--epochs", 1, "--skip-bad", "--output", "run")
    assert "left out: " in printed and "x_train[5]" in printed and "23 clips" in printed
    assert call("evaluate", "run", "--json", "report.json").exit_code == 0
    assert [("x_train" in line) for line in json.loads((here / "report.json").read_text())["left_out"]] == [True]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--dataset", "npz"], "--data-file"),
        (["--dataset", "h36m"], "task must be lift for h36m"),
        (["--dataset", "fitness", "--dataset", "npz"], "--dataset must name one data set"),
        (["--dataset", "ntu60-xsub"], "--data-dir"),
        (["--dataset", "ntu60-xsub", "--data-dir", "/nowhere"], "/nowhere"),
        (["--views", "random"], "--views is only valid for pose lifting"),
        (["--sampling", "resize", "--fps", "20"], "--sampling window"),
        (["--dataset", "fitness", "--skeleton", "ntu_25"], "ntu_25"),
    ],
)
def test_what_cannot_be_recognized_says_what_is_wanted(here, arguments, found):
    assert found in mistake("train", "--task", "action", *arguments)


def test_held_out_clips_come_from_every_class_and_are_not_trained_on():
    writer = SequenceWriter("pose")
    for i in range(41):
        writer.add(f"clip {i}", np.ones((1, 3, 5, 3)), label=i % 4 if i < 40 else 4, fps=30)
    sequences = writer.close()
    fit, held_out = recognition.hold_out(sequences, 0.2)
    assert np.bincount(held_out.label, minlength=5).tolist() == [2, 2, 2, 2, 0]
    assert sorted([*fit.names, *held_out.names]) == sorted(sequences.names)
    assert len(recognition.hold_out(sequences, 0.0)[1]) == 0


@pytest.mark.parametrize(("recipe", "begin", "end"), [("paper", 0.1, 0.001), ("modern", 0.0, 0.0)])
def test_the_learning_rate_follows_the_recipe(recipe, begin, end):
    writer = SequenceWriter("pose")
    for i in range(8):
        writer.add(f"clip {i}", np.random.default_rng(i).normal(size=(1, 9, 25, 3)), label=i % 2, fps=30)
    from skelgnn_tf.datasets.sequences import SequenceSet
    from skelgnn_tf.skeletons import NTU_25

    sequences = writer.close()
    data = SequenceSet(NTU_25, ("a", "b"), sequences, sequences)
    config = ActionConfig(dataset=("npz",), recipe=recipe, epochs=60, batch_size=4)
    task = recognition.Recognition(config, data)
    rate = task.optimizer()._learning_rate
    assert task.steps == 2
    assert float(rate(0)) == pytest.approx(begin, abs=1e-7) and float(rate(120)) == pytest.approx(end, abs=1e-7)
    if recipe == "paper":
        assert [float(rate(2 * epoch + 1)) for epoch in (34, 36, 44, 46)] == pytest.approx([0.1, 0.01, 0.01, 0.001])
    else:
        assert float(rate(12)) == pytest.approx(config.learning_rate) and float(rate(66)) == pytest.approx(
            1e-3, rel=0.01
        )
