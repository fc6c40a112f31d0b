"""Forward kinematics of the trunk, two-bone inverse kinematics of the limbs, and the resulting pose."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from skelgnn_tf.datasets.fitness.body import FACE, INDEX, JOINTS, LIMITS_DEG, SIDE_SIGN, SIDES, Body
from skelgnn_tf.datasets.fitness.rotations import bend, rotation, unit

# One degree below the limit of the joint, so that rounding to float32 cannot exceed it.
_KNEE_MAX_RAD, _ELBOW_MAX_RAD = (np.deg2rad(LIMITS_DEG[joint][1] - 1) for joint in ("knee", "elbow"))
#: Largest extension of a limb relative to its length: when fully straight, its plane of bending is undefined.
STRAIGHTEST = 1 - 1e-4


@dataclass
class Legs:
    """Targets of the feet in world-space meters and radians, axes (frames, sides[, 3]).

    `pitch` rotates a foot about its tip with the heel up, `pole` is the direction of the knee, and `planted` says which
    tips stand still.
    """

    toe_m: np.ndarray
    yaw: np.ndarray
    pitch: np.ndarray
    pole: np.ndarray
    planted: np.ndarray


@dataclass(frozen=True)
class Arms:
    """Directions of the arms in the chest's axes (right, forward, up).

    Args:
        upper: Unit vectors along the upper arms (frames, sides, 3).
        forearm: Unit vectors along the forearms (frames, sides, 3).
        lift: Angle by which the collar bones are raised, in radians (frames, sides).
        flat: How much (0..1) the hand lies flat on the floor (frames, sides). At 1 the wrist stands still.
    """

    upper: np.ndarray
    forearm: np.ndarray
    lift: np.ndarray
    flat: np.ndarray


@dataclass(frozen=True)
class Trunk:
    """The trunk: joints in world-space meters (frames, 3) and axes (frames, 3, 3) with columns right, forward, up."""

    hip_m: np.ndarray
    spine_m: np.ndarray
    thorax_m: np.ndarray
    neck_m: np.ndarray
    head_m: np.ndarray
    pelvis: np.ndarray
    chest: np.ndarray
    skull: np.ndarray


@dataclass(frozen=True)
class Pose:
    """The body in world space (z up, floor at 0).

    Args:
        joints_m: (frames, `JOINTS`, 3) meters.
        frames: (frames, 7, 3, 3), the axes of pelvis, chest, skull, legs and arms as columns. `FRAME_OF` maps joints
            to them.
        feet_planted: bool (frames, sides), feet whose tips stand still.
        hands_planted: bool (frames, sides), hands whose wrists stand still.
    """

    joints_m: np.ndarray
    frames: np.ndarray
    feet_planted: np.ndarray
    hands_planted: np.ndarray


def _frame_of(joint: str) -> int:
    """Index of the axes in `Pose.frames` that a joint moves with."""
    if joint in ("hip", "spine", "left_hip", "right_hip"):
        return 0
    if joint in ("thorax", "neck", "left_shoulder", "right_shoulder"):
        return 1
    if joint in FACE or joint == "head":
        return 2
    leg = any(part in joint for part in ("knee", "ankle", "heel", "foot"))
    return (3 if leg else 5) + (0 if joint.startswith("left_") else 1)


FRAME_OF = np.array([_frame_of(joint) for joint in JOINTS])


def pose_trunk(
    body: Body, hip_m: np.ndarray, pelvis: np.ndarray, lumbar: np.ndarray, thoracic: np.ndarray, neck: np.ndarray
) -> Trunk:
    """Forward kinematics from the pelvis to the top of the head.

    Args:
        body: Segment lengths.
        hip_m: Hip in world-space meters (frames, 3).
        pelvis: Axes of the pelvis in world space (frames, 3, 3).
        lumbar: Flexion, side and twist of the lower back in radians (frames, 3).
        thoracic: The same for the upper back.
        neck: The same for neck and head together.
    """
    # The bones below and above share each bend, since a back is not a single hinge.
    spine_m = hip_m + pelvis @ bend(lumbar, 0.5) @ body.to_spine_m
    trunk = pelvis @ bend(lumbar)
    thorax_m = spine_m + trunk @ bend(thoracic, 0.5) @ body.to_thorax_m
    chest = trunk @ bend(thoracic)
    half_neck = bend(neck, 0.5)
    throat = chest @ half_neck
    neck_m = thorax_m + throat @ body.to_neck_m
    skull = throat @ half_neck
    return Trunk(hip_m, spine_m, thorax_m, neck_m, neck_m + skull @ body.to_head_m, pelvis, chest, skull)


def two_bones(
    root_m: np.ndarray, target_m: np.ndarray, pole: np.ndarray, upper_m: float, lower_m: float, max_bend: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Solves a limb of two bones from a root to a target (..., 3), with the middle joint toward the pole.

    Returns:
        Middle joint and end (..., 3), where the end is the target if it can be reached, and the limb's axes
        (..., 3, 3) as columns: across, toward the pole, from end to root.
    """
    along = target_m - root_m
    distance = np.sqrt(np.einsum("...c,...c->...", along, along))
    nearest = np.sqrt(upper_m**2 + lower_m**2 + 2 * upper_m * lower_m * np.cos(max_bend))
    reach = np.clip(distance, nearest, (upper_m + lower_m) * STRAIGHTEST)
    along = along / np.maximum(distance, 1e-9)[..., None]
    part = (reach**2 + upper_m**2 - lower_m**2) / (2 * reach)
    out = np.sqrt(np.maximum(upper_m**2 - part**2, 0))
    side = unit(pole - np.einsum("...c,...c->...", pole, along)[..., None] * along)
    middle = root_m + part[..., None] * along + out[..., None] * side
    axes = np.stack([np.cross(along, side), side, -along], axis=-1)
    return middle, root_m + reach[..., None] * along, axes


