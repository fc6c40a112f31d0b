"""Noise, missing joints and swapped sides, checked by statistics of the random numbers."""

import itertools
import math

import numpy as np
import pytest

from skelgnn_tf.augmentation import detector_noise
from skelgnn_tf.skeletons import H36M_17
from support.people import a_batch, draws


@pytest.mark.parametrize("frames", [1, 2, 9])
def test_sides_are_swapped_for_a_while_in_as_many_windows_as_asked_for(frames):
    keypoints, _ = a_batch(3000, 3, frames)
    swapped = np.asarray(detector_noise.swap_sides(keypoints, 0.3, H36M_17, draws()))
    left, right = H36M_17.index("left_knee"), H36M_17.index("right_knee")
    inside = (swapped[:, :, left] == keypoints[:, :, right]).all(axis=-1)
    mirrored = keypoints[:, :, list(H36M_17.mirror)]
    np.testing.assert_array_equal(swapped, np.where(inside[:, :, None, None], mirrored, keypoints))
    assert inside.any(axis=1).mean() == pytest.approx(0.3, abs=0.03)
    # One run, up to half a window long, that may begin at any frame.
    assert (np.abs(np.diff(inside.astype(int), axis=1)).sum(axis=1) <= 2).all()
    assert inside.sum(axis=1).max() <= math.ceil(frames / 2)
    assert inside.any(axis=0).all()


def test_noise_is_as_large_as_asked_for_at_a_typical_joint():
    keypoints, _ = a_batch(800, 2, 4)
    keypoints[:400] *= 0.25
    moved = np.asarray(detector_noise.blur(keypoints, 0.02, draws()))
    box = np.ptp(keypoints, axis=2).max(axis=-1)[:, :, None, None]
    error = (moved - keypoints.astype(float)) / box
    error[error == 0] = 1e-4
    # The mean of log |normal| is -(Euler's constant + log 2) / 2: so the typical deviation, whatever its spread.
    typical = np.exp(np.mean(np.log(np.abs(error)), axis=(1, 2, 3)) + (np.euler_gamma + math.log(2)) / 2)
    assert np.exp(np.mean(np.log(typical[:400]))) == pytest.approx(0.02, rel=0.05)
    assert np.exp(np.mean(np.log(typical[400:]))) == pytest.approx(0.02, rel=0.05)
    assert np.abs(error.mean()) < 0.001
    # Most of it lasts through the window.
    a, b = error[:, 0].ravel(), error[:, 3].ravel()
    assert np.corrcoef(a, b)[0, 1] == pytest.approx(0.64, abs=0.05)


def test_confidence_falls_where_the_noise_is_large():
    keypoints, _ = a_batch(800)
    keypoints[..., 2] = 1
    keypoints[:, :, 4, 2] = 0
    moved = np.asarray(detector_noise.blur(keypoints, 0.02, draws()))
    assert not moved[:, :, 4, 2].any()
    confidence = np.delete(moved[..., 2], 4, axis=2)
    size = np.delete(np.linalg.norm(moved[..., :2] - keypoints[..., :2], axis=-1), 4, axis=2)
    assert 0.05 <= confidence.min() and confidence.max() <= 1
    bins = np.quantile(size, [0, 0.25, 0.5, 0.75, 1])
    means = [confidence[(size >= low) & (size <= high)].mean() for low, high in itertools.pairwise(bins)]
    assert means == sorted(means, reverse=True) and means[0] - means[-1] > 0.2


def test_dropped_keypoints_are_as_many_as_asked_for_and_have_no_value():
    keypoints, _ = a_batch(2000, 3, 4)
    keypoints[..., 2] = 1
    dropped = np.asarray(detector_noise.drop(keypoints, 0.2, draws()))
    missing = dropped[..., 2] == 0
    assert missing.mean() == pytest.approx(0.2, abs=0.015)
    assert not dropped[missing].any()
    np.testing.assert_array_equal(dropped[~missing], keypoints[~missing])
    # Half of them all the time, the others now and then.
    throughout = missing.all(axis=1).mean()
    assert throughout == pytest.approx(0.1, abs=0.015)
    # How many differs from window to window, more than chance would have it.
    fraction = missing[:, 0].mean(axis=1)
    assert fraction.std() > 1.15 * math.sqrt(0.2 * 0.8 / 17)


def test_draws_of_one_seed_are_the_same_and_of_others_not():
    for make in (lambda d: d.normal((5, 3)), lambda d: d.uniform((5, 3), -2, 7)):
        a, b, c = (np.asarray(make(draws(seed))) for seed in (1, 1, 2))
        np.testing.assert_array_equal(a, b)
        assert (a != c).any()
        assert a.dtype == np.float32
    assert np.asarray(draws().uniform((1000,), -2, 7)).min() >= -2
