"""Which frames make a window: the only arithmetic of this kind in Python, in numpy and in keras.ops.

Two families, which round differently, and trained models rely on both:

- A *sliding window* holds the frames around one frame of interest, `step` frames apart. Offsets are rounded half to
  even, so that they are symmetric about that frame.
- *Clip positions* lay T frames into a whole clip. Positions are rounded half up; half to even would repeat every second
  frame of a clip that starts half way between two frames.
"""

from __future__ import annotations

from typing import Any

import numpy as np

#: Shares of a clip that "resize" crops in training, and at test (from the middle). Source: CTR-GCN.
_CROP_TRAIN, _CROP_TEST = (0.5, 1.0), 0.95


def frame_offsets(frames: int, step: float = 1.0, ahead: int = 0) -> np.ndarray:
    """Where the frames of a sliding window lie, counted from the frame of interest.

    Args:
        frames: Window length T.
        step: Frames of the clip per frame of the window: the clip's frame rate divided by the model's.
        ahead: Frames of the window after the frame of interest.

    Returns:
        int (T,).

    Raises:
        ValueError: A step that is not positive and finite.
    """
    if not 0 < step < np.inf:
        raise ValueError(f"step must be the clip's frame rate divided by the model's, above 0. Received: {step}.")
    return np.round(step * (np.arange(frames) - (frames - 1 - ahead))).astype(int)


def window_frames(frames: int, step: float = 1.0) -> int:
    """Frames of the clip that a window which ends at the frame of interest spans, the last one included."""
    return 1 - int(frame_offsets(frames, step)[0])


def sliding_windows(centers: np.ndarray, num_frames: int, frames: int, step: float = 1.0, ahead: int = 0) -> np.ndarray:
    """Frames of the windows around several frames of a clip; beyond its ends the first or last frame repeats.

    Args:
        centers: int (windows,), the frames of interest.
        num_frames: Frames of the clip.
        frames, step, ahead: As in `frame_offsets`.

    Returns:
        int (windows, T).
    """
    return np.clip(centers[:, None] + frame_offsets(frames, step, ahead), 0, num_frames - 1)


def sliding_windows_tensor(centers: Any, first: Any, last: Any, frames: int, step: Any, ahead: int) -> Any:
    """`sliding_windows` in keras.ops, where each window has its own step and its own clip among many, end to end.

    Args:
        centers, first, last: int (windows,), the frame of interest and the first and last frame of its clip.
        frames: Window length T.
        step: float32 (windows,).
        ahead: As in `frame_offsets`.

    Returns:
        int32 (windows, T).
    """
    from keras import ops

    offsets = np.arange(frames, dtype=np.float32) - (frames - 1 - ahead)
    moved = ops.cast(ops.round(step[:, None] * offsets), "int32")
    return ops.clip(centers[:, None] + moved, first[:, None], last[:, None])


def clip_positions(
    lengths: np.ndarray,
    frames: int,
    sampling: str,
    step: np.ndarray,
    share: np.ndarray,
    place: np.ndarray,
    training: bool,
) -> np.ndarray:
    """Positions of T frames in whole clips; fractions lie between two frames.

    Args:
        lengths: float64 (clips, 1), frames of each clip.
        frames: T.
        sampling: "resize": a crop of 50 to 100 % of the clip (95 % from the middle at test), but not less than T frames
            if it has them, interpolated to T frames (source: CTR-GCN's valid_crop_resize). "repeat": a clip of fewer
            than T frames starts again until they are full, of a longer one T frames are taken (source: 2s-AGCN, the
            paper). "window": T frames, `step` apart; the last frame of a clip that ends too soon repeats.
        step: float64 (clips, 1), frames of the clip per frame of the window ("window").
        share: float64 (clips, 1), 0..1, how much of the crop's range is used ("resize", in training).
        place: float64 (clips, 1), 0..1, where in the clip.
        training: Whether crops are drawn.

    Returns:
        float64 (clips, T).
    """
    t = np.arange(frames)[None]
    if sampling == "resize":
        low, high = _CROP_TRAIN if training else (_CROP_TEST, _CROP_TEST)
        kept = np.floor(lengths * (low + (high - low) * share))
        kept = np.minimum(np.maximum(kept, frames), lengths)
        start = np.floor(place * (lengths - kept + (1 if training else 0)))
        return start + np.clip((t + 0.5) * kept / frames - 0.5, 0, kept - 1)
    if sampling == "repeat":
        start = np.floor(place * np.maximum(lengths - frames + 1, 1))
        return np.where(lengths < frames, t % lengths, start + t)
    start = place * np.maximum(lengths - 1 - step * (frames - 1), 0)
    return np.minimum(np.floor(start + step * t + 0.5), lengths - 1)


def clip_frames(num_frames: int, frames: int, sampling: str, step: float, place: float) -> np.ndarray:
    """T whole frames of one clip, for checks of exported files: `clip_positions` without interpolation.

    With "resize" the frames are spread over the whole clip.

    Args:
        num_frames: Frames of the clip.
        frames: T.
        sampling: As in `clip_positions`.
        step: Frames of the clip per frame of the window.
        place: 0..1, where in the clip.

    Returns:
        int (T,).
    """
    last = num_frames - 1
    step = last / max(1, frames - 1) if sampling == "resize" else step
    start = place * max(0.0, last - step * (frames - 1))
    at = np.floor(start + step * np.arange(frames) + 0.5).astype(int)
    return at % num_frames if sampling == "repeat" else np.minimum(at, last)
