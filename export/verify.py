"""An exported file compared with the Keras model that it was made from: numbers, accuracy, size and latency."""

from __future__ import annotations

import itertools
import time
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.datasets.windows import screen_keypoints
from skelgnn_tf.export.calibration import RealClips
from skelgnn_tf.geometry import flip_keypoints, flip_pose, normalize_screen, root_relative
from skelgnn_tf.inference.runner import Runner
from skelgnn_tf.metrics import MM_PER_M, mpjpe
from skelgnn_tf.models import ActionRecognizer, PoseLifter
from skelgnn_tf.skeletons import Skeleton, map_keypoints

#: Windows that `step` is tried on, and the largest distance in meters of its pose from that of the window.
_STEPPED, _STEP_BOUND_M = 10, 1e-3
#: Most that 99 % of the windows may differ from Keras: mean distance of a pose's joints in meters, or a probability.
_MOST_M = {"float16": 2e-3, "dynamic": 0.01, "int8": 0.02, "int16x8": 0.02}
_MOST_PROBABLE = {"float16": 0.01, "dynamic": 0.05, "int8": 0.2, "int16x8": 0.2}
#: Runs whose median is the latency, after some that do not count.
_RUNS, _WARM_UP = 100, 5


@dataclass(frozen=True)
class Verification:
    """Result of running a reloaded file on real clips.

    Args:
        clips: How many windows, and of what.
        largest_difference: Largest difference from Keras, of a coordinate in meters or of a probability.
        mean_difference: Mean distance of a joint from that of Keras in meters, or mean difference of a probability.
        score: "MPJPE mm", "top-1 %", or "agreement %" with Keras if the clips have other classes than the model.
        keras: Score of the Keras model on these clips.
        file: Score of the file.
        bytes: Size of the file.
        zipped_bytes: Size of the file inside a zip, such as an Android app.
        latency_ms: {number of threads: median of one window}.
        step_difference: Largest difference in meters between `step`, fed the frames of a window, and the pose of the
            window; None without steps.
        percentile_99: What 99 % of the windows differ from Keras by at most: mean distance of a joint in meters, or
            the largest difference of a probability.
    """

    clips: str
    largest_difference: float
    mean_difference: float
    score: str
    keras: float
    file: float
    bytes: int
    zipped_bytes: int
    latency_ms: dict[str, float]
    step_difference: float | None = None
    percentile_99: float = 0.0

    @property
    def lost(self) -> float:
        """How much worse the file scores, in mm or points; negative if it is better."""
        return self.file - self.keras if self.score.startswith("MPJPE") else self.keras - self.file

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"lost": self.lost}


def verify(
    file: Path, model: PoseLifter | ActionRecognizer, layout: Skeleton | None, flip: bool, clips: RealClips
) -> Verification:
    """Reloads a file, runs it on real clips and compares it with Keras.

    Args:
        file: `.tflite` or `.onnx`.
        model: The Keras model that it was made from.
        layout: Joints of the clips; None for poses of the model's own joints.
        flip: Whether the file averages poses with those of the mirrored keypoints.
        clips: Input of both.
    """
    runner = Runner(file)
    output = "pose_m" if isinstance(model, PoseLifter) else "probabilities"
    found = np.concatenate([runner.run(**inputs)[output] for inputs in clips.one_by_one()])
    if isinstance(model, PoseLifter):
        expected = keras_poses(model, layout or model.skeleton, flip, clips.inputs)
        score, scores = "MPJPE mm", [float(mpjpe(pose, clips.truth).mean()) * MM_PER_M for pose in (expected, found)]
        differences = np.linalg.norm(found - expected, axis=-1).mean(axis=(1, 2))
        mean = differences.mean()
    else:
        expected = keras_probabilities(model, layout, clips.inputs)
        truth = expected.argmax(axis=1) if clips.truth is None else clips.truth
        score = "agreement %" if clips.truth is None else "top-1 %"
        scores = [100 * float((p.argmax(axis=1) == truth).mean()) for p in (expected, found)]
        differences, mean = np.abs(found - expected).max(axis=1), np.abs(found - expected).mean()
    content, window = file.read_bytes(), next(clips.one_by_one())
    return Verification(
        clips=f"{len(clips)} windows of {clips.about}",
        # numpy's maximum is NaN if any value is, and NaN is within no bound.
        largest_difference=float(np.abs(found - expected).max()),
        mean_difference=float(mean),
        score=score,
        keras=scores[0],
        file=scores[1],
        bytes=len(content),
        zipped_bytes=zipped(content),
        latency_ms={str(threads): _latency_ms(Runner(file, threads), window) for threads in (1, 2)},
        step_difference=_step_difference(runner, clips) if "step" in runner.contract["signatures"] else None,
        percentile_99=float(np.percentile(differences, 99)),
    )


