import io
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from scipy.spatial.transform import Rotation

from skelgnn_tf.datasets import ntu
from skelgnn_tf.datasets.ntu.names import BENCHMARKS, CLASSES, ClipName, parse_name
from skelgnn_tf.datasets.ntu.raw_files import read_skeleton
from skelgnn_tf.skeletons import NTU_25
from support import tiny_ntu

NAME = "S001C002P003R002A013"
# Performers 1, 2 train and 3, 6 test in both cross-subject benchmarks.
TRAIN = ("S001C001P001R001A001", "S002C002P002R001A060")
TEST = ("S001C003P003R001A002", "S002C001P006R002A059")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SKELGNN_TF_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def said():
    """A console, and what it was told."""
    return Console(file=io.StringIO(), width=1000)


def rounded(rows):
    """What seven written digits keep."""
    return np.vectorize(lambda value: float(f"{value:.7g}"))(rows)


def spread(rows):
    """A body's motion, joint by joint."""
    xyz = rows[..., :3]
    return sum(np.mean(np.sum((xyz[:, j] - xyz[:, j].mean(axis=0)) ** 2, axis=-1)) for j in range(25))


def test_a_kinect_that_lies_on_its_head_sees_our_axes():
    rows = rounded(tiny_ntu.body(6))
    clip = read_skeleton(tiny_ntu.text(tiny_ntu.single(rows)), NAME)
    turned = Rotation.from_euler("z", 180, degrees=True).apply(rows[..., :3].reshape(-1, 3))
    np.testing.assert_allclose(clip.pose_m.reshape(-1, 3), turned, atol=1e-6)
    assert clip.pose_m.shape == (1, 6, 25, 3) and clip.pose_m.dtype == np.float32
    np.testing.assert_allclose(clip.keypoints[0, ..., :2], rows[..., 5:7], atol=1e-3)


def test_the_name_gives_label_and_subject():
    clip = read_skeleton(tiny_ntu.text(tiny_ntu.single(tiny_ntu.body(2))), f"/some/where/{NAME}.skeleton")
    assert (clip.name, clip.label, clip.subject, clip.fps) == (f"/some/where/{NAME}.skeleton", 12, "P003", 30)
    assert clip.action == "A013 tear up paper"
    assert clip.image_size_px == (1920, 1080)


def test_an_inferred_joint_is_half_as_sure_as_a_tracked_one():
    rows = tiny_ntu.body(3)
    rows[1, :3, 11] = 0, 1, 2
    clip = read_skeleton(tiny_ntu.text(tiny_ntu.single(rows)), NAME)
    assert clip.keypoints[0, 1, :3, 2].tolist() == [0, 0.5, 1]
    assert (clip.keypoints[0, 1, 0] == 0).all()
    assert clip.pose_m[0, 1, 0].any()


def test_a_file_without_tracking_states_is_sure_of_every_joint_in_the_picture():
    rows = tiny_ntu.body(3)
    rows[..., 11] = 0
    rows[0, 4, 5:7] = np.nan, 3
    rows[2, 5, 5:7] = -np.inf
    rows[2, 6, 5:7] = 0
    clip = read_skeleton(tiny_ntu.text(tiny_ntu.single(rows)), NAME)
    missing = np.zeros((3, 25), bool)
    missing[0, 4] = missing[2, 5] = missing[2, 6] = True
    np.testing.assert_array_equal(clip.keypoints[0, ..., 2], ~missing)
    assert np.isfinite(clip.keypoints).all()


