import io
import os
import re
import shutil
import tracemalloc

import numpy as np
import pytest
from rich.console import Console

from skelgnn_tf.datasets import ctr_gcn
from skelgnn_tf.datasets.labels import read_labels
from skelgnn_tf.skeletons import COCO_17, NTU_25


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("SKELGNN_TF_CACHE", str(folder))
    return folder


def body(frames, seed=0):
    """Kinect meters (frames, 25, 3), three meters from the camera, all joints seen."""
    return np.random.default_rng(seed).uniform((-1, -1, 2.5), (1, 1, 3.5), (frames, 25, 3)).astype(np.float32)


def arrays(clips=5, frames=12, persons=2, classes=3):
    """x and y of both splits: clip i has 4 + i frames of one body."""
    made = {}
    for split, number, seed in (("train", clips, 0), ("test", 2, 100)):
        x = np.zeros((number, frames, persons, 25, 3), np.float32)
        for i in range(number):
            x[i, : 4 + i, 0] = body(4 + i, seed + i)
        made[f"x_{split}"] = x.reshape(number, frames, -1)
        made[f"y_{split}"] = np.eye(classes)[np.arange(number) % classes]
    return made


def write(folder, made, save=np.savez, name="ntu.npz"):
    save(folder / name, **made)
    return folder / name


def ours(kinect_m):
    """Kinect's x (left), y (up) and z, joint by joint, as right, down and forward."""
    x, y, z = np.moveaxis(kinect_m, -1, 0)
    return np.stack([-x, -y, z], axis=-1)


def in_x(made, i, split="train", persons=2):
    """The row as Kinect meters (frames, persons, 25, 3), a view that can be changed."""
    row = made[f"x_{split}"][i]
    return row.reshape(len(row), persons, 25, 3)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_clip_comes_back_in_camera_axes_without_the_zeros_after_it(tmp_path, save, dtype):
    made = arrays()
    made |= {key: made[key].astype(dtype) for key in ("x_train", "x_test")}
    actions = ctr_gcn.load(write(tmp_path, made, save), NTU_25, fps=25)
    assert actions.skeleton is NTU_25
    assert (len(actions.train), len(actions.test), actions.left_out) == (5, 2, ())
    assert list(actions.train.names) == [f"x_train[{i}]" for i in range(5)]
    assert list(actions.test.names) == ["x_test[0]", "x_test[1]"]
    assert (actions.train.kind, actions.train.fps.tolist()) == ("pose", [25] * 5)
    for sequences, seed in ((actions.train, 0), (actions.test, 100)):
        for i in range(len(sequences)):
            # float16 of at most two meters from the clip's first frame.
            np.testing.assert_allclose(sequences.clip(i), ours(body(4 + i, seed + i))[None], atol=1e-3)


def test_frames_before_and_after_are_cut_and_those_between_stay(tmp_path):
    made = arrays()
    row = in_x(made, 1)
    row[:] = 0
    row[3:5, 0], row[8:10, 0] = body(2), body(2, 1)
    clip = ctr_gcn.load(write(tmp_path, made), NTU_25).train.clip(1)
    np.testing.assert_allclose(clip[0], ours(np.concatenate([body(2), np.zeros((3, 25, 3)), body(2, 1)])), atol=1e-3)


def test_a_second_person_is_kept_or_moved_up_when_there_is_no_first(tmp_path):
    made = arrays()
    in_x(made, 0)[2:6, 1] = body(4, 7)
    in_x(made, 1)[:, 0] = 0
    in_x(made, 1)[1:4, 1] = body(3, 8)
    train = ctr_gcn.load(write(tmp_path, made), NTU_25).train
    assert train.persons.tolist() == [2, 1, 1, 1, 1]
    both = np.zeros((2, 6, 25, 3))
    both[0, :4], both[1, 2:] = ours(body(4)), ours(body(4, 7))
    np.testing.assert_allclose(train.clip(0), both, atol=2e-3)
    np.testing.assert_allclose(train.clip(1), ours(body(3, 8))[None], atol=1e-3)


