"""An exported file against the Keras model that it came from: numbers, accuracy, speed, and where the time goes."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np

from skelgnn_tf.configs.config import Config
from skelgnn_tf.export.calibration import RealClips
from skelgnn_tf.geometry import flip_keypoints, flip_pose, normalize_screen, root_relative
from skelgnn_tf.inference.runner import Runner
from skelgnn_tf.metrics import MM_PER_M, mpjpe
from skelgnn_tf.models import ActionRecognizer, PoseLifter
from skelgnn_tf.skeletons import Skeleton, map_keypoints

#: Windows that `step` is tried on, and how far its pose may lie from the window's, metres.
_STEPPED, _STEP_BOUND_M = 10, 1e-3


@dataclass(frozen=True)
class Verification:
    """What came out when a file was reloaded and run on real clips.

    Args:
        clips: How many windows, and of what.
        largest_difference: From Keras, of a coordinate in metres or of a probability.
        mean_difference: The mean distance of a joint from Keras' in metres, or the mean difference of a probability.
        score: "MPJPE mm", "top-1 %" or "agreement %" (with Keras, where the clips have other classes).
        keras: The score of the Keras model on these clips.
        file: The score of the file.
        bytes: Size of the file.
        zipped_bytes: Size within an app's package.
        latency_ms: {threads: median of one window}.
        step_difference: Of `step`, fed the frames of a window, from the window's pose, metres; None without steps.
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

    @property
    def lost(self) -> float:
        """How much worse the file scores: mm or points, negative if it is better."""
        return self.file - self.keras if self.score.startswith("MPJPE") else self.keras - self.file

    def to_dict(self) -> dict:
        """Plain values for JSON."""
        return asdict(self) | {"lost": self.lost}


def verify(
    file: Path, model: PoseLifter | ActionRecognizer, config: Config, layout: Skeleton | None, flip: bool,
    clips: RealClips,
) -> Verification:  # fmt: skip
    """Reloads a file and runs it on real clips beside Keras.

    Args:
        file: `.tflite` or `.onnx`.
        model: That it should agree with.
        config: Of the model's run.
        layout: Joints of the clips.
        flip: Whether poses are averaged with those of the mirrored keypoints.
        clips: What both see.
    """
    runner = Runner(file)
    found = [runner.run(**inputs) for inputs in clips.one_by_one()]
    if isinstance(model, PoseLifter):
        expected = keras_poses(model, config, layout, flip, clips.inputs)
        given = np.concatenate([out["pose_m"] for out in found])
        scores = [float(mpjpe(pose, clips.truth).mean()) * MM_PER_M for pose in (expected, given)]
        score, mean = "MPJPE mm", np.linalg.norm(given - expected, axis=-1).mean()
    else:
        expected = keras_probabilities(model, layout, clips.inputs)
        given = np.concatenate([out["probabilities"] for out in found])
        truth = expected.argmax(axis=1) if clips.truth is None else clips.truth
        scores = [100 * float((p.argmax(axis=1) == truth).mean()) for p in (expected, given)]
        score, mean = "agreement %" if clips.truth is None else "top-1 %", np.abs(given - expected).mean()
    content = file.read_bytes()
    one = next(clips.one_by_one())
    return Verification(
        clips=f"{len(clips)} windows of {clips.about}",
        # numpy's maximum is NaN if any is, and no bound lets NaN pass.
        largest_difference=float(np.abs(given - expected).max()),
        mean_difference=float(mean),
        score=score,
        keras=scores[0],
        file=scores[1],
        bytes=len(content),
        zipped_bytes=zipped(content),
        latency_ms={str(n): float(np.median(times(Runner(file, n), one))) * 1e3 for n in (1, 2)},
        step_difference=_step_difference(runner, clips) if "step" in runner.contract["signatures"] else None,
    )


def _step_difference(runner: Runner, clips: RealClips) -> float:
    """Largest distance of a coordinate between `step`, fed frame by frame, and the whole window, on a few windows."""
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
    import zlib

    return len(zlib.compress(content, 9))