def test_the_two_bodies_that_move_most_stay_the_more_moving_first():
    # One that flickers up for two frames moves too; one that stands there for all does not.
    bodies = {i: tiny_ntu.body(9, i, sway) for i, sway in ((1, 0.05), (2, 0.001), (3, 0.2), (4, 0.1))}
    frames = [{i: rows[t] for i, rows in bodies.items() if i != 4 or t in (3, 7)} for t in range(9)]
    clip = read_skeleton(tiny_ntu.text(frames), NAME)
    motion = {i: spread(rows[[3, 7]] if i == 4 else rows) for i, rows in bodies.items()}
    first, second = sorted(motion, key=motion.get)[:1:-1]
    assert first == 3
    for person, i in enumerate((first, second)):
        for t in range(9):
            seen = np.zeros((25, 3)) if i == 4 and t not in (3, 7) else bodies[i][t, :, :3] * (-1, -1, 1)
            np.testing.assert_allclose(clip.pose_m[person, t], seen, atol=1e-6)


def test_bodies_whose_numbers_differ_beyond_float64_are_two():
    one, other = tiny_ntu.FIRST_ID, tiny_ntu.FIRST_ID + 1
    assert float(one) == float(other)
    frames = [{one: a, other: b} for a, b in zip(tiny_ntu.body(4, 1, 0.3), tiny_ntu.body(4, 2), strict=True)]
    assert len(read_skeleton(tiny_ntu.text(frames), NAME).pose_m) == 2


def test_frames_without_a_kept_body_are_dropped():
    one, two, third = (tiny_ntu.body(6, seed, sway) for seed, sway in ((1, 0.3), (2, 0.2), (3, 0.01)))
    frames = [{1: one[0]}, {}, {2: two[2], 3: third[2]}, {3: third[3]}, {1: one[4], 2: two[4]}, {3: third[5]}]
    clip = read_skeleton(tiny_ntu.text(frames), NAME)
    there = clip.pose_m.any(axis=(2, 3))
    assert there.tolist() == [[True, False, True], [False, True, True]]
    np.testing.assert_allclose(clip.pose_m[0, 2, :, 2], one[4, :, 2], atol=1e-6)
    np.testing.assert_array_equal(clip.keypoints[..., 2].any(axis=2), there)


def test_windows_line_ends_blanks_and_a_byte_order_mark_do_not_matter(tmp_path):
    plain = tiny_ntu.text(tiny_ntu.single(tiny_ntu.body(3)))
    (tmp_path / f"{TRAIN[0]}.skeleton").write_bytes(
        b"\xef\xbb\xbf" + plain.replace(" ", "  ").replace("\n", " \r\n").encode() + b"\r\n\r\n"
    )
    read = ntu.load(tmp_path, "ntu60-xsub", "pose").train.clip(0)
    np.testing.assert_allclose(read, read_skeleton(plain, NAME).pose_m, atol=2e-3)


def changed(line, new):
    """A text with another content in a line, counted from 1."""

    def change(lines):
        lines[line - 1] = new(lines[line - 1]) if callable(new) else new
        return lines

    return change


def field(i, value):
    return lambda line: " ".join(value if at == i else old for at, old in enumerate(line.split()))


