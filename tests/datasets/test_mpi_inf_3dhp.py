import h5py
import numpy as np
import pytest

from skelgnn_tf.datasets import mpi_inf_3dhp
from skelgnn_tf.skeletons import MPI_INF_3DHP_17


def sequence(frames, seed=0, valid=None):
    rng = np.random.default_rng(seed)
    out = {"data_2d": rng.uniform(0, 1000, (frames, 17, 2)), "data_3d": rng.uniform(-900, 4000, (frames, 17, 3))}
    return out if valid is None else out | {"valid": np.array(valid)}


def write_npz(path, sequences):
    box = np.empty((), object)
    box[()] = sequences
    np.savez_compressed(path, data=box)


def write_mat(folder, frames, valid, **without):
    """annot_data.mat as MATLAB saves it: arrays filled by their MATLAB indices, axes from last to first in the file."""
    annot2, annot3 = np.zeros((2, 17, 1, frames)), np.zeros((3, 17, 1, frames))
    for frame in range(frames):
        for joint in range(17):
            for channel in range(3):
                annot3[channel, joint, 0, frame] = 10000 * channel + 100 * joint + frame
                if channel < 2:
                    annot2[channel, joint, 0, frame] = 1000 * channel + 10 * joint + frame / 8
    folder.mkdir(parents=True)
    arrays = {"annot2": annot2, "univ_annot3": annot3, "annot3": annot3 * 2, "valid_frame": np.array([valid], float)}
    with h5py.File(folder / "annot_data.mat", "w") as file:
        for key, matlab in arrays.items():
            if key not in without:
                file[key] = np.transpose(matlab)


def write_both(folder):
    train = {
        "S1 Seq1": [{"0": sequence(4, 1), "8": sequence(4, 2)}, 25],
        "S2 Seq2": [{"0": sequence(3, 3)}, 50],
    }
    test = {f"TS{number}": sequence(number + 2, number, [1, 0] + number * [1]) for number in range(1, 7)}
    write_npz(folder / "data_train_3dhp.npz", train)
    write_npz(folder / "data_test_3dhp.npz", test)
    return train, test


def test_every_camera_of_a_training_sequence_becomes_a_clip_in_meters(tmp_path):
    train, _ = write_both(tmp_path)
    clips = mpi_inf_3dhp.load(tmp_path)
    assert clips.skeleton is MPI_INF_3DHP_17
    assert [clip.name for clip in clips.train] == ["S1 Seq1 camera 0", "S1 Seq1 camera 8", "S2 Seq2 camera 0"]
    assert [(clip.subject, clip.action, clip.fps) for clip in clips.train[1:]] == [
        ("S1", "Seq1", 25),
        ("S2", "Seq2", 50),
    ]
    eighth = train["S1 Seq1"][0]["8"]
    for frame, joint, axis in np.ndindex(4, 17, 3):
        assert clips.train[1].pose_m[frame, joint, axis] == pytest.approx(eighth["data_3d"][frame, joint, axis] * 1e-3)
    np.testing.assert_allclose(clips.train[1].keypoints, eighth["data_2d"][None], rtol=1e-6)
    assert {clip.image_size_px for clip in clips.train} == {(2048, 2048)}


def test_test_sequences_know_their_setting_picture_and_valid_frames(tmp_path):
    write_both(tmp_path)
    clips = mpi_inf_3dhp.load(tmp_path).test
    assert [clip.subject for clip in clips] == ["TS1", "TS2", "TS3", "TS4", "TS5", "TS6"]
    settings = ["green_screen"] * 2 + ["no_green_screen"] * 2 + ["outdoor"] * 2
    assert [clip.action for clip in clips] == settings
    assert [clip.image_size_px for clip in clips] == [(2048, 2048)] * 4 + [(1920, 1080)] * 2
    for number, clip in enumerate(clips, 1):
        assert clip.valid.tolist() == [True, False] + number * [True]


def test_the_original_files_are_read_with_matlabs_axes_turned_back(tmp_path):
    write_mat(tmp_path / "TS5", frames=4, valid=[1, 1, 0, 1])
    clip = mpi_inf_3dhp.load_test_mat(tmp_path / "TS5")
    assert (clip.subject, clip.action, clip.image_size_px) == ("TS5", "outdoor", (1920, 1080))
    assert clip.valid.tolist() == [True, True, False, True]
    assert clip.keypoints.shape == (1, 4, 17, 2)
    for frame, joint in np.ndindex(4, 17):
        x, y = clip.keypoints[0, frame, joint]
        assert (x, y) == (10 * joint + frame / 8, 1000 + 10 * joint + frame / 8)
        millimeters = [100 * joint + frame + 10000 * axis for axis in range(3)]
        np.testing.assert_allclose(clip.pose_m[frame, joint] * 1000, millimeters, rtol=1e-6)


