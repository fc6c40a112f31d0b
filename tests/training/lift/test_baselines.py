"""The closed-form floors against numpy's least squares and against data that they must fit exactly."""

import itertools

import numpy as np
import pytest

from skelgnn_tf.datasets import h36m
from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.skeletons import H36M_17
from skelgnn_tf.training.lift import baselines
from skelgnn_tf.training.lift.baselines import baseline_predictions, baseline_scores, lifting_features, moments
from skelgnn_tf.training.lift.scores import score_lifting

SIZE_PX = (800, 600)


def regression(seed=0, frames=60, features=7, targets=3):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(frames, features)) * rng.uniform(0.1, 10, features) + rng.normal(size=features)
    return x, x @ rng.normal(size=(features, targets)) + rng.normal(size=(frames, targets))


def clip_of(screen, pose_m, name="clip"):
    """A clip whose screen coordinates (frames, joints, 2) and root-relative poses are given."""
    width, height = SIZE_PX
    pixels = (screen + np.array([1, height / width])) * width / 2
    return Clip(
        name, pixels[None].astype(np.float32), pose_m.astype(np.float32), image_size_px=SIZE_PX, action="Walking"
    )


def random_screen(frames, seed=0):
    return np.random.default_rng(seed).uniform(-0.6, 0.6, (frames, 17, 2))


