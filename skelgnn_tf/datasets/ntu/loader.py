"""NTU RGB+D and NTU RGB+D 120 from their raw `.skeleton` files, parsed once into a cache."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import signal
import zipfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from skelgnn_tf.datasets.cache import cache_folder
from skelgnn_tf.datasets.ntu.names import BENCHMARKS, CLASSES, Benchmark, parse_name
from skelgnn_tf.datasets.ntu.raw_files import FPS, SkeletonFile, read_files
from skelgnn_tf.datasets.sequences import ActionSet, Sequences, SequenceWriter
from skelgnn_tf.skeletons import NTU_25

#: To be raised when `ntu_raw` makes other numbers of the same file.
_VERSION = "1"
_LEFT_OUT = "left_out.json"
_LISTED = re.compile(r"^\s*(S\d{3}C\d{3}P\d{3}R\d{3}A\d{3})(?:\.skeleton)?\s*(?:#.*)?$", re.MULTILINE)
_FILES_PER_TASK = 16
# Starting processes takes as long as reading some 200 files.
_FEW_FILES = 200


@dataclass(frozen=True)
class _Source:
    """What lies in a folder or zip.

    Args:
        files: One for each clip, in the order of their names.
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
) -> ActionSet:
    """The clips of a benchmark; the first time all files are parsed into a cache, later that is opened.

    Clips on the authors' lists (any `*missing_skeletons*.txt` in the folder or beside the zip) are left out. A clip
    that is there twice, e.g. in a zip and unpacked, counts once, the unpacked first.

    Args:
        source: Folder with `*.skeleton` at any depth and zips that hold such files, or one zip.
        benchmark: A key of `BENCHMARKS`: "ntu60-xsub", "ntu60-xview", "ntu120-xsub", "ntu120-xset".
        kind: "pose" for camera-space metres, "keypoints" for the colour pixels in screen units with confidence.
        skip_bad: Leave files out that cannot be used, instead of raising at the first.
        workers: Processes that parse; by default one for each core, or none for few files.
        console: Where progress is shown; by default stderr.

    Returns:
        Sequences of `NTU_25`, memory-mapped from the cache; a split without clips is empty. `left_out` has a line for
        each file of the benchmark that cannot be used.

    Raises:
        FileNotFoundError: No such folder, or no `.skeleton` file in it.
        ValueError: An unknown benchmark, a file that cannot be used, a damaged cache.
        OSError: The disk is full.

    Source: PAPER.md's protocol facts; github.com/shahroudy/NTURGB-D.

    Example:
        >>> load("nturgb+d_skeletons", "ntu60-xsub", "pose").train.take(  # doctest: +SKIP
        ...     np.array([0]), np.arange(64)[None], persons=2).shape
        (1, 2, 64, 25, 3)
    """
    if benchmark not in BENCHMARKS:
        raise ValueError(f"unknown benchmark {benchmark!r}; there are {', '.join(BENCHMARKS)}")
    rules, console = BENCHMARKS[benchmark], console or Console(stderr=True)
    found = _find(Path(source))

    def counts(name: str) -> bool:
        return name not in found.missing and _concerns(rules, name)

    folder = cache_folder(f"ntu-{kind}", found.paths, f"ntu {_VERSION} {kind}")
    try:
        sequences, bad = Sequences.open(folder), _left_out(folder)
    except FileNotFoundError:
        sequences, bad = _parse(found.files, kind, folder, workers, console, counts if not skip_bad else None)
    bad = [line for name, line in bad if counts(name)]
    if bad and not skip_bad:
        raise ValueError(bad[0])
    missing = sum(file.name in found.missing and _concerns(rules, file.name) for file in found.files)
    if missing:
        _say(console, f"{missing:,} clips on the authors' lists of missing skeletons are left out")
    splits = [rules.split(parse_name(name)) if name not in found.missing else None for name in sequences.names]
    train, test = (
        sequences.select(np.array([i for i, its in enumerate(splits) if its == split], np.int64))
        for split in ("train", "test")
    )
    return ActionSet(NTU_25, rules.classes, train, test, tuple(bad))


def _concerns(rules: Benchmark, name: str) -> bool:
    """Whether a file of that name is of the benchmark, or may be: a wrong name concerns all."""
    numbers = parse_name(name)
    return numbers is None or not 1 <= numbers.action <= len(CLASSES) or rules.split(numbers) is not None


