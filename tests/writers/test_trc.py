"""TRC files, read back by trc-data-reader."""

import numpy as np
import pytest

from skelgnn_tf.skeletons import H36M_17, NTU_25
from skelgnn_tf.writers.trc import trc_text

trc = pytest.importorskip("trc", reason="trc-data-reader is not installed: pip install -e '.[dev]'")


def read(text, tmp_path):
    (tmp_path / "a.trc").write_text(text)
    data = trc.TRCData()
    data.load(str(tmp_path / "a.trc"))
    return data


@pytest.mark.parametrize("skeleton", [H36M_17, NTU_25], ids=lambda s: s.name)
def test_markers_lie_where_the_joints_are(skeleton, tmp_path):
    pose_m = np.random.default_rng(0).normal(size=(7, skeleton.num_joints, 3)).astype(np.float32)
    data = read(trc_text(pose_m, skeleton, 29.97, "squats.trc"), tmp_path)
    assert data["Markers"] == list(skeleton.joints) and data["FileName"] == "squats.trc"
    assert (data["NumFrames"], data["NumMarkers"], data["Units"]) == (7, skeleton.num_joints, "m")
    assert (data["DataRate"], data["CameraRate"], data["OrigNumFrames"]) == (29.97, 29.97, 7)
    assert data["Frame#"] == [1, 2, 3, 4, 5, 6, 7]
    np.testing.assert_allclose(data["Time"], np.arange(7) / 29.97, atol=6e-7)
    for joint, name in enumerate(skeleton.joints):
        # x right, y up, z towards the camera.
        right, down, forward = pose_m[:, joint].T
        np.testing.assert_allclose(data[name], np.stack([right, -down, -forward], axis=1), atol=6e-7)


def test_frames_without_anyone_are_missing_markers(tmp_path):
    pose_m = np.random.default_rng(0).normal(size=(5, 17, 3))
    pose_m[[0, 3]] = np.nan
    data = read(trc_text(pose_m, H36M_17, 30.0, "a.trc"), tmp_path)
    missing = np.isnan([data[name] for name in H36M_17.joints])
    assert missing.all(axis=(0, 2)).tolist() == missing.any(axis=(0, 2)).tolist() == [True, False, False, True, False]


def test_every_line_has_a_cell_for_each_column():
    # OpenSim counts them, in frames without anyone too.
    pose_m = np.zeros((3, 17, 3))
    pose_m[1] = np.nan
    lines = trc_text(pose_m, H36M_17, 30.0, "a.trc").split("\n")
    assert [len(line.split("\t")) for line in (lines[3], lines[4], *lines[6:9])] == [2 + 3 * 17] * 5
    assert lines[5] == "" and lines[9:] == [""]
