"""PoseLifter: its network, its frames, no look-ahead, missing keypoints, and the files it is kept in."""

import json

import keras
import numpy as np
import pytest

from skelgnn_tf.models import PoseLifter
from skelgnn_tf.models.pose_lifter import temporal_kernels
from skelgnn_tf.skeletons import COCO_17, H36M_17, H36M_17_LCN, Skeleton, map_keypoints
from support import oracles

SMALL = {"channels": 4, "squeeze": 0.5}


def keypoints(frames=9, channels=2, joints=17, batch=2, seed=0):
    """Screen keypoints (batch, frames, joints, 2 or 3), every confidence above 0."""
    rng = np.random.default_rng(seed)
    xy = rng.uniform(-0.5, 0.5, (batch, frames, joints, 2))
    sure = rng.uniform(0.2, 1, (batch, frames, joints, 1))
    return np.concatenate([xy, sure], axis=-1)[..., :channels].astype(np.float32)


def lifter(**options):
    """A small model, all of whose weights and statistics are random."""
    model = PoseLifter(**SMALL | options)
    model.build((None, model.frames, model.skeleton.num_joints, model.input_channels))
    return oracles.randomize(model)


def lift(model, x):
    return np.asarray(model(x, training=False))


# ---- the network


@pytest.mark.parametrize(
    "options",
    [
        {"frames": 1},
        {"frames": 1, "sharing": "shared", "blocks": 3, "dynamic": False},
        {"frames": 9},
        {"frames": 9, "causal": True, "skeleton": H36M_17_LCN},
        {"frames": 9, "every_frame": True},
        {"frames": 9, "every_frame": True, "causal": True},
        {"frames": 15, "dynamic": False},
    ],
    ids=lambda options: "-".join(options),
)
def test_the_network_is_first_layer_residual_blocks_last_layer(options):
    model = lifter(**options, max_hops=3, dropout=0.5)
    x = keypoints(model.frames, batch=1)
    expected = oracles.pose_lifter(model, x)
    np.testing.assert_allclose(lift(model, x), expected, atol=1e-3 * np.abs(expected).max())


@pytest.mark.parametrize("every_frame", [False, True])
@pytest.mark.parametrize(("frames", "blocks"), [(1, 2), (9, 2), (27, 3), (81, 4)])
def test_windows_of_the_usual_lengths_give_one_pose_or_one_a_frame(frames, blocks, every_frame):
    model = PoseLifter(frames=frames, every_frame=every_frame, channels=2)
    x = keypoints(frames, batch=1)
    y = lift(model, x)
    assert y.shape == (1, frames if every_frame else 1, 17, 3) == model.compute_output_shape(x.shape)
    assert np.isfinite(y).all()
    assert len(model.pairs) == blocks
    # Each output sees the whole window and not a frame more.
    assert np.prod(model.kernels) == frames


def test_the_defaults_are_the_papers_best():
    config = PoseLifter().get_config()
    paper = {"channels": 128, "short_hops": 1, "max_hops": 2, "squeeze": 1 / 8, "temporal_kernel": 3, "dropout": 0.25}
    assert {name: config[name] for name in paper} == paper
    assert config["dynamic"] is True and config["sharing"] == "pair"
    slopes = [layer.negative_slope for layer in PoseLifter()._flatten_layers() if "activation" in layer.name]
    assert slopes == pytest.approx([0.2] * 5)


def test_dropout_works_in_training_alone():
    model = lifter(frames=1, dropout=0.5)
    x = keypoints(1)
    assert np.abs(np.asarray(model(x, training=True)) - lift(model, x)).max() > 1e-3
    np.testing.assert_array_equal(lift(model, x), lift(model, x))


