"""Stream: joints, bones, or the motion of either."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from skelgnn_tf.skeletons import Skeleton, get

#: The four streams whose scores are usually averaged.
STREAMS = ("joint", "bone", "joint_motion", "bone_motion")


@keras.saving.register_keras_serializable("skelgnn_tf")
class Stream(keras.layers.Layer):
    """Derives one of the four streams from joints, inside the model.

    A bone is child - parent, zero at the root. Motion is next frame - this frame, zero in the last frame. With
    confidence, a bone or motion has the lower confidence of its two ends, and is zero if one of them is missing.

    Args:
        skeleton: Skeleton whose parents define the bones, or its name.
        stream: "joint", "bone", "joint_motion" or "bone_motion".
        confidence: Whether the last channel is confidence.

    Call:
        (batch, persons, frames, joints, channels) -> the same shape.

    Raises:
        ValueError: `stream` is unknown.

    Source: Shi et al., CVPR 2019 (two streams) and TIP 2020 (four streams).

    Example:
        >>> from skelgnn_tf.skeletons import NTU_25
        >>> Stream(NTU_25, "bone")(np.ones((1, 1, 8, 25, 3))).shape
        (1, 1, 8, 25, 3)
    """

    def __init__(
        self, skeleton: Skeleton | str, stream: str = "joint", confidence: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if stream not in STREAMS:
            raise ValueError(f"stream must be one of {', '.join(STREAMS)}. Received: {stream!r}.")
        self.skeleton = skeleton = get(skeleton)
        self.stream, self.confidence = stream, confidence
        # The root is its own parent, which makes its bone zero.
        self.parents = np.array([j if parent < 0 else parent for j, parent in enumerate(skeleton.parents)])

    def call(self, x: Any) -> Any:  # noqa: D102
        if "bone" in self.stream:
            x = self._difference(x, ops.take(x, self.parents, axis=-2))
        if "motion" in self.stream:
            moved = self._difference(x[:, :, 1:], x[:, :, :-1])
            still = ops.zeros_like(x[:, :, :1])
            if self.confidence:
                still = ops.concatenate([still[..., :-1], x[:, :, -1:, :, -1:]], axis=-1)
            x = ops.concatenate([moved, still], axis=2)
        return x

    def _difference(self, a: Any, b: Any) -> Any:
        if not self.confidence:
            return a - b
        confidence = ops.minimum(a[..., -1:], b[..., -1:])
        apart = a[..., :-1] - b[..., :-1]
        return ops.concatenate([ops.where(confidence > 0, apart, ops.zeros_like(apart)), confidence], axis=-1)

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:  # noqa: D102
        return input_shape

    def get_config(self) -> dict[str, Any]:  # noqa: D102
        return super().get_config() | {
            "skeleton": self.skeleton.get_config(),
            "stream": self.stream,
            "confidence": self.confidence,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Stream:  # noqa: D102
        return cls(**config | {"skeleton": Skeleton.from_config(config["skeleton"])})