def test_files_of_one_person_give_the_same_as_those_with_room_for_two(tmp_path):
    two = ctr_gcn.load(write(tmp_path, arrays()), NTU_25)
    one = ctr_gcn.load(write(tmp_path, arrays(persons=1), name="one.npz"), NTU_25)
    np.testing.assert_array_equal(one.train.values, two.train.values)
    np.testing.assert_array_equal(one.train.first, two.train.first)


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.float32])
def test_integer_labels_mean_the_same_as_one_hot_ones(tmp_path, dtype):
    made = arrays()
    one_hot = ctr_gcn.load(write(tmp_path, made), NTU_25)
    made |= {key: made[key].argmax(axis=1).astype(dtype) for key in ("y_train", "y_test")}
    integers = ctr_gcn.load(write(tmp_path, made, name="integers.npz"), NTU_25)
    assert one_hot.train.label.tolist() == integers.train.label.tolist() == [0, 1, 2, 0, 1]
    assert one_hot.classes == integers.classes == ("class 0", "class 1", "class 2")
    assert ctr_gcn.load(write(tmp_path, made), NTU_25, tuple("abcd")).classes == tuple("abcd")


def test_a_joint_at_the_origin_of_a_centered_clip_is_not_taken_for_a_missing_one(tmp_path):
    # A body as tall as a person: bones of at most 0.4 m along a line, so that the rule by lengths has real ones.
    made, rng = arrays(), np.random.default_rng(3)
    for i, away_m in ((0, 0.0), (1, 3.0)):
        frames = np.zeros((4, 25, 3))
        for joint in (0, 1, 20, *(j for j in range(2, 25) if j != 20)):
            step = rng.uniform(0.1, 0.2, (4, 3))
            frames[:, joint] = frames[:, max(NTU_25.parents[joint], 0)] + step
        frames -= frames[:1, 1:2]
        frames[..., 2] += away_m
        frames[0, 1] = 0
        in_x(made, i)[:] = 0
        in_x(made, i)[:4, 0] = frames
    train = ctr_gcn.load(write(tmp_path, made), NTU_25).train
    at_origin, missing = train.clip(0)[0, 0, 1], train.clip(1)[0, 0, 1]
    assert at_origin.any()
    np.testing.assert_allclose(at_origin, 0, atol=1e-3)
    np.testing.assert_array_equal(missing, 0)
    # In the stored values, too, which is what tells missing joints from others.
    assert train.values[train.first[0], 1].any()
    assert not train.values[train.first[1], 1].any()


def test_a_second_run_opens_the_cache_and_a_changed_file_is_read_again(tmp_path, cache):
    made = arrays()
    path = write(tmp_path, made)
    first = ctr_gcn.load(path, NTU_25)
    assert isinstance(first.train.values, np.memmap)
    assert first.train.values.dtype == np.float16
    before = path.stat()
    made["x_train"] = made["x_train"] * np.float32(0.5)
    write(tmp_path, made)
    assert path.stat().st_size == before.st_size
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    np.testing.assert_array_equal(ctr_gcn.load(path, NTU_25).train.values, first.train.values)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    changed = ctr_gcn.load(path, NTU_25)
    np.testing.assert_allclose(changed.train.clip(2), first.train.clip(2) / 2, atol=1e-3)
    assert len(list(cache.iterdir())) == 2
    assert ctr_gcn.load(path, NTU_25, fps=60).train.fps[0] == 60


def test_that_a_large_file_is_read_is_said_the_first_time_alone(tmp_path, cache, monkeypatch):
    path = write(tmp_path, arrays())
    for large, said in ((path.stat().st_size, ""), (path.stat().st_size - 1, f"reading {path} into {cache}")):
        monkeypatch.setattr(ctr_gcn, "_LARGE_BYTES", large)
        for first in (said, ""):
            screen = io.StringIO()
            ctr_gcn.load(path, NTU_25, console=Console(file=screen))
            assert screen.getvalue().startswith(first) and bool(screen.getvalue()) == bool(first)
        shutil.rmtree(cache)


