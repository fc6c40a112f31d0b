"""The report of actions: what is written, drawn and shown is what was scored."""

import io
import json

import numpy as np
import pytest
from matplotlib.image import imread
from rich.console import Console

from skelgnn_tf.training.action.report import LEFT_OUT_SHOWN, as_json, markdown, show_actions, write_action_report
from skelgnn_tf.training.action.scores import fuse, score_actions

CLASSES = ["sit", "stand", "walk", "run", "jump | hop", "[red]wave", "nobody"]


def make_scores(num_classes=7, clips=90, classes=CLASSES):
    rng = np.random.default_rng(0)
    # The last class has no clips.
    labels = rng.integers(0, num_classes - 1, clips)
    members = []
    for _ in range(2):
        odds = np.exp(rng.normal(size=(clips, num_classes)) + 1.5 * np.eye(num_classes)[labels])
        members.append(odds / odds.sum(axis=1, keepdims=True))
    scores = score_actions(fuse(members, (1, 0.5)), labels, classes)
    scores["ensemble"] = [
        {
            "model": f"runs/{stream}",
            "stream": stream,
            "weight": weight,
            "top1": np.float32((member.argmax(1) == labels).mean()),
        }
        for stream, weight, member in zip(("joint", "bone_motion"), (1, 0.5), members, strict=True)
    ]
    scores["left_out"] = ["S001C001P001R001A001.skeleton: line 7: 'x' is no number", "S002*.skeleton: no body"]
    return scores | {"dataset": "ntu60-xsub", "parameters": 480_000}


@pytest.fixture(scope="module")
def scores():
    return make_scores()


def cells(text, *first):
    """Cells of the one table row that begins with the given ones."""
    rows = [line.replace(r"\|", "¦").strip("| ").split("|") for line in text.splitlines() if line.startswith("|")]
    rows = [[cell.strip().replace("¦", "|") for cell in row] for row in rows]
    (row,) = [row for row in rows if tuple(row[: len(first)]) == first]
    return row


def shown(scores):
    text = io.StringIO()
    show_actions(scores, Console(file=text, width=40, color_system="truecolor", force_terminal=True))
    return text.getvalue().splitlines()


def test_a_report_folder_holds_json_tables_and_readable_pictures(scores, tmp_path):
    folder = tmp_path / "runs/a/report"
    written = write_action_report(scores, folder)
    assert sorted(written) == sorted(folder.iterdir())
    assert [path.name for path in written] == ["report.json", "report.md", "confusion.png", "by_class.png"]
    for path in written[2:]:
        picture = imread(path)[..., :3]
        assert min(picture.shape[:2]) > 300 and picture.std() > 0.05
        assert f"({path.name})" in (folder / "report.md").read_text()


def test_the_json_has_the_scores_and_a_line_for_each_row_of_the_matrix(scores, tmp_path):
    write_action_report(scores, tmp_path)
    text = (tmp_path / "report.json").read_text()
    assert text == as_json(scores)
    read = json.loads(text)
    assert read.keys() == {"format", "task"} | scores.keys() and (read["format"], read["task"]) == (1, "action")
    for key in ("top1", "top5", "mean_class_accuracy", "chance"):
        assert read[key] == pytest.approx(scores[key], abs=5.1e-6)
    for key in ("confusion", "classes", "clips", "left_out"):
        assert read[key] == scores[key]
    assert read["by_class"]["nobody"]["accuracy"] is None
    assert [line.strip().strip(",") for line in text.splitlines() if line.strip().startswith("[")] == [
        str(row) for row in scores["confusion"]
    ]


def test_names_like_rows_of_numbers_stay_as_they_are():
    names = ["[1, 2]", "[ 3 ]", "4\n5"]
    read = json.loads(as_json(score_actions(np.eye(3), np.arange(3), names)))
    assert read["classes"] == list(read["by_class"]) == names


def test_the_summary_says_each_share_once(scores):
    (line,) = [line for line in markdown(scores).splitlines() if line.startswith("**")]
    assert f"top-1 {100 * scores['top1']:.1f}%, top-5 {100 * scores['top5']:.1f}%" in line
    assert f"mean class accuracy {100 * scores['mean_class_accuracy']:.1f}%" in line
    assert f"chance {100 * scores['chance']:.1f}%" in line and "90 clips of 7 classes" in line
    assert "- dataset: ntu60-xsub" in markdown(scores) and "- parameters: 480000" in markdown(scores)


