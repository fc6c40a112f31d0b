"""Stream: joints as they are, bones, or the motion of either."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from skelgnn_tf.skeletons import Skeleton

#: The four streams whose scores are averaged in the field.
STREAMS = ("joint", "bone", "joint_motion", "bone_motion")


@keras.saving.register_keras_serializable("skelgnn_tf")
class Stream(keras.layers.Layer):
    """Derives one of the four streams from joints, inside the model.

    A bone is child - parent (zero at the root), motion is the next frame - this one (zero in the last frame). With
    confidence a bone or a motion is as sure as the less sure of its two ends, and zero if one of them is missing.

    Args:
        skeleton: Whose parents make the bones.
        stream: "joint", "bone", "joint_motion" or "bone_motion".
        confidence: Whether the last channel is confidence.

    Call:
        (batch, persons, frames, joints, channels) -> the same shape.

    Raises:
        ValueError: Another stream.

    Source: Shi et al., CVPR 2019 (two streams) and TIP 2020 (four); PAPER.md.

    Example:
        >>> from skelgnn_tf.skeletons import NTU_25
        >>> Stream(NTU_25, "bone")(np.ones((1, 1, 8, 25, 3))).shape
        (1, 1, 8, 25, 3)
    """

    def __init__(self, skeleton: Skeleton, stream: str = "joint", confidence: bool = False, **kwargs) -> None:
        super().__init__(**kwargs)
        if stream not in STREAMS:
            raise ValueError(f"stream wants {', '.join(STREAMS)}; got {stream!r}")
        self.skeleton, self.stream, self.confidence = skeleton, stream, confidence
        # The root is its own parent, which makes its bone zero.
        self.parents = np.array([j if parent < 0 else parent for j, parent in enumerate(skeleton.parents)])

    def call(self, x):  # noqa: D102
        if "bone" in self.stream:
            x = self._difference(x, ops.take(x, self.parents, axis=-2))
        if "motion" in self.stream:
            moved = self._difference(x[:, :, 1:], x[:, :, :-1])
            still = ops.zeros_like(x[:, :, :1])
            if self.confidence:
                still = ops.concatenate([still[..., :-1], x[:, :, -1:, :, -1:]], axis=-1)
            x = ops.concatenate([moved, still], axis=2)
        return x

    def _difference(self, a, b):
        if not self.confidence:
            return a - b
        sure = ops.minimum(a[..., -1:], b[..., -1:])
        apart = a[..., :-1] - b[..., :-1]
        return ops.concatenate([ops.where(sure > 0, apart, ops.zeros_like(apart)), sure], axis=-1)

    def compute_output_shape(self, input_shape: tuple) -> tuple:  # noqa: D102
        return input_shape

    def get_config(self) -> dict:  # noqa: D102
        return super().get_config() | {
            "skeleton": self.skeleton.get_config(),
            "stream": self.stream,
            "confidence": self.confidence,
        }

    @classmethod
    def from_config(cls, config: dict) -> Stream:  # noqa: D102
        return cls(**config | {"skeleton": Skeleton.from_config(config["skeleton"])})
