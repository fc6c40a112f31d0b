"""Exercises in which feet leave the floor: lunge, jumping jack, high knees, walking."""

from __future__ import annotations

import numpy as np

from skelgnn_tf.datasets.fitness import arms as arm
from skelgnn_tf.datasets.fitness.body import SIDE_SIGN
from skelgnn_tf.datasets.fitness.kinematics import Legs, Pose, foot_rotation, pose_body, settle
from skelgnn_tf.datasets.fitness.rhythm import Take, bump, ease
from skelgnn_tf.datasets.fitness.rotations import rotation
from skelgnn_tf.datasets.fitness.stance import back, feet, hip_over_ankle, stand_on, swing_leg


def lunge(take: Take) -> Pose:
    """One leg steps forward or back, the hip sinks between the feet, and the leg returns; then the other leg."""
    body, phase = take.body, take.rhythm.phase
    step_part = take.rng.uniform(0.22, 0.32)
    out = ease(phase / step_part) * (1 - ease((phase - 1 + step_part) / step_part))
    sunk = take.rhythm.depth * bump(np.clip((phase - step_part * 0.6) / (1 - 1.2 * step_part), 0, 1), 0.48, 0.06)
    backward = take.chance(0.3)
    turn = take.rhythm.side[:, None] == np.arange(2)
    legs = feet(take, take.meters(0.06, 0.13), take.deg(0, 12))
    length = body.leg_m * np.clip(take.rng.uniform(0.80, 1.02) + take.rhythm.steps(take.rng, 0.03), 0.7, 1.05)
    way = -1.0 if backward else 1.0
    legs.toe_m[..., 1] += turn * (way * out * length)[:, None]
    moving = (out > 0) & (out < 1)
    arc = np.where(moving, np.sin(np.pi * out), 0.0) * take.meters(0.05, 0.12)
    legs.toe_m[..., 2] += turn * arc[:, None]
    legs.planted &= ~(turn & moving[:, None])
    rear = turn if backward else ~turn
    heel = out * take.deg(20, 30) + sunk * take.deg(44, 56)
    legs.pitch = rear * np.clip(heel, 0, np.deg2rad(82))[:, None]
    # At full depth the front thigh is level: the hip is as high as the shank and a thigh behind the front ankle.
    tall = body.ankle_height_m + hip_over_ankle(body, np.array(0.04), np.array(0.09))[1]
    low = body.ankle_height_m + body.shank_m * take.rng.uniform(0.98, 1.12)
    hip = np.zeros((take.num_frames, 3))
    front_y = out * length if not backward else np.zeros_like(out)
    middle = front_y - out * length * take.rng.uniform(0.42, 0.56)
    hip[:, 1] = middle + 0.02 * body.height_m * (1 - out) + take.noise(0.006)
    hip[:, 0] = take.noise(0.012, 1.5)
    hip[:, 2] = tall + sunk * (low - tall)
    lean = take.deg(-2, 12) + sunk * take.deg(0, 22)
    pelvis = rotation(-lean + take.noise(0.02), take.noise(0.03, 1.5), take.noise(0.04))
    hip = settle(body, hip, pelvis, legs)
    trunk = back(take, hip, pelvis, sunk * take.deg(-6, 10), take.noise(0.04, 1.5), take.noise(0.05), 0.4 * lean)
    swing = (SIDE_SIGN[take.rhythm.side] * out)[:, None] * SIDE_SIGN * take.deg(0, 50) * -1
    ways = [lambda: arm.on_hips(take, trunk), lambda: arm.hang(take, swing), lambda: arm.at_chest(take, trunk)]
    ways += [lambda: arm.behind_head(take, trunk), lambda: arm.hang(take), lambda: arm.barbell(take, trunk)]
    ways += [lambda: arm.forward(take, sunk), lambda: arm.overhead(take)]
    held = ways[take.rng.choice(len(ways), p=(0.25, 0.2, 0.12, 0.1, 0.18, 0.06, 0.05, 0.04))]()
    held = held if take.chance(0.5) else arm.blend(arm.hang(take), held, take.rhythm.engaged())
    return pose_body(body, trunk, legs, held)


