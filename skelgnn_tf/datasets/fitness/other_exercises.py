"""Exercises outside the classes, for the class `other`: raises, jumps, twists, side lunges, swings, boxing."""

from __future__ import annotations

import numpy as np

from skelgnn_tf.datasets.fitness import arms as arm
from skelgnn_tf.datasets.fitness.body import SIDE_SIGN
from skelgnn_tf.datasets.fitness.everyday import visits, wandering_hands
from skelgnn_tf.datasets.fitness.kinematics import Pose, pose_body, settle
from skelgnn_tf.datasets.fitness.other_floor_exercises import bridge, climber, crunch, leg_raise, on_all_fours
from skelgnn_tf.datasets.fitness.rhythm import Take, bump, ease
from skelgnn_tf.datasets.fitness.rotations import rotation
from skelgnn_tf.datasets.fitness.stance import back, feet, hip_over_ankle, stand_on, swing_leg
from skelgnn_tf.datasets.fitness.standing import effort, sides, upright
from skelgnn_tf.datasets.fitness.variants import held, seated

#: Meters per second squared.
_GRAVITY = 9.81


def arm_raise(take: Take) -> Pose:
    """Straight arms rise to the side, to the front or in a Y and sink, to shoulder height or a little more."""
    u = sides(take, effort(take), together=0.8)
    legs, trunk = seated(take) if take.chance(0.2) else upright(take, np.zeros(take.num_frames), np.zeros(1))
    up = np.clip(take.deg(4, 18) + u * take.deg(55, 105) + take.noise(0.02, 2.0, (2,)), 0.05, None)
    plane = take.rng.choice([take.deg(-5, 30), take.deg(65, 100)])
    return pose_body(
        take.body, trunk, legs, arm.by_angles(take.num_frames, plane, up, take.deg(-20, 50), take.deg(4, 50))
    )


def arm_circle(take: Take) -> Pose:
    """Arms out to the side draw circles, or swing across the chest and apart."""
    turn = 2 * np.pi * take.t[:, None] / take.rng.uniform(0.5, 2.5) + np.array([0.0, take.rng.choice([0.0, np.pi])])
    wide, legs_trunk = take.deg(5, 60), upright(take, np.zeros(take.num_frames), np.zeros(1))
    plane = take.deg(0, 45) + wide * np.sin(turn) * take.rng.uniform(0.5, 1.5)
    up = np.clip(take.deg(60, 110) + wide * np.cos(turn) * take.rng.choice([0.1, 1.0]), 0.05, 2.95)
    arms = arm.by_angles(take.num_frames, plane, up, take.deg(-10, 30), take.deg(4, 80))
    return pose_body(take.body, legs_trunk[1], legs_trunk[0], arms)


def row(take: Take) -> Pose:
    """Bent over, or upright with a band, the elbows pull back and straighten."""
    body, u = take.body, sides(take, effort(take), together=0.7)
    legs = feet(take, take.meters(0.08, 0.2), take.deg(0, 20), take.rng.normal(0, 0.1))
    lean = take.deg(35, 80) if take.chance(0.75) else take.deg(0, 10)
    knee = np.full(take.num_frames, take.deg(10, 40))
    hip, pelvis = stand_on(take, legs, knee * 0.2, knee, lean + take.noise(0.03))
    trunk = back(take, hip, pelvis, take.rng.normal(0.05, 0.1), 0.0, 0.0, lean * take.rng.uniform(0, 0.5))
    # The upper arm hangs down from a bent trunk, and moves along the trunk as it pulls.
    ahead = lean * 0.95 - u * (lean * 0.6 + take.deg(40, 70))
    plane = np.where(ahead > 0, np.pi / 2, -np.pi / 2) + take.rng.normal(0, 0.2)
    elbow = take.deg(5, 20) + u * take.deg(60, 100)
    arms = arm.by_angles(take.num_frames, plane, np.abs(ahead) + 0.05, 0.0, elbow)
    return pose_body(body, trunk, legs, arms)


