"""Painted frames: sides have their colors, the person stands on the floor, and the picture is unchanged."""

import dataclasses

import numpy as np
import pytest
from PIL import ImageColor

from skelgnn_tf.geometry import flip_pose
from skelgnn_tf.rendering.figure import LEFT, MIDDLE, RIGHT, SHADOW, pale
from skelgnn_tf.rendering.painter import Painter
from skelgnn_tf.rendering.scene import Scene
from skelgnn_tf.rendering.upright import LEVEL_UP, estimated_up
from skelgnn_tf.rendering.view import FLOOR, upright_view
from skelgnn_tf.skeletons import COCO_17, H36M_17
from support.scenes import CAMERA, SIZE_PX, standing


def scene_of(pose_m, **changes):
    """A person (frames, 17, 3) in camera space in front of CAMERA, all keypoints seen."""
    keypoints = CAMERA.project(np.nan_to_num(pose_m, nan=3.0))
    keypoints = np.concatenate([keypoints, np.ones_like(keypoints[..., :1])], axis=-1)
    values = {"title": "take", "fps": 25.0, "image_size_px": SIZE_PX, "skeleton": H36M_17, "keypoints_px": keypoints}
    return Scene(**{**values, "pose_m": pose_m, **changes})


def where(image, color):
    """(row, column) of the pixels of a color."""
    difference = np.abs(np.asarray(image, int) - ImageColor.getrgb(color)).max(axis=-1)
    return np.argwhere(difference < 6)


def halves(painter, image):
    """The picture's part and the 3D skeleton's."""
    width = painter.picture_px[0]
    return image.crop((0, 0, width, image.height)), image.crop((width, 0, image.width, image.height - 40))


POSE = CAMERA.to_camera(standing())


def painted(pose_m, azimuth_rad=0.0, box=(400, 400), frame=0, **changes):
    painter = Painter(scene_of(pose_m, **changes), box)
    return halves(painter, painter.paint(frame, None, azimuth_rad))


@pytest.mark.parametrize("half", [0, 1])
def test_the_left_side_of_a_person_facing_the_camera_is_at_the_right(half):
    image = painted(POSE)[half]
    left, right = where(image, LEFT), where(image, RIGHT)
    assert len(left) > 100 and len(right) > 100
    assert left[:, 1].mean() > right[:, 1].mean() + 20


@pytest.mark.parametrize("half", [0, 1])
def test_a_mirrored_person_raises_the_other_hand(half):
    for person, raised, lowered in ((POSE, LEFT, RIGHT), (flip_pose(POSE, H36M_17), RIGHT, LEFT)):
        image = painted(person)[half]
        assert where(image, raised)[:, 0].min() < where(image, lowered)[:, 0].min() - 10


def test_from_behind_left_is_at_the_left_and_the_head_is_still_above():
    image = painted(POSE, np.pi)[1]
    left, right, middle = (where(image, color) for color in (LEFT, RIGHT, MIDDLE))
    assert left[:, 1].mean() < right[:, 1].mean() - 20
    assert middle[:, 0].min() < right[:, 0].min() < middle[:, 0].max() < right[:, 0].max()


def test_turned_by_a_quarter_arms_stretched_towards_the_camera_reach_to_a_side():
    # Frames enough to tell that the camera looks down.
    pose = np.repeat(POSE, 2, axis=0)
    toward = CAMERA.rotation @ np.array([0, -1.0, 0])
    for side in ("left", "right"):
        for reach_m, joint in ((0.3, "elbow"), (0.6, "wrist")):
            pose[:, H36M_17.index(f"{side}_{joint}")] = pose[:, H36M_17.index(f"{side}_shoulder")] + reach_m * toward
    # At a quarter turn the paper's right is away from the camera, as three quarters on it is towards it.
    for turn, sign in ((np.pi / 2, -1), (-np.pi / 2, 1)):
        image = painted(pose, turn)[1]
        reached = sign * (where(image, LEFT)[:, 1] - image.width / 2)
        assert reached.max() > 60 > 25 > -reached.min()


