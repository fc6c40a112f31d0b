import os
import re

import numpy as np
import pytest

from skelgnn_tf.datasets import ctr_gcn, pyskl
from skelgnn_tf.skeletons import COCO_17, NTU_25
from support.tiny_pyskl import annotation_2d, annotation_3d, contents, write


def load(folder, made, splits=("xsub_train", "xsub_val"), **options):
    return pyskl.load(write(folder, made), splits, **options)


@pytest.mark.parametrize("protocol", [2, 5])
def test_kinects_joints_become_poses_in_camera_axes(tmp_path, protocol):
    made = contents(annotation_3d)
    actions = pyskl.load(write(tmp_path, made, protocol), ("xsub_train", "xsub_val"), fps=15)
    assert (actions.skeleton, actions.train.kind) == (NTU_25, "pose")
    assert actions.classes == ("class 0", "class 1", "class 2")
    assert actions.train.names.tolist() == made["split"]["xsub_train"]
    assert (actions.train.label.tolist(), actions.test.label.tolist()) == ([0, 1, 2], [0, 1])
    assert set(actions.train.fps) == {15}
    for sequences, annotations in ((actions.train, made["annotations"][:3]), (actions.test, made["annotations"][3:5])):
        for i, annotation in enumerate(annotations):
            x, y, z = np.moveaxis(annotation["keypoint"].astype(float), -1, 0)
            np.testing.assert_allclose(sequences.clip(i), np.stack([-x, -y, z], axis=-1), atol=1e-5)


def test_detected_keypoints_become_screen_units_with_the_score_as_confidence(tmp_path):
    made = contents(annotation_2d)
    actions = load(tmp_path, made)
    assert (actions.skeleton, actions.train.kind, actions.train.channels) == (COCO_17, "keypoints", 3)
    for i, annotation in enumerate(made["annotations"][:3]):
        x, y = np.moveaxis(annotation["keypoint"].astype(float), -1, 0)
        # The middle of the picture is the origin and half its width the unit, of both axes.
        expected = np.stack([(x - 960) / 960, (y - 540) / 960, annotation["keypoint_score"]], axis=-1)
        np.testing.assert_allclose(actions.train.clip(i), expected, atol=1e-5)


def test_each_clip_is_scaled_by_its_own_picture(tmp_path):
    made = contents(annotation_2d)
    made["annotations"][0]["keypoint"][0, 2, 7] = (300, 200)
    made["annotations"][0]["img_shape"] = [400, 600]
    np.testing.assert_allclose(load(tmp_path, made).train.clip(0)[0, 2, 7, :2], 0, atol=1e-6)


def test_a_keypoint_without_score_is_missing_whatever_its_place(tmp_path):
    made = contents(annotation_2d)
    first = made["annotations"][0]
    first["keypoint"][0, 1, 4] = np.nan
    first["keypoint_score"][0, 1, 4] = first["keypoint_score"][0, 2, 5] = 0
    clip = load(tmp_path, made).train.clip(0)
    missing = np.argwhere(~clip[0].any(axis=-1)).tolist()
    assert missing == [[1, 4], [2, 5]]


def test_absent_persons_and_empty_frames_at_the_ends_are_left_away(tmp_path):
    made = contents(annotation_3d)
    both = annotation_3d("both", 0, frames=9, persons=2, seed=9)
    second = annotation_3d("second", 1, frames=9, persons=2, seed=10)
    second["keypoint"][0] = 0
    second["keypoint"][1, [0, 4, 8]] = 0
    made["annotations"] += [both, second]
    made["split"]["xsub_train"] += ["both", "second"]
    train = load(tmp_path, made).train
    assert train.persons.tolist() == [1, 1, 1, 2, 1]
    assert train.frames.tolist() == [5, 6, 7, 9, 7]
    expected = second["keypoint"][1, 1:8] * np.array([-1, -1, 1])
    np.testing.assert_allclose(train.clip(4)[0], expected, atol=1e-5)
    assert not train.clip(4)[0, 3].any()


