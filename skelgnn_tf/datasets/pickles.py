"""The only door for pickles: `.npz` and `.pkl` files of the field, read without running what is in them."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

_PLAIN = "arrays, dict, list, tuple, str, bytes and numbers"


def _encode(text: str, encoding: str) -> bytes:
    """What old pickles spell bytes with; any other codec than theirs is refused."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"holds bytes in the codec {encoding!r}, which is no plain data ({_PLAIN})")
    return text.encode(encoding)


# numpy itself says what rebuilds its arrays and scalars, so no private name is spelled as an import here.
_MULTIARRAY = {"_reconstruct": np.zeros(1).__reduce__()[0], "scalar": np.float32(0).__reduce__()[0]}
_NUMERIC = {"_frombuffer": np.zeros(1).__reduce_ex__(5)[0]}
_ALLOWED = {
    "_codecs": {"encode": _encode},
    "numpy": {"ndarray": np.ndarray, "dtype": np.dtype},
    # numpy 1 wrote numpy.core, numpy 2 writes numpy._core.
    "numpy.core.multiarray": _MULTIARRAY,
    "numpy._core.multiarray": _MULTIARRAY,
    "numpy.core.numeric": _NUMERIC,
    "numpy._core.numeric": _NUMERIC,
}


class _PlainUnpickler(pickle.Unpickler):
    """An unpickler that knows numpy's arrays and nothing else that has a name."""

    def find_class(self, module: str, name: str) -> Any:
        if name not in _ALLOWED.get(module, {}):
            raise pickle.UnpicklingError(f"holds {module}.{name}, which is no plain data ({_PLAIN})")
        return _ALLOWED[module][name]


def _unpickle(file: IO[bytes]) -> Any:
    # latin1 is what keeps the arrays of Python 2's pickles whole.
    return _PlainUnpickler(file, encoding="latin1").load()


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether the first axis runs fastest (Fortran), and dtype; the file then stands at the first value."""
    npy = np.lib.format
    old = npy.read_magic(file) == (1, 0)
    return (npy.read_array_header_1_0 if old else npy.read_array_header_2_0)(file)


def _read_member(archive: zipfile.ZipFile, key: str) -> Any:
    """One array of an npz; a pickled object comes out as itself, not as an array round it."""
    with archive.open(f"{key}.npy") as file:
        shape, _, dtype = _read_header(file)
        if dtype.hasobject:
            array = np.asarray(_unpickle(file), dtype=object)
            return array.reshape(shape) if shape else array.item()
    with archive.open(f"{key}.npy") as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def npz_keys(path: str | Path) -> tuple[str, ...]:
    """Names of the arrays in an npz file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is no npz.
    """
    _must_exist(path)
    try:
        with zipfile.ZipFile(path) as archive:
            return tuple(name.removesuffix(".npy") for name in archive.namelist())
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path} is no npz file ({error}); download it again") from error


def load_npz(path: str | Path, key: str) -> Any:
    """One array of an npz file, or the object that was pickled into it; no code in the file is run.

    Args:
        path: The `.npz` file.
        key: Name of the array, e.g. "positions_3d".

    Returns:
        The array, or for a 0-dimensional object array the dict, list, ... inside it.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is no npz or damaged, lacks the key, or holds something that is no plain data.

    Example:
        >>> load_npz("data_3d_h36m.npz", "positions_3d")["S1"]["Walking"].shape  # doctest: +SKIP
        (3330, 32, 3)
    """
    _must_hold(path, key)
    try:
        with zipfile.ZipFile(path) as archive:
            return _read_member(archive, key)
    # A damaged pickle or stream may raise nearly anything.
    except Exception as error:
        raise ValueError(f"{path}, {key!r}: {_reason(error)}") from error


def npz_header(path: str | Path, key: str) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and dtype of one plain array of an npz file, without reading the array.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: As `load_npz`, and for an array of pickled objects.

    Example:
        >>> npz_header("NTU120_CSub.npz", "x_train")  # doctest: +SKIP
        ((63026, 300, 150), dtype('float32'))
    """
    _must_hold(path, key)
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{key}.npy") as file:
            shape, _, dtype = _read_header(file)
    except Exception as error:
        raise ValueError(f"{path}, {key!r}: {_reason(error)}") from error
    if dtype.hasobject:
        raise ValueError(f"{path}, {key!r}: expected plain numbers, found pickled objects; save it anew as one array")
    return shape, dtype


def iterate_npz(path: str | Path, key: str, rows: int) -> Iterator[np.ndarray]:
    """One plain array of an npz file (rows, ...) in pieces, so that an array larger than memory can be read.

    Args:
        path: The `.npz` file, compressed or not.
        key: Name of the array.
        rows: How many rows a piece has; the last one has what is left.

    Returns:
        Read-only arrays (up to `rows`, ...). Only an array in Fortran order, whose rows lie scattered over the whole
        file, is read at once.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: As `npz_header`, for an array without rows (0 dimensions), and, while pieces are read, for a damaged
            file.

    Example:
        >>> sum(len(piece) for piece in iterate_npz("NTU120_CSub.npz", "x_train", 64))  # doctest: +SKIP
        63026
    """
    shape, _ = npz_header(path, key)
    if not shape:
        raise ValueError(f"{path}, {key!r}: expected an array with rows, found a single value")
    return _pieces(path, key, rows)


def _pieces(path: str | Path, key: str, rows: int) -> Iterator[np.ndarray]:
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{key}.npy") as file:
            shape, fortran, dtype = _read_header(file)
            whole = _read_member(archive, key) if fortran else None
            for start in range(0, shape[0], rows):
                size = (min(rows, shape[0] - start), *shape[1:])
                if whole is None:
                    # A buffer that is too small, the end of a file that was cut off, makes this raise.
                    yield np.ndarray(size, dtype, file.read(int(np.prod(size)) * dtype.itemsize))
                else:
                    yield whole[start : start + rows]
            if whole is None and file.read(1):
                raise EOFError("more bytes than its header says")
    except Exception as error:
        raise ValueError(f"{path}, {key!r}: {_reason(error)}") from error


def load_pickle(path: str | Path) -> Any:
    """The object in a `.pkl` file; no code in the file is run.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is no pickle or damaged, or holds something that is no plain data.
    """
    _must_exist(path)
    try:
        with open(path, "rb") as file:
            return _unpickle(file)
    except Exception as error:
        raise ValueError(f"{path}: {_reason(error)}") from error


def _must_hold(path: str | Path, key: str) -> None:
    keys = npz_keys(path)
    if key not in keys:
        raise ValueError(f"{path} has no {key!r}; it holds {', '.join(keys) or 'nothing'}. Is it the right file?")


def _must_exist(path: str | Path) -> None:
    if not Path(path).is_file():
        folder = Path(path).parent
        there = "the folder is there, the file is not" if folder.is_dir() else f"there is no folder {folder} either"
        raise FileNotFoundError(f"no file {path} ({there})")


def _reason(error: Exception) -> str:
    if isinstance(error, pickle.UnpicklingError) and str(error).startswith("holds"):
        return f"{error}; get the file from its makers, or save it anew as plain arrays"
    return f"the file is damaged ({type(error).__name__}: {error}); download it again"
