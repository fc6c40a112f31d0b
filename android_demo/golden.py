"""Writes results of the Python package as JSON files, which the Kotlin tests of `core` compare with theirs.

python android_demo/golden.py android_demo/core/build/golden
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from skelgnn_tf import checkpoints, skeletons
from skelgnn_tf.datasets.fitness import CLASSES, generate
from skelgnn_tf.export.contract import describe
from skelgnn_tf.export.graph.phone_model import PhoneModel
from skelgnn_tf.inference.windows import ActionStream, lift
from skelgnn_tf.motion import MOVEMENTS, OneEuroFilter, RepetitionCounter, joint_angles
from skelgnn_tf.motion.cycles import CycleCounter
from skelgnn_tf.motion.exercise_signals import exercise_signals

#: (frame rate of the model, of the camera): equal, faster, slower, and with ties that numpy rounds to even.
RATES = ((30.0, 30.0), (30.0, 60.0), (30.0, 24.0), (30.0, 45.0), (15.0, 24.0), (15.0, 30.0), (15.0, 37.5))
#: Replaces NaN, which JSON does not have.
MISSING = -1e9
_FRAMES, _JOINTS, _CLIP = 5, 2, 40
_HOP, _SEED = 8, 20


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
    """Poses from `lift` and decisions from `ActionStream` for random keypoints at several frame rates."""
    rng, cases = np.random.default_rng(0), []
    for fps, camera_fps in RATES:
        keypoints = rng.normal(size=(_CLIP, _JOINTS, 3)).astype(np.float32)
        step = camera_fps / fps
        stream = ActionStream(_WeightedSum(), step, decide_every=3)
        decisions = [stream.push(frame[None]) for frame in keypoints]
        cases.append(
            {
                "fps": fps,
                "camera_fps": camera_fps,
                "keypoints": keypoints.tolist(),
                "pose_m": lift(_WeightedSum(), keypoints, step=step).tolist(),
                "hop": 3,
                "probabilities": [decision.tolist() for decision in decisions if decision is not None],
            }
        )
    return {"frames": _FRAMES, "joints": _JOINTS, "cases": cases}


def contract(preset: str) -> dict:
    """The contract that `skelgnn-tf export PRESET --keypoint-layout blazepose_33` writes, with a dummy model file."""
    loaded = checkpoints.load(preset)
    described = describe(PhoneModel(loaded.model, loaded.config, skeletons.BLAZEPOSE_33), preset, preset)
    return described | {"files": {"model.tflite": {"sha256": "0" * 64, "bytes": 0}}}


def motion() -> dict:
    """Noisy poses of generated exercises with gaps, and their filtered poses, angles, signals and counts."""
    rng = np.random.default_rng(1)
    exercises = list(MOVEMENTS)
    return {
        "skeleton": {
            "name": skeletons.H36M_17.name,
            "joints": skeletons.H36M_17.joints,
            "parents": skeletons.H36M_17.parents,
        },
        "classes": list(CLASSES),
        "movements": {name: [*movement[:-1], *movement[-1]] for name, movement in MOVEMENTS.items()},
        "clips": [_measured(rng, name) for name in exercises],
        "rough": [_cycles(rng, name) for name in exercises],
        "sets": [_recognized(rng) for _ in range(8)],
    }


def _measured(rng: np.random.Generator, exercise: str) -> dict:
    """One given exercise."""
    times, poses = _seen(rng, generate(1, _SEED, frames=210, exercise=exercise, detector=False)[0].pose_m)
    smooth, counter = OneEuroFilter(), RepetitionCounter(skeletons.H36M_17, exercise=exercise)
    filtered = np.array([smooth.push(pose, time) for pose, time in zip(poses, times, strict=True)])
    results = [counter.push(pose, time) for pose, time in zip(poses, times, strict=True)]
    return {
        "exercise": exercise,
        "times_s": times.tolist(),
        "pose_m": _plain(poses),
        "filtered": _plain(filtered[:, ::4]),
        "angles": {name: _plain(values) for name, values in joint_angles(poses, skeletons.H36M_17).items()},
        "signals": {name: _plain(values) for name, values in exercise_signals(poses, skeletons.H36M_17).items()},
        "count": [int(one.count) for one in results],
        "phase": [one.phase for one in results],
    }


def _cycles(rng: np.random.Generator, exercise: str) -> dict:
    """An irregular signal that covers all tempos and amplitudes that the counting rules distinguish."""
    movement = MOVEMENTS[exercise]
    times = np.cumsum(rng.uniform(0.6, 1.4, 900)) / 30
    tempo = 2 * np.pi * np.cumsum(rng.uniform(0.1, 1.5, 9)).repeat(100) / movement.fastest_s
    values = movement.least * (2 * rng.uniform(0, 1.5, 9).repeat(100) * np.sin(tempo * times) + rng.normal(0, 0.3, 900))
    values[rng.random(900) < 0.05] = np.nan
    counter, ends, phases = CycleCounter(movement), [], []
    for value, time in zip(values, times, strict=True):
        ends.append(counter.push(value, time))
        phases.append(counter.phase)
    return {
        "exercise": exercise,
        "times_s": times.tolist(),
        "values": _plain(values),
        "count": ends,
        "phase": phases,
        "ends_s": counter.ends_s,
    }


def _recognized(rng: np.random.Generator) -> dict:
    """Alternating exercises, some of them very short, counted with the noisy decisions of an action model."""
    names = rng.choice(["jumping_jack", "high_knees", "biceps_curl", "rest"], 7)
    frames = rng.choice([40, 80, 160], 7)
    clips = [
        generate(1, int(rng.integers(100)), frames=int(number), exercise=str(name), detector=False)[0]
        for name, number in zip(names, frames, strict=True)
    ]
    labels = np.repeat([clip.label for clip in clips], frames)
    times, poses = _seen(rng, np.concatenate([clip.pose_m - clip.pose_m[:, :1] for clip in clips]))
    counter = RepetitionCounter(skeletons.H36M_17, classes=CLASSES)
    results, decisions = [], []
    for frame, (pose, time) in enumerate(zip(poses, times, strict=True)):
        scores = rng.normal(size=len(CLASSES))
        # The window of an action model is four seconds long, so its decisions are about two seconds late.
        scores[labels[max(frame - 60, 0)]] += 3
        probabilities = (np.exp(scores) / np.exp(scores).sum()).astype(np.float32)
        decided = frame % _HOP == _HOP - 1
        results.append(counter.push(pose, time, probabilities if decided else None))
        decisions.extend([probabilities.tolist()] * decided)
    return {
        "times_s": times.tolist(),
        "pose_m": _plain(poses),
        "hop": _HOP,
        "probabilities": decisions,
        "exercise": [one.exercise or "" for one in results],
        "count": [int(one.count) for one in results],
        "phase": [one.phase for one in results],
    }


def _seen(rng: np.random.Generator, pose_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Irregular times and noisy poses with a short gap, a long gap and missing joints."""
    times = 100 + np.cumsum(rng.uniform(0.6, 1.4, len(pose_m))) / 30
    poses = np.round(pose_m + rng.normal(0, 0.005, pose_m.shape), 3)
    poses[60:65] = np.nan
    poses[90:93, 5:9] = np.nan
    poses[150:170] = np.nan
    return times, poses


def _plain(values: np.ndarray) -> list:
    return np.where(np.isfinite(values), values, MISSING).tolist()


def write(folder: Path) -> None:
    """Writes all golden files to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {"live": live(), "motion": motion()}
    files |= {"lifter": contract("fitness_9f"), "recognizer": contract("exercises_2d")}
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
