"""Exercises as people do them at home and in gyms: the variants that `EXERCISES` adds for phone scenes."""

from __future__ import annotations

import numpy as np

from skelgnn_tf.datasets.fitness import arms as arm
from skelgnn_tf.datasets.fitness.body import SIDE_SIGN
from skelgnn_tf.datasets.fitness.floor import flared, hands, straight_arm_height
from skelgnn_tf.datasets.fitness.kinematics import (
    Arms,
    Legs,
    Pose,
    Trunk,
    pose_body,
    pose_trunk,
    reach,
    settle,
    settle_on_hands,
)
from skelgnn_tf.datasets.fitness.rhythm import Take, bump, ease
from skelgnn_tf.datasets.fitness.rotations import rotation
from skelgnn_tf.datasets.fitness.stance import back, curve, feet, hip_over_ankle, shoulders_from_hip, stand_on
from skelgnn_tf.datasets.fitness.standing import deadlift, pressed, squat, upright
from skelgnn_tf.datasets.fitness.stepping import high_knees, jumping_jack


def wide_squat(take: Take) -> Pose:
    """A squat with the feet far apart and turned outward."""
    return squat(take, half_width_m=(0.22, 0.38), toe_out_deg=(20, 50))


def deep_deadlift(take: Take) -> Pose:
    """A deadlift from the floor with the hips low and the knees well bent."""
    return deadlift(take, knee_deg=(50, 105))


def running_knees(take: Take) -> Pose:
    """High knees as a sprint in place, with driving arms."""
    return high_knees(take, drive=True)


def half_jack(take: Take) -> Pose:
    """A jumping jack with bent arms that rise to about shoulder height."""
    return jumping_jack(take, top_deg=(85, 150), elbow_deg=(20, 100))


def step_jack(take: Take) -> Pose:
    """A jumping jack without a jump: one foot after the other steps to the side while the arms rise."""
    body, phase = take.body, take.rhythm.phase
    turn = take.rhythm.movement % 2 if take.chance(0.8) else 0 * take.rhythm.movement
    apart = take.rhythm.depth * np.sin(np.pi * phase) ** 2
    moving = turn[:, None] == np.arange(2)
    legs = feet(take, take.meters(0.05, 0.12), take.deg(0, 20))
    legs.toe_m[..., 0] += moving * SIDE_SIGN * (apart * body.leg_m * take.rng.uniform(0.3, 0.6))[:, None]
    legs.toe_m[..., 2] += moving * (np.sin(2 * np.pi * phase) ** 2 * take.meters(0.01, 0.06))[:, None]
    legs.planted &= ~(moving & (phase > 0)[:, None])
    knee = take.deg(4, 12) + take.rhythm.engaged(0.3) * take.deg(0, 15)
    hip, pelvis = stand_on(take, legs, knee / 2, knee, 0.2 * knee)
    trunk = back(take, hip, pelvis, take.deg(-3, 6), take.noise(0.02, 1.0))
    up = take.deg(6, 18) + apart[:, None] * take.deg(80, 165) * np.ones(2)
    bent = np.clip(take.deg(6, 80) + take.noise(0.05, 1.0, (2,)), 0.05, None)
    arms = arm.by_angles(take.num_frames, take.deg(-5, 30), np.clip(up, 0.05, 2.95), take.deg(0, 50), bent)
    return pose_body(body, trunk, legs, arms)


def split_squat(take: Take) -> Pose:
    """Feet in place, one far in front of the other; the hip sinks between them."""
    body = take.body
    sunk = take.rhythm.bump(take.rng.uniform(0.4, 0.55), take.rng.uniform(0, 0.12))
    length = body.leg_m * take.rng.uniform(0.7, 1.05)
    front = int(take.rng.integers(2))
    legs = feet(take, take.meters(0.04, 0.13), take.deg(0, 12))
    legs.toe_m[:, front, 1] += length
    rear = np.arange(2) != front
    legs.pitch = rear * (take.deg(25, 40) + sunk * take.deg(20, 45))[:, None]
    tall = body.ankle_height_m + np.sqrt((0.985 * body.leg_m) ** 2 - (length / 2) ** 2)
    low = body.ankle_height_m + body.shank_m * take.rng.uniform(0.98, 1.15)
    hip = np.zeros((take.num_frames, 3))
    hip[:, 0] = take.noise(0.012, 1.5)
    hip[:, 1] = length * take.rng.uniform(0.42, 0.55) + take.noise(0.006)
    hip[:, 2] = tall + sunk * (low - tall)
    lean = take.deg(-2, 12) + sunk * take.deg(0, 20)
    pelvis = rotation(-lean + take.noise(0.02), take.noise(0.03, 1.5), take.noise(0.04))
    hip = settle(body, hip, pelvis, legs)
    trunk = back(take, hip, pelvis, sunk * take.deg(-6, 10), take.noise(0.03, 1.5), take.noise(0.05), 0.4 * lean)
    return pose_body(body, trunk, legs, held(take, trunk, sunk))


