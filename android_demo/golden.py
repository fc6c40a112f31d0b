"""Writes results of the Python package as JSON files, which the Kotlin tests of `core` compare with theirs.

python android_demo/golden.py android_demo/core/build/golden
"""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path

import numpy as np

from skelgnn_tf import checkpoints, skeletons
from skelgnn_tf.detection.crop import Crop
from skelgnn_tf.detection.detector import Landmarks
from skelgnn_tf.detection.video_keypoints import as_keypoints
from skelgnn_tf.export.contract import describe
from skelgnn_tf.export.graph.phone_model import PhoneModel
from skelgnn_tf.inference import guards
from skelgnn_tf.inference.windows import ActionStream, lift
from skelgnn_tf.motion import VisibilityTracker, unseen_parts

# For whoever loads this file by its path.
sys.path.insert(0, str(Path(__file__).resolve().parent))
from golden_motion import motion, skeleton
from golden_plausibility import MISSING

#: (frame rate of the model, of the camera): equal, faster, slower, and with ties that numpy rounds to even.
RATES = ((30.0, 30.0), (30.0, 60.0), (30.0, 24.0), (30.0, 45.0), (15.0, 24.0), (15.0, 30.0), (15.0, 37.5))
_FRAMES, _JOINTS, _CLIP = 5, 2, 40


class _WeightedSum:
    """A toy model: the sum of a window's frames with weights 1, 2, .., which depends on the frames and their order."""

    causal, every_frame, frames, persons, input_channels = True, False, _FRAMES, 1, 3

    class skeleton:
        """The only attribute that `ActionStream` uses."""

        num_joints = _JOINTS

    def __call__(self, windows: np.ndarray, training: bool) -> np.ndarray:
        """(windows, [1,] frames, joints, 3) -> a lifter's (windows, 1, joints, 3), or logits (windows, joints)."""
        total = np.einsum("t,...tjc->...jc", np.arange(1.0, self.frames + 1), windows)
        return total[:, 0, :, 0] / 10 if windows.ndim == 5 else total[:, None]


def live() -> dict:
    """Poses from `lift`, unseen joints, and decisions from `ActionStream` for keypoints at several frame rates."""
    rng, cases = np.random.default_rng(0), []
    for fps, camera_fps in RATES:
        # Small enough for float32 to hold their sums to 1e-4, and too large to be shares of the picture.
        given = rng.uniform((2, 2, 0.01), (8, 8, 1), (_CLIP, _JOINTS, 3)).astype(np.float32)
        # One joint is lost for more than half a second, the other is first seen late.
        given[4:-2, 0, 1:] = np.nan
        given[:5, 1, 2] = 0
        keypoints = guards.guard({"keypoints": given[None], "image_size": np.float32([[640, 480]])})["keypoints"][0]
        step, tracker = camera_fps / fps, VisibilityTracker()
        unseen = [tracker.push(frame[:, 2], i / camera_fps) for i, frame in enumerate(keypoints)]
        stream = ActionStream(_WeightedSum(), step, decide_every=3)
        decisions = [stream.push(frame[None]) for frame in keypoints]
        cases.append(
            {
                "fps": fps,
                "camera_fps": camera_fps,
                "keypoints": np.where(np.isnan(given), MISSING, given).tolist(),
                "guess_m": lift(_WeightedSum(), keypoints, step=step).tolist(),
                "unseen": np.array(unseen, int).tolist(),
                "hop": 3,
                "probabilities": [decision.tolist() for decision in decisions if decision is not None],
            }
        )
    return {"frames": _FRAMES, "joints": _JOINTS, "cases": cases}