def extension(take: Take) -> Pose:
    """The elbows straighten above the head, behind the trunk or at the sides; shrugs and wrist rolls look like it."""
    u = sides(take, effort(take), together=0.7)
    legs, trunk = seated(take) if take.chance(0.3) else upright(take, np.zeros(take.num_frames), np.zeros(1))
    high = take.deg(140, 168) if take.chance(0.6) else take.deg(3, 20)
    elbow = np.clip(take.deg(85, 130) - u * take.deg(40, 110), 0.06, None)
    arms = arm.by_angles(
        take.num_frames, take.deg(60, 90), high + take.noise(0.03, 2.0, (2,)), take.deg(-10, 30), elbow
    )
    return pose_body(take.body, trunk, legs, arms)


def twist(take: Take) -> Pose:
    """The trunk twists left and right, standing or seated, with the hands before the chest, apart, or at the head."""
    u = effort(take) * SIDE_SIGN[take.rhythm.side]
    legs, trunk = seated(take) if take.chance(0.35) else upright(take, np.zeros(take.num_frames), np.zeros(1))
    about = rotation(0.0, 0.0, u * take.deg(25, 55))
    trunk = back(
        take, trunk.hip_m, trunk.pelvis @ rotation(0.0, 0.0, 0.5 * u * take.deg(0, 40)), take.rng.normal(0, 0.05), 0.0,
        np.arctan2(about[:, 1, 0], about[:, 0, 0]),
    )  # fmt: skip
    ways = [arm.at_chest(take, trunk), arm.behind_head(take, trunk)]
    ways += [arm.by_angles(take.num_frames, take.deg(0, 30), take.deg(70, 100), 0.0, take.deg(4, 60))]
    return pose_body(take.body, trunk, legs, ways[int(take.rng.integers(3))])


def side_lunge(take: Take) -> Pose:
    """The weight moves over one bent leg while the other one is straight, to the left, the right or in turns."""
    body, bent = take.body, effort(take)
    side = SIDE_SIGN[take.rhythm.side] * bent
    legs = feet(take, body.leg_m * take.rng.uniform(0.4, 0.65), take.deg(5, 35))
    if take.chance(0.4):
        moving = (take.rhythm.side[:, None] == np.arange(2)) * (1 - ease(bent / max(bent.max(), 0.3) * 1.5))[:, None]
        legs.toe_m[..., 0] -= moving * SIDE_SIGN * take.rng.uniform(0.4, 0.8) * body.leg_m * 0.5
    tall = body.ankle_height_m + 0.88 * body.leg_m
    hip = np.zeros((take.num_frames, 3))
    hip[:, 0] = side * body.leg_m * take.rng.uniform(0.3, 0.5) + take.noise(0.01)
    hip[:, 1] = -bent * take.meters(0.08, 0.25)
    hip[:, 2] = tall - bent * body.leg_m * take.rng.uniform(0.2, 0.42)
    lean = take.deg(0, 8) + bent * take.deg(15, 50)
    pelvis = rotation(-lean, take.noise(0.02), take.noise(0.03))
    hip = settle(body, hip, pelvis, legs)
    trunk = back(take, hip, pelvis, bent * take.rng.uniform(0, 0.3), -0.3 * side, 0.0, 0.4 * lean)
    return pose_body(body, trunk, legs, held(take, trunk, bent))


