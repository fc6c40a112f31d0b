"""Runs a trained model over a clip, window by window: all at once, or as the frames arrive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skelgnn_tf.frame_sampling import frame_offsets, sliding_windows, window_frames
from skelgnn_tf.geometry import flip_keypoints, flip_pose


def lift(
    model: Any, keypoints: np.ndarray, flip: bool = False, step: float = 1.0, batch_size: int = 1024
) -> np.ndarray:
    """A pose for every frame of a clip.

    Args:
        model: `PoseLifter` or `ExportedModel`. At the ends of the clip the first or last frame repeats.
        keypoints: (frames, joints, 2, or 3 with confidence), in screen units (`geometry.normalize_screen`); a model
            with `keypoint_frame="person"` accepts any unit with square pixels.
        flip: Average with the prediction for the mirrored keypoints.
        step: Frames of the clip per frame of the window: the clip's frame rate divided by the model's.
        batch_size: Windows per call of the model.

    Returns:
        float32 (frames, joints, 3): root-relative meters, or units of the pixel protocol.

    Raises:
        ValueError: No frames, or keypoints whose shape does not fit the model.
    """
    num_frames = len(keypoints)
    if not num_frames:
        raise ValueError("keypoints must have at least one frame. Received: 0 frames.")
    ahead = 0 if model.causal else model.frames // 2
    index = sliding_windows(np.arange(num_frames), num_frames, model.frames, step, ahead)
    poses = []
    for begin in range(0, num_frames, batch_size):
        windows = np.asarray(keypoints, np.float32)[index[begin : begin + batch_size]]
        pose = _call(model, windows)
        if flip:
            pose = (pose + flip_pose(_call(model, flip_keypoints(windows, model.skeleton)), model.skeleton)) / 2
        poses.append(pose[:, model.frames - 1 - ahead if model.every_frame else 0])
    return np.concatenate(poses)


def look_ahead(model: Any, step: float = 1.0) -> int:
    """Frames of the clip after a frame that `lift` needs for its pose; 0 if the model is causal."""
    return 0 if model.causal else int(frame_offsets(model.frames, step, model.frames // 2)[-1])


@dataclass(frozen=True)
class Decisions:
    """Decisions of a recognizer about a clip.

    Args:
        first: int (windows,), first frame of each window.
        last: int (windows,), last frame of each window, after which its decision is made.
        probabilities: float32 (windows, classes), as a live stream gives them at that moment.
        frame_probabilities: float32 (frames, classes), the mean over all windows that cover a frame, weighted by how
            many of their frames belong to the clip. Actions therefore begin and end without the delay of a live
            decision, but are known one window later.
    """

    first: np.ndarray
    last: np.ndarray
    probabilities: np.ndarray
    frame_probabilities: np.ndarray


def recognize(
    model: Any, sequence: np.ndarray, step: float = 1.0, decide_every: int = 8, batch_size: int = 256
) -> Decisions:
    """The actions of a clip over time.

    A window ends at every N-th frame (frames N - 1, 2 N - 1, ...) and at the last one. Before the start of the clip its
    first frame repeats, as in a live buffer that has just been filled.

    Args:
        model: `ActionRecognizer` or `ExportedModel`.
        sequence: (persons, frames, joints, channels) in the model's units; an absent person is zeros.
        step: Frames of the clip per frame of the window: the clip's frame rate divided by the model's.
        decide_every: Frames N from one decision to the next.
        batch_size: Windows per call of the model.

    Returns:
        Decisions.

    Raises:
        ValueError: No frames, a shape that does not fit the model, `decide_every` or `step` out of range.
    """
    check_decide_every(decide_every, window_frames(model.frames, step))
    num_frames = sequence.shape[1]
    if not num_frames:
        raise ValueError("sequence must have at least one frame. Received: 0 frames.")
    last = np.union1d(np.arange(decide_every - 1, num_frames, decide_every), [num_frames - 1])
    index = sliding_windows(last, num_frames, model.frames, step)
    parts = []
    for begin in range(0, len(last), batch_size):
        # (persons, windows, T, joints, channels) -> windows first.
        windows = np.asarray(sequence, np.float32)[:, index[begin : begin + batch_size]].swapaxes(0, 1)
        parts.append(_probabilities(model, windows))
    probabilities = np.concatenate(parts)
    first = index[:, 0]
    of_frames = np.zeros((num_frames, probabilities.shape[1]))
    weight = np.zeros((num_frames, 1))
    for i, (begin, end) in enumerate(zip(first, last + 1, strict=True)):
        of_frames[begin:end] += (end - begin) * probabilities[i]
        weight[begin:end] += end - begin
    return Decisions(first, last, probabilities, (of_frames / weight).astype(np.float32))


class ActionStream:
    """The live form of `recognize`: push frames as they arrive; every N-th returns a decision.

    Args:
        model: `ActionRecognizer` or `ExportedModel`.
        step: Frames of the camera per frame of the window: the camera's frame rate divided by the model's.
        decide_every: Frames N from one decision to the next.

    Attributes:
        window_frames: Frames of the camera that a decision has seen.

    Raises:
        ValueError: `decide_every` or `step` out of range.

    Example:
        >>> stream = ActionStream(ActionRecognizer(("sit", "stand"), size="small"), decide_every=2)
        >>> stream.push(np.zeros((1, 25, 3))), stream.push(np.zeros((1, 25, 3))).shape
        (None, (2,))
    """

    def __init__(self, model: Any, step: float = 1.0, decide_every: int = 8) -> None:
        self.model, self.decide_every, self._offsets = model, decide_every, frame_offsets(model.frames, step)
        self.window_frames = window_frames(model.frames, step)
        check_decide_every(decide_every, self.window_frames)
        shape = (model.persons, self.window_frames, model.skeleton.num_joints, model.input_channels)
        self._buffer, self._count = np.zeros(shape, np.float32), 0

    @property
    def latency_frames(self) -> int:
        """Maximum delay in frames before a frame affects a decision."""
        return self.decide_every - 1

    def push(self, frame: np.ndarray) -> np.ndarray | None:
        """Takes the next frame.

        Args:
            frame: (persons, joints, channels) in the model's units; an absent person is zeros.

        Returns:
            float32 (classes,) probabilities after every N-th frame, else None.

        Raises:
            ValueError: A frame whose shape does not fit the model.
        """
        frame = np.asarray(frame, np.float32)
        expected = (*self._buffer.shape[:1], *self._buffer.shape[2:])
        if frame.shape != expected:
            raise ValueError(
                f"frame must have the shape (persons, joints, channels) = {expected}. Received: {frame.shape}."
            )
        if self._count:
            self._buffer[:, self._count % self.window_frames] = frame
        else:
            self._buffer[:] = frame[:, None]
        self._count += 1
        if self._count % self.decide_every:
            return None
        index = (self._count - 1 + self._offsets) % self.window_frames
        return _probabilities(self.model, self._buffer[None, :, index])[0]


def check_decide_every(decide_every: int, window: int) -> None:
    """Raises ValueError for an interval that skips frames of the clip, or that never ends a window."""
    if not 1 <= decide_every <= window:
        raise ValueError(
            f"--decide-every must be 1 to {window}, the window in frames of the clip. Received: {decide_every}."
        )


def _probabilities(model: Any, windows: np.ndarray) -> np.ndarray:
    """float32 (windows, classes)."""
    if hasattr(model, "probabilities"):
        return model.probabilities(windows)
    from keras import ops

    return np.asarray(ops.convert_to_numpy(ops.softmax(_call(model, windows))), np.float32)


def _call(model: Any, windows: np.ndarray) -> np.ndarray:
    # Live use asks for one window after the other. The first call traces the model, for half a second; each later one
    # takes 3 ms where an eager one takes 80. Exported files need no tracing.
    compiled = len(windows) == 1 and hasattr(model, "predict_on_batch")
    out = model.predict_on_batch(windows) if compiled else model(windows, training=False)
    if not isinstance(out, np.ndarray):
        from keras import ops

        out = ops.convert_to_numpy(out)
    return np.asarray(out, np.float32)
