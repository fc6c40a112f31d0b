"""Scores of lifted poses as a plain dict: Human3.6M's protocols, hard poses, and MPI-INF-3DHP's PCK and AUC.

Poses are given in meters, one array for each clip. Scores are in millimeters where their key ends in `_mm`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skelgnn_tf import metrics
from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.datasets.mpi_inf_3dhp import COUNTING_JOINTS
from skelgnn_tf.geometry import root_relative
from skelgnn_tf.metrics import MM_PER_M
from skelgnn_tf.skeletons import MPI_INF_3DHP_17, Skeleton, joint_map

#: The paper's shares of hard poses, percent.
HARDEST_PERCENT = (50, 35, 20, 10, 5)
#: The two protocols of Human3.6M, whose numbers must not be compared.
PROTOCOLS = {
    "camera": "meters in camera space, root-relative; P1 is the mean of the action means",
    "pixel": "image x, y and scaled depth, scored after back-projection with the true root depth; "
    "not to be compared with the camera protocol",
}
#: Thresholds of the error curve.
CURVE_MM = tuple(range(0, 205, 5))


@dataclass(frozen=True)
class _Frames:
    """Errors of the valid frames of one or more clips, in meters.

    Args:
        joints: float64 (frames, joints), distance of each joint.
        aligned: float64 (frames,), P-MPJPE.
        scaled: float64 (frames,), N-MPJPE.
        velocity: float64 (frames,), MPJVE of the clip of the frame, per frame; NaN if it has no two adjacent frames.
    """

    joints: np.ndarray
    aligned: np.ndarray
    scaled: np.ndarray
    velocity: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """MPJPE in meters, float64 (frames,)."""
        return self.joints.mean(axis=1)

    def __getitem__(self, chosen: np.ndarray) -> _Frames:
        return _Frames(self.joints[chosen], self.aligned[chosen], self.scaled[chosen], self.velocity[chosen])


def frame_errors(predictions: Sequence[np.ndarray], clips: Sequence[Clip], skeleton: Skeleton) -> np.ndarray:
    """MPJPE of all valid frames, clip after clip: the `reference_errors` of `score_lifting`.

    Args:
        predictions: Root-relative camera-space meters, (frames, joints, 3) for each clip.
        clips: Clips with poses.
        skeleton: Skeleton of both.

    Returns:
        float64 (frames,), meters.

    Raises:
        ValueError: As `score_lifting`.
    """
    pairs = _valid_pairs(predictions, clips, skeleton)
    return np.concatenate([metrics.mpjpe(prediction, target) for prediction, target, _ in pairs])


def score_lifting(
    predictions: Sequence[np.ndarray],
    clips: Sequence[Clip],
    skeleton: Skeleton,
    reference_errors: np.ndarray | None = None,
    protocol: str = "camera",
) -> dict[str, Any]:
    """Scores lifted poses against the poses of the clips.

    `p1_mm`, `p2_mm`, `n_mpjpe_mm` and `mpjve_mm` are means over the actions of the mean over each action's frames;
    `*_frame_mean_mm` are means over all frames. The root is one of the joints. A velocity is the difference of two
    adjacent valid frames of a clip; clips are weighted by their number of frames.

    Args:
        predictions: Root-relative camera-space meters, (frames, joints, 3) for each clip.
        clips: Clips with poses. Only their `valid` frames are scored.
        skeleton: Skeleton of both.
        reference_errors: `frame_errors` of a reference model on the same clips, to score its hardest frames, too.
        protocol: "camera" or "pixel". Recorded in the scores; the arithmetic is the same.

    Returns:
        A dict ready for JSON.

    Raises:
        ValueError: The numbers of clips, frames or joints differ, a clip has no poses, a prediction is NaN or infinite,
            no frame is valid, or the reference errors belong to other frames.

    Source: `common/loss.py` and `run.py` of VideoPose3D; hard poses: Zeng et al., ICCV 2021.
    """
    if protocol not in PROTOCOLS:
        raise ValueError(f"protocol must be one of {', '.join(PROTOCOLS)}. Received: {protocol!r}.")
    frames = _errors(predictions, clips, skeleton)
    actions = _labels([clip.action or "unnamed" for clip in clips], clips)
    by_action = {str(action): _means(frames[actions == action]) for action in np.unique(actions)}
    everything = _means(frames)
    errors = frames.mean
    scores = {
        "protocol": protocol,
        "clips": len(clips),
        "frames": len(errors),
        **{key: _mean_of_actions(by_action, key) for key in ("p1_mm", "p2_mm", "n_mpjpe_mm", "mpjve_mm")},
        **{
            key.replace("_mm", "_frame_mean_mm"): everything[key]
            for key in ("p1_mm", "p2_mm", "n_mpjpe_mm", "mpjve_mm")
        },
        **_hardest(errors, errors),
        "share_over_60mm": metrics.share_over(errors, 0.060),
        "by_action": by_action,
        "by_joint_mm": dict(zip(skeleton.joints, (frames.joints.mean(axis=0) * MM_PER_M).tolist(), strict=True)),
        "error_over_threshold": {
            "thresholds_mm": list(CURVE_MM),
            "share": [metrics.share_over(errors, threshold / MM_PER_M) for threshold in CURVE_MM],
        },
    }
    if reference_errors is not None:
        if np.shape(reference_errors) != errors.shape:
            raise ValueError(
                f"reference_errors must have one value for each of {len(errors)} valid frames. Received: shape "
                f"{np.shape(reference_errors)}. Evaluate the reference model on the same clips."
            )
        scores["hard_reference"] = _hardest(errors, reference_errors)
    return scores


def score_3dhp(predictions: Sequence[np.ndarray], clips: Sequence[Clip], skeleton: Skeleton) -> dict[str, Any]:
    """PCK and AUC of MPI-INF-3DHP: over all valid frames, by sequence and by setting.

    14 joints are scored: all but pelvis, spine and head, in the layout of MPI-INF-3DHP or mapped to another one.

    Args:
        predictions: Root-relative camera-space meters, (frames, joints, 3) for each clip.
        clips: Clips with poses; `subject` is the sequence (TS1), `action` the setting (green_screen).
        skeleton: Skeleton of both.

    Returns:
        {"pck", "auc" (0..1), "mpjpe_mm" (all joints), "frames", "by_sequence": {...}, "by_setting": {...}}.

    Raises:
        ValueError: As `score_lifting`.

    Source: Mehta et al., 3DV 2017, and the evaluation code of the test set.
    """
    # For MPI-INF-3DHP's own skeleton the map is the identity.
    counting = joint_map(MPI_INF_3DHP_17, skeleton)[:, list(COUNTING_JOINTS)].sum(axis=1) > 0.5
    joints = np.flatnonzero(counting).tolist()
    parts = [
        (metrics.pck_3d(p, t, joints=joints), metrics.auc_3d(p, t, joints=joints), metrics.mpjpe(p, t) * MM_PER_M)
        for p, t, _ in _valid_pairs(predictions, clips, skeleton)
    ]
    columns = dict(zip(("pck", "auc", "mpjpe_mm"), map(np.concatenate, zip(*parts, strict=True)), strict=True))

    def means(chosen: np.ndarray) -> dict[str, Any]:
        return {key: float(values[chosen].mean()) for key, values in columns.items()} | {"frames": int(chosen.sum())}

    def grouped(names: list[str]) -> dict[str, dict[str, Any]]:
        labels = _labels(names, clips)
        return {str(label): means(labels == label) for label in np.unique(labels)}

    return {
        **means(np.ones(len(columns["pck"]), bool)),
        "by_sequence": grouped([clip.subject for clip in clips]),
        "by_setting": grouped([clip.action for clip in clips]),
    }


def _valid_frames(clip: Clip) -> np.ndarray:
    """Indices of the valid frames, int (valid frames,)."""
    return np.arange(clip.num_frames) if clip.valid is None else np.flatnonzero(clip.valid)


def _valid_pairs(
    predictions: Sequence[np.ndarray], clips: Sequence[Clip], skeleton: Skeleton
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Prediction and root-relative target (valid frames, joints, 3) and the indices of those frames, for each clip."""
    if len(predictions) != len(clips):
        raise ValueError(
            f"predictions must have one array for each of {len(clips)} clips. Received: {len(predictions)}."
        )
    if not sum(len(_valid_frames(clip)) for clip in clips):
        raise ValueError(
            f"clips must have at least one valid frame to score. Received: {len(clips)} clips without any."
        )
    for prediction, clip in zip(predictions, clips, strict=True):
        if clip.pose_m is None:
            raise ValueError(f"{clip.name}: a clip to score must have 3D poses. Received: keypoints only.")
        shape = (clip.num_frames, skeleton.num_joints, 3)
        if prediction.shape != shape or clip.pose_m.shape != shape:
            raise ValueError(
                f"{clip.name}: prediction and pose_m must have shape {shape} ({skeleton.name}). Received: prediction "
                f"{prediction.shape}, pose_m {clip.pose_m.shape}."
            )
        if not np.isfinite(prediction).all():
            raise ValueError(
                f"{clip.name}: the prediction must be finite. Received: NaN or infinity at frame "
                f"{np.argwhere(~np.isfinite(prediction))[0][0]}. Train the model again."
            )
        at = _valid_frames(clip)
        # float64 for one clip at a time: all of Human3.6M would take half a gigabyte.
        target = root_relative(clip.pose_m[at].astype(np.float64), skeleton.root)
        yield prediction[at].astype(np.float64), target, at


