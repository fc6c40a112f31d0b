"""Sanity floors for lifting: what a mean pose and two closed-form regressions reach on the same clips."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve

from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.datasets.windows import screen_keypoints
from skelgnn_tf.geometry import root_relative
from skelgnn_tf.skeletons import Skeleton
from skelgnn_tf.training.lift.scores import HARDEST_PERCENT, score_lifting

#: More training frames than this add seconds and no accuracy to regressions of this size.
MAX_TRAIN_FRAMES = 60_000
#: Ridge penalty on features and targets of unit variance, per frame.
RIDGE = 1e-5
BATCH_FRAMES = 4096


@dataclass(frozen=True)
class Moments:
    """Means and covariances of features x and targets y, all that a linear regression needs to know of its data.

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

        Minimises mean((y - x w - b)^2) + strength * sum((std_x w)^2); the intercept b is not penalised.

        Returns:
            Weights w (num_features, targets) and intercept b (targets,).
        """
        n = num_features
        std = np.sqrt(np.diag(self.cov_xx)[:n])
        # A feature that never varies, such as the root's own root-relative place, gets weight 0 by the penalty.
        std = np.where(std > 1e-9, std, 1.0)
        correlation = self.cov_xx[:n, :n] / std / std[:, None]
        scaled = solve(correlation + strength * np.eye(n), self.cov_xy[:n] / std[:, None], assume_a="pos")
        weights = scaled / std[:, None]
        return weights, self.mean_y - self.mean_x[:n] @ weights


def moments(batches: Iterable[tuple[np.ndarray, np.ndarray]]) -> Moments:
    """Moments of features and targets that come in batches ((frames, features), (frames, targets)) of any sizes.

    One pass, and no more memory than one batch and one matrix of features by features.
    """
    count, shift = 0, None
    for x, y in batches:
        joined = np.concatenate([x, y], axis=1, dtype=np.float64)
        if shift is None:
            # Sums of raw squares would lose what varies little around a large mean; any near-by origin mends that.
            shift = joined.mean(axis=0)
            num_features = x.shape[1]
            total, products = np.zeros_like(shift), np.zeros((len(shift), num_features))
        joined -= shift
        count += len(joined)
        total += joined.sum(axis=0)
        products += joined.T @ joined[:, :num_features]
    if not count:
        raise ValueError("the baselines want at least one training frame with a 3D pose; got none")
    mean = total / count
    covariance = products / count - mean[:, None] * mean[:num_features]
    mean_x, mean_y = np.split(mean + shift, [num_features])
    return Moments(mean_x, mean_y, covariance[:num_features], covariance[num_features:].T)


def lifting_features(keypoints: np.ndarray, root: int) -> np.ndarray:
    """Screen keypoints (frames, joints, 2) -> (frames, features): themselves, then pairwise products.

    The products are those of all root-relative coordinates with one another, each pair once. To second order they hold
    what perspective and bone lengths say about depth, which no linear lifter can see.
    """
    frames = len(keypoints)
    relative = np.delete(keypoints - keypoints[:, root : root + 1], root, axis=1).reshape(frames, -1)
    first, second = np.triu_indices(relative.shape[1])
    return np.concatenate([keypoints.reshape(frames, -1), relative[:, first] * relative[:, second]], axis=1)


def baseline_predictions(
    train_clips: Sequence[Clip], test_clips: Sequence[Clip], skeleton: Skeleton
) -> dict[str, list[np.ndarray]]:
    """Root-relative poses that the three sanity floors give for the test clips.

    They see at most `MAX_TRAIN_FRAMES` training frames, every n-th of all clips laid end to end, and the first
    person's x and y alone, in screen coordinates. Keypoints of confidence 0 are interpolated over time; beyond that,
    confidence is ignored.

    Args:
        train_clips: Clips with poses to learn from.
        test_clips: Clips to predict; their poses are not read.
        skeleton: The skeleton of both.

    Returns:
        For each of "mean_pose", "linear_ridge" and "pairwise_ridge" a list with one array (frames, joints, 3), metres,
        for each test clip.

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


def baseline_scores(train_clips: Sequence[Clip], test_clips: Sequence[Clip], skeleton: Skeleton) -> dict[str, dict]:
    """Scores of the sanity floors, to stand beside a model's in a report.

    Args:
        train_clips: Clips with poses to learn from.
        test_clips: Clips with poses to score on.
        skeleton: The skeleton of both.

    Returns:
        {"mean_pose" | "linear_ridge" | "pairwise_ridge": {"p1_mm", "p2_mm", "n_mpjpe_mm", "mpjve_mm",
        "hardest_50_mm" .. "hardest_5_mm", "share_over_60mm", "error_over_threshold"}}, the hardest by its own errors.
    """
    predictions = baseline_predictions(train_clips, test_clips, skeleton)
    hardest = (f"hardest_{percent}_mm" for percent in HARDEST_PERCENT)
    kept = ("p1_mm", "p2_mm", "n_mpjpe_mm", "mpjve_mm", *hardest, "share_over_60mm", "error_over_threshold")
    scores = {name: score_lifting(poses, test_clips, skeleton) for name, poses in predictions.items()}
    return {name: {key: score[key] for key in kept} for name, score in scores.items()}


def _training_frames(clips: Sequence[Clip], skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """Screen keypoints (frames, joints, 2) and root-relative poses (frames, joints * 3) of every n-th frame."""
    clips = [clip for clip in clips if clip.pose_m is not None]
    every = max(1, -(-sum(clip.num_frames for clip in clips) // MAX_TRAIN_FRAMES))
    keypoints, poses, passed = [], [], 0
    for clip in clips:
        # Counted through all clips, so that short clips are seen as often as they are long.
        chosen = slice(-passed % every, None, every)
        passed += clip.num_frames
        keypoints.append(screen_keypoints(clip, confidence=False).astype(np.float64)[chosen])
        poses.append(root_relative(clip.pose_m[chosen], skeleton.root).reshape(-1, 3 * skeleton.num_joints))
    if not keypoints:
        raise ValueError("the baselines want training clips with 3D poses; got none")
    return np.concatenate(keypoints), np.concatenate(poses)
