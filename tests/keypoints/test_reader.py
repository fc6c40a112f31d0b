"""Keypoint files as users of detectors save them, written here with numpy only."""

import numpy as np
import pytest

from skelgnn_tf.keypoints import read_keypoints
from skelgnn_tf.skeletons import joint_map
from support.keypoints import SIZE, coco_px, h36m_px
from support.tiny_h36m import boxed


def saved(path, array, **more):
    if path.suffix == ".npy":
        np.save(path, array)
    else:
        np.savez(path, keypoints=array, **more)
    return path


def test_pixels_confidence_size_and_rate_come_as_they_were_saved(tmp_path):
    confidence = np.random.default_rng(0).uniform(0.1, 1, (2, 6, 17, 1))
    array = np.concatenate([np.stack([coco_px(), coco_px() + 50]), confidence], axis=-1)
    file = read_keypoints(saved(tmp_path / "a.npz", array, image_size=SIZE, fps=59.94))
    np.testing.assert_allclose(file.keypoints, array, rtol=1e-6)
    assert file.keypoints.dtype == np.float32
    assert (file.layout, file.image_size_px, file.fps) == ("coco_17", SIZE, 59.94)
    assert len(file.notes) == 1 and "look like coco_17" in file.notes[0]


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_one_person_without_confidence_is_fully_confident(tmp_path, name):
    file = read_keypoints(saved(tmp_path / name, coco_px().astype(int)), "coco_17", SIZE, 25)
    np.testing.assert_array_equal(file.keypoints[0, ..., :2], coco_px().astype(int))
    assert file.keypoints.shape == (1, 6, 17, 3) and (file.keypoints[..., 2] == 1).all()
    assert (file.image_size_px, file.fps, file.notes) == (SIZE, 25.0, ())


def test_the_only_array_of_an_npz_needs_no_name(tmp_path):
    np.savez(tmp_path / "a.npz", poses_2d=coco_px(), fps=np.array([24]))
    assert read_keypoints(tmp_path / "a.npz").fps == 24
    np.savez(tmp_path / "b.npz", left=coco_px(), right=coco_px())
    with pytest.raises(
        ValueError, match="b.npz: the file must have the key 'keypoints' or a single array. Received: left, right"
    ):
        read_keypoints(tmp_path / "b.npz")


def test_an_argument_comes_before_what_the_file_says(tmp_path):
    path = saved(tmp_path / "a.npz", coco_px(), image_size=SIZE, fps=30)
    file = read_keypoints(path, "h36m_17", (640, 480), 15)
    assert (file.layout, file.image_size_px, file.fps) == ("h36m_17", (640, 480), 15)


def test_what_the_file_does_not_say_is_said_in_notes(tmp_path):
    keypoints = coco_px()
    file = read_keypoints(saved(tmp_path / "a.npy", keypoints))
    assert file.fps == 30
    assert file.image_size_px == tuple(np.ceil(keypoints.max(axis=(0, 1))).astype(int))
    assert [words in " ".join(file.notes) for words in ("30 frames per second", "the extent of the keypoints")] == [
        True
    ] * 2


def test_nan_zero_and_unconfident_keypoints_are_missing(tmp_path):
    array = np.concatenate([coco_px(), np.ones((6, 17, 1))], axis=-1)
    array[1, 2, 0] = array[2, 3, 2] = np.nan
    array[3, 4, 2] = 0
    keypoints = read_keypoints(saved(tmp_path / "a.npy", array)).keypoints[0]
    missing = [(1, 2), (2, 3), (3, 4)]
    assert [tuple(place) for place in np.argwhere(keypoints[..., 2] == 0)] == missing
    assert all((keypoints[place] == 0).all() for place in missing)
    plain = array[..., :2].copy()
    plain[0, 5] = 0
    keypoints = read_keypoints(saved(tmp_path / "b.npy", plain)).keypoints[0]
    assert [tuple(place) for place in np.argwhere(keypoints[..., 2] == 0)] == [(0, 5), (1, 2)]


@pytest.mark.parametrize(
    ("layout", "keypoints"),
    [
        ("coco_17", coco_px()),
        ("h36m_17", h36m_px()),
        ("mpi_inf_3dhp_17", joint_map("h36m_17", "mpi_inf_3dhp_17") @ h36m_px()),
        ("ntu_25", np.random.default_rng(0).uniform(9, 500, (6, 25, 2))),
        ("blazepose_33", np.random.default_rng(0).uniform(9, 500, (6, 33, 2))),
    ],
)
def test_the_layout_is_told_by_the_joints(tmp_path, layout, keypoints):
    file = read_keypoints(saved(tmp_path / "a.npy", keypoints))
    assert file.layout == layout
    assert any("--keypoint-layout" in note for note in file.notes) == (keypoints.shape[1] == 17)