def jumping_jack(
    take: Take, top_deg: tuple[float, float] = (135, 182), elbow_deg: tuple[float, float] = (6, 40)
) -> Pose:
    """Feet jump apart and together while straight arms move up and down, in some clips barely off the floor."""
    body, phase, depth = take.body, take.rhythm.phase, take.rhythm.depth
    early = take.rng.uniform(0.06, 0.14)
    flight = 0.5 - 2 * early
    first, second = (phase - early) / flight, (phase - 0.5 - early) / flight
    apart = ease(first) * (1 - ease(second))
    narrow, wide = take.meters(0.05, 0.12), body.leg_m * take.rng.uniform(0.32, 0.55)
    legs = feet(take, narrow + depth * apart * (wide - narrow), take.deg(0, 20))
    in_air = ((first > 0) & (first < 1)) | ((second > 0) & (second < 1))
    x = np.where(phase < 0.5, first, second)
    height = np.where(in_air, 4 * x * (1 - x), 0.0) * take.meters(0.03, 0.12)
    legs.toe_m[..., 2] += height[:, None]
    legs.planted &= ~in_air[:, None]
    legs.pitch = (np.where(in_air, 4 * x * (1 - x), 0.0) * take.deg(5, 30))[:, None] * np.ones(2)
    # Knees bend at take-off and landing and stretch in the air.
    soft = take.rhythm.engaged(0.3) * take.deg(8, 18)
    knee = take.deg(4, 10) + soft * (1 + np.cos(4 * np.pi * phase)) / 2
    hip, pelvis = stand_on(take, legs, knee / 2, knee, take.deg(0, 8) + 0.2 * knee)
    lag = take.rng.uniform(-0.04, 0.04)
    raised = (1 - np.cos(2 * np.pi * np.clip(phase + lag * np.sin(2 * np.pi * phase), 0, 1))) / 2
    raised = (raised * depth)[:, None] * np.clip(1 + take.rng.normal(0, 0.05, 2), 0.85, 1.1)
    trunk = back(take, hip, pelvis, take.deg(-3, 6), take.noise(0.015, 1.0))
    low = take.deg(6, 18)
    up = np.clip(low + raised * (take.deg(*top_deg) - low), low, np.deg2rad(174))
    bent = np.clip(take.deg(*elbow_deg) + take.noise(0.05, 1.0, (2,)), 0.05, None)
    arms = arm.by_angles(take.num_frames, take.deg(-5, 25), up, take.deg(0, 50) * np.sin(up / 2), bent)
    return pose_body(body, trunk, legs, arms)


def high_knees(take: Take, drive: bool = False) -> Pose:
    """Marching or running in place, with every knee up to about the hip; with `drive` the bent arms swing widely."""
    body = take.body
    raised = take.rhythm.depth * np.sin(np.pi * take.rhythm.phase) ** 2
    turn = take.rhythm.side[:, None] == np.arange(2)
    lift = raised[:, None] * turn
    legs = feet(take, take.meters(0.05, 0.11), take.deg(0, 10))
    still = np.full(take.num_frames, take.deg(5, 14))
    lean = take.deg(-6, 8) + take.noise(0.02)
    hip, pelvis = stand_on(take, legs, still / 2, still, lean)
    hip[:, 0] += SIDE_SIGN[1 - take.rhythm.side] * raised * take.meters(0.0, 0.03)
    hip = settle(body, hip, pelvis, legs)
    flexion = lift * (take.deg(72, 112) + take.drift(0.06)[:, None])
    knee = still[:, None] / 2 + np.sin(lift * np.pi / 2) * take.deg(60, 105)
    ankle, pole = swing_leg(body, hip, pelvis, flexion, knee)
    free = np.sin(np.pi / 2 * np.minimum(2 * lift, 1)) ** 2
    legs.pitch = free * np.maximum(knee - flexion + take.deg(0, 30), -0.2)
    on_floor = legs.toe_m.copy()
    in_air = ankle + foot_rotation(legs) @ body.foot_m[0]
    legs.toe_m = on_floor + free[..., None] * (in_air - on_floor)
    legs.toe_m[..., 2] = np.maximum(legs.toe_m[..., 2], on_floor[..., 2])
    legs.pole = legs.pole + free[..., None] * (pole - legs.pole)
    legs.planted = lift == 0
    trunk = back(take, hip, pelvis, lift.sum(1) * take.deg(-3, 10), 0.0, take.noise(0.04, 1.0))
    if drive:
        swing = (np.sin(np.pi * take.rhythm.phase) * SIDE_SIGN[take.rhythm.side])[:, None] * -SIDE_SIGN
        arms = arm.hang(take, swing * take.deg(30, 75) + take.deg(-10, 15), bent=take.deg(50, 95))
    elif take.chance(0.3):
        arms = arm.by_angles(
            take.num_frames, take.deg(60, 90), take.deg(10, 60) + take.noise(0.04, 1.0, (2,)), -0.1, take.deg(50, 95)
        )
    else:
        swing = (raised * SIDE_SIGN[take.rhythm.side])[:, None] * -SIDE_SIGN * take.deg(10, 50)
        arms = arm.hang(take, swing, bent=take.deg(0, 75))
    return pose_body(body, trunk, legs, arms)


