"""Captions of a prediction: repetitions and joint angles of each frame."""

from __future__ import annotations

import numpy as np

from skelgnn_tf.inference.result import Motion, Prediction

#: Joint angles that are shown.
_ANGLES = ("left_knee", "right_knee", "left_elbow", "right_elbow")


def captions(prediction: Prediction) -> list[tuple[str, ...]]:
    """Returns the lines of each frame, without the action. The list is empty if there is no motion."""
    motion = prediction.motion
    if motion is None:
        return []
    return [(*_repetitions(motion, frame), *_angles(motion, frame)) for frame in range(prediction.num_frames)]


def _repetitions(motion: Motion, frame: int) -> tuple[str, ...]:
    exercise = motion.exercise[frame] if motion.exercise else None
    return () if exercise is None else (f"{exercise}: {motion.repetitions[frame]}",)


def _angles(motion: Motion, frame: int) -> tuple[str, ...]:
    angles = {name: motion.angles_deg[name][frame] for name in _ANGLES}
    return tuple(f"{name.replace('_', ' ')} {angle:.0f}°" for name, angle in angles.items() if np.isfinite(angle))
