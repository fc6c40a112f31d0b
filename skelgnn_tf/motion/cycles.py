"""Counting how often a signal rises and comes back, live."""

from __future__ import annotations

import math

from skelgnn_tf.motion.exercise_signals import Movement
from skelgnn_tf.motion.gaps import LONGEST_GAP_S

# A signal is smoothed with a time constant of this part of the quickest repetition.
_SMOOTHING = 0.06
# A person's usual range and tempo follow each repetition by this much.
_LEARNING = 0.3
# A repetition's end is foreseen when its signal has nearly fallen: from how long the fall took, from 0.3 of the way on
# (times _FALL_GOES_ON), and how long it was high; of a long pause in the middle only this many usual times count.
_FALL_GOES_ON = 0.5
_LONGEST_HIGH = 1.5
# Whose signal never falls so low has ended after this part of the time that it was high.
_REST_OF_HIGH = 0.5
# The signal is high for at least this part of the quickest repetition, and low between two repetitions for at least
# this part of the time that it is high: whatever is shorter was badly seen.
_SHORTEST_HIGH = 0.3
_SHORTEST_LOW = 0.25


class CycleCounter:
    """Counts how often a signal rises and comes back.

    A repetition is a rise by `threshold` and a fall by the movement's `fall` of that rise. Its end, when the signal is
    at rest or rises anew, is foreseen from the time it took to rise and to fall, so it is counted neither while the
    person is still on the way back nor late.

    Args:
        movement: Of the exercise.

    Attributes:
        ends_s: When the counted repetitions ended.
    """

    def __init__(self, movement: Movement) -> None:
        self.movement = movement
        self.ends_s: list[float] = []
        self._usual_rise = self._usual_high_s = 0.0
        self._forget()

    def _forget(self) -> None:
        """What was seen before a long gap says nothing about what comes after it."""
        self._value = self._time_s = math.nan
        self._high = False
        self._low = self._peak = 0.0
        self._risen_s = self._falls_s = self._fallen_s = 0.0
        self._end_s = self._nearly_low = math.inf
        self._before: tuple[float, float, float, float, float] | None = None

    @property
    def threshold(self) -> float:
        """How far the signal must rise."""
        return max(self.movement.least, self.movement.share * self._usual_rise)

    @property
    def phase(self) -> float:
        """0..1 within the repetition, 0 at rest."""
        if math.isnan(self._value):
            return 0.0
        scale = max(self._usual_rise, self.threshold, self._peak - self._low if self._high else 0.0)
        risen = min(max((self._value - self._low) / scale, 0.0), 1.0) if scale > 0 else 0.0
        if self._high:
            if self._peak - self._value > 0.15 * (self._peak - self._low):
                return 1 - risen / 2
            return min((self._peak - self._low) / scale, 1.0) / 2
        if self._end_s < math.inf:
            left = (self._end_s - self._time_s) / max(self._end_s - self._fallen_s, 1e-9)
            return 1 - 0.25 * min(max(left, 0.0), 1.0)
        return risen / 2 if risen > 0.15 else 0.0

    def push(self, value: float, time_s: float) -> int:
        """Takes the next value of the signal (NaN: not seen) and says how many repetitions have ended."""
        if time_s >= self._end_s:
            self._count(self._end_s)
        if not math.isfinite(value):
            return len(self.ends_s)
        if math.isnan(self._value) or time_s - self._time_s > LONGEST_GAP_S + 1e-6:
            if self._end_s < math.inf:
                self._count(self._time_s)
            self._forget()
            self._value, self._time_s, self._low, self._risen_s = value, time_s, value, time_s
            return len(self.ends_s)
        last, last_s = self._value, self._time_s
        share = 1 - math.exp(-(time_s - last_s) / (_SMOOTHING * self.movement.fastest_s))
        self._value, self._time_s = last + share * (value - last), time_s
        if self._high:
            self._while_high(last, last_s)
        else:
            self._while_low(last, last_s)
        return len(self.ends_s)

    def _while_low(self, last: float, last_s: float) -> None:
        threshold, value = self.threshold, self._value
        self._low = min(self._low, value)
        if self._end_s < math.inf:
            self._foresee(last, last_s)
        half = self._low + threshold / 2
        if last < half <= value:
            self._risen_s = self._when(half, last, last_s)
        if value - self._low < threshold:
            return
        if self._end_s < math.inf and self._before is not None:
            low, risen_s, peak, usual_rise, usual_high_s = self._before
            if self._time_s - self._fallen_s < _SHORTEST_LOW * min(self._fallen_s - risen_s, self._usual_high_s):
                # Too short a dip to be the end of a repetition: that one goes on.
                self._low, self._risen_s, self._peak = low, risen_s, max(peak, value)
                self._usual_rise, self._usual_high_s = usual_rise, usual_high_s
                self._high, self._falls_s, self._end_s = True, self._time_s, math.inf
                return
            self._count(self._time_s)
        self._high, self._peak, self._falls_s = True, value, self._time_s

    def _while_high(self, last: float, last_s: float) -> None:
        value, threshold = self._value, self.threshold
        self._peak = max(self._peak, value)
        rise = self._peak - self._low
        if self._usual_rise:
            # Who lifts the hands to the start of a press has risen far before the first repetition.
            rise = min(rise, max(1.3 * self._usual_rise, threshold))
        begins, ends = self._peak - 0.3 * rise, self._peak - self.movement.fall * rise
        if last > begins >= value:
            self._falls_s = self._when(begins, last, last_s)
        if value > ends:
            return
        self._fallen_s = self._when(ends, last, last_s) if last > ends else self._time_s
        high_s = self._fallen_s - self._risen_s
        self._high = False
        if high_s >= _SHORTEST_HIGH * self.movement.fastest_s:
            self._before = (self._low, self._risen_s, self._peak, self._usual_rise, self._usual_high_s)
            self._end_s = max(self._fallen_s + _REST_OF_HIGH * high_s, self._time_s)
            self._nearly_low = self._peak - self.movement.settled * rise
            self._foresee(last, last_s)
            self._usual_rise = _towards(self._usual_rise, rise)
            self._usual_high_s = _towards(self._usual_high_s, high_s)
        self._low = value

    def _foresee(self, last: float, last_s: float) -> None:
        """When the repetition will be over, once the signal has nearly come back."""
        if not self._value <= self._nearly_low < math.inf:
            return
        low_s = self._when(self._nearly_low, last, last_s) if last > self._nearly_low else self._time_s
        part, seconds = self.movement.finish
        _, risen_s, _, _, usual_high_s = self._before
        high_s = self._fallen_s - risen_s
        high_s = min(high_s, _LONGEST_HIGH * usual_high_s) if usual_high_s else high_s
        end_s = low_s + _FALL_GOES_ON * (low_s - self._falls_s) + part * high_s + seconds
        self._end_s = max(end_s, self._time_s)
        self._nearly_low = math.inf

    def _when(self, level: float, last: float, last_s: float) -> float:
        """When the signal, straight from the last value to this one, crossed a level."""
        return last_s + (level - last) / (self._value - last) * (self._time_s - last_s)

    def _count(self, time_s: float) -> None:
        self.ends_s.append(time_s)
        self._end_s = math.inf


def _towards(usual: float, new: float) -> float:
    return usual + _LEARNING * (new - usual) if usual else new
