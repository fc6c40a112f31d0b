"""CTR-GCN's npz of NTU RGB+D, and any other set of labelled 3D sequences in its layout."""

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
from skelgnn_tf.datasets.sequences import MAX_CLASSES, SKIP_HINT, ActionSet, Sequences, SequenceWriter, present
from skelgnn_tf.geometry import from_kinect_axes
from skelgnn_tf.skeletons import ALL, Skeleton

if TYPE_CHECKING:
    from rich.console import Console

# Changes whenever the same file would give other sequences.
_VERSION = "ctr_gcn 1"
# 64 rows of 300 frames, two persons, 25 joints in float32 are 12 MB.
_ROWS = 64
# float16 ends at 65 km; nobody walks that far, so what lies beyond is damage or not in metres.
_FARTHEST_M = 3e4
#: Files from this size on take long enough to say that they are read.
_LARGE_BYTES = 200e6


@dataclass(frozen=True)
class _File:
    """An npz whose keys, shapes and number of classes have been checked."""

    path: Path
    skeleton: Skeleton
    persons: int
    num_classes: int
    fps: float

    @property
    def version(self) -> str:
        """Of the parser and of all that changes what it makes of the file."""
        return repr((_VERSION, self.skeleton.joints, self.skeleton.parents, self.num_classes, self.fps))


def load(
    path: Path,
    skeleton: Skeleton,
    classes: tuple[str, ...] = (),
    skip_bad: bool = False,
    fps: float = 30.0,
    console: Console | None = None,
) -> ActionSet:
    """Sequences of an npz with x_train, y_train, x_test and y_test, parsed once into the cache.

    Args:
        path: x is (clips, frames, persons * joints * 3), in metres and Kinect's axes (x to the camera's left, y up, z
            forward), zero after a clip's last frame and where there is no second person; y is one-hot (clips, classes)
            or integers (clips,).
        skeleton: Whose joints the file has, in their order.
        classes: Names by label; without them they are "class 0", "class 1", ...
        skip_bad: Leave bad clips out instead of refusing the file.
        fps: Frames per second of the clips; the file does not say.
        console: Where it is said that the file is being read, or that the cache cannot be written.

    Returns:
        Poses in camera-space metres (x right, down, forward), from each clip's first to its last frame with somebody in
        it; a person that is zero throughout is not there.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A key is missing, shapes or the number of names do not fit, there are no rows; and, without
            `skip_bad`, a clip with NaN, infinite or absurdly large coordinates, with no frame, or with a label that is
            none. Names file, key and row.

    Source: CTR-GCN's data/ntu/seq_transformation.py writes these files, its feeders/feeder_ntu.py reads them.

    Example:
        >>> actions = load(Path("BandaiNamco10_CStyle.npz"), skeletons.NTU_25)  # doctest: +SKIP
        >>> len(actions.train), actions.train.clip(0).shape  # doctest: +SKIP
        (700, (1, 38, 25, 3))
    """
    path = Path(path)
    persons = _check_poses(path, skeleton)
    file = _File(path, skeleton, persons, _count_classes(path, classes), fps)
    train, test, left_out = _through_cache(file, skip_bad, console)
    if left_out and not skip_bad:
        raise ValueError(left_out[0] + SKIP_HINT)
    names = classes or tuple(f"class {i}" for i in range(file.num_classes))
    return ActionSet(skeleton, tuple(names), train, test, tuple(left_out))


def _check_poses(path: Path, skeleton: Skeleton) -> int:
    """Number of persons that the width of x_train and x_test has room for."""
    joints, widths = skeleton.num_joints, []
    for split in ("train", "test"):
        shape, dtype = npz_header(path, f"x_{split}")
        if len(shape) != 3 or dtype.kind not in "fiu" or not shape[1]:
            raise ValueError(
                f"{path}, x_{split}: expected numbers (clips, frames, persons * joints * 3), found {shape} {dtype}"
            )
        if not shape[0]:
            raise ValueError(f"{path}, x_{split} has no rows; both splits want clips")
        if shape[2] not in (joints * 3, joints * 6):
            fits = [s.name for s in ALL.values() if shape[2] in (s.num_joints * 3, s.num_joints * 6)]
            raise ValueError(
                f"{path}, x_{split}: the {joints} joints of {skeleton.name} want a width of {joints * 3} (one person) "
                f"or {joints * 6} (two), found {shape[2]}" + (f", which fits {', '.join(fits)}" if fits else "")
            )
        widths.append(shape[2])
    if widths[0] != widths[1]:
        raise ValueError(f"{path}: x_train is {widths[0]} wide and x_test {widths[1]}; both want the same persons")
    return widths[0] // (joints * 3)


