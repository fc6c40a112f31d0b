"""Motions of the arms: hang, hold, reach. Every function returns `Arms` for `pose_body`."""

from __future__ import annotations

import numpy as np

from skelgnn_tf.datasets.fitness.body import SIDE_SIGN
from skelgnn_tf.datasets.fitness.kinematics import (
    Arms,
    Trunk,
    bend_elbows_within_limit,
    collar_lift,
    reach,
    shoulders_m,
)
from skelgnn_tf.datasets.fitness.rhythm import Take
from skelgnn_tf.datasets.fitness.rotations import unit


def by_angles(
    num_frames: int,
    plane: np.ndarray | float,
    elevation: np.ndarray | float,
    axial: np.ndarray | float,
    elbow: np.ndarray | float,
) -> Arms:
    """Arms by joint angles in radians: numbers, (sides,) or (frames, sides).

    The upper arm is raised from hanging by `elevation` in the `plane` (0 sideways, pi/2 forward, -pi/2 backward). The
    same rotation moves the direction "forward"; the forearm bends toward it by `elbow`, rotated outward by `axial`.
    """
    plane, elevation, axial, elbow = (np.broadcast_to(a, (num_frames, 2)) for a in (plane, elevation, axial, elbow))
    cp, sp, ce, se = np.cos(plane), np.sin(plane), np.cos(elevation), np.sin(elevation)
    upper = np.stack([SIDE_SIGN * cp * se, sp * se, -ce], axis=-1)
    ahead = np.stack([-SIDE_SIGN * sp * cp * (1 - ce), ce + cp**2 * (1 - ce), sp * se], axis=-1)
    outward = SIDE_SIGN[:, None] * np.cross(upper, ahead)
    to = np.cos(axial)[..., None] * ahead + np.sin(axial)[..., None] * outward
    forearm = np.cos(elbow)[..., None] * upper + np.sin(elbow)[..., None] * to
    return Arms(upper, forearm, collar_lift(elevation), np.zeros((num_frames, 2)))


def swung(
    take: Take, ahead: np.ndarray, away: np.ndarray, axial: np.ndarray | float, elbow: np.ndarray | float
) -> Arms:
    """Hanging arms, swung forward by `ahead` and outward by `away` (radians below 90 degrees, (frames, sides))."""
    across, forth = np.tan(away), np.tan(ahead)
    return by_angles(take.num_frames, np.arctan2(forth, across), np.arctan(np.hypot(across, forth)), axial, elbow)


def hang(take: Take, swing: np.ndarray | float = 0.0, bent: float = 0.0) -> Arms:
    """Arms at the sides. `swing` (radians, numbers or (frames, sides)) moves them forward, `bent` adds to the elbow."""
    away = np.maximum(take.deg(4, 14) + take.noise(0.02, 2.0, (2,)), 0.03)
    ahead = np.clip(swing + take.deg(-8, 12) + take.noise(0.03, 2.0, (2,)), -0.9, 1.3)
    elbow = take.deg(8, 30) + 0.5 * np.maximum(swing, 0) + take.noise(0.04, 2.0, (2,)) + bent
    return swung(take, ahead, away, take.deg(-25, 15), np.maximum(elbow, 0.05))


def hold(take: Take, trunk: Trunk, axes: np.ndarray, origin_m: np.ndarray, at_m: np.ndarray, pole: np.ndarray) -> Arms:
    """Arms with wrists at fixed positions of moving axes.

    Args:
        take: The clip.
        trunk: The trunk, which defines the shoulders.
        axes: The moving axes (frames, 3, 3).
        origin_m: Their origin (frames, 3).
        at_m: Wrists in these axes, (sides, 3) or (frames, sides, 3).
        pole: Direction of the elbows in these axes, (sides, 3).
    """
    to_world = np.swapaxes(axes, 1, 2)
    at_m = at_m + take.noise(0.008, 1.5, (2, 3))
    return reach(take.body, trunk, origin_m[:, None] + at_m @ to_world, pole @ to_world)


def mirrored(right: tuple[float, float, float]) -> np.ndarray:
    """A position or direction of the right side -> both sides, (sides, 3)."""
    return np.array(right) * np.stack([SIDE_SIGN, [1, 1], [1, 1]], axis=1)


