"""Errors of 3D poses: numpy functions over poses in metres, and the Keras loss and metric of training.

The functions take a prediction and a target (..., joints, 3) of one shape and give one value for each frame (...,), so
that any mean (by action, by sequence, over the hardest) is the caller's.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from skelgnn_tf.geometry import procrustes

#: Millimetres in a metre; reports are in millimetres, everything else in metres.
MM_PER_M = 1000.0


def _joint_distances(prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Metres (..., joints, 3), twice -> metres (..., joints)."""
    _same_shape(prediction, target)
    return np.linalg.norm(prediction - target, axis=-1)


def _same_shape(prediction: np.ndarray, target: np.ndarray) -> None:
    # Broadcasting would quietly compare every frame with every other.
    if prediction.shape != target.shape or prediction.shape[-1:] != (3,):
        raise ValueError(
            f"prediction and target want the same shape (..., joints, 3); got {prediction.shape} and {target.shape}"
        )


def mpjpe(prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Mean per-joint position error, Human3.6M's protocol 1.

    Args:
        prediction: Root-relative metres (..., joints, 3).
        target: The truth, likewise.

    Returns:
        Metres (...,), the mean over the joints of each frame.

    Raises:
        ValueError: The shapes differ.

    Example:
        >>> float(mpjpe(np.zeros((17, 3)), np.full((17, 3), [0.0, 0.03, 0.04])) * MM_PER_M)
        50.0
    """
    return _joint_distances(prediction, target).mean(axis=-1)


def p_mpjpe(prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    """MPJPE after moving, turning and scaling (never mirroring) each frame onto the truth, protocol 2.

    Args and returns are those of `mpjpe`.
    """
    _same_shape(prediction, target)
    return mpjpe(procrustes(prediction, target), target)


def n_mpjpe(prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    """MPJPE after scaling each frame to the truth by least squares, protocol 3.

    Args and returns are those of `mpjpe`. Source: Rhodin et al. 2018, as in VideoPose3D's loss.py.
    """
    _same_shape(prediction, target)
    size = np.sum(prediction**2, axis=(-1, -2), keepdims=True)
    fit = np.sum(prediction * target, axis=(-1, -2), keepdims=True)
    # A prediction with all joints at the origin has no size to scale.
    scale = np.where(size > 0, fit / np.where(size > 0, size, 1), 0)
    return mpjpe(scale * prediction, target)


def mpjve(prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Mean per-joint velocity error: how far the joints' steps from frame to frame are off.

    Args:
        prediction: Root-relative metres (..., frames, joints, 3), consecutive frames of one clip.
        target: The truth, likewise.

    Returns:
        Metres per frame (..., frames - 1), the mean over the joints of each step. Source: VideoPose3D's loss.py.

    Raises:
        ValueError: The shapes differ, or there is no second frame.
    """
    _same_shape(prediction, target)
    if prediction.ndim < 3 or prediction.shape[-3] < 2:
        raise ValueError(f"velocities want (..., 2 or more frames, joints, 3); got {prediction.shape}")
    return mpjpe(np.diff(prediction, axis=-3), np.diff(target, axis=-3))


def pck_3d(
    prediction: np.ndarray, target: np.ndarray, threshold_m: float = 0.150, joints: Sequence[int] | None = None
) -> np.ndarray:
    """Share of correct keypoints: joints less than a threshold away from the truth.

    Args:
        prediction: Root-relative metres (..., joints, 3).
        target: The truth, likewise.
        threshold_m: Metres within which a joint is correct; MPI-INF-3DHP's is 150 mm.
        joints: The joints that count, or None for all; for MPI-INF-3DHP `mpi_inf_3dhp.COUNTING_JOINTS`.

    Returns:
        Shares 0..1 (...,) of each frame's joints.

    Raises:
        ValueError: The shapes differ.
    """
    return (_counting(prediction, target, joints) < threshold_m).mean(axis=-1)


def auc_3d(prediction: np.ndarray, target: np.ndarray, joints: Sequence[int] | None = None) -> np.ndarray:
    """Area under the curve of PCK: its mean over the thresholds 0, 5, .. 150 mm, MPI-INF-3DHP's 31.

    Args and returns are those of `pck_3d`.
    """
    thresholds_m = np.arange(31) * 0.005
    distances_m = _counting(prediction, target, joints)
    return (distances_m[..., None] < thresholds_m).mean(axis=(-1, -2))


def _counting(prediction: np.ndarray, target: np.ndarray, joints: Sequence[int] | None) -> np.ndarray:
    distances_m = _joint_distances(prediction, target)
    return distances_m if joints is None else distances_m[..., list(joints)]


def hardest(errors: np.ndarray, percent: float) -> np.ndarray:
    """The poses that a reference model gets most wrong; every model is then compared on those.

    Args:
        errors: The reference model's error of each pose, (poses,).
        percent: Share of the poses to take, in percent; rounded up, so at least one is taken.

    Returns:
        Indices, the hardest first; of equal errors the earlier pose comes first.

    Raises:
        ValueError: There are no poses, or percent lies outside 0..100.

    Source: section 4.2 of the paper (hardest 50, 35, 20, 10 and 5 %).
    """
    errors = np.asarray(errors)
    if errors.ndim != 1 or not len(errors) or not 0 < percent <= 100:
        raise ValueError(f"hardest wants errors (poses,) and 0 < percent <= 100; got {errors.shape} and {percent}")
    count = int(np.ceil(percent * len(errors) / 100))
    return np.argsort(-errors, kind="stable")[:count]


def share_over(errors: np.ndarray, threshold_m: float = 0.060) -> float:
    """Share 0..1 of poses whose error in metres is over a threshold; the paper's is 60 mm."""
    return float(np.mean(np.asarray(errors) > threshold_m))


def _keras_distances(y_true, y_pred):
    """Metres (..., joints, 3), twice -> metres (..., joints) with a gradient of zero, not NaN, at zero distance."""
    # float16 has too few bits for the squares of millimetres.
    difference = ops.cast(y_pred, "float32") - ops.cast(y_true, "float32")
    squares = ops.sum(ops.square(difference), axis=-1)
    # NaN is apart too: a broken model must not pass for a perfect one.
    apart = ops.not_equal(squares, 0)
    # Both branches of a where are differentiated, so the root must be kept off zero in the branch not taken too.
    return ops.where(apart, ops.sqrt(ops.where(apart, squares, 1.0)), 0.0)


def _keras_means(y_true, y_pred):
    """Metres (batch, ..., joints, 3), twice -> metres (batch,)."""
    distances = _keras_distances(y_true, y_pred)
    return ops.mean(ops.reshape(distances, (ops.shape(distances)[0], -1)), axis=-1)


@keras.saving.register_keras_serializable(package="skelgnn_tf", name="mpjpe")
def keras_mpjpe(y_true, y_pred):
    """MPJPE as the loss of training: the mean distance over all joints and frames of each sample.

    One value for each sample, for Keras shares out only losses that it averages itself among several devices.

    Args:
        y_true: Metres (batch, ..., joints, 3).
        y_pred: The prediction, likewise; any float type.

    Returns:
        float32 (batch,), metres.
    """
    return _keras_means(y_true, y_pred)


@keras.saving.register_keras_serializable(package="skelgnn_tf")
class MPJPE(keras.metrics.Metric):
    """MPJPE in millimetres over all samples so far; uneven batches give the value of the whole.

    Args:
        name: In logs.
        scale: What one unit of the poses is in the metric's unit; the pixel protocol's poses are not in metres.

    Example:
        >>> metric = MPJPE()
        >>> metric.update_state(np.zeros((2, 17, 3)), np.full((2, 17, 3), [0.0, 0.03, 0.04]))
        >>> round(float(metric.result()), 3)
        50.0
    """

    def __init__(self, name: str = "mpjpe_mm", scale: float = MM_PER_M, **kwargs):
        super().__init__(name=name, **kwargs)
        self.scale = scale
        self.total_m = self.add_weight(name="total_m", initializer="zeros")
        self.samples = self.add_weight(name="samples", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        """Add a batch: metres (batch, ..., joints, 3), twice, and optionally a weight (batch,) for each sample."""
        each = _keras_means(y_true, y_pred)
        weights = ops.ones_like(each) if sample_weight is None else ops.cast(sample_weight, each.dtype)
        self.total_m.assign_add(ops.sum(each * weights))
        self.samples.assign_add(ops.sum(weights))

    def result(self):
        """Millimetres; 0 before the first sample."""
        return ops.divide_no_nan(self.total_m, self.samples) * self.scale

    def get_config(self) -> dict:
        """Arguments of the constructor."""
        return super().get_config() | {"scale": self.scale}