def foot_rotation(legs: Legs) -> np.ndarray:
    """Axes of the feet (frames, sides, 3, 3)."""
    return rotation(-legs.pitch, 0.0, legs.yaw)


def ankles_m(body: Body, legs: Legs) -> np.ndarray:
    """Positions of the ankles (frames, sides, 3)."""
    return legs.toe_m - foot_rotation(legs) @ body.foot_m[0]


def hips_m(body: Body, hip_m: np.ndarray, pelvis: np.ndarray) -> np.ndarray:
    """Positions of the hip joints (frames, sides, 3)."""
    across = pelvis[:, :, 0] * body.half_hips_m
    return hip_m[:, None] + SIDE_SIGN[:, None] * across[:, None]


def settle(body: Body, hip_m: np.ndarray, pelvis: np.ndarray, legs: Legs, sharpness: float = 500.0) -> np.ndarray:
    """Lowers the hip (frames, 3) until both ankles can be reached, so that standing feet are not dragged along."""
    roots, ends = hips_m(body, hip_m, pelvis), ankles_m(body, legs)
    across2 = np.sum((roots - ends)[..., :2] ** 2, axis=-1)
    span2 = (body.leg_m * STRAIGHTEST) ** 2 - across2
    ceiling = ends[..., 2] + np.sqrt(np.maximum(span2, 1e-4)) - (roots[..., 2] - hip_m[:, None, 2])
    out = hip_m.copy()
    out[:, 2] = _soft_minimum(np.concatenate([hip_m[:, 2:], ceiling], axis=1), sharpness)
    return out


def pose_body(body: Body, trunk: Trunk, legs: Legs, arms: Arms) -> Pose:
    """All joints of the body from its trunk, feet and arms."""
    num_frames = len(trunk.hip_m)
    joints = np.empty((num_frames, len(JOINTS), 3))
    for name in ("hip", "spine", "thorax", "neck", "head"):
        joints[:, INDEX[name]] = getattr(trunk, f"{name}_m")
    joints[:, [INDEX[joint] for joint in FACE]] = trunk.neck_m[:, None] + body.face_m @ np.swapaxes(trunk.skull, 1, 2)

    roots = hips_m(body, trunk.hip_m, trunk.pelvis)
    knees, ankles, leg_axes = two_bones(
        roots, ankles_m(body, legs), legs.pole, body.thigh_m, body.shank_m, _KNEE_MAX_RAD
    )
    foot = body.foot_m @ np.swapaxes(foot_rotation(legs), -1, -2)
    shoulders, elbows, wrists, arm_axes = _pose_arms(body, trunk, arms)
    hand = _hand(body, arms.flat[..., None], elbows, wrists, arm_axes)
    limbs = {
        "hip": roots,
        "knee": knees,
        "ankle": ankles,
        "foot_index": ankles + foot[:, :, 0],
        "heel": ankles + foot[:, :, 1],
        "shoulder": shoulders,
        "elbow": elbows,
        "wrist": wrists,
        **hand,
    }
    for name, points in limbs.items():
        for side, prefix in enumerate(SIDES):
            joints[:, INDEX[f"{prefix}_{name}"]] = points[:, side]
    body_axes = np.stack([trunk.pelvis, trunk.chest, trunk.skull], axis=1)
    frames = np.concatenate([body_axes, leg_axes, arm_axes], axis=1)
    return Pose(joints, frames, legs.planted, arms.flat == 1)


def collar_lift(raised: np.ndarray) -> np.ndarray:
    """Angle in radians by which the collar bone lifts the shoulder of an arm raised from hanging by an angle.

    The lift starts above 60 degrees (scapulohumeral rhythm) and ends at 22 degrees.
    """
    return 0.19 * np.clip(raised - np.pi / 3, 0, 2 * np.pi / 3)


def shoulders_m(body: Body, trunk: Trunk, lift: np.ndarray) -> np.ndarray:
    """Positions of the shoulders (frames, sides, 3) for collar bones raised by `lift` (frames, sides)."""
    turned = np.einsum("tsij,sj->tsi", rotation(0.0, -SIDE_SIGN * lift), body.to_shoulders_m)
    return trunk.thorax_m[:, None] + turned @ np.swapaxes(trunk.chest, 1, 2)


