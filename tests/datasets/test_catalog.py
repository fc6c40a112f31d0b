"""The catalog: data sets by name, joined, and mapped to one skeleton."""

import subprocess
import sys

import numpy as np
import pytest

from skelgnn_tf.datasets import h36m
from skelgnn_tf.datasets.catalog import CATALOG, for_task, tasks_of
from skelgnn_tf.datasets.load import load_clips, load_sequences
from skelgnn_tf.skeletons import H36M_17, H36M_17_LCN, MPI_INF_3DHP_17
from support import tiny_h36m


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_h36m.write(tmp_path_factory.mktemp("h36m"), frames=6)


def test_every_entry_says_its_tasks_its_files_and_where_to_get_them():
    assert {"fitness", "h36m", "mpi-inf-3dhp", "ntu60-xsub", "npz"} <= CATALOG.keys()
    for name, entry in CATALOG.items():
        assert entry.about and entry.source, name
        assert entry.tasks and set(entry.tasks) <= {"lift", "action"}, name
    assert [name for name, entry in CATALOG.items() if not entry.files] == ["fitness"]


def test_a_data_set_knows_its_tasks():
    assert tasks_of("fitness") == ("lift", "action")
    assert tasks_of("h36m") == ("lift",) and tasks_of("ntu120-xset") == ("action",)
    with pytest.raises(ValueError, match="dataset must be one of fitness, h36m.*Received: 'h36'"):
        tasks_of("h36")
    for name, task, what in (("h36m", "action", "action recognition"), ("npz", "lift", "pose lifting")):
        assert for_task("fitness", task) is CATALOG["fitness"]
        with pytest.raises(ValueError, match=f"for {what} .*Received: '{name}'"):
            for_task(name, task)
    with pytest.raises(ValueError, match="for action recognition"):
        load_sequences("h36m")


def test_the_table_is_imported_without_the_loaders():
    code = (
        "import sys; import skelgnn_tf.datasets.catalog; heavy = 'scipy', 'keras', 'h5py', 'rich'; "
        "print([name for name in (*heavy, 'skelgnn_tf.datasets.load') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.stdout.strip() == "[]", ran.stderr


def test_data_sets_are_mixed_in_their_order(folder):
    mixed = load_clips(("h36m", "fitness"), (str(folder),), H36M_17_LCN, fitness_clips=1)
    plain = h36m.load(folder)
    assert mixed.skeleton is H36M_17_LCN
    for part in ("train", "test"):
        names = [clip.name for clip in getattr(mixed, part)]
        assert names[: len(getattr(plain, part))] == [clip.name for clip in getattr(plain, part)]
        assert all(name.startswith("fitness") for name in names[len(getattr(plain, part)) :])
    assert len(mixed.train) == len(plain.train) + 1


def test_other_joints_are_mapped_with_their_poses(folder):
    plain, mapped = (load_clips(("h36m",), (str(folder),), s) for s in (H36M_17, MPI_INF_3DHP_17))
    for a, b in zip(plain.test, mapped.test, strict=True):
        for here, there in (("left_wrist", "left_wrist"), ("hip", "pelvis"), ("thorax", "neck")):
            i, j = H36M_17.index(here), MPI_INF_3DHP_17.index(there)
            np.testing.assert_allclose(b.pose_m[:, j], a.pose_m[:, i], atol=1e-6)
            np.testing.assert_allclose(b.keypoints[:, :, j], a.keypoints[:, :, i], atol=1e-3)


@pytest.mark.parametrize(
    ("names", "folders", "message"),
    [
        (("h36",), ("x",), "dataset must be one of fitness, h36m, mpi-inf-3dhp for pose lifting .*Received: 'h36'"),
        (("h36m",), (), "--data-dir must be set for --dataset h36m: a folder with data_3d_h36m.npz.*VideoPose3D"),
        (
            ("h36m",),
            ("a", "b"),
            r"--data-dir must be given once for each data set with files \(h36m\).* Received: 2 for 1",
        ),
        (("h36m", "fitness", "mpi-inf-3dhp"), ("a", "b", "c"), "Received: 3 for 2"),
    ],
)
def test_names_and_folders_that_do_not_fit_are_refused(names, folders, message):
    with pytest.raises(ValueError, match=message) as refused:
        load_clips(names, folders, H36M_17)
    assert "\n" not in str(refused.value)


def test_a_folder_that_is_not_there_is_named():
    with pytest.raises(FileNotFoundError, match="/nowhere: folder not found.*data_3d_h36m.npz"):
        load_clips(("h36m",), ("/nowhere",), H36M_17)