def _find(source: Path) -> _Source:
    if not source.exists():
        raise FileNotFoundError(f"no folder or zip {source}; expected NTU RGB+D's .skeleton files there")
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
            f"no .skeleton file in {source}; expected a folder or zip with NTU RGB+D's S001C001P001R001A001.skeleton, "
            "... (rose1.ntu.edu.sg/dataset/actionRecognition)"
        )
    # The first of a name stays.
    by_name = {file.name: file for file in reversed(files)}
    missing = (name for path in lists for name in _LISTED.findall(path.read_text("utf-8", errors="replace")))
    return _Source(tuple(sorted(by_name.values())), tuple(loose + holding), frozenset(missing))


def _is_skeleton(name: str) -> bool:
    # macOS puts a "._" file beside each file of a zip.
    return name.endswith(".skeleton") and not name.startswith("._")


def _members(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return sorted(name for name in archive.namelist() if _is_skeleton(PurePosixPath(name).name))
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path} is no zip file, or a truncated one ({error}); download it again") from error


def _parse(
    files: tuple[SkeletonFile, ...],
    kind: str,
    folder: Path,
    workers: int | None,
    console: Console,
    stops: Callable[[str], bool] | None,
) -> tuple[Sequences, list[tuple[str, str]]]:
    """All files as Sequences, in their order, and (name, line) of those that cannot be used.

    Args:
        files: To parse.
        kind: Of the Sequences.
        folder: Where they are kept.
        workers: As in `load`.
        console: As in `load`.
        stops: Says by its name whether a file that cannot be used raises at once.
    """
    workers = workers or (_cores() if len(files) >= _FEW_FILES else 1)
    writer = _writer(kind, folder, console)
    bad: list[tuple[str, str]] = []
    _say(console, f"reading {len(files):,} .skeleton files once{f', kept in {folder}' if writer.folder else ''}")
    try:
        with closing(_read(files, kind, workers)) as results, _progress(console) as progress:
            task = progress.add_task("", total=len(files))
            for file, values in results:
                if not isinstance(values, str):
                    writer.add(file.name, values, parse_name(file.name).action - 1, FPS)
                elif stops is not None and stops(file.name):
                    raise ValueError(values)
                else:
                    bad.append((file.name, values))
                progress.advance(task)
        if len(bad) == len(files):
            raise ValueError(f"none of {len(files)} .skeleton files can be used; the first: {bad[0][1]}")
        if writer.folder is not None:
            (writer.partial / _LEFT_OUT).write_text(json.dumps(bad), encoding="utf-8")
        return writer.close(), bad
    except OSError as error:
        writer.abort()
        raise OSError(
            f"the cache {folder} cannot be written ({error}); free the disk, or set SKELGNN_TF_CACHE to a folder on "
            "another one"
        ) from error
    except BaseException:
        writer.abort()
        raise


def _writer(kind: str, folder: Path, console: Console) -> SequenceWriter:
    try:
        return SequenceWriter(kind, folder)
    except OSError as error:
        _say(console, f"the cache {folder} cannot be written ({error}), so the clips stay in memory")
        return SequenceWriter(kind)


def _left_out(folder: Path) -> list[tuple[str, str]]:
    try:
        return [(name, line) for name, line in json.loads((folder / _LEFT_OUT).read_text(encoding="utf-8"))]
    except (OSError, ValueError) as error:
        raise ValueError(f"the cache in {folder} is damaged ({error}); remove that folder and run again") from error


def _read(files: tuple[SkeletonFile, ...], kind: str, workers: int) -> Iterator[tuple[SkeletonFile, np.ndarray | str]]:
    """Each file with its values or what is wrong with it, in order, no more than a few tasks ahead."""
    tasks = [files[i : i + _FILES_PER_TASK] for i in range(0, len(files), _FILES_PER_TASK)]
    if workers == 1:
        for task in tasks:
            yield from zip(task, read_files(task, kind), strict=True)
        return
    # Never fork: the parent may have TensorFlow's threads. Spawned children import `ntu_raw` and little else.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(tasks)), context, signal.signal, (signal.SIGINT, signal.SIG_IGN))
    waiting: deque = deque()
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
            "the processes that read .skeleton files died: out of memory, or called from a script without "
            "`if __name__ == '__main__':`; workers=1 does without them"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _cores() -> int:
    # A container may be given fewer than the machine has.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _progress(console: Console) -> Progress:
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("files"), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal, transient=True)


def _say(console: Console, line: str) -> None:
    console.print(line, highlight=False, markup=False, soft_wrap=True)