def reach(body: Body, trunk: Trunk, target_m: np.ndarray, pole: np.ndarray, flat: float = 0.0) -> Arms:
    """Arms with wrists at a target and elbows toward a pole, both in world space (frames, sides, 3)."""
    lift = _lift_towards(body, trunk, target_m)
    shoulders = shoulders_m(body, trunk, lift)
    elbows, wrists, _ = two_bones(shoulders, target_m, pole, body.upper_arm_m, body.forearm_m, _ELBOW_MAX_RAD)
    upper = (elbows - shoulders) @ trunk.chest / body.upper_arm_m
    return Arms(upper, (wrists - elbows) @ trunk.chest / body.forearm_m, lift, np.full(lift.shape, flat))


def _lift_towards(body: Body, trunk: Trunk, target_m: np.ndarray) -> np.ndarray:
    """Lift of the collar bones (frames, sides) for wrists at a target."""
    still = shoulders_m(body, trunk, np.zeros((1, 2)))
    down = -np.einsum("tsc,tc->ts", unit(target_m - still), trunk.chest[:, :, 2])
    return collar_lift(np.arccos(np.clip(down, -1, 1)))


def settle_on_hands(body: Body, trunk: Trunk, wrists_m: np.ndarray) -> Trunk:
    """Lowers the trunk until both hands can be reached, so that supporting hands are not dragged along."""
    shoulders = shoulders_m(body, trunk, _lift_towards(body, trunk, wrists_m))
    across2 = np.sum((shoulders - wrists_m)[..., :2] ** 2, axis=-1)
    ceiling = wrists_m[..., 2] + np.sqrt(np.maximum((0.9985 * body.arm_m) ** 2 - across2, 1e-4))
    down = np.zeros((len(wrists_m), 3))
    down[:, 2] = _soft_minimum(np.concatenate([down[:, 2:], ceiling - shoulders[..., 2]], axis=1), 400.0)
    points = ("hip_m", "spine_m", "thorax_m", "neck_m", "head_m")
    return replace(trunk, **{name: getattr(trunk, name) + down for name in points})


def _soft_minimum(values: np.ndarray, sharpness: float) -> np.ndarray:
    """(frames, n) -> (frames,): never above the minimum, and without a kink when a foot lands."""
    low = values.min(axis=1)
    return low - np.log(np.exp(-sharpness * (values - low[:, None])).sum(axis=1)) / sharpness


def bend_elbows_within_limit(upper: np.ndarray, forearm: np.ndarray) -> np.ndarray:
    """Limits the bend of forearms (..., 3) to the range of the elbow."""
    cos = np.sum(upper * forearm, axis=-1, keepdims=True)
    across = unit(forearm - cos * upper)
    limited = np.cos(_ELBOW_MAX_RAD) * upper + np.sin(_ELBOW_MAX_RAD) * across
    return np.where(cos < np.cos(_ELBOW_MAX_RAD), limited, forearm)


def _pose_arms(body: Body, trunk: Trunk, arms: Arms) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Shoulders, elbows, wrists (frames, sides, 3) and the arms' axes (frames, sides, 3, 3)."""
    shoulders = shoulders_m(body, trunk, arms.lift)
    to_world = np.swapaxes(trunk.chest, 1, 2)
    elbows = shoulders + body.upper_arm_m * (arms.upper @ to_world)
    wrists = elbows + body.forearm_m * (arms.forearm @ to_world)
    along = unit(wrists - shoulders)
    # The plane of bending of a straight arm is undefined; its elbow points backward then.
    out = (arms.upper - arms.forearm - np.array([0.0, 0.02, 0.0])) @ to_world
    side = unit(out - np.sum(out * along, axis=-1, keepdims=True) * along)
    return shoulders, elbows, wrists, np.stack([np.cross(along, side), side, -along], axis=-1)


def _hand(
    body: Body, flat: np.ndarray, elbows: np.ndarray, wrists: np.ndarray, axes: np.ndarray
) -> dict[str, np.ndarray]:
    """Knuckles and thumb (frames, sides, 3): in line with the forearm, or flat on the floor with fingers forward."""
    along = unit(unit(wrists - elbows) * (1 - flat) + flat * np.array([0.0, 1.0, 0.0]))
    # The palms of hanging arms face each other, with the thumb on the side opposite to the elbow.
    thumb = -axes[..., 1] * (1 - flat) + flat * np.array([1.0, 0.0, 0.0]) * -SIDE_SIGN[:, None]
    size = body.hand_m
    down = flat * np.array([0.0, 0.0, -0.02])
    return {
        "index": wrists + size * (0.52 * along + 0.18 * thumb) + down,
        "pinky": wrists + size * (0.46 * along - 0.22 * thumb) + down,
        "thumb": wrists + size * (0.28 * along + 0.30 * thumb) + down,
    }
