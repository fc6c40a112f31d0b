"""What `predict` prints about a prediction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console

from skelgnn_tf.inference.result import Motion, Prediction

#: Lines of actions that the terminal gets.
_SHOWN = 20


def show(prediction: Prediction, saved: Sequence[str | Path], console: Console) -> None:
    """Prints the summary of a prediction and where it was saved."""

    def line(text: str) -> None:
        console.print(text, highlight=False, soft_wrap=True, markup=False)

    poses, actions, motion, fps = prediction.poses, prediction.actions, prediction.motion, prediction.fps
    line(
        f"{prediction.source}: {prediction.num_persons} person(s), {prediction.num_frames} frames, "
        f"{prediction.num_frames / fps:.1f} s at {fps:g} fps, joints {prediction.layout}"
    )
    for note in prediction.notes:
        line(f"note: {note}")
    if poses is not None:
        late, missing = poses.latency_frames, int(np.isnan(poses.pose_m).all(axis=(1, 2)).sum())
        bridged = 0 if motion is None else int(motion.bridged.sum())
        line(
            f"3D pose by {poses.lifter}: {poses.skeleton.num_joints} joints of {poses.skeleton.name}, latency {late} "
            f"frames ({late / fps:.2f} s)"
            + (f"; nobody is seen in {missing} frames" if missing else "")
            + (f"; {bridged} frames are bridged" if bridged else "")
        )
    if actions is not None:
        late = actions.latency_frames
        line(
            f"actions by {actions.recognizer}: windows of {actions.window_frames} frames every {actions.hop_frames}, "
            f"latency at most {late} frames ({late / fps:.2f} s)"
        )
        segments = actions.segments
        for first, last, label, probability in segments[:_SHOWN]:
            line(f"  {first / fps:7.2f} to {(last + 1) / fps:7.2f} s  {probability:4.0%}  {actions.name(label)}")
        if len(segments) > _SHOWN:
            line(f"  and {len(segments) - _SHOWN} more" + (f", in {saved[0]}" if saved else "; --output saves them"))
    for exercise, count in totals(motion).items():
        line(f"{exercise}: {count} repetition(s)")
    cues = [] if motion is None else [(form, "; ".join(form.cues)) for form in motion.form if form.cues]
    for form, text in cues[:_SHOWN]:
        line(
            f"  {form.start_s:7.2f} to {form.end_s:7.2f} s  {form.exercise} {form.number or ''}".rstrip() + f": {text}"
        )
    if len(cues) > _SHOWN:
        line(f"  and {len(cues) - _SHOWN} more; --repetitions saves them")
    for path in saved:
        line(f"saved: {path}")


def totals(motion: Motion | None) -> dict[str, int]:
    """The last count of each exercise that has repetitions."""
    if motion is None:
        return {}
    last = {name: int(n) for name, n in zip(motion.exercise, motion.repetitions, strict=True) if name is not None}
    return {name: count for name, count in last.items() if count}
