"""The one-euro filter against the paper's algorithm for one number, and what it is for: less jitter, little lag."""

import math

import numpy as np
import pytest

from skelgnn_tf.motion import OneEuroFilter


def one_number(values, times_s, min_cutoff, beta, derivative_cutoff):
    """Casiez et al., algorithm 1, for one number, in the paper's terms of rate and smoothing factor."""

    def alpha(rate, cutoff):
        tau = 1 / (2 * math.pi * cutoff)
        te = 1 / rate
        return 1 / (1 + tau / te)

    x, dx, out = values[0], 0.0, [values[0]]
    for value, now, last in zip(values[1:], times_s[1:], times_s[:-1], strict=True):
        rate = 1 / (now - last)
        a = alpha(rate, derivative_cutoff)
        dx = a * (value - x) * rate + (1 - a) * dx
        a = alpha(rate, min_cutoff + beta * abs(dx))
        x = a * value + (1 - a) * x
        out.append(x)
    return out


def test_every_number_is_filtered_as_the_paper_says():
    rng = np.random.default_rng(0)
    times_s = np.cumsum(rng.uniform(0.01, 0.07, 40))
    values = np.cumsum(rng.normal(size=(40, 3, 2)) * 0.05, axis=0)
    filtered = OneEuroFilter(0.8, 3.0, 2.0)
    out = np.stack([filtered.push(value, time_s) for value, time_s in zip(values, times_s, strict=True)])
    for i in np.ndindex(3, 2):
        np.testing.assert_allclose(
            out[(slice(None), *i)], one_number(values[(slice(None), *i)], times_s, 0.8, 3.0, 2.0)
        )


def test_a_whole_clip_is_what_pushing_its_frames_gives():
    clip = np.random.default_rng(1).normal(size=(30, 17, 3))
    live, whole = OneEuroFilter(), OneEuroFilter()
    frames = [live.push(frame, t / 25) for t, frame in enumerate(clip)]
    np.testing.assert_array_equal(whole.smooth(clip, 25), frames)
    # The clip leaves no trace in the filter.
    np.testing.assert_array_equal(whole.smooth(clip, 25), frames)
    assert whole.smooth(np.zeros((0, 17, 3)), 25).shape == (0, 17, 3)


@pytest.mark.parametrize("fps", [15, 24, 30, 60])
def test_who_stands_still_trembles_less_and_who_moves_lags_little(fps):
    rng = np.random.default_rng(2)
    t = np.arange(6 * fps) / fps
    noise = 0.01 * rng.normal(size=(len(t), 17, 3))
    still = OneEuroFilter().smooth(noise, fps)
    assert still[fps:].std() < 0.75 * noise[fps:].std()
    # A wrist that goes to and fro by 40 cm in 1.5 seconds: late by under 40 ms.
    way = 0.4 * np.sin(2 * np.pi * t / 1.5)
    moved = OneEuroFilter().smooth(way, fps)
    lags_s = np.arange(0, 0.2, 0.002)
    lag_s = lags_s[
        np.argmin([np.mean((moved - 0.4 * np.sin(2 * np.pi * (t - lag) / 1.5))[fps:] ** 2) for lag in lags_s])
    ]
    assert 0 < lag_s < 0.04


def test_both_ways_a_clip_does_not_lag_and_trembles_less():
    ramp = np.arange(90) / 30
    one_way, both_ways = (OneEuroFilter().smooth(ramp, 30, both) for both in (False, True))
    assert np.abs(one_way - ramp)[30:60].min() > 0.01 and np.abs(both_ways - ramp)[30:60].max() < 0.001
    noise = 0.01 * np.random.default_rng(3).normal(size=600)
    once, twice = (OneEuroFilter().smooth(noise, 30, both).std() for both in (False, True))
    assert twice < 0.9 * once
    assert OneEuroFilter().smooth(np.zeros((0, 17, 3)), 25, both_ways=True).shape == (0, 17, 3)


def test_a_higher_beta_lags_less_and_a_lower_cutoff_trembles_less():
    ramp = np.arange(60) / 30
    lag = [ramp[-1] - OneEuroFilter(beta=beta).smooth(ramp, 30)[-1] for beta in (0.0, 1.0, 10.0)]
    assert lag[0] > lag[1] > lag[2] > 0
    noise = 0.01 * np.random.default_rng(3).normal(size=600)
    trembling = [OneEuroFilter(cutoff, 0.0).smooth(noise, 30).std() for cutoff in (0.5, 2.0, 8.0)]
    assert trembling[0] < trembling[1] < trembling[2] < noise.std()


def test_frame_rates_agree():
    slow = [OneEuroFilter().smooth(0.2 * np.sin(np.arange(4 * fps) / fps), fps)[:: fps // 15] for fps in (15, 30, 60)]
    np.testing.assert_allclose(slow[0], slow[2], atol=0.01)
    np.testing.assert_allclose(slow[1], slow[2], atol=0.005)


def test_a_missing_joint_stays_missing_and_disturbs_no_other():
    clip = np.random.default_rng(4).normal(size=(20, 2, 3))
    whole = OneEuroFilter().smooth(clip, 30)
    clip[5:9, 1] = np.nan
    holed = OneEuroFilter().smooth(clip, 30)
    np.testing.assert_array_equal(holed[:, 0], whole[:, 0])
    assert np.isnan(holed[5:9, 1]).all() and np.isfinite(np.delete(holed[:, 1], range(5, 9), axis=0)).all()


def test_what_comes_back_soon_is_filtered_by_the_time_gone_and_later_starts_anew():
    for gap_s, anew in ((0.4, False), (0.6, True)):
        smooth = OneEuroFilter()
        smooth.push(np.array([0.0]), 0.0)
        smooth.push(np.array([np.nan]), gap_s / 2)
        back = float(smooth.push(np.array([1.0]), gap_s)[0])
        expected = 1.0 if anew else one_number([0.0, 1.0], [0.0, gap_s], 1.0, 8.0, 3.0)[-1]
        assert back == pytest.approx(expected)


def test_what_does_not_fit_is_named():
    smooth = OneEuroFilter()
    smooth.push(np.zeros(3), 0.0)
    with pytest.raises(ValueError, match="time_s must increase. Received: 0.0 s after 0.0 s"):
        smooth.push(np.zeros(3), 0.0)
    with pytest.raises(ValueError, match="must keep the shape \\(3,\\) .*Received: \\(4,\\)"):
        smooth.push(np.zeros(4), 0.1)
    with pytest.raises(ValueError, match="fps must be positive. Received: 0"):
        smooth.smooth(np.zeros((2, 3)), 0)
    for bad in ((0, 1, 1), (1, -1, 1), (1, 1, 0), (float("nan"), 1, 1)):
        with pytest.raises(ValueError, match="min_cutoff and derivative_cutoff must be above 0"):
            OneEuroFilter(*bad)
