"""Guards of what an exported file is given: missing keypoints become zeros, and other units are refused.

The Kotlin core has the same rules (`CheckedRunner`), tested with the cases that android_demo/golden.py writes.
"""

from __future__ import annotations

import math

import numpy as np

#: Confidence above it has another unit. The rest is rounding.
_MAX_CONFIDENCE = 1.001
#: Coordinates that are shares of the picture reach a little beyond its edge.
_MAX_SHARE = 1.5
#: In a picture of at most this many pixels, such small coordinates may be pixels.
_SMALL_PICTURE_PX = 16
#: A frame with fewer visible keypoints says nothing of the unit: a bad detection may put one or two into the corner.
_FEWEST_SEEN = 3


def guard(inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Inputs that an exported file computes with.

    A keypoint with a coordinate that is not finite, or with a confidence that is not above 0, becomes zeros: the graph
    multiplies by zero what is missing, and zero times NaN is NaN. The same is done to the frames in `state`.

    Args:
        inputs: float32 arrays by name: `keypoints` (b, ..., joints, 3: x, y in pixels, confidence) with `image_size`
            (b, 2: width, height in pixels) and, for `step`, `state` (b, frames, joints, 4: as keypoints, and 1 where
            there was a frame); or `pose_m` (b, ..., joints, 3: meters).

    Returns:
        The same names and shapes. Valid inputs are unchanged, but for the coordinates of missing keypoints.

    Raises:
        ValueError: Confidence above 1, an image size that is not finite and positive, keypoints that are shares of the
            picture instead of pixels, in frames of three visible ones or more, or poses that are not finite.
    """
    guarded = dict(inputs)
    if "keypoints" in inputs:
        sizes = inputs["image_size"].tolist()
        _check_sizes(sizes)
        guarded["keypoints"] = _guard_keypoints("keypoints", inputs["keypoints"], sizes)
        if "state" in inputs:
            state = inputs["state"]
            past = _guard_keypoints("state", state[..., :3], sizes)
            guarded["state"] = np.concatenate([past, state[..., 3:] > 0], axis=-1, dtype=np.float32)
    elif not np.isfinite(inputs["pose_m"]).all():
        raise ValueError(
            "pose_m must be finite. Received: NaN or infinity. Pass poses in which every joint has a place, and zeros "
            "for an absent person."
        )
    return guarded


def _check_sizes(sizes: list[list[float]]) -> None:
    for width, height in sizes:
        if not (0 < width < math.inf and 0 < height < math.inf):
            raise ValueError(
                f"image_size must be the width and the height in pixels, above 0. Received: {width:g} x {height:g}. "
                "Pass the size of the picture that the keypoints are from."
            )


def _guard_keypoints(name: str, keypoints: np.ndarray, sizes: list[list[float]]) -> np.ndarray:
    """float32 (b, ..., joints, 3) with zeros at missing keypoints; `name` is that of the input."""
    seen = np.isfinite(keypoints[..., 0]) & np.isfinite(keypoints[..., 1]) & (keypoints[..., 2] > 0)
    keypoints = np.where(seen[..., None], keypoints, np.float32(0))
    windows, joints = keypoints.reshape(len(keypoints), -1, 3), keypoints.shape[-2]
    for window, (x, y, confidence), size in zip(windows, windows.max(axis=1).tolist(), sizes, strict=True):
        if confidence > _MAX_CONFIDENCE:
            raise ValueError(
                f"{name} must have a confidence of 0 to 1. Received: {confidence:g}. Divide it by the largest "
                "confidence that the detector gives."
            )
        is_small = max(x, y) <= _MAX_SHARE and max(size) > _SMALL_PICTURE_PX and window.min() >= 0
        if is_small and _most_seen(window, joints) >= _FEWEST_SEEN:
            raise ValueError(
                f"{name} must be in pixels. Received: x and y of at most {max(x, y):g} in a picture of {size[0]:g} x "
                f"{size[1]:g} pixels. Multiply x by the width and y by the height."
            )
    return keypoints


def _most_seen(window: np.ndarray, joints: int) -> int:
    """The most keypoints that are visible in one frame of a window (frames * joints, 3)."""
    return int((window[:, 2].reshape(-1, joints) > 0).sum(axis=1).max())
