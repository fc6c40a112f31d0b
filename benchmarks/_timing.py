"""The one way to time in these benchmarks: all alternatives in one run, in turns, and ratios within a round.

The clock of a machine may change by a factor of three between two runs. Every alternative therefore has a turn in
every round, times are medians over the rounds, and a ratio is the median of the ratios within each round.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np

Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")


def rounds_of(names: Sequence[Key], rounds: int) -> Iterator[list[Key]]:
    """The order of the turns in each round: everything comes first, last, and between the others."""
    for number in range(rounds):
        first = number % len(names)
        yield [*names[first:], *names[:first]]


def time_in_turns(
    works: Mapping[Key, Callable[[], object]],
    rounds: int,
    *,
    runs: int = 1,
    finish: Callable[[], object] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[Key, np.ndarray]:
    """Times alternatives in turns. An additional first round, which traces and compiles, is not counted.

    Args:
        works: Alternatives by name.
        rounds: Number of rounds that count.
        runs: Number of runs in a row in each turn.
        finish: Waits for work that returns early, as on a GPU (`tensorflow_done`).
        clock: Seconds; `time.process_time` counts only the time on a core.

    Returns:
        Seconds (rounds, runs) of each alternative.
    """
    seconds: dict[Key, list[list[float]]] = {name: [] for name in works}
    for order in rounds_of(list(works), rounds + 1):
        for name in order:
            seconds[name].append([_seconds(works[name], finish, clock) for _ in range(runs)])
    return {name: np.array(taken[1:]) for name, taken in seconds.items()}


def timed(work: Callable[..., Result], *arguments: object) -> tuple[Result, float]:
    """Result and seconds of a single call, for what cannot be repeated, such as a first read."""
    start = time.perf_counter()
    result = work(*arguments)
    return result, time.perf_counter() - start


def _seconds(work: Callable[[], object], finish: Callable[[], object] | None, clock: Callable[[], float]) -> float:
    if finish:
        finish()
    start = clock()
    work()
    if finish:
        finish()
    return clock() - start


def tensorflow_done() -> None:
    """Waits until TensorFlow's devices are idle."""
    import tensorflow as tf

    tf.test.experimental.sync_devices()


def median_s(seconds: np.ndarray) -> float:
    """Median over the rounds of seconds (rounds, runs); a round counts with the median of its runs."""
    return float(np.median(_of_rounds(seconds)))


def median_ms(seconds: np.ndarray, digits: int = 2) -> str:
    """`median_s` in milliseconds, for a table."""
    return f"{1e3 * median_s(seconds):.{digits}f}"


def ratios(values: np.ndarray, reference: np.ndarray) -> str:
    """How many times the reference, for a table: median of the rounds' own ratios, middle half in brackets.

    Args:
        values: (rounds, runs), seconds or anything measured in them.
        reference: The same of what it is compared with.
    """
    low, middle, high = map(_three_digits, np.quantile(_of_rounds(values) / _of_rounds(reference), (0.25, 0.5, 0.75)))
    return f"{middle} ({low}-{high})"


def spread(values: Sequence[float], digits: int) -> str:
    """Minimum, median and maximum, for a table."""
    return " / ".join(f"{value:,.{digits}f}" for value in (min(values), statistics.median(values), max(values)))


def _of_rounds(seconds: np.ndarray) -> np.ndarray:
    return np.median(seconds, axis=1)


def _three_digits(ratio: float) -> str:
    return f"{ratio:,.{2 if ratio < 10 else 1 if ratio < 100 else 0}f}"