def test_a_damaged_cache_says_which_folder_to_remove(tmp_path, cache):
    path = write(tmp_path, arrays())
    ctr_gcn.load(path, NTU_25)
    (folder,) = cache.iterdir()
    (folder / "left_out.json").write_text("[")
    with pytest.raises(ValueError, match=f"{folder}: the cache is damaged.*Remove the folder"):
        ctr_gcn.load(path, NTU_25)


def test_without_a_writable_cache_everything_stays_in_memory_and_is_said_so(tmp_path, cache):
    path = write(tmp_path, arrays())
    cached = ctr_gcn.load(path, NTU_25)
    cache.rename(tmp_path / "away")
    cache.write_text("a file where the folder should be")
    screen = io.StringIO()
    actions = ctr_gcn.load(path, NTU_25, console=Console(file=screen))
    assert f"cannot write {cache}" in screen.getvalue().splitlines()[-1]
    assert actions.train.values.dtype == np.float32
    np.testing.assert_allclose(actions.train.clip(3), cached.train.clip(3), atol=1e-3)


def spoil(made):
    """One bad row of each kind; clip 4 of the training set and clip 0 of the test set stay good."""
    in_x(made, 0)[2, 0, 5, 1] = np.nan
    made["y_train"][1] = (1, 1, 0)
    in_x(made, 2)[:] = 0
    in_x(made, 3)[1, 0, 24] = np.inf
    made["y_test"][1] = 0
    return made


BAD = (
    r"ntu.npz, x_train\[0\]: coordinates must be meters. Received: nan at frame 2, joint 5 \(left_elbow\), person 0",
    r"ntu.npz, y_train\[1\]: the label must be one-hot. Received: \[1.0, 1.0\]",
    r"ntu.npz, x_train\[2\]: the clip must have a person. Received: only zeros",
    r"ntu.npz, x_train\[3\]: coordinates must be meters. Received: inf at frame 1, joint 24 \(right_thumb\), person 0",
    r"ntu.npz, y_test\[1\]: the label must be one-hot. Received: zeros",
)


def test_bad_rows_are_left_out_with_a_line_each_also_when_they_come_from_the_cache(tmp_path):
    path = write(tmp_path, spoil(arrays()))
    for _ in ("parsed", "cached"):
        actions = ctr_gcn.load(path, NTU_25, skip_bad=True)
        assert (actions.train.names.tolist(), actions.train.label.tolist()) == (["x_train[4]"], [1])
        assert actions.test.names.tolist() == ["x_test[0]"]
        np.testing.assert_allclose(actions.train.clip(0), ours(body(8, 4))[None], atol=1e-3)
        assert len(actions.left_out) == len(BAD)
        for line, expected in zip(actions.left_out, BAD, strict=True):
            assert re.search(expected, line)


def test_the_first_bad_row_is_an_error_also_when_it_comes_from_the_cache(tmp_path, cache):
    path = write(tmp_path, spoil(arrays()))
    with pytest.raises(ValueError, match=BAD[0] + ".*--skip-bad"):
        ctr_gcn.load(path, NTU_25)
    assert not list(cache.iterdir())
    ctr_gcn.load(path, NTU_25, skip_bad=True)
    with pytest.raises(ValueError, match=BAD[0] + ".*--skip-bad"):
        ctr_gcn.load(path, NTU_25)


@pytest.mark.parametrize("number", range(1, len(BAD)))
def test_each_kind_of_bad_row_is_refused_on_its_own(tmp_path, number):
    made, bad = arrays(), spoil(arrays())
    split, row = ("test", 1) if number == 4 else ("train", number)
    for key in (f"x_{split}", f"y_{split}"):
        made[key][row] = bad[key][row]
    with pytest.raises(ValueError, match=BAD[number]) as refused:
        ctr_gcn.load(write(tmp_path, made), NTU_25)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("label", "found"), [(3, "3.0"), (-1, "-1.0"), (0.5, "0.5"), (np.nan, "nan")])
