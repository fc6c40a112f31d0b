import fractions
import os
import pickle
import subprocess
import tracemalloc
import zipfile

import numpy as np
import pytest

from skelgnn_tf.datasets.pickles import iterate_npz, load_npz, load_pickle, npz_header, npz_keys

PLAIN = {
    "S1": {"Walking 1": [np.arange(12, dtype=np.float32).reshape(2, 3, 2), np.float64(2.5)]},
    "numbers": (1, 2.5, True, None, 10**30),
    b"bytes": b"\x00\xff",
    "kinds": [np.array(["a", "bc"]), np.array([True]), np.asfortranarray(np.ones((2, 3), "f2")), np.array([{}, None])],
}


def assert_same(got, expected):
    assert type(got) is type(expected)
    if isinstance(expected, dict):
        assert list(got) == list(expected)
        for key in expected:
            assert_same(got[key], expected[key])
    elif isinstance(expected, (list, tuple)):
        assert len(got) == len(expected)
        for one, other in zip(got, expected, strict=True):
            assert_same(one, other)
    elif isinstance(expected, np.ndarray):
        np.testing.assert_array_equal(got, expected, strict=True)
    else:
        assert got == expected


def as_object(value):
    box = np.empty((), object)
    box[()] = value
    return box


class Attack:
    """What a hostile file does: unpickling it calls a function of the attacker's choice."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def test_plain_data_in_an_npz_comes_back_as_it_was_saved(tmp_path):
    np.savez(tmp_path / "a.npz", data=as_object(PLAIN), table=np.eye(3), two=np.array([{"a": 1}, [2]], object))
    assert_same(load_npz(tmp_path / "a.npz", "data"), PLAIN)
    assert_same(load_npz(tmp_path / "a.npz", "table"), np.eye(3))
    assert_same(load_npz(tmp_path / "a.npz", "two"), np.array([{"a": 1}, [2]], object))
    assert npz_keys(tmp_path / "a.npz") == ("data", "table", "two")


def test_compressed_files_are_read_too(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", data=as_object(PLAIN))
    assert_same(load_npz(tmp_path / "a.npz", "data"), PLAIN)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_data_in_a_pickle_of_any_age_comes_back(tmp_path, protocol):
    plain = {key: value for key, value in PLAIN.items() if key != "numbers"}
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(plain, protocol))
    assert_same(load_pickle(tmp_path / "a.pkl"), plain)


@pytest.mark.parametrize(("written_by", "module"), [(1, b"numpy.core."), (2, b"numpy._core.")])
def test_arrays_of_both_ages_of_numpy_are_read(tmp_path, written_by, module):
    # Protocol 2 spells the module without a length in front, so its name can be exchanged in the bytes.
    old = pickle.dumps({"x": np.arange(3.0), "y": np.float32(2)}, 2)
    pickled = old.replace(b"numpy._core.", b"numpy.core.").replace(b"numpy.core.", module)
    assert module in pickled
    (tmp_path / "a.pkl").write_bytes(pickled)
    assert_same(load_pickle(tmp_path / "a.pkl"), {"x": np.arange(3.0), "y": np.float32(2)})


def attacks(mark):
    return {
        "system": Attack(os.system, f"touch {mark}"),
        "exec": Attack(exec, f"open({str(mark)!r}, 'w')"),
        "open": Attack(open, str(mark), "w"),
        "mkdir": Attack(os.mkdir, str(mark)),
        "call": Attack(subprocess.call, ["touch", str(mark)]),
        "getattr": Attack(getattr, str(mark), "upper"),
        "load": Attack(np.load, str(mark)),
    }


@pytest.mark.parametrize("name", list(attacks("")))
@pytest.mark.parametrize("protocol", [2, 4])
def test_a_file_that_would_run_something_is_refused_and_not_run(tmp_path, name, protocol):
    mark = tmp_path / "mark"
    hidden = {"S1": {"Walking": [np.zeros(3), {"deep": attacks(mark)[name]}]}}
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(hidden, protocol))
    np.savez(tmp_path / "a.npz", data=as_object(hidden))
    for load in (lambda: load_pickle(tmp_path / "a.pkl"), lambda: load_npz(tmp_path / "a.npz", "data")):
        with pytest.raises(ValueError, match=rf"a\.(pkl|npz).*holds [\w.]*\.{name}, not only plain data"):
            load()
    assert not mark.exists()


def test_an_object_of_a_class_is_refused_even_if_it_is_harmless(tmp_path):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(fractions.Fraction(1, 3)))
    with pytest.raises(ValueError, match=r"holds fractions.Fraction"):
        load_pickle(tmp_path / "a.pkl")


def test_bytes_in_a_strange_codec_are_refused(tmp_path):
    (tmp_path / "a.pkl").write_bytes(b"\x80\x02c_codecs\nencode\nX\x03\x00\x00\x00abcX\x05\x00\x00\x00rot13\x86R.")
    with pytest.raises(ValueError, match="rot13"):
        load_pickle(tmp_path / "a.pkl")


def test_a_missing_file_is_named_and_so_is_a_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"b\.npz: file not found. The folder exists"):
        load_npz(tmp_path / "b.npz", "data")
    with pytest.raises(FileNotFoundError, match="The folder .* does not exist either"):
        load_pickle(tmp_path / "nowhere" / "b.pkl")


def test_a_missing_key_is_answered_with_the_keys_there_are(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=np.zeros(1), y_train=np.zeros(1))
    with pytest.raises(ValueError, match=r"a\.npz: the file must have the key 'data'. Received: x_train, y_train"):
        load_npz(tmp_path / "a.npz", "data")


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"PK\x03\x04 cut off"])
def test_a_file_that_is_no_npz_is_refused(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.npz: the file must be an npz file"):
        load_npz(tmp_path / "a.npz", "data")


@pytest.mark.parametrize("content", [b"", b"<html>", pickle.dumps(PLAIN)[:-40], b"\x80\x04\x95\xff"])
def test_a_file_that_is_no_pickle_is_refused(tmp_path, content):
    (tmp_path / "a.pkl").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.pkl: the file is damaged"):
        load_pickle(tmp_path / "a.pkl")


@pytest.mark.parametrize("cut", [3, 60, 200])
def test_a_member_that_is_cut_off_is_refused(tmp_path, cut):
    np.savez(tmp_path / "whole.npz", data=as_object(PLAIN))
    with zipfile.ZipFile(tmp_path / "whole.npz") as whole, zipfile.ZipFile(tmp_path / "a.npz", "w") as part:
        part.writestr("data.npy", whole.read("data.npy")[:cut])
    with pytest.raises(ValueError, match=r"a\.npz, 'data': the file is damaged"):
        load_npz(tmp_path / "a.npz", "data")


def test_bits_that_changed_on_the_way_are_noticed(tmp_path):
    np.savez(tmp_path / "a.npz", data=as_object({"x": np.zeros(1000)}))
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[len(content) // 2] ^= 0xFF
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(ValueError, match="damaged"):
        load_npz(tmp_path / "a.npz", "data")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("rows", [1, 3, 7, 100])
@pytest.mark.parametrize("shape", [(7, 2, 3), (7,), (0, 4), (7, 0)])
def test_pieces_of_an_array_make_the_whole(tmp_path, save, rows, shape):
    array = np.random.default_rng(0).normal(size=shape).astype(">f4")
    save(tmp_path / "a.npz", other=np.eye(3), x=array)
    pieces = list(iterate_npz(tmp_path / "a.npz", "x", rows))
    assert [len(piece) for piece in pieces] == [min(rows, shape[0] - i) for i in range(0, shape[0], rows)]
    np.testing.assert_array_equal(np.concatenate([np.empty((0, *shape[1:]), ">f4"), *pieces]), array)
    assert npz_header(tmp_path / "a.npz", "x") == (shape, np.dtype(">f4"))


def test_arrays_whose_first_axis_runs_fastest_are_cut_into_the_same_pieces(tmp_path):
    array = np.arange(42).reshape(6, 7).T
    np.savez(tmp_path / "a.npz", x=array)
    for piece, expected in zip(iterate_npz(tmp_path / "a.npz", "x", 4), (array[:4], array[4:]), strict=True):
        np.testing.assert_array_equal(piece, expected)


def test_only_a_piece_of_an_array_is_in_memory(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros((400, 20_000), np.float32))
    tracemalloc.start()
    try:
        assert sum(len(piece) for piece in iterate_npz(tmp_path / "a.npz", "x", 10)) == 400
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 32e6 / 4


def test_what_cannot_be_cut_into_rows_of_numbers_is_refused_before_anything_is_read(tmp_path):
    mark = tmp_path / "mark"
    np.savez(tmp_path / "a.npz", single=np.float32(3), objects=as_object(attacks(mark)["system"]))
    with pytest.raises(ValueError, match=r"a\.npz, 'single': the array must have rows"):
        iterate_npz(tmp_path / "a.npz", "single", 4)
    for read in (lambda key: iterate_npz(tmp_path / "a.npz", key, 4), lambda key: npz_header(tmp_path / "a.npz", key)):
        with pytest.raises(
            ValueError, match=r"a\.npz, 'objects': the array must hold numbers. Received: pickled objects"
        ):
            read("objects")
        with pytest.raises(ValueError, match=r"a\.npz: the file must have the key 'x'. Received: single, objects"):
            read("x")
    with pytest.raises(FileNotFoundError, match=r"b\.npz: file not found"):
        iterate_npz(tmp_path / "b.npz", "x", 4)
    assert not mark.exists()


@pytest.mark.parametrize(
    "spoil", [lambda npy: npy[:-1], lambda npy: npy[:200], lambda npy: npy[:5], lambda npy: npy + b"more"]
)
def test_an_array_longer_or_shorter_than_its_header_says_is_refused(tmp_path, spoil):
    np.savez(tmp_path / "whole.npz", x=np.zeros((50, 3)))
    with zipfile.ZipFile(tmp_path / "whole.npz") as whole, zipfile.ZipFile(tmp_path / "a.npz", "w") as other:
        other.writestr("x.npy", spoil(whole.read("x.npy")))
    with pytest.raises(ValueError, match=r"a\.npz, 'x': the file is damaged"):
        list(iterate_npz(tmp_path / "a.npz", "x", 16))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_bits_of_an_array_that_changed_on_the_way_are_noticed_when_it_is_read_in_pieces(tmp_path, save):
    save(tmp_path / "a.npz", x=np.random.default_rng(0).normal(size=(1000, 3)))
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[len(content) // 2] ^= 0xFF
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(ValueError, match="damaged"):
        list(iterate_npz(tmp_path / "a.npz", "x", 300))