def test_of_three_bodies_the_two_that_move_most_are_kept_in_their_order(tmp_path):
    made = contents(annotation_3d)
    still, wave, walk = (annotation_3d("", 0)["keypoint"][0] for _ in range(3))
    still[:] = still[0]
    wave[:] = wave[0]
    wave[:, 7, 1] += np.linspace(0, 0.5, len(wave)).astype(np.float16)
    walk[:] = walk[0]
    walk[..., 0] += np.linspace(0, 2, len(walk)).astype(np.float16)[:, None]
    # A body that comes late moves no more than one who stands there all the time.
    still[:3] = 0
    # Frames that show nobody but the third are none of the other two's.
    wave[-2:] = walk[-2:] = 0
    made["annotations"][1] |= dict(keypoint=np.stack([wave, still, walk]), total_frames=len(wave))
    clip = load(tmp_path, made).train.clip(1)
    np.testing.assert_allclose(clip, np.stack([wave, walk])[:, :-2] * np.array([-1, -1, 1.0]), atol=1e-5)


def test_of_three_detections_the_two_with_the_highest_mean_score_are_kept_in_their_order(tmp_path):
    made = contents(annotation_2d)
    three = annotation_2d("three", 0, persons=3, seed=3)
    for person, score in enumerate((0.9, 0.2, 0.6)):
        three["keypoint_score"][person] = score
    # Seen well, but only for a moment.
    three["keypoint_score"][0, 1:] = 0
    made["annotations"].append(three)
    made["split"]["xsub_train"].append("three")
    clip = load(tmp_path, made).train.clip(3)
    np.testing.assert_allclose(clip[:, 3, 5, 2], [0.2, 0.6], atol=1e-3)


def test_a_wrong_name_of_a_split_is_answered_with_the_names_there_are(tmp_path):
    made = contents(annotation_3d)
    with pytest.raises(
        ValueError, match="ntu.pkl: the file must have the split 'xview_train'. Received: xsub_train, xsub_val"
    ):
        load(tmp_path, made, ("xview_train", "xsub_val"))
    with pytest.raises(ValueError, match="must have the split 'test'"):
        load(tmp_path, made, ("xsub_train", "test"))


@pytest.mark.parametrize(
    ("splits", "pair"),
    [
        (("val", "train"), ("train", "val")),
        (("train", "test"), ("train", "test")),
        (("test", "train", "val"), ("train", "val")),
        (("xsub_train", "xsub_val", "train_too"), ("xsub_train", "xsub_val")),
    ],
)
def test_the_only_pair_of_splits_is_found_by_its_names(tmp_path, splits, pair):
    # Each split has a clip of its own, named as the split.
    annotations = [annotation_3d(name, 0) for name in splits]
    actions = load(tmp_path, {"split": {name: [name] for name in splits}, "annotations": annotations}, None)
    assert (actions.train.names.tolist(), actions.test.names.tolist()) == ([pair[0]], [pair[1]])


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        (("train1", "test1", "train2", "test2"), "Received: train1, test1; train2, test2"),
        (("train", "rest"), "Received: the splits train, rest"),
        (("val", "test"), "Received: the splits val, test"),
        ((), "Received: the splits none"),
    ],
)
def test_no_or_several_pairs_of_splits_are_not_guessed_between(tmp_path, splits, message):
    made = {"split": {name: ["a"] for name in splits}, "annotations": [annotation_3d("a", 0)]}
    with pytest.raises(ValueError, match=rf"ntu\.pkl: the file must have one pair of splits.* {message}"):
        load(tmp_path, made, None)


def test_names_of_classes_are_taken_and_a_label_beyond_them_is_refused(tmp_path):
    made = contents(annotation_3d)
    assert load(tmp_path, made, classes=("a", "b", "c", "d")).classes == ("a", "b", "c", "d")
    with pytest.raises(ValueError, match="xsub_train S001C001P003R001A003: the label must be 0 to 1. Received: 2"):
        load(tmp_path, made, classes=("a", "b"))
    left_out = load(tmp_path, made, classes=("a", "b"), skip_bad=True).left_out
    assert len(left_out) == 1


