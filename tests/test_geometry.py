import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from skelgnn_tf import geometry
from skelgnn_tf.datasets.h36m.cameras import SUBJECTS, cameras
from skelgnn_tf.geometry import Camera
from skelgnn_tf.skeletons import ALL, H36M_17

EVERY_CAMERA = [camera for subject in SUBJECTS for camera in cameras(subject)]
# A pinhole, which is another branch of the code than a lens.
PINHOLE = Camera(focal_px=(900.0, 950.0), center_px=(320.0, 240.0), image_size_px=(640, 480))


def project_one(camera, x, y, z):
    """Brown's model as its formula stands, a number at a time."""
    u, v = (max(-1.0, min(1.0, value)) if any(camera.radial) else value for value in (x / z, y / z))
    r2 = u * u + v * v
    k1, k2, k3 = camera.radial
    p1, p2 = camera.tangential
    # Human3.6M's tangential term in VideoPose3D: both coordinates are stretched by p . xy and moved by p r2.
    stretch = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3 + p1 * u + p2 * v
    return (
        camera.focal_px[0] * (u * stretch + p1 * r2) + camera.center_px[0],
        camera.focal_px[1] * (v * stretch + p2 * r2) + camera.center_px[1],
    )


@pytest.mark.parametrize("camera", [*EVERY_CAMERA[:4], PINHOLE])
def test_projection_is_the_formula_point_by_point(camera):
    rng = np.random.default_rng(1)
    points = rng.uniform((-3, -3, 1), (3, 3, 6), (4, 17, 3))
    pixels = camera.project(points)
    for frame in range(4):
        for joint in range(17):
            np.testing.assert_allclose(pixels[frame, joint], project_one(camera, *points[frame, joint]), rtol=1e-12)


def test_a_pinhole_is_similar_triangles():
    np.testing.assert_allclose(PINHOLE.project(np.array([1.0, -2.0, 4.0])), (320 + 900 / 4, 240 - 950 * 2 / 4))


@settings(max_examples=60, deadline=None)
@given(
    number=st.integers(0, len(EVERY_CAMERA)),
    u=st.floats(0, 1),
    v=st.floats(0, 1),
    depth_m=st.floats(0.5, 20),
)
def test_unproject_is_the_inverse_of_project_anywhere_in_the_picture(number, u, v, depth_m):
    camera = [*EVERY_CAMERA, PINHOLE][number]
    pixel = np.array([u, v]) * camera.image_size_px
    point = camera.unproject(pixel, np.array(depth_m))
    assert point[2] == depth_m
    np.testing.assert_allclose(camera.project(point), pixel, atol=1e-3)


@pytest.mark.parametrize("camera", EVERY_CAMERA)
def test_to_world_is_the_inverse_of_to_camera_and_both_are_rigid(camera):
    points = np.random.default_rng(2).normal(size=(3, 17, 3))
    seen = camera.to_camera(points)
    np.testing.assert_allclose(camera.to_world(seen), points, atol=1e-12)
    np.testing.assert_allclose(np.diff(seen, axis=1) ** 2 @ np.ones(3), np.diff(points, axis=1) ** 2 @ np.ones(3))
    np.testing.assert_allclose(np.linalg.det(camera.rotation), 1)
    np.testing.assert_allclose(camera.to_camera(camera.position_m), 0, atol=1e-12)


@settings(max_examples=50, deadline=None)
@given(
    yaw=st.floats(0, 6.3),
    pitch=st.floats(-1.4, 1.4),
    distance_m=st.floats(1, 9),
    roll=st.floats(-1, 1),
    up=st.sampled_from([1, 2]),
)
def test_look_at_puts_the_target_in_the_middle_and_up_upwards(yaw, pitch, distance_m, roll, up):
    target = np.array([0.3, -0.2, 1.1])
    level = [math.cos(yaw) * math.cos(pitch), math.sin(yaw) * math.cos(pitch)]
    position = target - distance_m * np.insert(level, up, math.sin(pitch))
    camera = Camera((800.0, 800.0), (0.0, 0.0), (10, 10), geometry.look_at(position, target, roll, up), position)
    np.testing.assert_allclose(camera.to_camera(target), (0, 0, distance_m), atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(camera.rotation), 1)
    # Pixels grow downwards; a camera without roll sees "up" as straight up, one with roll turned by just that.
    x, y = camera.project(camera.to_camera(target + 0.01 * np.eye(3)[up]))
    assert math.isclose(math.remainder(math.atan2(x, -y) + roll, 2 * math.pi), 0, abs_tol=1e-6)