def _step_difference(runner: Runner, clips: RealClips) -> float:
    """Largest difference of a coordinate between `step`, fed frame by frame, and the whole window; a few windows."""
    shapes, differences = runner.contract["signatures"]["step"]["inputs"], []
    for inputs in itertools.islice(clips.one_by_one(), 0, None, -(-len(clips) // _STEPPED)):
        state = np.zeros(shapes["state"], np.float32)
        for frame in np.moveaxis(inputs["keypoints"], 1, 0):
            out = runner.step(keypoints=frame[:, None], image_size=inputs["image_size"], state=state)
            state = out["state"]
        differences.append(np.abs(out["pose_m"] - runner.run(**inputs)["pose_m"][:, -1:]).max())
    return float(np.max(differences))


def zipped(content: bytes) -> int:
    """Bytes of a file inside a zip, such as an Android app."""
    return len(zlib.compress(content, 9))


def _latency_ms(runner: Runner, window: dict[str, np.ndarray]) -> float:
    """Median milliseconds of one window."""
    seconds = []
    for _ in range(_WARM_UP + _RUNS):
        begin = time.perf_counter()
        runner.run(**window)
        seconds.append(time.perf_counter() - begin)
    return float(np.median(seconds[_WARM_UP:])) * 1e3


def keras_poses(model: PoseLifter, layout: Skeleton, flip: bool, inputs: dict[str, np.ndarray]) -> np.ndarray:
    """Poses of the Keras model for the inputs of an exported file, computed as `predict` does.

    Args:
        model: A lifter.
        layout: Joints of the keypoints.
        flip: Average with the poses of the mirrored keypoints.
        inputs: `keypoints` (windows, T, joints, 3) in pixels with confidence, `image_size` (windows, 2).

    Returns:
        float32 (windows, 1 or T, joints, 3), root-relative meters.
    """
    mapped = map_keypoints(inputs["keypoints"], layout, model.skeleton)
    confidence = model.input_channels == 3
    x = np.stack(
        [
            screen_keypoints(Clip("window", window[None], image_size_px=tuple(size)), confidence=confidence)
            for window, size in zip(mapped, inputs["image_size"], strict=True)
        ]
    )
    pose = _call(model, x)
    if flip:
        pose = (pose + flip_pose(_call(model, flip_keypoints(x, model.skeleton)), model.skeleton)) / 2
    return root_relative(pose, model.skeleton.root)


def keras_probabilities(model: ActionRecognizer, layout: Skeleton | None, inputs: dict[str, np.ndarray]) -> np.ndarray:
    """Probabilities of the Keras model for the inputs of an exported file, computed as `predict` does.

    Args:
        model: A recognizer.
        layout: Joints of the keypoints; None for poses of the model's own joints.
        inputs: `keypoints` ([windows, persons,] T, joints, 3) and `image_size` (windows, 2), or `pose_m`.

    Returns:
        float32 (windows, classes).
    """
    if layout is None:
        x = inputs["pose_m"]
    else:
        keypoints = map_keypoints(inputs["keypoints"], layout, model.skeleton)
        keypoints = keypoints.reshape(len(keypoints), model.persons, model.frames, -1, 3)
        x = np.stack([normalize_screen(k, size) for k, size in zip(keypoints, inputs["image_size"], strict=True)])
        x = np.where(keypoints[..., 2:] > 0, x, np.float32(0))[..., : model.input_channels]
    return keras.ops.convert_to_numpy(keras.ops.softmax(_call(model, x)))


def _call(model: keras.Model, x: np.ndarray, batch_size: int = 64) -> np.ndarray:
    batches = [x[i : i + batch_size] for i in range(0, len(x), batch_size)]
    return np.concatenate([keras.ops.convert_to_numpy(model(batch, training=False)) for batch in batches])


def broken_bound(quantization: str, result: Verification) -> str | None:
    """The bound that a file breaks, in words; None if it is as good as its quantization has to be.

    Poses: none at most 0.1 mm from Keras; float16 at most 1 mm on average; dynamic at most 1 mm on average or 1 % more
    MPJPE; int8 and int16x8 at most 2 % more MPJPE; and 99 % move by at most 2 mm (float16), 10 mm (dynamic) or 20 mm.
    Actions: none at most 1e-4 of a probability from Keras; the others at most 0.5 points of top-1, and in 99 % of the
    windows at most 0.01 (float16), 0.05 (dynamic) or 0.2 of a probability.
    """
    poses = result.score.startswith("MPJPE")
    largest = result.largest_difference
    # NaN fails every comparison that is written as "not <=".
    if result.step_difference is not None and not result.step_difference <= _STEP_BOUND_M:
        difference_mm = result.step_difference * MM_PER_M
        return f"gives poses by step that differ from the window's by {difference_mm:.2g} mm (limit: 1 mm)"
    if quantization == "none":
        unit = "m" if poses else "of a probability"
        return None if largest <= 1e-4 else f"differs from Keras by {largest:.2g} {unit} (limit: 0.0001)"
    lost = _lost_too_much(quantization, result)
    most = (_MOST_M if poses else _MOST_PROBABLE)[quantization]
    if lost or result.percentile_99 <= most:
        return lost
    scale, unit = (MM_PER_M, "mm") if poses else (1, "of a probability")
    found = f"{result.percentile_99 * scale:.2g} {unit}"
    return f"moves 1 % of the windows by more than {found} (limit: {most * scale:g})"


def _lost_too_much(quantization: str, result: Verification) -> str | None:
    """How a quantized file breaks the bound on its score or on its mean difference, in words; None if it does not."""
    if not result.score.startswith("MPJPE"):
        fine = result.lost <= 0.5 and np.isfinite(result.largest_difference)
        return None if fine else f"loses {result.lost:.2f} points of {result.score} (limit: 0.5)"
    mean = result.mean_difference
    if quantization == "float16":
        fine = mean <= 1e-3
        return None if fine else f"differs from Keras by {mean * MM_PER_M:.2g} mm on average (limit: 1 mm)"
    share = {"dynamic": 0.01, "int8": 0.02, "int16x8": 0.02}[quantization]
    fine = result.lost <= share * result.keras or (quantization == "dynamic" and mean <= 1e-3)
    return None if fine else f"loses {result.lost:.2f} mm of {result.keras:.2f} mm MPJPE (limit: {share:.0%})"
