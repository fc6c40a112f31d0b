"""Counting repetitions live, from 3D poses and a recogniser's decisions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from skelgnn_tf.motion.cycles import CycleCounter
from skelgnn_tf.motion.exercise_signals import MOVEMENTS, exercise_signals
from skelgnn_tf.skeletons import H36M_17, Skeleton

# Seconds in which a recogniser's decisions fade. An exercise shows no signs if its sum is under this part of a sure
# one's.
_FADING_S = 5.0
_FAINT = 0.1
# An exercise with repetitions whose sum has reached this part is under way: it stays until another one has so many.
_SURE = 0.4
_DONE = 2
# A decision tells of the seconds before it: what it sees for the first time began so long ago, at most twice as long.
_DECISION_LAG_S = 2.0


class Repetitions(NamedTuple):
    """What a counter knows after a frame.

    Args:
        count: Repetitions of the exercise that are finished.
        exercise: Its name; None before the first decision of a recogniser.
        phase: 0..1 within the repetition: 0 between repetitions, 0.5 in the middle.
    """

    count: int
    exercise: str | None
    phase: float


class _Deciding:
    """Which exercise it is: the class of the largest sum of probabilities over time, in which the past fades."""

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = tuple(classes)
        self.exercise: str | None = None
        self.begins_s = [-math.inf] * len(self.classes)
        self._sums = [0.0] * len(self.classes)
        self._time_s = math.nan

    def push(self, probabilities: np.ndarray, time_s: float) -> None:
        """Takes a decision."""
        if probabilities.shape != (len(self.classes),):
            raise ValueError(
                f"RepetitionCounter wants probabilities of its {len(self.classes)} classes; got {probabilities.shape}"
            )
        first = math.isnan(self._time_s)
        seconds, self._time_s = 0.0 if first else time_s - self._time_s, time_s
        # The first decision counts for a tenth of a second, which the second one outweighs.
        keep, weight = math.exp(-seconds / _FADING_S), 0.1 if first else min(seconds, 1.0)
        for label in range(len(self.classes)):
            self._sums[label] = keep * self._sums[label] + weight * float(probabilities[label])
            if self._sums[label] < _FAINT * _FADING_S:
                self.begins_s[label] = time_s - _DECISION_LAG_S
        self.exercise = self.classes[max(range(len(self.classes)), key=self._sums.__getitem__)]

    def sum_s(self, exercise: str) -> float:
        """Probability times seconds of an exercise, faded."""
        return self._sums[self.classes.index(exercise)]

    def begins(self, exercise: str) -> float:
        """Since when there have been signs of an exercise, seconds."""
        return self.begins_s[self.classes.index(exercise)]


class RepetitionCounter:
    """Counts the repetitions of an exercise that is named, or of the one that a recogniser sees.

    All exercises are counted from the start, each by its own signal, so that what was done before the recogniser is
    sure counts as soon as it is. Plank, rest and classes without a signal have the count 0. An exercise that is taken
    up again after a rest is counted on.

    Args:
        skeleton: Of the poses.
        classes: Of the recogniser's probabilities; None if the exercise is named.
        exercise: One of `MOVEMENTS` to count, whatever a recogniser says; None to follow the recogniser.

    Raises:
        ValueError: An exercise that cannot be counted; neither or both of exercise and classes.

    Example:
        >>> counter = RepetitionCounter(exercise="squat")
        >>> counter.push(np.zeros((17, 3)), 0.0)
        Repetitions(count=0, exercise='squat', phase=0.0)
    """

    def __init__(
        self, skeleton: Skeleton = H36M_17, *, classes: Sequence[str] | None = None, exercise: str | None = None
    ) -> None:
        if (classes is None) == (exercise is None):
            raise ValueError(
                "RepetitionCounter wants either exercise, to count that one, or classes, those of a recogniser; got "
                + ("neither" if classes is None else "both")
            )
        if exercise is not None and exercise not in MOVEMENTS:
            raise ValueError(f"RepetitionCounter cannot count {exercise!r}; it can count {', '.join(MOVEMENTS)}")
        self.skeleton, self.exercise = skeleton, exercise
        counted = [exercise] if exercise is not None else [name for name in classes if name in MOVEMENTS]
        self._cycles = {name: CycleCounter(MOVEMENTS[name]) for name in counted}
        self._deciding = _Deciding(classes) if exercise is None else None
        self._begins_s = dict.fromkeys(counted, -math.inf)
        self._before = dict.fromkeys(counted, 0)
        self._time_s, self._sure = -math.inf, False

    def push(self, pose_m: np.ndarray, time_s: float, probabilities: np.ndarray | None = None) -> Repetitions:
        """Takes the next frame.

        Args:
            pose_m: (joints, 3) metres, camera axes, unfiltered (the signals are smoothed here); NaN if nobody is seen.
            time_s: When it was seen, later than those before.
            probabilities: (classes,), the recogniser's if it has just decided (`ActionStream.push`), else None.

        Returns:
            Repetitions.

        Raises:
            ValueError: A time that does not grow, poses or probabilities of another shape.
        """
        if not time_s > self._time_s:
            raise ValueError(f"RepetitionCounter wants times that grow; got {time_s} s after {self._time_s} s")
        self._time_s = time_s
        signals = exercise_signals(pose_m, self.skeleton)
        for name, cycles in self._cycles.items():
            cycles.push(float(signals[name]), time_s)
        if self._deciding is not None and probabilities is not None:
            self._decide(np.asarray(probabilities), time_s)
        name = self.exercise
        if name not in self._cycles:
            return Repetitions(0, name, 0.0)
        return Repetitions(self._count(name, math.inf), name, self._cycles[name].phase)

    def _decide(self, probabilities: np.ndarray, time_s: float) -> None:
        """Follows the recogniser; away from an exercise that is under way only to one that is being done, too."""
        before = self.exercise
        self._deciding.push(probabilities, time_s)
        if before in self._cycles and self._count(before, math.inf):
            self._sure = self._sure or self._deciding.sum_s(before) >= _SURE * _FADING_S
        now = self._deciding.exercise
        begins_s = self._deciding.begins(now)
        if now == before or (self._sure and self._done(now, begins_s - _DECISION_LAG_S) < _DONE):
            return
        self.exercise, self._sure = now, False
        if before in self._cycles:
            self._before[before] = self._count(before, begins_s)
            self._begins_s[before] = max(self._begins_s[before], begins_s)
        if now in self._cycles:
            # Rather a movement on the way to the exercise than its first repetition lost.
            self._begins_s[now] = max(self._begins_s[now], begins_s - _DECISION_LAG_S)

    def _done(self, name: str, since_s: float) -> int:
        """Repetitions of an exercise that have ended since."""
        return sum(end_s > since_s for end_s in self._cycles[name].ends_s) if name in self._cycles else 0

    def _count(self, name: str, until_s: float) -> int:
        """Repetitions of an exercise: of its earlier sets, and those that have ended in this one."""
        begins_s = self._begins_s[name]
        return self._before[name] + sum(begins_s < end_s <= until_s for end_s in self._cycles[name].ends_s)
