"""What happens to keypoints before a model sees them, from operations for which XNNPACK has a kernel.

The functions do the same as `skeletons.map_keypoints`, `windows.screen_keypoints` and the layers PersonFrame, ClipFrame
and Stream, in plain arithmetic (see layers.py). A keypoint of confidence 0 is missing, whatever its coordinates.
Coordinates must be finite: a selection that drops NaN would cut XNNPACK's partition in two, and what a maximum makes of
NaN depends on the processor.

Shapes: b batch, t frames, j joints; xy (b, t, j, 2), seen and confidence (b, t, j, 1).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from skelgnn_tf.export.graph.layers import above_zero, concatenate
from skelgnn_tf.layers import Stream
from skelgnn_tf.skeletons import Skeleton, joint_map

#: Less than the share of one joint in a clip. The mean of the visible joints is the mean of all joints divided by the
#: share of visible ones, because TFLite's 16-bit sums over a clip go wrong.
_FEW = 1e-4
#: Smallest side of a box, in screen units: a twentieth of a pixel in a picture a thousand pixels wide.
_SMALL = 1e-4


def along_joints(x: Any, matrix: np.ndarray) -> Any:
    """matrix (i, j) @ x (b, t, j, c) -> (b, t, i, c), with a plain product for each channel.

    Such small products keep their precision where weights are quantized, and pixels need it.
    """
    _, frames, joints, channels = x.shape
    to = tf.constant(np.ascontiguousarray(matrix.T, np.float32))
    parts = [tf.matmul(tf.reshape(x[..., c : c + 1], (-1, joints)), to) for c in range(channels)]
    return concatenate([tf.reshape(part, (-1, frames, len(matrix), 1)) for part in parts])


def map_joints(keypoints: Any, source: Skeleton, target: Skeleton) -> Any:
    """(b, t, source joints, 3) -> (b, t, target joints, 3); confidence is the lowest of a joint's parts."""
    matrix = joint_map(source, target)
    if matrix.shape[0] == matrix.shape[1] and np.array_equal(matrix, np.eye(len(matrix))):
        return keypoints
    parts = [np.flatnonzero(row) for row in matrix]
    confidence = None
    for n in range(max(len(part) for part in parts)):
        # The n-th part of each joint; joints with fewer parts repeat their first.
        picked = np.eye(source.num_joints)[[part[n % len(part)] for part in parts]]
        one = along_joints(keypoints[..., 2:], picked)
        confidence = one if confidence is None else tf.minimum(confidence, one)
    return tf.concat([along_joints(keypoints[..., :2], matrix), confidence], axis=-1)


def screen(keypoints: Any, image_size: Any) -> Any:
    """Pixels (b, t, j, 3) -> x in [-1, 1] and y in the same scale, as `normalize_screen`; image_size (b, 2).

    This comes first: in one 16-bit range with pixels, nothing would be left of confidence. Confidence above 1 counts as
    1, and an image size below 1 as 1, so that no size divides by zero.
    """
    image_size = tf.maximum(image_size, 1.0)
    half = tf.reshape(image_size[:, :1], (-1, 1, 1, 1)) * 0.5
    keypoints = keypoints / tf.concat([half, half, half * 0.0 + 1.0], axis=-1)
    middle = tf.reshape(image_size, (-1, 1, 1, 2)) * 0.5 / half
    return tf.concat([keypoints[..., :2] - middle, tf.minimum(keypoints[..., 2:], 1.0)], axis=-1)


