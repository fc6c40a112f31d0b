"""CTR-GCN's npz files of NTU RGB+D, and any other labeled 3D sequences in their layout."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from skelgnn_tf.datasets.cache import cache_folder
from skelgnn_tf.datasets.pickles import iterate_npz, load_npz, npz_header
from skelgnn_tf.datasets.sequences import MAX_CLASSES, SKIP_HINT, Sequences, SequenceSet, SequenceWriter, present
from skelgnn_tf.geometry import from_kinect_axes
from skelgnn_tf.skeletons import ALL, Skeleton

if TYPE_CHECKING:
    from rich.console import Console

# Must change when the same file gives other sequences.
_VERSION = "ctr_gcn 1"
# 64 rows of 300 frames, two persons, 25 joints in float32 are 12 MB.
_ROWS = 64
# float16 ends at 65 km. Coordinates beyond this are damaged or not in meters.
_FARTHEST_M = 3e4
#: Reading files of this size takes so long that a message is printed.
_LARGE_BYTES = 200e6


@dataclass(frozen=True)
class _File:
    """An npz file whose keys, shapes and number of classes have been checked."""

    path: Path
    skeleton: Skeleton
    persons: int
    num_classes: int
    fps: float

    @property
    def version(self) -> str:
        """Version of the parser and all settings that change its result."""
        return repr((_VERSION, self.skeleton.joints, self.skeleton.parents, self.num_classes, self.fps))


def load(
    path: Path,
    skeleton: Skeleton,
    classes: tuple[str, ...] = (),
    skip_bad: bool = False,
    fps: float = 30.0,
    console: Console | None = None,
) -> SequenceSet:
    """Loads the sequences of an npz file with x_train, y_train, x_test and y_test. They are parsed once into the cache.

    Args:
        path: The file. x is (clips, frames, persons * joints * 3) in meters and Kinect's axes (x to the camera's left,
            y up, z forward), zero after the last frame of a clip and for a missing second person. y is one-hot (clips,
            classes) or integers (clips,).
        skeleton: Defines the joints of the file and their order.
        classes: Names of the classes by label. By default "class 0", "class 1", ...
        skip_bad: Whether to leave out bad clips instead of refusing the file.
        fps: Frames per second of the clips, which the file does not say.
        console: Where progress is printed, and that the cache cannot be written.

    Returns:
        Poses in camera-space meters, from the first to the last frame of a clip that has a person. Persons that are
        zero in all frames are left out.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: A key is missing, shapes or the number of names do not fit, or there are no rows. Without
            `skip_bad`: a clip has coordinates that are NaN, infinite or too large, no person, or an invalid label.

    Source: data/ntu/seq_transformation.py of CTR-GCN, which writes these files, and feeders/feeder_ntu.py.

    Example:
        >>> data = load(Path("BandaiNamco10_CStyle.npz"), skeletons.NTU_25)  # doctest: +SKIP
        >>> len(data.train), data.train.clip(0).shape  # doctest: +SKIP
        (700, (1, 38, 25, 3))
    """
    path = Path(path)
    persons = _check_poses(path, skeleton)
    file = _File(path, skeleton, persons, _count_classes(path, classes), fps)
    train, test, left_out = _through_cache(file, skip_bad, console)
    if left_out and not skip_bad:
        raise ValueError(left_out[0] + SKIP_HINT)
    names = classes or tuple(f"class {i}" for i in range(file.num_classes))
    return SequenceSet(skeleton, tuple(names), train, test, tuple(left_out))


def _check_poses(path: Path, skeleton: Skeleton) -> int:
    """Number of persons according to the width of x_train and x_test."""
    joints, widths = skeleton.num_joints, []
    for split in ("train", "test"):
        shape, dtype = npz_header(path, f"x_{split}")
        if len(shape) != 3 or dtype.kind not in "fiu" or not shape[1]:
            raise ValueError(
                f"{path}, x_{split}: the array must be numbers (clips, frames, persons * joints * 3). Received: "
                f"{shape} {dtype}."
            )
        if not shape[0]:
            raise ValueError(f"{path}, x_{split}: the split must have clips. Received: none.")
        if shape[2] not in (joints * 3, joints * 6):
            fits = [s.name for s in ALL.values() if shape[2] in (s.num_joints * 3, s.num_joints * 6)]
            raise ValueError(
                f"{path}, x_{split}: the width must be {joints * 3} (one person) or {joints * 6} (two) for the "
                f"{joints} joints of {skeleton.name}. Received: {shape[2]}"
                + (f", which fits {', '.join(fits)}. Set --skeleton." if fits else ".")
            )
        widths.append(shape[2])
    if widths[0] != widths[1]:
        raise ValueError(f"{path}: x_train and x_test must have the same width. Received: {widths[0]} and {widths[1]}.")
    return widths[0] // (joints * 3)


def _count_classes(path: Path, classes: tuple[str, ...]) -> int:
    """Number of classes: the one-hot columns, or for integer labels the number of names or the largest label."""
    headers = {}
    for split in ("train", "test"):
        shape, dtype = headers[split] = npz_header(path, f"y_{split}")
        if len(shape) not in (1, 2) or dtype.kind not in "fiub":
            raise ValueError(
                f"{path}, y_{split}: labels must be one-hot (clips, classes) or integers (clips,). Received: {shape} "
                f"{dtype}."
            )
        clips = npz_header(path, f"x_{split}")[0][0]
        if shape[0] != clips:
            raise ValueError(
                f"{path}: x_{split} and y_{split} must have the same length. Received: {clips} clips, {shape[0]} "
                "labels. Create the file again."
            )
    train, test = (shape[1:] for shape, _ in headers.values())
    if train != test:
        raise ValueError(
            f"{path}: y_train and y_test must have the same columns. Received: {train or 'none'} and {test or 'none'}."
        )
    if not train and classes:
        return len(classes)
    if not train:
        largest = max(_largest(load_npz(path, f"y_{split}")) for split in headers)
        if largest >= MAX_CLASSES:
            raise ValueError(f"{path}: labels must be below {MAX_CLASSES}. Received: {largest:g}.")
        return int(largest) + 1
    if classes and len(classes) != train[0]:
        raise ValueError(
            f"the labels file must have one name per line for each of the {train[0]} columns of y_train in {path}. "
            f"Received: {len(classes)} names."
        )
    return int(train[0])


def _largest(labels: np.ndarray) -> float:
    finite = labels[np.isfinite(labels)]
    return float(finite.max(initial=0))


def _through_cache(
    file: _File, skip_bad: bool, console: Console | None
) -> tuple[Sequences, Sequences, tuple[str, ...]]:
    """Both splits and the lines about what was left out, from the cache, which is written if needed."""
    folder = cache_folder(f"npz-{file.path.stem}", [file.path], file.version)
    if not folder.is_dir():
        if file.path.stat().st_size > _LARGE_BYTES:
            _tell(console, f"reading {file.path} into {folder} (only once)")
        try:
            _write_cache(file, folder, skip_bad)
        # A file that cannot be read raises ValueError, so this is an error of writing.
        except OSError as error:
            _tell(console, f"cannot write {folder} ({error.strerror or error}); {file.path.name} is kept in memory")
            return _parse(file, None, skip_bad)
    try:
        left_out = tuple(json.loads((folder / "left_out.json").read_text(encoding="utf-8")))
        return Sequences.open(folder / "train"), Sequences.open(folder / "test"), left_out
    except (FileNotFoundError, json.JSONDecodeError) as error:
        raise ValueError(f"{folder}: the cache is damaged ({error}). Remove the folder and run again.") from error


def _tell(console: Console | None, line: str) -> None:
    if console is not None:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _write_cache(file: _File, folder: Path, skip_bad: bool) -> None:
    """Writes to a temporary folder and renames it, so that a folder of this name is complete."""
    partial = folder.with_name(f".{folder.name}.partial{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        left_out = _parse(file, partial, skip_bad)[2]
        (partial / "left_out.json").write_text(json.dumps(left_out), encoding="utf-8")
        try:
            partial.rename(folder)
        except OSError:
            # Another process, such as a worker of the same training, may have been faster.
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _parse(file: _File, folder: Path | None, skip_bad: bool) -> tuple[Sequences, Sequences, tuple[str, ...]]:
    train, left_out_train = _parse_split(file, "train", folder, skip_bad)
    test, left_out_test = _parse_split(file, "test", folder, skip_bad)
    return train, test, (*left_out_train, *left_out_test)


def _parse_split(file: _File, split: str, folder: Path | None, skip_bad: bool) -> tuple[Sequences, list[str]]:
    labels, left_out = load_npz(file.path, f"y_{split}"), []
    writer = SequenceWriter("pose", None if folder is None else folder / split)
    try:
        for i, row in enumerate(_rows(file.path, f"x_{split}")):
            try:
                label = _label(labels[i], file.num_classes, f"{file.path}, y_{split}[{i}]")
                values = _clip(row, file, f"{file.path}, x_{split}[{i}]")
            except ValueError as error:
                if not skip_bad:
                    raise ValueError(f"{error}{SKIP_HINT}") from None
                left_out.append(str(error))
            else:
                writer.add(f"x_{split}[{i}]", values, label, file.fps)
        if len(left_out) == len(labels):
            raise ValueError(
                f"{file.path}: none of the {len(labels)} clips can be used. The first error: {left_out[0]}"
            )
        return writer.close(), left_out
    except BaseException:
        writer.abort()
        raise


def _rows(path: Path, key: str) -> Iterator[np.ndarray]:
    for piece in iterate_npz(path, key, _ROWS):
        yield from piece


def _label(row: np.ndarray, num_classes: int, where: str) -> int:
    """One-hot row (classes,) or number () -> the label."""
    if row.ndim:
        ones = np.flatnonzero(row)
        if len(ones) != 1 or row[ones[0]] != 1:
            raise ValueError(f"{where}: the label must be one-hot. Received: {row[ones[:3]].tolist() or 'zeros'}.")
        return int(ones[0])
    if not (0 <= row < num_classes and row == np.floor(row)):
        raise ValueError(f"{where}: the label must be 0 to {num_classes - 1}. Received: {row}.")
    return int(row)


def _clip(row: np.ndarray, file: _File, where: str) -> np.ndarray:
    """A row of x (frames, persons * joints * 3) -> camera-space meters (persons, frames, joints, 3)."""
    values = row.reshape(len(row), file.persons, -1, 3)
    # NaN fails every comparison.
    good = np.abs(values) < _FARTHEST_M
    if not good.all():
        frame, person, joint, axis = np.argwhere(~good)[0]
        raise ValueError(
            f"{where}: coordinates must be meters. Received: {values[frame, person, joint, axis]:g} at frame {frame}, "
            f"joint {joint} ({file.skeleton.joints[joint]}), person {person}."
        )
    try:
        values = present(values.astype(np.float32).transpose(1, 0, 2, 3))
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    return from_kinect_axes(_off_the_origin(values, file.skeleton))


def _off_the_origin(values: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Moves a joint at the origin forward by a micrometer, since zeros mean that a joint is missing.

    CTR-GCN moves each clip so that spine_mid of the first frame is the origin. A missing joint is different: the bones
    from it, which would start at the origin, are far longer than the other bones of the body.
    """
    children, parents = np.array(skeleton.bones, int).reshape(-1, 2).T
    zero = ~values.any(axis=-1)
    single = zero & (zero.sum(axis=-1, keepdims=True) == 1)
    for person, frame, joint in np.argwhere(single):
        pose = values[person, frame]
        lengths = np.linalg.norm(pose[children] - pose[parents], axis=-1)
        own = (children == joint) | (parents == joint)
        if lengths[own].max(initial=0) <= 1.5 * lengths[~own].max(initial=0):
            values[person, frame, joint, 2] = 1e-6
    return values
