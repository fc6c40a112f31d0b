import json
import math
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.spatial.transform import Rotation

from skelgnn_tf import metrics
from skelgnn_tf.datasets.mpi_inf_3dhp import COUNTING_JOINTS


def two_clips(frames=6, joints=17, seed=0, error_m=0.1):
    rng = np.random.default_rng(seed)
    target = rng.normal(size=(frames, joints, 3))
    return target + error_m * rng.normal(size=target.shape), target


def joint_distance(one, other):
    return math.sqrt(sum((a - b) ** 2 for a, b in zip(one, other, strict=True)))


def test_mpjpe_is_the_mean_distance_joint_by_joint():
    prediction, target = two_clips()
    for frame, error in enumerate(metrics.mpjpe(prediction, target)):
        distances = [joint_distance(prediction[frame, joint], target[frame, joint]) for joint in range(17)]
        assert error == pytest.approx(sum(distances) / 17)


def test_mpjpe_of_a_moved_pose_is_how_far_it_was_moved():
    _, target = two_clips()
    np.testing.assert_allclose(metrics.mpjpe(target + np.array([0.03, 0, -0.04]), target) * metrics.MM_PER_M, 50)


@pytest.mark.parametrize("metric", [metrics.mpjpe, metrics.p_mpjpe, metrics.n_mpjpe, metrics.pck_3d, metrics.auc_3d])
def test_every_metric_gives_one_value_a_frame_whatever_the_axes_in_front(metric):
    prediction, target = two_clips(12)
    flat = metric(prediction, target)
    assert flat.shape == (12,)
    shaped = metric(prediction.reshape(3, 4, 17, 3), target.reshape(3, 4, 17, 3))
    np.testing.assert_allclose(shaped, flat.reshape(3, 4))


@pytest.mark.parametrize(
    "metric", [metrics.mpjpe, metrics.p_mpjpe, metrics.n_mpjpe, metrics.mpjve, metrics.pck_3d, metrics.auc_3d]
)
def test_shapes_that_would_broadcast_are_refused(metric):
    with pytest.raises(ValueError, match=r"\(4, 17, 3\) and \(1, 17, 3\)"):
        metric(np.zeros((4, 17, 3)), np.zeros((1, 17, 3)))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), scale=st.floats(0.2, 5))
def test_p_mpjpe_is_zero_after_a_similarity_and_positive_after_a_mirroring(seed, scale):
    rng = np.random.default_rng(seed)
    target = rng.normal(size=(3, 17, 3))
    moved = scale * target @ Rotation.random(rng=rng).as_matrix() + rng.normal(size=3)
    np.testing.assert_allclose(metrics.p_mpjpe(moved, target), 0, atol=1e-9)
    assert metrics.p_mpjpe(moved * (1, 1, -1), target).min() > 0.1


def test_alignment_lowers_the_squared_error_the_more_it_may_do():
    prediction, target = two_clips(50, error_m=0.5)
    scaled = [
        minimize_scalar(lambda s, p=p, t=t: ((s * p - t) ** 2).sum()).x for p, t in zip(prediction, target, strict=True)
    ]
    expected = metrics.mpjpe(np.array(scaled)[:, None, None] * prediction, target)
    np.testing.assert_allclose(metrics.n_mpjpe(prediction, target), expected, atol=1e-6)
    assert metrics.p_mpjpe(prediction, target).mean() < metrics.n_mpjpe(prediction, target).mean()


def test_n_mpjpe_forgives_size_and_nothing_else():
    _, target = two_clips()
    np.testing.assert_allclose(metrics.n_mpjpe(0.3 * target, target), 0, atol=1e-12)
    assert metrics.n_mpjpe(target + 0.1, target).min() > 0
    # With no size of its own a prediction stays at the root.
    np.testing.assert_allclose(metrics.n_mpjpe(0 * target, target), np.linalg.norm(target, axis=-1).mean(-1))


def test_mpjve_is_the_error_of_the_steps():
    prediction, target = two_clips()
    velocities = metrics.mpjve(prediction, target)
    assert velocities.shape == (5,)
    for frame in range(5):
        steps = [
            joint_distance(
                prediction[frame + 1, joint] - prediction[frame, joint], target[frame + 1, joint] - target[frame, joint]
            )
            for joint in range(17)
        ]
        assert velocities[frame] == pytest.approx(sum(steps) / 17)


