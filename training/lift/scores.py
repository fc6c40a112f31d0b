"""Scores of lifted poses as a plain dict: Human3.6M's protocols, hard poses, and MPI-INF-3DHP's PCK and AUC.

Poses go in as metres, one array for each clip; what comes out for a report is in millimetres and says so in its key.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from skelgnn_tf import metrics
from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.datasets.mpi_inf_3dhp import COUNTING_JOINTS
from skelgnn_tf.geometry import root_relative
from skelgnn_tf.metrics import MM_PER_M
from skelgnn_tf.skeletons import MPI_INF_3DHP_17, Skeleton, joint_map

#: The paper's shares of hard poses, percent.
HARDEST_PERCENT = (50, 35, 20, 10, 5)
#: The two ways of Human3.6M, whose numbers must never be mixed.
PROTOCOLS = {
    "camera": "metres in camera space, root-relative; P1 is the mean of the action means",
    "pixel": "image x, y and scaled depth, scored after back-projection with the true root depth; "
    "not to be compared with the camera protocol",
}
CURVE_MM = tuple(range(0, 205, 5))


@dataclass(frozen=True)
class _Frames:
    """Errors of the frames of one or more clips that count, in metres.

    Args:
        joints: (frames, joints) distance of each joint.
        aligned: (frames,) P-MPJPE.
        scaled: (frames,) N-MPJPE.
        velocity: (frames,) MPJVE of the frame's clip, NaN where that has no two neighbouring frames.
    """

    joints: np.ndarray
    aligned: np.ndarray
    scaled: np.ndarray
    velocity: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """(frames,) MPJPE."""
        return self.joints.mean(axis=1)

    def __getitem__(self, chosen: np.ndarray) -> _Frames:
        return _Frames(self.joints[chosen], self.aligned[chosen], self.scaled[chosen], self.velocity[chosen])


def frame_errors(predictions: Sequence[np.ndarray], clips: Sequence[Clip], skeleton: Skeleton) -> np.ndarray:
    """MPJPE of every frame that counts, the clips end to end: what `score_lifting` takes as `reference_errors`.

    Args:
        predictions: For each clip root-relative camera-space metres (frames, joints, 3).
        clips: Clips with poses.
        skeleton: The skeleton of both.

    Returns:
        float64 (frames,) metres.

    Raises:
        ValueError: As `score_lifting`.
    """
    pairs = _counting_pairs(predictions, clips, skeleton)
    return np.concatenate([metrics.mpjpe(prediction, target) for prediction, target, _ in pairs])


def score_lifting(
    predictions: Sequence[np.ndarray],
    clips: Sequence[Clip],
    skeleton: Skeleton,
    reference_errors: np.ndarray | None = None,
    protocol: str = "camera",
) -> dict:
    """Scores lifted poses against the clips' own.

    `p1_mm`, `p2_mm`, `n_mpjpe_mm` and `mpjve_mm` are, as in VideoPose3D, means over the actions of the mean of each
    action's frames; `*_frame_mean_mm` are means over all frames. As there, the root counts among the joints. A
    velocity is taken between neighbouring frames of one clip that both count, and a clip weighs as much as it has
    frames.

    Args:
        predictions: For each clip root-relative camera-space metres (frames, joints, 3).
        clips: Clips with poses; frames that are not `valid` do not count.
        skeleton: The skeleton of both.
        reference_errors: `frame_errors` of a reference model on the same clips; its hardest frames are then scored too.
        protocol: "camera" or "pixel"; says in the report how predictions were made, and changes no arithmetic.

    Returns:
        A dict ready for JSON.

    Raises:
        ValueError: Another number of clips, frames or joints, a clip without poses, NaN or infinite predictions, no
            frame that counts, or reference errors of other frames.
    """
    if protocol not in PROTOCOLS:
        raise ValueError(f"unknown protocol {protocol!r}; there are {' and '.join(PROTOCOLS)}")
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
                f"the reference model's errors are of {np.shape(reference_errors)} frames, these clips have "
                f"{errors.shape}; evaluate the reference on the same clips"
            )
        scores["hard_reference"] = _hardest(errors, reference_errors)
    return scores


def score_3dhp(predictions: Sequence[np.ndarray], clips: Sequence[Clip], skeleton: Skeleton) -> dict:
    """PCK and AUC of MPI-INF-3DHP, over all valid frames, by sequence and by setting.

    Pelvis, spine and head do not count, so 14 joints do, whether the poses are in MPI-INF-3DHP's layout or mapped to
    another one.

    Args:
        predictions: For each clip root-relative camera-space metres (frames, joints, 3).
        clips: Clips with poses; `subject` is the sequence (TS1), `action` the setting (green_screen).
        skeleton: The skeleton of both.

    Returns:
        {"pck", "auc" (0..1), "mpjpe_mm" (all joints), "frames", "by_sequence": {...}, "by_setting": {...}}.

    Raises:
        ValueError: As `score_lifting`.
    """
    # For MPI-INF-3DHP itself this is the identity.
    counting = joint_map(MPI_INF_3DHP_17, skeleton)[:, list(COUNTING_JOINTS)].sum(axis=1) > 0.5
    joints = np.flatnonzero(counting)
    parts = [
        (metrics.pck_3d(p, t, joints=joints), metrics.auc_3d(p, t, joints=joints), metrics.mpjpe(p, t) * MM_PER_M)
        for p, t, _ in _counting_pairs(predictions, clips, skeleton)
    ]
    columns = dict(zip(("pck", "auc", "mpjpe_mm"), map(np.concatenate, zip(*parts, strict=True)), strict=True))

    def means(chosen: np.ndarray) -> dict:
        return {key: float(values[chosen].mean()) for key, values in columns.items()} | {"frames": int(chosen.sum())}

    def grouped(names: list[str]) -> dict:
        labels = _labels(names, clips)
        return {str(label): means(labels == label) for label in np.unique(labels)}

    return {
        **means(np.ones(len(columns["pck"]), bool)),
        "by_sequence": grouped([clip.subject for clip in clips]),
        "by_setting": grouped([clip.action for clip in clips]),
    }


def _counting(clip: Clip) -> np.ndarray:
    """Numbers of the frames that count (frames that count,)."""
    return np.arange(clip.num_frames) if clip.valid is None else np.flatnonzero(clip.valid)


def _counting_pairs(
    predictions: Sequence[np.ndarray], clips: Sequence[Clip], skeleton: Skeleton
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """For each clip prediction and root-relative target (frames that count, joints, 3) and those frames' numbers."""
    if len(predictions) != len(clips):
        raise ValueError(f"scores want one prediction for each of {len(clips)} clips; got {len(predictions)}")
    if not sum(len(_counting(clip)) for clip in clips):
        raise ValueError(f"none of the {len(clips)} clips has a frame that counts; nothing to score")
    for prediction, clip in zip(predictions, clips, strict=True):
        if clip.pose_m is None:
            raise ValueError(f"{clip.name}: a score wants clips with 3D poses, this one has none")
        wanted = (clip.num_frames, skeleton.num_joints, 3)
        if prediction.shape != wanted or clip.pose_m.shape != wanted:
            raise ValueError(
                f"{clip.name}: a score wants poses {wanted} of {skeleton.name}; "
                f"got prediction {prediction.shape}, truth {clip.pose_m.shape}"
            )
        if not np.isfinite(prediction).all():
            raise ValueError(
                f"{clip.name}: the prediction is NaN or infinite at frame "
                f"{np.argwhere(~np.isfinite(prediction))[0][0]}; the model is broken, train it again"
            )
        at = _counting(clip)
        # One clip at a time in float64: the whole of Human3.6M would be half a gigabyte.
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
        for prediction, target, at in _counting_pairs(predictions, clips, skeleton)
    ]
    return _Frames(*map(np.concatenate, zip(*parts, strict=True)))


