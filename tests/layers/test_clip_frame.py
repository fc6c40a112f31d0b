"""ClipFrame: against loops, against PYSKL's steps in PYSKL's own axes, and by what must not change."""

import keras
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from skelgnn_tf.layers import ClipFrame
from skelgnn_tf.layers.clip_frame import NORMALIZATIONS
from skelgnn_tf.skeletons import COCO_17, H36M_17, MPI_INF_3DHP_17, NTU_25, Skeleton

J = {joint: i for i, joint in enumerate(NTU_25.joints)}
#: PYSKL's axes (x from the left shoulder to the right, z up) in the rows, ours (x right, y down, z forward) in the
#: columns, for a person who faces the camera.
TO_PYSKL = np.array([[-1, 0, 0], [0, 0, -1], [0, -1, 0]])


def bodies(seed=0, batch=3, persons=2, frames=6, skeleton=NTU_25):
    """Random joints round a place in front of the camera."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(batch, persons, frames, skeleton.num_joints, 3)) * 0.4 + rng.normal(size=(batch, 1, 1, 1, 3))
    return x.astype(np.float32)


def normalized(x, how, skeleton=NTU_25, confidence=False):
    return np.asarray(ClipFrame(skeleton, how, confidence)(x)).astype(np.float64)


def is_missing(pose):
    return not np.any(pose)


def trunk(pose, skeleton):
    """The middle of the trunk by the names of its joints."""
    for name in ("spine_mid", "spine"):
        if name in skeleton.joints:
            return pose[skeleton.index(name)]
    names = ("left_hip", "right_hip", "left_shoulder", "right_shoulder")
    return np.mean([pose[skeleton.index(name)] for name in names], axis=0)


# ---- center


@pytest.mark.parametrize("skeleton", [NTU_25, COCO_17, H36M_17, MPI_INF_3DHP_17], ids=lambda s: s.name)
@pytest.mark.parametrize("dims", [2, 3])
def test_the_origin_is_the_first_persons_trunk_in_the_first_frame_that_shows_it(skeleton, dims):
    x = bodies(skeleton=skeleton)[..., :dims]
    x[0, 0, :2] = 0  # seen from frame 2 on
    x[1, 1] = 0  # nobody else
    x[2, 1, 3:] = 0  # who leaves
    expected = np.zeros(x.shape)
    for b in range(len(x)):
        first = next(t for t in range(6) if not is_missing(x[b, 0, t]))
        for p, t in np.ndindex(2, 6):
            if not is_missing(x[b, p, t]):
                expected[b, p, t] = x[b, p, t] - trunk(x[b, 0, first], skeleton)
    np.testing.assert_allclose(normalized(x, "center", skeleton), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("skeleton", "how", "hidden"),
    [(COCO_17, "center", ["right_hip", "left_shoulder"]), (NTU_25, "view", ["left_shoulder"])],
)
def test_a_frame_that_shows_less_of_the_trunk_than_a_later_one_is_not_the_first(skeleton, how, hidden):
    x = bodies(persons=1, skeleton=skeleton)
    x = np.concatenate([x, np.ones_like(x[..., :1])], axis=-1)
    partly, wholly = x.copy(), x.copy()
    partly[:, :, 0, [skeleton.index(name) for name in hidden], -1] = 0
    wholly[:, :, 0, :, -1] = 0
    partly, wholly = (normalized(clip, how, skeleton, confidence=True)[:, :, 1:] for clip in (partly, wholly))
    np.testing.assert_allclose(partly, wholly, atol=1e-5)


def test_motion_through_space_stays():
    x = bodies(persons=1)
    out = normalized(x, "center")
    np.testing.assert_allclose(np.diff(out, axis=2), np.diff(x, axis=2), atol=1e-5)


@pytest.mark.parametrize("how", ["center", "view"])
def test_files_that_were_centered_before_stay_as_they_are_and_lose_no_joint(how):
    x = bodies()
    centered = x - x[:, :1, :1, J["spine_mid"]][..., None, :]
    centered[:, :, :, J["head"], 0] += 1
    assert not centered[:, 0, 0, J["spine_mid"]].any()
    if how == "center":
        np.testing.assert_array_equal(normalized(centered, how), centered.astype(np.float64))
    # Pushed away, the trunk joint is no zero any more; the clip is the same.
    away = centered + np.float32([0.5, -0.2, 3])
    np.testing.assert_allclose(normalized(centered, how), normalized(away, how), atol=1e-5)


def test_a_trunk_that_is_half_hidden_is_the_mean_of_what_is_seen():
    x = np.concatenate([bodies(skeleton=COCO_17, persons=1)[..., :2], np.ones((3, 1, 6, 17, 1))], axis=-1)
    x[:, 0, :, COCO_17.index("left_hip"), 2] = 0
    shown = [COCO_17.index(name) for name in ("right_hip", "left_shoulder", "right_shoulder")]
    out = normalized(x, "center", COCO_17, True)
    np.testing.assert_allclose(out[:, 0, 0, shown, :2].mean(axis=1), 0, atol=1e-6)
    moved = x + np.array([9, -4, 0])
    np.testing.assert_allclose(normalized(moved, "center", COCO_17, True), out, atol=1e-5)


def test_a_first_frame_that_hides_the_trunk_is_passed_over():
    x = np.concatenate([bodies(skeleton=COCO_17, persons=1)[..., :2], np.ones((3, 1, 6, 17, 1))], axis=-1)
    x[:, 0, 0, 5:, 2] = 0  # the face alone
    out = normalized(x, "center", COCO_17, True)
    for clip, made in zip(x[:, 0, :, :, :2], out[:, 0, :, :, :2], strict=True):
        np.testing.assert_allclose(made[1:], clip[1:] - trunk(clip[1], COCO_17), atol=1e-5)


# ---- view


def rotation_between(a, b):
    """The smallest rotation that takes direction a to direction b."""
    axis = np.cross(a, b)
    angle = np.arctan2(np.linalg.norm(axis), a @ b)
    return Rotation.from_rotvec(axis / np.linalg.norm(axis) * angle)


def pyskl_view(clip):
    """PreNormalize3D of one clip (persons, frames, 25, 3) in PYSKL's axes: center, spine to z, shoulders to x.

    Returns the clip and it with the first of the two turns alone.
    """
    clip = clip - clip[0, 0, 1]
    first = rotation_between(clip[0, 0, 1] - clip[0, 0, 0], np.array([0, 0, 1]))
    upright = first.apply(clip.reshape(-1, 3)).reshape(clip.shape)
    second = rotation_between(upright[0, 0, 8] - upright[0, 0, 4], np.array([1, 0, 0]))
    return second.apply(upright.reshape(-1, 3)).reshape(clip.shape), upright


def test_the_view_is_pyskls_in_our_axes():
    x = bodies(batch=12)
    out = normalized(x, "view")
    for clip, turned in zip(x.astype(np.float64), out, strict=True):
        theirs, upright = pyskl_view(clip @ TO_PYSKL.T)
        np.testing.assert_allclose(turned, theirs @ TO_PYSKL, atol=1e-4)
        # Before the second turn the spine points up: that is -y with us.
        spine = (upright @ TO_PYSKL)[0, 0]
        spine = spine[J["spine_mid"]] - spine[J["spine_base"]]
        np.testing.assert_allclose(spine / np.linalg.norm(spine), [0, -1, 0], atol=1e-6)
    assert np.linalg.det(TO_PYSKL) == pytest.approx(1)


def test_the_shoulders_lie_along_x_and_no_distance_changes():
    x = bodies(batch=12)
    out = normalized(x, "view")
    across = out[:, 0, 0, J["left_shoulder"]] - out[:, 0, 0, J["right_shoulder"]]
    np.testing.assert_allclose(across[:, 1:], 0, atol=1e-5)
    assert (across[:, 0] > 0).all()
    np.testing.assert_allclose(out[:, 0, 0, J["spine_mid"]], 0, atol=1e-6)
    flat, turned = (v.reshape(12, -1, 3) for v in (x.astype(np.float64), out))
    apart = [np.linalg.norm(v[:, :, None] - v[:, None, ::7], axis=-1) for v in (flat, turned)]
    np.testing.assert_allclose(apart[1], apart[0], atol=1e-5)
    # A rotation, not a mirror image.
    corner = [np.linalg.det(v[:, 1:4] - v[:, :1]) for v in (flat, turned)]
    np.testing.assert_allclose(corner[1], corner[0], atol=1e-5)


def seen_from_elsewhere(x, rotation):
    turned = rotation.apply(x.reshape(-1, 3).astype(np.float64)) + np.array([0.3, -1, 4])
    return turned.reshape(x.shape).astype(np.float32)


def test_a_person_whose_shoulders_are_level_looks_the_same_from_everywhere():
    x = bodies(batch=1)
    spine = x[:, 0, 0, J["spine_mid"]] - x[:, 0, 0, J["spine_base"]]
    across = np.cross(spine, [[0.3, 0.1, 1.0]])
    x[:, 0, 0, J["left_shoulder"]] = x[:, 0, 0, J["right_shoulder"]] + across
    out = normalized(x, "view")
    for rotation in Rotation.random(20, np.random.default_rng(0)):
        np.testing.assert_allclose(normalized(seen_from_elsewhere(x, rotation), "view"), out, atol=3e-4)


def test_from_elsewhere_a_crooked_person_is_at_most_turned_about_the_line_of_the_shoulders():
    x = bodies(batch=1)
    out = normalized(x, "view").reshape(-1, 3)
    for rotation in Rotation.random(20, np.random.default_rng(0)):
        other = normalized(seen_from_elsewhere(x, rotation), "view").reshape(-1, 3)
        np.testing.assert_allclose(other[:, 0], out[:, 0], atol=3e-4)
        turn, rest = Rotation.align_vectors(out, other)
        assert rest < 1e-2
        np.testing.assert_allclose(np.cross(turn.as_rotvec(), [1, 0, 0]), 0, atol=1e-3)


@pytest.mark.parametrize("away_deg", [0, 1e-4, 0.01, 0.05, 0.06, 0.5, 5])
@pytest.mark.parametrize("upside_down", [False, True])
def test_a_person_seen_from_behind_or_upside_down_is_turned_whole(away_deg, upside_down):
    clip = normalized(bodies(batch=1), "view")
    axis = [0, 0, 1] if upside_down else [0, 1, 0]
    turned = Rotation.from_rotvec(np.array(axis) * np.deg2rad(180 - away_deg)).apply(clip.reshape(-1, 3))
    out = normalized(turned.reshape(clip.shape).astype(np.float32), "view")
    distances = [np.linalg.norm(v[..., None, :] - v[..., None, :, :], axis=-1) for v in (clip, out)]
    np.testing.assert_allclose(distances[1], distances[0], atol=1e-5)
    across = out[0, 0, 0, J["left_shoulder"]] - out[0, 0, 0, J["right_shoulder"]]
    # Within a twentieth of a degree of straight away nothing says which way round, so far it may be off.
    np.testing.assert_allclose(across / np.linalg.norm(across), [1, 0, 0], atol=2e-3)


@pytest.mark.parametrize("sides", [-1, 1])
@pytest.mark.parametrize("up", [-1, 1])
def test_what_points_exactly_the_other_way_is_turned_too(sides, up):
    x = bodies(batch=1, persons=1)
    x[0, 0, 0, [J["spine_base"], J["spine_mid"]]] = [[0, up, 0], [0, 0, 0]]
    x[0, 0, 0, [J["right_shoulder"], J["left_shoulder"]]] = [[-sides / 2, -up, 0], [sides / 2, -up, 0]]
    out = normalized(x, "view")[0, 0, 0]
    np.testing.assert_allclose(out[J["spine_mid"]] - out[J["spine_base"]], [0, -1, 0], atol=1e-6)
    np.testing.assert_allclose(out[J["left_shoulder"]] - out[J["right_shoulder"]], [1, 0, 0], atol=1e-6)
    before = x[0, 0, 0].astype(np.float64)
    corners = [np.linalg.det(v[[5, 6, 7]] - v[8]) for v in (before, out)]
    assert corners[1] == pytest.approx(corners[0], abs=1e-5)


def test_a_clip_without_its_first_person_is_left_unturned():
    x = bodies()
    x[:, 0] = 0
    np.testing.assert_array_equal(normalized(x, "view"), x.astype(np.float64))
    assert not normalized(np.zeros_like(x), "view").any()


@pytest.mark.parametrize("how", NORMALIZATIONS)
def test_absent_persons_stay_zero(how):
    x = bodies()
    x[0, 1] = 0
    x[1, 1, 2:4] = 0
    out = normalized(x, how)
    np.testing.assert_array_equal(np.any(out != 0, axis=(-1, -2)), np.any(x != 0, axis=(-1, -2)))


def test_the_view_wants_shoulders_and_space():
    with pytest.raises(ValueError, match=r"\(skeleton blob\)\. Received: 'right_shoulder'"):
        ClipFrame(Skeleton("blob", ("a", "b"), (-1, 0), (0, 1)), "view")
    with pytest.raises(ValueError, match="must be box, center or none for 2D keypoints. Received: view"):
        ClipFrame(NTU_25, "view")(np.zeros((1, 1, 4, 25, 2)))
    with pytest.raises(ValueError, match="must be box, center or none for 2D keypoints. Received: view"):
        ClipFrame(NTU_25, "view", confidence=True)(np.zeros((1, 1, 4, 25, 3)))
    with pytest.raises(ValueError, match="must be one of none, center, view, box. Received: 'middle'"):
        ClipFrame(NTU_25, "middle")


# ---- box


def keypoints(seed=0):
    """Two people of COCO's joints, a quarter of them missing; (3, 2, 6, 17, 3)."""
    x = bodies(seed, skeleton=COCO_17)
    rng = np.random.default_rng(seed)
    x[..., 2] = np.where(rng.random(x.shape[:-1]) < 0.25, 0, rng.uniform(0.1, 1, x.shape[:-1]))
    x[0, 1, ..., 2] = 0
    x[1, 0, 2, :, 2] = 0
    x[1, 1, 3, 1:, 2] = 0
    return x


