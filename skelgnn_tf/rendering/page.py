"""A scene as a page that opens offline: the scene's data inside `viewer.html`, a viewer on a plain canvas.

It is a canvas instead of plotly, which would add 4 MB to every page for sixteen lines and a dozen dots.
"""

from __future__ import annotations

import base64
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np

from skelgnn_tf.rendering.figure import (
    GUESSED,
    NOBODY,
    OUTLINE,
    SHADOW,
    STYLE,
    TARGET,
    drawn_bones,
    is_seen,
    joint_colors,
)
from skelgnn_tf.rendering.scene import Scene
from skelgnn_tf.rendering.view import AZIMUTH_RAD, ELEVATION_RAD, FLOOR, GRID, PAPER, TILE_M

_VIEWER = Path(__file__).with_name("viewer.html")
_MM_PER_M = 1000
#: Marks missing values among the 16 bit numbers.
_MISSING = -32768


def page_text(scene: Scene) -> str:
    """Returns the page as text, with poses in whole millimeters and keypoints in whole pixels as 16 bit numbers."""
    keypoints = np.where(is_seen(scene.keypoints_px)[..., None], scene.keypoints_px[..., :2], np.nan)
    captions = list(dict.fromkeys(scene.captions))
    number = {caption: i for i, caption in enumerate(captions)}
    data = {
        "title": scene.title,
        "fps": scene.fps,
        "frames": scene.num_frames,
        "imageSize": list(scene.image_size_px),
        "figure": _figure(scene),
        "keypoints": _packed(keypoints),
        "pose": None if scene.standing_m is None else _packed(scene.standing_m * _MM_PER_M),
        # 1 for a joint that is a ghost.
        "unseen": _packed(scene.unseen.astype(float)) if scene.unseen.any() else None,
        "captions": captions,
        "captionOf": [number[caption] for caption in scene.captions],
        "view": {"azimuth": AZIMUTH_RAD, "elevation": ELEVATION_RAD, "tile": TILE_M},
        "colors": {"paper": PAPER, "floor": FLOOR, "grid": GRID},
    }
    # "<" in the name of a file or class could end the script.
    text = json.dumps(data, allow_nan=False).replace("<", "\\u003c")
    return _VIEWER.read_text(encoding="utf-8").replace("/*SCENE*/ null", text)


def _figure(scene: Scene) -> dict[str, Any]:
    """What is drawn of the skeleton."""
    return {
        "bones": [dataclasses.asdict(bone) for bone in drawn_bones(scene.skeleton)],
        "joints": joint_colors(scene.skeleton),
        "style": dataclasses.asdict(STYLE),
        "outlined_2d": STYLE.outlined(STYLE.bone_2d),
        "outlined_3d": STYLE.outlined(STYLE.bone_3d),
        "outlined_ghost": STYLE.outlined(STYLE.ghost),
        "outline": OUTLINE,
        "shadow": SHADOW,
        "faint": TARGET,
        "nobody": NOBODY,
        "guessed": GUESSED,
    }


def _packed(values: np.ndarray) -> str:
    limit = -_MISSING - 1
    whole = np.clip(np.nan_to_num(values.round(), nan=0), -limit, limit)
    return base64.b64encode(np.where(np.isnan(values), _MISSING, whole).astype("<i2").tobytes()).decode("ascii")
