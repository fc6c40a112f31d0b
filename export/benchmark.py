"""What models cost to run: latency, memory and size of `.tflite`, `.onnx` and Keras models side by side.

Each model lives in a process of its own, so its memory is its own and its threads are those asked for. The processes
take turns, so that a machine whose clock swings treats all alike.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

# At once, for numpy loads it when it is first asked for, and that memory would count as a model's.
from numpy.random import default_rng

from skelgnn_tf.inference.runner import Runner, import_onnxruntime
from skelgnn_tf.quiet import quiet

if TYPE_CHECKING:
    from rich.console import Console

FRAME_MS = 1e3 / 30
#: Runs in a row, after some that do not count: those find a cache and a clock that another process has used.
_TURN, _WARM_UP = 10, 2
_PICTURE_PX = (1920, 1080)


@dataclass
class Cost:
    """What one model costs on some threads.

    Args:
        file: As it was given.
        threads: Of the CPU.
        runtime: What ran it, and its arithmetic: "LiteRT, dynamic".
        bytes: Size on the disk; of a Keras model, of its weights.
        seconds: Of each run of one window.
        runtime_bytes: Memory of a process that has imported the runtime, before it loads the file.
        peak_bytes: The most memory that the process ever had. Both are 0 where the system does not tell.
    """

    file: Path
    threads: int
    runtime: str
    bytes: int
    runtime_bytes: int
    peak_bytes: int = 0
    seconds: list[float] = field(default_factory=list)


def benchmark(
    files: Sequence[Path | str], console: Console, threads: Sequence[int] = (1, 2), runs: int = 100
) -> list[Cost]:
    """Runs one window of each model again and again, in turns, and shows what that costs.

    Args:
        files: `.tflite` and `.onnx` files of `skelgnn-tf export`, run folders, `.keras` files, presets.
        console: Where the result is shown.
        threads: Each is measured.
        runs: That count, of each model on each number of threads.

    Returns:
        One for each file and number of threads, in that order.

    Raises:
        ValueError: A file that does not exist or is no model of skelgnn-tf, a process that died.
    """
    processes = []
    with console.status("measuring"):
        try:
            for file, number in itertools.product(files, threads):
                processes.append(_Process(Path(file), number))
            costs = [process.ready() for process in processes]
            seconds = in_turns([process.run for process in processes], runs)
            for process, cost, taken in zip(processes, costs, seconds, strict=True):
                cost.seconds, cost.peak_bytes = taken, process.peak_bytes()
        finally:
            for process in processes:
                process.end()
    show(costs, console)
    return costs


def in_turns(works: Sequence[Callable[[int], list[float]]], runs: int) -> list[list[float]]:
    """Seconds of each run of each work.

    Args:
        works: Each runs as often as it is told to, and gives the seconds of each run.
        runs: Of each, a few in a row.
    """
    seconds = [[] for _ in works]
    for turn in range(-(-runs // _TURN)):
        # Each comes first, last and between the others in turn.
        for i in np.roll(np.arange(len(works)), -turn):
            seconds[i] += works[i](min(_TURN, runs - turn * _TURN))
    return seconds


def show(costs: Sequence[Cost], console: Console) -> None:
    """The costs as a table, and in words what was measured."""
    # Here, for the processes load this module too and draw nothing.
    from rich.table import Table

    table = Table("model", "runtime")
    for column in ("size MB", "threads", "median ms", "p95 ms", "of a 30 fps frame", "memory MB"):
        table.add_column(column, justify="right")
    for cost in costs:
        median, p95 = (q * 1e3 for q in np.quantile(cost.seconds, (0.5, 0.95)))
        own = (cost.peak_bytes - cost.runtime_bytes) / 1e6
        table.add_row(
            str(cost.file), cost.runtime, f"{cost.bytes / 1e6:.3f}", str(cost.threads), f"{median:.3f}", f"{p95:.3f}",
            f"{median / FRAME_MS:.1%}", f"{cost.runtime_bytes / 1e6:.0f} + {own:.1f}" if cost.peak_bytes else "unknown",
        )  # fmt: skip
    console.print(table)
    console.print(
        "One window, batch 1, on the CPU; the models took turns. LiteRT, onnxruntime: all from pixels to the result. "
        "Keras: the model alone, as a traced graph, the fastest that TensorFlow has; `predict` calls it untraced, on "
        "many windows at once. Memory: the process with the runtime imported, + the most that loading and running "
        "added to it.",
        highlight=False,
    )


class _Process:
    """A model in a process of its own."""

    def __init__(self, file: Path, threads: int) -> None:
        # A fork would inherit the memory and the threads of this process.
        context = multiprocessing.get_context("spawn")
        self.file, (self._end, theirs) = file, context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, file, threads), daemon=True)
        self._process.start()
        # With their end open here too, their death would go unnoticed.
        theirs.close()

    def ready(self) -> Cost:
        """Waits until the model is loaded and warm."""
        answer = self._ask()
        if isinstance(answer, str):
            raise ValueError(answer)
        return answer

    def run(self, times: int) -> list[float]:
        """Seconds of each of some runs."""
        return self._ask(times)

    def peak_bytes(self) -> int:
        """Ends the runs."""
        return self._ask(0)

    def end(self) -> None:
        """Ends the process, whatever it does."""
        self._process.kill()
        self._process.join()

    def _ask(self, times: int | None = None):
        try:
            if times is not None:
                self._end.send(times)
            return self._end.recv()
        except (EOFError, ConnectionError):
            self._process.join()
            raise ValueError(
                f"{self.file}: the process that ran it ended with code {self._process.exitcode} (-9: out of memory?)"
            ) from None


def _serve(connection, file: Path, threads: int) -> None:
    """What a process does: load, then run as often as it is told to, and say what it needed."""
    # Ctrl-C reaches all processes of a terminal; the one that started this one ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with quiet():
            cost, run = (_exported if file.suffix in (".tflite", ".onnx") else _keras)(file, threads)
            _seconds(run, _TURN)
    except (ValueError, OSError, ImportError) as error:
        connection.send(str(error))
        return
    connection.send(cost)
    while times := connection.recv():
        _seconds(run, _WARM_UP)
        connection.send(_seconds(run, times))
    connection.send(_memory_bytes("VmHWM"))


def _exported(file: Path, threads: int) -> tuple[Cost, Callable[[], object]]:
    if file.suffix == ".tflite":
        from ai_edge_litert import interpreter, schema_py_generated  # noqa: F401  what Runner will import
    else:
        import_onnxruntime()
    runtime_bytes = _memory_bytes("VmRSS")
    runner = Runner(file, threads)
    name = "LiteRT" if file.suffix == ".tflite" else "onnxruntime"
    runtime = f"{name}, {runner.contract['quantization']}{', flip' if runner.contract['flip'] else ''}"
    inputs = {}
    for name, shape in runner.inputs.items():
        inputs[name] = np.float32([_PICTURE_PX]) if name == "image_size" else _filled(shape, _person(name, shape))
    return Cost(file, threads, runtime, file.stat().st_size, runtime_bytes), lambda: runner.run(**inputs)


def _keras(path: Path, threads: int) -> tuple[Cost, Callable[[], object]]:
    os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    import tensorflow as tf

    from skelgnn_tf import checkpoints
    from skelgnn_tf.geometry import normalize_screen

    tf.config.set_visible_devices([], "GPU")
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    runtime_bytes = _memory_bytes("VmRSS")
    model, config = checkpoints.load(path)
    shape = (1, *model.input_axes[1:])
    if config.input == "pose":
        person = _person("pose_m", shape)
    else:
        person = normalize_screen(_person("keypoints", shape), _PICTURE_PX)
    x = tf.constant(_filled(shape, person))
    call = tf.function(lambda x: model(x, training=False))
    # A run's file holds the optimizer's state too, which no app would carry.
    cost = Cost(path, threads, "Keras, float32", 4 * model.count_params(), runtime_bytes)
    return cost, lambda: call(x).numpy()


def _person(name: str, shape: Sequence[int]) -> np.ndarray:
    """Somebody who sways about: (frames, joints, 2) pixels, of `pose_m` (frames, joints, 3) metres.

    Args:
        name: The input's.
        shape: The input's, (..., frames, joints, channels).
    """
    rng, (frames, joints) = default_rng(0), shape[-3:-1]
    body_m = rng.uniform((-0.4, -0.9, -0.2), (0.4, 0.9, 0.2), (joints, 3))
    sway_m = rng.uniform(-0.1, 0.1, (1, joints, 3)) * np.sin(np.arange(frames) / 10)[:, None, None]
    pose_m = body_m + sway_m + (0, 0, 4)
    if name == "pose_m":
        return pose_m
    # A lens as long as the picture is wide shows a grown-up 4 m away at a height of 860 pixels.
    return pose_m[..., :2] / pose_m[..., 2:] * _PICTURE_PX[0] + np.divide(_PICTURE_PX, 2)


def _filled(shape: Sequence[int], coordinates: np.ndarray) -> np.ndarray:
    """float32 of a shape, with the same coordinates for all persons; all confidence is 1."""
    x = np.ones(shape, np.float32)
    x[..., : coordinates.shape[-1]] = coordinates
    return x


def _seconds(run: Callable[[], object], times: int) -> list[float]:
    seconds = []
    for _ in range(times):
        begin = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begin)
    return seconds


def _memory_bytes(entry: str) -> int:
    """This process's memory: "VmRSS" now, "VmHWM" at most; 0 where the system is not Linux."""
    if not sys.platform.startswith("linux"):
        return 0
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{entry}:"))
