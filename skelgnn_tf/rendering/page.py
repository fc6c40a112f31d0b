"""A scene as one page that opens offline: its data inside `viewer.html`, a viewer on a plain canvas.

A canvas and not plotly, whose 4 MB would go into every page for sixteen lines and a dozen dots.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np

from skelgnn_tf.rendering.scene import Scene
from skelgnn_tf.rendering.view import (
    AZIMUTH_RAD,
    ELEVATION_RAD,
    FLOOR,
    GRID,
    HEAD_M,
    MIDDLE,
    PAPER,
    SHADOW,
    TARGET,
    TILE_M,
    head_bones,
    side_colour,
)

_VIEWER = Path(__file__).with_name("viewer.html")
_MM_PER_M = 1000
#: Stands for what is missing among the 16 bit numbers.
_MISSING = -32768


def page_text(scene: Scene) -> str:
    """The page: poses in whole millimetres, keypoints in whole pixels, as 16 bit numbers in base64."""
    skeleton = scene.skeleton
    keypoints = np.where(scene.keypoints_px[..., 2:] > 0, scene.keypoints_px[..., :2], np.nan)
    captions = list(dict.fromkeys(scene.captions))
    number = {caption: i for i, caption in enumerate(captions)}
    data = {
        "title": scene.title,
        "fps": scene.fps,
        "frames": scene.num_frames,
        "imageSize": list(scene.image_size_px),
        "joints": skeleton.num_joints,
        "bones": [list(bone) for bone in skeleton.bones],
        "colours": [side_colour(joint, skeleton) for joint in range(skeleton.num_joints)],
        "heads": list(head_bones(skeleton)),
        "keypoints": _packed(keypoints),
        "pose": None if scene.pose_m is None else _packed(scene.standing_m * _MM_PER_M),
        "captions": captions,
        "captionOf": [number[caption] for caption in scene.captions],
        "view": {"azimuth": AZIMUTH_RAD, "elevation": ELEVATION_RAD, "tile": TILE_M, "head": HEAD_M},
        "paint": {
            "paper": PAPER,
            "floor": FLOOR,
            "grid": GRID,
            "shadow": SHADOW,
            "middle": MIDDLE,
            "faint": TARGET,
        },
    }
    # "<" would let a file's or a class's name end the script.
    text = json.dumps(data, allow_nan=False).replace("<", "\\u003c")
    return _VIEWER.read_text(encoding="utf-8").replace("/*SCENE*/ null", text)


def _packed(values: np.ndarray) -> str:
    limit = -_MISSING - 1
    whole = np.clip(np.nan_to_num(values.round(), nan=0), -limit, limit)
    return base64.b64encode(np.where(np.isnan(values), _MISSING, whole).astype("<i2").tobytes()).decode("ascii")
