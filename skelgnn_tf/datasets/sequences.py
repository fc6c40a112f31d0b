"""Sequences and ActionSet: labelled clips for recognition, all their frames once, in memory or mapped from a file."""

from __future__ import annotations

import dataclasses
import math
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.datasets.windows import screen_keypoints
from skelgnn_tf.skeletons import Skeleton

#: Ends the error for a clip that --skip-bad would leave out.
SKIP_HINT = "; --skip-bad leaves such clips out"
#: More classes than any data set has: a label beyond is no label.
MAX_CLASSES = 10_000
_COLUMNS = ("first", "frames", "persons", "label", "fps", "names")
#: The smallest float16 above zero: a joint that rounds to the origin is not a missing one.
_TINY = np.float16(6e-8)


@dataclass(frozen=True)
class Sequences:
    """Labelled clips, end to end: each clip's first person, then its second.

    A joint whose coordinates are all 0 (or whose confidence is 0) is missing; a person without any joint is absent.

    Args:
        kind: "pose" (metres, camera axes x right, y down, z forward) or "keypoints" (screen units[, confidence]).
        values: float16 or float32 (rows, joints, channels), poses relative to `origin`; perhaps a memory map.
        origin: float32 (rows, 3), camera-space metres: of each pose, so that float16 rounds by less than a millimetre
            however far the person walks; zeros for keypoints.
        first: int64 (clips,), row of the first person's first frame.
        frames: int32 (clips,), frames of each person.
        persons: int32 (clips,).
        label: int32 (clips,), index of the class.
        fps: float32 (clips,).
        names: str (clips,), where a clip comes from, for messages.
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
        """Coordinates of a joint, confidence included."""
        return self.values.shape[-1]

    def take(self, clips: np.ndarray, frames: np.ndarray, persons: int) -> np.ndarray:
        """Chosen frames of chosen clips.

        Args:
            clips: int (batch,).
            frames: int (batch, T), frames of those clips.
            persons: P; absent ones are zeros, later ones are left out.

        Returns:
            float32 (batch, P, T, joints, channels); poses in camera-space metres.
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
        """All frames of a clip: float32 (persons, frames, joints, channels)."""
        return self.take(np.array([i]), np.arange(self.frames[i])[None], int(self.persons[i]))[0]

    def select(self, chosen: np.ndarray) -> Sequences:
        """The clips of a boolean mask or of indices; the frames stay where they are."""
        return dataclasses.replace(self, **{name: getattr(self, name)[chosen] for name in _COLUMNS})

    @classmethod
    def open(cls, folder: Path) -> Sequences:
        """What a `SequenceWriter` left in a folder, its frames memory-mapped.

        Raises:
            FileNotFoundError: Nothing there.
            ValueError: A damaged file.
        """
        try:
            with np.load(folder / "index.npz", allow_pickle=False) as index:
                columns = {name: index[name] for name in _COLUMNS}
                kind, shape, dtype = str(index["kind"]), tuple(index["shape"].tolist()), str(index["dtype"])
            values = _mapped(folder / "values.bin", dtype, shape)
            origin = _mapped(folder / "origin.bin", "float32", (shape[0], 3))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise FileNotFoundError(f"no cache in {folder}") from error
        except Exception as error:
            raise ValueError(f"the cache in {folder} is damaged ({error}); remove that folder and run again") from error
        return cls(kind=kind, values=values, origin=origin, **columns)