def test_mpjve_does_not_see_a_constant_error_and_wants_two_frames():
    prediction, target = two_clips()
    np.testing.assert_allclose(metrics.mpjve(target + prediction[0], target), 0, atol=1e-12)
    with pytest.raises(ValueError, match="2 or more frames"):
        metrics.mpjve(prediction[:1], target[:1])
    with pytest.raises(ValueError, match="2 or more frames"):
        metrics.mpjve(prediction[0], target[0])


def test_pck_and_auc_count_joints_one_by_one():
    prediction, target = two_clips(8)
    for joints in (None, COUNTING_JOINTS):
        chosen = range(17) if joints is None else joints
        pck, auc = metrics.pck_3d(prediction, target, joints=joints), metrics.auc_3d(prediction, target, joints)
        for frame in range(8):
            away_mm = [1000 * joint_distance(prediction[frame, j], target[frame, j]) for j in chosen]
            assert pck[frame] == pytest.approx(sum(mm < 150 for mm in away_mm) / len(away_mm))
            curve = [sum(mm < threshold for mm in away_mm) / len(away_mm) for threshold in range(0, 151, 5)]
            assert len(curve) == 31
            assert auc[frame] == pytest.approx(sum(curve) / 31)


def test_a_perfect_pose_is_within_every_threshold_but_zero():
    _, target = two_clips()
    np.testing.assert_allclose(metrics.auc_3d(target, target), 30 / 31)
    np.testing.assert_array_equal(metrics.pck_3d(target, target), 1)


def test_joints_that_do_not_count_may_be_anywhere():
    prediction, target = two_clips(error_m=0.001)
    others = sorted(set(range(17)) - set(COUNTING_JOINTS))
    prediction[:, others] += 9
    np.testing.assert_array_equal(metrics.pck_3d(prediction, target, joints=COUNTING_JOINTS), 1)
    assert metrics.pck_3d(prediction, target).max() < 1


def test_the_threshold_of_pck_is_an_argument():
    _, target = two_clips()
    moved = target + np.array([0.1, 0, 0])
    assert (metrics.pck_3d(moved, target).min(), metrics.pck_3d(moved, target, threshold_m=0.05).max()) == (1, 0)


@settings(max_examples=60, deadline=None)
@given(
    errors=st.lists(st.integers(0, 5), min_size=1, max_size=60).map(lambda e: np.array(e, float)),
    percent=st.sampled_from([100, 50, 35, 20, 10, 5, 0.1]),
)
def test_the_hardest_are_no_easier_than_the_rest_and_the_earlier_of_equals(errors, percent):
    chosen = metrics.hardest(errors, percent)
    # Whole numbers only, so that nothing is rounded: percent in tenths.
    count = max(1, -(-round(percent * 10) * len(errors) // 1000))
    ranked = sorted(range(len(errors)), key=lambda pose: (-errors[pose], pose))
    assert chosen.tolist() == ranked[:count]


@pytest.mark.parametrize(("errors", "percent"), [([], 5), ([1.0], 0), ([1.0], 101), ([[1.0]], 5)])
def test_a_share_of_nothing_is_refused(errors, percent):
    with pytest.raises(ValueError, match="percent must be above 0"):
        metrics.hardest(np.array(errors), percent)


def test_share_over_counts_what_lies_strictly_over_the_threshold():
    assert metrics.share_over(np.array([0.01, 0.06, 0.0601, 1.0])) == 0.5
    assert metrics.share_over(np.array([0.01, 0.06]), threshold_m=0.005) == 1.0


def test_the_keras_loss_is_the_mean_of_mpjpe():
    prediction, target = two_clips(10)
    for shape in ((10, 17, 3), (2, 5, 17, 3)):
        loss = metrics.keras_mpjpe(target.reshape(shape), prediction.reshape(shape))
        assert loss.shape == shape[:1]
        assert np.mean(loss) == pytest.approx(metrics.mpjpe(prediction, target).mean(), rel=1e-6)
    assert not np.any(metrics.keras_mpjpe(target, target))


def test_the_papers_loss_is_the_mean_absolute_error_of_each_sample():
    rng = np.random.default_rng(0)
    target, prediction = rng.normal(size=(2, 4, 3, 17, 3)).astype(np.float32)
    found = np.asarray(metrics.keras_l1(target, prediction))
    np.testing.assert_allclose(found, np.abs(target - prediction).mean(axis=(1, 2, 3)), rtol=1e-5)


def test_a_prediction_that_is_no_number_has_no_small_loss():
    target = np.zeros((2, 17, 3), np.float32)
    broken = target.copy()
    broken[1, 3, 1] = np.nan
    assert np.isnan(np.asarray(metrics.keras_mpjpe(target, broken))).tolist() == [False, True]
    metric = metrics.MPJPE()
    metric.update_state(target, broken)
    assert np.isnan(metric.result())


def test_half_precision_predictions_are_measured_in_full():
    target = np.zeros((1, 17, 3))
    prediction = np.full((1, 17, 3), 1e-4, np.float16)
    assert float(metrics.keras_mpjpe(target, prediction)[0]) == pytest.approx(
        math.sqrt(3) * float(np.float16(1e-4)), rel=1e-4
    )


def test_one_step_of_training_from_a_perfect_joint_is_finite_and_goes_downhill():
    """Weights that hit some joints exactly must neither become NaN nor move; the others must come nearer."""
    target = np.zeros((1, 4, 3), np.float32)
    layer = keras.layers.EinsumDense("bi,ijk->bjk", output_shape=(4, 3), kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((1,)), layer])
    start = np.array([[[0, 0, 0], [0.3, 0, 0.4], [0, 0, 0], [0, -1, 0]]], np.float32)
    layer.set_weights([start])
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss=metrics.keras_mpjpe, metrics=[metrics.MPJPE()])
    model.fit(np.ones((1, 1)), target, verbose=0)
    # The gradient of a distance is the unit vector towards the prediction, a quarter of it for each of four joints.
    np.testing.assert_allclose(
        layer.get_weights()[0][0], [[0, 0, 0], [0.285, 0, 0.38], [0, 0, 0], [0, -0.975, 0]], atol=1e-6
    )


