"""The T-pose in which files of rotations begin."""

from __future__ import annotations

import numpy as np

from skelgnn_tf.skeletons import Skeleton

#: Positions of joints in a T-pose, meters: to the left, up, forward. Joints of the sides are given for the left side.
_PLACES = {
    "hip": (0.10, 0.95, 0.0),
    "knee": (0.10, 0.52, 0.0),
    "ankle": (0.10, 0.09, 0.0),
    "heel": (0.10, 0.03, -0.05),
    "foot": (0.10, 0.03, 0.12),
    "foot_index": (0.10, 0.03, 0.17),
    "shoulder": (0.18, 1.42, 0.0),
    "elbow": (0.46, 1.42, 0.0),
    "wrist": (0.71, 1.42, 0.0),
    "hand": (0.78, 1.42, 0.0),
    "hand_tip": (0.86, 1.42, 0.0),
    "pinky": (0.80, 1.41, -0.03),
    "index": (0.82, 1.42, 0.03),
    "thumb": (0.77, 1.42, 0.06),
    "eye": (0.03, 1.62, 0.09),
    "eye_inner": (0.02, 1.62, 0.09),
    "eye_outer": (0.05, 1.62, 0.08),
    "ear": (0.07, 1.60, 0.0),
    "mouth": (0.02, 1.55, 0.09),
}
_MIDDLE = {
    "hip": (0.0, 0.95, 0.0),
    "pelvis": (0.0, 0.95, 0.0),
    "spine_base": (0.0, 0.95, 0.0),
    "spine": (0.0, 1.18, 0.0),
    "spine_mid": (0.0, 1.18, 0.0),
    "spine_shoulder": (0.0, 1.42, 0.0),
    "thorax": (0.0, 1.42, 0.0),
    "neck": (0.0, 1.48, 0.0),
    "nose": (0.0, 1.58, 0.11),
    "head": (0.0, 1.62, 0.0),
    "head_top": (0.0, 1.74, 0.0),
}


def rest_directions(skeleton: Skeleton) -> np.ndarray:
    """Direction of each joint from its parent in a T-pose that faces +z.

    A joint whose name is unknown is above its parent.

    Args:
        skeleton: The skeleton.

    Returns:
        Unit vectors (joints, 3) with x to the person's left, y up and z forward; zero for the root.
    """
    places = [_place(joint, skeleton) for joint in range(skeleton.num_joints)]
    directions = np.zeros((skeleton.num_joints, 3))
    for child, parent in skeleton.bones:
        there, here = places[child], places[parent]
        direction = np.array([0.0, 1.0, 0.0])
        if there is not None and here is not None and not np.allclose(there, here):
            direction = there - here
        directions[child] = direction / np.linalg.norm(direction)
    return directions


def _place(joint: int, skeleton: Skeleton) -> np.ndarray | None:
    name = skeleton.joints[joint]
    if skeleton.mirror[joint] == joint:
        place = _MIDDLE.get(name)
        return None if place is None else np.array(place)
    is_left = joint in skeleton.left
    place = _PLACES.get(name.removeprefix("left_" if is_left else "right_"))
    # Facing +z with y up, the left side is at +x.
    return None if place is None else np.array(place) * ((1 if is_left else -1), 1, 1)
