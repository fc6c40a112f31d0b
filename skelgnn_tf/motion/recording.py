"""Counting in a whole recording, where later frames help to decide about earlier ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import zip_longest

import numpy as np

from skelgnn_tf.motion.cycles import Cycle
from skelgnn_tf.motion.exercise_cycles import ExerciseCycles, Repetition, Span, repetitions_of
from skelgnn_tf.motion.exercise_decision import (
    BEYOND_S,
    CLEAR,
    DECISION_LAG_S,
    SURE,
    excluding,
    is_idle,
    smoothed_beliefs,
    with_prior,
)
from skelgnn_tf.motion.exercise_signals import MOVEMENTS, ExerciseState

# Who pauses for less than this between two repetitions of an exercise is still doing it.
_PAUSE_S = 5.0


def count_recording(
    state: ExerciseState,
    time_s: np.ndarray,
    fps: float,
    *,
    exercise: str | None = None,
    classes: Sequence[str] = (),
    frame_probabilities: np.ndarray | None = None,
    seen: Mapping[str, np.ndarray] | None = None,
) -> tuple[list[str | None], list[Repetition]]:
    """Counts in a whole recording, where later frames help to decide about earlier ones.

    Args:
        state: `exercise_state` of all poses (frames, ...).
        time_s: Times of the frames (frames,) in seconds.
        fps: Frames per second.
        exercise: Exercise to count; None to follow the recognizer.
        classes: Class names of the recognizer, if there is one.
        frame_probabilities: float (frames, classes) of the recognizer.
        seen: {exercise: bool (frames,)}, where the joints that an exercise needs are seen; others are always.

    Returns:
        For each frame the exercise, None where it is unknown, and the repetitions in the order of time.

    Raises:
        ValueError: The probabilities have another number of classes.
    """
    cycles = ExerciseCycles([exercise] if exercise else [name for name in classes if name in MOVEMENTS])
    for frame, now_s in enumerate(time_s):
        cycles.push(ExerciseState(*({n: v[frame] for n, v in part.items()} for part in state)), float(now_s))
    cycles.finish()
    if frame_probabilities is not None:
        frame_probabilities = with_prior(frame_probabilities, classes)
    if exercise is not None:
        found = repetitions_of(exercise, cycles.within(Span(exercise, -math.inf, math.inf)))
        if frame_probabilities is not None:
            found = [
                one
                for one in found
                if not is_idle(frame_probabilities[_during(one, time_s)].mean(axis=0), classes, exercise)
            ]
        return [exercise] * len(time_s), found
    assert frame_probabilities is not None
    belief = smoothed_beliefs(excluding(frame_probabilities, _doubted(cycles, classes, time_s)), fps)
    labels = _labels(belief, classes, seen or {}, fps)
    found = _in_spans(cycles, labels, belief, classes, time_s)
    for one, after in zip_longest(found, found[1:]):
        same_set = after and after.exercise == one.exercise and after.start_s - one.end_s < _PAUSE_S
        span = one._replace(end_s=after.start_s) if same_set else one
        during = zip(labels, _during(span, time_s), strict=True)
        labels = [one.exercise if inside else label for label, inside in during]
    return labels, found


def _doubted(cycles: ExerciseCycles, classes: Sequence[str], time_s: np.ndarray) -> np.ndarray:
    """Where a movement that cannot be a repetition speaks against its exercise: bool (frames, classes)."""
    doubted = np.zeros((len(time_s), len(classes)), bool)
    for name, doubtful in cycles.doubtful.items():
        for cycle in doubtful:
            if name in classes:
                doubted[_during(cycle, time_s), list(classes).index(name)] = True
    return doubted


def _labels(belief: np.ndarray, classes: Sequence[str], seen: Mapping[str, np.ndarray], fps: float) -> list[str | None]:
    """The class of each frame; None where none is certain, or where too little of the body is seen for it."""
    best = belief.argmax(axis=1)
    labels: list[str | None] = [classes[i] if belief[t, i] >= SURE else None for t, i in enumerate(best)]
    half = max(1, round(DECISION_LAG_S * fps))
    for name, visible in seen.items():
        share = np.convolve(visible, np.ones(2 * half + 1), "same") / np.convolve(
            np.ones(len(visible)), np.ones(2 * half + 1), "same"
        )
        labels = [None if label == name and share[t] < 0.5 else label for t, label in enumerate(labels)]
    return labels


def _in_spans(
    cycles: ExerciseCycles, labels: list[str | None], belief: np.ndarray, classes: Sequence[str], time_s: np.ndarray
) -> list[Repetition]:
    """The repetitions of each stretch of frames with one label."""
    found: list[Repetition] = []
    starts = [t for t in range(len(labels)) if t == 0 or labels[t] != labels[t - 1]]
    for first, end in zip(starts, [*starts[1:], len(labels)], strict=True):
        name = labels[first]
        if name not in cycles.cycles:
            continue
        # Into what is no exercise a repetition may reach a little further.
        begins_free = first == 0 or labels[first - 1] not in cycles.cycles
        ends_free = end == len(labels) or labels[end] not in cycles.cycles
        begin_s = float(time_s[first]) - BEYOND_S * begins_free
        end_s = float(time_s[end - 1]) + BEYOND_S * ends_free
        assert name is not None
        inside = cycles.within(Span(name, begin_s, end_s))
        new = repetitions_of(name, [c for c in inside if not any(c.top_s <= o.end_s for o in found)])
        if len(new) == 1 and belief[_during(new[0], time_s), classes.index(name)].mean() < CLEAR:
            continue
        found += new
    return found


def _during(one: Repetition | Cycle, time_s: np.ndarray) -> np.ndarray:
    """Which frames belong to a repetition or cycle: bool (frames,)."""
    return (time_s >= one.start_s - 1e-6) & (time_s <= one.end_s + 1e-6)
