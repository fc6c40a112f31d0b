"""The cycles of several exercises at once, and which of them are repetitions."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from skelgnn_tf.motion.cycles import Cycle, CycleCounter
from skelgnn_tf.motion.exercise_signals import MOVEMENTS, ExerciseState
from skelgnn_tf.motion.plausibility import MEASURES, is_plausible

# Several cycles must resemble each other: one is partial if it rises by less than this share of their median rise.
_ALIKE_RISE = 0.4
# No repetition lasts longer.
_LONGEST_S = 30.0


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


class ExerciseCycles:
    """The cycles of several exercises: the plausible ones, and those that speak against the exercise.

    Args:
        exercises: Names of `MOVEMENTS`.

    Attributes:
        counters: The counter of each exercise.
        cycles: {exercise: its plausible cycles so far}.
        doubtful: {exercise: the other ones}.
    """

    def __init__(self, exercises: Sequence[str]) -> None:
        self.counters = {name: CycleCounter(MOVEMENTS[name]) for name in exercises}
        self.cycles: dict[str, list[Cycle]] = {name: [] for name in exercises}
        self.doubtful: dict[str, list[Cycle]] = {name: [] for name in exercises}
        self._recent: deque[tuple[float, dict[str, np.ndarray]]] = deque()

    def push(self, state: ExerciseState, time_s: float) -> list[str]:
        """Takes the next frame and returns the exercises of which plausible cycles have ended, once for each cycle."""
        self._recent.append((time_s, state.measures))
        for name, counter in self.counters.items():
            counter.push(float(state.signals[name]), time_s)
        ended = self._ended()
        # Afterwards, because a cycle may end long after its last frame, when the person comes back.
        while self._recent[0][0] < time_s - _LONGEST_S:
            self._recent.popleft()
        return ended

    def finish(self) -> list[str]:
        """Ends the recording and returns the exercises of which plausible cycles have ended, once for each cycle."""
        for counter in self.counters.values():
            counter.finish()
        return self._ended()

    def within(self, span: Span) -> list[Cycle]:
        """The plausible cycles of a span's exercise whose highest point lies in it."""
        return [c for c in self.cycles.get(span.exercise, ()) if span.begin_s <= c.top_s <= span.end_s]

    def _ended(self) -> list[str]:
        ended = []
        for name, counter in self.counters.items():
            for cycle in counter.cycles:
                if self._is_plausible(name, cycle):
                    self.cycles[name].append(cycle)
                    ended.append(name)
                else:
                    self.doubtful[name].append(cycle)
            counter.cycles.clear()
        return ended

    def _is_plausible(self, name: str, cycle: Cycle) -> bool:
        frames = [frame for frame in self._recent if cycle.start_s - 1e-6 <= frame[0] <= cycle.end_s + 1e-6]
        measures = {measure: np.array([values[measure] for _, values in frames]) for measure in MEASURES}
        return is_plausible(name, np.array([time_s for time_s, _ in frames]), measures, cycle.middle_s)


def repetitions_of(exercise: str, cycles: Sequence[Cycle]) -> list[Repetition]:
    """The cycles as repetitions; those that rise much less than the others are partial."""
    rise = float(np.median([cycle.rise for cycle in cycles])) if cycles else 0.0
    return [Repetition(exercise, c.start_s, c.top_s, c.end_s, c.rise >= _ALIKE_RISE * rise) for c in cycles]
