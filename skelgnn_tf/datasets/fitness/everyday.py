"""Motion that is no exercise: sitting, getting up, reaching, bending, talking with the hands, dancing, stepping."""

from __future__ import annotations

import numpy as np

from skelgnn_tf.datasets.fitness import arms as arm
from skelgnn_tf.datasets.fitness.body import SIDE_SIGN
from skelgnn_tf.datasets.fitness.kinematics import Arms, Legs, Pose, Trunk, pose_body, settle
from skelgnn_tf.datasets.fitness.rhythm import Take, ease
from skelgnn_tf.datasets.fitness.rotations import rotation
from skelgnn_tf.datasets.fitness.stance import back, balance_lean, feet, hip_over_ankle, stand_on
from skelgnn_tf.datasets.fitness.standing import upright
from skelgnn_tf.datasets.fitness.variants import seat, seated


def visits(take: Take, per_s: float, low_s: float, high_s: float) -> np.ndarray:
    """0 or 1 (frames,), smooth: comes and goes at irregular times and stays for `low_s` to `high_s` seconds."""
    share, t = np.zeros(take.num_frames), take.rng.uniform(-high_s, 1 / per_s)
    while t < take.t[-1]:
        stays, way = take.rng.uniform(low_s, high_s), take.rng.uniform(0.4, 1.3)
        share = np.maximum(share, ease((take.t - t) / way) * (1 - ease((take.t - t - way - stays) / way)))
        t += 2 * way + stays + take.rng.exponential(1 / per_s)
    return share


def wandering_hands(take: Take, trunk: Trunk, busy_m: float) -> Arms:
    """Hands that move freely in front of the chest, as of someone who talks, eats, washes or shows something."""
    at = arm.mirrored((take.meters(0.02, 0.3), take.meters(0.15, 0.4), take.meters(-0.45, 0.1)))
    moved = at + take.noise(busy_m, take.rng.uniform(0.5, 2.0), (2, 3))
    moved[..., 1] = np.maximum(moved[..., 1], 0.12)
    return arm.hold(take, trunk, trunk.chest, trunk.thorax_m, moved, arm.mirrored((0.6, -0.4, -1.0)))


def gestures(take: Take, trunk: Trunk) -> Arms:
    """One hand or both talk, wipe or hold a phone now and then; otherwise they hang."""
    busy = wandering_hands(take, trunk, take.rng.choice([0.01, 0.05, 0.12]))
    both = take.chance(0.5)
    share = visits(take, take.rng.uniform(0.2, 1.0), 0.3, 5.0)[:, None] * np.where(
        np.arange(2) == int(take.rng.integers(2)), 1.0, float(both)
    )
    return arm.blend(arm.hang(take), busy, share)


def talk(take: Take) -> Pose:
    """Standing and talking with the hands, shifting the weight."""
    legs, hip, pelvis = _shifting(take)
    trunk = back(take, hip, pelvis, take.noise(0.06, 3.0), take.noise(0.04, 3.0), take.noise(0.15, 3.0))
    return pose_body(take.body, trunk, legs, gestures(take, trunk))


def _shifting(take: Take) -> tuple[Legs, np.ndarray, np.ndarray]:
    legs = feet(take, take.meters(0.05, 0.25), take.deg(0, 25), take.rng.normal(0, 0.08))
    knee = np.clip(take.deg(2, 12) + take.noise(0.05, 3.0), 0.03, None)
    hip, pelvis = stand_on(take, legs, knee / 2, knee, take.deg(-4, 10) + take.noise(0.03, 4.0), sway=3.0)
    return legs, hip, pelvis


