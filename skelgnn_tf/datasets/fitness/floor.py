"""Exercises on the floor: push-up, plank, sit-up, burpee."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skelgnn_tf.datasets.fitness import arms as arm
from skelgnn_tf.datasets.fitness.body import SIDE_SIGN, Body
from skelgnn_tf.datasets.fitness.kinematics import (
    Arms,
    Legs,
    Pose,
    Trunk,
    ankles_m,
    pose_body,
    pose_trunk,
    reach,
    settle,
    settle_on_hands,
)
from skelgnn_tf.datasets.fitness.rhythm import Take, bump, ease
from skelgnn_tf.datasets.fitness.rotations import rotation
from skelgnn_tf.datasets.fitness.stance import back, curve, feet, hip_over_ankle, shoulders_from_hip

#: Height of the wrist of a hand that lies flat on the floor, and of an elbow that rests on it.
_WRIST_M, _ELBOW_M = 0.05, 0.045


def push_up(take: Take) -> Pose:
    """Toes and hands stay in place, the straight body moves down and up between them."""
    body = take.body
    u = take.rhythm.bump(take.rng.uniform(0.4, 0.58), take.rng.uniform(0, 0.1))
    half_grip = body.half_shoulders_m + take.meters(0.0, 0.22)
    ahead = take.meters(-0.05, 0.04)
    top = straight_arm_height(body, half_grip, take.rng.uniform(0.97, 0.995), ahead)
    low = body.height_m * take.rng.uniform(0.125, 0.15)
    shoulder = top + u * (low - top) + take.noise(0.003)
    pike = take.deg(-10, 16) + take.drift(0.02) + u * take.rng.normal(0, 0.04)
    trunk, legs = prone(take, shoulder, pike)
    at = hands(take, half_grip, under_shoulders(trunk) + ahead)
    trunk = settle_on_hands(body, trunk, at)
    arms = reach(body, trunk, at, flared(take.deg(15, 75), at), flat=1.0)
    return pose_body(body, trunk, legs, arms)


def plank(take: Take) -> Pose:
    """The straight body rests on toes and forearms or hands and trembles slowly."""
    body = take.body
    on_hands = take.chance(0.4)
    if on_hands:
        half_grip = body.half_shoulders_m + take.meters(-0.02, 0.1)
        ahead = take.meters(-0.06, 0.06)
        height = straight_arm_height(body, half_grip, take.rng.uniform(0.97, 0.995), ahead)
    else:
        half_grip = body.half_shoulders_m + take.meters(-0.03, 0.06)
        height = _ELBOW_M + body.upper_arm_m * take.rng.uniform(0.95, 0.985)
    shoulder = height + take.noise(0.004, 2.0)
    trunk, legs = prone(take, shoulder, take.deg(-12, 22) + take.noise(0.03, 4.0))
    if on_hands:
        at = hands(take, half_grip, under_shoulders(trunk) + ahead)
        trunk = settle_on_hands(body, trunk, at)
        arms = reach(body, trunk, at, flared(take.deg(15, 60), at), flat=1.0)
    else:
        arms = _on_forearms(take, trunk, half_grip)
    return pose_body(body, trunk, legs, arms)


def full_sit_up(take: Take) -> Pose:
    """A sit-up in which the pelvis rises too, with legs bent as usual or nearly straight."""
    return sit_up(take, crunches=0.0, knee_deg=(20, 118) if take.chance(0.4) else (82, 118))


def sit_up(take: Take, crunches: float = 0.25, knee_deg: tuple[float, float] = (82, 118)) -> Pose:
    """Lying on the back with the knees up and the feet planted: neck and back curl first, then the pelvis.

    A share of `crunches` only curls the back.
    """
    body = take.body
    u = take.rhythm.bump(take.rng.uniform(0.4, 0.55), take.rng.uniform(0, 0.1))
    crunch = take.chance(crunches)
    legs = feet(take, take.meters(0.05, 0.18), take.deg(0, 15))
    knee = take.deg(*knee_deg)
    apart = np.sqrt(body.thigh_m**2 + body.shank_m**2 + 2 * body.thigh_m * body.shank_m * np.cos(knee))
    legs.toe_m[..., 1] += np.sqrt(apart**2 - (body.depth_m - body.ankle_height_m) ** 2)
    legs.pole = np.broadcast_to(np.array([0.0, 0.3, 1.0]), legs.pole.shape) + 0.0
    legs.pole[..., 0] = SIDE_SIGN * (take.rng.uniform(-0.1, 0.3) + take.noise(0.03)[:, None])
    hip = np.tile([0.0, 0.0, body.depth_m], (take.num_frames, 1))
    curl = ease(np.clip(u * 1.25, 0, 1)) * (1 + take.drift(0.05))
    rise = 0.0 * u if crunch else u**1.5 * (take.deg(50, 68) + take.drift(0.05))
    pelvis = rotation(np.pi / 2 - take.deg(0, 4) - rise, 0.0, take.noise(0.01))
    flexion = curl * (take.deg(28, 42) if crunch else take.deg(30, 58))
    twist = take.drift(0.1) * u if take.chance(0.3) else 0.0
    trunk = back(take, hip, pelvis, flexion + 0.05, 0.0, twist, -curl * take.deg(0, 30))
    way = take.rng.choice(["head", "crossed", "forward", "up"], p=(0.4, 0.25, 0.25, 0.1))
    if way == "head":
        arms = arm.behind_head(take, trunk, lying=True)
    elif way == "crossed":
        arms = arm.crossed(take, trunk)
    else:
        # Straight arms: along the body, or swung from behind the head.
        start, end = (
            (take.deg(18, 30), take.deg(68, 98)) if way == "forward" else (take.deg(146, 160), take.deg(70, 100))
        )
        up = start + np.clip(u * 1.2, 0, 1)[:, None] * (end - start) + take.noise(0.02, 1.5, (2,))
        arms = arm.by_angles(take.num_frames, take.deg(65, 85), np.maximum(up, 0.05), 0.0, take.deg(5, 25))
    return pose_body(body, trunk, legs, arms)


def burpee(take: Take) -> Pose:
    """Down to the hands, feet jump back, an optional push-up, feet jump in, up and an optional jump."""
    phase = take.rhythm.phase
    # Down until 0.2, feet back until 0.34, plank, feet in from 0.62 until 0.76, up until 0.92, jump.
    down, back_to, in_from, in_to = 0.20, 0.34, 0.62, 0.76
    crouched = ease(phase / down) * (1 - ease((phase - in_to) / (0.93 - in_to)))
    kicked = ease((phase - down - 0.01) / (back_to - down - 0.01)) * (1 - ease((phase - in_from) / (in_to - in_from)))
    dip = bump(np.clip((phase - back_to) / (in_from - back_to), 0, 1)) * take.rhythm.depth
    dip = dip * (0.9 if take.chance(0.4) else 0.0)
    jump = np.where(phase > 0.86, bump(np.clip((phase - 0.86) / 0.14, 0, 1)), 0.0)
    hop = jump * (take.meters(0.05, 0.22) if take.chance(0.7) else 0.0)
    return _burpee_pose(take, crouched, kicked, dip, hop, (phase >= down) & (phase <= in_to))


def _burpee_pose(
    take: Take, crouched: np.ndarray, kicked: np.ndarray, dip: np.ndarray, hop: np.ndarray, on_hands: np.ndarray
) -> Pose:
    """The body of a burpee, from how much it is crouched, kicked back, dipped (0..1) and off the floor (meters)."""
    body = take.body
    half_grip = body.half_shoulders_m + take.meters(-0.02, 0.08)
    hands_y = body.height_m * take.rng.uniform(0.31, 0.35)
    high = straight_arm_height(body, half_grip, 0.985)
    # A crouch rounds the back: bending the hips only would not let the hands reach the floor.
    bends = curve(take, crouched * (1 - kicked) * take.deg(60, 70), 0.0, 0.0, crouched * take.deg(0, 35))
    to_shoulders = shoulders_from_hip(body, bends)[:, 1:]
    crouch_pitch, plank_pitch, pike = take.deg(30, 48), take.deg(72, 84), take.deg(-3, 12)

    def flat_at(shoulder_z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return _prone_shape(body, shoulder_z, np.full_like(dip, pike), plank_pitch, to_shoulders)

    _, flat_lean, flat_y = flat_at(high + dip * (body.height_m * 0.14 - high))
    kick = flat_at(np.full_like(dip, high))[2].mean()
    # With straight feet the shoulders move forward slightly as the body sinks.
    shoulder = np.stack([hands_y - 0.02 + kicked * (flat_y - kick), high + dip * (body.height_m * 0.14 - high)], axis=1)
    legs = _burpee_legs(take, kicked, kick - hands_y + 0.02, hop)
    # The heels rise before the feet have moved far.
    pitch = crouched * crouch_pitch + np.sin(np.pi / 2 * kicked) * (plank_pitch - crouch_pitch)
    legs.pitch = np.repeat(pitch[:, None], 2, axis=1)

    stand = hip_over_ankle(body, np.array(0.04), np.array(0.09))
    knee = take.deg(84, 106)
    crouch, crouch_lean = _crouch(body, shoulder, _crouched_ankle(body, crouch_pitch), to_shoulders, knee)
    # From standing to crouched around the ankles, so that the legs always reach; on the hands around the shoulders.
    angle = (1 - crouched) * np.arctan2(*stand) + crouched * np.arctan2(crouch[:, 0], crouch[:, 1])
    radius = (1 - crouched) * np.hypot(*stand) + crouched * np.hypot(crouch[:, 0], crouch[:, 1])
    hip = ankles_m(body, legs).mean(axis=1)[:, 1:] + radius[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    lean = take.deg(0, 5) * (1 - crouched) + crouched * crouch_lean
    lean = lean + kicked * (flat_lean - lean)
    hip = np.where(kicked[:, None] > 0, shoulder - _leaned(to_shoulders, lean), hip)
    hip = np.concatenate([take.noise(0.006)[:, None], hip], axis=1)
    pelvis = rotation(-lean, take.noise(0.01), take.noise(0.015))
    hip = np.where(kicked[:, None] > 0, hip, settle(body, hip, pelvis, legs))
    trunk = pose_trunk(body, hip, pelvis, *bends)
    at = hands(take, half_grip, hands_y)
    trunk = settle_on_hands(body, trunk, np.where(on_hands[:, None, None], at, trunk.hip_m[:, None]))
    planted = reach(body, trunk, at, flared(take.deg(20, 60), at), flat=1.0)
    up = bump(np.clip((take.rhythm.phase - 0.76) / 0.24, 0, 1)) * max(take.rng.uniform(-0.7, 0.8), 0.0)
    arms = arm.blend(
        arm.blend(arm.hang(take), arm.overhead(take), up), planted, np.where(on_hands, 1.0, ease(crouched))
    )
    return pose_body(body, trunk, legs, replace(arms, flat=np.where(on_hands[:, None], 1.0, arms.flat * 0.999)))


def _burpee_legs(take: Take, kicked: np.ndarray, kick_m: float, hop: np.ndarray) -> Legs:
    """Feet that jump back and in again, and hop (meters) at the end. The pitch is set later."""
    legs = feet(take, take.meters(0.06, 0.16), take.deg(0, 20))
    in_air = (kicked > 0) & (kicked < 1)
    legs.toe_m[..., 1] -= (kicked * (kick_m + legs.toe_m[0, 0, 1]))[:, None]
    legs.toe_m[..., 2] += (np.where(in_air, np.sin(np.pi * kicked), 0.0) * take.meters(0.03, 0.10) + hop)[:, None]
    legs.planted &= ~(in_air | (hop > 0))[:, None]
    legs.pole = legs.pole + kicked[:, None, None] * (np.array([0.0, 0.35, -1.0]) - legs.pole)
    return legs


def _crouched_ankle(body: Body, pitch: float) -> np.ndarray:
    """Ankle (y, z) of a foot with a raised heel, whose ankle is at y = 0 when flat."""
    tip = body.foot_m[0]
    turned = rotation(np.array(-pitch)) @ tip
    return np.array([tip[1] - turned[1], body.ankle_height_m + tip[2] - turned[2]])


def _crouch(
    body: Body, shoulder: np.ndarray, ankle: np.ndarray, to_shoulders: np.ndarray, knee: float
) -> tuple[np.ndarray, np.ndarray]:
    """Hip relative to the ankle (frames, 2: y, z) and lean of the pelvis, crouched with shoulders above the hands."""
    leg = np.sqrt(body.thigh_m**2 + body.shank_m**2 + 2 * body.thigh_m * body.shank_m * np.cos(knee))
    along = shoulder - ankle
    distance = np.linalg.norm(along, axis=1)
    hip = _third_corner(along / distance[:, None], distance, leg, np.linalg.norm(to_shoulders, axis=1), 1.0)
    return hip, _lean_of(along - hip, to_shoulders)


def _third_corner(
    along: np.ndarray, distance: np.ndarray, first_m: float, second_m: np.ndarray, above: np.ndarray | float
) -> np.ndarray:
    """Third corner (frames, 2) of a triangle along a direction, `first_m` from the origin, above (1) or below (-1)."""
    part = (distance**2 + first_m**2 - second_m**2) / (2 * distance)
    out = above * np.sqrt(np.maximum(first_m**2 - part**2, 0))
    return part[:, None] * along + out[:, None] * np.stack([-along[:, 1], along[:, 0]], axis=1)


def _lean_of(direction: np.ndarray, to_shoulders: np.ndarray) -> np.ndarray:
    """Lean of the pelvis (frames,) that rotates `to_shoulders` (y, z in its axes) to a direction (y, z)."""
    return np.arctan2(direction[:, 0], direction[:, 1]) - np.arctan2(to_shoulders[:, 0], to_shoulders[:, 1])


def _leaned(to_shoulders: np.ndarray, lean: np.ndarray) -> np.ndarray:
    """Rotates `to_shoulders` (frames, 2: y, z) forward by a lean (frames,)."""
    y, z = to_shoulders.T
    return np.stack([y * np.cos(lean) + z * np.sin(lean), z * np.cos(lean) - y * np.sin(lean)], axis=1)


def straight_arm_height(body: Body, half_grip_m: float, straight: float, ahead_m: float = 0.0) -> float:
    """Height of the shoulders above hands on the floor that are `ahead_m` in front of them."""
    across2 = (half_grip_m - body.half_shoulders_m) ** 2 + (abs(ahead_m) + 0.02) ** 2
    return _WRIST_M + float(np.sqrt((body.arm_m * straight) ** 2 - across2))


def _prone_shape(
    body: Body, shoulder_z: np.ndarray, pike: np.ndarray, pitch: float, to_shoulders: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hip (frames, 2: y, z), lean, and y of the shoulders of a body on its toes, with the tips of the feet at y = 0.

    `pike` (radians) is the bend of the hip up from the straight line.
    """
    tip = rotation(np.array(-pitch)) @ body.foot_m[0]
    ankle = np.array([-tip[1], 0.02 - tip[2]])
    leg, trunk = 0.992 * body.leg_m, np.linalg.norm(to_shoulders, axis=1)
    span = np.sqrt(leg**2 + trunk**2 + 2 * leg * trunk * np.cos(pike))
    rise = shoulder_z - ankle[1]
    along = np.stack([np.sqrt(span**2 - rise**2), rise], axis=1)
    hip = _third_corner(along / span[:, None], span, leg, trunk, np.sign(pike))
    return ankle + hip, _lean_of(along - hip, to_shoulders), ankle[0] + along[:, 0]


