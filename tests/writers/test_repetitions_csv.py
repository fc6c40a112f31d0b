"""The table of repetitions: units in the header, a row for each, empty cells for what was not measured."""

import csv
import json

import pytest

from skelgnn_tf.writers import save, save_repetitions
from support.forms import FORMS, predicted


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_each_repetition_has_a_row_with_its_values(tmp_path):
    rows = read(save_repetitions(predicted(), tmp_path / "deep" / "reps.csv"))
    assert [row["repetition"] for row in rows] == ["1", "", "1"]
    assert [row["exercise"] for row in rows] == ["squat", "squat", "plank"]
    assert [row["complete"] for row in rows] == ["1", "0", "1"]
    for row, form in zip(rows, FORMS, strict=True):
        for column in ("start_s", "end_s", "there_s", "hold_s", "back_s", "depth_deg", "target_deg"):
            value = getattr(form, column)
            assert row[column] == "" if value is None else float(row[column]) == pytest.approx(value, abs=0.051)
        for name, ends in form.range_deg.items():
            cells = [row[f"{name}_min_deg"], row[f"{name}_max_deg"]]
            assert (
                cells == ["", ""] if ends is None else [float(c) for c in cells] == pytest.approx(list(ends), abs=0.051)
            )
        for joint, value in form.asymmetry_deg.items():
            cell = row[f"{joint}_asymmetry_deg"]
            assert cell == "" if value is None else float(cell) == pytest.approx(value, abs=0.051)
        assert row["cues"] == "; ".join(form.cues)
    # What is measured in planks only is empty in squats.
    assert rows[0]["left_hip_max_deg"] == "" and rows[2]["left_knee_max_deg"] == ""


def test_the_header_names_units(tmp_path):
    header = read(save_repetitions(predicted(), tmp_path / "reps.csv"))[0]
    plain = {"repetition", "exercise", "complete", "cues"}
    assert all(name.endswith(("_s", "_deg")) for name in header if name not in plain) and plain < set(header)


def test_without_repetitions_there_is_a_header(tmp_path):
    text = save_repetitions(predicted(()), tmp_path / "reps.csv").read_text()
    assert text.startswith("repetition,exercise,") and len(text.splitlines()) == 1


def test_json_has_the_same_repetitions(tmp_path):
    found = json.loads(save(predicted(), tmp_path / "out.json").read_text())["motion"]["repetition_list"]
    for one, form in zip(found, FORMS, strict=True):
        for name, value in form._asdict().items():
            if isinstance(value, dict):
                assert set(one[name]) == set(value)
                for key, inner in value.items():
                    assert one[name][key] == (None if inner is None else pytest.approx(inner, abs=1e-5))
            elif isinstance(value, float):
                assert one[name] == pytest.approx(value, abs=1e-5)
            else:
                assert one[name] == (list(value) if isinstance(value, tuple) else value)


@pytest.mark.parametrize(("name", "message"), [("reps.txt", "Received: .txt"), ("reps", "Received: no suffix")])
def test_another_suffix_is_refused(tmp_path, name, message):
    with pytest.raises(ValueError, match=f"{name} must end with .csv. {message}"):
        save_repetitions(predicted(), tmp_path / name)
    assert not list(tmp_path.iterdir())
