"""What the reports of both tasks share: rounded values, tables, and the hand-over of a written report."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from skelgnn_tf.training.reports import hand_over, heading, pictures, report_folder, rounded, table, write_text


def test_rounding_makes_numpy_values_plain():
    found = rounded({"a": np.float32(1.23456), "b": (np.int64(3), [np.arange(2)]), "c": None, "d": True, 5: "x"})
    assert json.dumps(found) == '{"a": 1.235, "b": [3, [[0, 1]]], "c": null, "d": true, "5": "x"}'


@pytest.mark.parametrize("decimals", [0, 1, 5])
def test_every_float_is_rounded_however_deep_it_lies(decimals):
    assert rounded({"a": [{"b": (1 / 3, 2)}]}, decimals) == {"a": [{"b": [round(1 / 3, decimals), 2]}]}


def test_a_table_is_markdown_with_bars_in_names_kept_apart():
    assert table(["name", "mm"], [["a|b", 1.5], ["c", "-"]]) == [
        "| name | mm |", "| --- | ---: |", "| a\\|b | 1.5 |", "| c | - |",
    ]  # fmt: skip


def test_the_head_of_a_report_names_its_strings_and_integers():
    scores = {"protocol": "camera", "data_set": "h36m", "clips": 3, "p1_mm": 50.0, "by_action": {}}
    assert heading(scores, "protocol") == ["- data set: h36m", "- clips: 3"]
    assert pictures(["by_action.png"])[-1] == "![by action](by_action.png)"


def test_reports_lie_in_the_run_next_to_the_file_or_in_runs(tmp_path):
    (tmp_path / "model.keras").write_text("")
    assert report_folder(tmp_path) == report_folder(tmp_path / "model.keras") == tmp_path / "report"
    assert report_folder("fitness_9f") == Path("runs/fitness_9f/report")


def test_the_json_that_is_asked_for_is_the_reports_and_the_folder_is_named(tmp_path, capsys):
    files, shown = [tmp_path / "report" / name for name in ("report.json", "report.md", "hardest.png")], io.StringIO()
    write_text(files[0], '{"p1_mm": 50.0}\n')
    report = (tmp_path / "report" / "report.json").read_text()
    hand_over(files, str(tmp_path / "deep" / "scores.json"), Console(file=shown))
    assert (tmp_path / "deep" / "scores.json").read_text() == report and capsys.readouterr().out == ""
    hand_over(files, "-", Console(quiet=True))
    assert capsys.readouterr().out == report
    hand_over(files, None, Console(file=shown))
    line = f"report: {tmp_path}/report/ (report.json, report.md, {', '.join(f.name for f in files[2:])})\n"
    assert shown.getvalue() == 2 * line and capsys.readouterr().out == ""
