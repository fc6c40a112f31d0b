"""What becomes of inputs before an exported file sees them: missing keypoints, other units, states, poses."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from skelgnn_tf.inference.guards import guard

SIZE = np.float32([[640, 480]])
ANY = st.sampled_from([0, -3, 0.25, 1, 20, 639, math.nan, math.inf, -math.inf])
#: Three keypoints of a detector that gives shares of the picture.
SHARES = ([0.25, 0.5, 1], [0.1, 0.3, 1], [0.2, 0, 0.5])


def window(*keypoints):
    """float32 (1, 1, joints, 3) of one frame."""
    return np.float32([[keypoints]])


def of(keypoints, size=SIZE, **more):
    return guard({"keypoints": keypoints, "image_size": np.float32(size), **more})


@given(
    npst.arrays(np.float32, (1, 2, 5, 2), elements=ANY),
    npst.arrays(np.float32, (1, 2, 5, 1), elements=st.sampled_from([0, -1, 1e-9, 0.5, 1, math.nan, -math.inf])),
)
def test_a_keypoint_without_a_place_or_a_confidence_becomes_zeros(xy, confidence):
    keypoints = np.concatenate([xy, confidence], axis=-1)
    # One in the middle of the picture says that all are pixels.
    keypoints[0, 0, 0] = 320, 240, 0.5
    before = keypoints.copy()
    found = of(keypoints)["keypoints"]
    for place in np.ndindex(1, 2, 5):
        x, y, c = keypoints[place].tolist()
        known = math.isfinite(x) and math.isfinite(y) and c > 0
        np.testing.assert_array_equal(found[place], [x, y, c] if known else [0, 0, 0])
    np.testing.assert_array_equal(keypoints, before)


@pytest.mark.parametrize(
    ("keypoints", "size", "message"),
    [
        (window([320, 240, 1.002]), (640, 480), "keypoints must have a confidence of 0 to 1. Received: 1.002. Divide"),
        (window([320, 240, 0.5], [9, 9, math.inf]), (640, 480), "confidence of 0 to 1. Received: inf."),
        (window([320, 240, 1]), (0, 480), "above 0. Received: 0 x 480. Pass the size of the picture"),
        (window([320, 240, 1]), (640, -480), "above 0. Received: 640 x -480."),
        (window([320, 240, 1]), (math.nan, 480), "above 0. Received: nan x 480."),
        (window([320, 240, 1]), (640, math.inf), "above 0. Received: 640 x inf."),
        (window(*SHARES, [0, 1.5, 1]), (640, 480), "in pixels. Received: x and y of at most 1.5 in a"),
        (window(*SHARES, [300, 200, 0]), (640, 480), "a picture of 640 x 480 pixels. Multiply x by the width"),
        (window(*SHARES, [300, math.nan, 1]), (640, 480), "in pixels. Received: x and y of at most 0.5"),
        (window(*SHARES), (17, 9), "must be in pixels"),
    ],
)  # fmt: skip
def test_another_unit_is_refused(keypoints, size, message):
    with pytest.raises(ValueError) as refused:
        of(keypoints, [size])
    assert message in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("keypoints", "size"),
    [
        (window([320, 240, 1.0005]), (640, 480)),
        (window(*SHARES, [0, 1.51, 1]), (640, 480)),
        (window(*SHARES, [-0.1, 0, 1]), (640, 480)),
        (window(*SHARES), (16, 16)),
        (window([0.25, 0.5, 0]), (640, 480)),
        (window(*SHARES[:2], [0.1, 0.1, 0], [0.1, 0.1, math.nan]), (640, 480)),
        (window([320, 240, 1]), (0.5, 0.5)),
    ],
    ids=["rounding", "beyond the edge", "left of the edge", "small picture", "nobody", "two joints", "tiny"],
)
def test_what_may_be_pixels_passes(keypoints, size):
    found = of(keypoints, [size])["keypoints"]
    np.testing.assert_array_equal(found, np.where(keypoints[..., 2:] > 0, keypoints, 0))


def test_joints_are_counted_in_each_frame():
    """Two joints that stay in the corner are a bad detection, however long they stay; three in any frame are not."""
    frames = np.repeat(window(*SHARES[:2], [0, 0, 0]), 9, axis=1)
    np.testing.assert_array_equal(of(frames)["keypoints"], frames)
    frames[0, 5, 2] = SHARES[2]
    with pytest.raises(ValueError, match="keypoints must be in pixels"):
        of(frames)


def test_every_window_of_a_batch_is_looked_at():
    pixels, shares = window(*[[320, 240, 1]] * 3), window(*[[0.5, 0.5, 1]] * 3)
    both = np.concatenate([pixels, shares])
    with pytest.raises(ValueError, match="at most 0.5 in a picture of 320 x 240"):
        of(both, [[640, 480], [320, 240]])
    np.testing.assert_array_equal(of(both, [[640, 480], [16, 16]])["keypoints"], both)
    with pytest.raises(ValueError, match="Received: 0 x 0"):
        of(np.concatenate([pixels, pixels]), [[640, 480], [0, 0]])


def test_a_state_is_guarded_as_the_keypoints_that_it_holds():
    good, frame = [320.0, 240, 0.5, 1], window([320, 240, 1])
    spoiled = np.float32([[[good], [[math.nan, 240, 0.5, 1]], [[5, math.inf, 0.5, 1]], [[5, 5, 0, math.nan]]]])
    found = of(frame, state=spoiled)["state"]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.float32([[[good], [[0, 0, 0, 1]], [[0, 0, 0, 1]], [[0, 0, 0, 0]]]]))
    for other, message in (
        ([320, 240, 90, 1], "state must have a confidence of 0 to 1"),
        ([0.5, 0.5, 1, 1], "state must be in pixels"),
    ):
        with pytest.raises(ValueError, match=message):
            of(frame, state=np.float32([[[other] * 3]]))


def test_poses_must_be_finite():
    pose_m = np.zeros((1, 1, 4, 17, 3), np.float32)
    np.testing.assert_array_equal(guard({"pose_m": pose_m})["pose_m"], pose_m)
    pose_m[0, 0, 2, 5, 1] = math.nan
    with pytest.raises(ValueError, match="pose_m must be finite. Received: NaN or infinity"):
        guard({"pose_m": pose_m})