def sit(take: Take) -> Pose:
    """Sitting: at a table, with a phone, talking, resting the hands on the thighs."""
    legs, trunk = seated(take)
    busy = wandering_hands(take, trunk, take.rng.choice([0.005, 0.03, 0.1]))
    rest = arm.swung(
        take, np.full((take.num_frames, 2), take.deg(5, 40)), np.full((take.num_frames, 2), take.deg(3, 20)), 0.0,
        take.deg(40, 90) + take.noise(0.03, 3.0, (2,)),
    )  # fmt: skip
    return pose_body(take.body, trunk, legs, arm.blend(rest, busy, visits(take, 0.4, 0.5, 6.0)))


def get_up(take: Take) -> Pose:
    """Sits down on a chair and gets up at irregular times."""
    body = take.body
    legs, low, _ = seat(take)
    u = visits(take, take.rng.uniform(0.15, 0.6), 0.8, 6.0)
    tall = hip_over_ankle(body, np.array(0.04), np.array(0.08))
    high = np.tile([0.0, tall[0], body.ankle_height_m + tall[1]], (take.num_frames, 1))
    hip = high + u[:, None] * (low - high)
    # The hip moves back before it sinks, and the trunk leans on the way.
    hip[:, 1] += np.sin(np.pi * u) * -take.meters(0.02, 0.10)
    lean = take.deg(0, 6) + np.sin(np.pi * u) * take.deg(20, 50) + u * take.deg(-10, 12)
    pelvis = rotation(-lean, take.noise(0.01), take.noise(0.03, 3.0))
    hip = settle(body, hip, pelvis, legs)
    trunk = back(take, hip, pelvis, u * take.rng.normal(0.1, 0.1), take.noise(0.02), take.noise(0.05))
    ways = [arm.hang(take), arm.hang(take, (np.sin(np.pi * u) * take.deg(10, 60))[:, None]), gestures(take, trunk)]
    return pose_body(body, trunk, legs, ways[int(take.rng.integers(3))])


def bend_down(take: Take) -> Pose:
    """Bends to something on the floor or on a low shelf, with bent or straight knees, at irregular times."""
    body = take.body
    u = visits(take, take.rng.uniform(0.15, 0.5), 0.1, 4.0)
    legs = feet(take, take.meters(0.06, 0.22), take.deg(0, 25), take.rng.normal(0, 0.12))
    knee = take.deg(3, 10) + u * take.deg(5, 110)
    shin = np.minimum(knee * 0.4, u * take.deg(5, 35) + knee * 0.2)
    lean = take.deg(-2, 5) + u * np.maximum(balance_lean(body, hip_over_ankle(body, shin, knee)[0]), take.deg(15, 80))
    hip, pelvis = stand_on(take, legs, shin, knee, np.clip(lean, -0.1, 1.4) * take.rng.uniform(0.6, 1.0))
    trunk = back(
        take, hip, pelvis, u * take.rng.uniform(0.1, 0.7), u * take.rng.normal(0, 0.2), u * take.noise(0.2, 3.0)
    )
    up = np.maximum(u[:, None] * take.deg(30, 100) + take.noise(0.1, 1.0, (2,)), 0.05)
    down = arm.by_angles(take.num_frames, take.deg(60, 100), up, 0.0, take.deg(5, 50))
    one = np.where(np.arange(2) == int(take.rng.integers(2)), 1.0, float(take.chance(0.6)))
    return pose_body(body, trunk, legs, arm.blend(arm.hang(take), down, u[:, None] * one))


def reach_out(take: Take) -> Pose:
    """Reaches to shelves, windows, switches: arms in any direction, held, moved about and taken back."""
    bent = take.noise(0.05, 2.0)
    legs, trunk = upright(take, np.abs(bent), np.zeros(1))
    arms = arm.hang(take)
    for _ in range(int(take.rng.integers(1, 4))):
        up = take.deg(20, 165) + take.noise(take.rng.choice([0.03, 0.25]), take.rng.uniform(0.5, 2.0), (2,))
        to = arm.by_angles(
            take.num_frames, take.deg(0, 110) + take.noise(0.2, 1.5, (2,)), np.clip(up, 0.05, 2.95), take.deg(-20, 40),
            np.clip(take.deg(5, 80) + take.noise(0.15, 1.2, (2,)), 0.05, 2.4),
        )  # fmt: skip
        one = np.where(np.arange(2) == int(take.rng.integers(2)), 1.0, float(take.chance(0.4)))
        arms = arm.blend(arms, to, visits(take, 0.4, 0.3, 4.0)[:, None] * one)
    return pose_body(take.body, trunk, legs, arms)


