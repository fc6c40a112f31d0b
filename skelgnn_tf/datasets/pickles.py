"""The only door for pickles: `.npz` and `.pkl` files of the field, read without running what is in them."""

from __future__ import annotations

import pickle
import zipfile
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


def _read_member(archive: zipfile.ZipFile, key: str) -> Any:
    """One array of an npz; a pickled object comes out as itself, not as an array round it."""
    npy = np.lib.format
    with archive.open(f"{key}.npy") as file:
        old = npy.read_magic(file) == (1, 0)
        shape, _, dtype = (npy.read_array_header_1_0 if old else npy.read_array_header_2_0)(file)
        if dtype.hasobject:
            array = np.asarray(_unpickle(file), dtype=object)
            return array.reshape(shape) if shape else array.item()
    with archive.open(f"{key}.npy") as file:
        return npy.read_array(file, allow_pickle=False)


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
    keys = npz_keys(path)
    if key not in keys:
        raise ValueError(f"{path} has no {key!r}; it holds {', '.join(keys) or 'nothing'}. Is it the right file?")
    try:
        with zipfile.ZipFile(path) as archive:
            return _read_member(archive, key)
    # A damaged pickle or stream may raise nearly anything.
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


def _must_exist(path: str | Path) -> None:
    if not Path(path).is_file():
        folder = Path(path).parent
        there = "the folder is there, the file is not" if folder.is_dir() else f"there is no folder {folder} either"
        raise FileNotFoundError(f"no file {path} ({there})")


def _reason(error: Exception) -> str:
    if isinstance(error, pickle.UnpicklingError) and str(error).startswith("holds"):
        return f"{error}; get the file from its makers, or save it anew as plain arrays"
    return f"the file is damaged ({type(error).__name__}: {error}); download it again"