def toe_touch(take: Take) -> Pose:
    """Bends to alternate feet, or sways with an arm to the foot of the other side, feet apart."""
    body, bent = take.body, effort(take)
    side = SIDE_SIGN[take.rhythm.side] * bent
    legs = feet(take, take.meters(0.12, 0.45), take.deg(0, 30))
    still = np.full(take.num_frames, take.deg(3, 15))
    hip, pelvis = stand_on(take, legs, still * 0.3, still, take.deg(0, 5) + bent * take.deg(55, 95))
    trunk = back(take, hip, pelvis, bent * take.deg(10, 40), 0.0, side * take.deg(15, 55))
    active = np.where(take.rhythm.side[:, None] != np.arange(2), 1.0, 0.2)
    down = arm.by_angles(take.num_frames, np.pi / 2, 0.1 + bent[:, None] * active * take.deg(70, 120), 0.0, 0.15)
    out = arm.by_angles(take.num_frames, 0.2, take.deg(40, 95), 0.0, 0.15)
    base = out if take.chance(0.5) else arm.hang(take)
    return pose_body(body, trunk, legs, arm.blend(base, down, bent[:, None] * active))


def leg_pendulum(take: Take) -> Pose:
    """One straight leg swings to the front and to the back, the hands free or at a wall."""
    body = take.body
    turn = np.arange(2) == int(take.rng.integers(2))
    swing = np.sin(2 * np.pi * take.t / take.rng.uniform(0.9, 2.5) + take.rng.uniform(0, 6.28))
    angle = (take.deg(-5, 25) + swing * take.deg(25, 75))[:, None] * turn
    legs = feet(take, take.meters(0.05, 0.1), take.deg(0, 15))
    still = np.full(take.num_frames, take.deg(4, 12))
    hip, pelvis = stand_on(take, legs, still / 2, still, np.full_like(still, take.deg(-4, 8)) - 0.1 * swing)
    ankle, pole = swing_leg(body, hip, pelvis, angle, still[:, None] / 2 + np.abs(angle) * take.rng.uniform(0, 0.5))
    ankle[..., 2] = np.maximum(ankle[..., 2], body.ankle_height_m + 0.03)
    legs.toe_m = np.where(turn[:, None], ankle + np.array([0.0, 0.08, -0.02]), legs.toe_m)
    legs.pole = np.where(turn[:, None], pole, legs.pole)
    legs.planted &= ~turn
    trunk = back(take, hip, pelvis, take.rng.normal(0, 0.06), take.noise(0.03), 0.1 * swing)
    ways = [
        arm.on_hips(take, trunk),
        arm.hang(take, -0.5 * swing[:, None] * SIDE_SIGN),
        arm.forward(take, 1 + 0 * swing),
    ]
    return pose_body(body, trunk, legs, ways[int(take.rng.integers(3))])


def chop(take: Take) -> Pose:
    """Both hands move from above one shoulder down to the other side, in some clips to a knee that rises."""
    body, u = take.body, effort(take)
    side = int(take.rng.integers(2))
    legs = feet(take, take.meters(0.08, 0.25), take.deg(0, 25))
    knee = take.deg(4, 12) + u * take.deg(0, 50)
    hip, pelvis = stand_on(take, legs, knee * 0.4, knee, take.deg(0, 5) + u * take.deg(0, 25))
    if take.chance(0.5):
        lift = u[:, None] * (np.arange(2) == side)
        ankle, pole = swing_leg(body, hip, pelvis, lift * take.deg(50, 105), 0.1 + lift * take.deg(60, 110))
        free = np.minimum(2 * lift, 1)[..., None]
        legs.toe_m = legs.toe_m + free * (ankle + np.array([0.0, 0.05, -0.05]) - legs.toe_m)
        legs.pole, legs.planted = legs.pole + free * (pole - legs.pole), free[..., 0] == 0
    turned = SIDE_SIGN[side] * (u - 0.4) * take.deg(0, 45)
    trunk = back(take, hip, pelvis, u * take.deg(5, 40), SIDE_SIGN[side] * u * take.deg(0, 20), turned)
    down = wandering_hands(take, trunk, 0.02)
    return pose_body(body, trunk, legs, arm.blend(arm.overhead(take), down, np.sqrt(np.clip(u, 0, 1))))


