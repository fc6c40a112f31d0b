"""The report folder: what is written is what was scored, and nothing is left half-written."""

import json
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.image import imread

from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.skeletons import H36M_17
from skelgnn_tf.training.lift.baselines import baseline_scores
from skelgnn_tf.training.lift.report import markdown, write_report
from skelgnn_tf.training.lift.scores import frame_errors, score_3dhp, score_lifting


@pytest.fixture(scope="module")
def scores():
    rng = np.random.default_rng(0)
    clips = [
        Clip(
            f"TS{i} {action}",
            rng.uniform(0, 1000, (1, 20, 17, 2)).astype("f4"),
            rng.normal(size=(20, 17, 3)) * 0.3,
            action=action,
            subject=f"TS{i}",
        )
        for i, action in enumerate(("Walking", "Sitting", "Eating"))
    ]
    predictions = [clip.pose_m - clip.pose_m[:, :1] + rng.normal(size=(20, 17, 3)) * 0.05 for clip in clips]
    scores = score_lifting(predictions, clips, H36M_17, frame_errors(predictions[::-1], clips, H36M_17))
    scores["hard_reference"]["name"] = "runs/fcn"
    scores["baselines"] = baseline_scores(clips, clips, H36M_17)
    outdoor = [replace(clip, action="outdoor") for clip in clips]
    scores["mpi_inf_3dhp"] = score_3dhp(predictions, outdoor, H36M_17)
    return scores | {"dataset": "h36m", "keypoints": "gt"}


def cells(text, first):
    """Cells of the one table row that begins with a given cell."""
    rows = [
        [cell.strip() for cell in line.strip("| ").split("|")] for line in text.splitlines() if line.startswith("|")
    ]
    (row,) = [row for row in rows if row[0] == first]
    return row


def test_a_report_folder_holds_json_tables_and_readable_pictures(scores, tmp_path):
    folder = tmp_path / "runs/a/report"
    written = write_report(scores, folder)
    assert sorted(written) == sorted(folder.iterdir())
    assert {path.suffix for path in written} == {".json", ".md", ".png"}
    pictures = [path for path in written if path.suffix == ".png"]
    assert len(pictures) == 4
    for path in pictures:
        picture = imread(path)[..., :3]
        assert min(picture.shape[:2]) > 300 and picture.std() > 0.05
        assert f"({path.name})" in (folder / "report.md").read_text()


def test_the_json_has_the_scores_to_a_micrometer(scores, tmp_path):
    write_report(scores, tmp_path)
    read = json.loads((tmp_path / "report.json").read_text())
    assert read.keys() == {"format", "task"} | scores.keys() and (read["format"], read["task"]) == (1, "lift")
    assert read["p1_mm"] == pytest.approx(scores["p1_mm"], abs=5.1e-4)
    assert read["by_action"]["Sitting"]["p2_mm"] == pytest.approx(scores["by_action"]["Sitting"]["p2_mm"], abs=5.1e-4)
    assert (read["frames"], read["protocol"], read["dataset"]) == (60, "camera", "h36m")


def test_tables_hold_the_model_beside_its_floors(scores):
    text = markdown(scores)
    p1 = f"{scores['p1_mm']:.1f} ({scores['p1_frame_mean_mm']:.1f})"
    assert cells(text, "**model**")[1] == p1
    assert cells(text, "linear ridge")[1:3] == [
        f"{scores['baselines']['linear_ridge'][key]:.1f}" for key in ("p1_mm", "p2_mm")
    ]
    sitting = scores["by_action"]["Sitting"]
    assert cells(text, "Sitting")[1:3] == [f"{sitting['p1_mm']:.1f}", f"{sitting['p2_mm']:.1f}"]
    assert cells(text, "Sitting")[-1] == "20"
    assert cells(text, "**model**, hardest for runs/fcn")[-1] == f"{scores['hard_reference']['hardest_5_mm']:.1f}"
    assert cells(text, "TS1")[1] == f"{scores['mpi_inf_3dhp']['by_sequence']['TS1']['pck']:.1%}"
    assert cells(text, "left_wrist")[1] == f"{scores['by_joint_mm']['left_wrist']:.1f}"
    assert "h36m" in text and "**camera**" in text


def test_every_table_row_has_as_many_cells_as_its_header(scores):
    for block in markdown(scores).split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        assert len({row.count("|") for row in rows}) <= 1


def test_a_pixel_report_warns_of_comparing_it(scores):
    assert "not to be compared with the camera protocol" in markdown(scores | {"protocol": "pixel"})


def test_scores_without_baselines_reference_or_velocities_are_reported(scores, tmp_path):
    bare = {key: scores[key] for key in scores.keys() - {"baselines", "hard_reference", "mpi_inf_3dhp", "dataset"}}
    still = {action: row | {"mpjve_mm": None} for action, row in scores["by_action"].items()}
    write_report(bare | {"mpjve_mm": None, "by_action": still}, tmp_path)
    assert cells((tmp_path / "report.md").read_text(), "Sitting")[4] == "-"


def test_scores_that_are_no_numbers_leave_the_old_report_whole(scores, tmp_path):
    write_report(scores, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_report(scores | {"p1_mm": float("nan")}, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_folder_that_is_a_file_is_an_os_error(scores, tmp_path):
    (tmp_path / "report").write_text("mine")
    with pytest.raises(OSError, match="report"):
        write_report(scores, tmp_path / "report")
    assert (tmp_path / "report").read_text() == "mine"