def change(key, value):
    return lambda annotation: annotation.update({key: value(annotation[key]) if callable(value) else value})


def spoil_at(key, place, value):
    return lambda annotation: annotation[key].__setitem__(place, value)


BAD_3D = [
    (
        spoil_at("keypoint", (0, 3, 8, 1), np.nan),
        "keypoint must be finite. Received: NaN or infinity at frame 3, joint 8, person 0",
    ),
    (
        spoil_at("keypoint", (0, 5, 0, 0), np.inf),
        "keypoint must be finite. Received: NaN or infinity at frame 5, joint 0, person 0",
    ),
    (change("keypoint", lambda k: k * 0), "the clip must have a person. Received: only zeros"),
    (change("keypoint", lambda k: k[0]), r"keypoint must be .* Received: \(6, 25, 3\)"),
    (change("keypoint", lambda k: k[:0]), r"keypoint must be .* Received: \(0, 6, 25, 3\)"),
    (change("keypoint", lambda k: k[:, :, :20]), "keypoint must have 17 .* or 25 .* joints. Received: 20"),
    (
        change("keypoint", lambda k: k[:, :, :17]),
        "the clip must have pose of 25 joints .*Received: 3 coordinates of 17 joints",
    ),
    (change("keypoint", lambda k: k.tolist()), "keypoint must be an array of numbers .* Received: list"),
    (change("keypoint", lambda k: k.astype(str)), "keypoint must be an array of numbers .* Received: <U"),
    (lambda a: a.pop("keypoint"), "the clip must have keypoint .*Received: frame_dir, label, total_frames"),
    (change("total_frames", 60), "total_frames must be the 6 frames of keypoint. Received: 60"),
    (change("label", -1), "the label must be 0 to .* Received: -1"),
    (change("label", "walk"), "the label must be .* Received: walk"),
    (lambda a: a.pop("label"), "the label must be .* Received: None"),
    (change("frame_dir", "another"), "the clip must have one annotation. Received: none"),
    (lambda a: a.update(keypoint_score=np.ones((1, 6, 25))), "keypoint must have 2 coordinates with a keypoint_score"),
]
BAD_2D = [
    (lambda a: a.pop("keypoint_score"), "the clip must have keypoint_score"),
    (lambda a: a.pop("img_shape"), r"the clip must have img_shape, the picture's \(height, width\)"),
    (change("img_shape", (0, 1920)), r"img_shape must be .* Received: \(0, 1920\)"),
    (change("img_shape", "1080p"), "img_shape must be .* Received: 1080p"),
    (change("img_shape", (1080, 1920, 3)), "img_shape must be"),
    (change("keypoint_score", lambda s: s[:, :-1]), r"keypoint_score must be \(1, 6, 17\) .*Received: \(1, 5, 17\)"),
    (
        spoil_at("keypoint_score", (0, 2, 3), np.nan),
        "keypoint_score must be finite. Received: NaN or infinity at frame 2, joint 3",
    ),
    (
        spoil_at("keypoint", (0, 4, 16, 0), np.nan),
        "keypoint must be finite. Received: NaN or infinity at frame 4, joint 16, person 0",
    ),
    (change("keypoint_score", lambda s: s * 0), "the clip must have a person. Received: only zeros"),
]


