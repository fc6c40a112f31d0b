"""Live counting of how often a signal rises and falls."""

from __future__ import annotations

import math
from typing import NamedTuple

from skelgnn_tf.motion.exercise_signals import Movement
from skelgnn_tf.motion.gaps import LONGEST_GAP_S

# Time constant of the smoothing, as a share of the duration of the fastest repetition.
_SMOOTHING = 0.06
# Weight of a new repetition in the person's usual rise and tempo.
_LEARNING = 0.3
# The end of a repetition is predicted when its signal has nearly fallen: from the duration of the fall since 0.3 of the
# way (times _FALL_GOES_ON), and from how long the signal was high. A long pause in the middle counts at most as
# _LONGEST_HIGH times the usual duration.
_FALL_GOES_ON = 0.5
_LONGEST_HIGH = 1.5
# A repetition whose signal does not fall that low ends after this share of the time for which it was high.
_REST_OF_HIGH = 0.5
# The signal is high for at least this share of the fastest repetition, and low between two repetitions for at least
# this share of the time for which it is high. Anything shorter is a badly seen pose.
_SHORTEST_HIGH = 0.3
_SHORTEST_LOW = 0.25

#: For how long the last value is held when a recording ends, in steps of _HELD_STEP_S.
_HELD_S, _HELD_STEP_S = 1.0, 1 / 30


class Cycle(NamedTuple):
    """One rise and fall of a signal.

    Args:
        start_s: When the signal begins to rise, in seconds.
        top_s: When it is highest.
        end_s: When the repetition ends.
        low: Value of the signal before it rises.
        top: Its highest value.
    """

    start_s: float
    top_s: float
    end_s: float
    low: float
    top: float

    @property
    def rise(self) -> float:
        """How far the signal rises."""
        return self.top - self.low

    @property
    def middle_s(self) -> tuple[float, float]:
        """First and last time of the third around the highest value."""
        return self.top_s - (self.top_s - self.start_s) / 3, self.top_s + (self.end_s - self.top_s) / 3


