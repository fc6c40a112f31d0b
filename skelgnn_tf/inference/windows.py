"""From a clip to its poses and its actions with a trained model, window by window, at once or as the frames come."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from skelgnn_tf.geometry import flip_keypoints, flip_pose
from skelgnn_tf.models import ActionRecognizer, PoseLifter


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
    index = np.clip(np.arange(num_frames)[:, None] + _offsets(model.frames, step, ahead), 0, num_frames - 1)
    poses = []
    for begin in range(0, num_frames, batch_size):
        windows = np.asarray(keypoints, np.float32)[index[begin : begin + batch_size]]
        pose = _call(model, windows)
        if flip:
            pose = (pose + flip_pose(_call(model, flip_keypoints(windows, model.skeleton)), model.skeleton)) / 2
        poses.append(pose[:, model.frames - 1 - ahead if model.every_frame else 0])
    return np.concatenate(poses)


def look_ahead(model: PoseLifter, step: float = 1.0) -> int:
    """Frames of the clip after a frame that `lift` wants for its pose; 0 if the model is causal."""
    return 0 if model.causal else int(_offsets(model.frames, step, model.frames // 2)[-1])


@dataclass(frozen=True)
class Decisions:
    """What a recogniser makes of a clip.

    Args:
        first: int (windows,), the clip's frame that a window begins with.
        last: int (windows,), the frame that it ends with, after which its decision falls.
        probabilities: float32 (windows, classes), what is known at that moment: what a live stream says.
        frame_probabilities: float32 (frames, classes), the mean of all windows that cover a frame, each counting by
            how many of its frames are the clip's own. Windows before and after a frame weigh alike, so an action
            begins and ends where it does, and not half a window late as a live decision; it is known a window later.
    """

    first: np.ndarray
    last: np.ndarray
    probabilities: np.ndarray
    frame_probabilities: np.ndarray


def recognize(
    model: ActionRecognizer, sequence: np.ndarray, step: float = 1.0, hop: int = 8, batch_size: int = 256
) -> Decisions:
    """The actions of a clip over time.

    A window ends at every `hop`-th frame (frames hop - 1, 2 hop - 1, ...) and at the last one. Before the clip's start
    its first frame stands still, as in a live buffer that has just been filled.

    Args:
        model: Whose window is slid over the clip.
        sequence: (persons, frames, joints, channels) in the model's own units; an absent person is zeros.
        step: Frames of the clip between two of a window: the clip's frame rate over the model's.
        hop: Frames of the clip between two windows.
        batch_size: Windows at a time.

    Returns:
        Decisions.

    Raises:
        ValueError: A sequence without frames or of another shape than the model wants, a hop or step out of range.
    """
    check_hop(hop, window_frames(model, step))
    num_frames = sequence.shape[1]
    if not num_frames:
        raise ValueError("the sequence has no frames; expected (persons, 1 or more frames, joints, channels)")
    last = np.union1d(np.arange(hop - 1, num_frames, hop), [num_frames - 1])
    index = np.maximum(last[:, None] + _offsets(model.frames, step), 0)
    probabilities = []
    for begin in range(0, len(last), batch_size):
        # (persons, windows, T, joints, channels) -> windows first.
        windows = np.asarray(sequence, np.float32)[:, index[begin : begin + batch_size]].swapaxes(0, 1)
        probabilities.append(_probabilities(model, windows))
    probabilities = np.concatenate(probabilities)
    first = index[:, 0]
    of_frames = np.zeros((num_frames, probabilities.shape[1]))
    weight = np.zeros((num_frames, 1))
    for i, (begin, end) in enumerate(zip(first, last + 1, strict=True)):
        of_frames[begin:end] += (end - begin) * probabilities[i]
        weight[begin:end] += end - begin
    return Decisions(first, last, probabilities, (of_frames / weight).astype(np.float32))


def window_frames(model: ActionRecognizer, step: float = 1.0) -> int:
    """Frames of the clip that a decision has seen, its last one included."""
    return 1 - int(_offsets(model.frames, step)[0])


class ActionStream:
    """The live form of `recognize`: frames go in as they come, and every `hop`-th brings a decision.

    Args:
        model: Recogniser.
        step: Frames of the camera between two of a window: the camera's frame rate over the model's.
        hop: Frames from one decision to the next.

    Attributes:
        window_frames: Frames of the camera that a decision has seen, its last one included.

    Raises:
        ValueError: A hop or step out of range.

    Example:
        >>> stream = ActionStream(ActionRecognizer(("sit", "stand"), size="small"), hop=2)
        >>> stream.push(np.zeros((1, 25, 3))), stream.push(np.zeros((1, 25, 3))).shape
        (None, (2,))
    """

    def __init__(self, model: ActionRecognizer, step: float = 1.0, hop: int = 8) -> None:
        self.model, self.hop, self._offsets = model, hop, _offsets(model.frames, step)
        self.window_frames = window_frames(model, step)
        check_hop(hop, self.window_frames)
        shape = (model.persons, self.window_frames, model.skeleton.num_joints, model.input_channels)
        self._buffer, self._count = np.zeros(shape, np.float32), 0

    @property
    def latency_frames(self) -> int:
        """How many frames after a frame the first decision that has seen it comes, at most."""
        return self.hop - 1

    def push(self, frame: np.ndarray) -> np.ndarray | None:
        """Takes the next frame.

        Args:
            frame: (persons, joints, channels) in the model's own units; an absent person is zeros.

        Returns:
            float32 (classes,) probabilities after every `hop`-th frame, else None.

        Raises:
            ValueError: A frame of another shape.
        """
        frame = np.asarray(frame, np.float32)
        expected = (*self._buffer.shape[:1], *self._buffer.shape[2:])
        if frame.shape != expected:
            raise ValueError(f"a frame wants (persons, joints, channels) = {expected}; got {frame.shape}")
        if self._count:
            self._buffer[:, self._count % self.window_frames] = frame
        else:
            self._buffer[:] = frame[:, None]
        self._count += 1
        if self._count % self.hop:
            return None
        index = (self._count - 1 + self._offsets) % self.window_frames
        return _probabilities(self.model, self._buffer[None, :, index])[0]


def _offsets(frames: int, step: float, ahead: int = 0) -> np.ndarray:
    """Where a window's frames lie in the clip from the frame that it is about, `ahead` of them after it: int (T,)."""
    if not 0 < step < np.inf:
        raise ValueError(f"step wants the clip's frame rate over the model's, above 0; got {step}")
    return np.round(step * (np.arange(frames) - (frames - 1 - ahead))).astype(int)


def check_hop(hop: int, window: int) -> None:
    """Raises ValueError for a hop that skips frames of the clip, or never ends a window of so many."""
    if not 1 <= hop <= window:
        why = "no window would ever end" if hop < 1 else "frames between two windows would never be looked at"
        raise ValueError(f"hop wants 1 to {window}, the window in frames of the clip; got {hop}, so that {why}")


def _probabilities(model: ActionRecognizer, windows: np.ndarray) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(ops.softmax(_call(model, windows))), np.float32)


def _call(model: PoseLifter | ActionRecognizer, windows: np.ndarray) -> np.ndarray:
    # Who asks for a single window asks for thousands one after the other, live: the first call traces the model, for
    # half a second, and each later one takes 3 ms where an eager one takes 80. Exported files need no tracing.
    compiled = len(windows) == 1 and isinstance(model, keras.Model)
    out = model.predict_on_batch(windows) if compiled else model(windows, training=False)
    return np.asarray(ops.convert_to_numpy(out), np.float32)
