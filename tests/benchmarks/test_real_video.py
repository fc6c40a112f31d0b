"""The benchmark on a real video: its cameras are read and its lines of sight meet where geometry says."""

import numpy as np
import pytest

from skelgnn_tf.geometry import Camera, look_at

CALIBRATION = """<calibration><cameras>
<camera serial="cam01"><fov_video bottom="1919" left="0" right="1079" top="0"/>
<transform r11="1" r12="0" r13="0" r21="0" r22="0" r23="1" r31="0" r32="-1" r33="0" x="0" y="-3000" z="1500"/>
<intrinsic centerPointU="34560" centerPointV="61440" focalLengthU="96000" focalLengthV="96000" focallength="9.3"/>
</camera></cameras></calibration>"""


@pytest.fixture(scope="module")
def script(load):
    return load("real_video")


def test_a_calibration_is_read_into_a_camera_with_y_down(script, tmp_path):
    file = tmp_path / "Calib.qca.txt"
    file.write_text(CALIBRATION)
    camera = script.read_cameras(file)["cam01"]
    # Three meters before the origin, looking along y, with z up.
    assert camera.image_size_px == (1080, 1920)
    np.testing.assert_allclose(camera.to_camera(np.zeros(3)), (0, 1.5, 3))
    np.testing.assert_allclose(camera.project(camera.to_camera(np.array([0.3, 0, 1.5]))), (540 + 150, 960))
    assert camera.project(camera.to_camera(np.array([0, 0, 1.8])))[1] < 960, "up is up in the picture"


def test_lines_of_sight_meet_at_the_point_and_one_that_errs_hardly_counts(script):
    rng = np.random.default_rng(0)
    points = rng.normal(0, 0.5, (3, 33, 3))
    places = np.array([(4.0, 0, 1), (0, 4, 1.5), (-3.5, 0, 1), (0, -3, 2)])
    cameras = [
        Camera((1500.0, 1500.0), (540.0, 960.0), (1080, 1920), look_at(place, np.zeros(3)), place) for place in places
    ]
    keypoints = np.ones((4, 3, 33, 3))
    keypoints[..., :2] = [camera.project(camera.to_camera(points)) for camera in cameras]
    found, miss = script.meeting_points(cameras, keypoints)
    np.testing.assert_allclose(found, points, atol=1e-6)
    assert miss.max() < 1e-6
    # A tenth of a meter in one view: without weights it would move the point by centimeters.
    keypoints[2, :, 5, 0] += 1500 * 0.1 / 3.5
    found, miss = script.meeting_points(cameras, keypoints)
    assert np.linalg.norm(found - points, axis=-1).max() < 0.01
    assert miss[2, :, 5].min() > 0.08 and np.delete(miss, 2, axis=0).max() < 0.02
