"""Exercises with both feet planted: squat, deadlift, overhead press, biceps curl, side bend, standing still."""

from __future__ import annotations

import numpy as np

from skelgnn_tf.datasets.fitness import arms as arm
from skelgnn_tf.datasets.fitness.body import SIDE_SIGN
from skelgnn_tf.datasets.fitness.kinematics import Arms, Legs, Pose, Trunk, pose_body, settle
from skelgnn_tf.datasets.fitness.rhythm import Take, ease
from skelgnn_tf.datasets.fitness.stance import back, balance_lean, feet, hip_over_ankle, stand_on


def squat(
    take: Take, half_width_m: tuple[float, float] = (0.07, 0.24), toe_out_deg: tuple[float, float] = (0, 35)
) -> Pose:
    """Knees and hips bend together, and the trunk leans for balance. The arms are held in one of many ways."""
    body = take.body
    u = take.rhythm.bump(take.rng.uniform(0.4, 0.55), take.rng.uniform(0, 0.12))
    toe_out = take.deg(*toe_out_deg)
    legs = feet(take, take.meters(*half_width_m), toe_out, take.rng.normal(0, 0.01))
    # Knees move in or out relative to the feet, more at greater depth.
    legs.pole[..., 0] += SIDE_SIGN * (take.rng.normal(0.05, 0.15) + take.drift(0.05))[:, None] * u[:, None]
    knee = take.deg(3, 9) + u * (take.deg(85, 135) - 0.1)
    shin = knee / 2 * (1 - u) + u * np.minimum(take.deg(14, 36) + take.drift(0.05), knee * 0.6)
    lean = take.deg(-2, 4) + balance_lean(body, hip_over_ankle(body, shin, knee)[0]) * take.rng.uniform(0.85, 1.2)
    rounded = u * (take.rng.uniform(-0.1, 0.35) + take.drift(0.06))
    # Beyond the range of the hip the lower back rounds ("butt wink").
    tucked = np.maximum(lean + knee - shin - take.deg(112, 128), 0)
    rounded = rounded + tucked
    hip, pelvis = stand_on(take, legs, shin, knee, np.clip(lean - 0.5 * rounded - 0.5 * tucked, -0.1, 1.1))
    trunk = back(take, hip, pelvis, rounded, take.drift(0.03) * u, 0.0, 0.5 * lean * take.rng.uniform(0, 1.4))
    return pose_body(body, trunk, legs, _squat_arms(take, trunk, u))


def _squat_arms(take: Take, trunk: Trunk, u: np.ndarray) -> Arms:
    """Arms of a squat. In some clips they hang before and after the set."""
    way = take.rng.choice(["forward", "barbell", "chest", "crossed", "head", "hang", "hips", "up"], p=_SQUAT_ARMS)
    held = {
        "forward": lambda: arm.forward(take, u if take.chance(0.6) else np.ones_like(u)),
        "barbell": lambda: arm.barbell(take, trunk),
        "chest": lambda: arm.at_chest(take, trunk),
        "crossed": lambda: arm.crossed(take, trunk),
        "head": lambda: arm.behind_head(take, trunk),
        "hips": lambda: arm.on_hips(take, trunk),
        "up": lambda: arm.overhead(take),
        "hang": lambda: arm.hang(take, 0.5 * u[:, None]),
    }[way]()
    if way == "barbell" or take.chance(0.3):
        return held
    return arm.blend(arm.hang(take), held, take.rhythm.engaged())


_SQUAT_ARMS = (0.30, 0.14, 0.15, 0.08, 0.10, 0.10, 0.07, 0.06)


