"""Gaps: short ones are bridged and marked, long ones stay; live they are held."""

import numpy as np
import pytest

from skelgnn_tf.motion import GapHolder, bridge_gaps


def straight(frames: int) -> np.ndarray:
    """Two joints on straight lines: (frames, 2, 3)."""
    return np.arange(frames)[:, None, None] * np.array([[1.0, -2.0, 0.5], [0.0, 3.0, 1.0]])


def test_a_joint_on_a_straight_line_comes_back_where_it_was():
    clip = straight(40)
    holed = clip.copy()
    holed[10:25, 0] = np.nan
    # One coordinate is enough to miss a joint.
    holed[3, 1, 2] = np.nan
    bridged, marked = bridge_gaps(holed, 30)
    np.testing.assert_allclose(bridged, clip)
    expected = np.zeros((40, 2), bool)
    expected[10:25, 0] = expected[3, 1] = True
    np.testing.assert_array_equal(marked, expected)


@pytest.mark.parametrize("fps", [24, 30, 60])
def test_half_a_second_is_bridged_and_a_frame_more_is_not(fps):
    for frames in (fps // 2, fps // 2 + 1):
        holed = straight(3 * fps)
        holed[20 : 20 + frames] = np.nan
        bridged, marked = bridge_gaps(holed, fps)
        assert marked.any() == (frames == fps // 2)
        assert np.isnan(bridged).any() == (frames != fps // 2)


def test_nothing_is_made_up_before_the_first_and_after_the_last_sight():
    holed = straight(20)
    holed[:3] = holed[17:] = np.nan
    bridged, marked = bridge_gaps(holed, 30)
    assert not marked.any()
    np.testing.assert_array_equal(np.isnan(bridged), np.isnan(holed))


def test_live_a_joint_stays_for_half_a_second_and_then_is_missing():
    holder = GapHolder()
    pose = straight(2)[1]
    holder.push(pose, 0.0)
    gone = pose.copy()
    gone[1] = np.nan
    for time_s in (0.1, 0.3, 0.5):
        now, held = holder.push(gone, time_s)
        np.testing.assert_array_equal(now, pose)
        assert held.tolist() == [False, True]
    now, held = holder.push(gone, 0.6)
    assert np.isnan(now[1]).all() and not held.any()
    now, held = holder.push(2 * pose, 0.7)
    np.testing.assert_array_equal(now, 2 * pose)
    assert not held.any()


def test_live_and_whole_mark_the_same_joints_while_a_gap_lasts():
    holed = straight(60)
    holed[20:30, 0] = holed[40:45, 1] = np.nan
    _, marked = bridge_gaps(holed, 30)
    holder = GapHolder()
    np.testing.assert_array_equal([holder.push(pose, t / 30)[1] for t, pose in enumerate(holed)], marked)


def test_who_was_never_seen_is_missing():
    now, held = GapHolder().push(np.full((2, 3), np.nan), 0.0)
    assert np.isnan(now).all() and not held.any()


def test_the_poses_given_are_left_alone():
    holed = straight(10)
    holed[4] = np.nan
    bridge_gaps(holed, 30)
    GapHolder().push(holed[4], 0.0)
    assert np.isnan(holed[4]).all()


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match="Received: \\(17, 3\\), 30 fps"):
        bridge_gaps(np.zeros((17, 3)), 30)
    with pytest.raises(ValueError, match="Received: \\(5, 17, 3\\), 0 fps"):
        bridge_gaps(np.zeros((5, 17, 3)), 0)