def _errors(predictions: Sequence[np.ndarray], clips: Sequence[Clip], skeleton: Skeleton) -> _Frames:
    parts = [
        (
            np.linalg.norm(prediction - target, axis=-1),
            metrics.p_mpjpe(prediction, target),
            metrics.n_mpjpe(prediction, target),
            np.full(len(at), _velocity(prediction, target, at)),
        )
        for prediction, target, at in _valid_pairs(predictions, clips, skeleton)
    ]
    return _Frames(*map(np.concatenate, zip(*parts, strict=True)))


def _velocity(prediction: np.ndarray, target: np.ndarray, at: np.ndarray) -> float:
    """MPJVE of a clip in meters per frame, over its adjacent valid frames; NaN if there are none."""
    adjacent = np.diff(at) == 1
    return float(metrics.mpjve(prediction, target)[adjacent].mean()) if adjacent.any() else float("nan")


def _labels(names: list[str], clips: Sequence[Clip]) -> np.ndarray:
    """The name of each clip, once for each of its valid frames: str (frames,)."""
    return np.repeat(np.array(names), [len(_valid_frames(clip)) for clip in clips])


def _means(frames: _Frames) -> dict[str, Any]:
    moving = frames.velocity[~np.isnan(frames.velocity)]
    return {
        "p1_mm": float(frames.mean.mean() * MM_PER_M),
        "p2_mm": float(frames.aligned.mean() * MM_PER_M),
        "n_mpjpe_mm": float(frames.scaled.mean() * MM_PER_M),
        # JSON has no NaN: an action of single frames has no velocity.
        "mpjve_mm": float(moving.mean() * MM_PER_M) if len(moving) else None,
        "frames": len(frames.aligned),
    }


def _mean_of_actions(by_action: dict[str, dict[str, Any]], key: str) -> float | None:
    values = [scores[key] for scores in by_action.values() if scores[key] is not None]
    return float(np.mean(values)) if values else None


def _hardest(errors: np.ndarray, reference_errors: np.ndarray) -> dict[str, float]:
    """Mean error in mm of the frames that are hardest for the reference."""
    return {
        f"hardest_{percent}_mm": float(errors[metrics.hardest(reference_errors, percent)].mean() * MM_PER_M)
        for percent in HARDEST_PERCENT
    }