def test_screen_coordinates_keep_proportions_and_confidence():
    corners = np.array([[0, 0, 0.5], [1920, 0, 0.25], [960, 540, 1], [0, 1080, 0]], np.float32)
    before = corners.copy()
    screen = geometry.normalize_screen(corners, (1920, 1080))
    np.testing.assert_allclose(screen[:, 0], (-1, 1, 0, -1), atol=1e-6)
    np.testing.assert_allclose(screen[:, 1], (-0.5625, -0.5625, 0, 0.5625), atol=1e-6)
    np.testing.assert_array_equal(screen[:, 2], before[:, 2])
    np.testing.assert_array_equal(corners, before)
    assert screen.dtype == np.float32


def test_root_relative_poses_have_the_root_at_the_origin_and_the_same_bones():
    pose = np.random.default_rng(3).normal(size=(5, 17, 3))
    relative = geometry.root_relative(pose, 4)
    np.testing.assert_array_equal(relative[:, 4], 0)
    np.testing.assert_allclose(relative - relative[:, :1], pose - pose[:, :1])


@pytest.mark.parametrize("skeleton", ALL.values(), ids=list(ALL))
def test_flipping_twice_changes_nothing(skeleton):
    rng = np.random.default_rng(4)
    for channels in (2, 3):
        keypoints = rng.normal(size=(2, 5, skeleton.num_joints, channels))
        once = geometry.flip_keypoints(keypoints, skeleton)
        assert not np.allclose(once, keypoints)
        np.testing.assert_array_equal(geometry.flip_keypoints(once, skeleton), keypoints)


def test_the_flipped_pose_is_what_the_flipped_picture_shows():
    pose = np.random.default_rng(5).uniform((-1, -1, 3), (1, 1, 5), (6, 17, 3))
    camera = Camera((1.1, 1.1), (0.0, 0.0), (2, 2))
    picture = geometry.flip_keypoints(camera.project(pose), H36M_17)
    np.testing.assert_allclose(camera.project(geometry.flip_pose(pose, H36M_17)), picture, rtol=1e-12)


def test_flipping_leaves_confidence_with_its_joint():
    keypoints = np.zeros((1, 17, 3))
    keypoints[0, H36M_17.index("left_wrist")] = (0.3, 0.4, 0.9)
    flipped = geometry.flip_keypoints(keypoints, H36M_17)
    np.testing.assert_array_equal(flipped[0, H36M_17.index("right_wrist")], (-0.3, 0.4, 0.9))


def aligned_by_scipy(prediction, target):
    p, t = prediction - prediction.mean(0), target - target.mean(0)
    turned = Rotation.align_vectors(t, p)[0].apply(p)
    return turned * (turned * t).sum() / (p * p).sum() + target.mean(0)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), noise=st.floats(0, 3))
def test_procrustes_is_scipys_best_rotation_and_the_best_scale_for_it(seed, noise):
    rng = np.random.default_rng(seed)
    target = rng.normal(size=(17, 3))
    prediction = Rotation.random(rng=rng).apply(target) + noise * rng.normal(size=(17, 3))
    np.testing.assert_allclose(geometry.procrustes(prediction, target), aligned_by_scipy(prediction, target), atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), scale=st.floats(0.1, 10))
def test_procrustes_undoes_every_similarity(seed, scale):
    rng = np.random.default_rng(seed)
    target = rng.normal(size=(2, 3, 17, 3))
    prediction = scale * target @ Rotation.random(rng=rng).as_matrix() + 5 * rng.normal(size=3)
    np.testing.assert_allclose(geometry.procrustes(prediction, target), target, atol=1e-9)


def test_procrustes_never_mirrors():
    rng = np.random.default_rng(6)
    target = rng.normal(size=(50, 17, 3))
    aligned = geometry.procrustes(target * (-1, 1, 1), target)
    assert np.linalg.norm(aligned - target, axis=-1).mean(axis=-1).min() > 0.1


def test_procrustes_of_a_batch_is_that_of_each():
    rng = np.random.default_rng(7)
    prediction, target = rng.normal(size=(2, 4, 3, 17, 3))
    batch = geometry.procrustes(prediction, target)
    for i in range(4):
        for j in range(3):
            np.testing.assert_allclose(batch[i, j], geometry.procrustes(prediction[i, j], target[i, j]), atol=1e-12)


def test_procrustes_of_a_pose_without_size_is_the_middle_of_the_target():
    target = np.random.default_rng(8).normal(size=(17, 3))
    aligned = geometry.procrustes(np.ones((17, 3)), target)
    np.testing.assert_allclose(aligned, np.broadcast_to(target.mean(0), (17, 3)), atol=1e-12)
