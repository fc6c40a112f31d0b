"""RandomAffine: the matrices that it draws, read off what it does to points."""

import keras
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from skelgnn_tf.layers import RandomAffine

EVERYTHING = {"rotation": 20, "scaling": 0.2, "shear": 0.3, "joint_drop": 0.2}


def points(dims, batch=64, confidence=False):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(batch, 2, 4, 7, dims + confidence)).astype(np.float32)
    if confidence:
        x[..., -1] = rng.uniform(0.1, 1, x.shape[:-1])
    return x


def matrices(layer, x):
    """The matrix of each clip by least squares: (batch, dims, dims); one must explain all persons and frames."""
    y = np.asarray(layer(x, training=True)).astype(np.float64)
    out = []
    for before, after in zip(x, y, strict=True):
        matrix, *_ = np.linalg.lstsq(before.reshape(-1, x.shape[-1]), after.reshape(-1, x.shape[-1]), rcond=None)
        np.testing.assert_allclose(before @ matrix, after, atol=1e-5)
        out.append(matrix.T)
    return np.array(out)


@pytest.mark.parametrize("dims", [2, 3])
def test_nothing_happens_at_inference_or_without_options(dims):
    x = points(dims)
    np.testing.assert_array_equal(RandomAffine(**EVERYTHING)(x), x)
    np.testing.assert_array_equal(RandomAffine(**EVERYTHING)(x, training=False), x)
    np.testing.assert_array_equal(RandomAffine()(x, training=True), x)


@pytest.mark.parametrize("dims", [2, 3])
def test_each_clip_is_multiplied_by_one_matrix_of_its_own(dims):
    made = matrices(RandomAffine(20, 0.2, 0.3, seed=0), points(dims))
    assert len(np.unique(made.round(6), axis=0)) == len(made)


def test_a_rotation_in_the_plane_keeps_lengths_and_stays_below_its_angle():
    made = matrices(RandomAffine(rotation=20, seed=0), points(2))
    np.testing.assert_allclose(made @ made.swapaxes(1, 2), np.tile(np.eye(2), (64, 1, 1)), atol=1e-5)
    angles = np.rad2deg(np.arctan2(made[:, 1, 0], made[:, 0, 0]))
    assert -20 <= angles.min() < -14 and 14 < angles.max() <= 20
    np.testing.assert_allclose(np.linalg.det(made), 1, atol=1e-5)


def test_a_rotation_in_space_turns_about_each_axis_by_at_most_its_angle():
    made = matrices(RandomAffine(rotation=20, seed=0), points(3))
    np.testing.assert_allclose(made @ made.swapaxes(1, 2), np.tile(np.eye(3), (64, 1, 1)), atol=1e-5)
    np.testing.assert_allclose(np.linalg.det(made), 1, atol=1e-5)
    # About z, then x, then y, the axes of the room.
    angles = Rotation.from_matrix(made).as_euler("zxy", degrees=True)
    assert (np.abs(angles) <= 20.01).all()
    assert (angles.min(axis=0) < -14).all() and (angles.max(axis=0) > 14).all()


@pytest.mark.parametrize("dims", [2, 3])
def test_scaling_alone_is_a_diagonal_round_one(dims):
    made = matrices(RandomAffine(scaling=0.2, seed=0), points(dims))
    diagonal = np.einsum("bii->bi", made)
    np.testing.assert_allclose(made - np.eye(dims) * diagonal[:, None], 0, atol=1e-5)
    assert 0.8 <= diagonal.min() < 0.85 and 1.15 < diagonal.max() <= 1.2
    # Each axis for itself.
    assert np.abs(np.corrcoef(diagonal.T)[0, 1]) < 0.5
    np.testing.assert_allclose(np.linalg.det(made), diagonal.prod(axis=1), atol=1e-5)


@pytest.mark.parametrize("dims", [2, 3])
def test_shear_alone_has_ones_on_its_diagonal(dims):
    made = matrices(RandomAffine(shear=0.3, seed=0), points(dims))
    beside = made[:, ~np.eye(dims, dtype=bool)]
    np.testing.assert_allclose(np.einsum("bii->bi", made), 1, atol=1e-5)
    assert -0.3 <= beside.min() < -0.2 and 0.2 < beside.max() <= 0.3


def test_draws_differ_from_step_to_step_and_come_back_with_their_seed():
    x = points(3)
    layer, again = (RandomAffine(**EVERYTHING, seed=3) for _ in range(2))
    steps = [np.asarray(layer(x, training=True)) for _ in range(3)]
    assert (steps[0] != steps[1]).any() and (steps[1] != steps[2]).any()
    for step in steps:
        np.testing.assert_array_equal(again(x, training=True), step)
    assert (np.asarray(RandomAffine(**EVERYTHING, seed=4)(x, training=True)) != steps[0]).any()


@pytest.mark.parametrize("confidence", [False, True])
def test_dropped_joints_are_missing_for_a_whole_clip(confidence):
    x = points(2, 200, confidence)
    y = np.asarray(RandomAffine(joint_drop=0.3, confidence=confidence, seed=0)(x, training=True))
    gone = ~np.any(y != 0, axis=-1)
    np.testing.assert_array_equal(gone, np.broadcast_to(gone[:, :1, :1], gone.shape))
    np.testing.assert_array_equal(y[~gone], x[~gone])
    # 1,400 draws: three standard deviations are 0.037.
    assert 0.26 < gone[:, 0, 0].mean() < 0.34


def test_confidence_and_what_is_missing_are_not_turned():
    x = points(2, confidence=True)
    x[:, 1] = 0
    y = np.asarray(RandomAffine(20, 0.2, 0.3, confidence=True, seed=0)(x, training=True))
    np.testing.assert_array_equal(y[..., 2], x[..., 2])
    assert not y[:, 1].any() and (y[:, 0, ..., :2] != x[:, 0, ..., :2]).all()


@pytest.mark.filterwarnings("ignore:The model does not have")
def test_it_is_drawn_anew_in_a_compiled_step():
    layer = RandomAffine(**EVERYTHING, confidence=True, seed=0)
    model = keras.Sequential([keras.layers.Input((2, 4, 7, 3)), layer])
    model.compile("sgd", "mse")
    x = points(2, 8, True)
    losses = [model.test_on_batch(x, x), model.train_on_batch(x, x), model.train_on_batch(x, x)]
    assert losses[0] == 0 and losses[1] != losses[2] and min(losses[1:]) > 0


def test_it_is_the_same_again_from_its_config():
    layer, x = RandomAffine(**EVERYTHING, confidence=True, seed=5), points(3, confidence=True)
    copy = keras.layers.deserialize(keras.layers.serialize(layer))
    assert copy.get_config() == layer.get_config()
    np.testing.assert_array_equal(copy(x, training=True), layer(x, training=True))
