"""Programmes on the floor: push-up, plank, sit-up, burpee."""

from __future__ import annotations

import numpy as np

from skelgnn_tf.datasets.fitness import arms as arm
from skelgnn_tf.datasets.fitness.body import SIDE_SIGN, Body
from skelgnn_tf.datasets.fitness.kinematics import Arms, Legs, Pose, Trunk, ankles_m, pose_body, rotation
from skelgnn_tf.datasets.fitness.rhythm import Take, bump, ease
from skelgnn_tf.datasets.fitness.stance import back, feet, hip_over_ankle

#: Height of a wrist whose hand lies flat on the floor, and of an elbow that rests on it.
_WRIST_M, _ELBOW_M = 0.05, 0.045


def push_up(take: Take) -> Pose:
    """Toes and hands stay, the straight body goes down and up between them."""
    body = take.body
    u = take.rhythm.bump(take.rng.uniform(0.4, 0.58), take.rng.uniform(0, 0.1))
    half_grip = body.half_shoulders_m + take.metres(0.0, 0.22)
    top = _straight_arm_height(body, half_grip, take.rng.uniform(0.955, 0.99))
    low = body.height_m * take.rng.uniform(0.125, 0.15)
    shoulder = top + u * (low - top) + take.noise(0.003)
    ahead = take.metres(-0.05, 0.04)
    trunk, legs = _prone(take, shoulder, take.deg(-10, 16) + take.drift(0.02) + u * take.rng.normal(0, 0.04))
    arms = _planted(take, trunk, half_grip, ahead, top, take.deg(15, 75))
    return pose_body(body, trunk, legs, arms)


def plank(take: Take) -> Pose:
    """The straight body rests on toes and forearms or hands, with a slow tremble."""
    body = take.body
    on_hands = take.chance(0.4)
    if on_hands:
        half_grip = body.half_shoulders_m + take.metres(-0.02, 0.1)
        height = _straight_arm_height(body, half_grip, take.rng.uniform(0.965, 0.99))
    else:
        half_grip = body.half_shoulders_m + take.metres(-0.03, 0.06)
        height = _ELBOW_M + body.upper_arm_m * take.rng.uniform(0.95, 0.985)
    shoulder = height + take.noise(0.004, 2.0)
    trunk, legs = _prone(take, shoulder, take.deg(-12, 22) + take.noise(0.03, 4.0))
    if on_hands:
        arms = _planted(take, trunk, half_grip, take.metres(-0.06, 0.06), height, take.deg(15, 60))
    else:
        arms = _on_forearms(take, trunk, half_grip)
    return pose_body(body, trunk, legs, arms)


def sit_up(take: Take) -> Pose:
    """Lying on the back, knees up, feet planted: neck and back curl first, then the pelvis follows."""
    body = take.body
    u = take.rhythm.bump(take.rng.uniform(0.4, 0.55), take.rng.uniform(0, 0.1))
    crunch = take.chance(0.25)
    legs = feet(take, take.metres(0.05, 0.18), take.deg(0, 15))
    knee = take.deg(70, 118)
    apart = np.sqrt(body.thigh_m**2 + body.shank_m**2 + 2 * body.thigh_m * body.shank_m * np.cos(knee))
    legs.toe_m[..., 1] += np.sqrt(apart**2 - (body.depth_m - body.ankle_height_m) ** 2)
    legs.pole = np.broadcast_to(np.array([0.0, 0.3, 1.0]), legs.pole.shape) + 0.0
    legs.pole[..., 0] = SIDE_SIGN * (take.rng.uniform(-0.1, 0.3) + take.noise(0.03)[:, None])
    hip = np.zeros((take.num_frames, 3)) + [0, 0, body.depth_m]
    curl = ease(np.clip(u * 1.25, 0, 1)) * (1 + take.drift(0.05))
    rise = 0.0 * u if crunch else u**1.5 * (take.deg(50, 68) + take.drift(0.05))
    pelvis = rotation(np.pi / 2 - take.deg(0, 4) - rise, 0.0, take.noise(0.01))
    flexion = curl * (take.deg(28, 42) if crunch else take.deg(30, 58))
    twist = take.drift(0.1) * u if take.chance(0.3) else 0.0
    trunk = _lying_back(take, hip, pelvis, flexion, twist, curl)
    way = take.rng.choice(["head", "crossed", "forward", "up"], p=(0.4, 0.25, 0.25, 0.1))
    if way == "head":
        arms = arm.behind_head(take, trunk)
    elif way == "crossed":
        arms = arm.crossed(take, trunk)
    else:
        # Straight arms: along the body, or swung from behind the head.
        start, end = (take.deg(8, 20), take.deg(40, 75)) if way == "forward" else (take.deg(160, 170), take.deg(60, 95))
        up = start + np.clip(u * 1.2, 0, 1)[:, None] * (end - start) + take.noise(0.02, 1.5, (2,))
        arms = arm.by_angles(take.num_frames, take.deg(55, 80), np.maximum(up, 0.05), 0.0, take.deg(5, 25))
        if way == "forward":
            arms.plane = take.deg(60, 80) * ease(u * 4)[:, None] + np.zeros((1, 2))
    return pose_body(body, trunk, legs, arms)