def _velocity(prediction: np.ndarray, target: np.ndarray, at: np.ndarray) -> float:
    """A clip's MPJVE in metres per frame over the steps between neighbouring frames; NaN if there is none."""
    neighbours = np.diff(at) == 1
    return float(metrics.mpjve(prediction, target)[neighbours].mean()) if neighbours.any() else float("nan")


def _labels(names: list[str], clips: Sequence[Clip]) -> np.ndarray:
    """Each clip's name, once for each of its frames that count: (frames,)."""
    return np.repeat(np.array(names), [len(_counting(clip)) for clip in clips])


def _means(frames: _Frames) -> dict:
    moving = frames.velocity[~np.isnan(frames.velocity)]
    return {
        "p1_mm": float(frames.mean.mean() * MM_PER_M),
        "p2_mm": float(frames.aligned.mean() * MM_PER_M),
        "n_mpjpe_mm": float(frames.scaled.mean() * MM_PER_M),
        # JSON knows no NaN: an action of single frames has no velocity.
        "mpjve_mm": float(moving.mean() * MM_PER_M) if len(moving) else None,
        "frames": len(frames.aligned),
    }


def _mean_of_actions(by_action: dict[str, dict], key: str) -> float | None:
    values = [scores[key] for scores in by_action.values() if scores[key] is not None]
    return float(np.mean(values)) if values else None


def _hardest(errors: np.ndarray, reference_errors: np.ndarray) -> dict[str, float]:
    """Mean error in mm on the frames that are hardest for the reference."""
    return {
        f"hardest_{percent}_mm": float(errors[metrics.hardest(reference_errors, percent)].mean() * MM_PER_M)
        for percent in HARDEST_PERCENT
    }