def test_the_box_is_that_of_loops_over_clips_and_frames():
    x = keypoints()
    out = normalized(x, "box", COCO_17, True)
    for clip, made in zip(x.astype(np.float64), out, strict=True):
        seen = [joint for joint in clip.reshape(-1, 3) if joint[2] > 0]
        center = np.mean([joint[:2] for joint in seen], axis=0)
        sides = []
        for pose in clip.reshape(-1, 17, 3):
            shown = pose[pose[:, 2] > 0][:, :2]
            if len(shown) > 1:
                sides.append(max(np.ptp(shown[:, 0]), np.ptp(shown[:, 1])))
        for joint, to in zip(clip.reshape(-1, 3), made.reshape(-1, 3), strict=True):
            expected = (joint[:2] - center) / (np.mean(sides) / 2) if joint[2] > 0 else np.zeros(2)
            np.testing.assert_allclose(to, [*expected, joint[2]], atol=1e-5)


@pytest.mark.parametrize("confidence", [False, True])
def test_the_box_forgets_place_and_size_and_keeps_proportions(confidence):
    x = keypoints() if confidence else bodies(skeleton=COCO_17)[..., :2]
    moved = x.copy()
    moved[..., :2] = x[..., :2] * 240 + np.float32([900, 500])
    out = normalized(x, "box", COCO_17, confidence)
    np.testing.assert_allclose(normalized(moved, "box", COCO_17, confidence), out, atol=1e-4)
    wide = x.copy()
    wide[..., 0] *= 1.5
    assert np.abs(normalized(wide, "box", COCO_17, confidence) - out).max() > 0.1


