"""Errors of 3D poses: NumPy functions over poses in meters, and the Keras loss and metric of training.

The functions take a prediction and a target of the same shape (..., joints, 3) and return one value per frame (...,).
Means over actions, sequences or the hardest poses are up to the caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from skelgnn_tf.geometry import procrustes

#: Millimeters per meter. Reports are in millimeters, everything else is in meters.
MM_PER_M = 1000.0


def _joint_distances(prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Meters (..., joints, 3), twice -> meters (..., joints)."""
    _same_shape(prediction, target)
    return np.linalg.norm(prediction - target, axis=-1)


def _same_shape(prediction: np.ndarray, target: np.ndarray) -> None:
    # Broadcasting would silently compare every frame with every other.
    if prediction.shape != target.shape or prediction.shape[-1:] != (3,):
        raise ValueError(
            f"prediction and target must have the same shape (..., joints, 3). Received: {prediction.shape} and "
            f"{target.shape}."
        )


def mpjpe(prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Mean per-joint position error: protocol 1 of Human3.6M.

    Args:
        prediction: Root-relative meters (..., joints, 3).
        target: Ground truth, in the same form.

    Returns:
        Meters (...,): the mean over the joints of each frame.

    Raises:
        ValueError: The shapes differ.

    Example:
        >>> float(mpjpe(np.zeros((17, 3)), np.full((17, 3), [0.0, 0.03, 0.04])) * MM_PER_M)
        50.0
    """
    return _joint_distances(prediction, target).mean(axis=-1)


def p_mpjpe(prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    """MPJPE after translating, rotating and scaling (never mirroring) each frame onto the target: protocol 2.

    Arguments, return value and errors are those of `mpjpe`.
    """
    _same_shape(prediction, target)
    return mpjpe(procrustes(prediction, target), target)


def n_mpjpe(prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    """MPJPE after scaling each frame to the target by least squares: protocol 3.

    Arguments, return value and errors are those of `mpjpe`. Source: Rhodin et al., 2018, as in loss.py of VideoPose3D.
    """
    _same_shape(prediction, target)
    size = np.sum(prediction**2, axis=(-1, -2), keepdims=True)
    fit = np.sum(prediction * target, axis=(-1, -2), keepdims=True)
    # A prediction with all joints at the origin cannot be scaled.
    scale = np.where(size > 0, fit / np.where(size > 0, size, 1), 0)
    return mpjpe(scale * prediction, target)


def mpjve(prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Mean per-joint velocity error: the error of the joints' displacements between consecutive frames.

    Args:
        prediction: Root-relative meters (..., frames, joints, 3) of consecutive frames of one clip.
        target: Ground truth, in the same form.

    Returns:
        Meters per frame (..., frames - 1): the mean over the joints of each displacement.

    Raises:
        ValueError: The shapes differ, or there are fewer than two frames.

    Source: loss.py of VideoPose3D.
    """
    _same_shape(prediction, target)
    if prediction.ndim < 3 or prediction.shape[-3] < 2:
        raise ValueError(
            f"prediction must have shape (..., 2 or more frames, joints, 3). Received: {prediction.shape}."
        )
    return mpjpe(np.diff(prediction, axis=-3), np.diff(target, axis=-3))


def pck_3d(
    prediction: np.ndarray, target: np.ndarray, threshold_m: float = 0.150, joints: Sequence[int] | None = None
) -> np.ndarray:
    """Percentage of correct keypoints as a share: joints closer to the target than a threshold.

    Args:
        prediction: Root-relative meters (..., joints, 3).
        target: Ground truth, in the same form.
        threshold_m: Distance in meters below which a joint is correct; 150 mm for MPI-INF-3DHP.
        joints: Indices of the joints that count, None for all; `mpi_inf_3dhp.COUNTING_JOINTS` for MPI-INF-3DHP.

    Returns:
        Share of the joints in [0, 1] for each frame (...,).

    Raises:
        ValueError: The shapes differ.
    """
    return (_counting(prediction, target, joints) < threshold_m).mean(axis=-1)


def auc_3d(prediction: np.ndarray, target: np.ndarray, joints: Sequence[int] | None = None) -> np.ndarray:
    """Area under the curve of PCK: its mean over the 31 thresholds 0, 5, .. 150 mm of MPI-INF-3DHP.

    Arguments, return value and errors are those of `pck_3d`.
    """
    thresholds_m = np.arange(31) * 0.005
    distances_m = _counting(prediction, target, joints)
    return (distances_m[..., None] < thresholds_m).mean(axis=(-1, -2))


def _counting(prediction: np.ndarray, target: np.ndarray, joints: Sequence[int] | None) -> np.ndarray:
    distances_m = _joint_distances(prediction, target)
    return distances_m if joints is None else distances_m[..., list(joints)]


def hardest(errors: np.ndarray, percent: float) -> np.ndarray:
    """The poses with the largest errors of a reference model, on which all models are compared.

    Args:
        errors: Error of the reference model for each pose, (poses,).
        percent: Share of the poses in percent, rounded up to whole poses.

    Returns:
        int (poses,): indices, the hardest first. Of equal errors, the earlier pose comes first.

    Raises:
        ValueError: `errors` is empty or has more than one axis, or `percent` is not above 0 and at most 100.

    Source: section 4.2 of the paper (hardest 50, 35, 20, 10 and 5 %).
    """
    errors = np.asarray(errors)
    if errors.ndim != 1 or not len(errors) or not 0 < percent <= 100:
        raise ValueError(
            f"errors must have shape (poses,) and percent must be above 0 and at most 100. Received: "
            f"{errors.shape} and {percent}."
        )
    count = int(np.ceil(percent * len(errors) / 100))
    return np.argsort(-errors, kind="stable")[:count]


def share_over(errors: np.ndarray, threshold_m: float = 0.060) -> float:
    """Share in [0, 1] of the poses with an error, in meters, above a threshold. The paper uses 60 mm."""
    return float(np.mean(np.asarray(errors) > threshold_m))


def _keras_distances(y_true: Any, y_pred: Any) -> Any:
    """Meters (..., joints, 3), twice -> meters (..., joints), with gradient zero, not NaN, at distance zero."""
    # float16 cannot represent the squares of millimeters.
    difference = ops.cast(y_pred, "float32") - ops.cast(y_true, "float32")
    squares = ops.sum(ops.square(difference), axis=-1)
    # NaN counts as apart, so that a broken model is not taken for a perfect one.
    apart = ops.not_equal(squares, 0)
    # Both branches of a where are differentiated, so the square root must avoid zero also in the branch not taken.
    return ops.where(apart, ops.sqrt(ops.where(apart, squares, 1.0)), 0.0)


def _keras_means(y_true: Any, y_pred: Any) -> Any:
    """Meters (batch, ..., joints, 3), twice -> meters (batch,)."""
    distances = _keras_distances(y_true, y_pred)
    return ops.mean(ops.reshape(distances, (ops.shape(distances)[0], -1)), axis=-1)


@keras.saving.register_keras_serializable(package="skelgnn_tf", name="mpjpe")
def keras_mpjpe(y_true: Any, y_pred: Any) -> Any:
    """MPJPE as a Keras loss: the mean distance over all joints and frames of each sample.

    It returns one value per sample, since Keras distributes a loss over several devices only if it averages the loss
    itself.

    Args:
        y_true: Ground truth in meters (batch, ..., joints, 3).
        y_pred: Prediction, in the same form, of any float type.

    Returns:
        float32 (batch,), meters.
    """
    return _keras_means(y_true, y_pred)


@keras.saving.register_keras_serializable(package="skelgnn_tf", name="l1")
def keras_l1(y_true: Any, y_pred: Any) -> Any:
    """The paper's loss: the mean absolute error of all coordinates of each sample.

    Args:
        y_true: Ground truth (batch, ..., joints, 3).
        y_pred: Prediction, in the same form, of any float type.

    Returns:
        float32 (batch,), in the unit of the coordinates.
    """
    error = ops.abs(ops.cast(y_pred, "float32") - ops.cast(y_true, "float32"))
    return ops.mean(error, axis=tuple(range(1, len(error.shape))))


@keras.saving.register_keras_serializable(package="skelgnn_tf")
class MPJPE(keras.metrics.Metric):
    """MPJPE in millimeters over all samples so far. Batches of different sizes give the value of the whole.

    Args:
        name: Name in logs.
        scale: Factor from the unit of the poses to the unit of the metric. Poses of the pixel protocol are not in
            meters.

    Example:
        >>> metric = MPJPE()
        >>> metric.update_state(np.zeros((2, 17, 3)), np.full((2, 17, 3), [0.0, 0.03, 0.04]))
        >>> round(float(metric.result()), 3)
        50.0
    """

    def __init__(self, name: str = "mpjpe_mm", scale: float = MM_PER_M, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.scale = scale
        self.total_m = self.add_weight(name="total_m", initializer="zeros")
        self.samples = self.add_weight(name="samples", initializer="zeros")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch: meters (batch, ..., joints, 3), twice, and optionally a weight (batch,) for each sample."""
        each = _keras_means(y_true, y_pred)
        weights = ops.ones_like(each) if sample_weight is None else ops.cast(sample_weight, each.dtype)
        self.total_m.assign_add(ops.sum(each * weights))
        self.samples.assign_add(ops.sum(weights))

    def result(self) -> Any:
        """The mean so far in millimeters; 0 before the first sample."""
        return ops.divide_no_nan(self.total_m, self.samples) * self.scale

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        return super().get_config() | {"scale": self.scale}