def burpee(take: Take) -> Pose:
    """Down to the hands, feet jump back, perhaps a push-up, feet jump in, up and perhaps a jump."""
    body, phase = take.body, take.rhythm.phase
    # Down until 0.2, feet back until 0.34, plank, feet in from 0.62 until 0.76, up until 0.92, jump.
    down, back_to, in_from, in_to = 0.20, 0.34, 0.62, 0.76
    crouched = ease(phase / down) * (1 - ease((phase - in_to) / (0.93 - in_to)))
    kicked = ease((phase - down - 0.01) / (back_to - down - 0.01)) * (1 - ease((phase - in_from) / (in_to - in_from)))
    dip = bump(np.clip((phase - back_to) / (in_from - back_to), 0, 1)) * take.rhythm.depth
    dip = dip * (0.9 if take.chance(0.4) else 0.0)
    jump = np.where(phase > 0.86, bump(np.clip((phase - 0.86) / 0.14, 0, 1)), 0.0)
    hop = jump * (take.metres(0.05, 0.22) if take.chance(0.7) else 0.0)
    return _burpee_pose(take, crouched, kicked, dip, hop, (phase >= down) & (phase <= in_to))


def _burpee_pose(
    take: Take, crouched: np.ndarray, kicked: np.ndarray, dip: np.ndarray, hop: np.ndarray, on_hands: np.ndarray
) -> Pose:
    """The body of a burpee from how far it is crouched, kicked back, dipped (0..1) and off the floor (metres)."""
    body = take.body
    half_grip = body.half_shoulders_m + take.metres(-0.02, 0.08)
    hands_y = body.height_m * take.rng.uniform(0.20, 0.25)
    high = _straight_arm_height(body, half_grip, 0.975)
    low = body.height_m * 0.14
    # The two shapes that the hands carry: crouched with the feet in, and straight with the feet back.
    legs = feet(take, take.metres(0.06, 0.16), take.deg(0, 20))
    crouch_pitch, plank_pitch = take.deg(15, 35), take.deg(72, 84)
    legs.pitch = (crouched * crouch_pitch + kicked * (plank_pitch - crouch_pitch))[:, None] * np.ones(2)
    toe_y = legs.toe_m[0, 0, 1]
    reach = _prone_shape(body, np.array([high]), np.array([0.06]), plank_pitch)
    kick = reach[2][0] - hands_y + toe_y - 0.02
    air = np.where((kicked > 0) & (kicked < 1), np.sin(np.pi * kicked), 0.0) * take.metres(0.03, 0.10)
    legs.toe_m[..., 1] -= (kicked * kick)[:, None]
    legs.toe_m[..., 2] += (air + hop)[:, None]
    legs.planted &= ~(((kicked > 0) & (kicked < 1)) | (hop > 0))[:, None]
    legs.pole = legs.pole + kicked[:, None, None] * (np.array([0.0, 0.35, -1.0]) - legs.pole)

    ankle = ankles_m(body, legs).mean(axis=1)
    shoulder_z = high + dip * (low - high)
    flat = _prone_shape(body, shoulder_z, np.full_like(dip, 0.06), plank_pitch)
    stand_y, stand_z = hip_over_ankle(body, np.array(0.04), np.array(0.09))
    crouch_at, crouch_lean = _crouch(body, np.array([hands_y - 0.02, high]), ankle_at=_crouched_ankle(body, crouch_pitch))
    # Standing to crouched: round the ankles, so the legs always reach; on the hands: round the shoulders.
    angle = (1 - crouched) * np.arctan2(stand_y, stand_z) + crouched * np.arctan2(crouch_at[0], crouch_at[1])
    radius = (1 - crouched) * np.hypot(stand_y, stand_z) + crouched * np.hypot(*crouch_at)
    lean = take.deg(0, 5) * (1 - crouched) + crouched * crouch_lean
    hip = np.stack([0 * angle, ankle[:, 1] + radius * np.sin(angle), ankle[:, 2] + radius * np.cos(angle)], axis=1)
    on_shoulders = lean + kicked * (flat[1] - lean)
    vector = _trunk_vector(body, on_shoulders)
    shoulder = np.stack([np.full_like(dip, hands_y - 0.02), shoulder_z], axis=1)
    carried = np.concatenate([np.zeros((len(dip), 1)), shoulder - vector], axis=1)
    hip = np.where(kicked[:, None] > 0, carried, hip)
    pelvis = rotation(-on_shoulders, take.noise(0.01), take.noise(0.015))
    trunk = back(take, hip, pelvis, 0.0, 0.0, 0.0, crouched * take.deg(0, 35))

    planted = _planted(take, trunk, half_grip, 0.0, high, take.deg(20, 60), at_y=hands_y)
    up = bump(np.clip((take.rhythm.phase - 0.8) / 0.2, 0, 1)) * take.rng.choice([0.0, 1.0])
    free = arm.blend(arm.hang(take), arm.overhead(take), up)
    arms = arm.blend(free, planted, np.where(on_hands, 1.0, ease(crouched * 1.02)))
    arms.planted = np.repeat(on_hands[:, None], 2, axis=1)
    return pose_body(body, trunk, legs, arms)


