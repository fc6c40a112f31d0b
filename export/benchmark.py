"""Latency, memory, size and accuracy of `.tflite`, `.onnx` and Keras models, next to each other.

Each model runs in a process of its own, so that its memory and its threads are its own. The processes take turns, so
that a machine whose clock varies treats all of them alike.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

# Imported here, because numpy loads it on first use, and that memory would count as a model's.
from numpy.random import default_rng

from skelgnn_tf.export.cost import Cost, show
from skelgnn_tf.inference.runner import Runner, import_onnxruntime
from skelgnn_tf.quiet import quiet

if TYPE_CHECKING:
    from rich.console import Console

#: Runs in a row, and runs before them that do not count: those find the cache and the clock as another process left
#: them.
_TURN, _WARM_UP = 10, 2
_PICTURE_PX = (1920, 1080)


def benchmark(
    files: Sequence[Path | str],
    console: Console,
    threads: Sequence[int] = (1, 2),
    runs: int = 100,
    accelerator: str = "cpu",
) -> list[Cost]:
    """Runs one window of each model repeatedly, in turns, and shows the costs.

    Args:
        files: `.tflite` and `.onnx` files of `skelgnn-tf export`, run folders, `.keras` files, presets.
        console: Where to show the result.
        threads: Numbers of CPU threads, each of which is measured; not used on a GPU.
        runs: Number of measured runs of each model with each number of threads.
        accelerator: "cpu", or "gpu", which runs `.tflite` files through LiteRT.

    Returns:
        One for each file and number of threads, in that order.

    Raises:
        ValueError: A file that does not exist or is no model of skelgnn-tf, one that cannot run on the accelerator, or
            a process that was killed.
    """
    if accelerator == "gpu":
        _check_for_gpu(files)
        threads = (0,)
    processes: list[_Process] = []
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


def _check_for_gpu(files: Sequence[Path | str]) -> None:
    for file in map(Path, files):
        if file.suffix != ".tflite":
            raise ValueError(
                f"--accelerator gpu must be used with .tflite files. Received: {file}. Leave it out, or measure the "
                "others with --accelerator cpu."
            )


def in_turns(works: Sequence[Callable[[int], list[float]]], runs: int) -> list[list[float]]:
    """Seconds of each run of each function.

    Args:
        works: Functions that run a number of times and return the seconds of each run.
        runs: Total number of runs of each function, a few in a row.
    """
    seconds: list[list[float]] = [[] for _ in works]
    for turn in range(-(-runs // _TURN)):
        # Each comes first, last and between the others in turn.
        for i in np.roll(np.arange(len(works)), -turn).tolist():
            seconds[i] += works[i](min(_TURN, runs - turn * _TURN))
    return seconds


class _Process:
    """A model in a process of its own."""

    def __init__(self, file: Path, threads: int) -> None:
        # A fork would inherit the memory and the threads of this process.
        context = multiprocessing.get_context("spawn")
        self.file, (self._connection, theirs) = file, context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, file, threads), daemon=True)
        self._process.start()
        # If their end stayed open here, the end of the process would go unnoticed.
        theirs.close()

    def ready(self) -> Cost:
        """Waits until the model is loaded and warm."""
        answer = self._ask()
        if isinstance(answer, str):
            raise ValueError(answer)
        return answer

    def run(self, times: int) -> list[float]:
        """Seconds of each of a number of runs."""
        return self._ask(times)

    def peak_bytes(self) -> int:
        """Peak memory of the process, which then ends."""
        return self._ask(0)

    def end(self) -> None:
        """Ends the process, whatever it does."""
        self._process.kill()
        self._process.join()

    def _ask(self, times: int | None = None) -> Any:
        try:
            if times is not None:
                self._connection.send(times)
            return self._connection.recv()
        except (EOFError, ConnectionError):
            self._process.join()
            raise ValueError(
                f"{self.file}: its process ended with code {self._process.exitcode} (-9: killed, often for lack of "
                "memory)."
            ) from None


def _serve(connection: Any, file: Path, threads: int) -> None:
    """Runs in the process: loads the model, runs it as often as it is asked to, and answers with seconds."""
    # Ctrl-C reaches all processes of a terminal. The one that started this one ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with quiet():
            opening = _open_on_gpu if not threads else _open_exported
            cost, run = (opening if file.suffix in (".tflite", ".onnx") else _open_keras)(file, threads)
            seconds = _seconds(run, _TURN)
            cost.first_seconds = cost.first_seconds or seconds[0]
    except (ValueError, OSError, ImportError) as error:
        connection.send(str(error))
        return
    connection.send(cost)
    while times := connection.recv():
        _seconds(run, _WARM_UP)
        connection.send(_seconds(run, times))
    connection.send(_memory_bytes("VmHWM"))


def _open_exported(file: Path, threads: int) -> tuple[Cost, Callable[[], object]]:
    if file.suffix == ".tflite":
        from ai_edge_litert import interpreter, schema_py_generated  # noqa: F401  what Runner imports
    else:
        import_onnxruntime()
    runtime_bytes, begin = _memory_bytes("VmRSS"), time.perf_counter()
    runner = Runner(file, threads)
    load_seconds, inputs = time.perf_counter() - begin, _inputs(runner)
    name = "LiteRT" if file.suffix == ".tflite" else "onnxruntime"
    cost = Cost(file, threads, _runtime(name, runner), file.stat().st_size, runtime_bytes, load_seconds=load_seconds)
    return cost, lambda: runner.run(**inputs)


def _open_on_gpu(file: Path, threads: int) -> tuple[Cost, Callable[[], object]]:
    from skelgnn_tf.export.gpu import compiled

    runner = Runner(file)
    inputs = _inputs(runner)
    expected = runner.run(**inputs)
    cost = Cost(file, 0, _runtime("LiteRT, GPU", runner), file.stat().st_size, _memory_bytes("VmRSS"))
    begin = time.perf_counter()
    try:
        run = compiled(file, "GPU")
    except RuntimeError as error:
        raise ValueError(
            f"--accelerator gpu must be used where LiteRT finds a GPU that takes the whole file. Received: {file}, "
            "which it does not open on a GPU here. Use --accelerator cpu."
        ) from error
    cost.load_seconds = time.perf_counter() - begin
    begin = time.perf_counter()
    found = run(**inputs)
    cost.first_seconds = time.perf_counter() - begin
    cost.gpu_difference = max(float(np.abs(found[name] - expected[name]).max()) for name in expected)
    return cost, lambda: run(**inputs)


def _runtime(name: str, runner: Runner) -> str:
    return f"{name}, {runner.contract['quantization']}{', flip' if runner.contract['flip'] else ''}"


def _inputs(runner: Runner) -> dict[str, np.ndarray]:
    """A window of a person who sways, by name."""
    return {
        name: np.array([_PICTURE_PX], np.float32) if name == "image_size" else _filled(shape, _person(name, shape))
        for name, shape in runner.inputs.items()
    }


def _open_keras(path: Path, threads: int) -> tuple[Cost, Callable[[], object]]:
    os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    import tensorflow as tf

    from skelgnn_tf import checkpoints
    from skelgnn_tf.configs import ActionConfig
    from skelgnn_tf.geometry import normalize_screen

    tf.config.set_visible_devices([], "GPU")
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    runtime_bytes, begin = _memory_bytes("VmRSS"), time.perf_counter()
    loaded = checkpoints.load(path)
    model, config = loaded.model, loaded.config
    shape = (1, *model.input_axes[1:])
    if isinstance(config, ActionConfig) and config.input == "pose":
        person = _person("pose_m", shape)
    else:
        person = normalize_screen(_person("keypoints", shape), _PICTURE_PX)
    x = tf.constant(_filled(shape, person))
    call = tf.function(lambda x: model(x, training=False))
    # The file of a run also holds the state of the optimizer, which no app needs.
    load_seconds, size = time.perf_counter() - begin, 4 * model.count_params()
    cost = Cost(path, threads, "Keras, float32", size, runtime_bytes, load_seconds=load_seconds)
    return cost, lambda: call(x).numpy()


def _person(name: str, shape: Sequence[int]) -> np.ndarray:
    """A person who sways: (frames, joints, 2) pixels; for `pose_m` (frames, joints, 3) meters.

    Args:
        name: Name of the input.
        shape: Shape of the input, (..., frames, joints, channels).
    """
    rng, (frames, joints) = default_rng(0), shape[-3:-1]
    body_m = rng.uniform((-0.4, -0.9, -0.2), (0.4, 0.9, 0.2), (joints, 3))
    sway_m = rng.uniform(-0.1, 0.1, (1, joints, 3)) * np.sin(np.arange(frames) / 10)[:, None, None]
    pose_m = body_m + sway_m + (0, 0, 4)
    if name == "pose_m":
        return pose_m
    # With a focal length of the picture's width, an adult 4 m away is 860 pixels tall.
    return pose_m[..., :2] / pose_m[..., 2:] * _PICTURE_PX[0] + np.divide(_PICTURE_PX, 2)


def _filled(shape: Sequence[int], coordinates: np.ndarray) -> np.ndarray:
    """float32 of a shape, with the same coordinates for all persons; all confidences are 1."""
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
    """Memory of this process: "VmRSS" at present, "VmHWM" at peak; 0 unless the system is Linux."""
    if not sys.platform.startswith("linux"):
        return 0
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{entry}:"))
