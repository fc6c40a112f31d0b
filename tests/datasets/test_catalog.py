"""The catalogue: data sets by name, mixed, and mapped to one skeleton."""

import numpy as np
import pytest

from skelgnn_tf.datasets import catalog, h36m
from skelgnn_tf.skeletons import H36M_17, H36M_17_LCN, MPI_INF_3DHP_17
from support import tiny_h36m


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_h36m.write(tmp_path_factory.mktemp("h36m"), frames=6)


def test_every_entry_says_what_it_wants_and_where_to_get_it():
    assert {"fitness", "h36m", "mpi-inf-3dhp"} <= catalog.CATALOG.keys()
    for name, entry in catalog.CATALOG.items():
        assert entry.about and entry.source, name
    assert not catalog.CATALOG["fitness"].files


def test_data_sets_are_mixed_in_their_order(folder):
    mixed = catalog.load(("h36m", "fitness"), (str(folder),), H36M_17_LCN, fitness_clips=1)
    alone = h36m.load(folder)
    assert mixed.skeleton is H36M_17_LCN
    for part in ("train", "test"):
        names = [clip.name for clip in getattr(mixed, part)]
        assert names[: len(getattr(alone, part))] == [clip.name for clip in getattr(alone, part)]
        assert all(name.startswith("fitness") for name in names[len(getattr(alone, part)) :])
    assert len(mixed.train) == len(alone.train) + 1


def test_other_joints_are_mapped_with_their_poses(folder):
    plain, mapped = (catalog.load(("h36m",), (str(folder),), s) for s in (H36M_17, MPI_INF_3DHP_17))
    for a, b in zip(plain.test, mapped.test, strict=True):
        for here, there in (("left_wrist", "left_wrist"), ("hip", "pelvis"), ("thorax", "neck")):
            i, j = H36M_17.index(here), MPI_INF_3DHP_17.index(there)
            np.testing.assert_allclose(b.pose_m[:, j], a.pose_m[:, i], atol=1e-6)
            np.testing.assert_allclose(b.keypoints[:, :, j], a.keypoints[:, :, i], atol=1e-3)


@pytest.mark.parametrize(
    ("names", "folders", "message"),
    [
        (("h36",), ("x",), "unknown data set 'h36'; there are fitness, h36m"),
        (("h36m",), (), "--dataset h36m wants --data-dir, a folder with data_3d_h36m.npz.*VideoPose3D"),
        (("h36m",), ("a", "b"), r"found 2 --data-dir for 1 data sets with files \(h36m\)"),
        (("h36m", "fitness", "mpi-inf-3dhp"), ("a", "b", "c"), "found 3 --data-dir for 2"),
    ],
)
def test_names_and_folders_that_do_not_fit_are_refused(names, folders, message):
    with pytest.raises(ValueError, match=message) as refused:
        catalog.load(names, folders, H36M_17)
    assert "\n" not in str(refused.value)


def test_a_folder_that_is_not_there_is_named():
    with pytest.raises(FileNotFoundError, match="no folder /nowhere.*data_3d_h36m.npz"):
        catalog.load(("h36m",), ("/nowhere",), H36M_17)
