"""Sequences and SequenceSet: labeled clips for action recognition, in memory or mapped from a file."""

from __future__ import annotations

import dataclasses
import math
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.datasets.windows import screen_keypoints
from skelgnn_tf.skeletons import Skeleton

#: Ends the error for a clip that --skip-bad leaves out.
SKIP_HINT = " Set --skip-bad to leave such clips out."
#: No data set has so many classes; a larger label is an error.
MAX_CLASSES = 10_000
_COLUMNS = ("first", "frames", "persons", "label", "fps", "names")
#: The smallest float16 above zero, for a joint that would round to the origin and then count as missing.
_TINY = np.float16(6e-8)


@dataclass(frozen=True)
class Sequences:
    """Labeled clips, concatenated: all frames of a clip's first person, then those of its second.

    A joint is missing if all its coordinates (or its confidence) are 0. A person without any joint is absent.

    Args:
        kind: "pose" (meters, camera axes x right, y down, z forward) or "keypoints" (screen units, optional
            confidence).
        values: float16 or float32 (rows, joints, channels), poses relative to `origin`; may be a memory map.
        origin: float32 (rows, 3), camera-space meters, the origin of each pose. With it float16 is accurate to a
            millimeter wherever the person is. Zeros for keypoints.
        first: int64 (clips,), row of the first person's first frame.
        frames: int32 (clips,), number of frames.
        persons: int32 (clips,), number of persons.
        label: int32 (clips,), index of the class.
        fps: float32 (clips,), frames per second.
        names: str (clips,), origin of a clip, used in messages.
    """

    kind: str
    values: np.ndarray
    origin: np.ndarray
    first: np.ndarray
    frames: np.ndarray
    persons: np.ndarray
    label: np.ndarray
    fps: np.ndarray
    names: np.ndarray

    def __len__(self) -> int:
        return len(self.first)

    @property
    def channels(self) -> int:
        """Number of coordinates of a joint, including confidence."""
        return self.values.shape[-1]

    def take(self, clips: np.ndarray, frames: np.ndarray, persons: int) -> np.ndarray:
        """Returns some frames of some clips.

        Args:
            clips: int (batch,), indices of clips.
            frames: int (batch, T), indices of their frames.
            persons: Number of persons P. Absent ones are zeros, surplus ones are left out.

        Returns:
            float32 (batch, P, T, joints, channels); poses in camera-space meters.
        """
        person = np.minimum(np.arange(persons)[None], self.persons[clips, None] - 1)
        rows = self.first[clips, None] + person * self.frames[clips, None]
        rows = rows[:, :, None] + frames[:, None]
        values = np.asarray(self.values[rows], np.float32)
        if self.kind == "pose":
            there = np.any(values != 0, axis=-1, keepdims=True)
            values += self.origin[rows][..., None, :] * there
        absent = np.arange(persons)[None] >= self.persons[clips, None]
        values[absent] = 0
        return values

    def clip(self, i: int) -> np.ndarray:
        """Returns all frames of a clip: float32 (persons, frames, joints, channels)."""
        return self.take(np.array([i]), np.arange(self.frames[i])[None], int(self.persons[i]))[0]

    def select(self, chosen: np.ndarray) -> Sequences:
        """Returns the clips of a boolean mask or of indices, without copying frames."""
        return dataclasses.replace(self, **{name: getattr(self, name)[chosen] for name in _COLUMNS})

    @classmethod
    def open(cls, folder: Path) -> Sequences:
        """Opens the folder of a `SequenceWriter` and maps its frames to memory.

        Raises:
            FileNotFoundError: The folder does not exist.
            ValueError: A file is damaged.
        """
        try:
            with np.load(folder / "index.npz", allow_pickle=False) as index:
                columns = {name: index[name] for name in _COLUMNS}
                kind, shape, dtype = str(index["kind"]), tuple(index["shape"].tolist()), str(index["dtype"])
            values = _mapped(folder / "values.bin", dtype, shape)
            origin = _mapped(folder / "origin.bin", "float32", (shape[0], 3))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise FileNotFoundError(f"{folder}: no cache found.") from error
        except Exception as error:
            raise ValueError(f"{folder}: the cache is damaged ({error}). Remove the folder and run again.") from error
        return cls(kind=kind, values=values, origin=origin, **columns)


