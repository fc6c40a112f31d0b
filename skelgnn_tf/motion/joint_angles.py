"""Joint angles of poses, from the names of a skeleton's joints."""

from __future__ import annotations

import numpy as np

from skelgnn_tf.skeletons import Skeleton

_SIDES = ("left", "right")

#: What `joint_angles` gives.
ANGLES = (
    *(f"{side}_{joint}" for joint in ("knee", "hip", "elbow", "shoulder") for side in _SIDES),
    "trunk_lean",
)

#: Straight up in a camera that is held level: y points down.
CAMERA_UP = (0.0, -1.0, 0.0)


def joint_angles(
    pose_m: np.ndarray, skeleton: Skeleton, up: tuple[float, float, float] | np.ndarray = CAMERA_UP
) -> dict[str, np.ndarray]:
    """Angles in degrees, 0 for somebody who stands straight with hanging arms.

    - `left_knee`, `left_elbow` and the right ones: how far they are bent; 180 less it is the angle inside.
    - `left_hip`: the thigh against the trunk's line downwards, in whatever direction it goes.
    - `left_shoulder`: the upper arm against the trunk's line downwards; 90 straight ahead or aside, 180 overhead.
    - `trunk_lean`: the trunk (middle of the hips to middle of the shoulders) against `up`.

    All but `trunk_lean` are the same from every camera. A camera that looks down by 20 degrees leans people by up to
    20: whoever knows where up is (a phone's gravity sensor, a calibrated camera: `camera.rotation @ (0, 0, 1)`) says so
    by `up`.

    Args:
        pose_m: (..., joints, 3) metres, root-relative or not, camera axes x right, y down, z forward.
        skeleton: Whose joints they are.
        up: Upwards in the poses' axes, of any length.

    Returns:
        {name: float64 (...)} for each of `ANGLES`; NaN where a joint that it needs is missing.

    Raises:
        ValueError: Poses of other joints, a skeleton without shoulders, elbows, wrists, hips, knees and ankles.

    Example:
        >>> from skelgnn_tf.skeletons import H36M_17
        >>> angles = joint_angles(np.zeros((240, 17, 3)), H36M_17)
        >>> angles["left_knee"].shape
        (240,)
    """
    at = joint_places(pose_m, skeleton)
    down = at["hips"] - at["shoulders"]
    angles = {}
    for side in _SIDES:
        hip, knee, ankle = (at[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle"))
        shoulder, elbow, wrist = (at[f"{side}_{joint}"] for joint in ("shoulder", "elbow", "wrist"))
        angles[f"{side}_knee"] = angle_deg(knee - hip, ankle - knee)
        angles[f"{side}_hip"] = angle_deg(down, knee - hip)
        angles[f"{side}_elbow"] = angle_deg(elbow - shoulder, wrist - elbow)
        angles[f"{side}_shoulder"] = angle_deg(down, elbow - shoulder)
    angles["trunk_lean"] = angle_deg(-down, np.asarray(up, np.float64))
    return {name: angles[name] for name in ANGLES}


def joint_places(pose_m: np.ndarray, skeleton: Skeleton) -> dict[str, np.ndarray]:
    """{joint: float64 (..., 3)} of the limbs' joints, and the middles `hips` and `shoulders`; errors as above."""
    pose_m = np.asarray(pose_m, np.float64)
    wanted = [f"{side}_{j}" for side in _SIDES for j in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")]
    missing = [joint for joint in wanted if joint not in skeleton.joints]
    if missing:
        raise ValueError(f"joint angles want the joints {', '.join(missing)}; {skeleton.name} does not have them")
    if pose_m.shape[-2:] != (skeleton.num_joints, 3):
        raise ValueError(
            f"joint angles want poses (..., {skeleton.num_joints}, 3) of {skeleton.name}; got {pose_m.shape}"
        )
    at = {joint: pose_m[..., skeleton.index(joint), :] for joint in wanted}
    # Not every layout has a hip or a thorax of its own; its sides all have.
    at["hips"] = (at["left_hip"] + at["right_hip"]) / 2
    at["shoulders"] = (at["left_shoulder"] + at["right_shoulder"]) / 2
    return at


def angle_deg(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Angle between vectors (..., 3) in degrees, 0..180; 0 if one has no length."""
    # The arc cosine would lose half its digits near 0 and 180.
    across = cross(a, b)
    return np.degrees(np.arctan2(np.sqrt(np.sum(across * across, axis=-1)), np.sum(a * b, axis=-1)))


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cross product of vectors (..., 3); `np.cross` takes ten times as long for one pose."""
    ax, ay, az, bx, by, bz = (v[..., i] for v in (a, b) for i in range(3))
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=-1)