def fill(xy: Any, seen: Any) -> Any:
    """Interpolates missing keypoints over the time of the window, as `screen_keypoints` does without confidence.

    A joint that is never seen is put in the middle of the others.
    """
    frames = xy.shape[1]
    seen = tf.transpose(seen, (0, 2, 1, 3))  # (b, j, t, 1)
    xy = tf.transpose(xy, (0, 2, 1, 3)) * seen
    up_to = np.tril(np.ones((frames, frames), np.float32))  # (t, s): s <= t
    number = np.arange(1, frames + 1, dtype=np.float32)
    row = tf.reshape(seen, (-1, xy.shape[1], 1, frames))
    # The nearest visible frame up to t, counted from 1, and from t on, counted from the end; 0 if there is none.
    before = tf.reduce_max(row * (up_to * number), axis=-1, keepdims=True)
    after = tf.reduce_max(row * (up_to.T * number[::-1]), axis=-1, keepdims=True)
    pick_before = tf.nn.relu(1.0 - tf.abs(before - number))  # one-hot (b, j, t, s)
    pick_after = tf.nn.relu(1.0 - tf.abs(after - number[::-1]))
    value_before, value_after = tf.matmul(pick_before, xy), tf.matmul(pick_after, xy)
    has_before, has_after = above_zero(before), above_zero(after)
    gap = (frames + 1.0 - after) - before
    share = (number[:, None] - before) / tf.maximum(gap, 1.0)
    between = value_before + (value_after - value_before) * share
    both = has_before * has_after
    xy = both * between + (1.0 - both) * (value_before + value_after)
    known = above_zero(tf.reduce_max(seen, axis=2, keepdims=True))
    middle = tf.reduce_sum(xy * known, axis=1, keepdims=True) / tf.maximum(
        tf.reduce_sum(known, axis=1, keepdims=True), 1.0
    )
    return tf.transpose(xy * known + (1.0 - known) * middle, (0, 2, 1, 3))


def person_frame(xy: Any, seen: Any) -> Any:
    """As layers.PersonFrame: centers and scales each frame by the box around its visible joints."""
    low, high = _box(xy, seen)
    side = tf.reduce_max(high - low, axis=-1, keepdims=True)
    sized = above_zero(side)
    return (xy - (low + high) * 0.5) * (2.0 / (side * sized + 2.0 * (1.0 - sized))) * seen


def clip_box(xy: Any, seen: Any) -> Any:
    """As layers.ClipFrame("box"): (b, t, j, 2), where t may be the frames of all persons."""
    everything = (1, 2, 3)
    share = tf.maximum(tf.reduce_mean(seen, axis=everything, keepdims=True), _FEW)
    center = tf.reduce_mean(xy * seen, axis=(1, 2), keepdims=True) / share
    low, high = _box(xy, seen)
    side = tf.reduce_max(high - low, axis=-1, keepdims=True)
    # The box of a single joint has only the size of rounding errors. It does not count, or it would blow up the clip.
    counts = above_zero(side - _SMALL)
    sides = tf.maximum(tf.reduce_mean(counts, axis=everything, keepdims=True), _FEW)
    size = tf.reduce_mean(side * counts, axis=everything, keepdims=True) / sides
    sized = above_zero(size)
    return (xy - center) * (2.0 / (size * sized + (1.0 - sized))) * seen


def _box(xy: Any, seen: Any) -> tuple[Any, Any]:
    """Corners (b, t, 1, 2) of the box around the visible joints; zeros if there are none."""
    share = tf.maximum(tf.reduce_mean(seen, axis=2, keepdims=True), _FEW)
    middle = tf.reduce_mean(xy * seen, axis=2, keepdims=True) / share
    # In the middle of the others a missing joint moves no edge, and no huge number spoils a quantized range.
    inside = xy * seen + middle * (1.0 - seen)
    return tf.reduce_min(inside, axis=2, keepdims=True), tf.reduce_max(inside, axis=2, keepdims=True)


def stream(layer: Stream, x: Any) -> Any:
    """As layers.Stream: (b, t, j, channels) of one person."""
    if "bone" in layer.stream:
        parents = np.eye(layer.skeleton.num_joints, dtype=np.float32)[layer.parents]
        x = _difference(x, along_joints(x, parents), layer.confidence)
    if "motion" in layer.stream:
        last = x[:, -1:]
        still = last * 0.0
        if layer.confidence:
            still = tf.concat([still[..., :-1], last[..., -1:]], axis=-1)
        x = tf.concat([_difference(x[:, 1:], x[:, :-1], layer.confidence), still], axis=1)
    return x


def _difference(a: Any, b: Any, confidence: bool) -> Any:
    if not confidence:
        return a - b
    lower = tf.minimum(a[..., -1:], b[..., -1:])
    return tf.concat([(a[..., :-1] - b[..., :-1]) * above_zero(lower), lower], axis=-1)