# Line 1: frames; 2: bodies, 3: the body, 4: 25, 5 to 29: joints; the same from 30 to 57.
SPOILT = {
    "frames no number": (changed(1, "two"), "line 1: the line must be the number of frames. Received: 'two'"),
    "a fraction of a frame": (changed(1, "2.0"), "line 1: the line must be the number of frames"),
    "too few frames": (changed(1, "1"), "line 30: the file must end after 1 frames"),
    "too many frames": (
        changed(1, "3"),
        "line 57: the next line must be the number of bodies in frame 3 of 3.*truncated",
    ),
    "negative bodies": (
        changed(30, "-1"),
        "line 30: the line must be the number of bodies in frame 2 of 2. Received: '-1'",
    ),
    "a second body announced": (changed(30, "2"), "line 57: the next line must be a body in frame 2 of 2.*truncated"),
    "a short body line": (changed(3, "7 0 1"), "line 3: the line must be the 10 values of a body.*Received: '7 0 1'"),
    "a body that is no number": (changed(3, field(0, "x")), "line 3: the line must be the 10 values of a body"),
    "24 joints": (changed(32, "24"), "line 32: the number of joints must be 25. Received: 24"),
    "cut inside a frame": (
        lambda lines: lines[:40],
        "line 40: the next line must be 25 joints in frame 2 of 2.*truncated",
    ),
    "cut inside a line": (lambda lines: [*lines[:-1], lines[-1][:20]], "line 57: right_thumb .* must be 12 numbers"),
    "a word among the joints": (changed(6, field(1, "abc")), "line 6: spine_mid in frame 1 must be 12 numbers"),
    "13 values": (changed(34, lambda line: line + " 1"), "line 34: spine_mid in frame 2 must be 12 numbers"),
    "a blank line": (changed(10, ""), "line 10: .* must be 12 numbers"),
    "NaN": (changed(33, field(2, "nan")), "line 33: spine_base in frame 2 must be .* finite position"),
    "infinite": (changed(33, field(0, "-inf")), "line 33: .* finite position"),
    "nothing": (lambda lines: [], "line 0: the next line must be the number of frames.*truncated"),
    "no body": (lambda lines: ["2", "0", "0"], "must have a body.*NTU_RGBD_samples_with_missing_skeletons.txt"),
    "no frame": (lambda lines: ["0"], "must have a body. Received: none in 0 frames"),
}


def spoil(how):
    lines = list(tiny_ntu.lines(tiny_ntu.single(tiny_ntu.body(2))))
    return "".join(line + "\n" for line in SPOILT[how][0](lines))


@pytest.mark.parametrize("how", SPOILT)
def test_a_bad_file_is_refused_in_one_line_with_its_place_and_how_to_mend(how):
    with pytest.raises(ValueError, match=SPOILT[how][1]) as caught:
        read_skeleton(spoil(how), f"data/{NAME}.skeleton")
    message = str(caught.value)
    assert message.startswith(f"data/{NAME}.skeleton")
    assert "\n" not in message and "--skip-bad" in message


def test_a_body_that_is_in_a_frame_twice_is_refused():
    frame = list(tiny_ntu.lines(tiny_ntu.single(tiny_ntu.body(1))))
    with pytest.raises(ValueError, match="line 30: body 72057594037931101 is twice in frame 1 of 1"):
        read_skeleton("\n".join(["1", "2", *frame[2:], *frame[2:]]), NAME)


@pytest.mark.parametrize("name", ["walking.skeleton", "S1C2P3R2A13", "S001C002P003R002A013_rgb", ""])
def test_a_name_that_is_not_ntus_is_refused(name):
    with pytest.raises(ValueError, match="the file name must be like S001C002P003R002A013"):
        read_skeleton(spoil("no frame"), name)


@pytest.mark.parametrize("action", ["A000", "A121", "A999"])
def test_an_action_outside_the_classes_is_refused(action):
    with pytest.raises(ValueError, match=f"the action must be A001 to A120. Received: {action}"):
        read_skeleton(tiny_ntu.text(tiny_ntu.single(tiny_ntu.body(2))), f"S001C001P001R001{action}")


def test_there_are_120_actions_numbered_in_order():
    assert [name[:4] for name in CLASSES] == [f"A{i + 1:03d}" for i in range(120)]
    assert len({name[5:] for name in CLASSES}) == 120
    assert {CLASSES[i - 1][5:] for i in (1, 43, 58, 61, 112)} == {
        "drink water", "falling", "handshaking", "put on headphone", "high-five"
    }  # fmt: skip
    # The actions of two people: the last eleven of the first sixty, the last fifteen of the others.
    assert [i + 1 for i, name in enumerate(CLASSES) if "other" in name] == [
        50, 51, 52, 53, 54, 55, 56, 57, 59, 60, 106, 107, 108, 109, 110, 114, 115, 116, 117, 118
    ]  # fmt: skip


