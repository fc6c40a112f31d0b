"""benchmarks/_timing.py: every alternative has its turn, and ratios do not depend on a clock that changes."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def timing(load):
    return load("_timing")


def test_every_work_has_its_turn_in_every_round_and_the_first_round_does_not_count(timing):
    calls = []
    works = {name: (lambda name=name: calls.append(name)) for name in "abc"}
    seconds = timing.time_in_turns(works, 4)
    assert list(seconds) == ["a", "b", "c"] and all(taken.shape == (4, 1) for taken in seconds.values())
    rounds = np.reshape(calls, (5, 3))
    assert all(sorted(one) == ["a", "b", "c"] for one in rounds)
    assert {one[0] for one in rounds} == {one[-1] for one in rounds} == {"a", "b", "c"}


def test_a_turn_may_be_several_runs_in_a_row(timing):
    calls = []
    seconds = timing.time_in_turns({name: (lambda name=name: calls.append(name)) for name in "ab"}, 3, runs=10)
    assert all(taken.shape == (3, 10) and np.all(taken > 0) for taken in seconds.values())
    turns = ["".join(calls[i : i + 10]) for i in range(0, len(calls), 10)]
    assert turns == [name * 10 for name in "abbaabba"]


def test_work_is_waited_for_before_and_after_and_the_waiting_for_others_does_not_count(timing):
    now, pending = [0.0], []

    def finish():
        while pending:
            now[0] += pending.pop()

    works = {"quick": lambda: pending.append(1.0), "slow": lambda: pending.append(5.0)}
    seconds = timing.time_in_turns(works, 3, finish=finish, clock=lambda: now[0])
    assert np.all(seconds["quick"] == 1) and np.all(seconds["slow"] == 5)


def test_a_ratio_does_not_depend_on_a_clock_that_changes(timing):
    clock = np.array([1.0, 3.0, 0.5, 2.0, 1.3])[:, None]
    assert timing.ratios(2 * clock, clock) == "2.00 (2.00-2.00)"
    # 1, 2, 3, 4, 5 times as long.
    assert timing.ratios(np.arange(1, 6)[:, None] * clock, clock) == "3.00 (2.00-4.00)"
    assert timing.ratios(1234 * clock, clock) == "1,234 (1,234-1,234)"


def test_a_round_counts_with_the_median_of_its_runs(timing):
    seconds = np.array([[1.0, 2.0, 90.0], [3.0, 80.0, 4.0], [70.0, 6.0, 5.0]])
    assert timing.median_s(seconds) == 4.0
    assert timing.median_ms(seconds) == "4000.00"
    assert timing.spread([3.0, 1.0, 2.0], 1) == "1.0 / 2.0 / 3.0"