def _mapped(file: Path, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    size, wanted = file.stat().st_size, math.prod(shape) * np.dtype(dtype).itemsize
    if size != wanted:
        raise ValueError(f"{file.name} has {size} bytes instead of {wanted}")
    return np.memmap(file, dtype, "r", shape=shape)


class SequenceWriter:
    """Collects clips one after another into a Sequences, in memory or in a folder.

    In a folder values are float16 and clips are written as they come, so memory does not grow with the data; the
    folder appears under its name when `close` has written the last byte.

    Args:
        kind: As in `Sequences`.
        folder: Where to; None keeps float32 in memory.

    Example:
        >>> writer = SequenceWriter("pose")
        >>> writer.add("a wave", np.ones((1, 40, 25, 3)), label=0, fps=30)
        >>> writer.close().frames
        array([40], dtype=int32)
    """

    def __init__(self, kind: str, folder: Path | None = None) -> None:
        self.kind, self.folder = kind, folder
        self.columns: dict[str, list] = {name: [] for name in _COLUMNS}
        self.rows, self.shape = 0, None
        # Values and origins, in memory or as they go to their files.
        self.parts: tuple[list, list] = ([], [])
        if folder is not None:
            self.partial = folder.with_name(f".{folder.name}.partial{os.getpid()}")
            shutil.rmtree(self.partial, ignore_errors=True)
            self.partial.mkdir(parents=True)
            self.files = [open(self.partial / f"{name}.bin", "wb") for name in ("values", "origin")]

    def add(self, name: str, values: np.ndarray, label: int, fps: float) -> None:
        """Adds a clip (persons, frames, joints, channels) in the units of `kind`.

        Raises:
            ValueError: Another number of joints or channels than the clips before.
        """
        values = np.asarray(values, np.float32)
        if values.ndim != 4 or 0 in values.shape or (self.shape is not None and values.shape[2:] != self.shape):
            joints, channels = self.shape or ("any", "channels")
            raise ValueError(f"{name}: expected (persons, frames, {joints} joints, {channels}); got {values.shape}")
        self.shape = values.shape[2:]
        if self.kind == "keypoints" and self.shape[-1] == 3:
            # What a missing joint's coordinates were, NaN even, does not count.
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
        """The finished Sequences.

        Raises:
            ValueError: No clip was added.
        """
        if self.shape is None:
            self.abort()
            raise ValueError("no clip was found")
        types = dict(first=np.int64, frames=np.int32, persons=np.int32, label=np.int32, fps=np.float32)
        columns = {name: np.array(column, types.get(name)) for name, column in self.columns.items()}
        if self.folder is None:
            values, origin = (np.concatenate(part) for part in self.parts)
            return Sequences(kind=self.kind, values=values, origin=origin, **columns)
        self._close_files()
        shape = (self.rows, *self.shape)
        np.savez(self.partial / "index.npz", kind=self.kind, shape=shape, dtype="float16", **columns)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.partial.rename(self.folder)
        return Sequences.open(self.folder)

    def _close_files(self) -> None:
        for file in self.files:
            file.close()

    def abort(self) -> None:
        """Leaves nothing behind."""
        if self.folder is not None:
            self._close_files()
            shutil.rmtree(self.partial, ignore_errors=True)


@dataclass(frozen=True)
class ActionSet:
    """Labelled sequences of one skeleton, split into training and test.

    Args:
        skeleton: Joints of the sequences.
        classes: Names by label.
        train: To train on.
        test: To score on.
        left_out: One line for each clip that was skipped, naming file, place and reason.
    """

    skeleton: Skeleton
    classes: tuple[str, ...]
    train: Sequences
    test: Sequences
    left_out: tuple[str, ...] = ()


def present(values: np.ndarray) -> np.ndarray:
    """(persons, frames, joints, channels) -> without persons that are all zero and without empty frames at the ends.

    Empty frames between others stay, for they keep the motion's time.

    Raises:
        ValueError: Nothing is left.
    """
    there = values.any(axis=(2, 3))
    frames = np.flatnonzero(there.any(axis=0))
    if not len(frames):
        raise ValueError("every frame is zero, nobody is in it")
    return values[there.any(axis=1), frames[0] : frames[-1] + 1]


def from_clips(clips: Iterable[Clip], kind: str) -> Sequences:
    """Clips of one skeleton as Sequences in memory.

    Args:
        clips: With labels.
        kind: "pose" takes their poses, "keypoints" their first person's 2D in screen units with confidence.

    Raises:
        ValueError: A clip without label or pose; none at all.
    """
    writer = SequenceWriter(kind)
    for clip in clips:
        if clip.label is None or (kind == "pose" and clip.pose_m is None):
            raise ValueError(
                f"{clip.name} has no {'label' if clip.label is None else '3D pose'}; it cannot be used here"
            )
        values = clip.pose_m if kind == "pose" else screen_keypoints(clip, confidence=True)
        writer.add(clip.name, values if values.ndim == 4 else values[None], clip.label, clip.fps)
    return writer.close()