@pytest.mark.parametrize(
    ("frames", "blocks", "kernels"),
    [
        (1, None, [1, 1]), (1, 4, [1] * 4), (3, None, [3, 1]), (9, None, [3, 3]), (9, 1, [9]), (27, None, [3, 3, 3]),
        (27, 2, [9, 3]), (81, None, [3, 3, 3, 3]), (81, 2, [9, 9]), (243, None, [3] * 5), (45, None, [5, 3, 3]),
        (7, None, [7, 1]),
    ],
)  # fmt: skip
def test_the_blocks_share_the_frames(frames, blocks, kernels):
    assert temporal_kernels(frames, blocks) == kernels


@pytest.mark.parametrize("frames", range(1, 100, 2))
def test_kernels_multiply_to_the_frames_and_have_centers(frames):
    for blocks in (None, 1, 2, 3, 6):
        kernels = temporal_kernels(frames, blocks)
        assert np.prod(kernels) == frames
        assert all(kernel % 2 for kernel in kernels)
        assert blocks is None or len(kernels) == blocks


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"frames": 8}, r"frames must be odd \(1, 9, 27, 81\). Received: 8"),
        ({"frames": 0}, "must be odd.*Received: 0"),
        ({"frames": -3}, "must be odd.*Received: -3"),
        ({"blocks": 0}, "blocks must be at least 1. Received: 0"),
        ({"keypoint_frame": "box"}, '"screen" or "person". Received: \'box\''),
        ({"squeeze": 2}, "squeeze must be .* Received: 2"),
        ({"sharing": "gcn"}, "Received: 'gcn'"),
    ],
)
def test_settings_out_of_range_are_refused_with_what_was_expected(wrong, message):
    with pytest.raises(ValueError, match=message):
        PoseLifter(**wrong)


# ---- time


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("frames", [9, 15, 27])
def test_the_strided_model_gives_the_dilated_models_pose_of_the_wanted_frame(frames, causal):
    strided = lifter(frames=frames, causal=causal, dynamic=False)
    dilated = PoseLifter(**SMALL, frames=frames, causal=causal, dynamic=False, every_frame=True)
    dilated.build((None, frames, 17, 2))
    dilated.set_weights(strided.get_weights())
    x = keypoints(frames)
    wanted = frames - 1 if causal else frames // 2
    y = lift(strided, x)
    np.testing.assert_allclose(lift(dilated, x)[:, wanted : wanted + 1], y, atol=1e-4 * np.abs(y).max())


@pytest.mark.parametrize("keypoint_frame", ["screen", "person"])
@pytest.mark.parametrize("sharing", ["pair", "shared"])
def test_a_causal_model_never_looks_ahead(sharing, keypoint_frame):
    model = lifter(
        frames=9, causal=True, every_frame=True, confidence=True, sharing=sharing, keypoint_frame=keypoint_frame
    )
    x = keypoints(9, channels=3, batch=1)
    y = lift(model, x)
    size = np.abs(y).max()
    # Row t has every frame after t replaced, by keypoints far out of any box and by missing ones.
    changed = np.repeat(x, 9, axis=0)
    for t in range(9):
        changed[t, t + 1 :] = keypoints(8 - t, channels=3, batch=1, seed=t + 1)[0] * 40
        changed[t, t + 1 :, ::3, 2] = 0
    moved = np.abs(lift(model, changed) - y).max(axis=(2, 3)) / size
    for t in range(9):
        assert (moved[t, : t + 1] < 1e-5).all(), f"a change after frame {t} moved a pose before it"
        assert (moved[t, t + 1 :] > 1e-4).all()


@pytest.mark.parametrize("options", [{}, {"sharing": "shared"}, {"causal": True, "confidence": True}])
def test_a_model_of_every_frame_predicts_clips_of_any_length(options):
    model = lifter(frames=9, every_frame=True, **options)
    for frames in (7, 12, 7):
        x = keypoints(frames, model.input_channels)
        np.testing.assert_allclose(model.predict(x, verbose=0), lift(model, x), atol=1e-4)