def test_a_folder_of_original_sequences_is_a_test_set_without_training(tmp_path):
    for name in ("TS3", "TS1", "TS6"):
        write_mat(tmp_path / name, 3, [1, 1, 1])
    clips = mpi_inf_3dhp.load(tmp_path)
    assert clips.train == ()
    assert [clip.name for clip in clips.test] == ["TS1", "TS3", "TS6"]


def test_original_test_sequences_may_lie_beside_a_training_file(tmp_path):
    write_both(tmp_path)
    (tmp_path / "data_test_3dhp.npz").unlink()
    write_mat(tmp_path / "TS2", 3, [1, 1, 1])
    clips = mpi_inf_3dhp.load(tmp_path)
    assert (len(clips.train), [clip.name for clip in clips.test]) == (3, ["TS2"])


def test_fourteen_joints_count():
    names = [MPI_INF_3DHP_17.joints[joint] for joint in mpi_inf_3dhp.COUNTING_JOINTS]
    assert len(names) == 14
    assert not {"pelvis", "spine", "head"} & set(names)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.update(TS7=s.pop("TS1")), "the test sequence must be .* Received: 'TS7'"),
        (lambda s: s["TS1"].update(valid=np.ones(7)), "TS1: valid must .* 3 frames. Received: 7"),
        (lambda s: s["TS1"].pop("valid"), "TS1: valid must"),
        (lambda s: s["TS1"].pop("data_2d"), "TS1: .* must be a dict with data_2d"),
        (lambda s: s["TS1"].update(data_2d=np.zeros((3, 28, 2))), r"TS1: data_2d must be .* Received: \(3, 28, 2\)"),
        (
            lambda s: s["TS1"].update(data_3d=np.zeros((4, 17, 3))),
            r"TS1: data_3d must be \(3, 17, 3\) .* Received: \(4",
        ),
        (lambda s: s["TS1"]["data_3d"].__setitem__((2, 5), np.nan), "TS1: pose_m .* frame 2, joint 5"),
        (lambda s: s.clear(), "'data' must be a dict of sequences"),
    ],
)
def test_test_files_that_do_not_fit_are_refused(tmp_path, change, message):
    _, test = write_both(tmp_path)
    change(test)
    write_npz(tmp_path / "data_test_3dhp.npz", test)
    with pytest.raises(ValueError, match=message):
        mpi_inf_3dhp.load(tmp_path)


@pytest.mark.parametrize("entry", [{"0": sequence(2)}, [{"0": sequence(2)}], [sequence(2), "25"], [[sequence(2)], 25]])
def test_training_files_that_do_not_fit_are_refused(tmp_path, entry):
    write_npz(tmp_path / "data_train_3dhp.npz", {"S1 Seq1": entry})
    with pytest.raises(ValueError, match=r"data_train_3dhp.npz, S1 Seq1"):
        mpi_inf_3dhp.load(tmp_path)


def test_a_mat_file_of_something_else_is_refused(tmp_path):
    write_mat(tmp_path / "TS1", 3, [1, 1, 1], univ_annot3=False)
    with pytest.raises(ValueError, match="must have annot2, univ_annot3 .* Received: annot2, valid_frame"):
        mpi_inf_3dhp.load(tmp_path)
    (tmp_path / "TS1" / "annot_data.mat").write_bytes(b"MATLAB 5.0 MAT-file")
    with pytest.raises(ValueError, match=r"TS1.annot_data\.mat: the file must be HDF5"):
        mpi_inf_3dhp.load(tmp_path)
    write_mat(tmp_path / "elsewhere", 3, [1, 1, 1])
    with pytest.raises(ValueError, match="the test sequence must be .*Received: 'elsewhere'"):
        mpi_inf_3dhp.load_test_mat(tmp_path / "elsewhere")


def test_arrays_whose_axes_are_not_turned_are_refused(tmp_path):
    (tmp_path / "TS1").mkdir()
    with h5py.File(tmp_path / "TS1" / "annot_data.mat", "w") as file:
        file["annot2"], file["univ_annot3"] = np.zeros((2, 17, 1, 3)), np.zeros((3, 17, 1, 3))
        file["valid_frame"] = np.ones((1, 3))
    with pytest.raises(ValueError, match=r"annot2 must be \(frames, 1, 17, 2\).*Received: \(2, 17, 1, 3\)"):
        mpi_inf_3dhp.load(tmp_path)


def test_a_folder_without_any_of_it_says_what_was_expected(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere: folder not found.*P-STMO"):
        mpi_inf_3dhp.load(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"no file of MPI-INF-3DHP found.*annot_data.mat"):
        mpi_inf_3dhp.load(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"TS1.annot_data.mat: file not found"):
        mpi_inf_3dhp.load_test_mat(tmp_path / "TS1")