@pytest.mark.parametrize("azimuth_rad", [0.0, 1.0, 2.5])
def test_feet_are_on_the_floor_and_all_of_the_person_is_on_the_paper(azimuth_rad):
    bent = POSE.copy()
    bent[1] = POSE[1] @ CAMERA.rotation @ np.diag([1.0, 1, 0.6]) @ CAMERA.rotation.T
    painter = Painter(scene_of(bent), (400, 400))
    for frame in (0, 1):
        image = halves(painter, painter.paint(frame, None, azimuth_rad))[1]
        person = np.concatenate([where(image, color) for color in (LEFT, RIGHT, MIDDLE)])
        floor = where(image, FLOOR)
        assert floor[:, 0].min() < person[:, 0].max() < floor[:, 0].max()
        assert person.min() > 2 and (person.max(axis=0) < np.array(image.size[::-1]) - 2).all()
        # The floor is round and centered on the person.
        assert floor[:, 1].mean() == pytest.approx(image.width / 2, abs=4)


def test_the_picture_stays_as_it_was_away_from_the_person():
    picture = np.random.default_rng(0).integers(0, 255, (400, 400, 3), dtype=np.uint8)
    painter = Painter(scene_of(POSE), (400, 400))
    image = np.asarray(painter.paint(0, picture, 0.0))[:, :400]
    xy = painter.scene.keypoints_px[0, :, :2] * 0.4
    (left, top), (right, bottom) = xy.min(axis=0) - 12, xy.max(axis=0) + 12
    rows, columns = np.mgrid[:400, :400]
    outside = (rows < top) | (rows > bottom) | (columns < left) | (columns > right)
    assert outside.mean() > 0.3
    np.testing.assert_array_equal(image[outside], picture[outside])
    for joint in range(17):
        x, y = xy[joint].astype(int)
        assert not (image[y, x] == picture[y, x]).all()


def test_unseen_keypoints_are_left_out_and_a_frame_without_anyone_says_so():
    pose = POSE.copy()
    pose[1] = np.nan
    scene = scene_of(pose)
    scene.keypoints_px[1, :, 2] = 0
    painter = Painter(scene, (400, 400))
    seen, empty = (halves(painter, painter.paint(frame, None, 0.0)) for frame in (0, 1))
    for half in (0, 1):
        assert len(where(seen[half], LEFT)) and not len(where(empty[half], LEFT))
    assert len(where(empty[1], FLOOR))


def without(pose_m, *joints):
    seen_m = pose_m.copy()
    seen_m[:, [H36M_17.index(joint) for joint in joints]] = np.nan
    return seen_m


def test_joints_that_were_not_seen_are_pale_and_throw_no_shadow():
    legs = [f"{side}_{joint}" for side in ("left", "right") for joint in ("knee", "ankle")]
    whole, ghostly = painted(POSE)[1], painted(without(POSE, *legs), guess_m=POSE)[1]
    for color in (LEFT, RIGHT):
        drawn, kept, ghost = where(whole, color), where(ghostly, color), where(ghostly, pale(color))
        # The ghost reaches to where the leg was, and what is seen ends above it.
        assert len(ghost) > 50 and not len(where(whole, pale(color)))
        assert abs(ghost[:, 0].max() - drawn[:, 0].max()) < 4 and kept[:, 0].max() < drawn[:, 0].max() - 50
        assert kept[:, 0].min() == drawn[:, 0].min()
    assert 0 < len(where(ghostly, SHADOW)) < len(where(whole, SHADOW))
    nothing = painted(without(POSE, *H36M_17.joints), guess_m=POSE)[1]
    assert not any(len(where(nothing, color)) for color in (LEFT, RIGHT, SHADOW))


def test_the_head_of_a_ghost_is_pale():
    seen, ghost = painted(POSE)[1], painted(without(POSE, "head"), guess_m=POSE)[1]
    assert len(where(ghost, pale(MIDDLE))) > 100 and len(where(ghost, MIDDLE)) < len(where(seen, MIDDLE)) - 100


