"""Exercises on the floor outside the classes, for the class `other`: climbers, bridges, crunches, leg raises."""

from __future__ import annotations

import numpy as np

from skelgnn_tf.datasets.fitness import arms as arm
from skelgnn_tf.datasets.fitness.body import SIDE_SIGN
from skelgnn_tf.datasets.fitness.floor import flared, hands, prone, straight_arm_height, under_shoulders
from skelgnn_tf.datasets.fitness.kinematics import Legs, Pose, pose_body, reach, settle_on_hands
from skelgnn_tf.datasets.fitness.rhythm import Take
from skelgnn_tf.datasets.fitness.rotations import rotation
from skelgnn_tf.datasets.fitness.stance import back, feet, swing_leg
from skelgnn_tf.datasets.fitness.standing import effort


def climber(take: Take) -> Pose:
    """Hands on the floor: knees to the chest in turns, arm or leg lifts, or a hip that rises to a downward dog."""
    body = take.body
    u = effort(take)
    half_grip = body.half_shoulders_m + take.meters(-0.02, 0.1)
    high = straight_arm_height(body, half_grip, take.rng.uniform(0.97, 0.995))
    dog = take.chance(0.35)
    pike = take.deg(0, 20) + (u * take.deg(30, 85) if dog else 0 * u)
    trunk, legs = prone(take, np.full(take.num_frames, high), pike)
    if not dog:
        turn = take.rhythm.side[:, None] == np.arange(2)
        drawn = u[:, None] * turn * take.rng.uniform(0.4, 1.0)
        legs.toe_m[..., 1] += drawn * body.leg_m * 0.75
        legs.toe_m[..., 2] += np.minimum(drawn * 3, 1) * take.meters(0.02, 0.12)
        legs.planted &= drawn == 0
    at = hands(take, half_grip, under_shoulders(trunk))
    trunk = settle_on_hands(body, trunk, at)
    return pose_body(body, trunk, legs, reach(body, trunk, at, flared(take.deg(15, 60), at), flat=1.0))


def on_all_fours(take: Take) -> Pose:
    """Hands and knees on the floor: a leg kicks back, an arm rises, or the back rounds."""
    body, u = take.body, effort(take)
    half_grip = body.half_shoulders_m + take.meters(-0.02, 0.06)
    high = straight_arm_height(body, half_grip, take.rng.uniform(0.96, 0.99))
    hip = np.zeros((take.num_frames, 3))
    hip[:, 1] = take.meters(-0.05, 0.1) + take.noise(0.01)
    hip[:, 2] = body.thigh_m * take.rng.uniform(0.95, 1.0) + 0.05
    rounded = take.noise(0.05) + u * take.rng.choice([0.0, 0.6, -0.3])
    trunk_m = float(np.linalg.norm(body.trunk_m))
    lean = np.arccos(np.clip((high - hip[:, 2]) / trunk_m, -0.5, 0.9))
    trunk = back(take, hip, rotation(-lean, take.noise(0.01), take.noise(0.02)), rounded, 0.0, 0.0, take.deg(-10, 40))
    legs = feet(take, body.half_hips_m, 0.0)
    legs.toe_m[..., 1] = hip[:, 1:2] - body.shank_m - 0.08
    legs.toe_m[..., 2] = 0.03
    legs.pitch[:] = take.deg(70, 150)
    legs.pole = np.broadcast_to(np.array([0.0, 0.6, -1.0]), legs.toe_m.shape) + 0.0
    kicked = u[:, None] * (take.rhythm.side[:, None] == np.arange(2)) * float(take.chance(0.75))
    out = np.stack(
        [legs.toe_m[..., 0] * 0, -kicked * body.leg_m * 0.55, kicked * body.leg_m * take.rng.uniform(0.3, 0.8)], -1
    )
    legs.toe_m, legs.planted = legs.toe_m + out, kicked == 0
    at = hands(take, half_grip, float(np.median(trunk.thorax_m[:, 1])) + take.meters(-0.03, 0.06))
    raised = u[:, None] * (take.rhythm.side[:, None] != np.arange(2)) * float(take.chance(0.5))
    at = at + raised[..., None] * np.array([0.0, 0.5, 0.5])
    arms = reach(body, trunk, at, flared(take.deg(15, 60), at))
    return pose_body(body, trunk, legs, arms)