def test_a_single_point_has_no_size_and_breaks_nothing():
    x = np.zeros((1, 1, 6, 17, 3), np.float32)
    x[0, 0, 2, 5] = 300, 200, 0.9
    np.testing.assert_allclose(normalized(x, "box", COCO_17, True)[0, 0, 2, 5], [0, 0, 0.9], atol=1e-6)
    assert not normalized(x * 0, "box", COCO_17, True).any()


# ---- what is missing


@pytest.mark.parametrize("how", ["none", "center", "box"])
@pytest.mark.parametrize("hidden", [1e6, np.nan, np.inf])
def test_what_stands_at_a_missing_keypoint_does_not_matter(how, hidden):
    x = keypoints()
    missing = x[..., 2] == 0
    clean, spoilt = x.copy(), x.copy()
    clean[missing] = 0
    spoilt[missing, :2] = hidden
    np.testing.assert_array_equal(normalized(spoilt, how, COCO_17, True), normalized(clean, how, COCO_17, True))
    assert not normalized(spoilt, how, COCO_17, True)[missing].any()


def test_a_confidence_that_is_no_number_is_none():
    x = keypoints()
    x[0, 0, 0, 0] = np.nan
    assert np.isfinite(normalized(x, "box", COCO_17, True)).all()


@pytest.mark.parametrize("how", NORMALIZATIONS)
def test_a_clip_does_not_depend_on_the_others_in_its_batch(how):
    x = bodies()
    alone = np.concatenate([normalized(clip[None], how) for clip in x])
    np.testing.assert_allclose(normalized(x, how), alone, atol=1e-6)


@pytest.mark.parametrize("how", NORMALIZATIONS)
def test_a_clip_frame_made_again_from_its_config_is_the_same(how):
    layer, x = ClipFrame(NTU_25, how), bodies()
    copy = keras.layers.deserialize(keras.layers.serialize(layer))
    assert copy.get_config() == layer.get_config()
    np.testing.assert_array_equal(copy(x), layer(x))
