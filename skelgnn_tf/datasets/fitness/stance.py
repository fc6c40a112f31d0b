"""Parts of standing exercises: feet on the floor, the hip above them, a trunk with natural motion."""

from __future__ import annotations

import numpy as np

from skelgnn_tf.datasets.fitness.body import SIDE_SIGN, Body
from skelgnn_tf.datasets.fitness.kinematics import Legs, Trunk, ankles_m, pose_trunk, settle
from skelgnn_tf.datasets.fitness.rhythm import Take
from skelgnn_tf.datasets.fitness.rotations import rotation, unit


def feet(take: Take, half_width_m: float | np.ndarray, toe_out: float, stagger_m: float = 0.0) -> Legs:
    """Places both feet flat on the floor, with the ankles at y = 0 except for `stagger_m`.

    Args:
        take: The clip.
        half_width_m: Distance from the middle to each ankle, one number or (frames,).
        toe_out: Angle of the feet outward in radians. The knees follow.
        stagger_m: Distance of the right foot in front of the left one.
    """
    num_frames, body = take.num_frames, take.body
    yaw = np.broadcast_to(-SIDE_SIGN * toe_out, (num_frames, 2)).copy()
    ankle = np.zeros((num_frames, 2, 3))
    ankle[..., 0] = SIDE_SIGN * np.reshape(half_width_m, (-1, 1))
    ankle[..., 1] = SIDE_SIGN * stagger_m / 2
    ankle[..., 2] = body.ankle_height_m
    turn = rotation(0.0, 0.0, yaw)
    return Legs(ankle + turn @ body.foot_m[0], yaw, np.zeros((num_frames, 2)), turn[..., 1], np.ones_like(yaw, bool))


def hip_over_ankle(body: Body, shin: np.ndarray, knee: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance of a hip in front of and above the ankles, for a shin lean and a knee bend in radians."""
    forward = body.shank_m * np.sin(shin) - body.thigh_m * np.sin(knee - shin)
    up = body.shank_m * np.cos(shin) + body.thigh_m * np.cos(knee - shin)
    return forward, up


def stand_on(
    take: Take, legs: Legs, shin: np.ndarray, knee: np.ndarray, lean: np.ndarray, sway: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Hip (frames, 3) and pelvis (frames, 3, 3) above two feet, with sway. `lean` (radians) is forward."""
    body = take.body
    forward, up = hip_over_ankle(body, shin, knee)
    ankles = ankles_m(body, legs)
    # Legs that are apart reach less high.
    spread = np.abs(ankles[:, 1, 0] - ankles[:, 0, 0]) / 2 - body.half_hips_m
    hip = ankles.mean(axis=1)
    hip[:, 1] += forward
    hip[:, 2] += np.sqrt(np.maximum(up**2 - spread**2, 0.01))
    hip += take.noise(0.007 * sway, 2.5, (3,)) * np.array([1.0, 1.0, 0.2])
    pelvis = rotation(-lean + take.noise(0.02 * sway, 2.0), take.noise(0.012 * sway, 2.5), take.noise(0.03 * sway, 3.0))
    return settle(body, hip, pelvis, legs), pelvis


def balance_lean(body: Body, hip_forward_m: np.ndarray) -> np.ndarray:
    """Lean of the trunk in radians that balances a hip at a distance in front of the ankles."""
    return np.arcsin(np.clip(-0.95 * hip_forward_m / (0.21 * body.height_m), -0.2, 0.97))


def curve(
    take: Take,
    flexion: np.ndarray | float = 0.0,
    side: np.ndarray | float = 0.0,
    twist: np.ndarray | float = 0.0,
    look_up: np.ndarray | float = 0.0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bends of lower back, upper back and neck, each (frames, 3) in radians: flexion, side, twist.

    The lower back takes 0.6 of flexion, side and twist and the upper back 0.4. `look_up` lifts the face. Posture,
    breathing and motion of the head are drawn here.
    """
    num_frames = take.num_frames
    wanted = np.stack([np.broadcast_to(a, num_frames) for a in (flexion, side, twist)], axis=1)
    posture = np.array([take.rng.normal(0, 0.05), take.rng.normal(0, 0.02), take.rng.normal(0, 0.03)])
    unrest = take.noise(0.015, 2.5, (9,))
    lumbar = 0.6 * wanted + 0.3 * posture + unrest[:, :3]
    thoracic = 0.4 * wanted + posture + unrest[:, 3:6] + np.array([take.rng.uniform(-0.02, 0.14), 0, 0])
    neck = unrest[:, 6:] * np.array([2.0, 1.5, 3.0])
    neck += np.stack(
        [take.rng.normal(0, 0.1) - look_up + np.zeros(num_frames), np.zeros(num_frames), _glances(take)], 1
    )
    neck[:, 0] = np.clip(neck[:, 0], -0.9, 0.8)
    return lumbar, thoracic, neck


def back(take: Take, hip: np.ndarray, pelvis: np.ndarray, *bends: np.ndarray | float) -> Trunk:
    """The trunk above a pelvis. `bends` are flexion, side, twist and look_up of `curve`."""
    return pose_trunk(take.body, hip, pelvis, *curve(take, *bends))


def shoulders_from_hip(body: Body, bends: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
    """Vectors from hip to the middle of the shoulders in the pelvis' axes, (frames, 3), for the bends of `curve`."""
    num_frames = len(bends[0])
    trunk = pose_trunk(body, np.zeros((num_frames, 3)), np.broadcast_to(np.eye(3), (num_frames, 3, 3)), *bends)
    return trunk.thorax_m + trunk.chest @ body.to_shoulders_m.mean(axis=0)


def _glances(take: Take) -> np.ndarray:
    """Turn of the head (frames,) in radians: mostly ahead, in some clips to a mirror, a phone or around."""
    if take.chance(0.25):
        return np.clip(take.rng.normal(0, 0.5) + take.noise(0.2, 2.0), -1.1, 1.1)
    return take.noise(0.06, 3.0)


def swing_leg(
    body: Body, hip: np.ndarray, pelvis: np.ndarray, flexion: np.ndarray, knee: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Ankles and knee poles (frames, sides, 3) of legs in the air, from hip flexion and knee bend (frames, sides)."""
    roots = hip[:, None] + SIDE_SIGN[:, None] * (pelvis[:, :, 0] * body.half_hips_m)[:, None]
    thigh = _sagittal(pelvis, flexion)
    shank = _sagittal(pelvis, flexion - knee)
    return roots + body.thigh_m * thigh + body.shank_m * shank, unit(thigh - shank + 1e-3 * pelvis[:, None, :, 1])


def _sagittal(pelvis: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """The pelvis' down direction, rotated forward by an angle (frames, sides) -> (frames, sides, 3)."""
    forward, up = pelvis[:, None, :, 1], pelvis[:, None, :, 2]
    return np.sin(angle)[..., None] * forward - np.cos(angle)[..., None] * up