def guarded() -> dict:
    """Windows with missing joints, units and picture sizes of all kinds, and what `guard` makes of them."""
    rng, cases = np.random.default_rng(4), []
    for units, largest, size in itertools.product(
        (0.5, 1, 1.49, 1.6, 640), (0, 1, 1.0005, 1.002, 100), (0, 16, 17, 640)
    ):
        keypoints = rng.uniform(0, 1, (4, 5, 3)).astype(np.float32) * np.float32([units, units, largest])
        keypoints[2, 0] = units, units, largest
        # A bad detection may have one or two joints only.
        keypoints[:, rng.choice([1, 2, 3, 5]) :] = 0
        # Coordinates and confidences that are negative or not finite; rarely, because one of them decides a window.
        for channels, value in ((0, np.nan), (1, np.inf), (2, np.nan), (2, -0.5), (2, np.inf), (1, -1)):
            keypoints[rng.random((4, 5)) < rng.choice([0, 0, 0, 0.1]), channels] = value
        inputs = {"keypoints": keypoints[None], "image_size": np.float32([[size, max(size, 9)]])}
        try:
            known, refusal = guards.guard(inputs)["keypoints"], ""
        except ValueError as error:
            known, refusal = np.zeros(0), str(error).partition(" Received")[0]
        case = {"keypoints": keypoints, "image_size": inputs["image_size"], "guarded": known}
        cases.append({name: _finite(values) for name, values in case.items()} | {"refusal": refusal})
    bounds = [guards._MAX_CONFIDENCE, guards._MAX_SHARE, guards._SMALL_PICTURE_PX, guards._FEWEST_SEEN]
    return {"bounds": bounds, "joints": 5, "cases": cases}


def _finite(values: np.ndarray) -> list:
    """Values with -1e9 for NaN and 1e9 for infinity."""
    return np.nan_to_num(values.astype(np.float64), nan=MISSING, posinf=-MISSING).tolist()


def landmarks() -> dict:
    """Landmarks inside, outside and on the border of a picture, and the keypoints that are kept of them."""
    rng, (width, height) = np.random.default_rng(2), (64, 48)
    x, y = (rng.choice([-1, -0.01, 0, size / 2, size, size + 0.01, size + 9], 33 * 20) for size in (width, height))
    points_px = np.stack([x, y], axis=1).reshape(20, 33, 2).astype(np.float32)
    # The thresholds themselves, their neighbors in float32, and everything else.
    steps = [np.nextafter(np.float32(v), np.float32(to)) for v in (0.02, 0.5) for to in (0, 1)]
    rates = np.concatenate([np.float32([0.02, 0.5]), steps, rng.random(6, np.float32)])
    visibility, presence = rng.choice(rates, (2, 20, 33))
    seen: list[Landmarks | None] = [
        Landmarks(points_px[i], visibility[i], presence[i], np.zeros((33, 3)), 1.0, Crop(0, 0, 1)) for i in range(20)
    ]
    rated = np.dstack([points_px, visibility, presence])
    keypoints = as_keypoints(seen, (width, height))[0]
    return {"width": width, "height": height, "landmarks": rated.tolist(), "keypoints": keypoints.tolist()}


def visibility() -> dict:
    """Joints that come and go, irregular times, and the joints and parts of the body that are not seen."""
    rng, joints = np.random.default_rng(3), skeletons.H36M_17.num_joints
    times = 100 + np.cumsum(rng.uniform(0.6, 1.4, 300)) / 30
    shown = np.array([rng.integers(0, 2, 15).repeat(20) for _ in range(joints)]).T
    confidence = shown * rng.uniform(0.01, 1, (300, joints)).astype(np.float32)
    tracker = VisibilityTracker()
    unseen = [tracker.push(frame, time) for frame, time in zip(confidence, times, strict=True)]
    return {
        "skeleton": skeleton(),
        "times_s": times.tolist(),
        "confidence": confidence.tolist(),
        "unseen": np.array(unseen, int).tolist(),
        "parts": [list(unseen_parts(frame[None], skeletons.H36M_17, 30.0)) for frame in unseen],
    }


def contract(preset: str) -> dict:
    """The contract that `skelgnn-tf export PRESET --keypoint-layout blazepose_33` writes, with a dummy model file."""
    loaded = checkpoints.load(preset)
    described = describe(PhoneModel(loaded.model, loaded.config, skeletons.BLAZEPOSE_33), preset, preset)
    return described | {"files": {"model.tflite": {"sha256": "0" * 64, "bytes": 0}}}


def write(folder: Path) -> None:
    """Writes all golden files to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {"live": live(), "landmarks": landmarks(), "visibility": visibility(), "motion": motion()}
    files["guards"] = guarded()
    files |= {"lifter": contract("fitness_9f"), "recognizer": contract("exercises_2d")}
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