PUBLISHED_SUBJECTS = """1, 2, 4, 5, 8, 9, 13, 14, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38,
45, 46, 47, 49, 50, 52, 53, 54, 55, 56, 57, 58, 59, 70, 74, 78, 80, 81, 82, 83, 84, 85, 86, 89, 91, 92, 93, 94, 95,
97, 98, 100, 103"""


def test_the_splits_are_the_published_ones():
    subjects = [int(number) for number in PUBLISHED_SUBJECTS.replace("\n", " ").split(",")]
    every = [ClipName(s, c, p, 1, a) for s in range(1, 33) for c in (1, 2, 3) for p in range(1, 107) for a in (1, 61)]
    expected = {
        "ntu60-xsub": lambda n: None if n.action > 60 else n.performer in subjects and n.performer <= 40,
        "ntu60-xview": lambda n: None if n.action > 60 else n.camera != 1,
        "ntu120-xsub": lambda n: n.performer in subjects,
        "ntu120-xset": lambda n: n.setup % 2 == 0,
    }
    assert expected.keys() == BENCHMARKS.keys()
    words = {None: None, True: "train", False: "test"}
    for name, rule in expected.items():
        assert [BENCHMARKS[name].split(n) for n in every] == [words[rule(n)] for n in every]
    # Half of 40 and half of 106 people, as the papers say.
    trained = [{n.performer for n in every if BENCHMARKS[b].split(n) == "train"} for b in ("ntu60-xsub", "ntu120-xsub")]
    assert [len(people) for people in trained] == [20, 53]
    assert [len(BENCHMARKS[b].classes) for b in BENCHMARKS] == [60, 60, 120, 120]


def test_a_name_that_is_parsed_says_its_five_numbers():
    assert parse_name("S017C003P008R002A060") == (17, 3, 8, 2, 60)
    assert parse_name("S017C003P008R002A060.skeleton") is None


def written(folder, name):
    """The clip in a file, read on its own."""
    return read_skeleton((folder / f"{name}.skeleton").read_text(), name)


@pytest.mark.parametrize("kind", ["pose", "keypoints"])
def test_a_benchmark_gets_its_clips_in_the_order_of_their_names(tmp_path, kind):
    data = tiny_ntu.write(tmp_path / "data" / "deep", *TEST, *TRAIN, "S001C001P001R001A061")
    actions = ntu.load(tmp_path / "data", "ntu60-xsub", kind)
    assert actions.skeleton is NTU_25 and actions.classes == CLASSES[:60] and actions.left_out == ()
    for split, names in ((actions.train, TRAIN), (actions.test, TEST)):
        assert split.names.tolist() == list(names)
        assert split.label.tolist() == [int(name[-3:]) - 1 for name in names]
        assert split.kind == kind and isinstance(split.values, np.memmap) and set(split.fps) == {30}
        for i, name in enumerate(names):
            clip = written(data, name)
            # Screen units: half the picture's width is 1, its middle 0.
            screen = np.concatenate([(clip.keypoints[..., :2] - (960, 540)) / 960, clip.keypoints[..., 2:]], axis=-1)
            np.testing.assert_allclose(split.clip(i), clip.pose_m if kind == "pose" else screen, atol=1e-3)


def test_all_benchmarks_select_from_one_cache(tmp_path, cache):
    data = tiny_ntu.write(tmp_path / "data", *TRAIN, *TEST, "S001C001P001R001A061")
    sizes = {
        name: (len(actions.train), len(actions.test))
        for name in BENCHMARKS
        for actions in [ntu.load(data, name, "pose")]
    }
    assert sizes == {"ntu60-xsub": (2, 2), "ntu60-xview": (2, 2), "ntu120-xsub": (3, 2), "ntu120-xset": (2, 3)}
    assert len(list(cache.iterdir())) == 1


