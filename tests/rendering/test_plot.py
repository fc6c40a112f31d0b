"""Plots of lifted poses: the person stands upright, sides have their colors, and files are complete."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.image import imread

from skelgnn_tf.geometry import flip_pose
from skelgnn_tf.rendering.figure import LEFT, MIDDLE, RIGHT
from skelgnn_tf.rendering.plot import draw_lifted, save_png
from skelgnn_tf.rendering.view import to_paper, upright_view
from skelgnn_tf.skeletons import COCO_17, H36M_17
from support.scenes import CAMERA, SIZE_PX, standing


def draw(tmp_path, pose_m, **options):
    path = draw_lifted(
        CAMERA.project(pose_m), pose_m, H36M_17, tmp_path / "sheet.png", image_size_px=SIZE_PX, **options
    )
    return imread(path)[..., :3]


def where(picture, color, half):
    """(row, column) pixels of a color on the upper (2D) or lower (3D) half of a sheet, without titles and legend."""
    height, width = picture.shape[:2]
    rows, columns = np.nonzero(np.abs(picture - np.array(to_rgb(color))).max(axis=-1) < 0.02)
    first, last = {"upper": (0.08, 0.5), "lower": (0.5, 0.92)}[half]
    inside = (rows > first * height) & (rows < last * height) & (columns > 0.18 * width)
    return np.stack([rows, columns], axis=1)[inside]


@pytest.mark.parametrize("half", ["upper", "lower"])
def test_the_left_side_of_a_person_facing_the_camera_is_drawn_at_the_right(half, tmp_path):
    picture = draw(tmp_path, CAMERA.to_camera(standing()), frames=1)
    left, right = (where(picture, color, half) for color in (LEFT, RIGHT))
    assert len(left) > 200 and len(right) > 200
    assert left[:, 1].mean() > right[:, 1].mean()


@pytest.mark.parametrize("half", ["upper", "lower"])
def test_a_mirrored_person_raises_the_other_hand_on_paper(half, tmp_path):
    pose = CAMERA.to_camera(standing())
    for person, raised, lowered in ((pose, LEFT, RIGHT), (flip_pose(pose, H36M_17), RIGHT, LEFT)):
        picture = draw(tmp_path, person, frames=1)
        assert where(picture, raised, half)[:, 0].min() < where(picture, lowered, half)[:, 0].min()


@pytest.mark.parametrize("half", ["upper", "lower"])
def test_the_head_is_drawn_above_the_shoulders_and_the_hip_above_the_feet(half, tmp_path):
    picture = draw(tmp_path, CAMERA.to_camera(standing()), frames=1)
    middle, right = (where(picture, color, half)[:, 0] for color in (MIDDLE, RIGHT))
    assert middle.min() < right.min() < middle.max() < right.max()


def test_upright_view_undoes_the_cameras_tilt():
    world = standing(1)[0]
    seen = upright_view(CAMERA.to_camera(world), CAMERA.rotation @ np.array([0, 0, 1.0]))
    np.testing.assert_allclose(seen[:, 2] - seen[0, 2], world[:, 2] - world[0, 2], atol=1e-12)
    # The camera looks along +y, so right is +x and away is +y.
    np.testing.assert_allclose(seen[:, :2] - seen[0, :2], world[:, :2] - world[0, :2], atol=1e-12)


def test_without_a_tilt_up_is_minus_y_of_the_camera_and_lengths_stay():
    points = np.random.default_rng(0).normal(size=(5, 17, 3))
    np.testing.assert_allclose(upright_view(points), np.stack([points[..., 0], points[..., 2], -points[..., 1]], -1))
    tilted = upright_view(points, (0.2, -1, 0.4))
    np.testing.assert_allclose(np.linalg.norm(tilted, axis=-1), np.linalg.norm(points, axis=-1))
    assert np.linalg.det(upright_view(np.eye(3), (0.2, -1, 0.4))) == pytest.approx(1)


def test_the_3d_row_is_a_parallel_view_from_above():
    points = np.random.default_rng(1).normal(size=(17, 3))
    np.testing.assert_allclose(np.linalg.norm(to_paper(points), axis=-1), np.linalg.norm(points, axis=-1))
    # Of two points on the floor the farther one is drawn higher; of two above each other, the upper one.
    (_, far, behind), (_, high, _) = to_paper(np.array([[0, 1.0, 0], [0, 0, 1.0]]))
    assert behind > 0 and high > far > 0


def test_where_the_person_stands_does_not_change_the_3d_row(tmp_path):
    pose = CAMERA.to_camera(standing())
    keypoints = CAMERA.project(pose)
    sheets = [
        imread(draw_lifted(keypoints, some, H36M_17, tmp_path / "a.png", target_m=target))
        for some, target in ((pose, pose), (pose - pose[:, :1], pose + 3))
    ]
    np.testing.assert_allclose(*sheets, atol=0.1)


def test_joints_of_confidence_zero_are_left_out_wherever_they_lie(tmp_path):
    pose = CAMERA.to_camera(standing())
    keypoints = np.concatenate([CAMERA.project(pose), np.ones((4, 17, 1))], axis=-1)
    keypoints[:, list(H36M_17.left), 2] = 0
    sheets = []
    for junk in (0, 5000):
        keypoints[:, list(H36M_17.left), :2] = junk
        sheets.append(imread(draw_lifted(keypoints, pose, H36M_17, tmp_path / "a.png", frames=2))[..., :3])
    np.testing.assert_array_equal(*sheets)
    assert not len(where(sheets[0], LEFT, "upper")) and len(where(sheets[0], LEFT, "lower"))


@pytest.mark.parametrize("seen", [0.0, 1.0])
def test_odd_clips_are_drawn(seen, tmp_path):
    # One frame, another skeleton, a lying person, a tall picture, nobody seen.
    pose = np.random.default_rng(0).normal(size=(1, 17, 3)) * (1, 0.1, 1)
    keypoints = np.full((1, 17, 3), seen)
    path = draw_lifted(keypoints, pose, COCO_17, tmp_path / "new/sheet.png", pose, (720, 1280))
    assert imread(path).shape[1] > 200
    assert [file.name for file in path.parent.iterdir()] == ["sheet.png"]


@pytest.mark.parametrize(
    ("keypoints", "pose", "target", "message"),
    [
        ((4, 17, 2), (4, 16, 3), None, "pose_m.*h36m_17|h36m_17.*pose_m"),
        ((3, 17, 2), (4, 17, 3), None, r"keypoints_px.*\(3, 17, 2\)"),
        ((1, 4, 17, 2), (4, 17, 3), None, r"keypoints_px.*\(1, 4, 17, 2\)"),
        ((4, 17, 2), (4, 17, 3), (4, 17, 2), r"target_m.*\(4, 17, 2\)"),
        ((0, 17, 2), (0, 17, 3), None, "at least one frame"),
    ],
)
def test_arrays_that_do_not_fit_are_named_and_nothing_is_written(keypoints, pose, target, message, tmp_path):
    arrays = np.zeros(keypoints), np.zeros(pose), None if target is None else np.zeros(target)
    with pytest.raises(ValueError, match=message):
        draw_lifted(*arrays[:2], H36M_17, tmp_path / "a.png", arrays[2])
    assert not list(tmp_path.iterdir())


def test_a_picture_that_fails_leaves_the_old_one_and_no_part(tmp_path):
    path = tmp_path / "plot.png"
    save_png(Figure(figsize=(1, 1)), path)
    before = path.read_bytes()
    broken = Figure(figsize=(1, 1))
    broken.text(0.5, 0.5, r"$\nosuchcommand$")
    with pytest.raises(ValueError, match="nosuchcommand"):
        save_png(broken, path)
    assert path.read_bytes() == before and [file.name for file in tmp_path.iterdir()] == ["plot.png"]
