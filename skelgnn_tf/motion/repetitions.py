"""Live counting of repetitions, from 3D poses and the decisions of a recognizer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from skelgnn_tf.motion.exercise_cycles import ExerciseCycles, Repetition, Span, repetitions_of
from skelgnn_tf.motion.exercise_decision import (
    BEYOND_S,
    CLEAR,
    DECISION_LAG_S,
    SURE,
    ExerciseBelief,
    excluding,
    is_idle,
    with_prior,
)
from skelgnn_tf.motion.exercise_signals import MOVEMENTS, ExerciseState, exercise_state, seen_enough
from skelgnn_tf.skeletons import H36M_17, Skeleton

# Belief below which a class shows no signs.
_FAINT = 0.1
# Share of the last seconds in which enough of the body must be seen for an exercise to be shown.
_SEEN = 0.5
# Weight of a new decision in the recent probabilities.
_RECENT = 0.15


class Repetitions(NamedTuple):
    """State of a counter after a frame.

    Args:
        count: Number of completed repetitions of the exercise.
        exercise: Name of the exercise; None before the first decision of a recognizer and while nothing is certain.
        phase: Position in [0, 1] within the repetition: 0 between repetitions, 0.5 in the middle.
    """

    # The field hides tuple.count, which is not needed here.
    count: int  # type: ignore[assignment]
    exercise: str | None
    phase: float


class RepetitionCounter:
    """Counts the repetitions of a given exercise, or of the exercise that a recognizer sees, as frames arrive.

    All exercises are counted from the start, each by its own signal, so repetitions before the recognizer is confident
    are counted as soon as it is. Plank, rest, and classes without a signal have the count 0. During a rest the exercise
    and its count stay, until another one has repetitions; the count continues when it is resumed. A movement is counted
    for one exercise only, and only if the body can be doing that exercise (`plausibility`); a movement that cannot be
    a repetition speaks against its exercise for as long again as it lasted.

    Args:
        skeleton: Skeleton of the poses.
        classes: Class names of the recognizer; None without one.
        exercise: Exercise to count, one of `MOVEMENTS`; None to follow the recognizer. With both, the recognizer only
            prevents counting while it is sure that nobody exercises.

    Raises:
        ValueError: The exercise cannot be counted, or neither `exercise` nor `classes` are given.

    Example:
        >>> counter = RepetitionCounter(exercise="squat")
        >>> counter.push(np.zeros((17, 3)), 0.0)
        Repetitions(count=0, exercise='squat', phase=0.0)
    """

    def __init__(
        self, skeleton: Skeleton = H36M_17, *, classes: Sequence[str] | None = None, exercise: str | None = None
    ) -> None:
        if classes is None and exercise is None:
            raise ValueError(
                "exercise or classes must be given. Received: neither. "
                "Pass exercise to count that one, or classes to follow a recognizer."
            )
        if exercise is not None and exercise not in MOVEMENTS:
            raise ValueError(f"exercise must be one of {', '.join(MOVEMENTS)}. Received: {exercise!r}.")
        self.skeleton, self.exercise, self._given = skeleton, exercise, exercise is not None
        self._active = exercise
        self._classes = tuple(classes or ())
        self._cycles = ExerciseCycles([exercise] if exercise else [n for n in self._classes if n in MOVEMENTS])
        self._belief = ExerciseBelief(len(self._classes)) if classes is not None else None
        self._begins_s = [-math.inf] * len(self._classes)
        # Until when the cycles that are no repetitions speak against each exercise.
        self._doubted_until_s = dict.fromkeys(self._cycles.doubtful, -math.inf)
        self._time_s, self._now = -math.inf, np.zeros(len(self._classes))
        self._spans: list[Span] = [Span(exercise, -math.inf, math.inf)] if exercise else []
        # Recent probabilities of the classes, for the veto on a given exercise.
        self._recent = np.full(len(self._classes), np.nan)
        # Repetitions by number of the span, until a cycle ends or the recognizer decides.
        self._known: dict[int, list[Repetition]] = {}
        # How much of the last seconds enough of the body was seen for each class.
        self._seen: dict[str, float] = {}

    @property
    def repetitions(self) -> list[Repetition]:
        """All repetitions so far in the order of time."""
        found = [one for number in range(len(self._spans)) for one in self._found(number)]
        return sorted(found, key=lambda one: one.end_s)

    def push(
        self,
        pose_m: np.ndarray,
        time_s: float,
        probabilities: np.ndarray | None = None,
        state: ExerciseState | None = None,
    ) -> Repetitions:
        """Takes the next frame.

        Args:
            pose_m: (joints, 3) meters, camera axes, not filtered (the signals are smoothed here); NaN where a joint is
                not seen.
            time_s: Time of the frame in seconds, later than the previous one.
            probabilities: (classes,) if the recognizer has just decided, else None.
            state: `exercise_state` of this pose, if it is known already.

        Returns:
            Repetitions.

        Raises:
            ValueError: The time does not increase, or the poses or probabilities have another shape.
        """
        if not time_s > self._time_s:
            raise ValueError(f"time_s must increase. Received: {time_s} s after {self._time_s} s.")
        seconds, self._time_s = min(time_s - self._time_s, DECISION_LAG_S), time_s
        for name, seen in seen_enough(pose_m, self.skeleton).items():
            before = self._seen.get(name, 1.0)
            self._seen[name] = before + (1 - math.exp(-seconds / DECISION_LAG_S)) * (bool(seen) - before)
        ended = self._cycles.push(exercise_state(pose_m, self.skeleton) if state is None else state, time_s)
        self._veto(ended)
        self._doubt()
        if self._belief is not None and probabilities is not None:
            probabilities = with_prior(np.asarray(probabilities), self._classes)
            excluded = np.array([time_s < self._doubted_until_s.get(name, -math.inf) for name in self._classes])
            self._decide(self._belief.push(excluding(probabilities, excluded), time_s), time_s)
            first = np.isnan(self._recent).any()
            self._recent = probabilities if first else self._recent + _RECENT * (probabilities - self._recent)
        return self._state()

    def finish(self) -> Repetitions:
        """Ends the recording: a last repetition that is all but over counts."""
        self._veto(self._cycles.finish())
        return self._state()

    def _veto(self, ended: list[str]) -> None:
        """A given exercise does not count while nobody exercises."""
        if ended:
            self._known.clear()
        if self._given and self._belief is not None and is_idle(self._recent, self._classes, self.exercise):
            for name in ended:
                self._cycles.cycles[name].pop()

    def _doubt(self) -> None:
        """Movements that cannot be repetitions speak against their exercises."""
        for name, cycles in self._cycles.doubtful.items():
            for cycle in cycles:
                until_s = self._time_s + cycle.end_s - cycle.start_s
                self._doubted_until_s[name] = max(self._doubted_until_s[name], until_s)
            cycles.clear()

    def _state(self) -> Repetitions:
        if self._active != self.exercise and (not self._count(self.exercise) or self._found(len(self._spans) - 1)):
            self.exercise = self._active
        name = self.exercise
        if not self._given and name is not None and self._seen.get(name, 1.0) < _SEEN:
            return Repetitions(0, None, 0.0)
        if name not in self._cycles.cycles:
            return Repetitions(0, name, 0.0)
        return Repetitions(self._count(name), name, self._cycles.counters[name].phase)

    def _count(self, name: str | None) -> int:
        """Complete repetitions of an exercise in all its spans."""
        found = [self._found(i) for i, span in enumerate(self._spans) if span.exercise == name]
        return sum(one.complete for span in found for one in span)

    def _decide(self, belief: np.ndarray, time_s: float) -> None:
        """Takes the beliefs of now; begins a span where another class is certain."""
        self._now = belief
        self._known.clear()
        for faint in np.flatnonzero(belief < _FAINT):
            self._begins_s[faint] = time_s - DECISION_LAG_S
        label = int(belief.argmax())
        name = self._classes[label]
        if self._given or name == self._active or belief[label] < SURE:
            return
        self._active = name
        begin_s = self._begins_s[label] - BEYOND_S
        if self._spans:
            last = self._spans[-1]
            begin_s = max(begin_s, last.begin_s)
            # What was counted since then was the beginning of another exercise; a rest takes nothing away.
            end_s = begin_s if name in self._cycles.cycles else max(begin_s + 2 * BEYOND_S, last.begin_s)
            self._spans[-1] = last._replace(end_s=min(last.end_s, end_s))
        self._spans.append(Span(name, begin_s, math.inf))

    def _found(self, number: int) -> list[Repetition]:
        """The repetitions of a span."""
        if number in self._known:
            return self._known[number]
        span = self._spans[number]
        found = repetitions_of(span.exercise, self._cycles.within(span))
        running = number == len(self._spans) - 1 and not self._given
        clear = not running or self._now[self._classes.index(span.exercise)] >= CLEAR
        self._known[number] = found if len(found) > 1 or clear else []
        return self._known[number]