def dance(take: Take) -> Pose:
    """Sways, bounces, twists and waves in a beat, with another figure for every part of the body."""
    body = take.body
    beat = 2 * np.pi * take.t / take.rng.uniform(0.45, 1.3)

    def swing(deviation: float) -> np.ndarray:
        own = beat * take.rng.choice([0.5, 1.0, 1.0, 0.25]) + take.rng.uniform(0, 6.28)
        return take.rng.uniform(0, deviation) * np.sin(own) * (0.6 + 0.4 * np.sin(take.t * take.rng.uniform(0.3, 1.5)))

    legs = feet(take, take.meters(0.06, 0.3), take.deg(0, 30), take.rng.normal(0, 0.06))
    _step(take, legs, np.clip(swing(1.2), 0, 1), take.meters(0.0, 0.25))
    knee = np.clip(take.deg(8, 25) + swing(0.35), 0.05, None)
    hip, pelvis = stand_on(take, legs, knee / 2, knee, take.deg(-2, 12) + swing(0.1), sway=2.0)
    hip[:, 0] += swing(0.12)
    pelvis = pelvis @ rotation(0.0, swing(0.15), swing(0.35))
    hip = settle(body, hip, pelvis, legs)
    trunk = back(take, hip, pelvis, swing(0.2), swing(0.25), swing(0.3))
    up = np.stack([take.deg(10, 150) + swing(1.0) for _ in range(2)], axis=1)
    plane = np.stack([take.deg(-10, 95) + swing(0.5) for _ in range(2)], axis=1)
    elbow = np.stack([np.clip(take.deg(10, 110) + swing(0.8), 0.05, 2.5) for _ in range(2)], axis=1)
    arms = arm.by_angles(take.num_frames, plane, np.clip(up, 0.05, 2.95), take.deg(-30, 40), elbow)
    return pose_body(body, trunk, legs, arms)


def _step(take: Take, legs: Legs, lift: np.ndarray, aside_m: float) -> None:
    """Lifts the feet in turns by `lift` 0..1 (frames,) and puts them down `aside_m` further out."""
    turn = ((take.t[:, None] / take.rng.uniform(0.6, 2.0)).astype(int) + np.arange(2)) % 2 == 0
    legs.toe_m[..., 2] += turn * (lift * take.meters(0.0, 0.15))[:, None]
    legs.toe_m[..., 0] += turn * SIDE_SIGN * (lift * aside_m)[:, None]
    legs.planted &= ~(turn & (lift > 0)[:, None])


def turn_about(take: Take) -> Pose:
    """Small steps on the spot or to the side while the body turns, the arms busy or hanging."""
    body, t = take.body, take.t
    heading = take.rng.uniform(-1.2, 1.2) * t + take.noise(0.4, 3.0)
    aside = take.noise(0.25, 3.0)
    legs = feet(take, take.meters(0.06, 0.16), take.deg(0, 20))
    turned = rotation(0.0, 0.0, heading)
    cycle = t[:, None] / take.rng.uniform(0.7, 1.6) + 0.5 * np.arange(2)
    lift = np.maximum(np.sin(2 * np.pi * cycle), 0) ** 2
    legs.toe_m = np.einsum("tij,tsj->tsi", turned, legs.toe_m)
    legs.toe_m[..., 0] += aside[:, None]
    legs.toe_m[..., 2] += lift * take.meters(0.02, 0.1)
    legs.yaw = legs.yaw + heading[:, None]
    legs.pole = np.einsum("tij,tsj->tsi", turned, legs.pole)
    legs.planted &= lift == 0
    knee = np.full(take.num_frames, take.deg(5, 15))
    forward, up = hip_over_ankle(body, knee / 2, knee)
    hip = turned @ np.array([0.0, float(forward[0]), 0.0])
    hip[:, 0] += aside
    hip[:, 2] = body.ankle_height_m + up
    pelvis = turned @ rotation(-take.deg(0, 8) + take.noise(0.02), take.noise(0.02), take.noise(0.08))
    hip = settle(body, hip, pelvis, legs)
    trunk = back(take, hip, pelvis, take.noise(0.05), take.noise(0.04), take.noise(0.15))
    return pose_body(body, trunk, legs, gestures(take, trunk))


