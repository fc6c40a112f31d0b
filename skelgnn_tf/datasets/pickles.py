"""Reads `.npz` and `.pkl` files without running code in them. No other module reads pickles."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

_PLAIN = "arrays, dict, list, tuple, str, bytes and numbers"


def _encode(text: str, encoding: str) -> bytes:
    """The function with which old pickles store bytes. Any other codec than theirs is refused."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"holds bytes in the codec {encoding!r}, not only plain data ({_PLAIN})")
    return text.encode(encoding)


# NumPy itself says what rebuilds its arrays and scalars, so that no private name is imported here.
_MULTIARRAY: dict[str, Any] = {"_reconstruct": np.zeros(1).__reduce__()[0], "scalar": np.float32(0).__reduce__()[0]}
_NUMERIC = {"_frombuffer": np.zeros(1).__reduce_ex__(5)[0]}
_ALLOWED: dict[str, dict[str, Any]] = {
    "_codecs": {"encode": _encode},
    "numpy": {"ndarray": np.ndarray, "dtype": np.dtype},
    # NumPy 1 wrote numpy.core, NumPy 2 writes numpy._core.
    "numpy.core.multiarray": _MULTIARRAY,
    "numpy._core.multiarray": _MULTIARRAY,
    "numpy.core.numeric": _NUMERIC,
    "numpy._core.numeric": _NUMERIC,
}


class _PlainUnpickler(pickle.Unpickler):
    """An unpickler that accepts the names of NumPy's arrays and no other name."""

    def find_class(self, module: str, name: str) -> Any:
        if name not in _ALLOWED.get(module, {}):
            raise pickle.UnpicklingError(f"holds {module}.{name}, not only plain data ({_PLAIN})")
        return _ALLOWED[module][name]


def _unpickle(file: IO[bytes]) -> Any:
    # latin1 keeps the arrays of Python 2's pickles intact.
    return _PlainUnpickler(file, encoding="latin1").load()


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether the order is Fortran's, and dtype. The file is then at the first value."""
    npy = np.lib.format
    old = npy.read_magic(file) == (1, 0)
    return (npy.read_array_header_1_0 if old else npy.read_array_header_2_0)(file)


def _read_member(archive: zipfile.ZipFile, key: str) -> Any:
    """One array of an npz file. A pickled object is returned as it is, without an array around it."""
    with archive.open(f"{key}.npy") as file:
        shape, _, dtype = _read_header(file)
        if dtype.hasobject:
            array = np.asarray(_unpickle(file), dtype=object)
            return array.reshape(shape) if shape else array.item()
    with archive.open(f"{key}.npy") as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def npz_keys(path: str | Path) -> tuple[str, ...]:
    """Returns the names of the arrays in an npz file.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is not an npz file.
    """
    _must_exist(path)
    try:
        with zipfile.ZipFile(path) as archive:
            return tuple(name.removesuffix(".npy") for name in archive.namelist())
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path}: the file must be an npz file. Received: {error}. Download it again.") from error


def load_npz(path: str | Path, key: str) -> Any:
    """Returns an array of an npz file, or the object pickled into it. Code in the file is not run.

    Args:
        path: The `.npz` file.
        key: Name of the array, such as "positions_3d".

    Returns:
        The array. For an object array without axes, the dict or list in it.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is not an npz file, is damaged, lacks the key, or does not hold plain data.

    Example:
        >>> load_npz("data_3d_h36m.npz", "positions_3d")["S1"]["Walking"].shape  # doctest: +SKIP
        (3330, 32, 3)
    """
    _must_hold(path, key)
    try:
        with zipfile.ZipFile(path) as archive:
            return _read_member(archive, key)
    # A damaged pickle or stream may raise nearly any error.
    except Exception as error:
        raise ValueError(f"{path}, {key!r}: {_reason(error)}") from error


def npz_header(path: str | Path, key: str) -> tuple[tuple[int, ...], np.dtype]:
    """Returns shape and dtype of a plain array in an npz file, without reading the array.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: `load_npz` raises it, or the array holds pickled objects.

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
        raise ValueError(
            f"{path}, {key!r}: the array must hold numbers. Received: pickled objects. Save it as one array."
        )
    return shape, dtype


def iterate_npz(path: str | Path, key: str, rows: int) -> Iterator[np.ndarray]:
    """Yields a plain array of an npz file (rows, ...) in pieces, for arrays larger than memory.

    Args:
        path: The `.npz` file, compressed or not.
        key: Name of the array.
        rows: Number of rows of a piece. The last one may have fewer.

    Returns:
        Read-only arrays (up to `rows`, ...). An array in Fortran order is read at once, since its rows are scattered
        over the whole file.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: `npz_header` raises it, the array has no axes, or, while pieces are read, the file is damaged.

    Example:
        >>> sum(len(piece) for piece in iterate_npz("NTU120_CSub.npz", "x_train", 64))  # doctest: +SKIP
        63026
    """
    shape, _ = npz_header(path, key)
    if not shape:
        raise ValueError(f"{path}, {key!r}: the array must have rows. Received: a single value.")
    return _pieces(path, key, rows)


def _pieces(path: str | Path, key: str, rows: int) -> Iterator[np.ndarray]:
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{key}.npy") as file:
            shape, fortran, dtype = _read_header(file)
            whole = _read_member(archive, key) if fortran else None
            for start in range(0, shape[0], rows):
                size = (min(rows, shape[0] - start), *shape[1:])
                if whole is None:
                    # This raises for a buffer that is too small, at the end of a truncated file.
                    yield np.ndarray(size, dtype, file.read(int(np.prod(size)) * dtype.itemsize))
                else:
                    yield whole[start : start + rows]
            if whole is None and file.read(1):
                raise EOFError("more bytes than the header says")
    except Exception as error:
        raise ValueError(f"{path}, {key!r}: {_reason(error)}") from error


def load_pickle(path: str | Path) -> Any:
    """Returns the object in a `.pkl` file. Code in the file is not run.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is not a pickle, is damaged, or does not hold plain data.
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
        raise ValueError(f"{path}: the file must have the key {key!r}. Received: {', '.join(keys) or 'no key'}.")


def _must_exist(path: str | Path) -> None:
    if not Path(path).is_file():
        folder = Path(path).parent
        there = "The folder exists" if folder.is_dir() else f"The folder {folder} does not exist either"
        raise FileNotFoundError(f"{path}: file not found. {there}.")


def _reason(error: Exception) -> str:
    if isinstance(error, pickle.UnpicklingError) and str(error).startswith("holds"):
        return f"the file {error}. Get it from its authors, or save it as plain arrays."
    return f"the file is damaged ({type(error).__name__}: {error}). Download it again."