def test_a_close_up_of_a_face_is_still_coco(tmp_path):
    array = np.concatenate([coco_px(), np.ones((6, 17, 1))], axis=-1)
    array[:, 7:, 2] = 0
    assert read_keypoints(saved(tmp_path / "a.npy", array)).layout == "coco_17"


def test_the_layouts_of_real_motion_are_told(shared_data, tmp_path):
    views = np.load(shared_data / "cmu_mocap" / "data_2d_h36m_gt.npz", allow_pickle=True)["positions_2d"].item()
    for views_of_take in list(views["S9"].values())[:6]:
        for layout in ("h36m_17", "mpi_inf_3dhp_17"):
            keypoints = joint_map("h36m_17", layout) @ views_of_take[0]
            assert read_keypoints(saved(tmp_path / "a.npy", keypoints)).layout == layout


def test_shares_of_the_picture_become_pixels(tmp_path):
    keypoints = coco_px()
    path = saved(tmp_path / "a.npz", keypoints / SIZE, image_size=SIZE)
    file = read_keypoints(path)
    np.testing.assert_allclose(file.keypoints[0, ..., :2], keypoints, rtol=1e-5)
    assert "[0, 1] are scaled" in file.notes[0]
    with pytest.raises(ValueError, match=r"coordinates in \[0, 1\], .* add image_size"):
        read_keypoints(saved(tmp_path / "b.npy", keypoints / SIZE))


def bad(change):
    array = np.concatenate([coco_px(), np.ones((6, 17, 1))], axis=-1)
    return change(array)


def with_value(place, value):
    def change(array):
        array[place] = value
        return array

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda a: a[0], r"keypoints must be numbers \(frames, .* Received: an array \(17, 3\)"),
        (lambda a: a[:0], r"Received: an array \(0, 17, 3\)"),
        (lambda a: a[..., :1], "must be numbers"),
        (lambda a: a.astype(str), "Received: an array of <U"),
        (lambda a: a + 0j, "Received: an array of complex"),
        (lambda a: a[:, :16], r"of a known layout: h36m_17 \(17\).* Received: 16 joints"),
        (with_value((2, 3, 1), np.inf), "Received: infinity at person 0, frame 2, joint 3"),
        (with_value((..., 2), 0), "all keypoints are missing"),
        (with_value((2, 3, 2), -0.4), "third channel must be a confidence .* minimum of -0.4"),
        (lambda a: a[..., :2] / 300 - 2, r"must be pixels or in \[0, 1\]"),
    ],
)
def test_a_file_with_something_else_in_it_is_refused(tmp_path, change, says):
    path = saved(tmp_path / "bad.npy", bad(change))
    with pytest.raises(ValueError, match=says) as refused:
        read_keypoints(path)
    assert str(path) in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"fps": 0}, "fps must be a number above 0 .* Received: 0"),
        ({"fps": np.nan}, "above 0 .* Received: nan"),
        ({"fps": [25, 30]}, "fps must be"),
        ({"fps": "30"}, "fps must be"),
        ({"image_size": 720}, "image_size must be the width and height"),
        ({"image_size": (0, 720)}, "image_size must be"),
    ],
)
def test_a_rate_or_size_that_is_none_is_refused(tmp_path, settings, says):
    with pytest.raises(ValueError, match=says):
        read_keypoints(saved(tmp_path / "a.npz", coco_px(), **settings))


def test_files_that_are_no_keypoints_are_refused_in_a_line(tmp_path):
    cut = saved(tmp_path / "cut.npy", coco_px())
    cut.write_bytes(cut.read_bytes()[:-100])
    (tmp_path / "text.npz").write_text("x, y")
    np.savez(tmp_path / "dict.npz", keypoints=boxed({"S1": 1}))
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}], object))
    for name, says in (
        ("cut.npy", "must be an .npy file of numbers"),
        ("text.npz", "must be an .npz file"),
        ("dict.npz", "must hold plain arrays of numbers"),
        ("objects.npy", "must be an .npy file of numbers"),
        ("video.mp4", r"must be .npz, .npy, .json, .csv or a folder of OpenPose"),
    ):
        with pytest.raises(ValueError, match=says) as refused:
            read_keypoints(tmp_path / name)
        assert name in str(refused.value) and "\n" not in str(refused.value)
    for name in ("none.npz", "none.npy"):
        with pytest.raises(FileNotFoundError, match=name):
            read_keypoints(tmp_path / name)


def test_a_layout_of_other_joints_is_refused(tmp_path):
    path = saved(tmp_path / "a.npy", coco_px())
    with pytest.raises(ValueError, match="must have the 33 joints of blazepose_33. Received: 17"):
        read_keypoints(path, "blazepose_33")
    with pytest.raises(ValueError, match="Received: 'body_25'"):
        read_keypoints(path, "body_25")
