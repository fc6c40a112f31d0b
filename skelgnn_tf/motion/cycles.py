"""Live counting of how often a signal rises and falls."""

from __future__ import annotations

import math

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


class CycleCounter:
    """Counts how often a signal rises and falls.

    A repetition is a rise by `threshold` and a fall by the movement's `fall` of that rise. It ends when the signal is
    at rest or rises again. The end is predicted from the durations of the rise and the fall, so a repetition is counted
    neither while the person still moves back nor late.

    Args:
        movement: How the signal of the exercise repeats.

    Attributes:
        ends_s: Times in seconds at which the counted repetitions ended.
    """

    def __init__(self, movement: Movement) -> None:
        self.movement = movement
        self.ends_s: list[float] = []
        self._usual_rise = self._usual_high_s = 0.0
        self._forget()

    def _forget(self) -> None:
        """Resets the state after a long gap, across which nothing can be concluded."""
        self._value = self._time_s = math.nan
        self._high = False
        self._low = self._peak = 0.0
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
                self._high, self._falls_s, self._end_s = True, self._time_s, math.inf
                return
            self._count(self._time_s)
        self._high, self._peak, self._falls_s = True, value, self._time_s

    def _while_high(self, last: float, last_s: float) -> None:
        value, threshold = self._value, self.threshold
        self._peak = max(self._peak, value)
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
            self._before = (self._low, self._risen_s, self._peak, self._usual_rise, self._usual_high_s)
            self._end_s = max(self._fallen_s + _REST_OF_HIGH * high_s, self._time_s)
            self._nearly_low = self._peak - self.movement.settled * rise
            self._predict_end(last, last_s)
            self._usual_rise = _towards(self._usual_rise, rise)
            self._usual_high_s = _towards(self._usual_high_s, high_s)
        self._low = value

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
        self.ends_s.append(time_s)
        self._end_s = math.inf


def _towards(usual: float, new: float) -> float:
    return usual + _LEARNING * (new - usual) if usual else new