def times(runner: Runner, inputs: dict[str, np.ndarray], runs: int = 100) -> list[float]:
    """Seconds of each of some runs."""
    return [_seconds(lambda: runner.run(**inputs)) for _ in range(runs + 5)][5:]


def _seconds(function: Callable[[], object]) -> float:
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def keras_poses(
    model: PoseLifter, config: Config, layout: Skeleton, flip: bool, inputs: dict[str, np.ndarray]
) -> np.ndarray:
    """What the Keras model makes of the same windows by the road that `predict` takes: (windows, 1 or t, j, 3)."""
    from skelgnn_tf.datasets.clip import Clip
    from skelgnn_tf.datasets.windows import screen_keypoints

    mapped = map_keypoints(inputs["keypoints"], layout, model.skeleton)
    x = np.stack(
        [
            screen_keypoints(Clip("window", window[None], image_size_px=tuple(size)), confidence=config.confidence)
            for window, size in zip(mapped, inputs["image_size"], strict=True)
        ]
    )
    pose = _call(model, x)
    if flip:
        pose = (pose + flip_pose(_call(model, flip_keypoints(x, model.skeleton)), model.skeleton)) / 2
    return root_relative(pose, model.skeleton.root)


def keras_probabilities(model: ActionRecognizer, layout: Skeleton | None, inputs: dict[str, np.ndarray]) -> np.ndarray:
    """What the Keras model makes of the same windows by the road that `predict` takes: (windows, classes)."""
    if layout is None:
        x = inputs["pose_m"]
    else:
        keypoints = map_keypoints(inputs["keypoints"], layout, model.skeleton)
        keypoints = keypoints.reshape(len(keypoints), *model.input_axes[1:-1], 3)
        x = np.stack([normalize_screen(k, size) for k, size in zip(keypoints, inputs["image_size"], strict=True)])
        x = np.where(keypoints[..., 2:] > 0, x, np.float32(0))[..., : model.input_channels]
    return keras.ops.convert_to_numpy(keras.ops.softmax(_call(model, x)))


def _call(model: keras.Model, x: np.ndarray, batch_size: int = 64) -> np.ndarray:
    batches = [x[i : i + batch_size] for i in range(0, len(x), batch_size)]
    return np.concatenate([keras.ops.convert_to_numpy(model(batch, training=False)) for batch in batches])


def bound(quantization: str, result: Verification) -> str | None:
    """What a file breaks, in words; None if it is as good as its quantisation has to be.

    Poses: none at most 0.1 mm from Keras, float16 1 mm on average, dynamic 1 mm on average or 1 % more MPJPE, int8 and
    int16x8 2 % more MPJPE. Actions: none 1e-4 of a probability from Keras, the others 0.5 points of top-1.
    """
    poses = result.score.startswith("MPJPE")
    largest, mean = result.largest_difference, result.mean_difference
    # Asked this way round, NaN is refused too.
    if result.step_difference is not None and not result.step_difference <= _STEP_BOUND_M:
        return f"gives other poses by step, by {result.step_difference * MM_PER_M:.2g} mm, than by the whole window"
    if quantization == "none":
        unit = "m" if poses else "of a probability"
        return None if largest <= 1e-4 else f"differs from Keras by {largest:.2g} {unit}, expected at most 0.0001"
    if not poses:
        fine = result.lost <= 0.5 and np.isfinite(largest)
        return None if fine else f"loses {result.lost:.2f} points ({result.score}), expected at most 0.5"
    if quantization == "float16":
        return None if mean <= 1e-3 else f"lies {mean * MM_PER_M:.2g} mm from Keras on average, expected at most 1"
    share = {"dynamic": 0.01, "int8": 0.02, "int16x8": 0.02}[quantization]
    fine = result.lost <= share * result.keras or (quantization == "dynamic" and mean <= 1e-3)
    return None if fine else f"loses {result.lost:.2f} mm of {result.keras:.2f} mm MPJPE, expected at most {share:.0%}"
