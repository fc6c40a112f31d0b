"""From repetitions to their form: measured in the poses, compared with targets."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from skelgnn_tf.inference.result import Prediction
from skelgnn_tf.motion.exercise_cycles import Repetition
from skelgnn_tf.motion.form import HOLDS, measure_form
from skelgnn_tf.motion.targets import Target, default_targets, read_targets

#: A shorter segment of a recognizer is one or two wrong decisions rather than a position that is held.
_SHORTEST_HOLD_S = 2.0


def open_targets(
    targets: str | Path | Mapping[str, Target] | None, with_poses: bool = True
) -> Mapping[str, Target] | None:
    """Targets from a TOML file; targets that are open already, or None for the shipped ones, are returned as they are.

    Raises:
        FileNotFoundError, ValueError: As `read_targets`, or there are no poses to measure.
    """
    if targets is not None and not with_poses:
        raise ValueError("--targets must be used with a lifter. Form is measured in 3D poses.")
    return read_targets(targets) if isinstance(targets, (str, Path)) else targets


def add_form(
    prediction: Prediction, targets: Mapping[str, Target] | None = None, exercise: str | None = None
) -> Prediction:
    """The prediction with the form of its repetitions and of the positions that are held, in the order of time.

    Args:
        prediction: With motion; one without is returned unchanged.
        targets: Targets by exercise; None for the shipped ones.
        exercise: The exercise if it is given. Then positions that the recognizer sees are not listed.
    """
    motion, poses = prediction.motion, prediction.poses
    if motion is None or poses is None:
        return prediction
    found = [*motion.repetition_list, *([] if exercise else _held(prediction))]
    if not found:
        return prediction
    form = measure_form(
        poses.pose_m,
        poses.skeleton,
        prediction.time_s,
        sorted(found, key=lambda one: one.start_s),
        default_targets() if targets is None else targets,
    )
    return dataclasses.replace(prediction, motion=dataclasses.replace(motion, form=form))


def _held(prediction: Prediction) -> list[Repetition]:
    """The positions that a recognizer sees held: a segment is held from its start to its end."""
    actions, fps = prediction.actions, prediction.fps
    if actions is None:
        return []
    spans = [(actions.name(one.label), one.first / fps, (one.last + 1) / fps) for one in actions.segments]
    return [
        Repetition(name, start_s, start_s, end_s)
        for name, start_s, end_s in spans
        if name in HOLDS and end_s - start_s >= _SHORTEST_HOLD_S
    ]