def _crouched_ankle(body: Body, pitch: float) -> np.ndarray:
    """Ankle (y, z) of a foot whose heel is raised, when flat its ankle is at y = 0."""
    tip = body.foot_m[0]
    turned = rotation(np.array(-pitch)) @ tip
    return np.array([tip[1] - turned[1], body.ankle_height_m + tip[2] - turned[2]])


def _crouch(body: Body, shoulder: np.ndarray, ankle_at: np.ndarray) -> tuple[np.ndarray, float]:
    """Hip from the ankle (y, z) and trunk's lean of a crouch whose shoulders (y, z) are over the hands."""
    knee = np.deg2rad(128)
    leg = np.sqrt(body.thigh_m**2 + body.shank_m**2 + 2 * body.thigh_m * body.shank_m * np.cos(knee))
    trunk = np.linalg.norm(body.trunk_m)
    hip = _corner(ankle_at[None], shoulder[None], leg, trunk)[0]
    along = shoulder - hip
    return hip - ankle_at, float(np.arctan2(along[0], along[1]) - np.arctan2(body.trunk_m[1], body.trunk_m[2]))


def _corner(first: np.ndarray, second: np.ndarray, first_m: float, second_m: float) -> np.ndarray:
    """The upper corner (frames, 2) of the triangle over two points with these distances to them."""
    along = second - first
    distance = np.clip(np.linalg.norm(along, axis=1), abs(first_m - second_m) + 1e-3, first_m + second_m - 1e-6)
    along = along / np.linalg.norm(along, axis=1, keepdims=True)
    part = (distance**2 + first_m**2 - second_m**2) / (2 * distance)
    out = np.sqrt(np.maximum(first_m**2 - part**2, 0))
    return first + part[:, None] * along + out[:, None] * np.stack([-along[:, 1], along[:, 0]], axis=1)


def _trunk_vector(body: Body, lean: np.ndarray) -> np.ndarray:
    """Hip to between the shoulders (y, z) for a straight trunk that leans forward, (frames, 2)."""
    _, y, z = body.trunk_m
    return np.stack([y * np.cos(lean) + z * np.sin(lean), z * np.cos(lean) - y * np.sin(lean)], axis=1)


def _straight_arm_height(body: Body, half_grip_m: float, straight: float) -> float:
    """Shoulder height over hands on the floor."""
    return _WRIST_M + float(np.sqrt((body.arm_m * straight) ** 2 - (half_grip_m - body.half_shoulders_m) ** 2))


