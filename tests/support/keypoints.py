"""Keypoints of someone upright before a level camera."""

import numpy as np

from skelgnn_tf.geometry import Camera
from skelgnn_tf.skeletons import ALL
from support.tiny_h36m import world_pose

SIZE = (1280, 720)


def h36m_px(frames=6, seed=0):
    """A person upright three meters in front of a level camera: pixels (frames, 17, 2)."""
    world = world_pose(frames, seed).astype(float)
    camera_m = np.stack([world[..., 0], 0.9 - world[..., 2], 3.5 + world[..., 1]], axis=-1)
    return Camera((900.0, 900.0), (640.0, 360.0), SIZE).project(camera_m)


def coco_px(frames=6):
    """The same person as COCO's joints, the face a few centimeters wide."""
    body = h36m_px(frames)
    joints = ALL["h36m_17"].joints
    at = {name: body[:, joints.index(name)] for name in joints}
    face = {"nose": (0, 4), "left_eye": (5, 0), "right_eye": (-5, 0), "left_ear": (12, 2), "right_ear": (-12, 2)}
    rows = [at["head"] + np.array(face[name]) if name in face else at[name] for name in ALL["coco_17"].joints]
    return np.stack(rows, axis=1)
