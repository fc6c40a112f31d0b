"""What arms do: hang, hold, reach. Every function gives `Arms` that a programme hands to `pose_body`."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from skelgnn_tf.datasets.fitness.body import SIDE_SIGN
from skelgnn_tf.datasets.fitness.kinematics import Arms, Trunk
from skelgnn_tf.datasets.fitness.rhythm import Take


def by_angles(
    num_frames: int,
    plane: np.ndarray | float,
    elevation: np.ndarray | float,
    axial: np.ndarray | float,
    elbow: np.ndarray | float,
) -> Arms:
    """Arms by joint angles (radians): numbers, (sides,) or (frames, sides)."""
    angles = [np.broadcast_to(a, (num_frames, 2)).astype(float) for a in (plane, elevation, axial, elbow)]
    nowhere = np.zeros((num_frames, 2, 3))
    return Arms(*angles, nowhere, nowhere + [0, -1, 0], np.zeros((num_frames, 2)), np.zeros((num_frames, 2), bool))


def hang(take: Take, swing: np.ndarray | float = 0.0) -> Arms:
    """Arms at the sides; `swing` (radians, numbers or (frames, sides)) moves them forward."""
    away = np.maximum(take.deg(4, 14) + take.noise(0.02, 2.0, (2,)), 0.03)
    forward = np.clip(swing + take.deg(-8, 12) + take.noise(0.03, 2.0, (2,)), -1.2, 1.4)
    across, ahead = np.tan(away), np.tan(forward)
    elbow = np.clip(take.deg(8, 30) + 0.5 * np.maximum(swing, 0) + take.noise(0.04, 2.0, (2,)), 0.05, None)
    elevation = np.arctan(np.hypot(across, ahead))
    return by_angles(take.num_frames, np.arctan2(ahead, across), elevation, take.deg(-25, 15), elbow)


def hold(take: Take, axes: np.ndarray, origin_m: np.ndarray, at_m: np.ndarray, pole: np.ndarray) -> Arms:
    """Wrists held at places of a moving frame.

    Args:
        take: The clip.
        axes: The frame's axes (frames, 3, 3).
        origin_m: Its origin (frames, 3).
        at_m: Wrists in that frame, (sides, 3) or (frames, sides, 3) metres.
        pole: Where the elbows point, in that frame, (sides, 3).
    """
    arms = hang(take)
    at_m = np.broadcast_to(at_m, (take.num_frames, 2, 3)) + take.noise(0.008, 1.5, (2, 3))
    arms.target_m = origin_m[:, None] + np.einsum("tij,tsj->tsi", axes, at_m)
    arms.pole = np.einsum("tij,sj->tsi", axes, np.broadcast_to(pole, (2, 3)))
    arms.weight = np.ones((take.num_frames, 2))
    return arms


def mirrored(right: tuple[float, float, float]) -> np.ndarray:
    """A place or direction of the right side -> both sides, (sides, 3)."""
    return np.array(right) * np.stack([SIDE_SIGN, [1, 1], [1, 1]], axis=1)


def blend(first: Arms, second: Arms, share: np.ndarray) -> Arms:
    """From `first` to `second` by `share` 0..1, (frames,) or (frames, sides)."""
    share = np.broadcast_to(share.reshape(len(share), -1), first.weight.shape)
    out = {}
    for field in fields(Arms):
        a, b = getattr(first, field.name), getattr(second, field.name)
        if field.name == "planted":
            out[field.name] = np.where(share > 0.5, b, a)
        elif field.name in ("target_m", "pole"):
            # Where only one of the two has a target, that target counts, and the weight fades it in.
            trust = first.weight * (1 - share) + second.weight * share
            part = np.where(trust > 0, second.weight * share / np.where(trust > 0, trust, 1), 0)[..., None]
            out[field.name] = a + part * (b - a)
        else:
            out[field.name] = a + share * (b - a)
    return Arms(**out)


def crossed(take: Take, trunk: Trunk) -> Arms:
    """Hands on the opposite shoulders or upper arms."""
    high = take.metres(-0.17, -0.05)
    at = mirrored((-take.metres(0.05, 0.11), take.metres(0.12, 0.17), high))
    at[0] += [0, 0.03, 0.02]
    return hold(take, trunk.chest, trunk.thorax_m, at, mirrored((0.6, 0.4, -1.0)))


def behind_head(take: Take, trunk: Trunk) -> Arms:
    """Hands at the ears or behind the head, elbows out."""
    at = mirrored((take.metres(0.05, 0.10), take.metres(-0.09, -0.02), take.metres(0.02, 0.08)))
    return hold(take, trunk.skull, trunk.neck_m, at, mirrored((1.0, take.metres(-0.1, 0.6), take.metres(-0.2, 0.2))))


def on_hips(take: Take, trunk: Trunk) -> Arms:
    """Hands on the hips, elbows out and back."""
    at = mirrored((take.metres(0.14, 0.18), take.metres(-0.01, 0.06), take.metres(0.08, 0.13)))
    return hold(take, trunk.pelvis, trunk.hip_m, at, mirrored((1.0, -0.6, 0.1)))


def at_chest(take: Take, trunk: Trunk) -> Arms:
    """Hands together before the chest: a goblet's hold, clasped, or at a phone."""
    at = mirrored((take.metres(0.03, 0.08), take.metres(0.16, 0.28), take.metres(-0.2, 0.0)))
    return hold(take, trunk.chest, trunk.thorax_m, at, mirrored((0.7, -0.2, -1.0)))