def hinge(take: Take) -> Pose:
    """Good mornings: the hips hinge with the hands on the hips, at the chest, crossed or at the head."""
    body, u = take.body, effort(take)
    legs = feet(take, take.meters(0.06, 0.22), take.deg(0, 25))
    knee = take.deg(3, 15) + u * take.deg(0, 30)
    hip, pelvis = stand_on(take, legs, knee * 0.1, knee, take.deg(-3, 3) + u * take.deg(45, 90))
    trunk = back(take, hip, pelvis, u * take.rng.uniform(-0.1, 0.3), 0.0, 0.0, u * take.deg(0, 45))
    ways = [arm.on_hips(take, trunk), arm.at_chest(take, trunk), arm.crossed(take, trunk), arm.behind_head(take, trunk)]
    return pose_body(body, trunk, legs, ways[int(take.rng.integers(4))])


def calf_raise(take: Take) -> Pose:
    """Rises on the toes and sinks, or bounces with a rope."""
    body, u = take.body, effort(take)
    legs = feet(take, take.meters(0.04, 0.16), take.deg(0, 20))
    hop = np.maximum(u - 0.3, 0) * take.rng.choice([0.0, 0.0, 0.15])
    legs.pitch = (u * take.deg(20, 45))[:, None] * np.ones(2)
    legs.toe_m[..., 2] += hop[:, None]
    legs.planted &= (hop == 0)[:, None]
    knee = np.full(take.num_frames, take.deg(3, 15))
    hip, pelvis = stand_on(take, legs, knee / 2, knee, np.full_like(knee, take.deg(-2, 6)))
    trunk = back(take, hip, pelvis, take.rng.normal(0, 0.05))
    arms = held(take, trunk, u) if take.chance(0.6) else arm.hang(take, 0.0, bent=take.deg(20, 80))
    return pose_body(body, trunk, legs, arms)


def jump(take: Take) -> Pose:
    """Jumps from a crouch and lands in one, the arms swinging along, above the head or held."""
    body, phase = take.body, take.rhythm.phase
    take_off = take.rng.uniform(0.5, 0.6)
    height = take.meters(0.06, 0.4) * take.rhythm.depth
    # How much of the movement the flight takes; a fast tempo allows low jumps only.
    per_s = _phase_per_s(take)
    flight = np.minimum(np.sqrt(8 * height / _GRAVITY) * per_s, 0.3)
    height = _GRAVITY * (flight / per_s) ** 2 / 8
    flown = np.clip((phase - take_off) / flight, 0, 1)
    rise = 4 * flown * (1 - flown)
    # Stretched at take-off and in the air, bent to swing and to land.
    bent = bump(np.clip(phase / take_off, 0, 1), take.rng.uniform(0.5, 0.7))
    bent += 0.7 * bump(np.clip((phase - take_off - flight) / (1 - take_off - flight), 0, 1), 0.35)
    bent = bent * take.rhythm.depth * (rise == 0)
    legs = feet(take, take.meters(0.05, 0.2), take.deg(0, 25))
    legs.toe_m[..., 2] += (rise * height)[:, None]
    legs.pitch = (np.sqrt(rise) * take.deg(20, 60))[:, None] * np.ones(2)
    legs.planted &= (rise == 0)[:, None]
    knee = take.deg(4, 12) + bent * take.deg(40, 100)
    hip, pelvis = stand_on(take, legs, knee * 0.35, knee, bent * take.deg(15, 55) + take.deg(-3, 5))
    trunk = back(take, hip, pelvis, bent * take.rng.uniform(0, 0.3))
    swing = np.clip(rise - bent, -0.8, 1)[:, None] * take.deg(30, 70)
    ways = [arm.hang(take, swing, bent=take.deg(5, 60)), held(take, trunk, bent), arm.at_chest(take, trunk)]
    ways.append(arm.blend(arm.hang(take, np.minimum(swing, 0)), arm.overhead(take), rise))
    return pose_body(body, trunk, legs, ways[int(take.rng.integers(4))])


