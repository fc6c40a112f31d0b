"""The one-euro filter: little jitter at rest, little lag in motion."""

from __future__ import annotations

import math

import numpy as np

from skelgnn_tf.motion.gaps import LONGEST_GAP_S


class OneEuroFilter:
    """A low-pass filter whose cutoff rises with the speed of its input, separately for each number.

    Args:
        min_cutoff: Cutoff in Hz for an input at rest. A lower value gives less jitter at rest.
        beta: Increase of the cutoff in Hz per unit of speed (Hz per m/s for poses). A higher value gives less lag in
            motion.
        derivative_cutoff: Cutoff in Hz of the speed itself.

    Raises:
        ValueError: A cutoff is not positive, or `beta` is negative.

    Example:
        >>> smooth = OneEuroFilter()
        >>> smooth.push(np.zeros((17, 3)), 0.0).shape, float(smooth.push(np.ones((17, 3)), 1 / 30).max()) < 1
        ((17, 3), True)

    Source: Casiez, Roussel, Vogel, "1€ Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive
    Systems", CHI 2012, algorithm 1.
    """

    # The defaults are for poses in meters at 15 to 60 frames per second. They were chosen on `fitness` clips lifted by
    # fitness_9f: they remove the most jitter for a lag of a third of a frame at 30 frames per second. Velocity error
    # 241 -> 190 mm/s at 30 frames per second and 428 -> 220 at 60, lag 19 -> 31 ms, MPJPE 73.5 -> 73.9 mm.
    def __init__(self, min_cutoff: float = 1.0, beta: float = 8.0, derivative_cutoff: float = 3.0) -> None:
        if not (min_cutoff > 0 and beta >= 0 and derivative_cutoff > 0):
            raise ValueError(
                "min_cutoff and derivative_cutoff must be above 0 Hz and beta must be at least 0. Received: "
                f"{min_cutoff}, {derivative_cutoff} and {beta}."
            )
        self.min_cutoff, self.beta, self.derivative_cutoff = min_cutoff, beta, derivative_cutoff
        self._time_s = -math.inf
        self._value: np.ndarray | None = None

    def push(self, values: np.ndarray, time_s: float) -> np.ndarray:
        """Filters the next values.

        A missing value (NaN) stays NaN and does not change the filter. A value that returns within half a second is
        filtered over the elapsed time. After a longer gap the filter starts anew.

        Args:
            values: Array of any shape, the same at every call.
            time_s: Time of the values in seconds, later than the previous one.

        Returns:
            float64, the same shape.

        Raises:
            ValueError: The shape differs from the previous one, or the time does not increase.
        """
        values = np.array(values, np.float64)
        seen = np.isfinite(values)
        if self._value is None:
            self._value, self._speed = np.full(values.shape, np.nan), np.zeros(values.shape)
            self._seen_s = np.full(values.shape, -np.inf)
        if values.shape != self._value.shape:
            raise ValueError(
                f"values must keep the shape {self._value.shape} of the first call. Received: {values.shape}."
            )
        if not time_s > self._time_s:
            raise ValueError(f"time_s must increase. Received: {time_s} s after {self._time_s} s.")
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
        """Filters a whole clip with a new filter of the same settings, frame by frame.

        Args:
            values: (frames, ...).
            fps: Frames per second.
            both_ways: Whether to filter the result again from the end to the start, which smooths twice as much and
                removes the lag. A live application cannot do this, since later frames are unknown.

        Returns:
            float64, the same shape.

        Raises:
            ValueError: `fps` is not positive.
        """
        if not fps > 0:
            raise ValueError(f"fps must be positive. Received: {fps}.")
        fresh = OneEuroFilter(self.min_cutoff, self.beta, self.derivative_cutoff)
        forth = np.array([fresh.push(frame, t / fps) for t, frame in enumerate(values)]).reshape(np.shape(values))
        return self.smooth(forth[::-1], fps)[::-1] if both_ways else forth


def _share(cutoff_hz: np.ndarray | float, seconds: np.ndarray) -> np.ndarray:
    """Share in [0, 1] of the way to a new value that a low-pass filter goes, `seconds` after the previous value."""
    return 1 / (1 + 1 / (2 * math.pi * cutoff_hz * seconds))
