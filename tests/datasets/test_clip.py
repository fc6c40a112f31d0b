import dataclasses

import numpy as np
import pytest

from skelgnn_tf.datasets.clip import Clip


def keypoints(frames=5, channels=2):
    return np.zeros((1, frames, 17, channels), np.float32)


def poses(frames=5):
    return np.zeros((frames, 17, 3), np.float32)


@pytest.mark.parametrize("channels", [2, 3])
def test_a_clip_counts_its_frames(channels):
    assert Clip("walk", keypoints(7, channels), poses(7)).num_frames == 7
    assert Clip("walk", keypoints(7, channels)).pose_m is None


def test_a_clip_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Clip("walk", keypoints()).fps = 10


@pytest.mark.parametrize("shape", [(5, 17, 2), (1, 5, 17, 4), (1, 5, 17)])
def test_keypoints_of_another_shape_are_refused_with_the_clip_named(shape):
    with pytest.raises(ValueError, match=r"walk.*must be .persons, frames, joints"):
        Clip("walk", np.zeros(shape, np.float32))


@pytest.mark.parametrize("shape", [(4, 17, 3), (5, 16, 3), (5, 17, 2)])
def test_poses_that_do_not_fit_the_keypoints_are_refused(shape):
    with pytest.raises(ValueError, match=r"walk.*pose_m"):
        Clip("walk", keypoints(), np.zeros(shape, np.float32))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_coordinates_that_are_no_numbers_are_refused_with_frame_and_joint_named(value):
    broken = keypoints()
    broken[0, 3, 11, 1] = value
    with pytest.raises(ValueError, match=r"walk: keypoints.*frame 3, joint 11"):
        Clip("walk", broken)
    broken = poses()
    broken[2, 9, 0] = value
    with pytest.raises(ValueError, match=r"walk: pose_m.*frame 2, joint 9"):
        Clip("walk", keypoints(), broken)


def test_what_a_missing_keypoint_was_is_forgotten():
    detected = np.ones((1, 5, 17, 3), np.float32)
    detected[0, 2, 4] = (np.nan, np.inf, 0)
    clip = Clip("walk", detected)
    assert (clip.keypoints[0, 2, 4] == 0).all()
    assert (clip.keypoints.sum(axis=-1) == 3).sum() == 5 * 17 - 1


def test_the_poses_of_several_persons_are_checked_person_by_person():
    both = np.zeros((2, 5, 17, 2), np.float32)
    assert Clip("two", both, np.zeros((2, 5, 17, 3), np.float32)).pose_m.shape == (2, 5, 17, 3)
    with pytest.raises(
        ValueError, match=r"two: pose_m must be \(5, 17, 3\) or \(2, 5, 17, 3\).*Received: \(3, 5, 17, 3\)"
    ):
        Clip("two", both, np.zeros((3, 5, 17, 3), np.float32))
    broken = np.zeros((2, 5, 17, 3), np.float32)
    broken[1, 4, 8, 0] = np.nan
    with pytest.raises(ValueError, match=r"two: pose_m must be finite. Received: NaN or infinity at frame 4, joint 8"):
        Clip("two", both, broken)