def test_every_frame_of_a_window_has_a_say():
    options = {"frames": 9, "dynamic": False, "confidence": True, "keypoint_frame": "person"}
    x = keypoints(9, channels=3, batch=1)
    # Row t has frame t replaced.
    moved = np.repeat(x, 9, axis=0)
    moved[np.arange(9), np.arange(9)] = keypoints(1, channels=3, batch=1, seed=5)[0]
    for causal in (True, False):
        model = lifter(causal=causal, **options)
        y = lift(model, x)
        assert (np.abs(lift(model, moved) - y).max(axis=(1, 2, 3)) > 1e-5 * np.abs(y).max()).all()


def test_a_model_with_look_ahead_does_look_ahead():
    # Otherwise the test above would pass for a model that is blind.
    model = lifter(frames=9, every_frame=True, dynamic=False)
    x = keypoints(9, batch=1)
    later = x.copy()
    later[:, 5:] += 0.3
    moved = np.abs(lift(model, later) - lift(model, x)).max(axis=(0, 2, 3))
    assert moved[4] > 1e-5 and moved[1] > 1e-5
    # Kernels of 3 and 3, the second over every third frame, reach four frames each way.
    assert moved[0] < 1e-7


def test_a_model_of_every_frame_takes_clips_of_any_length():
    for causal in (False, True):
        model = lifter(frames=9, every_frame=True, causal=causal, dynamic=False)
        x = keypoints(30, batch=1)
        whole = lift(model, x)
        assert whole.shape == (1, 30, 17, 3)
        # Away from the ends a window says what the whole clip says.
        window, at = (x[:, 10:19], 8) if causal else (x[:, 10:19], 4)
        np.testing.assert_allclose(lift(model, window)[:, at], whole[:, 10 + at], atol=1e-4 * np.abs(whole).max())


# ---- missing keypoints and the person's frame


@pytest.mark.parametrize("keypoint_frame", ["screen", "person"])
@pytest.mark.parametrize("junk", [1e9, -1e-9, np.inf, np.nan])
def test_the_value_of_a_missing_keypoint_is_ignored(keypoint_frame, junk):
    model = lifter(frames=9, confidence=True, keypoint_frame=keypoint_frame)
    x = keypoints(9, channels=3)
    x[:, 2:5, 3:9, 2] = 0
    x[0, 7, :, 2] = 0
    filled = x.copy()
    filled[..., :2] = np.where(x[..., 2:] == 0, np.float32(junk), x[..., :2])
    y = lift(model, filled)
    assert np.isfinite(y).all()
    np.testing.assert_array_equal(y, lift(model, x))


def test_confidence_and_absence_do_matter():
    model = lifter(frames=1, confidence=True)
    x = keypoints(1, channels=3)
    less_sure, absent = x.copy(), x.copy()
    less_sure[..., 5, 2] /= 2
    absent[..., 5, 2] = 0
    poses = [lift(model, other) for other in (x, less_sure, absent)]
    for i in range(3):
        assert np.abs(poses[i] - poses[i - 1]).max() > 1e-4 * np.abs(poses[i]).max()


def test_the_person_frame_makes_distance_and_place_in_the_picture_irrelevant():
    x = keypoints(9, channels=3)
    pixels = x.copy()
    pixels[..., :2] = x[..., :2] * 431 + np.float32([700, 300])
    for keypoint_frame, same in (("person", True), ("screen", False)):
        model = lifter(frames=9, confidence=True, keypoint_frame=keypoint_frame)
        y = lift(model, x)
        assert (np.abs(lift(model, pixels) - y).max() < 1e-3 * np.abs(y).max()) == same


# ---- shapes


