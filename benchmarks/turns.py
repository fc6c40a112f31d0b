"""Timing on a machine whose clock swings: all that is compared takes turns, and ratios are taken within a round."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf


def take_turns(works: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, np.ndarray]:
    """Calls every work once a round; a first round, which traces and compiles, does not count.

    Args:
        works: What to time, by name.
        rounds: That count.

    Returns:
        Seconds (rounds,) by name.
    """
    names, seconds = list(works), {name: np.zeros(rounds + 1) for name in works}
    for number in range(rounds + 1):
        # Each work comes first, last and between the others in turn.
        for name in np.roll(names, -number):
            seconds[name][number] = _seconds(works[name])
    return {name: taken[1:] for name, taken in seconds.items()}


def _seconds(work: Callable[[], object]) -> float:
    tf.test.experimental.sync_devices()
    begun = time.perf_counter()
    work()
    # A GPU returns before it is done.
    tf.test.experimental.sync_devices()
    return time.perf_counter() - begun


def ratios(seconds: np.ndarray, reference: np.ndarray) -> str:
    """How many times as long as the reference: the median of the rounds, and the middle half of them in brackets."""
    low, middle, high = (_three_digits(q) for q in np.quantile(seconds / reference, (0.25, 0.5, 0.75)))
    return f"{middle} ({low}-{high})"


def _three_digits(ratio: float) -> str:
    return f"{ratio:,.{2 if ratio < 10 else 1 if ratio < 100 else 0}f}"
