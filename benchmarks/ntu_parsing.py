"""Files a minute and memory of reading raw NTU RGB+D, on copies of a few `.skeleton` files.

python benchmarks/ntu_parsing.py [--files 2000] [--workers 2] [--samples DIR] [--ntu120-size]
"""

import argparse
import multiprocessing
import os
import resource
import shutil
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import cycle, islice, product
from pathlib import Path

import numpy as np
from rich.console import Console

from skelgnn_tf.datasets import ntu
from skelgnn_tf.datasets.sequences import Sequences, SequenceWriter

SAMPLES = Path(__file__).resolve().parents[2] / "shared" / "data" / "bandai_namco" / "skeleton_samples"
NTU120_CLIPS = 114_480
MB = 1e6


def copies(samples: Path, folder: Path, count: int) -> int:
    """Writes `count` files under names of NTU RGB+D 120; gives their bytes."""
    sources = sorted(samples.glob("*.skeleton"))
    if not sources:
        raise SystemExit(f"no .skeleton file in {samples}; give --samples DIR")
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
    """Stops where the disk lacks room for `size` bytes and a tenth more."""
    free = shutil.disk_usage(folder).free
    if free < 1.1 * size:
        raise SystemExit(f"{folder} has {free / MB:,.0f} MB free, {1.1 * size / MB:,.0f} are wanted; set TMPDIR")


def parsing(folder: Path, files: int, size: int, workers: int) -> None:
    """Times `load` cold and from its cache."""
    quiet = Console(quiet=True)
    for what in ("cold", "from the cache"):
        start = time.perf_counter()
        actions = ntu.load(folder, "ntu120-xsub", "pose", workers=workers, console=quiet)
        seconds = time.perf_counter() - start
        if len(actions.train) + len(actions.test) != files:
            raise SystemExit(f"{len(actions.train) + len(actions.test)} clips came out of {files} files")
        if what == "cold":
            print(f"cold: {files} files ({size / MB:,.0f} MB) in {seconds:.1f} s with {workers} processes:")
            print(f"  {60 * files / seconds:,.0f} files/minute, {size / MB / seconds:.0f} MB/s")
        else:
            print(f"from the cache: {seconds:.2f} s, {actions.train.values.nbytes / MB:,.0f} MB on disk")
    # Linux counts kilobytes.
    parent, child = (
        resource.getrusage(who).ru_maxrss * 1024 / MB for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(f"peak memory: {parent:,.0f} MB and {workers} x {child:,.0f} MB: {parent + workers * child:,.0f} MB")


def synthesise(folder: Path) -> None:
    """A cache of NTU RGB+D 120's size: 40 to 130 frames, two persons in 26 of 120 classes."""
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
    """This process's own pages and those that it maps from files, in megabytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return {line.split(":")[0]: int(line.split()[1]) * 1024 / MB for line in lines if line.startswith(("RssA", "RssF"))}


def read_batches(folder: Path, batch: int = 64) -> None:
    """Opens a cache and takes 64 random frames of every clip, in random batches."""
    before, start = memory_mb(), time.perf_counter()
    sequences = Sequences.open(folder)
    print(f"opened {len(sequences):,} clips, {sequences.values.nbytes / MB:,.0f} MB, ", end="")
    print(f"in {time.perf_counter() - start:.2f} s", flush=True)
    rng, start = np.random.default_rng(0), time.perf_counter()
    order = rng.permutation(len(sequences))
    own = mapped = 0.0
    for at in range(0, len(order), batch):
        clips = order[at : at + batch]
        frames = np.sort(rng.integers(0, sequences.frames[clips, None], (len(clips), 64)), axis=1)
        sequences.take(clips, frames, persons=2)
        if at % (50 * batch) == 0:
            now = memory_mb()
            own, mapped = max(own, now["RssAnon"]), max(mapped, now["RssFile"])
    seconds = time.perf_counter() - start
    print(f"an epoch of random batches of {batch}: {len(order) / seconds:,.0f} clips/s")
    print(f"  own memory up to {own:,.0f} MB (before opening {before['RssAnon']:,.0f} MB)")
    print(f"  mapped pages of the file up to {mapped:,.0f} MB, which the system takes back when it needs them")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=Path, default=SAMPLES, help="folder of .skeleton files to copy")
    parser.add_argument("--files", type=int, default=2000, help="how many copies")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--ntu120-size", action="store_true", help="read from a cache of 114,480 clips too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ntu_parsing") as temporary:
        data = Path(temporary, "data")
        data.mkdir()
        os.environ["SKELGNN_TF_CACHE"] = str(Path(temporary, "cache"))
        size = copies(arguments.samples, data, arguments.files)
        parsing(data, arguments.files, size, arguments.workers)
        shutil.rmtree(data)
        if arguments.ntu120_size:
            folder = Path(temporary, "ntu120")
            synthesise(folder)
            # A fresh process, whose memory holds nothing else.
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
                pool.submit(read_batches, folder).result()


if __name__ == "__main__":
    main()