def test_ridge_is_least_squares_with_penalty_rows():
    x, y = regression()
    strength = 0.03
    weights, intercept = moments([(x, y)]).ridge(7, strength)
    # Ridge by another road: rows sqrt(n * strength) * std that want each weight to be zero.
    rows = np.sqrt(len(x) * strength) * np.diag(x.std(axis=0))
    centered = np.concatenate([x - x.mean(axis=0), rows])
    expected, *_ = np.linalg.lstsq(centered, np.concatenate([y - y.mean(axis=0), np.zeros((7, 3))]), rcond=None)
    np.testing.assert_allclose(weights, expected, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(intercept, y.mean(axis=0) - x.mean(axis=0) @ expected, rtol=1e-8, atol=1e-10)


def test_ridge_on_the_first_features_is_the_ridge_that_never_saw_the_others():
    x, y = regression(1)
    for found, expected in zip(moments([(x, y)]).ridge(4), moments([(x[:, :4], y)]).ridge(4), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("cuts", [[1], [13, 14, 50], list(range(1, 60))])
def test_moments_of_uneven_batches_are_those_of_the_whole(cuts):
    x, y = regression(2)
    batches = [(x[a:b], y[a:b]) for a, b in itertools.pairwise([0, *cuts, len(x)])]
    found = moments(batches)
    np.testing.assert_allclose(found.mean_x, x.mean(axis=0))
    np.testing.assert_allclose(found.mean_y, y.mean(axis=0))
    joint = np.cov(np.concatenate([x, y], axis=1), rowvar=False, bias=True)
    np.testing.assert_allclose(found.cov_xx, joint[:7, :7], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.cov_xy, joint[:7, 7:], rtol=1e-9, atol=1e-12)


def test_small_variation_around_a_large_mean_is_not_lost():
    x, y = regression(3)
    far = moments([(x[:20] + 1e6, y[:20]), (x[20:] + 1e6, y[20:])])
    np.testing.assert_allclose(far.cov_xx, moments([(x, y)]).cov_xx, rtol=1e-6, atol=1e-6)


def test_a_feature_that_never_varies_gets_no_weight():
    x, y = regression(4)
    x[:, 2] = 5.0
    weights, _ = moments([(x, y)]).ridge(7)
    np.testing.assert_array_equal(weights[2], 0)
    assert np.isfinite(weights).all()


def test_features_are_coordinates_and_each_root_relative_product_once():
    screen = random_screen(2)
    features = lifting_features(screen, root=0)
    relative = (screen - screen[:, :1])[:, 1:].reshape(2, 32)
    products = [relative[:, i] * relative[:, j] for i in range(32) for j in range(i, 32)]
    assert features.shape == (2, 34 + 32 * 33 // 2)
    np.testing.assert_array_equal(features[:, :34], screen.reshape(2, 34))
    np.testing.assert_allclose(features[:, 34:], np.stack(products, axis=1))
    moved = lifting_features(screen + np.array([0.3, -0.2]), root=0)
    np.testing.assert_allclose(moved[:, 34:], features[:, 34:], atol=1e-12)


def test_mean_pose_is_the_mean_of_root_relative_training_poses():
    rng = np.random.default_rng(0)
    train = [clip_of(random_screen(n, n), rng.normal(size=(n, 17, 3))) for n in (5, 9)]
    test = [clip_of(random_screen(3), rng.normal(size=(3, 17, 3)))]
    found = baseline_predictions(train, test, H36M_17)["mean_pose"][0]
    poses = np.concatenate([clip.pose_m - clip.pose_m[:, :1] for clip in train])
    np.testing.assert_allclose(found, np.repeat(poses.mean(axis=0)[None], 3, 0), atol=1e-6)


def test_linear_ridge_finds_a_linear_lifter_and_pairwise_ridge_a_quadratic_one():
    rng = np.random.default_rng(1)
    mix, bend = rng.normal(size=(32, 51)), rng.normal(size=(32, 32))

    def pose(screen, quadratic):
        relative = (screen - screen[:, :1])[:, 1:].reshape(len(screen), 32)
        flat = relative @ mix
        flat[:, 5] += quadratic * np.einsum("ti,ij,tj->t", relative, bend, relative)
        flat[:, :3] = 0
        return flat.reshape(-1, 17, 3)

    errors = {}
    for quadratic in (0, 1):
        train, test = (
            [clip_of(screen, pose(screen, quadratic))] for screen in (random_screen(3000, 1), random_screen(50, 2))
        )
        for name, predicted in baseline_predictions(train, test, H36M_17).items():
            errors[quadratic, name] = score_lifting(predicted, test, H36M_17)["p1_mm"]
    assert errors[0, "linear_ridge"] < 1 < errors[0, "mean_pose"]
    assert errors[1, "pairwise_ridge"] < 1 < 50 < errors[1, "linear_ridge"]


def test_confidence_above_zero_is_ignored_and_predictions_fit_the_test_clips():
    rng = np.random.default_rng(2)
    train = [clip_of(random_screen(40, 3), rng.normal(size=(40, 17, 3)))]
    test = [clip_of(random_screen(n, n), rng.normal(size=(n, 17, 3))) for n in (4, 1)]
    confident = [
        Clip(
            c.name,
            np.concatenate([c.keypoints, rng.random(c.keypoints[..., :1].shape)], -1),
            c.pose_m,
            image_size_px=SIZE_PX,
        )
        for c in test
    ]
    plain, other = (baseline_predictions(train, clips, H36M_17) for clips in (test, confident))
    for name in plain:
        assert [poses.shape for poses in plain[name]] == [(4, 17, 3), (1, 17, 3)]
        for a, b in zip(plain[name], other[name], strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)


def test_missing_keypoints_are_carried_through_time_wherever_they_lie():
    # Every joint moves evenly, so what is missing in between lies half way; one joint is never seen, one not at first.
    screen = random_screen(1) + np.arange(5)[:, None, None] * np.linspace(-0.05, 0.05, 34).reshape(17, 2)
    filled = screen.copy()
    filled[0, 9] = screen[1, 9]
    filled[:, 4] = np.delete(filled, 4, axis=1).mean(axis=1)
    clip = clip_of(screen, np.zeros((5, 17, 3)))
    pixels = np.concatenate([clip.keypoints, np.full((1, 5, 17, 1), 0.3, "f4")], axis=-1)
    for joint, frames in ((4, range(5)), (9, [0]), (3, [2])):
        pixels[0, list(frames), joint] = (12345, -6, 0)
    rng = np.random.default_rng(5)
    train = [clip_of(random_screen(300, 5), rng.normal(size=(300, 17, 3)))]
    test = [Clip("gaps", pixels, image_size_px=SIZE_PX), clip_of(filled, np.zeros((5, 17, 3)))]
    for gaps, whole in baseline_predictions(train, test, H36M_17).values():
        np.testing.assert_allclose(gaps, whole, atol=1e-3)
    nobody = Clip("nobody", np.zeros((1, 5, 17, 3), "f4"), image_size_px=SIZE_PX)
    assert all(np.isfinite(poses[0]).all() for poses in baseline_predictions(train, [nobody], H36M_17).values())


def test_too_many_training_frames_are_thinned_evenly_through_all_clips(monkeypatch):
    monkeypatch.setattr(baselines, "MAX_TRAIN_FRAMES", 10)
    # 31 frames, at most 10: every fourth of all of them, wherever clips begin.
    lengths = (2, 1, 17, 1, 10)
    numbers = np.split(np.arange(sum(lengths)), np.cumsum(lengths)[:-1])
    train = [
        clip_of(random_screen(len(n)), np.eye(17)[1][None, :, None] * n[:, None, None] * np.ones(3)) for n in numbers
    ]
    found = baseline_predictions(train, train[:1], H36M_17)["mean_pose"][0]
    assert found[0, 1, 0] == pytest.approx(np.arange(0, 31, 4).mean())


def test_clips_without_poses_are_passed_over_and_none_at_all_is_refused():
    rng = np.random.default_rng(3)
    good = clip_of(random_screen(20), rng.normal(size=(20, 17, 3)))
    blind = Clip("blind", good.keypoints)
    both, alone = (baseline_predictions(train, [good], H36M_17) for train in ([blind, good], [good]))
    np.testing.assert_array_equal(both["linear_ridge"][0], alone["linear_ridge"][0])
    with pytest.raises(ValueError, match="training clips with 3D poses"):
        baseline_predictions([blind], [good], H36M_17)


def test_each_floor_is_scored_like_a_model():
    rng = np.random.default_rng(4)
    train, test = ([clip_of(random_screen(n, n), rng.normal(size=(n, 17, 3)))] for n in (30, 8))
    scores = baseline_scores(train, test, H36M_17)
    predictions = baseline_predictions(train, test, H36M_17)
    assert scores.keys() == {"mean_pose", "linear_ridge", "pairwise_ridge"}
    for name, score in scores.items():
        whole = score_lifting(predictions[name], test, H36M_17)
        assert {"p1_mm", "p2_mm", "hardest_5_mm"} <= score.keys()
        assert all(whole[key] == value for key, value in score.items())


def test_on_real_motion_pairwise_beats_linear_beats_the_mean_pose(shared_data):
    clips = h36m.load(shared_data / "cmu_mocap")
    scores = baseline_scores(clips.train[::8], clips.test[::8], H36M_17)
    for key in ("p1_mm", "p2_mm", "hardest_5_mm"):
        assert scores["pairwise_ridge"][key] < scores["linear_ridge"][key] < scores["mean_pose"][key]