def _count_classes(path: Path, classes: tuple[str, ...]) -> int:
    """Number of classes by the one-hot columns, or for integer labels by the names or the largest label."""
    headers = {}
    for split in ("train", "test"):
        shape, dtype = headers[split] = npz_header(path, f"y_{split}")
        if len(shape) not in (1, 2) or dtype.kind not in "fiub":
            raise ValueError(
                f"{path}, y_{split}: expected one-hot labels (clips, classes) or integers (clips,), "
                f"found {shape} {dtype}"
            )
        clips = npz_header(path, f"x_{split}")[0][0]
        if shape[0] != clips:
            raise ValueError(
                f"{path}: x_{split} has {clips} clips and y_{split} {shape[0]} labels; nothing says which belong "
                "together, so get the file anew"
            )
    train, test = (shape[1:] for shape, _ in headers.values())
    if train != test:
        raise ValueError(f"{path}: y_train has {train or 'no'} columns and y_test {test or 'no'}; both want the same")
    if not train and classes:
        return len(classes)
    if not train:
        largest = max(_largest(load_npz(path, f"y_{split}")) for split in headers)
        if largest >= MAX_CLASSES:
            raise ValueError(f"{path}: the largest label is {largest:g}; expected less than {MAX_CLASSES} classes")
        return int(largest) + 1
    if classes and len(classes) != train[0]:
        raise ValueError(
            f"the labels file names {len(classes)} classes, and y_train of {path} has {train[0]} columns; "
            "the labels file wants a name a line for each column, in their order"
        )
    return train[0]


def _largest(labels: np.ndarray) -> float:
    finite = labels[np.isfinite(labels)]
    return float(finite.max(initial=0))


def _through_cache(
    file: _File, skip_bad: bool, console: Console | None
) -> tuple[Sequences, Sequences, tuple[str, ...]]:
    """Both splits and the lines of what was left out, from the cache, which is written if it is not there."""
    folder = cache_folder(f"npz-{file.path.stem}", [file.path], file.version)
    if not folder.is_dir():
        if file.path.stat().st_size > _LARGE_BYTES:
            _tell(console, f"reading {file.path} into {folder} (only the first time)")
        try:
            _write_cache(file, folder, skip_bad)
        # A file that cannot be read is a ValueError by now: only writing raises this.
        except OSError as error:
            _tell(console, f"cannot write {folder} ({error.strerror or error}), so {file.path.name} is kept in memory")
            return _parse(file, None, skip_bad)
    try:
        left_out = tuple(json.loads((folder / "left_out.json").read_text(encoding="utf-8")))
        return Sequences.open(folder / "train"), Sequences.open(folder / "test"), left_out
    except (FileNotFoundError, json.JSONDecodeError) as error:
        raise ValueError(f"the cache in {folder} is damaged ({error}); remove that folder and run again") from error


def _tell(console: Console | None, line: str) -> None:
    if console is not None:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _write_cache(file: _File, folder: Path, skip_bad: bool) -> None:
    """Writes beside the place and moves there, so that a folder of that name is whole."""
    partial = folder.with_name(f".{folder.name}.partial{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        left_out = _parse(file, partial, skip_bad)[2]
        (partial / "left_out.json").write_text(json.dumps(left_out), encoding="utf-8")
        try:
            partial.rename(folder)
        except OSError:
            # Another process, a worker of the same training perhaps, may have been faster.
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
            raise ValueError(f"none of the {len(labels)} clips can be used; the first: {left_out[0]}")
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
            raise ValueError(f"{where} is not one-hot: expected a single 1, found {row[ones[:3]].tolist() or 'zeros'}")
        return int(ones[0])
    if not (0 <= row < num_classes and row == np.floor(row)):
        raise ValueError(f"{where} is {row}; expected a label of the {num_classes} classes, 0 to {num_classes - 1}")
    return int(row)


def _clip(row: np.ndarray, file: _File, where: str) -> np.ndarray:
    """A row of x (frames, persons * joints * 3) -> camera-space metres (persons, frames, joints, 3)."""
    values = row.reshape(len(row), file.persons, -1, 3)
    # NaN fails every comparison.
    good = np.abs(values) < _FARTHEST_M
    if not good.all():
        frame, person, joint, axis = np.argwhere(~good)[0]
        raise ValueError(
            f"{where}: expected metres, found {values[frame, person, joint, axis]:g} at frame {frame}, "
            f"joint {joint} ({file.skeleton.joints[joint]}), person {person}"
        )
    try:
        values = present(values.astype(np.float32).transpose(1, 0, 2, 3))
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    return from_kinect_axes(_off_the_origin(values, file.skeleton))


def _off_the_origin(values: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Moves a joint that really lies at the origin a micrometre forward, for zeros mean that a joint is missing.

    CTR-GCN moves each clip so that the first frame's spine_mid is the origin. A joint that is missing in metres from
    the camera differs: its bones, drawn to the origin, are far longer than any other bone of that body.
    """
    children, parents = np.array(skeleton.bones, int).reshape(-1, 2).T
    zero = ~values.any(axis=-1)
    alone = zero & (zero.sum(axis=-1, keepdims=True) == 1)
    for person, frame, joint in np.argwhere(alone):
        pose = values[person, frame]
        lengths = np.linalg.norm(pose[children] - pose[parents], axis=-1)
        own = (children == joint) | (parents == joint)
        if lengths[own].max(initial=0) <= 1.5 * lengths[~own].max(initial=0):
            values[person, frame, joint, 2] = 1e-6
    return values