def same(one, other):
    for a, b in ((one.train, other.train), (one.test, other.test)):
        np.testing.assert_array_equal(a.names, b.names)
        np.testing.assert_array_equal(a.label, b.label)
        for i in range(len(a)):
            np.testing.assert_array_equal(a.clip(i), b.clip(i))
    return True


def test_zips_hold_the_same_clips_as_folders(tmp_path):
    data = tiny_ntu.write(tmp_path / "data", *TRAIN, *TEST)
    (tmp_path / "zips").mkdir()
    for number, names in enumerate((TRAIN, TEST)):
        with zipfile.ZipFile(tmp_path / "zips" / f"part{number}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name in names:
                archive.write(data / f"{name}.skeleton", f"nturgb+d_skeletons/{name}.skeleton")
                archive.writestr(f"__MACOSX/._{name}.skeleton", "what macOS adds")
    unpacked = ntu.load(data, "ntu60-xsub", "pose")
    assert same(unpacked, ntu.load(tmp_path / "zips", "ntu60-xsub", "pose"))
    first = ntu.load(tmp_path / "zips" / "part0.zip", "ntu60-xsub", "pose")
    assert (len(first.train), len(first.test)) == (2, 0)
    # Zips next to what was unpacked from them and changed since.
    tiny_ntu.write(data, TRAIN[0], frames=20)
    both = ntu.load(tmp_path, "ntu60-xsub", "pose")
    assert both.train.names.tolist() == list(TRAIN) and both.train.frames.tolist() == [20, 8]


def test_several_processes_give_what_one_gives(tmp_path, monkeypatch):
    names = [f"S001C00{c}P00{p}R001A{a:03d}" for c in (1, 2, 3) for p in (1, 3) for a in range(1, 13)]
    data = tiny_ntu.write(tmp_path / "data", *names, frames=2)
    single = ntu.load(data, "ntu60-xview", "pose", workers=1)
    monkeypatch.setenv("SKELGNN_TF_CACHE", str(tmp_path / "another cache"))
    together = ntu.load(data, "ntu60-xview", "pose", workers=2)
    assert (len(together.train), len(together.test)) == (48, 24)
    assert same(single, together)


def test_the_processes_that_parse_import_neither_keras_nor_tensorflow():
    program = "import skelgnn_tf.datasets.ntu.raw_files, sys; print({'keras', 'tensorflow'} & sys.modules.keys())"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "set()\n"


def test_a_second_run_does_not_read_the_files_and_a_changed_file_is_read_again(tmp_path, said):
    data = tiny_ntu.write(tmp_path / "data", *TRAIN, *TEST)
    file = data / f"{TRAIN[0]}.skeleton"
    before, first = file.stat(), ntu.load(data, "ntu60-xsub", "pose", console=said)
    file.write_bytes(b"x" * before.st_size)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert same(first, ntu.load(data, "ntu60-xsub", "pose", console=said))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    with pytest.raises(ValueError, match=f"{file}, line 1: the line must be the number of frames"):
        ntu.load(data, "ntu60-xsub", "pose", console=said)


def test_clips_on_the_authors_lists_are_left_out_and_counted(tmp_path, said):
    data = tiny_ntu.write(tmp_path / "data", *TRAIN, *TEST)
    (data / f"{TRAIN[0]}.skeleton").write_text("2\n0\n0\n")
    with pytest.raises(ValueError, match="Put the authors' list"):
        ntu.load(data, "ntu60-xsub", "pose")
    (data / "NTU_RGBD_samples_with_missing_skeletons.txt").write_text(
        f"302 of the samples in S001C001P006R001A059 have ...\r\n\r\n# {TEST[1]}\r\n{TRAIN[0]}\r\n"
        f"{TEST[0]}.skeleton  # its end\r\nS009C001P001R001A001\r\n"
    )
    actions = ntu.load(data, "ntu60-xsub", "pose", console=said)
    assert (actions.train.names.tolist(), actions.test.names.tolist()) == ([TRAIN[1]], [TEST[1]])
    assert actions.left_out == ()
    assert "2 clips on the authors' lists of missing skeletons are left out" in said.file.getvalue()


def test_a_list_beside_a_zip_counts(tmp_path):
    data = tiny_ntu.write(tmp_path / "data", *TRAIN)
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        for name in TRAIN:
            archive.write(data / f"{name}.skeleton", f"{name}.skeleton")
    (tmp_path / "my_missing_skeletons_120.txt").write_text(TRAIN[1])
    assert ntu.load(tmp_path / "data.zip", "ntu60-xsub", "pose").train.names.tolist() == [TRAIN[0]]


def test_bad_files_are_left_out_on_demand_and_stay_known(tmp_path, cache):
    data = tiny_ntu.write(tmp_path / "data", *TRAIN, *TEST)
    (data / f"{TRAIN[0]}.skeleton").write_text(spoil("24 joints"))
    (data / "holiday.skeleton").write_text("2")
    with pytest.raises(ValueError, match=f"{TRAIN[0]}.skeleton, line 32: the number of joints must be 25"):
        ntu.load(data, "ntu60-xsub", "pose")
    assert not cache.exists() or list(cache.iterdir()) == []
    for _ in range(2):
        actions = ntu.load(data, "ntu60-xsub", "pose", skip_bad=True)
        assert (len(actions.train), len(actions.test)) == (1, 2)
        first, second = actions.left_out
        assert first.startswith(f"{data / TRAIN[0]}.skeleton, line 32: the number of joints must be 25")
        assert second.startswith(f"{data / 'holiday.skeleton'}: the file name")
    with pytest.raises(ValueError, match=f"{TRAIN[0]}.skeleton, line 32"):
        ntu.load(data, "ntu60-xsub", "pose")


def test_a_bad_file_of_another_benchmark_does_not_stop_this_one(tmp_path):
    data = tiny_ntu.write(tmp_path / "data", *TRAIN, *TEST)
    (data / "S020C001P001R001A061.skeleton").write_text(spoil("no body"))
    assert ntu.load(data, "ntu60-xsub", "pose").left_out == ()
    assert len(ntu.load(data, "ntu120-xsub", "pose", skip_bad=True).left_out) == 1
    with pytest.raises(ValueError, match="S020C001P001R001A061"):
        ntu.load(data, "ntu120-xset", "pose")


def test_a_clip_without_pixels_is_no_keypoint_clip(tmp_path):
    data = tiny_ntu.write(tmp_path / "data", *TRAIN, *TEST)
    rows = tiny_ntu.body(3)
    rows[..., 5:7] = 0
    (data / f"{TRAIN[0]}.skeleton").write_text(tiny_ntu.text(tiny_ntu.single(rows)))
    assert len(ntu.load(data, "ntu60-xsub", "pose").train) == 2
    with pytest.raises(ValueError, match=f"{TRAIN[0]}.skeleton: no joint has a pixel"):
        ntu.load(data, "ntu60-xsub", "keypoints")


def test_a_damaged_member_of_a_zip_is_a_bad_file(tmp_path):
    path = tmp_path / "data.zip"
    data = tiny_ntu.write(tmp_path / "data", *TRAIN)
    with zipfile.ZipFile(path, "w") as archive:
        for name in TRAIN:
            archive.write(data / f"{name}.skeleton", f"{name}.skeleton")
    damaged = bytearray(path.read_bytes())
    damaged[200] ^= 1
    path.write_bytes(damaged)
    (line,) = ntu.load(path, "ntu60-xsub", "pose", skip_bad=True).left_out
    assert line.startswith(f"{path}/{TRAIN[0]}.skeleton: the file cannot be read (Bad CRC-32")


def test_only_bad_files_are_an_error_even_on_demand(tmp_path):
    (tmp_path / f"{TRAIN[0]}.skeleton").write_text("no")
    with pytest.raises(ValueError, match="none of the 1 .skeleton files can be used. The first error: .*line 1"):
        ntu.load(tmp_path, "ntu60-xsub", "pose", skip_bad=True)


def test_where_nothing_can_be_written_the_clips_stay_in_memory(tmp_path, monkeypatch, said):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("SKELGNN_TF_CACHE", str(tmp_path / "file"))
    data = tiny_ntu.write(tmp_path / "data", *TRAIN, *TEST)
    actions = ntu.load(data, "ntu60-xsub", "pose", console=said)
    assert not isinstance(actions.train.values, np.memmap)
    np.testing.assert_allclose(actions.train.clip(1), written(data, TRAIN[1]).pose_m, atol=1e-6)
    assert "cannot write" in said.file.getvalue() and "kept in memory" in said.file.getvalue()


def test_a_damaged_cache_is_refused_in_one_line(tmp_path, cache):
    data = tiny_ntu.write(tmp_path / "data", *TRAIN, *TEST)
    ntu.load(data, "ntu60-xsub", "pose")
    (folder,) = cache.iterdir()
    (folder / "left_out.json").write_text("[[")
    with pytest.raises(ValueError, match=f"{folder}: the cache is damaged .*Remove the folder"):
        ntu.load(data, "ntu60-xsub", "pose")


def test_a_place_without_skeletons_says_what_it_wants(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere: folder or zip not found"):
        ntu.load(tmp_path / "nowhere", "ntu60-xsub", "pose")
    with pytest.raises(FileNotFoundError, match="no .skeleton file found. Expected a folder or zip"):
        ntu.load(tmp_path, "ntu60-xsub", "pose")
    (tmp_path / "part.zip").write_bytes(b"half of it")
    with pytest.raises(ValueError, match="part.zip: the file must be a complete zip"):
        ntu.load(tmp_path, "ntu60-xsub", "pose")
    with pytest.raises(ValueError, match="benchmark must be one of ntu60-xsub, ntu60-xview.*Received: 'ntu60'"):
        ntu.load(tmp_path, "ntu60", "pose")


def test_the_benchmark_counts_its_copies(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[2] / "benchmarks" / "speed")
    import ntu_parsing

    samples = tiny_ntu.write(tmp_path / "samples", *TRAIN)
    (tmp_path / "copies").mkdir()
    size = ntu_parsing.copies(samples, tmp_path / "copies", 5)
    assert size == sum(file.stat().st_size for file in (tmp_path / "copies").iterdir())
    ntu_parsing.parsing(tmp_path / "copies", 5, size, workers=1)
    assert re.search(
        r"cold: 5 files .*files/minute.*from the cache: .*peak memory: ", capsys.readouterr().out, re.DOTALL
    )


def test_the_shared_samples_are_people_who_stand_upright_before_the_camera(shared_data):
    actions = ntu.load(shared_data / "bandai_namco" / "skeleton_samples", "ntu60-xsub", "pose")
    # The README's table.
    assert dict(zip(actions.train.names.tolist(), actions.train.frames.tolist(), strict=True)) == {
        "S001C001P001R001A001": 38, "S001C001P002R001A002": 99, "S001C001P004R001A005": 250, "S001C001P005R001A006": 146
    }  # fmt: skip
    assert actions.test.frames.tolist() == [237, 224]
    for name in actions.train.names:
        pose_m = written(shared_data / "bandai_namco" / "skeleton_samples", name).pose_m[0]
        head, hip = (pose_m[:, NTU_25.index(joint)] for joint in ("head", "spine_base"))
        assert (head[:, 1] < hip[:, 1] - 0.3).all() and (hip[:, 2] > 0.5).all()
        lengths = np.stack([np.linalg.norm(pose_m[:, a] - pose_m[:, b], axis=-1) for a, b in NTU_25.bones])
        assert np.ptp(lengths, axis=1).max() < 0.004
