"""The one-euro filter: little jitter at rest, little lag in motion."""

from __future__ import annotations

import math

import numpy as np

from skelgnn_tf.motion.gaps import LONGEST_GAP_S


class OneEuroFilter:
    """A low-pass filter whose cutoff rises with the speed of what it filters, every number for itself.

    Args:
        min_cutoff: Hz, the cutoff of what does not move. Lower: less jitter at rest.
        beta: Hz per unit of speed (for poses Hz per m/s). Higher: less lag in motion.
        derivative_cutoff: Hz, the cutoff of the speed itself.

    Raises:
        ValueError: A cutoff that is not positive, a negative beta.

    Example:
        >>> smooth = OneEuroFilter()
        >>> smooth.push(np.zeros((17, 3)), 0.0).shape, float(smooth.push(np.ones((17, 3)), 1 / 30).max()) < 1
        ((17, 3), True)

    Source: Casiez, Roussel, Vogel, "1€ Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive
    Systems", CHI 2012, algorithm 1.
    """

    # The defaults are for poses in metres at 15 to 60 frames a second, chosen on clips of `fitness` that fitness_9f had
    # lifted, as those that take most jitter away for a lag of a third of a frame at 30 a second:
    # error of velocity 241 -> 190 mm/s at 30 frames a second, 428 -> 220 at 60, lag 19 -> 31 ms, MPJPE 73.5 -> 73.9 mm.
    def __init__(self, min_cutoff: float = 1.0, beta: float = 8.0, derivative_cutoff: float = 3.0) -> None:
        if not (min_cutoff > 0 and beta >= 0 and derivative_cutoff > 0):
            raise ValueError(
                "OneEuroFilter wants min_cutoff and derivative_cutoff above 0 Hz and beta of 0 or more; "
                f"got {min_cutoff}, {derivative_cutoff} and {beta}"
            )
        self.min_cutoff, self.beta, self.derivative_cutoff = min_cutoff, beta, derivative_cutoff
        self._time_s = -math.inf
        self._value: np.ndarray | None = None

    def push(self, values: np.ndarray, time_s: float) -> np.ndarray:
        """Filters the next values.

        A missing value (NaN) is NaN in the result and changes nothing; a value that comes back within half a second
        is filtered by the time that has passed, later it starts anew.

        Args:
            values: Of any shape, the same at every call.
            time_s: When they were measured, later than those before.

        Returns:
            float64, the same shape.

        Raises:
            ValueError: Another shape than before, a time that does not grow.
        """
        values = np.array(values, np.float64)
        seen = np.isfinite(values)
        if self._value is None:
            self._value, self._speed = np.full(values.shape, np.nan), np.zeros(values.shape)
            self._seen_s = np.full(values.shape, -np.inf)
        if values.shape != self._value.shape:
            raise ValueError(f"OneEuroFilter wants values of one shape, {self._value.shape} so far; got {values.shape}")
        if not time_s > self._time_s:
            raise ValueError(f"OneEuroFilter wants times that grow; got {time_s} s after {self._time_s} s")
        self._time_s = time_s
        fresh = seen & ~(time_s - self._seen_s <= LONGEST_GAP_S + 1e-6)
        known = seen & ~fresh
        seconds = np.where(known, time_s - self._seen_s, 1.0)
        speed = np.where(known, (values - self._value) / seconds, 0.0)
        speed = self._speed + _share(self.derivative_cutoff, seconds) * (speed - self._speed)
        filtered = self._value + _share(self.min_cutoff + self.beta * np.abs(speed), seconds) * (values - self._value)
        self._speed = np.where(known, speed, np.where(fresh, 0.0, self._speed))
        self._value = np.where(known, filtered, np.where(fresh, values, self._value))
        self._seen_s = np.where(seen, time_s, self._seen_s)
        return np.where(seen, self._value, np.nan)

    def smooth(self, values: np.ndarray, fps: float, both_ways: bool = False) -> np.ndarray:
        """A whole clip filtered by a fresh filter of these settings, frame by frame.

        Args:
            values: (frames, ...).
            fps: Frames per second.
            both_ways: Filter the result from its end to its start as well: twice as smooth, and without any lag. Live
                nobody knows the frames that come.

        Returns:
            float64, the same shape.

        Raises:
            ValueError: A frame rate that is not positive.
        """
        if not fps > 0:
            raise ValueError(f"OneEuroFilter wants a positive frame rate; got {fps} fps")
        fresh = OneEuroFilter(self.min_cutoff, self.beta, self.derivative_cutoff)
        forth = np.array([fresh.push(frame, t / fps) for t, frame in enumerate(values)]).reshape(np.shape(values))
        return self.smooth(forth[::-1], fps)[::-1] if both_ways else forth


def _share(cutoff_hz: np.ndarray | float, seconds: np.ndarray) -> np.ndarray:
    """How much of the way to a new value, `seconds` after the last one, a low-pass filter goes: 0..1."""
    return 1 / (1 + 1 / (2 * math.pi * cutoff_hz * seconds))