class CycleCounter:
    """Counts how often a signal rises and falls.

    A repetition is a rise by `threshold` and a fall by the movement's `fall` of that rise. It ends when the signal is
    at rest or rises again. The end is predicted from the durations of the rise and the fall, so a repetition is counted
    neither while the person still moves back nor late.

    Args:
        movement: How the signal of the exercise repeats.

    Attributes:
        cycles: The counted repetitions.

    Example: a signal of one's own, here in degrees, in repetitions of a second or more.
        >>> counter = CycleCounter(Movement(least=20, fastest_s=1.0))
        >>> for t in range(120):
        ...     count = counter.push(45 - 45 * math.cos(math.pi * t / 30), t / 30)
        >>> counter.finish()
        2
    """

    def __init__(self, movement: Movement) -> None:
        self.movement = movement
        self.cycles: list[Cycle] = []
        self._usual_rise = self._usual_high_s = 0.0
        self._forget()

    def _forget(self) -> None:
        """Resets the state after a long gap, across which nothing can be concluded."""
        self._value = self._time_s = math.nan
        self._high = False
        self._low = self._peak = 0.0
        self._low_s = self._peak_s = 0.0
        self._pending: Cycle | None = None
        self._raw = math.nan
        self._risen_s = self._falls_s = self._fallen_s = 0.0
        self._end_s = self._nearly_low = math.inf
        self._before: tuple[float, float, float, float, float] | None = None

    @property
    def threshold(self) -> float:
        """Rise of the signal that starts a repetition."""
        return max(self.movement.least, self.movement.share * self._usual_rise)

    @property
    def phase(self) -> float:
        """Position in [0, 1] within the repetition; 0 at rest."""
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
        """Takes the next value of the signal, NaN if it is not seen, and returns how many repetitions have ended."""
        if time_s >= self._end_s:
            self._count(self._end_s)
        if not math.isfinite(value):
            return len(self.cycles)
        if math.isnan(self._value) or time_s - self._time_s > LONGEST_GAP_S + 1e-6:
            if self._end_s < math.inf:
                self._count(self._time_s)
            self._forget()
            self._value, self._time_s, self._low, self._risen_s = value, time_s, value, time_s
            self._raw, self._low_s = value, time_s
            return len(self.cycles)
        last, last_s, self._raw = self._value, self._time_s, value
        share = 1 - math.exp(-(time_s - last_s) / (_SMOOTHING * self.movement.fastest_s))
        self._value, self._time_s = last + share * (value - last), time_s
        if self._high:
            self._while_high(last, last_s)
        else:
            self._while_low(last, last_s)
        return len(self.cycles)

    def finish(self) -> int:
        """Ends the recording: a repetition counts if the last pose, held for a second, ends it.

        Returns:
            How many repetitions have ended. None ends later than the last value was pushed.
        """
        end_s, known = self._time_s, len(self.cycles)
        if math.isfinite(end_s):
            for step in range(1, round(_HELD_S / _HELD_STEP_S) + 1):
                self.push(self._raw, end_s + step * _HELD_STEP_S)
            if self._end_s < math.inf:
                self._count(end_s)
            self.cycles[known:] = [cycle._replace(end_s=min(cycle.end_s, end_s)) for cycle in self.cycles[known:]]
        return len(self.cycles)

    def _while_low(self, last: float, last_s: float) -> None:
        threshold, value = self.threshold, self._value
        # At rest the signal wanders about its lowest value: the rise begins when it last was near it.
        if value <= self._low + 0.1 * threshold:
            self._low_s = self._time_s
        self._low = min(self._low, value)
        if self._end_s < math.inf:
            self._predict_end(last, last_s)
        half = self._low + threshold / 2
        if last < half <= value:
            self._risen_s = self._when(half, last, last_s)
        if value - self._low < threshold:
            return
        if self._end_s < math.inf and self._before is not None:
            low, risen_s, peak, usual_rise, usual_high_s = self._before
            if self._time_s - self._fallen_s < _SHORTEST_LOW * min(self._fallen_s - risen_s, self._usual_high_s):
                # The dip is too short to end a repetition, so the repetition continues.
                self._low, self._risen_s, self._peak = low, risen_s, max(peak, value)
                self._usual_rise, self._usual_high_s = usual_rise, usual_high_s
                assert self._pending is not None
                self._low_s = self._pending.start_s
                self._peak_s = self._pending.top_s if peak > value else self._time_s
                self._high, self._falls_s, self._end_s = True, self._time_s, math.inf
                return
            self._count(self._time_s)
        self._high, self._peak, self._falls_s = True, value, self._time_s
        self._peak_s = self._time_s

    def _while_high(self, last: float, last_s: float) -> None:
        value, threshold = self._value, self.threshold
        if value > self._peak:
            self._peak, self._peak_s = value, self._time_s
        rise = self._peak - self._low
        if self._usual_rise:
            # The signal rises far before the first repetition, as when the hands are lifted to the start of a press.
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
            self._pending = Cycle(self._low_s, self._peak_s, math.inf, self._low, self._peak)
            self._before = (self._low, self._risen_s, self._peak, self._usual_rise, self._usual_high_s)
            self._end_s = max(self._fallen_s + _REST_OF_HIGH * high_s, self._time_s)
            self._nearly_low = self._peak - self.movement.settled * rise
            self._predict_end(last, last_s)
            self._usual_rise = _towards(self._usual_rise, rise)
            self._usual_high_s = _towards(self._usual_high_s, high_s)
        self._low, self._low_s = value, self._time_s

    def _predict_end(self, last: float, last_s: float) -> None:
        """Predicts when the repetition ends, once the signal has nearly fallen."""
        if not self._value <= self._nearly_low < math.inf:
            return
        low_s = self._when(self._nearly_low, last, last_s) if last > self._nearly_low else self._time_s
        part, seconds = self.movement.finish
        # Set together with `_nearly_low`.
        assert self._before is not None
        _, risen_s, _, _, usual_high_s = self._before
        high_s = self._fallen_s - risen_s
        high_s = min(high_s, _LONGEST_HIGH * usual_high_s) if usual_high_s else high_s
        end_s = low_s + _FALL_GOES_ON * (low_s - self._falls_s) + part * high_s + seconds
        self._end_s = max(end_s, self._time_s)
        self._nearly_low = math.inf

    def _when(self, level: float, last: float, last_s: float) -> float:
        """Time at which the signal, interpolated from the last value to this one, crossed a level."""
        return last_s + (level - last) / (self._value - last) * (self._time_s - last_s)

    def _count(self, time_s: float) -> None:
        assert self._pending is not None
        self.cycles.append(self._pending._replace(end_s=time_s))
        self._end_s = math.inf


def _towards(usual: float, new: float) -> float:
    return usual + _LEARNING * (new - usual) if usual else new