def prone(take: Take, shoulder_z: np.ndarray, pike: np.ndarray) -> tuple[Trunk, Legs]:
    """Trunk and feet of a body that is face down on its toes, for a height of the shoulders."""
    pitch = take.deg(72, 86)
    bends = curve(take, take.rng.normal(0, 0.04), 0.0, 0.0, take.deg(-12, 40))
    to_shoulders = shoulders_from_hip(take.body, bends)[:, 1:]
    hip, lean, _ = _prone_shape(take.body, shoulder_z, pike, pitch, to_shoulders)
    legs = feet(take, take.meters(0.03, 0.16), take.deg(-4, 6))
    legs.pitch += pitch
    legs.toe_m[..., 1] = 0.0
    legs.pole = np.broadcast_to(np.array([0.0, 0.35, -1.0]), legs.toe_m.shape)
    hip = np.concatenate([take.noise(0.004)[:, None], hip], axis=1)
    pelvis = rotation(-lean, take.noise(0.01), take.noise(0.01))
    return pose_trunk(take.body, hip, pelvis, *bends), legs


def under_shoulders(trunk: Trunk) -> float:
    """World y of the shoulders when they are high."""
    y, z = trunk.thorax_m[:, 1], trunk.thorax_m[:, 2]
    return float(np.median(y[z >= np.quantile(z, 0.7)]))