def walk(take: Take) -> Pose:
    """Walking along a curve. A standing foot does not move until its heel has risen and it swings."""
    body, t = take.body, take.t
    stride_s = take.rng.uniform(0.95, 1.5)
    speed = take.rng.uniform(0.45, 0.95) * body.leg_m * 2 / stride_s * 0.75
    heading = take.rng.uniform(-0.9, 0.9) * t + take.noise(0.15, 4.0)
    rate = 1 / max(t[1] - t[0], 1e-6)
    path = np.zeros((take.num_frames, 3))
    path[1:, :2] = np.cumsum(speed * np.stack([-np.sin(heading), np.cos(heading)], 1)[:-1], axis=0) / rate
    width = take.meters(0.04, 0.10)
    toe, yaw, pitch, planted = (np.empty((take.num_frames, 2, *tail)) for tail in ((3,), (), (), ()))
    start = take.rng.uniform(0, 1)
    turns = t / stride_s + start
    for side in range(2):
        cycle = turns + 0.5 * side
        toe[:, side], yaw[:, side], pitch[:, side], planted[:, side] = _footfalls(
            take, cycle, stride_s, start + 0.5 * side, path, heading, SIDE_SIGN[side] * width
        )
    up = np.array([0.0, 0.0, 1.0])
    pole = np.stack([-np.sin(yaw), np.cos(yaw), 0 * yaw], axis=-1)
    legs = Legs(toe, yaw, pitch, pole, planted.astype(bool))
    hip = path + up * (body.ankle_height_m + hip_over_ankle(body, np.array(0.10), np.array(0.22))[1])
    wave = 2 * np.pi * turns[:, None]
    hip = hip + up * 0.012 * np.cos(2 * wave + 0.6)
    sideways = np.stack([np.cos(heading), np.sin(heading), 0 * heading], 1)
    hip = hip + sideways * take.meters(0.0, 0.02) * np.sin(wave)
    # The swing of the legs rotates the pelvis in one direction, and chest and arms in the other.
    beat = np.cos(wave[:, 0] + take.rng.uniform(-0.3, 0.3) + 2.2)
    turn = take.deg(2, 8) * beat
    pelvis = rotation(-take.deg(0, 6) + take.noise(0.01), take.deg(0, 4) * np.sin(wave[:, 0]), heading + turn)
    hip = settle(body, hip, pelvis, legs, sharpness=120.0)
    trunk = back(take, hip, pelvis, take.deg(0, 8), take.noise(0.02), -1.8 * turn)
    swing = -SIDE_SIGN * beat[:, None] * take.deg(8, 35)
    arms = arm.hang(take, swing)
    if take.chance(0.15):
        arms = arm.blend(arms, arm.at_chest(take, trunk), np.ones(take.num_frames))
    return pose_body(body, trunk, legs, arms)


def _footfalls(
    take: Take,
    cycle: np.ndarray,
    stride_s: float,
    start: float,
    path: np.ndarray,
    heading: np.ndarray,
    across_m: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Tip (frames, 3), yaw, pitch and contact of one foot, for a gait `cycle` that counts strides.

    A stride consists of stance (0 to 0.62) and swing. Footfall n is at the position of the path in the middle of
    stance n.
    """
    body, t = take.body, take.t
    stance = 0.62
    n = np.floor(cycle)
    within = cycle - n
    falls = np.arange(n[0], n[-1] + 2)
    when = (falls + stance / 2 - start) * stride_s
    # Beyond the clip the path continues straight.
    place = np.stack([_extended(when, t, path[:, axis]) for axis in (0, 1)], axis=1)
    facing = np.interp(when, t, heading)
    aside = np.stack([np.cos(facing), np.sin(facing)], axis=1) * across_m
    ahead = np.stack([-np.sin(facing), np.cos(facing)], axis=1)
    tips = np.concatenate([place + aside + ahead * (body.toe_m * 0.6), np.full((len(falls), 1), 0.02)], axis=1)
    k = (n - n[0]).astype(int)
    x = np.clip((within - stance) / (1 - stance), 0, 1)
    share = ease(x)
    toe = tips[k] + share[:, None] * (tips[k + 1] - tips[k])
    toe[:, 2] += np.sin(np.pi * x) ** 2 * take.meters(0.03, 0.07)
    yaw = facing[k] + share * (facing[k + 1] - facing[k]) - np.sign(across_m) * take.deg(0, 12)
    rise = ease((within - 0.36) / (stance - 0.36))
    pitch = take.deg(30, 50) * rise * (1 - ease(x / 0.7)) - take.deg(0, 12) * np.sin(np.pi * x) ** 2 * (x > 0.5)
    return toe, yaw, pitch, within < stance


def _extended(at: np.ndarray, t: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Linear interpolation with linear extrapolation beyond the ends."""
    first, last = (values[1] - values[0]) / (t[1] - t[0]), (values[-1] - values[-2]) / (t[-1] - t[-2])
    outside = np.minimum(at - t[0], 0) * first + np.maximum(at - t[-1], 0) * last
    return np.interp(at, t, values) + outside
