"""Predictions as files: json, npz, csv, bvh, trc."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from skelgnn_tf.atomic_write import atomic_write
from skelgnn_tf.inference.result import Actions, Motion, Poses, Prediction
from skelgnn_tf.writers.bvh import bvh_text
from skelgnn_tf.writers.trc import trc_text

AXES = "camera: x right, y down, z forward"
#: Decimals of metres and of probabilities in text files: hundredths of a millimetre.
_DECIMALS = 5
_TOP = 3


def save(prediction: Prediction, path: str | Path) -> Path:
    """Writes a prediction as .json, .npz, .csv, .bvh or .trc, whole or not at all.

    Text has metres and probabilities to five decimals or more, npz all bits; csv has a row for each frame and no
    windows; bvh and trc have the motion alone.

    Raises:
        ValueError: Another suffix, or a motion of a prediction without poses.
    """
    path = Path(path)
    check_suffix(path, prediction.poses is not None)
    with atomic_write(path) as beside:
        _WRITERS[path.suffix](prediction, beside)
    return path


def check_suffix(path: str | Path, with_poses: bool = True) -> None:
    """Raises ValueError for a path that `save` could not write a prediction to, with or without poses."""
    suffix = Path(path).suffix
    if suffix not in _WRITERS:
        raise ValueError(f"cannot write {path}: the output wants {', '.join(_WRITERS)}; got {suffix or 'no suffix'}")
    if suffix in _MOTIONS and not with_poses:
        raise ValueError(f"cannot write {path}: {suffix} is a motion in 3D, and without a lifter there is none")


def notes_on(prediction: Prediction, path: str | Path) -> tuple[str, ...]:
    """What `save` had to change so that a prediction goes into a file of this suffix, a line each."""
    suffix = Path(path).suffix
    if suffix not in _MOTIONS or prediction.poses is None:
        return ()
    missing = int(np.isnan(prediction.poses.pose_m).any(axis=(1, 2)).sum())
    if suffix == ".trc":
        return (f"{path}: in {missing} frames nobody is seen, and markers are missing (nan)",) if missing else ()
    notes = [f"{path}: bones have their median length; where the lifter stretches them, their direction is kept"]
    if missing:
        notes.append(f"{path}: {missing} frames without anyone are bridged, at both ends the next pose is held")
    return tuple(notes)


def _write_json(prediction: Prediction, path: Path) -> None:
    values = {
        "source": prediction.source,
        "layout": prediction.layout,
        "image_size_px": list(prediction.image_size_px),
        "fps": prediction.fps,
        "num_frames": prediction.num_frames,
        "num_persons": prediction.num_persons,
        "person": prediction.person,
        "notes": list(prediction.notes),
        "pose": None if prediction.poses is None else _pose_values(prediction.poses, prediction.fps),
        "action": None if prediction.actions is None else _action_values(prediction.actions, prediction.fps),
        "motion": None if prediction.motion is None else _motion_values(prediction.motion),
    }
    path.write_text(json.dumps(values, allow_nan=False) + "\n", encoding="utf-8")


def _pose_values(poses: Poses, fps: float) -> dict:
    skeleton = poses.skeleton
    return {
        "lifter": poses.lifter,
        "unit": "m",
        "axes": AXES,
        "origin": skeleton.joints[skeleton.root],
        "skeleton": skeleton.name,
        "joints": list(skeleton.joints),
        "parents": list(skeleton.parents),
        "latency_frames": poses.latency_frames,
        "latency_s": round(poses.latency_frames / fps, _DECIMALS),
        # (frames, joints, 3); null where nobody is seen.
        "frames": [None if np.isnan(pose).any() else _rounded(pose) for pose in poses.pose_m],
    }


def _motion_values(motion: Motion) -> dict:
    return {
        "bridged_frames": np.flatnonzero(motion.bridged).tolist(),
        # A number for each frame; null where nobody is seen.
        "angles_deg": {
            name: [None if np.isnan(angle) else round(float(angle), 2) for angle in angles]
            for name, angles in motion.angles_deg.items()
        },
        "exercise": list(motion.exercise),
        "repetitions": motion.repetitions.tolist(),
    }


def _action_values(actions: Actions, fps: float) -> dict:
    decisions = actions.decisions
    windows = []
    for first, last, probabilities in zip(decisions.first, decisions.last, decisions.probabilities, strict=True):
        best = [_scored(actions, label, probabilities[label]) for label in np.argsort(-probabilities)[:_TOP]]
        windows.append(_span(first, last, fps) | best[0] | {"top3": best})
    return {
        "recognizer": actions.recognizer,
        "classes": list(actions.classes),
        "window_frames": actions.window_frames,
        "hop_frames": actions.hop_frames,
        "latency_frames": actions.latency_frames,
        "latency_s": round(actions.latency_frames / fps, _DECIMALS),
        "windows": windows,
        "segments": [
            _span(first, last, fps) | _scored(actions, label, probability)
            for first, last, label, probability in actions.segments
        ],
    }


def _scored(actions: Actions, label: int, probability: float) -> dict:
    return {"action": actions.classes[label], "probability": _rounded(probability)}


def _span(first: int, last: int, fps: float) -> dict:
    """From where the first frame begins to where the last one ends."""
    return {"start_s": _rounded(first / fps), "end_s": _rounded((last + 1) / fps)}


def _write_npz(prediction: Prediction, path: Path) -> None:
    arrays = {
        "time_s": prediction.time_s,
        "fps": prediction.fps,
        "image_size": prediction.image_size_px,
        "person": prediction.person,
    }
    if prediction.poses is not None:
        poses = prediction.poses
        arrays |= {
            "pose_m": poses.pose_m,
            "axes": AXES,
            "joints": poses.skeleton.joints,
            "parents": poses.skeleton.parents,
            "pose_latency_frames": poses.latency_frames,
        }
    if prediction.motion is not None:
        motion = prediction.motion
        arrays |= {
            "bridged": motion.bridged,
            "angle_names": list(motion.angles_deg),
            "angles_deg": np.stack(list(motion.angles_deg.values()), axis=1),
            "exercise": [name or "" for name in motion.exercise],
            "repetitions": motion.repetitions,
        }
    if prediction.actions is not None:
        actions = prediction.actions
        arrays |= {
            "classes": actions.classes,
            "window_first_frame": actions.decisions.first,
            "window_last_frame": actions.decisions.last,
            "window_probabilities": actions.decisions.probabilities,
            "frame_probabilities": actions.decisions.frame_probabilities,
            "hop_frames": actions.hop_frames,
            "action_latency_frames": actions.latency_frames,
        }
    # An open file, for to a path numpy would add a suffix.
    with open(path, "wb") as file:
        np.savez_compressed(file, **arrays)


def _write_csv(prediction: Prediction, path: Path) -> None:
    poses, actions, motion = prediction.poses, prediction.actions, prediction.motion
    header = ["frame", "time_s"]
    if actions is not None:
        header += ["action", "probability"]
    if motion is not None:
        header += ["bridged", *(["exercise", "repetitions"] if motion.exercise else [])]
        header += [f"{name}_deg" for name in motion.angles_deg]
    if poses is not None:
        header += [f"{joint}_{axis}_m" for joint in poses.skeleton.joints for axis in "xyz"]
    with open(path, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(header)
        for frame, time_s in enumerate(prediction.time_s):
            row = [frame, _rounded(time_s)]
            if actions is not None:
                probabilities = actions.decisions.frame_probabilities[frame]
                label = int(probabilities.argmax())
                row += [actions.classes[label], _rounded(probabilities[label])]
            if motion is not None:
                row.append(int(motion.bridged[frame]))
                row += [motion.exercise[frame] or "", motion.repetitions[frame]] if motion.exercise else []
                row += [
                    "" if np.isnan(angles[frame]) else round(angles[frame], 2) for angles in motion.angles_deg.values()
                ]
            if poses is not None:
                # Empty where nobody is seen.
                row += ["" if np.isnan(x) else _rounded(x) for x in poses.pose_m[frame].ravel()]
            rows.writerow(row)


def _write_bvh(prediction: Prediction, path: Path) -> None:
    poses = prediction.poses
    path.write_text(bvh_text(poses.pose_m, poses.skeleton, prediction.fps), encoding="utf-8")


def _write_trc(prediction: Prediction, path: Path) -> None:
    poses, name = prediction.poses, f"{Path(prediction.source).stem}.trc"
    path.write_text(trc_text(poses.pose_m, poses.skeleton, prediction.fps, name), encoding="utf-8")


def _rounded(values: np.ndarray | float) -> list | float:
    return np.round(np.asarray(values, float), _DECIMALS).tolist()


_WRITERS: dict[str, Callable[[Prediction, Path], None]] = {
    ".json": _write_json,
    ".npz": _write_npz,
    ".csv": _write_csv,
    ".bvh": _write_bvh,
    ".trc": _write_trc,
}
#: Those that hold poses and nothing else.
_MOTIONS = (".bvh", ".trc")