def test_tables_hold_the_numbers_of_each_class_and_pair(scores):
    text = markdown(scores)
    for name, row in scores["by_class"].items():
        found = cells(text.split("## By class")[1], name)
        assert found[1:3] == [str(row["clips"]), str(row["correct"])]
        if name != "nobody":
            assert found[3:5] == [f"{100 * row['accuracy']:.1f}%", f"{100 * row['precision']:.1f}%"]
            taken_for, count = found[5].rsplit(" ", 1)
            assert taken_for == row["most_taken_for"]
            place, other = CLASSES.index(name), CLASSES.index(taken_for)
            assert count == f"({scores['confusion'][place][other]})"
    assert cells(text, "nobody")[3] == cells(text, "nobody")[5] == "-"
    assert len(scores["most_confused"]) == 10
    for pair in scores["most_confused"]:
        confused = text.split("## Most confused")[1].split("## By class")[0]
        assert cells(confused, pair["true"], pair["predicted"])[2:] == [
            str(pair["clips"]),
            f"{100 * pair['share']:.1f}%",
        ]


def test_every_table_row_has_as_many_cells_as_its_header(scores):
    for block in markdown(scores).split("\n\n"):
        rows = [line.replace(r"\|", "") for line in block.splitlines() if line.startswith("|")]
        assert len({row.count("|") for row in rows}) <= 1


def test_each_model_of_an_ensemble_stands_beside_the_fusion(scores):
    text = markdown(scores)
    for member in scores["ensemble"]:
        wanted = [member["stream"], str(member["weight"]), f"{100 * member['top1']:.1f}%"]
        assert cells(text, member["model"])[1:] == wanted
    assert cells(text, "**fused**")[3] == f"{100 * scores['top1']:.1f}%"


def test_what_was_left_out_is_counted_and_listed_up_to_a_limit(scores):
    text = markdown(scores)
    assert "2 clips could not be read" in text and all(line in text for line in scores["left_out"])
    many = [f"file {i}: bad" for i in range(LEFT_OUT_SHOWN + 9)]
    text = markdown(scores | {"left_out": many})
    assert f"{len(many)} clips could not" in text and "... and 9 more" in text
    assert many[LEFT_OUT_SHOWN - 1] in text and many[LEFT_OUT_SHOWN] not in text


def test_names_with_dollars_are_no_formulas(tmp_path):
    scores = score_actions(np.eye(2), np.arange(2), ["pay $5 or $6", r"$\nothing{$"])
    assert len(write_action_report(scores, tmp_path)) == 4


def test_plain_and_perfect_scores_are_reported(tmp_path):
    scores = score_actions(np.eye(2)[[0, 1, 1]], np.array([0, 1, 1]), ["sit", "stand"])
    write_action_report(scores, tmp_path)
    text = (tmp_path / "report.md").read_text()
    assert "No clip was taken for another class" in text
    # Of two classes top-5 would always be 100 %.
    assert "top-5" not in text and "Left out" not in text and "Ensemble" not in text
    assert len(shown(scores)) == 1


def test_pictures_of_120_classes_have_a_line_for_each(tmp_path):
    names = [f"A{i:03d} a rather long name of an action, cut" for i in range(120)]
    write_action_report(make_scores(120, 900, names), tmp_path)
    few, many = tmp_path / "few", tmp_path
    write_action_report(make_scores(), few)
    # A line of text needs ten pixels.
    assert imread(many / "by_class.png").shape[0] > 1190
    assert min(imread(many / "confusion.png").shape[:2]) > 1200
    assert max(imread(few / "confusion.png").shape[:2]) < 1200


def test_the_terminal_shows_shares_models_and_three_pairs(scores):
    lines = shown(scores)
    assert len(lines) == 1 + 2 + 3 + 1
    assert f"top-1 {100 * scores['top1']:.1f}%" in lines[0] and "90 clips" in lines[0]
    for line, member in zip(lines[1:3], scores["ensemble"], strict=True):
        assert member["model"] in line and f"weight {member['weight']}" in line
        assert f"{100 * member['top1']:.1f}%" in line
    for line, pair in zip(lines[3:6], scores["most_confused"], strict=False):
        assert f"{pair['true']} taken for {pair['predicted']}: {pair['clips']} clip" in line
    assert "2 clips left out" in lines[6]


def test_names_are_no_markup_on_the_terminal(scores):
    pair = {"true": "[red]wave", "predicted": "[/]", "clips": 1, "share": 0.5}
    lines = shown(scores | {"most_confused": [pair]})
    assert "  [red]wave taken for [/]: 1 clip (50.0%)" in lines


def test_scores_that_are_no_numbers_leave_the_old_report_whole(scores, tmp_path):
    write_action_report(scores, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_action_report(scores | {"top1": float("nan")}, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