def deadlift(take: Take, knee_deg: tuple[float, float] = (8, 75)) -> Pose:
    """A hip hinge with straight arms: the load hangs in front of the legs. The knees bend by `knee_deg`."""
    body = take.body
    u = take.rhythm.bump(take.rng.uniform(0.4, 0.58), take.rng.uniform(0, 0.08))
    sumo = take.chance(0.15)
    half_width = take.meters(0.25, 0.36) if sumo else take.meters(0.08, 0.18)
    legs = feet(take, half_width, take.deg(25, 45) if sumo else take.deg(0, 18), take.rng.normal(0, 0.01))
    knee = take.deg(3, 9) + u * take.deg(*knee_deg)
    shin = np.minimum(take.deg(0, 14), 0.5 * knee) * u + knee / 2 * (1 - u)
    # The hip moves back until it balances the trunk. With straight knees it tilts the shins back.
    lean = take.deg(-3, 3) + u * (take.deg(66, 96) - 0.25 * knee + take.drift(0.05))
    shin = shin - 0.10 * np.sin(np.clip(lean, 0, 1.5))
    rounded = u * (take.rng.uniform(-0.1, 0.45) + take.drift(0.08))
    rounded = rounded + np.maximum(lean + knee - shin - take.deg(112, 126), 0)
    hip, pelvis = stand_on(take, legs, shin, knee, lean - 0.6 * rounded)
    trunk = back(take, hip, pelvis, rounded, take.drift(0.02) * u, 0.0, lean * take.rng.uniform(0, 0.55))
    ahead = 0.02 + take.meters(0.05, 0.12) + 0.06 * np.sin(np.clip(lean, 0, None)) * take.rng.uniform(-0.5, 1)
    grip = take.meters(0.06, 0.16) if sumo else half_width + take.meters(0.06, 0.16)
    return pose_body(body, trunk, legs, arm.reach_down(take, trunk, grip, ahead))


def overhead_press(take: Take) -> Pose:
    """From the shoulders to straight arms above the head, together or one arm after the other."""
    body = take.body
    u = take.rhythm.bump(take.rng.uniform(0.35, 0.6), take.rng.uniform(0, 0.15))
    legs, trunk = upright(take, 0.06 * u, lean_back=take.deg(0, 8) * u)
    pressing = pressed(take, trunk, u=u)
    if take.chance(0.6):
        pressing = arm.blend(arm.hang(take), pressing, take.rhythm.engaged(1.0))
    return pose_body(body, trunk, legs, pressing)


def pressed(
    take: Take,
    trunk: Trunk,
    wide_m: tuple[float, float] = (0.02, 0.14),
    together: float = 0.8,
    u: np.ndarray | None = None,
) -> Arms:
    """Arms that press from the shoulders, `wide_m` outside them, to above the head. `u` (frames,) is drawn here."""
    body = take.body
    if u is None:
        u = take.rhythm.bump(take.rng.uniform(0.35, 0.6), take.rng.uniform(0, 0.15))
    u = sides(take, u, together)
    rack = arm.mirrored((body.half_shoulders_m + take.meters(*wide_m), take.meters(0.04, 0.15), take.meters(0, 0.12)))
    top = arm.mirrored((take.meters(0.06, 0.30), take.meters(-0.06, 0.07), 0.0))
    # Straight up from the shoulder as lifted by the collar bone.
    rise = (body.arm_m * take.rng.uniform(0.97, 0.998)) ** 2 - (top[1, 0] - body.half_shoulders_m) ** 2 - top[1, 1] ** 2
    top[:, 2] = np.sqrt(rise) + 0.35 * body.half_shoulders_m
    at = rack + u[..., None] * (top - rack)
    at[..., 1] += np.sin(np.pi * u) * take.meters(-0.02, 0.06)
    pole = arm.mirrored((0.7, take.rng.uniform(0.0, 0.7), -0.7))
    return arm.hold(take, trunk, trunk.chest, trunk.thorax_m, at, pole)


def biceps_curl(take: Take) -> Pose:
    """The elbows bend while the upper arms barely move, together or one after the other."""
    u = take.rhythm.bump(take.rng.uniform(0.35, 0.55), take.rng.uniform(0, 0.12))
    legs, trunk = upright(take, 0.03 * u, lean_back=take.deg(-2, 8) * u)
    u = sides(take, u, together=0.65)
    swing = np.clip(take.deg(-8, 8) + u * take.deg(-5, 30) + take.noise(0.02, 2.0, (2,)), -0.4, 0.8)
    away = np.maximum(take.deg(3, 18) + take.noise(0.02, 2.0, (2,)), 0.03)
    elbow = np.clip(take.deg(5, 25) + u * take.deg(100, 122) + take.noise(0.02, 1.5, (2,)), 0.04, np.deg2rad(148))
    turned = take.deg(-30, 30) + take.noise(0.04, 2.0, (2,))
    return pose_body(take.body, trunk, legs, arm.swung(take, swing, away, turned, elbow))


