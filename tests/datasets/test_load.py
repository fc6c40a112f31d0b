"""Which file a data set for action recognition is read from, and the errors for data that cannot be trained on."""

import io

import numpy as np
import pytest
from rich.console import Console

from skelgnn_tf.datasets.labels import read_labels
from skelgnn_tf.datasets.load import load_sequences
from skelgnn_tf.skeletons import COCO_17, NTU_25
from support import tiny_actions, tiny_ntu, tiny_pyskl

WRITERS = {
    "npz": lambda folder: np.savez(folder / "NTU60_CS.npz", **tiny_actions.arrays(3, 2, classes=60)),
    "3d": lambda folder: tiny_pyskl.write(
        folder, tiny_pyskl.contents(tiny_pyskl.annotation_3d), name="ntu60_3danno.pkl"
    ),
    "2d": lambda folder: tiny_pyskl.write(
        folder, tiny_pyskl.contents(tiny_pyskl.annotation_2d), name="ntu60_hrnet.pkl"
    ),
    "raw": lambda folder: tiny_ntu.write(folder / "raw", "S009C001P001R001A001", "S009C001P003R001A002"),
}
# The first training clip of each, by its name.
FIRST = {"npz": "x_train[0]", "3d": "S001C001P001R001A001", "2d": "S001C001P001R001A001", "raw": "S009C001P001R001A001"}
EVERYTHING = tuple(WRITERS)


def load(dataset, **options):
    """The data set and what was printed about it."""
    said = io.StringIO()
    return load_sequences(dataset, **options, console=Console(file=said)), said.getvalue()


@pytest.mark.parametrize(
    ("there", "wanted", "chosen", "kind"),
    [
        (EVERYTHING, "auto", "npz", "pose"),
        (("3d", "2d", "raw"), "auto", "3d", "pose"),
        (("2d", "raw"), "auto", "2d", "keypoints"),
        (("raw",), "auto", "raw", "pose"),
        (EVERYTHING, "pose", "npz", "pose"),
        (("2d", "raw"), "pose", "raw", "pose"),
        (EVERYTHING, "keypoints", "2d", "keypoints"),
        (("npz", "3d", "raw"), "keypoints", "raw", "keypoints"),
    ],
)
def test_of_a_folders_files_the_one_with_the_wanted_input_is_read(tmp_path, there, wanted, chosen, kind):
    for name in there:
        WRITERS[name](tmp_path)
    data, _ = load("ntu60-xsub", data_dir=(str(tmp_path),), input=wanted)
    assert (data.train.kind, data.train.names[0]) == (kind, FIRST[chosen])
    assert data.skeleton is (COCO_17 if chosen == "2d" else NTU_25)
    assert len(data.classes) == 60


def test_a_pickle_is_split_as_the_benchmark_says_or_by_its_only_pair(tmp_path):
    made = tiny_pyskl.contents(tiny_pyskl.annotation_3d)
    subjects = made["split"]["xsub_train"], made["split"]["xsub_val"]
    made["split"] |= {"xview_train": subjects[1], "xview_val": subjects[0]}
    both = str(tiny_pyskl.write(tmp_path, made, name="both.pkl"))
    for dataset, (train, test) in (("ntu60-xsub", subjects), ("ntu60-xview", subjects[::-1])):
        data, _ = load(dataset, data_file=both)
        assert (data.train.names.tolist(), data.test.names.tolist()) == (train, test)
    with pytest.raises(ValueError, match="both.pkl: the file must have one pair of splits"):
        load("pyskl", data_file=both)
    own = str(tiny_pyskl.write(tmp_path, tiny_pyskl.contents(tiny_pyskl.annotation_2d), name="own.pkl"))
    (tmp_path / "labels.txt").write_text("sit\nstand\nwave\n")
    data, _ = load("pyskl", data_file=own, labels=str(tmp_path / "labels.txt"))
    assert (data.train.names.tolist(), data.classes) == (subjects[0], ("sit", "stand", "wave"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input": "keypoints"}, "--input must be pose for the files of npz. Received: keypoints"),
        ({"skeleton": "h36m_17"}, "the width must be 51 .* 17 joints of h36m_17"),
        ({"data_file": "actions.txt"}, "actions.txt: the file must be an .npz or a pickle"),
        ({"data_file": "nothing.npz"}, "nothing.npz: file not found .--data-file"),
    ],
)
def test_what_the_file_does_not_hold_is_refused(tmp_path, options, message):
    tiny_actions.write(tmp_path)
    (tmp_path / "actions.txt").write_text("")
    file = tmp_path / options.get("data_file", "actions.npz")
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        load("npz", **options | {"data_file": str(file)})


def test_a_pickles_own_joints_are_not_taken_for_others(tmp_path):
    WRITERS["2d"](tmp_path)
    with pytest.raises(ValueError, match="--skeleton must be coco_17 for the clips of ntu60-xsub. Received: ntu_25"):
        load("ntu60-xsub", data_dir=(str(tmp_path),), skeleton="ntu_25")


def test_a_split_without_clips_is_refused(tmp_path):
    tiny_ntu.write(tmp_path, "S009C001P001R001A001")
    with pytest.raises(ValueError, match="ntu60-xsub: the test split must have clips. Received: none"):
        load("ntu60-xsub", data_dir=(str(tmp_path),))


def test_classes_that_nobody_shows_or_only_the_test_does_are_named(tmp_path):
    made = tiny_actions.arrays(classes=8)
    # Classes 3 and above are in neither split, class 2 only in the test split.
    made = {key: value[:6] for key, value in made.items()}
    for split, labels in (("train", [0, 1, 0, 1, 0, 1]), ("test", [0, 1, 2, 0, 1, 2])):
        made[f"y_{split}"] = np.eye(8)[labels]
    file = tiny_actions.write(tmp_path, made, tuple("abcdefgh"))[3]
    options = {"data_file": str(file), "labels": str(tmp_path / "labels.txt")}
    four = r"class 3 (d), class 4 (e), class 5 (f) and 2 more classes"
    with pytest.raises(ValueError) as refused:
        load("npz", **options)
    assert str(refused.value).startswith(f"npz: every class must have a clip. Received: none for {four}. ")
    data, said = load("npz", **options, skip_bad=True)
    assert said.splitlines() == [f"without any clip: {four}", "without training clips: class 2 (c)"]
    assert data.classes == tuple("abcdefgh")


def test_class_names_are_read_one_per_line(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_bytes("\ufeffdrink water\r\n eat meal \nwéar a shoe\n\n".encode())
    assert read_labels(path) == ("drink water", "eat meal", "wéar a shoe")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "an empty file"),
        (b"\n \n", "an empty file"),
        (b"walk\n\nrun\n", "an empty line 2"),
        (b"walk\nrun\nwalk\n", "'walk' in lines 1 and 3"),
        (b"\xff\xfe\x00", "must be text"),
        (b"PK\x03\x04\x00\x00", "must be text"),
    ],
)
def test_a_labels_file_that_names_no_classes_is_refused(tmp_path, content, message):
    (tmp_path / "labels.txt").write_bytes(content)
    with pytest.raises(ValueError, match=rf"labels.txt: .* {message}"):
        read_labels(tmp_path / "labels.txt")
    with pytest.raises(FileNotFoundError, match="labels file not found"):
        read_labels(tmp_path / "labels")
