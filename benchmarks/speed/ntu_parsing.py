"""Files per minute and memory of reading raw NTU RGB+D, on copies of a few `.skeleton` files.

Example: python benchmarks/speed/ntu_parsing.py --files 2000 --workers 2 --ntu120-size
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from itertools import cycle, islice, product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import click
import numpy as np
from rich.console import Console

from _timing import timed
from skelgnn_tf.datasets import ntu
from skelgnn_tf.datasets.sequences import Sequences, SequenceWriter

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "bandai_namco" / "skeleton_samples"
NTU120_CLIPS = 114_480
MB = 1e6


def copies(samples: Path, folder: Path, count: int) -> int:
    """Writes `count` files under names of NTU RGB+D 120 and returns their size in bytes."""
    sources = sorted(samples.glob("*.skeleton"))
    if not sources:
        raise click.ClickException(f"{samples} must contain .skeleton files. Name another folder with --samples.")
    size = sum(path.stat().st_size for path in islice(cycle(sources), count))
    room(folder, size)
    names = (
        f"S{s:03d}C{c:03d}P{p:03d}R{r:03d}A{a:03d}.skeleton"
        for s, c, p, r, a in product(range(1, 33), range(1, 4), range(1, 107), (1, 2), range(1, 121))
    )
    for source, name in zip(cycle(sources), islice(names, count), strict=False):
        (folder / name).write_bytes(source.read_bytes())
    return size


def room(folder: Path, size: float) -> None:
    """Raises if the disk has no room for 1.1 times `size` bytes."""
    free = shutil.disk_usage(folder).free
    if free < 1.1 * size:
        raise click.ClickException(
            f"{folder} must have {1.1 * size / MB:,.0f} MB free. Received: {free / MB:,.0f} MB. Set TMPDIR."
        )


def parsing(folder: Path, files: int, size: int, workers: int) -> None:
    """Times `load` without and with its cache."""
    quiet = Console(quiet=True)

    def load() -> int:
        actions = ntu.load(folder, "ntu120-xsub", "pose", workers=workers, console=quiet)
        if len(actions.train) + len(actions.test) != files:
            raise click.ClickException(f"{files} files gave {len(actions.train) + len(actions.test)} clips.")
        return actions.train.values.nbytes

    _, cold_s = timed(load)
    print(f"cold: {files} files ({size / MB:,.0f} MB) in {cold_s:.1f} s with {workers} processes:")
    print(f"  {60 * files / cold_s:,.0f} files/minute, {size / MB / cold_s:.0f} MB/s")
    cached, cached_s = timed(load)
    print(f"from the cache: {cached_s:.2f} s, {cached / MB:,.0f} MB on disk")
    # In kilobytes on Linux.
    parent, child = (
        resource.getrusage(who).ru_maxrss * 1024 / MB for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(f"peak memory: {parent:,.0f} MB and {workers} x {child:,.0f} MB: {parent + workers * child:,.0f} MB")


def synthesize(folder: Path) -> None:
    """Writes a cache of the size of NTU RGB+D 120: 40 to 130 frames, two persons in 26 of 120 classes."""
    rng = np.random.default_rng(0)
    frames = rng.integers(40, 131, NTU120_CLIPS)
    label = rng.integers(0, 120, NTU120_CLIPS)
    persons = np.where(label < 26, 2, 1)
    room(folder.parent, float((frames * persons).sum()) * 25 * 3 * 2)
    pose_m = rng.normal(size=(2, 130, 25, 3)).astype(np.float32) + np.float32([0, 0, 3])
    writer = SequenceWriter("pose", folder)
    try:
        for i in range(NTU120_CLIPS):
            writer.add(f"S001C001P001R001A{label[i] + 1:03d}", pose_m[: persons[i], : frames[i]], int(label[i]), 30.0)
        writer.close()
    except BaseException:
        writer.abort()
        raise


def memory_mb() -> dict[str, float]:
    """Megabytes of this process: its own pages (RssAnon) and pages mapped from files (RssFile)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return {line.split(":")[0]: int(line.split()[1]) * 1024 / MB for line in lines if line.startswith(("RssA", "RssF"))}


def read_batches(folder: Path, batch: int = 64) -> None:
    """Opens a cache and takes 64 random frames of every clip, in random batches."""
    before = memory_mb()
    sequences, seconds = timed(Sequences.open, folder)
    print(f"opened {len(sequences):,} clips, {sequences.values.nbytes / MB:,.0f} MB, in {seconds:.2f} s", flush=True)
    rng = np.random.default_rng(0)
    order = rng.permutation(len(sequences))
    peak = dict.fromkeys(before, 0.0)

    def epoch() -> None:
        for at in range(0, len(order), batch):
            clips = order[at : at + batch]
            frames = np.sort(rng.integers(0, sequences.frames[clips, None], (len(clips), 64)), axis=1)
            sequences.take(clips, frames, persons=2)
            if at % (50 * batch) == 0:
                peak.update({name: max(peak[name], now) for name, now in memory_mb().items()})

    _, seconds = timed(epoch)
    print(f"an epoch of random batches of {batch}: {len(order) / seconds:,.0f} clips/s")
    print(f"  own memory up to {peak['RssAnon']:,.0f} MB (before opening {before['RssAnon']:,.0f} MB)")
    print(f"  mapped pages of the file up to {peak['RssFile']:,.0f} MB, which the system reclaims when needed")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--samples",
    type=click.Path(path_type=Path),
    default=SAMPLES,
    show_default=True,
    help="Folder with .skeleton files to copy.",
)
@click.option("--files", type=click.IntRange(1), default=2000, show_default=True, help="Number of copies.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Number of processes.")
@click.option("--ntu120-size", is_flag=True, help="Also read from a cache of 114,480 clips.")
def main(samples: Path, files: int, workers: int, ntu120_size: bool) -> None:
    """Measure files per minute and memory of reading raw NTU RGB+D."""
    with tempfile.TemporaryDirectory(prefix="ntu_parsing") as temporary:
        data = Path(temporary, "data")
        data.mkdir()
        os.environ["SKELGNN_TF_CACHE"] = str(Path(temporary, "cache"))
        size = copies(samples, data, files)
        parsing(data, files, size, workers)
        shutil.rmtree(data)
        if ntu120_size:
            folder = Path(temporary, "ntu120")
            synthesize(folder)
            # In a fresh process, so that nothing else is in memory.
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
                pool.submit(read_batches, folder).result()


if __name__ == "__main__":
    main()
