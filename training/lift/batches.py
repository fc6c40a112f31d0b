"""One batch of windows, cut and augmented with keras.ops: in a tf.data graph, or on arrays with another backend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from skelgnn_tf.augmentation import bodies, detector_noise, views
from skelgnn_tf.augmentation.random import Draws
from skelgnn_tf.configs import LiftConfig
from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.datasets.windows import Windows, cut
from skelgnn_tf.frame_sampling import sliding_windows_tensor
from skelgnn_tf.skeletons import Skeleton

#: Maximum number of validation windows.
_MAX_VALIDATION = 20_000


def cut_windows(clips: Sequence[Clip], skeleton: Skeleton, config: LiftConfig, training: bool) -> Windows:
    """The windows that a config trains on (with its stride and limit) or validates on.

    Args:
        clips: Clips with poses.
        skeleton: Skeleton of the clips.
        config: Settings of the windows.
        training: False for validation.

    Raises:
        ValueError: As `windows.cut`; a clip without camera with random views.
    """
    if config.views == "random":
        blind = next((clip.name for clip in clips if clip.camera is None), None)
        if blind:
            raise ValueError(
                f"{blind}: a clip must have a camera for --views random. Received: none. Use --dataset h36m or fitness."
            )
        # All views of a take show the same motion, and cameras are drawn anew: one view is enough.
        clips = tuple({clip.take: clip for clip in reversed(clips)}.values())[::-1]
    return cut(
        clips,
        skeleton,
        config.frames,
        causal=config.causal,
        confidence=config.confidence,
        protocol=config.protocol,
        stride=config.stride if training else max(config.stride, config.frames),
        limit=config.limit_train if training else _MAX_VALIDATION,
    )


class Batcher:
    """Makes batches from rows of a Windows.

    Args:
        windows: Frames and windows.
        config: Settings of a batch.
        skeleton: Skeleton of the frames.
        training: Whether windows are augmented. Random views also apply to validation.
    """

    def __init__(self, windows: Windows, config: LiftConfig, skeleton: Skeleton, training: bool) -> None:
        self.windows, self.config, self.skeleton, self.training = windows, config, skeleton, training
        fields = ("keypoints", "target", "up", "first", "last", "center", "fps")
        # The pipeline runs on the CPU while the device trains.
        with keras.device("cpu:0"):
            self.arrays = {name: ops.convert_to_tensor(getattr(windows, name)) for name in fields}

    @property
    def steps(self) -> int:
        """Full batches in one epoch; one if there are fewer windows than a batch holds."""
        return max(1, len(self.windows) // self.config.batch_size)

    def __call__(self, rows: Any, draws: Draws) -> tuple[Any, Any]:
        """Makes one batch.

        Args:
            rows: int (batch,), which windows.
            draws: Source of random numbers.

        Returns:
            Keypoints float32 (batch, T, joints, 2 or 3) in screen units, and target float32 (batch, 1 or T, joints, 3)
            in the units of the config's protocol.
        """
        index = self._frames(rows, draws)
        keypoints = ops.take(self.arrays["keypoints"], index, axis=0)
        target = ops.take(self.arrays["target"], index, axis=0)
        if self.config.views == "random":
            up = ops.take(self.arrays["up"], index[:, 0], axis=0)
            keypoints, target = self._random_view(target, up, draws)
        if self.training:
            keypoints, target = self._augmented(keypoints, target, draws)
        if not self.config.every_frame:
            at = self.config.frames - 1 - self.windows.ahead
            target = target[:, at : at + 1]
        return keypoints, target

    def _random_view(self, target: Any, up: Any, draws: Draws) -> tuple[Any, Any]:
        """Poses (batch, T, joints, 3) in meters, in training of other bodies, as a camera drawn at random sees them."""
        config = self.config
        if self.training and config.limb_mix:
            target = bodies.mix_limbs(target, config.limb_mix, self.skeleton, draws)
        if self.training and config.limb_turn:
            target = bodies.turn_limbs(target, config.limb_turn, self.skeleton, draws)
        if self.training and config.body_variety:
            target = bodies.vary_bodies(target, config.body_variety, self.skeleton, draws)
        offset = config.joint_offset if self.training else 0.0
        keypoints, target = views.random_view(target, up, self.skeleton, draws, offset)
        if config.confidence:
            keypoints = ops.concatenate([keypoints, ops.ones_like(keypoints[..., :1])], axis=-1)
        return keypoints, target

    def _augmented(self, keypoints: Any, target: Any, draws: Draws) -> tuple[Any, Any]:
        config = self.config
        if config.flip:
            keypoints, target = views.flip(keypoints, target, self.skeleton, draws)
        if config.noise:
            keypoints = detector_noise.blur(keypoints, config.noise, draws)
        if config.side_swap:
            keypoints = detector_noise.swap_sides(keypoints, config.side_swap, self.skeleton, draws)
        if config.joint_drop:
            keypoints = detector_noise.drop(keypoints, config.joint_drop, draws)
        return keypoints, target

    def _frames(self, rows: Any, draws: Draws) -> Any:
        """Indices of the frames of the windows, int32 (batch, T), at the config's frame rate."""
        first, last, center, fps = (ops.take(self.arrays[n], rows, axis=0) for n in ("first", "last", "center", "fps"))
        step = fps / self.config.fps if self.config.fps else ops.ones_like(fps)
        if self.training and self.config.rate_jitter:
            widest = math.log(1 + self.config.rate_jitter)
            step = step * ops.exp(draws.uniform(ops.shape(fps), -widest, widest))
        return sliding_windows_tensor(center, first, last, self.windows.frames, step, self.windows.ahead)