def test_a_guess_moves_nothing_that_was_seen():
    guess = POSE.copy()
    legs = [f"{side}_ankle" for side in ("left", "right")]
    guess[:, H36M_17.index("left_wrist")] += 5.0
    seen = scene_of(without(POSE, *legs), guess_m=guess)
    np.testing.assert_allclose(seen.standing_m, scene_of(POSE).standing_m, atol=0.05)
    assert [H36M_17.joints[joint] for joint in np.flatnonzero(seen.unseen[0])] == sorted(legs, reverse=True)
    # Without hips the others stand where the guess of the hips says.
    hipless = scene_of(without(POSE, "hip"), guess_m=POSE)
    np.testing.assert_allclose(hipless.standing_m, scene_of(POSE).standing_m)
    assert not scene_of(POSE).unseen.any()


def test_captions_are_drawn_above_the_person():
    plain = Painter(scene_of(POSE), (400, 400))
    wordy = Painter(scene_of(POSE, captions=(("squat 97%", "3 repetitions"),) * 4), (400, 400))
    top = [halves(one, one.paint(0, None, 0.0))[1].crop((0, 0, 400, 60)) for one in (plain, wordy)]
    assert len(where(top[1], MIDDLE)) > len(where(top[0], MIDDLE)) + 100


@pytest.mark.parametrize(("size", "picture"), [((1920, 1080), (400, 225)), ((1080, 1920), (225, 400))])
def test_sizes_are_even_and_keep_the_pictures_shape(size, picture):
    painter = Painter(scene_of(POSE, image_size_px=size), (400, 400))
    np.testing.assert_allclose(painter.picture_px, picture, atol=1)
    assert all(side % 2 == 0 for side in painter.size_px)
    assert painter.paint(0, None, 0.0).size == painter.size_px


def test_odd_scenes_are_painted():
    rng = np.random.default_rng(0)
    keypoints = rng.uniform(-500, 3000, (1, 17, 3))
    for pose in (None, rng.normal(size=(1, 17, 3)), np.full((1, 17, 3), np.nan), np.zeros((1, 17, 3))):
        scene = Scene("odd", 30.0, (3000, 40), COCO_17, keypoints, pose)
        painter = Painter(scene, (400, 400))
        assert painter.paint(0, rng.integers(0, 9, (40, 3000, 3), dtype=np.uint8), 1.0).size == painter.size_px


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"pose_m": POSE[:3]}, r"pose_m must be \(4, 17, 3\).*Received: \(3, 17, 3\)"),
        ({"guess_m": POSE[:2]}, r"guess_m must be \(4, 17, 3\).*Received: \(2, 17, 3\)"),
        ({"keypoints_px": np.zeros((4, 17, 2))}, r"keypoints_px must be \(4, 17, 3\).*Received: \(4, 17, 2\)"),
        ({"skeleton": H36M_17, "keypoints_px": np.zeros((0, 17, 3)), "pose_m": None}, "at least one frame"),
        ({"captions": ((),) * 3}, "one entry for each of the 4 frames. Received: 3"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        dataclasses.replace(scene_of(POSE), **changes)


def test_a_standing_person_shows_how_the_camera_is_tilted():
    up = CAMERA.rotation @ np.array([0, 0, 1.0])
    people = np.repeat(POSE, 3, axis=0)
    np.testing.assert_allclose(estimated_up(people, H36M_17), up, atol=0.03)
    assert np.degrees(np.arccos(np.dot(LEVEL_UP, up))) > 15
    people[::2] = np.nan
    np.testing.assert_allclose(estimated_up(people, H36M_17), up, atol=0.03)
    # The scene is then the world's: heights are those of the world.
    heights = scene_of(people).standing_m[1, :, 2]
    np.testing.assert_allclose(heights, standing(1)[0, :, 2] - standing(1)[0, :, 2].min(), atol=0.05)


def test_without_a_standing_person_the_camera_counts_as_level():
    lying = np.repeat(upright_view(POSE)[..., [0, 1, 2]], 3, axis=0)
    crouching = np.repeat(POSE, 3, axis=0)
    for side in ("left", "right"):
        crouching[:, H36M_17.index(f"{side}_knee")] += CAMERA.rotation @ np.array([0, -0.3, 0])
    for people in (lying, crouching, np.full((9, 17, 3), np.nan), np.repeat(POSE, 3, axis=0)[:4]):
        np.testing.assert_array_equal(estimated_up(people, H36M_17), LEVEL_UP)
