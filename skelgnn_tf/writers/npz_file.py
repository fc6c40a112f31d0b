"""Predictions as NPZ, for NumPy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from skelgnn_tf.inference.result import Prediction
from skelgnn_tf.writers.conventions import AXES


def write(prediction: Prediction, path: Path) -> None:
    """Writes a prediction as compressed arrays in full precision; what is not seen is NaN.

    Args:
        prediction: The prediction.
        path: File to write.
    """
    arrays: dict[str, Any] = {
        "time_s": prediction.time_s,
        "fps": prediction.fps,
        "image_size": prediction.image_size_px,
        "person": prediction.person,
    }
    if prediction.poses is not None:
        poses = prediction.poses
        arrays |= {
            "pose_m": poses.pose_m,
            "confidence": poses.confidence,
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
            "labels": actions.labels,
            "window_first_frame": actions.decisions.first,
            "window_last_frame": actions.decisions.last,
            "window_probabilities": actions.decisions.probabilities,
            "frame_probabilities": actions.decisions.frame_probabilities,
            "hop_frames": actions.hop_frames,
            "action_latency_frames": actions.latency_frames,
        }
    # An open file, since NumPy adds a suffix to a path.
    with open(path, "wb") as file:
        np.savez_compressed(file, **arrays)
