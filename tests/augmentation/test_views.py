"""Random views and flips, checked against geometry (what a pinhole sees) and statistics of the random numbers."""

import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from skelgnn_tf.augmentation import views as cameras
from skelgnn_tf.augmentation.random import NumpyDraws
from skelgnn_tf.skeletons import H36M_17, MPI_INF_3DHP_17
from support.people import BATCH, a_batch, draws, person, seen_somehow


def turned_by(before, after):
    """The orthogonal matrices (b, 3, 3) that best map the one onto the other, mirror images allowed, and the rest."""
    a, b = before.reshape(len(before), -1, 3), after.reshape(len(after), -1, 3)
    u, _, vt = np.linalg.svd(np.swapaxes(b, 1, 2).astype(float) @ a)
    rotation = u @ vt
    return rotation, np.abs(np.einsum("bxy,bjy->bjx", rotation, a) - b).max()


def pinhole(keypoints, pose):
    """Focal length and place of the person (b, 3) that explain what is seen, by least squares, and the residual.

    u (z + pz) = f (x + px) is linear in pz, f, f px; likewise v.
    """
    focal, place, worst = [], [], 0.0
    for seen, joints in zip(keypoints, pose, strict=True):
        (u, v), (x, y, z) = seen.reshape(-1, 2).astype(float).T, joints.reshape(-1, 3).astype(float).T
        zero, one = np.zeros_like(u), np.ones_like(u)
        left = np.concatenate([np.stack([u, -x, -one, zero], 1), np.stack([v, -y, zero, -one], 1)])
        right = np.concatenate([-u * z, -v * z])
        (pz, f, fx, fy), *_ = np.linalg.lstsq(left, right, rcond=None)
        focal.append(f)
        place.append((fx / f, fy / f, pz))
        worst = max(worst, np.abs(left @ (pz, f, fx, fy) - right).max())
    return np.array(focal), np.array(place), worst


@pytest.fixture(scope="module")
def views():
    target, up = seen_somehow(person())
    keypoints, posed = (np.asarray(x) for x in cameras.random_view(target, up, H36M_17, draws()))
    return target, up, keypoints, posed


def test_a_drawn_view_is_the_same_body_turned_and_never_mirrored(views):
    target, _, _, posed = views
    for child, parent in H36M_17.bones:
        bones = [np.linalg.norm(p[:, :, child] - p[:, :, parent], axis=-1) for p in (target, posed)]
        np.testing.assert_allclose(*bones, atol=1e-5)
    # One rotation for all frames of a window.
    rotation, residual = turned_by(target, posed)
    assert residual < 1e-5
    np.testing.assert_allclose(np.linalg.det(rotation), 1, atol=1e-6)
    np.testing.assert_allclose(posed[:, :, H36M_17.root], 0, atol=1e-6)


def test_keypoints_are_what_a_pinhole_sees_of_the_returned_pose(views):
    _, _, keypoints, posed = views
    focal, place, residual = pinhole(keypoints, posed)
    assert residual < 1e-3
    assert 1.2 - 1e-2 < focal.min() < 1.3 and 2.5 < focal.max() < 2.6 + 1e-2
    distance = np.linalg.norm(place, axis=1)
    assert 1.29 < distance.min() < 1.4 and 6.7 < distance.max() < 7.1
    # As many near as far, in octaves.
    assert np.median(distance) == pytest.approx(math.sqrt(1.3 * 7), rel=0.1)


def angles(views):
    """Elevation, roll and how far aside the person stands, in degrees, from the geometry of the picture only."""
    target, up, keypoints, posed = views
    rotation, _ = turned_by(target, posed)
    up_seen = np.einsum("bxy,by->bx", rotation, up)
    _, place, _ = pinhole(keypoints, posed)
    distance = np.linalg.norm(place, axis=1)
    # The camera is as high over the person as the way to the person goes against up.
    elevation = np.degrees(np.arcsin(np.clip(-(place * up_seen).sum(1) / distance, -1, 1)))
    toward = place / distance[:, None]
    # Roll: how far up leans in a picture that has the person in its center (turned there: yaw, then pitch).
    yaw, pitch = np.arctan2(toward[:, 0], toward[:, 2]), np.arcsin(-toward[:, 1])
    centered = Rotation.from_euler("YX", np.stack([yaw, pitch], 1)).inv().apply(up_seen)
    roll = np.degrees(np.arctan2(centered[:, 0], -centered[:, 1]))
    return elevation, roll, np.degrees(np.arccos(toward[:, 2]))


def test_cameras_look_down_more_than_up_and_often_level(views):
    elevation, _, _ = angles(views)
    # A camera above its person looks down: elevation is positive.
    assert -30.5 < elevation.min() < -28 and 58 < elevation.max() < 60.5
    assert (np.abs(elevation) < 10).mean() == pytest.approx(1 / 3 + 2 / 3 * 20 / 90, abs=0.04)
    assert np.mean(elevation) == pytest.approx(2 / 3 * 15, abs=2)


