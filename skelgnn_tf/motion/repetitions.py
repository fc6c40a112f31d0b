"""Live counting of repetitions, from 3D poses and the decisions of a recognizer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from skelgnn_tf.motion.cycles import CycleCounter
from skelgnn_tf.motion.exercise_signals import MOVEMENTS, exercise_signals
from skelgnn_tf.skeletons import H36M_17, Skeleton

# Time constant, in seconds, with which past decisions fade. An exercise shows no signs while its sum is below this
# share of the sum at full confidence.
_FADING_S = 5.0
_FAINT = 0.1
# An exercise with repetitions is in progress once its sum has reached this share of the sum at full confidence. It then
# stays until another exercise has this many repetitions.
_CONFIDENT = 0.4
_DONE = 2
# A decision describes the seconds before it: what it shows for the first time began this long ago, at most twice as
# long.
_DECISION_LAG_S = 2.0


class Repetitions(NamedTuple):
    """State of a counter after a frame.

    Args:
        count: Number of completed repetitions of the exercise.
        exercise: Name of the exercise; None before the first decision of a recognizer.
        phase: Position in [0, 1] within the repetition: 0 between repetitions, 0.5 in the middle.
    """

    # The field hides tuple.count, which is not needed here.
    count: int  # type: ignore[assignment]
    exercise: str | None
    phase: float


class _Deciding:
    """Decides on the exercise: the class with the largest sum of probabilities, in which the past fades."""

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = tuple(classes)
        self.begins_s = [-math.inf] * len(self.classes)
        self._sums = [0.0] * len(self.classes)
        self._time_s = math.nan

    def push(self, probabilities: np.ndarray, time_s: float) -> str:
        """Takes the probabilities of a recognizer and returns the exercise."""
        if probabilities.shape != (len(self.classes),):
            raise ValueError(
                f"probabilities must have one entry for each of {len(self.classes)} classes. Received: "
                f"{probabilities.shape}."
            )
        first = math.isnan(self._time_s)
        seconds, self._time_s = 0.0 if first else time_s - self._time_s, time_s
        # The first decision counts for a tenth of a second, so the second one outweighs it.
        keep, weight = math.exp(-seconds / _FADING_S), 0.1 if first else min(seconds, 1.0)
        for label in range(len(self.classes)):
            self._sums[label] = keep * self._sums[label] + weight * float(probabilities[label])
            if self._sums[label] < _FAINT * _FADING_S:
                self.begins_s[label] = time_s - _DECISION_LAG_S
        return self.classes[max(range(len(self.classes)), key=self._sums.__getitem__)]

    def sum_s(self, exercise: str) -> float:
        """Faded sum of probability times seconds of an exercise."""
        return self._sums[self.classes.index(exercise)]

    def begins(self, exercise: str) -> float:
        """Time in seconds since which there are signs of an exercise."""
        return self.begins_s[self.classes.index(exercise)]


class RepetitionCounter:
    """Counts the repetitions of a given exercise, or of the exercise that a recognizer sees.

    All exercises are counted from the start, each by its own signal, so repetitions before the recognizer is confident
    are counted as soon as it is. Plank, rest, and classes without a signal have the count 0. The count continues when
    an exercise is resumed after a rest.

    Args:
        skeleton: Skeleton of the poses.
        classes: Class names of the recognizer; None if the exercise is given.
        exercise: Exercise to count, one of `MOVEMENTS`, whatever a recognizer says; None to follow the recognizer.

    Raises:
        ValueError: The exercise cannot be counted, or neither or both of `exercise` and `classes` are given.

    Example:
        >>> counter = RepetitionCounter(exercise="squat")
        >>> counter.push(np.zeros((17, 3)), 0.0)
        Repetitions(count=0, exercise='squat', phase=0.0)
    """

    def __init__(
        self, skeleton: Skeleton = H36M_17, *, classes: Sequence[str] | None = None, exercise: str | None = None
    ) -> None:
        if (classes is None) == (exercise is None):
            given = "neither" if classes is None else "both"
            raise ValueError(
                f"exercise or classes must be given, but not both. Received: {given}. "
                "Pass exercise to count that one, or classes to follow a recognizer."
            )
        if exercise is not None and exercise not in MOVEMENTS:
            raise ValueError(f"exercise must be one of {', '.join(MOVEMENTS)}. Received: {exercise!r}.")
        self.skeleton, self.exercise = skeleton, exercise
        counted = [exercise] if exercise is not None else [name for name in classes or () if name in MOVEMENTS]
        self._cycles = {name: CycleCounter(MOVEMENTS[name]) for name in counted}
        self._deciding = None if classes is None else _Deciding(classes)
        self._begins_s = dict.fromkeys(counted, -math.inf)
        self._before = dict.fromkeys(counted, 0)
        self._time_s, self._in_progress = -math.inf, False

    def push(
        self,
        pose_m: np.ndarray,
        time_s: float,
        probabilities: np.ndarray | None = None,
        signals: Mapping[str, Any] | None = None,
    ) -> Repetitions:
        """Takes the next frame.

        Args:
            pose_m: (joints, 3) meters, camera axes, not filtered (the signals are smoothed here); NaN if the person is
                not seen.
            time_s: Time of the frame in seconds, later than the previous one.
            probabilities: (classes,) if the recognizer has just decided, else None.
            signals: `exercise_signals` of this pose, if they are known already.

        Returns:
            Repetitions.

        Raises:
            ValueError: The time does not increase, or the poses or probabilities have another shape.
        """
        if not time_s > self._time_s:
            raise ValueError(f"time_s must increase. Received: {time_s} s after {self._time_s} s.")
        self._time_s = time_s
        known: Mapping[str, Any] = exercise_signals(pose_m, self.skeleton) if signals is None else signals
        for name, cycles in self._cycles.items():
            cycles.push(float(known[name]), time_s)
        if self._deciding is not None and probabilities is not None:
            self._decide(self._deciding, np.asarray(probabilities), time_s)
        exercise = self.exercise
        if exercise is None or exercise not in self._cycles:
            return Repetitions(0, exercise, 0.0)
        return Repetitions(self._count(exercise, math.inf), exercise, self._cycles[exercise].phase)

    def _decide(self, deciding: _Deciding, probabilities: np.ndarray, time_s: float) -> None:
        """Follows the recognizer, but leaves an exercise in progress only for one that has repetitions as well."""
        before = self.exercise
        now = deciding.push(probabilities, time_s)
        if before is not None and before in self._cycles and self._count(before, math.inf):
            self._in_progress = self._in_progress or deciding.sum_s(before) >= _CONFIDENT * _FADING_S
        begins_s = deciding.begins(now)
        if now == before or (self._in_progress and self._done(now, begins_s - _DECISION_LAG_S) < _DONE):
            return
        self.exercise, self._in_progress = now, False
        if before is not None and before in self._cycles:
            self._before[before] = self._count(before, begins_s)
            self._begins_s[before] = max(self._begins_s[before], begins_s)
        if now in self._cycles:
            # Counting a movement on the way to the exercise is better than losing its first repetition.
            self._begins_s[now] = max(self._begins_s[now], begins_s - _DECISION_LAG_S)

    def _done(self, name: str, since_s: float) -> int:
        """Number of repetitions of an exercise that have ended since a time."""
        return sum(end_s > since_s for end_s in self._cycles[name].ends_s) if name in self._cycles else 0

    def _count(self, name: str, until_s: float) -> int:
        """Repetitions of an exercise: those of earlier sets, and those that have ended in this set."""
        begins_s = self._begins_s[name]
        return self._before[name] + sum(begins_s < end_s <= until_s for end_s in self._cycles[name].ends_s)
