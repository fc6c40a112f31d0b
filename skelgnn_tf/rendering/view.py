"""How poses are looked at: colours, and a parallel view from above onto a floor."""

from __future__ import annotations

import numpy as np

from skelgnn_tf.skeletons import Skeleton

# Orange and blue stay apart for every kind of colour blindness.
LEFT, RIGHT, MIDDLE, TARGET = "#E0662B", "#1F6FB2", "#3A3F4B", "#9AA0AC"
PAPER, FLOOR, GRID, SHADOW = "#F6F7F9", "#F0F2F5", "#D5DAE1", "#C2C8D1"

AZIMUTH_RAD, ELEVATION_RAD = np.radians(-35.0), np.radians(14.0)
TILE_M, HEAD_M = 0.25, 0.085


def side_colour(joint: int, skeleton: Skeleton) -> str:
    """That of the person's left or right side, or of the middle."""
    return LEFT if joint in skeleton.left else RIGHT if joint in skeleton.right else MIDDLE


def head_bones(skeleton: Skeleton) -> tuple[int, ...]:
    """The outermost joints of heads, whose bones carry a disc."""
    return tuple(
        joint
        for joint, name in enumerate(skeleton.joints)
        if name.startswith("head") and joint not in skeleton.parents and joint != skeleton.root
    )


def is_seen(keypoints_px: np.ndarray) -> np.ndarray:
    """Which joints (...) of keypoints (..., 2 or 3) a detector saw; all, where it gives no confidence."""
    return keypoints_px[..., 2] > 0 if keypoints_px.shape[-1] == 3 else np.ones(keypoints_px.shape[:-1], bool)


def upright_view(points_m: np.ndarray, up: tuple[float, float, float] | np.ndarray = (0.0, -1.0, 0.0)) -> np.ndarray:
    """Camera-space metres (..., 3) -> the same in an upright frame (..., 3): right, away from the camera, up."""
    upwards = np.asarray(up, float) / np.linalg.norm(up)
    away = np.array([0.0, 0.0, 1.0]) - upwards[2] * upwards
    away /= np.linalg.norm(away)
    return np.asarray(points_m) @ np.stack([np.cross(away, upwards), away, upwards], axis=-1)


def to_paper(points_m: np.ndarray, azimuth_rad: float = AZIMUTH_RAD) -> np.ndarray:
    """Upright metres (..., 3) -> (..., 3): right and up on the paper, and depth behind it, all in metres.

    At azimuth 0 one looks as the camera did, but from a little higher.
    """
    cos, sin = np.cos(azimuth_rad), np.sin(azimuth_rad)
    right = cos * points_m[..., 0] + sin * points_m[..., 1]
    depth = -sin * points_m[..., 0] + cos * points_m[..., 1]
    cos, sin = np.cos(ELEVATION_RAD), np.sin(ELEVATION_RAD)
    # Parallel projection: bones keep their proportions wherever they are, and columns can be compared.
    return np.stack([right, cos * points_m[..., 2] + sin * depth, cos * depth - sin * points_m[..., 2]], axis=-1)


def floor_under(pose: np.ndarray) -> np.ndarray:
    """Upright poses (..., joints, 3) -> the points (..., 1, 3) below their origins, level with the lowest joint."""
    return np.min(pose, axis=-2, keepdims=True) * (0, 0, 1)