def test_a_label_outside_the_named_classes_is_a_bad_row(tmp_path, label, found):
    made = arrays()
    made |= {key: made[key].argmax(axis=1).astype(float) for key in ("y_train", "y_test")}
    made["y_train"][2] = label
    path = write(tmp_path, made)
    with pytest.raises(ValueError, match=rf"y_train\[2\]: the label must be 0 to 2. Received: {found}"):
        ctr_gcn.load(path, NTU_25, tuple("abc"))
    assert len(ctr_gcn.load(path, NTU_25, tuple("abc"), skip_bad=True).train) == 4


def test_a_label_that_is_missing_does_not_count_as_the_largest(tmp_path):
    made = arrays()
    made |= {key: made[key].argmax(axis=1).astype(float) for key in ("y_train", "y_test")}
    made["y_train"][1] = np.nan
    actions = ctr_gcn.load(write(tmp_path, made), NTU_25, skip_bad=True)
    assert (actions.train.label.tolist(), len(actions.classes)) == ([0, 2, 0, 1], 3)


def test_more_names_are_not_answered_from_the_cache_of_fewer(tmp_path):
    made = arrays()
    made |= {key: made[key].argmax(axis=1) for key in ("y_train", "y_test")}
    made["y_train"][2] = 3
    path = write(tmp_path, made)
    assert ctr_gcn.load(path, NTU_25, tuple("abc"), skip_bad=True).train.label.tolist() == [0, 1, 0, 1]
    assert ctr_gcn.load(path, NTU_25, tuple("abcd")).train.label.tolist() == [0, 1, 3, 0, 1]


@pytest.mark.parametrize("row", [(0, 2, 0), (0, 0.5, 0), (0.1, 0.8, 0.1), (0, -1, 0), (0, np.nan, 0)])
def test_a_row_of_y_that_only_resembles_a_one_hot_one_is_a_bad_row(tmp_path, row):
    made = arrays()
    made["y_train"][3] = row
    with pytest.raises(ValueError, match=r"y_train\[3\]: the label must be one-hot"):
        ctr_gcn.load(write(tmp_path, made), NTU_25)


def set_key(key, change):
    return lambda made: made.update({key: change(made[key])})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.pop("y_test"), "must have the key 'y_test'. Received: x_train, y_train, x_test"),
        (lambda m: m.pop("x_train"), "must have the key 'x_train'. Received: y_train, x_test, y_test"),
        (
            set_key("y_train", lambda y: y[:4]),
            "x_train and y_train must have the same length. Received: 5 clips, 4 labels",
        ),
        (
            set_key("x_test", lambda x: x[:1]),
            "x_test and y_test must have the same length. Received: 1 clips, 2 labels",
        ),
        (set_key("x_train", lambda x: x[..., :140]), r"75 \(one person\) or 150 \(two\) .*Received: 140.$"),
        (set_key("x_train", lambda x: x[..., :51]), r"or 150 \(two\) .*Received: 51, which fits h36m_17.*coco_17"),
        (set_key("x_test", lambda x: x[..., :75]), "must have the same width. Received: 150 and 75"),
        (
            set_key("x_train", lambda x: x.reshape(5, 12, 2, 75)),
            r"x_train: the array must be numbers .*\(5, 12, 2, 75\)",
        ),
        (set_key("x_train", lambda x: x.astype(str)), r"x_train: the array must be numbers .*<U"),
        (
            set_key("x_train", lambda x: x.astype(object)),
            "x_train': the array must hold numbers. Received: pickled objects",
        ),
        (set_key("y_train", lambda y: y[:, None]), r"y_train: labels must be one-hot .* \(5, 1, 3\)"),
        (set_key("y_test", lambda y: y.argmax(axis=1)), r"must have the same columns. Received: \(3,\) and none"),
        (
            lambda m: m.update(x_test=m["x_test"][:0], y_test=m["y_test"][:0]),
            "x_test: the split must have clips. Received: none",
        ),
        (set_key("x_train", lambda x: x * 0), r"none of the 5 clips can be used. The first error: .*x_train\[0\]"),
        (
            lambda m: m.update(y_train=np.full(5, 10**6), y_test=np.zeros(2, int)),
            "labels must be below 10000. Received: 1e\\+06",
        ),
    ],
)
def test_files_of_another_shape_are_refused_even_when_bad_clips_are_skipped(tmp_path, cache, change, message):
    made = arrays()
    change(made)
    with pytest.raises(ValueError, match=message) as refused:
        ctr_gcn.load(write(tmp_path, made), NTU_25, skip_bad=True)
    assert "\n" not in str(refused.value)
    assert not cache.exists() or not list(cache.iterdir())