def _mapped(file: Path, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    size, wanted = file.stat().st_size, math.prod(shape) * np.dtype(dtype).itemsize
    if size != wanted:
        raise ValueError(f"{file.name} has {size} bytes instead of {wanted}")
    return np.memmap(file, dtype, "r", shape=shape)


class SequenceWriter:
    """Collects clips one after another into `Sequences`, in memory or in a folder.

    In a folder values are float16 and clips are written as they come, so the memory does not grow with the data. The
    folder appears when `close` has written the last byte.

    Args:
        kind: Kind of the `Sequences`.
        folder: Where to write. None keeps float32 in memory.

    Example:
        >>> writer = SequenceWriter("pose")
        >>> writer.add("a wave", np.ones((1, 40, 25, 3)), label=0, fps=30)
        >>> writer.close().frames
        array([40], dtype=int32)
    """

    def __init__(self, kind: str, folder: Path | None = None) -> None:
        self.kind, self.folder = kind, folder
        self.columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
        self.rows = 0
        self.shape: tuple[int, ...] | None = None
        # Values and origins, in memory or in their files.
        self.parts: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
        if folder is not None:
            self.partial = folder.with_name(f".{folder.name}.partial{os.getpid()}")
            shutil.rmtree(self.partial, ignore_errors=True)
            self.partial.mkdir(parents=True)
            self.files = [open(self.partial / f"{name}.bin", "wb") for name in ("values", "origin")]

    def add(self, name: str, values: np.ndarray, label: int, fps: float) -> None:
        """Adds a clip (persons, frames, joints, channels) in the units of `kind`.

        Raises:
            ValueError: The clip has another number of joints or channels than the clips before.
        """
        values = np.asarray(values, np.float32)
        if values.ndim != 4 or 0 in values.shape or (self.shape is not None and values.shape[2:] != self.shape):
            joints, channels = self.shape or ("any", "channels")
            raise ValueError(
                f"{name}: the clip must be (persons, frames, {joints} joints, {channels}). Received: {values.shape}."
            )
        self.shape = values.shape[2:]
        if self.kind == "keypoints" and self.shape[-1] == 3:
            # The coordinates of a missing joint do not matter and may be NaN.
            values = np.where(values[..., 2:] > 0, values, np.float32(0))
        there = np.any(values != 0, axis=-1, keepdims=True)
        origin = np.zeros((*values.shape[:2], 1, 3), np.float32)
        if self.kind == "pose":
            count = np.maximum(there.sum(axis=2, keepdims=True), 1)
            origin = (values.sum(axis=2, keepdims=True) / count).astype(np.float32)
            values = (values - origin) * there
        values = values.astype(np.float32 if self.folder is None else np.float16)
        lost = there[..., 0] & ~np.any(values != 0, axis=-1)
        values[lost, 0] = _TINY
        row = (self.rows, values.shape[1], values.shape[0], label, fps, name)
        for column, value in zip(_COLUMNS, row, strict=True):
            self.columns[column].append(value)
        self.rows += values.shape[0] * values.shape[1]
        for i, part in enumerate((values.reshape(-1, *self.shape), origin.reshape(-1, 3))):
            self.parts[i].append(part) if self.folder is None else self.files[i].write(part.tobytes())

    def close(self) -> Sequences:
        """Returns the finished `Sequences`.

        Raises:
            ValueError: No clip was added.
        """
        if self.shape is None:
            self.abort()
            raise ValueError("the data set must have a clip. Received: none.")
        types = dict(first=np.int64, frames=np.int32, persons=np.int32, label=np.int32, fps=np.float32)
        columns = {name: np.array(column, types.get(name)) for name, column in self.columns.items()}
        if self.folder is None:
            values, origin = (np.concatenate(part) for part in self.parts)
            return Sequences(kind=self.kind, values=values, origin=origin, **columns)
        self._close_files()
        shape = (self.rows, *self.shape)
        index: dict[str, Any] = {"kind": self.kind, "shape": shape, "dtype": "float16", **columns}
        np.savez(self.partial / "index.npz", **index)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.partial.rename(self.folder)
        return Sequences.open(self.folder)

    def _close_files(self) -> None:
        for file in self.files:
            file.close()

    def abort(self) -> None:
        """Removes what has been written."""
        if self.folder is not None:
            self._close_files()
            shutil.rmtree(self.partial, ignore_errors=True)


@dataclass(frozen=True)
class SequenceSet:
    """Labeled sequences with one skeleton, split into training and test.

    Args:
        skeleton: Defines the joints of the sequences.
        classes: Names of the classes by label.
        train: Training sequences.
        test: Test sequences.
        left_out: One line for each clip that was left out, with file, place and reason.
    """

    skeleton: Skeleton
    classes: tuple[str, ...]
    train: Sequences
    test: Sequences
    left_out: tuple[str, ...] = ()


def present(values: np.ndarray) -> np.ndarray:
    """Removes persons that are all zero, and empty frames at the ends.

    Empty frames between others are kept, since they keep the time of the motion.

    Args:
        values: (persons, frames, joints, channels).

    Returns:
        The same with fewer persons or frames.

    Raises:
        ValueError: Nothing is left.
    """
    there: np.ndarray = np.any(values, axis=(2, 3))
    frames = np.flatnonzero(there.any(axis=0))
    if not len(frames):
        raise ValueError("the clip must have a person. Received: only zeros.")
    return values[there.any(axis=1), frames[0] : frames[-1] + 1]


def from_clips(clips: Iterable[Clip], kind: str) -> Sequences:
    """Converts clips to `Sequences` in memory.

    Args:
        clips: Clips with labels and one skeleton.
        kind: "pose" for their poses, "keypoints" for the first person's keypoints in screen units with confidence.

    Raises:
        ValueError: There is no clip, or a clip has no label or pose.
    """
    writer = SequenceWriter(kind)
    for clip in clips:
        if clip.label is None or (kind == "pose" and clip.pose_m is None):
            raise ValueError(
                f"{clip.name}: the clip must have a {'label' if clip.label is None else '3D pose'}. Received: none."
            )
        values: Any = clip.pose_m if kind == "pose" else screen_keypoints(clip, confidence=True)
        writer.add(clip.name, values if values.ndim == 4 else values[None], clip.label, clip.fps)
    return writer.close()
