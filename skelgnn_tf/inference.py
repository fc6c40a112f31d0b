"""From a clip's keypoints to its poses with a trained model, window by window."""

from __future__ import annotations

import numpy as np
from keras import ops

from skelgnn_tf.geometry import flip_keypoints, flip_pose
from skelgnn_tf.models import PoseLifter


def lift(
    model: PoseLifter, keypoints: np.ndarray, flip: bool = False, step: float = 1.0, batch_size: int = 1024
) -> np.ndarray:
    """A pose for every frame of a clip.

    Args:
        model: Whose window is slid over the clip; at its ends the first or last frame is repeated.
        keypoints: (frames, joints, 2, or 3 with confidence), in screen units (`geometry.normalize_screen`); a model
            with `keypoint_frame="person"` takes any unit with square pixels.
        flip: Average with what the model makes of the mirrored keypoints.
        step: Frames of the clip between two of a window: the clip's frame rate over the model's.
        batch_size: Windows at a time.

    Returns:
        float32 (frames, joints, 3), what the model predicts: root-relative metres, or the pixel protocol's units.

    Raises:
        ValueError: Keypoints of another shape than the model wants.
    """
    num_frames = len(keypoints)
    if not num_frames:
        raise ValueError("the keypoints have no frames; expected (1 or more frames, joints, 2 or 3)")
    ahead = 0 if model.causal else model.frames // 2
    offsets = np.round(step * (np.arange(model.frames) - (model.frames - 1 - ahead))).astype(int)
    index = np.clip(np.arange(num_frames)[:, None] + offsets, 0, num_frames - 1)
    poses = []
    for begin in range(0, num_frames, batch_size):
        windows = np.asarray(keypoints, np.float32)[index[begin : begin + batch_size]]
        pose = _call(model, windows)
        if flip:
            pose = (pose + flip_pose(_call(model, flip_keypoints(windows, model.skeleton)), model.skeleton)) / 2
        poses.append(pose[:, model.frames - 1 - ahead if model.every_frame else 0])
    return np.concatenate(poses)


def _call(model: PoseLifter, windows: np.ndarray) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(model(windows, training=False)), np.float32)
