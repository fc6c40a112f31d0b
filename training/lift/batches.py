"""One batch of windows, cut and augmented in keras.ops: inside a tf.data graph, or on arrays with another backend."""

from __future__ import annotations

import math

import keras
import numpy as np
from keras import ops

from skelgnn_tf.augmentation import bodies, detector_noise, views
from skelgnn_tf.augmentation.random import Draws
from skelgnn_tf.configs.config import Config
from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.datasets.windows import Windows, cut
from skelgnn_tf.skeletons import Skeleton


def cut_windows(clips: tuple[Clip, ...], skeleton: Skeleton, config: Config, training: bool) -> Windows:
    """The windows that a config trains on (strided, limited) or validates on.

    Raises:
        ValueError: As `windows.cut`; random views of a clip without camera.
    """
    if config.views == "random":
        blind = next((clip.name for clip in clips if clip.camera is None), None)
        if blind:
            raise ValueError(f"{blind} has no camera, so its up is not known: --views random wants h36m or fitness")
        # Drawn cameras make one view of a take as good as four.
        clips = tuple({clip.take: clip for clip in reversed(clips)}.values())[::-1]
    return cut(
        clips,
        skeleton,
        config.frames,
        causal=config.causal,
        confidence=config.confidence,
        protocol=config.protocol,
        stride=config.stride if training else max(config.stride, config.frames),
        limit=config.limit_train if training else 20_000,
    )


class Batcher:
    """Makes batches out of rows of a Windows.

    Args:
        windows: Frames and windows.
        config: What a batch is made of.
        skeleton: Of the frames.
        training: Whether windows are augmented; otherwise they are cut as they stand (seen from drawn cameras all the
            same if the config trains on those).
    """

    def __init__(self, windows: Windows, config: Config, skeleton: Skeleton, training: bool) -> None:
        self.windows, self.config, self.skeleton, self.training = windows, config, skeleton, training
        fields = ("keypoints", "target", "up", "first", "last", "center", "fps")
        # The pipeline runs on the CPU, beside the device that trains.
        with keras.device("cpu:0"):
            self.arrays = {name: ops.convert_to_tensor(getattr(windows, name)) for name in fields}

    @property
    def steps(self) -> int:
        """Full batches in one pass over the windows; one if there are fewer windows than a batch holds."""
        return max(1, len(self.windows) // self.config.batch_size)

    def __call__(self, rows, draws: Draws) -> tuple:
        """Rows (batch,) int -> keypoints (batch, T, joints, 2 or 3) and target (batch, 1 or T, joints, 3)."""
        config, training = self.config, self.training
        index = self._frames(rows, draws)
        keypoints = ops.take(self.arrays["keypoints"], index, axis=0)
        target = ops.take(self.arrays["target"], index, axis=0)
        if config.views == "random":
            up = ops.take(self.arrays["up"], index[:, 0], axis=0)
            if training and config.limb_mix:
                target = bodies.mix_limbs(target, config.limb_mix, self.skeleton, draws)
            if training and config.limb_turn:
                target = bodies.turn_limbs(target, config.limb_turn, self.skeleton, draws)
            if training and config.body_variety:
                target = bodies.vary_bodies(target, config.body_variety, self.skeleton, draws)
            offset = config.joint_offset if training else 0.0
            seen, target = views.random_view(target, up, self.skeleton, draws, offset)
            keypoints = ops.concatenate([seen, ops.ones_like(seen[..., :1])], axis=-1) if config.confidence else seen
        if training and config.flip:
            keypoints, target = views.flip(keypoints, target, self.skeleton, draws)
        if training and config.noise:
            keypoints = detector_noise.blur(keypoints, config.noise, draws)
        if training and config.side_swap:
            keypoints = detector_noise.swap_sides(keypoints, config.side_swap, self.skeleton, draws)
        if training and config.joint_drop:
            keypoints = detector_noise.drop(keypoints, config.joint_drop, draws)
        if not config.every_frame:
            at = config.frames - 1 - self.windows.ahead
            target = target[:, at : at + 1]
        return keypoints, target

    def _frames(self, rows, draws: Draws):
        """Indices of the windows' frames (batch, T), stepped to the wanted frame rate and held at the clip's ends."""
        first, last, center, fps = (ops.take(self.arrays[n], rows, axis=0) for n in ("first", "last", "center", "fps"))
        offsets = np.arange(self.windows.frames, dtype=np.float32) - (self.windows.frames - 1 - self.windows.ahead)
        step = fps / self.config.fps if self.config.fps else ops.ones_like(fps)
        if self.training and self.config.rate_jitter:
            widest = math.log(1 + self.config.rate_jitter)
            step = step * ops.exp(draws.uniform(ops.shape(fps), -widest, widest))
        moved = ops.cast(ops.round(step[:, None] * offsets), "int32")
        return ops.clip(center[:, None] + moved, first[:, None], last[:, None])