def hands(take: Take, half_grip_m: float, at_y: float) -> np.ndarray:
    """Wrists (frames, sides, 3) of hands that rest on the floor."""
    at = np.empty((take.num_frames, 2, 3))
    at[..., 0] = SIDE_SIGN * half_grip_m
    at[..., 1] = at_y + np.clip(take.rng.normal(0, 0.01, 2), -0.02, 0.02)
    at[..., 2] = _WRIST_M
    return at


def flared(flare: float, like: np.ndarray) -> np.ndarray:
    """Direction of the elbows (frames, sides, 3): to the feet, rotated outward by `flare` (radians)."""
    return np.broadcast_to(arm.mirrored((np.sin(flare), -np.cos(flare), 0.15)), like.shape)


def _on_forearms(take: Take, trunk: Trunk, half_grip_m: float) -> Arms:
    """Forearms flat on the floor with elbows under the shoulders. The hands may come together."""
    body = take.body
    inward = take.deg(0, 35)
    at = np.empty((take.num_frames, 2, 3))
    at[..., 0] = SIDE_SIGN * (half_grip_m - body.forearm_m * np.sin(inward))
    at[..., 1] = under_shoulders(trunk) + take.meters(-0.01, 0.07) + body.forearm_m * np.cos(inward)
    at[..., 2] = _WRIST_M
    return reach(body, trunk, at, np.broadcast_to(arm.mirrored((0.3, -0.4, -1.0)), at.shape), flat=1.0)