def walking_lunge(take: Take) -> Pose:
    """Lunges that travel: the rear leg swings through and becomes the front one."""
    body, phase, n = take.body, take.rhythm.phase, take.rhythm.movement
    length = body.leg_m * take.rng.uniform(0.75, 1.0)
    # After the last movement the phase is 0, and the last step stays done.
    step = np.where(take.t < take.rhythm.end_s, ease(phase / take.rng.uniform(0.3, 0.42)), 1.0)
    sunk = take.rhythm.depth * bump(np.clip((phase - 0.2) / 0.8, 0, 1), take.rng.uniform(0.4, 0.5), 0.06)
    moving = (n[:, None] + np.arange(2)) % 2 == int(take.rng.integers(2))
    legs = feet(take, take.meters(0.05, 0.12), take.deg(0, 12))
    place = np.where(moving, n[:, None] - 1 + 2 * step[:, None], n[:, None])
    legs.toe_m[..., 1] += place * length
    swing = np.sin(np.pi * step)[:, None] * moving * (step[:, None] < 1)
    legs.toe_m[..., 2] += swing * take.meters(0.05, 0.12)
    legs.planted &= ~(moving & (step[:, None] > 0) & (step[:, None] < 1))
    behind = np.where(moving, 1 - step[:, None], step[:, None])
    legs.pitch = np.clip(behind * (take.deg(30, 45) + sunk[:, None] * take.deg(20, 40)), 0, np.deg2rad(82))
    tall = body.ankle_height_m + hip_over_ankle(body, np.array(0.05), np.array(0.2))[1]
    low = body.ankle_height_m + body.shank_m * take.rng.uniform(1.0, 1.2)
    hip = np.zeros((take.num_frames, 3))
    hip[:, 0] = take.noise(0.012, 1.5)
    hip[:, 1] = (n - 0.5 + step) * length + take.noise(0.006)
    hip[:, 2] = tall + sunk * (low - tall)
    lean = take.deg(0, 10) + sunk * take.deg(0, 18)
    pelvis = rotation(-lean + take.noise(0.02), take.noise(0.03, 1.5), take.noise(0.04))
    hip = settle(body, hip, pelvis, legs)
    trunk = back(take, hip, pelvis, sunk * take.deg(-6, 10), take.noise(0.04, 1.5), take.noise(0.05), 0.4 * lean)
    return pose_body(body, trunk, legs, held(take, trunk, sunk))


def held(take: Take, trunk: Trunk, u: np.ndarray) -> Arms:
    """Arms of a person who moves the legs: at the sides with or without weights, on the hips, at the chest, a bar."""
    ways = [lambda: arm.on_hips(take, trunk), lambda: arm.hang(take), lambda: arm.at_chest(take, trunk)]
    ways += [lambda: arm.behind_head(take, trunk), lambda: arm.barbell(take, trunk), lambda: arm.forward(take, u)]
    return ways[take.rng.choice(len(ways), p=(0.25, 0.35, 0.18, 0.08, 0.08, 0.06))]()


def seat(take: Take) -> tuple[Legs, np.ndarray, np.ndarray]:
    """Feet, hip (frames, 3) and pelvis (frames, 3, 3) of a person on a chair, a bench or a ball."""
    body = take.body
    legs = feet(take, take.meters(0.05, 0.25), take.deg(0, 30), take.rng.normal(0, 0.04))
    hip = np.zeros((take.num_frames, 3))
    hip[:, 1] = -body.thigh_m * take.rng.uniform(0.75, 0.98) + take.noise(0.006)
    hip[:, 2] = body.ankle_height_m + body.shank_m * take.rng.uniform(0.85, 1.15)
    lean = take.deg(-15, 12) + take.noise(0.03, 4.0)
    return legs, hip, rotation(-lean, take.noise(0.01), take.noise(0.03, 3.0))


def seated(take: Take) -> tuple[Legs, Trunk]:
    """Feet and trunk of a person who sits and moves the arms."""
    legs, hip, pelvis = seat(take)
    return legs, back(take, hip, pelvis, take.rng.normal(0.1, 0.12), take.noise(0.03), take.noise(0.03))


def dumbbell_press(take: Take) -> Pose:
    """A press with a weight in each hand, standing or seated, elbows out; in some clips with one arm."""
    legs, trunk = seated(take) if take.chance(0.45) else upright(take, np.zeros(take.num_frames), np.zeros(1))
    return pose_body(take.body, trunk, legs, pressed(take, trunk, wide_m=(0.06, 0.26), together=0.75))


def seated_curl(take: Take) -> Pose:
    """Curls on a bench or with the upper arms on a support, one arm or both."""
    u = curled(take)
    legs, trunk = seated(take)
    ahead = take.deg(-15, 55)
    return pose_body(take.body, trunk, legs, _curl(take, u, ahead))


def strict_curl(take: Take) -> Pose:
    """Curls standing against a wall or before a mirror: one arm or both, palms in any direction, from any start."""
    u = curled(take)
    legs, trunk = upright(take, 0.02 * u.max(axis=1), np.zeros(1))
    return pose_body(take.body, trunk, legs, _curl(take, u, take.deg(-10, 25)))


