"""NTU RGB+D and NTU RGB+D 120 from their raw `.skeleton` files, which are parsed once into the cache."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import signal
import zipfile
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from skelgnn_tf.datasets.cache import cache_folder
from skelgnn_tf.datasets.ntu.names import BENCHMARKS, CLASSES, Benchmark, label_of, parse_name
from skelgnn_tf.datasets.ntu.raw_files import FPS, SkeletonFile, read_files
from skelgnn_tf.datasets.sequences import Sequences, SequenceSet, SequenceWriter
from skelgnn_tf.skeletons import NTU_25

#: Must change when `raw_files` gives other numbers for the same file.
_VERSION = "1"
_LEFT_OUT = "left_out.json"
_LISTED = re.compile(r"^\s*(S\d{3}C\d{3}P\d{3}R\d{3}A\d{3})(?:\.skeleton)?\s*(?:#.*)?$", re.MULTILINE)
_FILES_PER_TASK = 16
# Starting processes takes as long as reading about 200 files.
_FEW_FILES = 200


@dataclass(frozen=True)
class _Source:
    """The content of a folder or zip.

    Args:
        files: One file for each clip, in the order of their names.
        paths: The files on disk that hold them, zips or `.skeleton`.
        missing: Names on the authors' lists of clips with missing skeletons.
    """

    files: tuple[SkeletonFile, ...]
    paths: tuple[str, ...]
    missing: frozenset[str]


def load(
    source: str | Path,
    benchmark: str,
    kind: str,
    skip_bad: bool = False,
    workers: int | None = None,
    console: Console | None = None,
) -> SequenceSet:
    """Loads the clips of a benchmark. The first call parses all files into the cache, later ones open it.

    Clips on the authors' lists (`*missing_skeletons*.txt` in the folder or next to the zip) are left out. If a clip
    exists twice, for example in a zip and unpacked, the unpacked one is used.

    Args:
        source: A folder with `*.skeleton` at any depth and zips with such files, or one zip.
        benchmark: A key of `BENCHMARKS`: "ntu60-xsub", "ntu60-xview", "ntu120-xsub" or "ntu120-xset".
        kind: "pose" for camera-space meters, "keypoints" for the pixels of the color picture in screen units with
            confidence.
        skip_bad: Whether to leave out files that cannot be used, instead of raising at the first one.
        workers: Number of processes that parse. By default one for each core, or none for few files.
        console: Where progress is shown. By default stderr.

    Returns:
        Sequences of `NTU_25`, memory-mapped from the cache. A split without clips is empty. `left_out` has a line for
        each file of the benchmark that cannot be used.

    Raises:
        FileNotFoundError: The folder does not exist or has no `.skeleton` file.
        ValueError: The benchmark is unknown, a file cannot be used, or the cache is damaged.
        OSError: The cache cannot be written.

    Source: github.com/shahroudy/NTURGB-D; the protocols are in docs/data.md.

    Example:
        >>> load("nturgb+d_skeletons", "ntu60-xsub", "pose").train.take(  # doctest: +SKIP
        ...     np.array([0]), np.arange(64)[None], persons=2).shape
        (1, 2, 64, 25, 3)
    """
    if benchmark not in BENCHMARKS:
        raise ValueError(f"benchmark must be one of {', '.join(BENCHMARKS)}. Received: {benchmark!r}.")
    rules, console = BENCHMARKS[benchmark], console or Console(stderr=True)
    found = _find(Path(source))

    def counts(name: str) -> bool:
        return name not in found.missing and _concerns(rules, name)

    folder = cache_folder(f"ntu-{kind}", found.paths, f"ntu {_VERSION} {kind}")
    try:
        sequences, unusable = Sequences.open(folder), _left_out(folder)
    except FileNotFoundError:
        sequences, unusable = _parse(found.files, kind, folder, workers, console, counts if not skip_bad else None)
    bad = [line for name, line in unusable if counts(name)]
    if bad and not skip_bad:
        raise ValueError(bad[0])
    missing = sum(file.name in found.missing and _concerns(rules, file.name) for file in found.files)
    if missing:
        _say(console, f"{missing:,} clips on the authors' lists of missing skeletons are left out")
    splits = [_split(rules, name) if name not in found.missing else None for name in sequences.names]
    train, test = (
        sequences.select(np.array([i for i, its in enumerate(splits) if its == split], np.int64))
        for split in ("train", "test")
    )
    return SequenceSet(NTU_25, rules.classes, train, test, tuple(bad))


def _split(rules: Benchmark, name: str) -> str | None:
    numbers = parse_name(name)
    return None if numbers is None else rules.split(numbers)


def _concerns(rules: Benchmark, name: str) -> bool:
    """Whether a file with this name belongs to the benchmark. A file with an invalid name may belong to any."""
    numbers = parse_name(name)
    return numbers is None or not 1 <= numbers.action <= len(CLASSES) or rules.split(numbers) is not None


def _find(source: Path) -> _Source:
    if not source.exists():
        raise FileNotFoundError(f"{source}: folder or zip not found. Expected the .skeleton files of NTU RGB+D.")
    loose, zips, lists = [], [source] if source.is_file() else [], []
    if source.is_file():
        lists = list(source.parent.glob("*missing_skeletons*.txt"))
    for folder, _, names in os.walk(source):
        loose += [os.path.join(folder, name) for name in names if _is_skeleton(name)]
        zips += [Path(folder, name) for name in names if name.endswith(".zip")]
        lists += [Path(folder, name) for name in names if "missing_skeletons" in name and name.endswith(".txt")]
    files = [SkeletonFile(os.path.basename(path).removesuffix(".skeleton"), path) for path in sorted(loose)]
    holding = []
    for path in sorted(zips):
        members = _members(path)
        files += [SkeletonFile(PurePosixPath(m).name.removesuffix(".skeleton"), str(path), m) for m in members]
        holding += [str(path)] if members else []
    if not files:
        raise FileNotFoundError(
            f"{source}: no .skeleton file found. Expected a folder or zip with S001C001P001R001A001.skeleton, ... of "
            "NTU RGB+D (rose1.ntu.edu.sg/dataset/actionRecognition)."
        )
    # The first file of a name is kept.
    by_name = {file.name: file for file in reversed(files)}
    missing = (name for path in lists for name in _LISTED.findall(path.read_text("utf-8", errors="replace")))
    return _Source(tuple(sorted(by_name.values())), tuple(loose + holding), frozenset(missing))


def _is_skeleton(name: str) -> bool:
    # macOS adds a "._" file for each file of a zip.
    return name.endswith(".skeleton") and not name.startswith("._")


def _members(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return sorted(name for name in archive.namelist() if _is_skeleton(PurePosixPath(name).name))
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path}: the file must be a complete zip. Received: {error}. Download it again.") from error


def _parse(
    files: tuple[SkeletonFile, ...],
    kind: str,
    folder: Path,
    workers: int | None,
    console: Console,
    stops: Callable[[str], bool] | None,
) -> tuple[Sequences, list[tuple[str, str]]]:
    """Parses files to Sequences in their order; returns also (name, line) of those that cannot be used.

    Args:
        files: The files.
        kind: Kind of the Sequences.
        folder: Folder in the cache.
        workers: As in `load`.
        console: As in `load`.
        stops: Says whether an unusable file with a given name raises at once.
    """
    workers = workers or (_cores() if len(files) >= _FEW_FILES else 1)
    writer = _writer(kind, folder, console)
    bad: list[tuple[str, str]] = []
    _say(console, f"reading {len(files):,} .skeleton files{f' into {folder} (only once)' if writer.folder else ''}")
    try:
        with closing(_read(files, kind, workers)) as results, _progress(console) as progress:
            task = progress.add_task("", total=len(files))
            for file, values in results:
                if not isinstance(values, str):
                    writer.add(file.name, values, label_of(file.name), FPS)
                elif stops is not None and stops(file.name):
                    raise ValueError(values)
                else:
                    bad.append((file.name, values))
                progress.advance(task)
        if len(bad) == len(files):
            raise ValueError(f"none of the {len(files)} .skeleton files can be used. The first error: {bad[0][1]}")
        if writer.folder is not None:
            (writer.partial / _LEFT_OUT).write_text(json.dumps(bad), encoding="utf-8")
        return writer.close(), bad
    except OSError as error:
        writer.abort()
        raise OSError(
            f"{folder}: the cache cannot be written ({error}). Free disk space, or set SKELGNN_TF_CACHE to a folder on "
            "another disk."
        ) from error
    except BaseException:
        writer.abort()
        raise


def _writer(kind: str, folder: Path, console: Console) -> SequenceWriter:
    try:
        return SequenceWriter(kind, folder)
    except OSError as error:
        _say(console, f"cannot write {folder} ({error}); the clips are kept in memory")
        return SequenceWriter(kind)


def _left_out(folder: Path) -> list[tuple[str, str]]:
    try:
        return [(name, line) for name, line in json.loads((folder / _LEFT_OUT).read_text(encoding="utf-8"))]
    except (OSError, ValueError) as error:
        raise ValueError(f"{folder}: the cache is damaged ({error}). Remove the folder and run again.") from error


def _read(
    files: tuple[SkeletonFile, ...], kind: str, workers: int
) -> Generator[tuple[SkeletonFile, np.ndarray | str], None, None]:
    """Yields each file and its values or its error in order, at most a few tasks ahead."""
    tasks = [files[i : i + _FILES_PER_TASK] for i in range(0, len(files), _FILES_PER_TASK)]
    if workers == 1:
        for task in tasks:
            yield from zip(task, read_files(task, kind), strict=True)
        return
    # Never fork: the parent may have TensorFlow's threads. Spawned processes import `raw_files` and little else.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(tasks)), context, signal.signal, (signal.SIGINT, signal.SIG_IGN))
    waiting: deque[tuple[Any, Any]] = deque()
    try:
        for task in tasks:
            waiting.append((task, pool.submit(read_files, task, kind)))
            if len(waiting) > 4 * workers:
                done, future = waiting.popleft()
                yield from zip(done, future.result(), strict=True)
        for done, future in waiting:
            yield from zip(done, future.result(), strict=True)
    except BrokenProcessPool as error:
        raise ValueError(
            "the processes that read .skeleton files have died: out of memory, or called from a script without "
            "`if __name__ == '__main__':`. Set workers=1 to read without processes."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _cores() -> int:
    # A container may have fewer than the machine.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _progress(console: Console) -> Progress:
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("files"), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal, transient=True)


def _say(console: Console, line: str) -> None:
    console.print(line, highlight=False, markup=False, soft_wrap=True)