def kneel(take: Take) -> Pose:
    """Kneels, squats down or crouches for a while and does something with the hands."""
    body = take.body
    legs = feet(take, take.meters(0.06, 0.2), take.deg(0, 30), take.rng.normal(0, 0.2))
    u = np.maximum(visits(take, 0.3, 2.0, 8.0), float(take.chance(0.5)))
    knee = take.deg(5, 10) + u * take.deg(100, 145)
    shin = np.minimum(knee * 0.45, take.deg(20, 45))
    lean = u * np.clip(balance_lean(body, hip_over_ankle(body, shin, knee)[0]) * take.rng.uniform(0.6, 1.0), 0, 1.0)
    legs.pitch = (u * take.deg(0, 60))[:, None] * np.ones(2)
    hip, pelvis = stand_on(take, legs, shin, knee, lean)
    trunk = back(take, hip, pelvis, u * take.rng.uniform(0, 0.5), take.noise(0.04), take.noise(0.1))
    return pose_body(body, trunk, legs, arm.blend(arm.hang(take), wandering_hands(take, trunk, 0.08), u))


def lie(take: Take) -> Pose:
    """Lies on the back and rests, stretches a leg or an arm, or plays with a phone."""
    body = take.body
    legs = feet(take, take.meters(0.04, 0.25), take.deg(0, 25))
    knee = take.deg(5, 110) + take.noise(0.1, 4.0)
    apart = np.sqrt(
        body.thigh_m**2 + body.shank_m**2 + 2 * body.thigh_m * body.shank_m * np.cos(np.clip(knee, 0.1, 2.2))
    )
    legs.toe_m[..., 1] += np.sqrt(np.maximum(apart**2 - 0.01, 0.01))[:, None]
    legs.pitch[:] = -take.deg(0, 80) * (np.mean(knee) < 0.7)
    legs.pole = np.broadcast_to(np.array([0.0, 0.3, 1.0]), legs.pole.shape) + take.noise(0.1, 3.0, (2, 3))
    hip = np.tile([0.0, 0.0, body.depth_m], (take.num_frames, 1))
    pelvis = rotation(np.pi / 2 - take.deg(0, 10) + take.noise(0.02, 3.0), 0.0, take.noise(0.05, 3.0))
    trunk = back(take, hip, pelvis, take.rng.uniform(-0.1, 0.25) + take.noise(0.03), take.noise(0.05), take.noise(0.05))
    ways = [arm.behind_head(take, trunk, lying=True), wandering_hands(take, trunk, 0.04)]
    ways += [arm.by_angles(take.num_frames, take.deg(0, 60), take.deg(10, 170), 0.0, take.deg(5, 40))]
    first, second = (ways[int(i)] for i in take.rng.integers(3, size=2))
    return pose_body(body, trunk, legs, arm.blend(first, second, visits(take, 0.2, 1.0, 5.0)))


#: All of them; a clip of the class "other" draws one.
MOTIONS = (talk, sit, get_up, bend_down, reach_out, dance, turn_about, kneel, lie)