def curled(take: Take) -> np.ndarray:
    """How much each arm is bent, 0..1 (frames, sides): both arms, or one arm for the whole clip."""
    u = take.rhythm.bump(take.rng.uniform(0.35, 0.6), take.rng.uniform(0, 0.15))
    if take.chance(0.55):
        return np.repeat(u[:, None], 2, axis=1)
    return u[:, None] * (np.arange(2) == int(take.rng.integers(2)))


def _curl(take: Take, u: np.ndarray, ahead: float) -> Arms:
    swing = np.clip(ahead + u * take.deg(-5, 30) + take.noise(0.02, 2.0, (2,)), -0.5, 1.1)
    away = np.maximum(take.deg(2, 22) + take.noise(0.02, 2.0, (2,)), 0.03)
    # A still arm hangs, or rests bent on the hip or the thigh.
    rest = take.deg(5, 35) + (u.max(axis=0) == 0) * take.deg(0, 60)
    elbow = np.clip(rest + u * take.deg(85, 120) + take.noise(0.02, 1.5, (2,)), 0.04, np.deg2rad(148))
    return arm.swung(take, swing, away, take.deg(-40, 40) + take.noise(0.04, 2.0, (2,)), elbow)


def knee_push_up(take: Take) -> Pose:
    """A push-up with the knees on the floor and the shanks flat or raised."""
    body = take.body
    u = take.rhythm.bump(take.rng.uniform(0.4, 0.58), take.rng.uniform(0, 0.1))
    half_grip = body.half_shoulders_m + take.meters(0.0, 0.22)
    top = straight_arm_height(body, half_grip, take.rng.uniform(0.97, 0.995))
    shoulder_z = top + u * (body.height_m * take.rng.uniform(0.12, 0.16) - top) + take.noise(0.003)
    bends = curve(take, take.rng.normal(0, 0.04), 0.0, 0.0, take.deg(-12, 40))
    to_shoulders = shoulders_from_hip(body, bends)[:, 1:]
    knee_z, pike = 0.05, take.deg(0, 20)
    span = np.sqrt(
        body.thigh_m**2
        + np.sum(to_shoulders**2, axis=1)
        + 2 * body.thigh_m * np.linalg.norm(to_shoulders, axis=1) * np.cos(pike)
    )
    along = np.arcsin(np.clip((shoulder_z - knee_z) / span, -1, 1))
    up = np.arcsin(np.clip(np.linalg.norm(to_shoulders, axis=1) * np.sin(pike) / span, -1, 1))
    hip = np.stack([0 * along, body.thigh_m * np.cos(along + up), knee_z + body.thigh_m * np.sin(along + up)], axis=1)
    to = np.stack([span * np.cos(along), shoulder_z], axis=1) - hip[:, 1:]
    lean = np.arctan2(to[:, 0], to[:, 1]) - np.arctan2(to_shoulders[:, 0], to_shoulders[:, 1])
    trunk = pose_trunk(body, hip, rotation(-lean, take.noise(0.01), take.noise(0.01)), *bends)
    raised = take.deg(0, 60)
    legs = feet(take, take.meters(0.05, 0.14), 0.0)
    ankle = np.array([-body.shank_m * np.cos(raised) * 0.995, knee_z + body.shank_m * np.sin(raised) * 0.995])
    legs.pitch = np.full_like(legs.pitch, take.deg(70, 120) + raised)
    tip = rotation(-legs.pitch) @ body.foot_m[0]
    legs.toe_m[..., 1:] = ankle + tip[..., 1:]
    legs.pole = np.broadcast_to(np.array([0.0, 0.2, -1.0]), legs.toe_m.shape)
    at = hands(take, half_grip, float(np.median(trunk.thorax_m[:, 1])) + take.meters(-0.05, 0.05))
    trunk = settle_on_hands(body, trunk, at)
    return pose_body(body, trunk, legs, reach(body, trunk, at, flared(take.deg(15, 75), at), flat=1.0))


def weighted_side_bend(take: Take) -> Pose:
    """A side bend with a weight in one hand and the other at the head or the hip; seldom more than 40 degrees."""
    body = take.body
    bent = take.rhythm.bump(take.rng.uniform(0.4, 0.55), take.rng.uniform(0, 0.15))
    weight = int(take.rng.integers(2))
    legs, _ = upright(take, np.zeros(take.num_frames), np.zeros(1))
    hip = np.zeros((take.num_frames, 3))
    hip[:, 0] = -SIDE_SIGN[weight] * bent * take.meters(0.0, 0.06)
    hip[:, 2] = body.ankle_height_m + hip_over_ankle(body, np.array(0.03), np.array(0.06))[1]
    pelvis = rotation(take.noise(0.015), take.noise(0.015), take.noise(0.03))
    hip = settle(body, hip, pelvis, legs)
    trunk = back(take, hip, pelvis, 0.0, SIDE_SIGN[weight] * bent * take.deg(22, 45), 0.0)
    other = arm.behind_head(take, trunk) if take.chance(0.5) else arm.on_hips(take, trunk)
    return pose_body(
        body, trunk, legs, arm.blend(arm.hang(take), other, 1.0 * (np.arange(2) != weight) + 0 * bent[:, None])
    )