def blend(first: Arms, second: Arms, share: np.ndarray) -> Arms:
    """Interpolates from `first` to `second` by `share` in 0..1, (frames,) or (frames, sides)."""
    share = np.broadcast_to(share.reshape(len(share), -1), first.lift.shape)
    s = share[..., None]

    def turn(a: np.ndarray, b: np.ndarray, by: np.ndarray) -> np.ndarray:
        # Arms move up and down in front of the body: the longer the way, the more it curves forward.
        gap = 1 - np.sum(a * b, axis=-1, keepdims=True)
        return unit((1 - s) * a + s * b + 1.3 * s * (1 - s) * gap * by)

    upper = turn(first.upper, second.upper, mirrored((0.6, 0.8, 0.0)))
    forearm = turn(first.forearm, second.forearm, mirrored((0.1, 1.0, 0.2)))
    return Arms(
        upper,
        bend_elbows_within_limit(upper, forearm),
        first.lift + share * (second.lift - first.lift),
        first.flat + share * (second.flat - first.flat),
    )


def crossed(take: Take, trunk: Trunk) -> Arms:
    """Hands on the opposite shoulders or upper arms."""
    at = mirrored((-take.meters(0.05, 0.11), take.meters(0.12, 0.17), take.meters(-0.17, -0.05)))
    at[0] += [0, 0.03, 0.02]
    return hold(take, trunk, trunk.chest, trunk.thorax_m, at, mirrored((0.6, 0.4, -1.0)))


def behind_head(take: Take, trunk: Trunk, lying: bool = False) -> Arms:
    """Hands at the ears or behind the head with elbows out, or forward if the person lies on the floor."""
    back_m, ahead = (take.meters(-0.06, 0.0), 0.75) if lying else (take.meters(0.02, 0.09), 0.25)
    at = mirrored((take.meters(0.06, 0.11), -back_m, take.meters(0.02, 0.08)))
    pole = mirrored((1.0, ahead + take.rng.uniform(-0.35, 0.35), take.meters(-0.2, 0.2)))
    # The axes of the chest instead of the skull: the elbows do not follow a turn of the head.
    return hold(take, trunk, trunk.chest, trunk.neck_m, at, pole)


def on_hips(take: Take, trunk: Trunk) -> Arms:
    """Hands on the hips, elbows out and back."""
    at = mirrored((take.meters(0.14, 0.18), take.meters(-0.01, 0.06), take.meters(0.08, 0.13)))
    return hold(take, trunk, trunk.pelvis, trunk.hip_m, at, mirrored((1.0, -0.6, 0.1)))


def at_chest(take: Take, trunk: Trunk) -> Arms:
    """Hands together in front of the chest: clasped, with a goblet grip, or at a phone."""
    at = mirrored((take.meters(0.03, 0.08), take.meters(0.16, 0.28), take.meters(-0.2, 0.0)))
    return hold(take, trunk, trunk.chest, trunk.thorax_m, at, mirrored((0.7, -0.2, -1.0)))


def barbell(take: Take, trunk: Trunk) -> Arms:
    """A bar on the shoulders, held wide."""
    wide = take.body.half_shoulders_m + take.meters(0.14, 0.26)
    at = mirrored((wide, take.meters(-0.06, 0.04), take.meters(0.03, 0.10)))
    return hold(take, trunk, trunk.chest, trunk.thorax_m, at, mirrored((0.3, -0.6, -1.0)))


def forward(take: Take, amount: np.ndarray) -> Arms:
    """Arms raised straight ahead by `amount` 0..1 (frames,)."""
    up = take.deg(10, 40) + amount[:, None] * take.deg(40, 75) + take.noise(0.03, 1.5, (2,))
    return by_angles(take.num_frames, take.deg(70, 95), np.maximum(up, 0.05), take.deg(-40, 10), take.deg(5, 40))


def overhead(take: Take) -> Arms:
    """Arms straight up."""
    up = take.deg(150, 172) + take.noise(0.03, 1.5, (2,))
    return by_angles(take.num_frames, take.deg(20, 70), up, take.deg(-10, 30), take.deg(4, 30))


def reach_down(take: Take, trunk: Trunk, half_grip_m: float, ahead_m: np.ndarray) -> Arms:
    """Straight arms that hang from the shoulders to a load at world y `ahead_m` (frames,)."""
    body = take.body
    shoulders = shoulders_m(body, trunk, np.zeros((1, 2)))
    at = np.empty_like(shoulders)
    at[..., 0] = trunk.hip_m[:, None, 0] + SIDE_SIGN * half_grip_m
    at[..., 1] = ahead_m[:, None]
    across = (at - shoulders)[..., :2]
    long = body.arm_m * take.rng.uniform(0.982, 0.998)
    at[..., 2] = shoulders[..., 2] - np.sqrt(np.maximum(long**2 - np.sum(across**2, axis=-1), 0.04))
    return reach(body, trunk, at, np.broadcast_to(mirrored((0.8, -0.6, 0.0)), at.shape))