@pytest.mark.parametrize(
    ("options", "shape", "message"),
    [
        ({}, (2, 1, 16, 2), r"1 frames, 17 joints of h36m_17, 2 channels\). Received: \(2, 1, 16, 2\).*map_keypoints"),
        ({}, (2, 9, 17, 2), r"1 frames.*Received: \(2, 9, 17, 2\)"),
        ({"frames": 9}, (2, 1, 17, 2), r"9 frames.*Received: \(2, 1, 17, 2\)"),
        ({}, (2, 1, 17, 3), r"2 channels\). Received"),
        ({"confidence": True}, (2, 1, 17, 2), r"3 channels\). Received"),
        ({}, (1, 17, 2), r"Received: \(1, 17, 2\)"),
        ({}, (2, 1, 34), r"Received: \(2, 1, 34\)"),
        ({"every_frame": True, "frames": 9}, (2, 20, 25, 2), r"any frames, 17 joints.*Received: \(2, 20, 25, 2\)"),
    ],
)
def test_keypoints_of_another_shape_are_refused_with_how_to_mend_them(options, shape, message):
    built = lifter(**options)
    for model in (built, PoseLifter(**SMALL, **options)):
        with pytest.raises(ValueError, match=message):
            model(np.zeros(shape, np.float32))


def test_the_advice_of_that_error_works():
    coco = keypoints(1, joints=COCO_17.num_joints)
    assert lift(lifter(), map_keypoints(coco, "coco_17", "h36m_17")).shape == (2, 1, 17, 3)


# ---- files


OWN = Skeleton("own", ("hip", "left_knee", "right_knee", "head"), (-1, 0, 0, 0), (0, 2, 1, 3), ((1, 2),))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"frames": 9, "causal": True, "every_frame": True, "confidence": True, "keypoint_frame": "person"},
        {"frames": 9, "sharing": "shared", "skeleton": H36M_17_LCN, "blocks": 1, "temporal_kernel": 5},
        {"dynamic": False, "skeleton": OWN, "short_hops": 0, "max_hops": 3, "dropout": 0.0},
    ],
    ids=lambda options: "-".join(options) or "defaults",
)
def test_a_keras_file_gives_the_model_back_in_safe_mode(options, tmp_path):
    model = lifter(**options)
    x = keypoints(model.frames, model.input_channels, model.skeleton.num_joints)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert type(again) is PoseLifter
    assert again.get_config() == model.get_config()
    assert again.skeleton == model.skeleton
    np.testing.assert_array_equal(lift(again, x), lift(model, x))


def test_every_argument_is_echoed_by_the_config():
    changed = {
        "skeleton": OWN, "frames": 3, "channels": 6, "blocks": 1, "short_hops": 0, "max_hops": 1, "squeeze": 0.5,
        "dynamic": False, "temporal_kernel": 1, "sharing": "shared", "dropout": 0.1, "causal": True,
        "every_frame": True, "confidence": True, "keypoint_frame": "person",
    }  # fmt: skip
    plain, other = PoseLifter().get_config(), PoseLifter(**changed).get_config()
    for name in changed:
        assert plain[name] != other[name], name
    assert PoseLifter.from_config(other).get_config() == other
    assert json.loads(json.dumps(other)) == other


def test_mixed_precision_keeps_the_bits_of_keypoints_and_poses():
    keypoints = np.random.default_rng(0).uniform(0, 1900, (4, 1, 17, 2)).astype(np.float32)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = PoseLifter(keypoint_frame="person", **SMALL)
        seen = np.asarray(model.person_frame(keypoints))
        pose = model(keypoints)
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.first.layer.compute_dtype == "bfloat16" and keras.backend.standardize_dtype(pose.dtype) == "float32"
    box = keypoints.max(axis=2, keepdims=True) - keypoints.min(axis=2, keepdims=True)
    expected = (keypoints - (keypoints.max(axis=2, keepdims=True) + keypoints.min(axis=2, keepdims=True)) / 2) * 2
    np.testing.assert_allclose(seen, expected / box.max(axis=-1, keepdims=True), atol=1e-5)


def test_a_skeleton_may_be_named():
    assert PoseLifter("h36m_17", channels=4).skeleton is H36M_17