def test_on_jax_a_perfect_joint_has_no_gradient_and_is_not_nan():
    pytest.importorskip("jax")
    # The backend is chosen once a process, hence a process of its own. JAX, unlike TensorFlow, has NaN for 0 / 0 here.
    script = """
import jax, numpy as np
from skelgnn_tf.metrics import keras_mpjpe
prediction = np.array([[[0, 0, 0], [3.0, 0, 4.0]]], np.float32)
print(jax.grad(lambda y: keras_mpjpe(np.zeros((1, 2, 3), np.float32), y)[0])(prediction).tolist())
"""
    environment = os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    # Half of a unit vector for each of two joints.
    np.testing.assert_allclose(json.loads(done.stdout), [[[0, 0, 0], [0.3, 0, 0.4]]], rtol=1e-6)


def test_the_streaming_metric_over_uneven_batches_equals_the_whole():
    prediction, target = two_clips(11)
    metric = metrics.MPJPE()
    for start, stop in ((0, 1), (1, 8), (8, 11)):
        metric.update_state(target[start:stop], prediction[start:stop])
    assert float(metric.result()) == pytest.approx(1000 * metrics.mpjpe(prediction, target).mean(), rel=1e-5)
    metric.reset_state()
    assert float(metric.result()) == 0
    metric.update_state(target[:2], prediction[:2])
    assert float(metric.result()) == pytest.approx(1000 * metrics.mpjpe(prediction, target)[:2].mean(), rel=1e-5)


def test_samples_without_weight_do_not_count():
    prediction, target = two_clips(4)
    metric = metrics.MPJPE()
    metric.update_state(target, prediction, sample_weight=np.array([1, 0, 0, 2]))
    one, four = metrics.mpjpe(prediction, target)[[0, 3]]
    assert float(metric.result()) == pytest.approx(1000 * (one + 2 * four) / 3, rel=1e-5)


def test_keras_evaluates_with_both_and_they_survive_saving(tmp_path):
    rng = np.random.default_rng(3)
    inputs, target = rng.normal(size=(7, 17, 2)).astype("float32"), rng.normal(size=(7, 17, 3)).astype("float32")
    model = keras.Sequential([keras.Input((17, 2)), keras.layers.Dense(3)])
    model.compile(loss=metrics.keras_mpjpe, metrics=[metrics.MPJPE()])
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    expected = metrics.mpjpe(model.predict(inputs, verbose=0), target).mean()
    for each in (model, again):
        found = each.evaluate(inputs, target, batch_size=3, verbose=0, return_dict=True)
        assert found["mpjpe_mm"] == pytest.approx(1000 * expected, rel=1e-5)