def _phase_per_s(take: Take) -> np.ndarray:
    """How fast the phase of each frame's movement runs, per second (frames,)."""
    step = np.diff(take.rhythm.phase, append=0.0) / (take.t[1] - take.t[0])
    movements, frame = np.unique(take.rhythm.movement, return_inverse=True)
    return np.array([max(step[take.rhythm.movement == k].max(), 0.1) for k in movements])[frame]


def leg_swing(take: Take) -> Pose:
    """One leg lifts to the side, to the back or kicks to the seat; the other stands."""
    body, u = take.body, effort(take)
    active = int(take.rng.integers(2)) if take.chance(0.6) else None
    turn = take.rhythm.side[:, None] == np.arange(2) if active is None else np.arange(2) == active
    lift = u[:, None] * turn
    legs = feet(take, take.meters(0.05, 0.12), take.deg(0, 15))
    still = np.full(take.num_frames, take.deg(4, 12))
    hip, pelvis = stand_on(take, legs, still / 2, still, np.full_like(still, take.deg(-4, 20)))
    heel = take.chance(0.4)
    flexion = lift * (take.deg(-15, 10) if heel else take.rng.choice([take.deg(-40, -15), take.deg(20, 75)]))
    knee = still[:, None] / 2 + lift * (take.deg(80, 125) if heel else take.deg(0, 30))
    ankle, pole = swing_leg(body, hip, pelvis, flexion, knee)
    if not heel and take.chance(0.5):
        ankle[..., 0] += lift * SIDE_SIGN * body.leg_m * take.rng.uniform(0.3, 0.6)
        ankle[..., 2] += lift * 0.1
    free = np.minimum(2 * lift, 1)
    legs.pitch = free * take.deg(10, 60) * float(heel)
    toe = ankle + rotation(-legs.pitch) @ body.foot_m[0]
    legs.toe_m = legs.toe_m + free[..., None] * (toe - legs.toe_m)
    legs.pole = legs.pole + free[..., None] * (pole - legs.pole)
    legs.planted = free == 0
    trunk = back(take, hip, pelvis, take.rng.normal(0, 0.06), take.noise(0.03), 0.0)
    return pose_body(body, trunk, legs, held(take, trunk, u))


def box(take: Take) -> Pose:
    """Punches and guards, with a split stance and steps."""
    body = take.body
    legs, trunk = upright(take, 0.1 + np.abs(take.noise(0.08, 1.0)), np.zeros(1))
    trunk = back(take, trunk.hip_m, trunk.pelvis, 0.1, take.noise(0.06, 1.0), take.noise(0.25, 0.9))
    guard = arm.mirrored((take.meters(0.05, 0.15), take.meters(0.15, 0.3), take.meters(-0.05, 0.15)))
    punch = np.stack([visits(take, take.rng.uniform(0.5, 1.5), 0.0, 0.1) for _ in range(2)], axis=1)
    at = guard + punch[..., None] * np.array([0.0, 0.85 * body.arm_m - 0.2, 0.0])
    arms = arm.hold(take, trunk, trunk.chest, trunk.thorax_m, at, arm.mirrored((0.6, -0.2, -1.0)))
    return pose_body(body, trunk, legs, arms)


