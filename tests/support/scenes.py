"""A person who stands in front of a camera."""

import numpy as np

from skelgnn_tf.geometry import Camera, look_at
from skelgnn_tf.skeletons import H36M_17

SIZE_PX = (1000, 1000)


def standing(frames=4):
    """A person (frames, 17, 3) in world meters, z up, facing -y (the left side is at +x), the left hand raised."""
    places = {
        "hip": (0, 0.9), "right_hip": (-0.12, 0.9), "right_knee": (-0.14, 0.5), "right_ankle": (-0.15, 0.08),
        "left_hip": (0.12, 0.9), "left_knee": (0.14, 0.5), "left_ankle": (0.15, 0.08), "spine": (0, 1.15),
        "thorax": (0, 1.4), "neck": (0, 1.5), "head": (0, 1.7), "left_shoulder": (0.18, 1.4), "left_elbow": (0.4, 1.5),
        "left_wrist": (0.5, 1.75), "right_shoulder": (-0.18, 1.4), "right_elbow": (-0.22, 1.1),
        "right_wrist": (-0.24, 0.85),
    }  # fmt: skip
    pose = np.array([(places[joint][0], 0, places[joint][1]) for joint in H36M_17.joints])
    return np.repeat(pose[None], frames, 0)


CAMERA = Camera(
    (1100, 1100),
    (500, 500),
    SIZE_PX,
    look_at(np.array([0, -4.0, 2.5]), np.array([0, 0, 1.0])),
    np.array([0, -4.0, 2.5]),
)
