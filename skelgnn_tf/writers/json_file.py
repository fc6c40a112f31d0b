"""Predictions as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from skelgnn_tf.inference.result import Actions, Motion, Poses, Prediction, RepetitionForm
from skelgnn_tf.writers.conventions import AXES, DECIMALS, rounded

#: Of the schema. Since 2, joints of a pose may be null, and there is a confidence. Version 0.1 wrote no number.
FORMAT = 2
#: Number of classes listed for each window.
_TOP = 3


def write(prediction: Prediction, path: Path) -> None:
    """Writes a prediction as a JSON object; docs/video.md lists its keys. What is not seen is null.

    Args:
        prediction: The prediction.
        path: File to write.
    """
    values = {
        "format": FORMAT,
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


def _pose_values(poses: Poses, fps: float) -> dict[str, Any]:
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
        "latency_s": round(poses.latency_frames / fps, DECIMALS),
        # (frames, joints, 3); null for a joint that was not seen, and for a frame without a person.
        "frames": [_places(pose) for pose in poses.pose_m],
        # (frames, joints)
        "confidence": rounded(poses.confidence),
    }


def _places(pose_m: np.ndarray) -> list[list[float] | None] | None:
    """The joints (joints, 3) of a frame."""
    missing = np.isnan(pose_m).any(axis=1)
    return None if missing.all() else [None if gone else rounded(at) for at, gone in zip(pose_m, missing, strict=True)]


def _motion_values(motion: Motion) -> dict[str, Any]:
    return {
        "bridged_frames": np.flatnonzero(motion.bridged).tolist(),
        # A number for each frame.
        "angles_deg": {
            name: [None if np.isnan(angle) else round(float(angle), 2) for angle in angles]
            for name, angles in motion.angles_deg.items()
        },
        "exercise": list(motion.exercise),
        "repetitions": motion.repetitions.tolist(),
        "repetition_list": [_form_values(form) for form in motion.form],
    }


def _form_values(form: RepetitionForm) -> dict[str, Any]:
    """A repetition: null is what could not be measured. The keys are the fields of `RepetitionForm`."""
    values: dict[str, Any] = {}
    for name, value in form._asdict().items():
        if isinstance(value, Mapping):
            values[name] = {key: None if one is None else rounded(np.asarray(one)) for key, one in value.items()}
        else:
            values[name] = rounded(value) if isinstance(value, float) else value
    return values


def _action_values(actions: Actions, fps: float) -> dict[str, Any]:
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
        "latency_s": round(actions.latency_frames / fps, DECIMALS),
        "windows": windows,
        "segments": [
            _span(first, last, fps) | _scored(actions, label, probability)
            for first, last, label, probability in actions.segments
        ],
    }


def _scored(actions: Actions, label: int, probability: float) -> dict[str, Any]:
    return {"action": actions.name(label), "probability": rounded(probability)}


def _span(first: int, last: int, fps: float) -> dict[str, Any]:
    """From the start of the first frame to the end of the last one."""
    return {"start_s": rounded(first / fps), "end_s": rounded((last + 1) / fps)}
