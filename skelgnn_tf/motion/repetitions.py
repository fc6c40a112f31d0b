"""Counting of repetitions, from 3D poses and the decisions of a recognizer: live, and in a whole recording."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from skelgnn_tf.motion.cycles import Cycle, CycleCounter
from skelgnn_tf.motion.exercise_decision import ExerciseBelief, smoothed_beliefs
from skelgnn_tf.motion.exercise_signals import MOVEMENTS, ExerciseState, exercise_signals, seen_enough
from skelgnn_tf.skeletons import H36M_17, Skeleton

#: Classes of people who do not exercise.
IDLE = ("rest", "other")
# A decision describes the seconds before it: what it shows for the first time began this long ago.
_DECISION_LAG_S = 2.0
# Belief from which a class is decided on, and below which it shows no signs.
_SURE, _FAINT = 0.5, 0.1
# A single cycle counts if the belief in its exercise is this high. Several must resemble each other: a cycle is partial
# if it rises by less than this share of their median rise.
_CLEAR, _ALIKE_RISE = 0.6, 0.4
# No repetition lasts longer.
_LONGEST_S = 30.0
# Share of the middle of a cycle in which the body must have the posture of the exercise.
_POSED = 0.5
# Whoever counts repetitions does other things less often than the recognizer's training says. Chosen on generated phone
# scenes (seed 401): 0.7 and 1 recognize less, 0.35 and less count more in people who do something else.
_OTHER_PRIOR = 0.5
# A given exercise does not count while the recognizer finds it this many times less likely than that nobody exercises.
_IDLE_ODDS = 10.0
# Weight of a new decision in the recent probabilities.
_RECENT = 0.15
# A repetition may reach this far beyond the span in which its exercise is recognized.
_BEYOND_S = 1.5


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


class Repetition(NamedTuple):
    """One counted repetition.

    Args:
        exercise: Name of the exercise.
        start_s: When it begins, in seconds.
        top_s: When its signal is highest: the deepest point of a squat, the arms up in a press.
        end_s: When it ends.
        complete: Whether it counts; False for a partial one, whose signal rises much less than in the others.
    """

    exercise: str
    start_s: float
    top_s: float
    end_s: float
    complete: bool = True


class Span(NamedTuple):
    """A time in which an exercise is done, in seconds."""

    exercise: str
    begin_s: float
    end_s: float


class _Counters:
    """The cycles of several exercises in which the body had their posture."""

    def __init__(self, exercises: Sequence[str]) -> None:
        self.counters = {name: CycleCounter(MOVEMENTS[name]) for name in exercises}
        self.cycles: dict[str, list[Cycle]] = {name: [] for name in exercises}
        self._recent: dict[str, deque[tuple[float, bool]]] = {name: deque() for name in exercises}

    def push(self, state: ExerciseState, time_s: float) -> list[str]:
        """Takes the next frame and returns the exercises of which a cycle has ended, once for each."""
        for name, counter in self.counters.items():
            recent = self._recent[name]
            recent.append((time_s, bool(state.postures[name])))
            while recent[0][0] < time_s - _LONGEST_S:
                recent.popleft()
            counter.push(float(state.signals[name]), time_s)
        return self._ended()

    def finish(self) -> list[str]:
        """Ends the recording and returns the exercises of which a cycle has ended, once for each."""
        for counter in self.counters.values():
            counter.finish()
        return self._ended()

    def _ended(self) -> list[str]:
        ended = []
        for name, counter in self.counters.items():
            if counter.cycles:
                new = [cycle for cycle in counter.cycles if self._posed(name, cycle)]
                self.cycles[name] += new
                ended += [name] * len(new)
                counter.cycles.clear()
        return ended

    def _posed(self, name: str, cycle: Cycle) -> bool:
        """Whether the body has the posture of an exercise in the middle of a cycle."""
        first_s = cycle.top_s - (cycle.top_s - cycle.start_s) / 3 - 1e-6
        last_s = cycle.top_s + (cycle.end_s - cycle.top_s) / 3 + 1e-6
        posed = [posed for time_s, posed in self._recent[name] if first_s <= time_s <= last_s]
        return bool(posed) and sum(posed) >= _POSED * len(posed)

    def within(self, span: Span) -> list[Cycle]:
        """The cycles of a span's exercise whose highest point lies in it."""
        return [c for c in self.cycles.get(span.exercise, ()) if span.begin_s <= c.top_s <= span.end_s]


def _repetitions(exercise: str, cycles: Sequence[Cycle]) -> list[Repetition]:
    """The cycles as repetitions; those that rise much less than the others are partial."""
    rise = float(np.median([cycle.rise for cycle in cycles])) if cycles else 0.0
    return [Repetition(exercise, c.start_s, c.top_s, c.end_s, c.rise >= _ALIKE_RISE * rise) for c in cycles]


