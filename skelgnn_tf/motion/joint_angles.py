"""Joint angles of poses, found by the names of the skeleton's joints."""

from __future__ import annotations

import numpy as np

from skelgnn_tf.skeletons import Skeleton

_SIDES = ("left", "right")

#: Names of the angles that `joint_angles` returns.
ANGLES = (
    *(f"{side}_{joint}" for joint in ("knee", "hip", "elbow", "shoulder") for side in _SIDES),
    "trunk_lean",
)

#: Direction upwards for a level camera, where y points down.
CAMERA_UP = (0.0, -1.0, 0.0)


def joint_angles(
    pose_m: np.ndarray, skeleton: Skeleton, up: tuple[float, float, float] | np.ndarray = CAMERA_UP
) -> dict[str, np.ndarray]:
    """Angles in degrees, all 0 for a person standing straight with hanging arms.

    - `left_knee`, `left_elbow` and their counterparts: flexion; the angle inside the joint is 180 minus it.
    - `left_hip` and its counterpart: thigh against the downward line of the trunk, in any direction.
    - `left_shoulder` and its counterpart: upper arm against the downward line of the trunk; 90 to the front or to the
      side, 180 overhead.
    - `trunk_lean`: trunk (middle of the hips to middle of the shoulders) against `up`.

    All angles except `trunk_lean` are the same from every camera. In a camera that looks down by 20 degrees, people
    lean by up to 20 degrees. If the vertical is known, from the gravity sensor of a phone or from a calibrated camera
    (`camera.rotation @ (0, 0, 1)`), pass it as `up`.

    Args:
        pose_m: (..., joints, 3) meters, root-relative or not, in camera axes x right, y down, z forward.
        skeleton: Skeleton of the poses.
        up: Direction upwards in the axes of the poses, of any length.

    Returns:
        {name: float64 (...)} for each of `ANGLES`, in degrees; NaN where a joint is missing.

    Raises:
        ValueError: The poses have another number of joints than the skeleton, or the skeleton lacks shoulders, elbows,
            wrists, hips, knees or ankles.

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
    """{joint: float64 (..., 3)} of the limbs, and of the middles `hips` and `shoulders`; raises as `joint_angles`."""
    pose_m = np.asarray(pose_m, np.float64)
    needed = [f"{side}_{j}" for side in _SIDES for j in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")]
    missing = [joint for joint in needed if joint not in skeleton.joints]
    if missing:
        raise ValueError(
            f"skeleton must have shoulders, elbows, wrists, hips, knees and ankles. Received: {skeleton.name}, which "
            f"lacks {', '.join(missing)}."
        )
    if pose_m.shape[-2:] != (skeleton.num_joints, 3):
        raise ValueError(
            f"pose_m must have shape (..., {skeleton.num_joints}, 3) for {skeleton.name}. Received: {pose_m.shape}."
        )
    at = {joint: pose_m[..., skeleton.index(joint), :] for joint in needed}
    # Not every layout has a hip or thorax joint in the middle, but all have both sides.
    at["hips"] = (at["left_hip"] + at["right_hip"]) / 2
    at["shoulders"] = (at["left_shoulder"] + at["right_shoulder"]) / 2
    return at


def angle_deg(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Angle between vectors (..., 3) in degrees, from 0 to 180; 0 if one of them is zero."""
    # The arc cosine loses half of the digits near 0 and 180 degrees.
    across = cross(a, b)
    return np.degrees(np.arctan2(np.sqrt(np.sum(across * across, axis=-1)), np.sum(a * b, axis=-1)))


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cross product of vectors (..., 3). `np.cross` takes ten times as long for a single pose."""
    ax, ay, az, bx, by, bz = (v[..., i] for v in (a, b) for i in range(3))
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=-1)