def test_names_for_more_or_fewer_classes_than_columns_are_refused(tmp_path):
    path = write(tmp_path, arrays())
    for names in ("ab", "abcd"):
        message = (
            f"labels file must have .* for each of the 3 columns of y_train in .*ntu.npz. Received: {len(names)} names"
        )
        with pytest.raises(ValueError, match=message):
            ctr_gcn.load(path, NTU_25, tuple(names))


def test_the_skeleton_must_be_the_files(tmp_path):
    with pytest.raises(ValueError, match=r"17 joints of coco_17. Received: 150, which fits ntu_25"):
        ctr_gcn.load(write(tmp_path, arrays()), COCO_17)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="ntu.npz: file not found"):
        ctr_gcn.load(tmp_path / "ntu.npz", NTU_25)


def test_memory_does_not_grow_with_the_file(tmp_path):
    x = np.zeros((400, 300, 75), np.float32)
    x[:, :2] = body(2).reshape(2, 75)
    made = {"x_train": x, "y_train": np.zeros(400, int), "x_test": x[:1], "y_test": np.zeros(1, int)}
    path = write(tmp_path, made, np.savez_compressed)
    tracemalloc.start()
    try:
        assert len(ctr_gcn.load(path, NTU_25).train) == 400
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < x.nbytes / 2


@pytest.fixture(scope="module")
def bandai_namco(shared_data, tmp_path_factory):
    folder = shared_data / "bandai_namco"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SKELGNN_TF_CACHE", str(tmp_path_factory.mktemp("cache")))
        labels = read_labels(folder / "labels.txt")
        return ctr_gcn.load(folder / "BandaiNamco10_CStyle.npz", NTU_25, labels)


def test_real_clips_are_as_many_and_as_long_as_their_readme_says(bandai_namco):
    for sequences, each, median in ((bandai_namco.train, 70, 155), (bandai_namco.test, 28, 185)):
        assert np.bincount(sequences.label).tolist() == [each] * 10
        assert 34 <= sequences.frames.min() <= sequences.frames.max() <= 300
        assert round(np.median(sequences.frames)) == median
        assert set(sequences.persons) == {1}


def test_real_people_stand_upright_and_use_the_side_that_their_class_names(bandai_namco):
    joint = NTU_25.index
    other_way = []
    for split, sequences in (("train", bandai_namco.train), ("test", bandai_namco.test)):
        for i, label in enumerate(sequences.label):
            clip, name = sequences.clip(i)[0].astype(float), bandai_namco.classes[label]
            assert clip[0, joint("head"), 1] < clip[0, joint("spine_base"), 1] < clip[0, joint("left_foot"), 1]
            if name.endswith(("left-hand", "right-hand")):
                left, right = (clip[:, joint(f"{side}_wrist"), 1].min() for side in ("left", "right"))
                named_left, is_left = "left" in name, left < right
                # Who faces the camera has the left shoulder on the right of the picture.
                assert clip[0, joint("left_shoulder"), 0] > clip[0, joint("right_shoulder"), 0]
            elif "turn" in name:
                across = clip[:, joint("left_hip")] - clip[:, joint("right_hip")]
                angle = np.unwrap(np.arctan2(across[:, 2], across[:, 0]))
                named_left, is_left = "left" in name, angle[-1] > angle[0]
            else:
                continue
            if named_left != is_left:
                other_way.append(f"{split} {i}")
    # The README lists these three as the source's own mistakes.
    assert other_way == ["train 395", "train 465", "train 488"]
