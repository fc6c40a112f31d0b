import os

import numpy as np
import pytest

from skelgnn_tf.cache_dir import cache_dir
from skelgnn_tf.datasets.cache import cache_folder
from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.datasets.sequences import Sequences, SequenceWriter, from_clips


def clips(channels=3, joints=5, seed=0):
    """Clips (persons, frames, joints, channels) some meters from the origin, each of another length."""
    rng = np.random.default_rng(seed)
    return [
        (rng.normal(size=(persons, frames, joints, channels)) + 3).astype(np.float32)
        for persons, frames in ((1, 4), (2, 6), (1, 1), (2, 3))
    ]


def write(values, kind="pose", folder=None):
    writer = SequenceWriter(kind, folder)
    for i, value in enumerate(values):
        writer.add(f"clip {i}", value, label=i % 2, fps=30 + i)
    return writer.close()


def test_every_clip_comes_back_whole(tmp_path):
    for folder, tolerance in ((None, 1e-6), (tmp_path / "kept", 2**-9)):
        sequences = write(clips(), folder=folder)
        assert len(sequences) == 4 and sequences.channels == 3
        assert sequences.label.tolist() == [0, 1, 0, 1] and sequences.fps.tolist() == [30, 31, 32, 33]
        for i, values in enumerate(clips()):
            assert sequences.clip(i).dtype == np.float32
            np.testing.assert_allclose(sequences.clip(i), values, atol=tolerance)


def test_a_folder_holds_what_memory_holds_but_for_float16s_rounding(tmp_path):
    memory, folder = write(clips()), write(clips(), folder=tmp_path / "kept")
    assert isinstance(folder.values, np.memmap) and folder.values.dtype == np.float16
    np.testing.assert_array_equal(folder.origin, memory.origin)
    # Half a step of 11 significant bits.
    error = np.abs(folder.values.astype(np.float64) - memory.values)
    assert (error <= np.abs(memory.values) * 2.0**-11).all() and error.any()
    assert (tmp_path / "kept" / "values.bin").stat().st_size == memory.values.size * 2


def test_what_was_written_opens_again(tmp_path):
    written = write(clips(), folder=tmp_path / "kept")
    opened = Sequences.open(tmp_path / "kept")
    assert opened.names.tolist() == [f"clip {i}" for i in range(4)] and opened.kind == "pose"
    for i in range(4):
        np.testing.assert_array_equal(opened.clip(i), written.clip(i))


def test_take_gives_the_chosen_frames_of_each_clip_and_zeros_for_absent_persons(tmp_path):
    values = clips()
    for folder in (None, tmp_path / "kept"):
        chosen, frames = np.array([1, 0, 3]), np.array([[5, 0, 0], [3, 1, 2], [0, 2, 1]])
        taken = write(values, folder=folder).take(chosen, frames, persons=2)
        assert taken.shape == (3, 2, 3, 5, 3)
        for b, (clip, rows) in enumerate(zip(chosen, frames, strict=True)):
            for person in range(2):
                for t, row in enumerate(rows):
                    there = person < len(values[clip])
                    expected = values[clip][person, row] if there else np.zeros((5, 3))
                    np.testing.assert_allclose(taken[b, person, t], expected, atol=2**-9)
        assert (taken[1, 1] == 0).all()


def test_persons_beyond_those_wanted_are_left_out():
    values = clips()
    np.testing.assert_allclose(write(values).take(np.array([1]), np.arange(6)[None], 1)[0], values[1][:1], atol=1e-6)


def test_missing_joints_stay_exactly_zero(tmp_path):
    values = clips()
    values[1][0, :, 2] = 0
    values[1][1, 3:] = 0
    values[3][0, 0] = 0
    for folder in (None, tmp_path / "kept"):
        sequences = write(values, folder=folder)
        for i in range(4):
            np.testing.assert_array_equal(np.any(sequences.clip(i) != 0, axis=-1), np.any(values[i] != 0, axis=-1))


def test_a_joint_in_the_middle_of_the_others_is_not_missing(tmp_path):
    # The origin is the mean of a frame's joints, and this one lies there.
    values = np.float32([[[[1, 2, 3], [0, 2, 3], [2, 2, 3]]]])
    for folder in (None, tmp_path / "kept"):
        sequences = write([values], folder=folder)
        np.testing.assert_allclose(sequences.clip(0), values, atol=1e-3)


def test_a_lone_joint_far_from_the_camera_is_kept_to_a_millimeter(tmp_path):
    # Those that are missing do not draw the origin away from it: 24 m off, float16 rounds to 16 mm.
    values = np.zeros((1, 1, 5, 3), np.float32)
    values[0, 0, 3] = 1.003, -2.003, 30.007
    np.testing.assert_allclose(write([values], folder=tmp_path / "kept").clip(0), values, atol=1e-3)


@pytest.mark.parametrize("kept", [False, True])
def test_a_keypoint_of_confidence_zero_is_missing_whatever_it_was(tmp_path, kept):
    values = [np.abs(value) / 8 for value in clips()]
    values[0][0, 1, 2] = np.nan, 0.4, 0
    values[1][1, 0, 3] = 0.3, 0.4, 0
    sequences = write(values, "keypoints", tmp_path / "kept" if kept else None)
    assert (sequences.clip(0)[0, 1, 2] == 0).all() and (sequences.clip(1)[1, 0, 3] == 0).all()
    assert (sequences.origin == 0).all()
    np.testing.assert_allclose(sequences.clip(3), values[3], atol=1e-3)