def _prone_shape(
    body: Body, shoulder_z: np.ndarray, pike: np.ndarray, pitch: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hip (frames, 2: y, z), lean and the shoulders' y of a body on its toes, the tips of the feet at y = 0.

    `pike` (radians) is how far the hip is bent up out of the straight line.
    """
    tip = rotation(np.array(-pitch)) @ body.foot_m[0]
    ankle = np.array([-tip[1], 0.02 - tip[2]])
    leg, trunk = 0.994 * body.leg_m, float(np.linalg.norm(body.trunk_m))
    span = np.sqrt(leg**2 + trunk**2 + 2 * leg * trunk * np.cos(pike))
    shoulder_y = ankle[0] + np.sqrt(span**2 - (shoulder_z - ankle[1]) ** 2)
    shoulder = np.stack([shoulder_y, shoulder_z], axis=1)
    along = (shoulder - ankle) / span[:, None]
    part = (span**2 + leg**2 - trunk**2) / (2 * span)
    out = np.sign(pike) * np.sqrt(np.maximum(leg**2 - part**2, 0))
    hip = ankle + part[:, None] * along + out[:, None] * np.stack([-along[:, 1], along[:, 0]], axis=1)
    direction = shoulder - hip
    lean = np.arctan2(direction[:, 0], direction[:, 1]) - np.arctan2(body.trunk_m[1], body.trunk_m[2])
    return hip, lean, shoulder_y


def _prone(take: Take, shoulder_z: np.ndarray, pike: np.ndarray) -> tuple[Trunk, Legs]:
    """Trunk and feet of a body face down on its toes, by the height of the shoulders."""
    pitch = take.deg(72, 86)
    (y, z), lean, _ = (part.T for part in _prone_shape(take.body, shoulder_z, pike, pitch))
    legs = feet(take, take.metres(0.03, 0.16), take.deg(-4, 6))
    legs.pitch += pitch
    legs.toe_m[..., 1] = 0.0
    legs.pole = np.broadcast_to(np.array([0.0, 0.35, -1.0]), legs.toe_m.shape) + 0.0
    hip = np.stack([take.noise(0.004), y, z], axis=1)
    pelvis = rotation(-lean, take.noise(0.01), take.noise(0.01))
    # A straight back: what posture and breathing add stays small, the arms absorb it.
    trunk = back(take, hip, pelvis, take.rng.normal(0, 0.04), 0.0, 0.0, take.deg(-12, 40))
    return trunk, legs


def _planted(
    take: Take,
    trunk: Trunk,
    half_grip_m: float,
    ahead_m: float,
    top_m: float,
    flare: float,
    at_y: float | None = None,
) -> Arms:
    """Arms on hands that stand still below where the shoulders are with straight arms (or at `at_y`)."""
    if at_y is None:
        shoulder_y = trunk.thorax_m[:, 1]
        at_y = float(np.median(shoulder_y[trunk.thorax_m[:, 2] >= np.quantile(trunk.thorax_m[:, 2], 0.7)])) + ahead_m
    arms = arm.hang(take)
    arms.target_m = np.zeros((take.num_frames, 2, 3))
    arms.target_m[..., 0] = SIDE_SIGN * half_grip_m
    arms.target_m[..., 1] = at_y + take.rng.normal(0, 0.012, 2)
    arms.target_m[..., 2] = _WRIST_M
    arms.pole = arm.mirrored((np.sin(flare), -np.cos(flare), 0.15)) + np.zeros((take.num_frames, 1, 1))
    arms.weight = np.ones((take.num_frames, 2))
    arms.planted = np.ones((take.num_frames, 2), bool)
    return arms


def _on_forearms(take: Take, trunk: Trunk, half_grip_m: float) -> Arms:
    """Forearms flat on the floor, elbows under the shoulders; hands may come together."""
    body = take.body
    arms = _planted(take, trunk, half_grip_m, take.metres(-0.02, 0.06), 0.0, 0.0)
    inward = take.deg(0, 35)
    arms.target_m[..., 0] -= SIDE_SIGN * body.forearm_m * np.sin(inward)
    arms.target_m[..., 1] += body.forearm_m * np.cos(inward)
    arms.target_m[..., 2] = _ELBOW_M
    arms.pole = arm.mirrored((0.3, -0.4, -1.0)) + np.zeros((take.num_frames, 1, 1))
    return arms


def _lying_back(
    take: Take, hip: np.ndarray, pelvis: np.ndarray, flexion: np.ndarray, twist: np.ndarray | float, curl: np.ndarray
) -> Trunk:
    """A trunk on the floor: the chin comes up with the curl, and posture may not press the back into the floor."""
    return back(take, hip, pelvis, flexion + 0.05, 0.0, twist, -curl * take.deg(0, 30))