def _on_back(take: Take, knee_deg: tuple[float, float]) -> tuple[Legs, np.ndarray]:
    body = take.body
    legs = feet(take, take.meters(0.05, 0.18), take.deg(0, 15))
    knee = take.deg(*knee_deg)
    apart = np.sqrt(body.thigh_m**2 + body.shank_m**2 + 2 * body.thigh_m * body.shank_m * np.cos(knee))
    legs.toe_m[..., 1] += np.sqrt(max(apart**2 - (body.depth_m - body.ankle_height_m) ** 2, 0.01))
    legs.pole = np.broadcast_to(np.array([0.0, 0.3, 1.0]), legs.pole.shape) + 0.0
    return legs, np.tile([0.0, 0.0, body.depth_m], (take.num_frames, 1))


def bridge(take: Take) -> Pose:
    """On the back with the feet planted, the hip rises and sinks."""
    body, u = take.body, effort(take)
    legs, hip = _on_back(take, (85, 120))
    hip[:, 2] += u * body.thigh_m * take.rng.uniform(0.5, 0.85)
    hip[:, 1] += u * body.thigh_m * 0.1
    pelvis = rotation(np.pi / 2 + u * take.deg(15, 35), 0.0, take.noise(0.01))
    trunk = back(take, hip, pelvis, -u * take.rng.uniform(0, 0.2))
    arms = arm.by_angles(take.num_frames, take.deg(20, 80), take.deg(8, 45), 0.0, take.deg(4, 20))
    return pose_body(body, trunk, legs, arms)


def crunch(take: Take) -> Pose:
    """On the back, head and shoulders curl up a little, less than in a sit-up; in some clips knees or elbows cross."""
    body, u = take.body, effort(take)
    legs, hip = _on_back(take, (70, 118))
    pelvis = rotation(np.pi / 2 - take.deg(0, 4) - u * take.deg(0, 8), 0.0, take.noise(0.01))
    if take.chance(0.4):
        drawn = (
            u[:, None] * (take.rhythm.side[:, None] == np.arange(2)) if take.chance(0.6) else u[:, None]
        ) * np.ones(2)
        ankle, pole = swing_leg(body, hip, pelvis, drawn * take.deg(60, 110), 0.3 + drawn * take.deg(40, 90))
        lifted = np.minimum(2 * drawn, 1)[..., None]
        legs.toe_m = legs.toe_m + lifted * (ankle - legs.toe_m)
        legs.pole = legs.pole + lifted * (pole - legs.pole)
        legs.planted = lifted[..., 0] == 0
    trunk = back(take, hip, pelvis, 0.05 + u * take.deg(8, 24), 0.0, u * SIDE_SIGN[take.rhythm.side] * take.deg(0, 25))
    return pose_body(
        body, trunk, legs, arm.behind_head(take, trunk, lying=True) if take.chance(0.6) else arm.crossed(take, trunk)
    )


def leg_raise(take: Take) -> Pose:
    """On the back, straight or bent legs rise together or in turns, or pedal."""
    body, u = take.body, effort(take)
    legs, hip = _on_back(take, (10, 60))
    pelvis = rotation(np.pi / 2 - take.deg(0, 4) + 0 * u, 0.0, take.noise(0.01))
    lift = (u[:, None] * (take.rhythm.side[:, None] == np.arange(2)) if take.chance(0.4) else u[:, None]) * np.ones(2)
    bent = take.deg(5, 70) + take.noise(0.03, 1.0, (2,))
    ankle, pole = swing_leg(body, hip, pelvis, take.deg(5, 15) + lift * take.deg(40, 85), bent)
    legs.toe_m = ankle + np.array([0.0, 0.0, 0.08])
    legs.pole, legs.planted = pole, lift < -1
    trunk = back(take, hip, pelvis, take.rng.uniform(0, 0.4) * float(take.chance(0.4)))
    arms = arm.by_angles(take.num_frames, take.deg(20, 80), take.deg(8, 45), 0.0, take.deg(4, 20))
    return pose_body(body, trunk, legs, arms)
