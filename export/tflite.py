"""A trained lifter as a `.tflite` file, reloaded and compared with Keras before it takes its place."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from skelgnn_tf import presets
from skelgnn_tf.config import Config
from skelgnn_tf.datasets import catalog, fitness
from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.datasets.windows import screen_keypoints
from skelgnn_tf.models import PoseLifter
from skelgnn_tf.skeletons import H36M_17, Skeleton, map_keypoints

#: Furthest that a coordinate of a float32 file may lie from Keras'.
BOUND_M = 1e-4
FILE = "model.tflite"
_CLIPS, _WINDOWS_A_CLIP = 4, 50


def export(path: Path | str, folder: Path | str | None = None) -> Path:
    """Writes a lifter's `model.tflite`: float32, batch 1, TFLite builtins only.

    Its signature takes `keypoints` (1, frames, joints, 2, or 3 with confidence), in screen units
    (`geometry.normalize_screen`), and gives `pose_m` (1, 1 or frames, joints, 3): root-relative metres, camera axes.

    Args:
        path: Run folder, `.keras` file or preset.
        folder: Where the file goes; None for exported/<name of the run>.

    Returns:
        The file.

    Raises:
        FileNotFoundError: No such model.
        ValueError: A model or folder that does not fit, an operation that TFLite lacks, or a file that does not give
            Keras' numbers. No file is left then.
    """
    model, config = presets.load(path, "lift")
    if config.protocol == "pixel":
        raise ValueError(
            f"{path} predicts pixels (--protocol pixel), which become metres only by the true depth of the root, and "
            "no phone knows that; export a model trained with --protocol camera"
        )
    folder = _checked(Path(folder) if folder else Path("exported") / _name(path))
    keypoints, what = comparison_windows(model, config)
    content = convert(model)
    beside = folder / f".{FILE}.partial"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(content)
        difference_m, latency_ms = verify(beside, model, keypoints)
        os.replace(beside, folder / FILE)
    except OSError as error:
        raise ValueError(f"cannot write {folder}: {error.strerror}; choose another --output") from error
    finally:
        if folder.is_dir():
            beside.unlink(missing_ok=True)
            if not any(folder.iterdir()):
                folder.rmdir()
    print(
        f"{folder / FILE}: {len(content) / 1e6:.2f} MB, at most {difference_m:.1e} m from Keras on {len(keypoints)} "
        f"windows of {what}, {latency_ms:.2f} ms a window (median, 1 thread)"
    )
    return folder / FILE


def convert(model: PoseLifter) -> bytes:
    """The content of a float32 `.tflite` file with the signature that `export` describes.

    Raises:
        ValueError: Another Keras backend than TensorFlow, or an operation that TFLite's builtins lack.
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError(f"TFLite wants Keras' TensorFlow backend; found KERAS_BACKEND={keras.backend.backend()}")
    import tensorflow as tf

    # A static batch: with a dynamic one, some phones' and browsers' runtimes refuse the file.
    shape = (1, model.frames, model.skeleton.num_joints, model.input_channels)
    with tempfile.TemporaryDirectory() as saved_model, _quiet():
        archive = keras.export.ExportArchive()
        archive.track(model)
        archive.add_endpoint(
            "serving_default",
            lambda keypoints: {"pose_m": model(keypoints, training=False)},
            input_signature=[tf.TensorSpec(shape, tf.float32, name="keypoints")],
        )
        archive.write_out(saved_model, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(saved_model)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        try:
            return converter.convert()
        except Exception as error:
            reason = " ".join(str(error).split())[:300]
            raise ValueError(f"TFLite's builtins cannot express this model: {reason}") from error


def verify(file: Path, model: PoseLifter, keypoints: np.ndarray, runs: int = 100) -> tuple[float, float]:
    """Reloads a `.tflite` file and compares it with the Keras model that it was made from.

    Args:
        file: To reload.
        model: That it should agree with.
        keypoints: (windows, frames, joints, 2 or 3), what the model takes.
        runs: Of which the latency is the median.

    Returns:
        The largest difference of a coordinate in metres, and the latency of one window in milliseconds on one thread.

    Raises:
        ValueError: They differ by more than `BOUND_M`, or by something that is no number.
    """
    with _quiet():
        from ai_edge_litert.interpreter import Interpreter

        lift = Interpreter(str(file), num_threads=1).get_signature_runner("serving_default")
        poses = np.concatenate([lift(keypoints=window[None])["pose_m"] for window in keypoints])
    expected = keras.ops.convert_to_numpy(model(keypoints, training=False))
    difference_m = float(np.abs(poses - expected).max())
    # Asked this way round, NaN is refused too.
    if not difference_m <= BOUND_M:
        raise ValueError(
            f"the exported file differs from Keras by {difference_m:.2g} m, expected at most {BOUND_M:g} m, so it was "
            "not kept; does skelgnn-tf evaluate give sound numbers for this model?"
        )
    seconds = []
    for _ in range(runs):
        begin = time.perf_counter()
        lift(keypoints=keypoints[:1])
        seconds.append(time.perf_counter() - begin)
    return difference_m, statistics.median(seconds) * 1e3


def comparison_windows(model: PoseLifter, config: Config) -> tuple[np.ndarray, str]:
    """Windows (windows, frames, joints, 2 or 3) of test clips of the data that a model was trained on, and their name.

    Where the files of that data are not on this machine, the generated clips stand in.
    """
    files = [name for name in config.dataset if catalog.CATALOG[name].files]
    clips, names = [], []
    if files:
        try:
            test = catalog.load(files, config.data_dir, model.skeleton, config.keypoints).test
        except (ValueError, OSError):
            test = ()
        test = [clip for clip in test if clip.num_frames >= model.frames]
        if test:
            clips += [test[i] for i in np.unique(np.linspace(0, len(test) - 1, _CLIPS).round().astype(int))]
            names += files
    if not clips or "fitness" in config.dataset:
        clips += _generated(model.skeleton, config.seed, max(90, model.frames))
        names.append("fitness")
    windows = []
    for clip in clips:
        first = np.linspace(0, clip.num_frames - model.frames, _WINDOWS_A_CLIP).astype(int)
        keypoints = screen_keypoints(clip, confidence=model.input_channels == 3)
        windows.append(keypoints[first[:, None] + np.arange(model.frames)])
    return np.concatenate(windows), ", ".join(names)


def _generated(skeleton: Skeleton, seed: int, frames: int) -> list[Clip]:
    clips = fitness.load(seed, train_clips=1, test_clips=_CLIPS, frames=frames).test
    return [replace(clip, pose_m=None, keypoints=map_keypoints(clip.keypoints, H36M_17, skeleton)) for clip in clips]


def _name(path: Path | str) -> str:
    """What an export of this model is called: its run, its file or its preset."""
    path = Path(path)
    path = path.resolve() if path.exists() else path
    return path.parent.name if path.name == "model.keras" else path.stem if path.suffix == ".keras" else path.name


def _checked(folder: Path) -> Path:
    """The folder, if it may take an export.

    Raises:
        ValueError: It is a file, or holds something else than an export.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file; expected a folder to write {FILE} into; choose another --output")
    others = sorted(f.name for f in folder.iterdir() if f.name != FILE) if folder.exists() else []
    if others:
        raise ValueError(
            f"{folder} holds {others[0]}, so it is no export (expected {FILE} alone, or nothing); choose another "
            "--output"
        )
    return folder


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the converter's and the runtime's notices off the terminal; they come from C++, past Python's streams."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    try:
        with open(os.devnull, "w") as devnull:
            os.dup2(devnull.fileno(), 1)
            os.dup2(devnull.fileno(), 2)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, stream in zip(saved, (1, 2), strict=True):
            os.dup2(number, stream)
            os.close(number)