@pytest.mark.parametrize(
    ("annotation", "spoil", "message"),
    [(annotation_3d, *bad) for bad in BAD_3D] + [(annotation_2d, *bad) for bad in BAD_2D],
)
def test_a_bad_clip_is_refused_by_name_or_left_out(tmp_path, annotation, spoil, message):
    made = contents(annotation)
    spoil(made["annotations"][1])
    message = rf"ntu\.pkl, xsub_train S001C001P002R001A002: {message}"
    with pytest.raises(ValueError, match=f"{message}.* Set --skip-bad to leave such clips out.") as refused:
        load(tmp_path, made)
    assert "\n" not in str(refused.value)
    actions = load(tmp_path, made, skip_bad=True)
    assert [name[-1] for name in actions.train.names] == ["1", "3"]
    assert len(actions.test) == 2
    (line,) = actions.left_out
    assert re.search(message, line)


def test_two_annotations_of_one_name_are_not_guessed_between(tmp_path):
    made = contents(annotation_3d)
    made["annotations"].append(annotation_3d("S001C001P002R001A002", 0, seed=11))
    with pytest.raises(
        ValueError, match="xsub_train S001C001P002R001A002: the clip must have one annotation. Received: 2"
    ):
        load(tmp_path, made)


def test_a_file_with_nothing_but_bad_clips_is_refused_even_if_they_are_skipped(tmp_path):
    made = contents(annotation_2d)
    for annotation in made["annotations"]:
        del annotation["img_shape"]
    with pytest.raises(
        ValueError, match="none of the 3 clips can be used. The first error: .*A001: the clip must have img_shape"
    ):
        load(tmp_path, made, skip_bad=True)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ([annotation_3d("a", 0)], "must be PYSKL's .* Received: list"),
        ({"annotations": []}, "must be PYSKL's .* Received: a dict of annotations"),
        ({"split": {"xsub_train": ["a"]}, "annotations": None}, "annotations must be a list. Received: NoneType"),
        (
            {"split": {"xsub_train": []}, "annotations": []},
            "split 'xsub_train' must be a list of clips. Received: list of 0",
        ),
        ({"split": {"xsub_train": 3}, "annotations": []}, "split 'xsub_train' must be a list of clips. Received: int"),
        ({"split": {}, "annotations": []}, "must have the split 'xsub_train'. Received: none"),
    ],
)
def test_a_pickle_of_something_else_is_refused(tmp_path, made, message):
    with pytest.raises(ValueError, match=rf"ntu\.pkl.*{message}"):
        load(tmp_path, made)


def test_a_pickle_with_code_in_it_is_refused_and_not_run(tmp_path):
    class Attack:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'mark'}",)

    made = contents(annotation_3d)
    made["annotations"][2]["note"] = Attack()
    with pytest.raises(ValueError, match=r"ntu\.pkl: the file holds .*system, not only plain data"):
        load(tmp_path, made, skip_bad=True)
    assert not (tmp_path / "mark").exists()


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="ntu.pkl: file not found"):
        pyskl.load(tmp_path / "ntu.pkl")


def test_real_motion_written_as_a_pickle_is_the_motion_of_its_npz(tmp_path, shared_data, monkeypatch):
    monkeypatch.setenv("SKELGNN_TF_CACHE", str(tmp_path / "cache"))
    path = shared_data / "cmu_mocap" / "CMU8_CS.npz"
    with np.load(path) as file:
        x, labels = file["x_test"].reshape(40, 300, 2, 25, 3), file["y_test"].argmax(axis=1)
    lengths = [int(np.flatnonzero(row.any(axis=(1, 2, 3)))[-1]) + 1 for row in x]
    annotations = [
        dict(frame_dir=str(i), label=int(labels[i]), total_frames=frames, keypoint=x[i, :frames].transpose(1, 0, 2, 3))
        for i, frames in enumerate(lengths)
    ]
    names = [str(i) for i in range(40)]
    pickled = load(tmp_path, {"split": {"xsub_train": names, "xsub_val": names}, "annotations": annotations}).test
    npz = ctr_gcn.load(path, NTU_25).test
    np.testing.assert_array_equal(pickled.frames, npz.frames)
    np.testing.assert_array_equal(pickled.label, npz.label)
    for i in range(0, 40, 5):
        np.testing.assert_allclose(pickled.clip(i), npz.clip(i), atol=4e-3)