class RepetitionCounter:
    """Counts the repetitions of a given exercise, or of the exercise that a recognizer sees, as frames arrive.

    All exercises are counted from the start, each by its own signal, so repetitions before the recognizer is confident
    are counted as soon as it is. Plank, rest, and classes without a signal have the count 0. During a rest the exercise
    and its count stay, until another one has repetitions; the count continues when it is resumed. A movement is counted
    for one exercise only, in a posture of that exercise.

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
        self._counters = _Counters([exercise] if exercise else [n for n in self._classes if n in MOVEMENTS])
        self._belief = ExerciseBelief(len(self._classes)) if classes is not None else None
        self._begins_s = [-math.inf] * len(self._classes)
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
            state: `exercise_signals` of this pose, if it is known already.

        Returns:
            Repetitions.

        Raises:
            ValueError: The time does not increase, or the poses or probabilities have another shape.
        """
        if not time_s > self._time_s:
            raise ValueError(f"time_s must increase. Received: {time_s} s after {self._time_s} s.")
        seconds, self._time_s = min(time_s - self._time_s, _DECISION_LAG_S), time_s
        for name, seen in seen_enough(pose_m, self.skeleton).items():
            before = self._seen.get(name, 1.0)
            self._seen[name] = before + (1 - math.exp(-seconds / _DECISION_LAG_S)) * (bool(seen) - before)
        ended = self._counters.push(exercise_signals(pose_m, self.skeleton) if state is None else state, time_s)
        self._veto(ended)
        if self._belief is not None and probabilities is not None:
            probabilities = _with_prior(np.asarray(probabilities), self._classes)
            self._decide(self._belief.push(probabilities, time_s), time_s)
            first = np.isnan(self._recent).any()
            self._recent = probabilities if first else self._recent + _RECENT * (probabilities - self._recent)
        return self._state()

    def finish(self) -> Repetitions:
        """Ends the recording: a last repetition that is all but over counts."""
        self._veto(self._counters.finish())
        return self._state()

    def _veto(self, ended: list[str]) -> None:
        """A given exercise does not count while nobody exercises."""
        if ended:
            self._known.clear()
        if self._given and self._belief is not None and _is_idle(self._recent, self._classes, self.exercise):
            for name in ended:
                self._counters.cycles[name].pop()

    def _state(self) -> Repetitions:
        if self._active != self.exercise and (not self._count(self.exercise) or self._found(len(self._spans) - 1)):
            self.exercise = self._active
        name = self.exercise
        if not self._given and name is not None and self._seen.get(name, 1.0) < _POSED:
            return Repetitions(0, None, 0.0)
        if name not in self._counters.cycles:
            return Repetitions(0, name, 0.0)
        return Repetitions(self._count(name), name, self._counters.counters[name].phase)

    def _count(self, name: str | None) -> int:
        """Complete repetitions of an exercise in all its spans."""
        found = [self._found(i) for i, span in enumerate(self._spans) if span.exercise == name]
        return sum(one.complete for span in found for one in span)

    def _decide(self, belief: np.ndarray, time_s: float) -> None:
        """Takes the beliefs of now; begins a span where another class is certain."""
        self._now = belief
        self._known.clear()
        for faint in np.flatnonzero(belief < _FAINT):
            self._begins_s[faint] = time_s - _DECISION_LAG_S
        label = int(belief.argmax())
        name = self._classes[label]
        if self._given or name == self._active or belief[label] < _SURE:
            return
        self._active = name
        begin_s = self._begins_s[label] - _BEYOND_S
        if self._spans:
            last = self._spans[-1]
            begin_s = max(begin_s, last.begin_s)
            # What was counted since then was the beginning of another exercise; a rest takes nothing away.
            end_s = begin_s if name in self._counters.cycles else max(begin_s + 2 * _BEYOND_S, last.begin_s)
            self._spans[-1] = last._replace(end_s=min(last.end_s, end_s))
        self._spans.append(Span(name, begin_s, math.inf))

    def _found(self, number: int) -> list[Repetition]:
        """The repetitions of a span."""
        if number in self._known:
            return self._known[number]
        span = self._spans[number]
        found = _repetitions(span.exercise, self._counters.within(span))
        running = number == len(self._spans) - 1 and not self._given
        clear = not running or self._now[self._classes.index(span.exercise)] >= _CLEAR
        self._known[number] = found if len(found) > 1 or clear else []
        return self._known[number]


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
        state: `exercise_signals` of all poses (frames, ...).
        time_s: Times of the frames (frames,) in seconds.
        fps: Frames per second.
        exercise: Exercise to count; None to follow the recognizer.
        classes: Class names of the recognizer, if there is one.
        frame_probabilities: float (frames, classes) of the recognizer.
        seen: {exercise: bool (frames,)}, where the joints that an exercise needs are seen; others are always.

    Returns:
        For each frame the exercise, None where it is unknown, and the repetitions in the order of time.
    """
    counters = _Counters([exercise] if exercise else [name for name in classes if name in MOVEMENTS])
    for frame, now_s in enumerate(time_s):
        counters.push(ExerciseState(*({n: v[frame] for n, v in part.items()} for part in state)), float(now_s))
    counters.finish()
    belief = None
    if frame_probabilities is not None:
        frame_probabilities = _with_prior(frame_probabilities, classes)
        belief = smoothed_beliefs(frame_probabilities, fps)
    if exercise is not None:
        found = _repetitions(exercise, counters.within(Span(exercise, -math.inf, math.inf)))
        if frame_probabilities is not None:
            found = [
                one
                for one in found
                if not _is_idle(frame_probabilities[_during(one, time_s)].mean(axis=0), classes, exercise)
            ]
        return [exercise] * len(time_s), found
    assert belief is not None
    labels = _labels(belief, classes, seen or {}, fps)
    found = _in_spans(counters, labels, belief, classes, time_s)
    for one in found:
        during = zip(labels, _during(one, time_s), strict=True)
        labels = [one.exercise if inside else label for label, inside in during]
    return labels, found


def _labels(belief: np.ndarray, classes: Sequence[str], seen: Mapping[str, np.ndarray], fps: float) -> list[str | None]:
    """The class of each frame; None where none is certain, or where too little of the body is seen for it."""
    best = belief.argmax(axis=1)
    labels: list[str | None] = [classes[i] if belief[t, i] >= _SURE else None for t, i in enumerate(best)]
    half = max(1, round(_DECISION_LAG_S * fps))
    for name, visible in seen.items():
        share = np.convolve(visible, np.ones(2 * half + 1), "same") / np.convolve(
            np.ones(len(visible)), np.ones(2 * half + 1), "same"
        )
        labels = [None if label == name and share[t] < 0.5 else label for t, label in enumerate(labels)]
    return labels


def _in_spans(
    counters: _Counters, labels: list[str | None], belief: np.ndarray, classes: Sequence[str], time_s: np.ndarray
) -> list[Repetition]:
    """The repetitions of each stretch of frames with one label."""
    found: list[Repetition] = []
    starts = [t for t in range(len(labels)) if t == 0 or labels[t] != labels[t - 1]]
    for first, end in zip(starts, [*starts[1:], len(labels)], strict=True):
        name = labels[first]
        if name not in counters.cycles:
            continue
        # Into what is no exercise a repetition may reach a little further.
        begins_free = first == 0 or labels[first - 1] not in counters.cycles
        ends_free = end == len(labels) or labels[end] not in counters.cycles
        begin_s = float(time_s[first]) - _BEYOND_S * begins_free
        end_s = float(time_s[end - 1]) + _BEYOND_S * ends_free
        assert name is not None
        cycles = [c for c in counters.within(Span(name, begin_s, end_s)) if not any(c.top_s <= o.end_s for o in found)]
        new = _repetitions(name, cycles)
        if len(new) == 1 and belief[_during(new[0], time_s), classes.index(name)].mean() < _CLEAR:
            continue
        found += new
    return found


def _during(one: Repetition, time_s: np.ndarray) -> np.ndarray:
    """Which frames belong to a repetition: bool (frames,)."""
    return (time_s >= one.start_s - 1e-6) & (time_s <= one.end_s + 1e-6)


def _with_prior(probabilities: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """A recognizer's probabilities (..., classes) with other motion as likely as `_OTHER_PRIOR` says."""
    if probabilities.shape[-1:] != (len(classes),):
        return probabilities
    weighted = probabilities * [_OTHER_PRIOR if name == "other" else 1.0 for name in classes]
    return weighted / weighted.sum(axis=-1, keepdims=True)


def _is_idle(probabilities: np.ndarray, classes: Sequence[str], exercise: str | None) -> bool:
    """Whether a recognizer's probabilities (classes,) rule out that somebody does an exercise."""
    idle = sum(float(probabilities[i]) for i, name in enumerate(classes) if name in IDLE)
    own = next((float(p) for p, name in zip(probabilities, classes, strict=True) if name == exercise), 1.0)
    return own * _IDLE_ODDS < idle