@pytest.mark.parametrize("chosen", [np.array([False, True, False, True]), np.array([1, 3])])
def test_selected_clips_keep_all_that_is_theirs(chosen):
    sequences = write(clips())
    some = sequences.select(chosen)
    assert some.names.tolist() == ["clip 1", "clip 3"] and some.values is sequences.values
    np.testing.assert_array_equal(some.clip(1), sequences.clip(3))
    assert len(sequences.select(np.zeros(4, bool))) == 0


def test_nothing_is_seen_before_close_and_nothing_is_left_after_abort(tmp_path):
    writer = SequenceWriter("pose", tmp_path / "kept")
    writer.add("one", clips()[0], 0, 30)
    with pytest.raises(FileNotFoundError):
        Sequences.open(tmp_path / "kept")
    writer.abort()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_written_again_holds_the_new_clips_alone(tmp_path):
    for seed in (0, 1):
        # A process that was killed leaves its beginnings.
        killed = SequenceWriter("pose", tmp_path / "kept")
        killed.add("one", clips()[0], 0, 30)
        for file in killed.files:
            file.close()
        write(clips(seed=seed), folder=tmp_path / "kept")
    np.testing.assert_allclose(Sequences.open(tmp_path / "kept").clip(1), clips(seed=1)[1], atol=2**-9)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_no_clip_is_an_error_that_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="the data set must have a clip"):
        SequenceWriter("pose", tmp_path / "kept").close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shape", [(5, 3), (4, 5, 3), (1, 4, 6, 3), (1, 4, 5, 2), (0, 4, 5, 3), (1, 0, 5, 3)])
def test_a_clip_of_another_shape_is_refused_by_name(shape):
    writer = SequenceWriter("pose")
    if len(shape) == 4:
        writer.add("the first", clips()[0], 0, 30)
    with pytest.raises(ValueError, match="odd one: the clip must be .persons, frames"):
        writer.add("odd one", np.ones(shape), 0, 30)


def spoil_index(folder):
    (folder / "index.npz").write_bytes((folder / "index.npz").read_bytes()[:-40])


def spoil_index_content(folder):
    np.savez(folder / "index.npz", first=np.arange(3))


def truncate_values(folder):
    os.truncate(folder / "values.bin", 10)


def lengthen_values(folder):
    (folder / "values.bin").write_bytes((folder / "values.bin").read_bytes() + b"more")


@pytest.mark.parametrize("spoil", [spoil_index, spoil_index_content, truncate_values, lengthen_values])
def test_a_damaged_cache_is_refused_in_one_line(tmp_path, spoil):
    write(clips(), folder=tmp_path / "kept")
    spoil(tmp_path / "kept")
    with pytest.raises(ValueError, match=f"{tmp_path / 'kept'}: the cache is damaged .*Remove the folder") as caught:
        Sequences.open(tmp_path / "kept")
    assert "\n" not in str(caught.value)


def test_a_cache_that_is_not_there_is_no_damage(tmp_path):
    with pytest.raises(FileNotFoundError):
        Sequences.open(tmp_path / "nowhere")


def test_clips_with_the_poses_of_one_or_of_several_persons_become_sequences():
    rng = np.random.default_rng(0)
    one, two = rng.normal(size=(1, 4, 5, 3)), rng.normal(size=(2, 4, 5, 3))
    made = [
        Clip("one", np.ones((1, 4, 5, 2), np.float32), one[0].astype(np.float32), label=0),
        Clip("two", np.ones((2, 4, 5, 2), np.float32), two.astype(np.float32), label=1),
    ]
    sequences = from_clips(made, "pose")
    np.testing.assert_allclose(sequences.clip(0), one, atol=1e-6)
    np.testing.assert_allclose(sequences.clip(1), two, atol=1e-6)


def test_the_cache_folder_has_another_name_when_a_file_or_the_version_changes(tmp_path):
    files = [tmp_path / name for name in ("b", "a")]
    for file in files:
        file.write_text("some text")
    first = cache_folder("ntu", files, "1")
    assert first.name.startswith("ntu-")
    assert cache_folder("ntu", files[::-1], "1") == first == cache_folder("ntu", list(map(str, files)), "1")
    others = {cache_folder("ntu", files, "2"), cache_folder("ntu", files[:1], "1")}
    stat = files[0].stat()
    os.utime(files[0], ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    others.add(cache_folder("ntu", files, "1"))
    files[0].write_text("a longer text")
    os.utime(files[0], ns=(stat.st_atime_ns, stat.st_mtime_ns))
    others.add(cache_folder("ntu", files, "1"))
    files[0].rename(tmp_path / "c")
    (tmp_path / "c").write_text("some text")
    os.utime(tmp_path / "c", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    others.add(cache_folder("ntu", [tmp_path / "c", files[1]], "1"))
    assert len(others) == 5 and first not in others


def test_the_cache_lies_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("SKELGNN_TF_CACHE", str(tmp_path / "mine"))
    assert cache_dir() == tmp_path / "mine"
    monkeypatch.delenv("SKELGNN_TF_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "theirs"))
    assert cache_dir() == tmp_path / "theirs" / "skelgnn-tf"