def side_bend(take: Take) -> Pose:
    """The trunk bends to one side and the hip moves to the other. The arms hang, hold or reach above the head."""
    body = take.body
    bent = take.rhythm.bump(take.rng.uniform(0.4, 0.55), take.rng.uniform(0, 0.15))
    side = bent * SIDE_SIGN[take.rhythm.side]
    legs = feet(take, take.meters(0.08, 0.26), take.deg(0, 25), take.rng.normal(0, 0.01))
    still = np.full(take.num_frames, take.deg(3, 8))
    hip, pelvis = stand_on(take, legs, still / 2, still, take.deg(-2, 3) + 0 * still)
    hip[:, 0] -= side * take.meters(0.0, 0.06)
    hip = settle(body, hip, pelvis, legs)
    angle = side * (take.deg(28, 52) + take.drift(0.04))
    trunk = back(take, hip, pelvis, bent * take.rng.uniform(-0.1, 0.15), angle, take.drift(0.04) * bent)
    way = take.rng.choice(["one up", "hang", "head", "up", "hips"], p=(0.35, 0.3, 0.15, 0.12, 0.08))
    low = arm.on_hips(take, trunk) if take.chance(0.5) else arm.hang(take)
    if way == "one up":
        # The arm of the other side reaches above the head.
        raised = (take.rhythm.side[:, None] != np.arange(2)) * np.sin(np.pi / 2 * np.minimum(1.3 * bent, 1))[:, None]
        held = arm.blend(low, arm.overhead(take), raised)
    else:
        held = {"hang": arm.hang(take), "head": arm.behind_head(take, trunk), "hips": arm.on_hips(take, trunk)}.get(
            way, arm.overhead(take)
        )
        held = held if take.chance(0.4) else arm.blend(arm.hang(take), held, take.rhythm.engaged())
    return pose_body(body, trunk, legs, held)


def stand(take: Take) -> Pose:
    """Standing around: the weight shifts between the legs, the head turns, the arms change their position."""
    body = take.body
    legs = feet(take, take.meters(0.06, 0.24), take.deg(0, 25), take.rng.normal(0, 0.06))
    knee = np.clip(take.deg(2, 10) + take.noise(0.03, 3.0), 0.03, None)
    hip, pelvis = stand_on(take, legs, knee / 2, knee, take.deg(-4, 6) + take.noise(0.02, 4.0), sway=2.0)
    busy = take.rng.choice([0.03, 0.15, 0.3])
    trunk = back(
        take, hip, pelvis, np.clip(take.noise(busy, 3.0), -0.2, 0.8), take.noise(busy / 3, 3.0), take.noise(busy, 3.0)
    )
    ways = [arm.hang, arm.hang, arm.hang, lambda t: arm.on_hips(t, trunk), lambda t: arm.crossed(t, trunk)]
    ways += [lambda t: arm.at_chest(t, trunk), lambda t: arm.behind_head(t, trunk), arm.overhead]
    ways += [lambda t: arm.forward(t, np.ones(t.num_frames) * t.rng.uniform(0, 1))]
    first, second = (ways[int(k)](take) for k in take.rng.integers(len(ways), size=2))
    when = take.rng.uniform(0, take.t[-1], (1, 2))
    share = ease((take.t[:, None] - when) / take.rng.uniform(0.7, 1.4))
    if take.chance(0.4):
        share = share * (1 - ease((take.t[:, None] - when - take.rng.uniform(1.2, 3.0)) / 0.8))
    return pose_body(body, trunk, legs, arm.blend(first, second, share))


def upright(take: Take, dip: np.ndarray, lean_back: np.ndarray) -> tuple[Legs, Trunk]:
    """Feet and trunk of a person who stands and moves the arms."""
    staggered = take.rng.normal(0, 0.12) if take.chance(0.15) else take.rng.normal(0, 0.015)
    legs = feet(take, take.meters(0.06, 0.22), take.deg(0, 25), staggered)
    knee = take.deg(3, 12) + dip
    hip, pelvis = stand_on(take, legs, knee / 2, knee, take.deg(-2, 6) - 0.5 * lean_back)
    return legs, back(take, hip, pelvis, -0.5 * lean_back + take.rng.normal(0, 0.03), take.noise(0.02), 0.0)


def effort(take: Take) -> np.ndarray:
    """0 -> depth -> 0 in every repetition (frames,), held at the top for a while in some clips."""
    return take.rhythm.bump(take.rng.uniform(0.35, 0.6), take.rng.uniform(0, 0.2))


def sides(take: Take, u: np.ndarray, together: float) -> np.ndarray:
    """u (frames,) -> (frames, sides): both arms with a slight difference, or the active one only."""
    if take.chance(together):
        behind = np.abs(take.rng.normal(0, 0.04, 2) + take.noise(0.02, 2.0, (2,)))
        return u[:, None] * (1 - np.minimum(behind, 0.2))
    return u[:, None] * (take.rhythm.side[:, None] == np.arange(2))