def test_people_stand_upright_but_for_a_phones_roll(views):
    _, roll, aside = angles(views)
    assert 34 < np.abs(roll).max() < 35.5
    assert np.mean(roll) == pytest.approx(0, abs=1)
    # A bell of 15 degrees, cut off at 35.
    assert np.std(roll) == pytest.approx(15, abs=1)
    assert aside.max() < np.degrees(0.25) * math.sqrt(2) + 0.1
    # In the picture: heads above feet.
    _, _, keypoints, _ = views
    head, ankle = (keypoints[:, 0, H36M_17.index(joint), 1] for joint in ("head", "left_ankle"))
    assert (head < ankle).mean() > 0.99


def test_people_are_seen_from_all_sides(views):
    target, up, _, posed = views
    rotation, _ = turned_by(target, posed)
    left = target[:, 0, H36M_17.index("left_hip")] - target[:, 0, H36M_17.index("right_hip")]
    ahead = np.einsum("bxy,by->bx", rotation, np.cross(left, up))
    sides = np.histogram(np.arctan2(ahead[:, 0], ahead[:, 2]), bins=8)[0] / BATCH
    assert (np.abs(sides - 1 / 8) < 0.03).all()


def test_a_camera_that_looks_straight_down_is_no_special_case():
    pose = person(8)
    up = np.tile(np.float32([[0, 0, -1]]), (8, 1))
    target = (pose * np.float32([1, -1, -1])).astype(np.float32)
    keypoints, posed = cameras.random_view(target, up, H36M_17, draws())
    rotation, residual = turned_by(target, np.asarray(posed))
    assert residual < 1e-5 and np.isfinite(np.asarray(keypoints)).all()
    np.testing.assert_allclose(np.linalg.det(rotation), 1, atol=1e-6)


def test_a_limb_before_the_lens_gives_finite_keypoints():
    target, up = seen_somehow(person(500) * 3)
    keypoints = np.asarray(cameras.random_view(target, up, H36M_17, draws())[0])
    assert np.isfinite(keypoints).all() and np.abs(keypoints).max() < 100


@pytest.mark.parametrize("skeleton", [H36M_17, MPI_INF_3DHP_17], ids=lambda s: s.name)
def test_displaced_joints_move_in_the_picture_and_in_the_pose(skeleton):
    still = np.repeat(person(800, 1, skeleton), 3, axis=1)
    target, up = seen_somehow(still)
    keypoints, posed = (np.asarray(x) for x in cameras.random_view(target, up, skeleton, draws(), 0.03))
    # Fixed to the body: whoever stands still is seen still.
    for seen in (keypoints, posed):
        np.testing.assert_allclose(seen[:, 1:], seen[:, :1].repeat(2, axis=1), atol=1e-5)
    np.testing.assert_allclose(posed[:, :, skeleton.root], 0, atol=1e-6)
    assert pinhole(keypoints, posed)[2] < 1e-3, "what is seen is what is to be lifted"
    bodies = [
        np.stack([np.linalg.norm(p[:, 0, i] - p[:, 0, j], axis=-1) for i, j in skeleton.bones]) for p in (still, posed)
    ]
    assert 0.3 < np.median(np.abs(bodies[0] - bodies[1])) / 0.03 < 1.5


# ---- flip


class Always(NumpyDraws):
    """Draws that choose every window."""

    def uniform(self, shape, low=0.0, high=1.0):
        return np.full(shape, low, np.float32)


@pytest.mark.parametrize("skeleton", [H36M_17, MPI_INF_3DHP_17], ids=lambda s: s.name)
def test_flipping_twice_changes_nothing(skeleton):
    batch = a_batch()
    once = cameras.flip(*batch, skeleton, Always(None))
    twice = cameras.flip(*once, skeleton, Always(None))
    for before, between, after in zip(batch, once, twice, strict=True):
        assert np.abs(np.asarray(between) - before).max() > 0.1
        np.testing.assert_array_equal(after, before)


def test_a_flipped_pose_is_what_the_mirrored_picture_shows():
    rng = np.random.default_rng(0)
    target = person(20, 2).astype(np.float32)
    place, focal = np.float32([0.3, -0.2, 4]), 1.5

    def picture(pose, place):
        seen = pose + place
        return np.concatenate([focal * seen[..., :2] / seen[..., 2:], confidence], axis=-1)

    confidence = rng.uniform(0, 1, (20, 2, 17, 1)).astype(np.float32)
    keypoints, flipped = (np.asarray(x) for x in cameras.flip(picture(target, place), target, H36M_17, Always(None)))
    # The mirrored person stands on the other side; their left hand is who was the right one.
    np.testing.assert_allclose(keypoints[..., :2], picture(flipped, place * np.float32([-1, 1, 1]))[..., :2], atol=1e-5)
    left, right = H36M_17.index("left_wrist"), H36M_17.index("right_wrist")
    np.testing.assert_array_equal(keypoints[:, :, left, 2], confidence[:, :, right, 0])
    np.testing.assert_allclose(flipped[:, :, left], target[:, :, right] * np.float32([-1, 1, 1]))


def test_half_of_the_windows_are_flipped_whole():
    keypoints, target = a_batch(2000, 2)
    flipped = cameras.flip(keypoints, target, H36M_17, draws())
    changed = [(np.asarray(a) != b).any(axis=(2, 3)) for a, b in zip(flipped, (keypoints, target), strict=True)]
    assert (changed[0] == changed[0][:, :1]).all() and (changed[0] == changed[1]).all()
    assert changed[0][:, 0].mean() == pytest.approx(0.5, abs=0.05)