def barbell(take: Take, trunk: Trunk) -> Arms:
    """A bar on the shoulders, held wide."""
    wide = take.body.half_shoulders_m + take.metres(0.14, 0.26)
    at = mirrored((wide, take.metres(-0.06, 0.04), take.metres(0.03, 0.10)))
    return hold(take, trunk.chest, trunk.thorax_m, at, mirrored((0.3, -0.6, -1.0)))


def forward(take: Take, amount: np.ndarray) -> Arms:
    """Arms raised straight ahead by `amount` 0..1 (frames,)."""
    up = take.deg(10, 40) + amount[:, None] * take.deg(40, 75) + take.noise(0.03, 1.5, (2,))
    bent = take.deg(5, 40) + np.zeros((take.num_frames, 2))
    return by_angles(take.num_frames, take.deg(70, 95), np.maximum(up, 0.05), take.deg(-40, 10), bent)


def overhead(take: Take) -> Arms:
    """Arms straight up."""
    up = take.deg(150, 172) + take.noise(0.03, 1.5, (2,))
    return by_angles(take.num_frames, take.deg(20, 70), up, take.deg(-10, 30), take.deg(4, 30))


def reach_down(take: Take, trunk: Trunk, half_grip_m: float, ahead_m: np.ndarray) -> Arms:
    """Straight arms that hang from the shoulders to a load at world y `ahead_m` (frames,)."""
    body = take.body
    shoulders = trunk.thorax_m[:, None] + body.to_shoulders_m @ np.swapaxes(trunk.chest, 1, 2)
    at = np.empty_like(shoulders)
    at[..., 0] = trunk.hip_m[:, None, 0] + SIDE_SIGN * half_grip_m
    at[..., 1] = ahead_m[:, None]
    across = (at - shoulders)[..., :2]
    long = body.arm_m * take.rng.uniform(0.965, 0.992)
    at[..., 2] = shoulders[..., 2] - np.sqrt(np.maximum(long**2 - np.sum(across**2, axis=-1), 0.04))
    arms = hang(take)
    arms.target_m, arms.weight = at, np.ones_like(arms.weight)
    arms.pole = np.broadcast_to(mirrored((0.8, -0.6, 0.0)), at.shape)
    return arms
