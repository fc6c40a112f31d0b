"""Baselines for lifting: the scores of the mean pose and of two closed-form regressions on the same clips."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import solve

from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.datasets.windows import screen_keypoints
from skelgnn_tf.geometry import root_relative
from skelgnn_tf.skeletons import Skeleton
from skelgnn_tf.training.lift.scores import HARDEST_PERCENT, score_lifting

#: Maximum number of training frames; more of them add seconds but no accuracy.
MAX_TRAIN_FRAMES = 60_000
#: Ridge penalty per frame, for features of unit variance.
RIDGE = 1e-5
#: Frames whose features are in memory at the same time.
BATCH_FRAMES = 4096


@dataclass(frozen=True)
class Moments:
    """Means and covariances of features x and targets y, from which a linear regression follows.

    Args:
        mean_x: float64 (features,).
        mean_y: float64 (targets,).
        cov_xx: float64 (features, features).
        cov_xy: float64 (features, targets).
    """

    mean_x: np.ndarray
    mean_y: np.ndarray
    cov_xx: np.ndarray
    cov_xy: np.ndarray

    def ridge(self, num_features: int, strength: float = RIDGE) -> tuple[np.ndarray, np.ndarray]:
        """Ridge regression on the first `num_features` features, each scaled to unit variance.

        Minimizes mean((y - x w - b)^2) + strength * sum((std_x w)^2). The intercept b is not penalized.

        Args:
            num_features: Number of features used.
            strength: Weight of the penalty.

        Returns:
            Weights w, float64 (num_features, targets), and intercept b, float64 (targets,).
        """
        n = num_features
        std = np.sqrt(np.diag(self.cov_xx)[:n])
        # The penalty gives weight 0 to a constant feature, such as a coordinate of the root.
        std = np.where(std > 1e-9, std, 1.0)
        correlation = self.cov_xx[:n, :n] / std / std[:, None]
        scaled = solve(correlation + strength * np.eye(n), self.cov_xy[:n] / std[:, None], assume_a="pos")
        weights = scaled / std[:, None]
        return weights, self.mean_y - self.mean_x[:n] @ weights


def moments(batches: Iterable[tuple[np.ndarray, np.ndarray]]) -> Moments:
    """Moments of features and targets in one pass, with one batch in memory at a time.

    Args:
        batches: Features (frames, features) and targets (frames, targets) of any number of frames.

    Raises:
        ValueError: There are no frames.
    """
    count, shift = 0, None
    for x, y in batches:
        joined = np.concatenate([x, y], axis=1, dtype=np.float64)
        if shift is None:
            # Sums of squares lose digits where the mean is large; any origin close to it avoids that.
            shift = joined.mean(axis=0)
            num_features = x.shape[1]
            total, products = np.zeros_like(shift), np.zeros((len(shift), num_features))
        joined -= shift
        count += len(joined)
        total += joined.sum(axis=0)
        products += joined.T @ joined[:, :num_features]
    if not count:
        raise ValueError("the baselines must have at least one training frame with a 3D pose. Received: none.")
    mean = total / count
    covariance = products / count - mean[:, None] * mean[:num_features]
    mean_x, mean_y = np.split(mean + shift, [num_features])
    return Moments(mean_x, mean_y, covariance[:num_features], covariance[num_features:].T)


def lifting_features(keypoints: np.ndarray, root: int) -> np.ndarray:
    """Screen keypoints (frames, joints, 2) -> features (frames, features): the keypoints and pairwise products.

    The products are those of all root-relative coordinates, each pair once. They describe to second order what
    perspective and bone lengths say about depth, which a linear lifter cannot use.
    """
    frames = len(keypoints)
    relative = np.delete(keypoints - keypoints[:, root : root + 1], root, axis=1).reshape(frames, -1)
    first, second = np.triu_indices(relative.shape[1])
    return np.concatenate([keypoints.reshape(frames, -1), relative[:, first] * relative[:, second]], axis=1)


def baseline_predictions(
    train_clips: Sequence[Clip], test_clips: Sequence[Clip], skeleton: Skeleton
) -> dict[str, list[np.ndarray]]:
    """Root-relative poses that the three baselines predict for the test clips.

    The baselines use at most `MAX_TRAIN_FRAMES` training frames, every n-th of all clips, and only x and y of the first
    person in screen units. Keypoints of confidence 0 are interpolated over time; otherwise confidence is ignored.

    Args:
        train_clips: Training clips with poses.
        test_clips: Clips to predict; their poses are not read.
        skeleton: Skeleton of both.

    Returns:
        {"mean_pose" | "linear_ridge" | "pairwise_ridge": poses (frames, joints, 3) in meters for each test clip}.

    Raises:
        ValueError: No training frame has a pose.
    """
    keypoints, poses = _training_frames(train_clips, skeleton)
    starts = range(0, len(keypoints), BATCH_FRAMES)
    fitted = moments(
        (lifting_features(keypoints[i : i + BATCH_FRAMES], skeleton.root), poses[i : i + BATCH_FRAMES]) for i in starts
    )
    num_linear = 2 * skeleton.num_joints
    linear, pairwise = fitted.ridge(num_linear), fitted.ridge(len(fitted.mean_x))
    predictions: dict[str, list[np.ndarray]] = {"mean_pose": [], "linear_ridge": [], "pairwise_ridge": []}
    for clip in test_clips:
        shape = (clip.num_frames, skeleton.num_joints, 3)
        features = lifting_features(screen_keypoints(clip, confidence=False).astype(np.float64), skeleton.root)
        predictions["mean_pose"].append(np.broadcast_to(fitted.mean_y.reshape(shape[1:]), shape))
        predictions["linear_ridge"].append((features[:, :num_linear] @ linear[0] + linear[1]).reshape(shape))
        predictions["pairwise_ridge"].append((features @ pairwise[0] + pairwise[1]).reshape(shape))
    return predictions


def baseline_scores(
    train_clips: Sequence[Clip], test_clips: Sequence[Clip], skeleton: Skeleton
) -> dict[str, dict[str, Any]]:
    """Scores of the baselines, which a report shows next to those of the model.

    Args:
        train_clips: Training clips with poses.
        test_clips: Clips with poses to score on.
        skeleton: Skeleton of both.

    Returns:
        {"mean_pose" | "linear_ridge" | "pairwise_ridge": {"p1_mm", "p2_mm", "n_mpjpe_mm", "mpjve_mm",
        "hardest_50_mm" .. "hardest_5_mm" (of each baseline's own hardest poses), "share_over_60mm",
        "error_over_threshold"}}.

    Raises:
        ValueError: As `baseline_predictions` and `score_lifting`.
    """
    predictions = baseline_predictions(train_clips, test_clips, skeleton)
    hardest = (f"hardest_{percent}_mm" for percent in HARDEST_PERCENT)
    kept = ("p1_mm", "p2_mm", "n_mpjpe_mm", "mpjve_mm", *hardest, "share_over_60mm", "error_over_threshold")
    scores = {name: score_lifting(poses, test_clips, skeleton) for name, poses in predictions.items()}
    return {name: {key: score[key] for key in kept} for name, score in scores.items()}


def _training_frames(clips: Sequence[Clip], skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """Screen keypoints (frames, joints, 2) and root-relative poses (frames, joints * 3) in meters, every n-th frame."""
    with_pose = [(clip, clip.pose_m) for clip in clips if clip.pose_m is not None]
    every = max(1, -(-sum(clip.num_frames for clip, _ in with_pose) // MAX_TRAIN_FRAMES))
    keypoints, poses, passed = [], [], 0
    for clip, pose_m in with_pose:
        # Counted through all clips, so that short clips contribute in proportion to their length.
        chosen = slice(-passed % every, None, every)
        passed += clip.num_frames
        keypoints.append(screen_keypoints(clip, confidence=False).astype(np.float64)[chosen])
        poses.append(root_relative(pose_m[chosen], skeleton.root).reshape(-1, 3 * skeleton.num_joints))
    if not keypoints:
        raise ValueError("the baselines must have training clips with 3D poses. Received: none.")
    return np.concatenate(keypoints), np.concatenate(poses)