def pose_of_yoga(take: Take) -> Pose:
    """Warriors, chairs, trees and folds: entered slowly and held."""
    body, u = take.body, np.maximum(visits(take, 0.25, 2.0, 8.0), float(take.chance(0.4)))
    front = int(take.rng.integers(2))
    way = take.rng.choice(["warrior", "tree", "fold"])
    legs = feet(take, take.meters(0.05, 0.12), take.deg(0, 20))
    if way == "warrior":
        legs.toe_m[:, front, 1] += body.leg_m * take.rng.uniform(0.8, 1.15)
        legs.yaw[:, 1 - front] += SIDE_SIGN[1 - front] * -take.deg(30, 90)
    hip = np.zeros((take.num_frames, 3))
    hip[:, 2] = (
        body.ankle_height_m + 0.97 * body.leg_m - u * (way == "warrior") * body.leg_m * take.rng.uniform(0.1, 0.45)
    )
    hip[:, 1] = legs.toe_m[:, :, 1].mean(axis=1) - 0.1 * body.height_m
    lean = u * (take.deg(60, 120) if way == "fold" else take.deg(-10, 20))
    pelvis = rotation(-lean, take.noise(0.02), take.noise(0.03) + u * take.rng.choice([0.0, 0.0, 1.2, -1.2]))
    hip = settle(body, hip, pelvis, legs)
    if way == "tree":
        lifted = (u[:, None] * (np.arange(2) == front)) * np.ones(2)
        ankle, pole = swing_leg(body, hip, pelvis, lifted * take.deg(50, 80), 0.1 + lifted * take.deg(100, 140))
        legs.toe_m = legs.toe_m + lifted[..., None] * (ankle - legs.toe_m)
        legs.pole = legs.pole + lifted[..., None] * (pole + SIDE_SIGN[:, None] * np.array([1.0, 0, 0]) - legs.pole)
    trunk = back(take, hip, pelvis, u * take.rng.uniform(0, 0.4) * (way == "fold"), u * take.rng.normal(0, 0.2), 0.0)
    raised = arm.by_angles(take.num_frames, take.rng.choice([0.0, 1.5]), take.deg(70, 170), 0.2, take.deg(4, 40))
    arms = arm.blend(arm.hang(take), raised if take.chance(0.7) else arm.at_chest(take, trunk), u)
    return pose_body(body, trunk, legs, arms)


def kettlebell(take: Take) -> Pose:
    """Swings: the hips hinge, then straighten while the straight arms rise to the front."""
    body, u = take.body, effort(take)
    legs = feet(take, take.meters(0.1, 0.28), take.deg(5, 30))
    knee = take.deg(5, 15) + u * take.deg(10, 45)
    hip, pelvis = stand_on(take, legs, knee * 0.2, knee, take.deg(-3, 3) + u * take.deg(45, 80))
    trunk = back(take, hip, pelvis, u * take.rng.uniform(0, 0.2), 0.0, 0.0, u * 0.4)
    up = np.clip(0.05 + (1 - u / max(u.max(), 0.1)) * take.deg(50, 110) + u * 0.1, 0.05, None)
    return pose_body(body, trunk, legs, arm.by_angles(take.num_frames, np.pi / 2, up[:, None], 0.0, take.deg(4, 20)))


def hold_low(take: Take) -> Pose:
    """Holds a squat against a wall, or half a lunge, without moving much."""
    body = take.body
    u = np.maximum(visits(take, 0.2, 3.0, 8.0), float(take.chance(0.5)))
    legs = feet(take, take.meters(0.08, 0.2), take.deg(0, 25))
    knee = take.deg(5, 10) + u * take.deg(60, 95)
    shin = 0.1 * knee
    forward, up = hip_over_ankle(body, shin, knee)
    hip = np.stack([0 * forward, forward, body.ankle_height_m + up], axis=1)
    pelvis = rotation(-take.deg(-5, 8) + take.noise(0.01), take.noise(0.01), take.noise(0.02))
    hip = settle(body, hip, pelvis, legs)
    trunk = back(take, hip, pelvis, take.rng.normal(0, 0.04))
    return pose_body(body, trunk, legs, held(take, trunk, u))


#: All of them; a clip of the class "other" draws one.
EXERCISES = (
    arm_raise,
    arm_circle,
    row,
    extension,
    twist,
    side_lunge,
    toe_touch,
    calf_raise,
    jump,
    leg_swing,
    box,
    pose_of_yoga,
    climber,
    bridge,
    crunch,
    leg_raise,
    kettlebell,
    hold_low,
    leg_pendulum,
    chop,
    on_all_fours,
    hinge,
)
