"""ActionRecognizer: from a skeleton sequence to the scores of its action."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from skelgnn_tf.layers.clip_frame import ClipFrame
from skelgnn_tf.layers.hcsf import HCSF
from skelgnn_tf.layers.random_affine import RandomAffine
from skelgnn_tf.layers.stream import Stream
from skelgnn_tf.layers.temporal_conv import TemporalConv
from skelgnn_tf.models.base import SkeletonModel
from skelgnn_tf.skeletons import NTU_25, Skeleton, get

#: Widths and strides of the blocks, and the frames that a temporal convolution looks at: the paper's nine blocks, and
#: six for phones, of which the first already halves the frames.
SIZES: dict[str, Any] = {
    "paper": {"widths": (64,) * 3 + (128,) * 3 + (256,) * 3, "strides": (1, 1, 1, 2, 1, 1, 2, 1, 1), "kernel": 9},
    "small": {"widths": (32, 32, 64, 64, 96, 96), "strides": (2, 1, 2, 1, 2, 1), "kernel": 5},
}


@keras.saving.register_keras_serializable("skelgnn_tf")
class ActionRecognizer(SkeletonModel):
    """Normalization and stream, residual blocks of D-HCSF and temporal convolution, mean over time and joints, dense.

    A block is D-HCSF -> batch norm -> ReLU -> temporal convolution -> batch norm, plus its input (through a 1x1
    convolution and batch norm where width or stride change), then ReLU. HCSF shares its weights over joints. The
    input is raw joints: normalization and stream are part of the model, so that a phone needs a single file.

    Args:
        classes: Class names, in the order of the scores.
        skeleton: Joints of the input, a Skeleton or its name.
        frames: Window length T.
        persons: 1 or 2; an absent person is all zeros and does not count.
        dims: Coordinates of a joint: 3 (meters) or 2 (keypoints, any unit with square pixels).
        confidence: Add an input channel, 0 where a joint is missing.
        normalization: As in `ClipFrame`: "none", "center", "view" or "box".
        stream: As in `Stream`: "joint", "bone", "joint_motion" or "bone_motion".
        size: A key of SIZES, "paper" or "small".
        channels: Width of the first blocks, the others in proportion; None for the width of the size.
        short_hops: Short range S of each HCSF.
        max_hops: Long range L.
        squeeze: Squeeze ratio d.
        dynamic: Dynamic graph (D-HCSF) or static (HCSF).
        temporal_kernel: Frames F that the dynamic graph looks at.
        dropout: Share of features dropped before the dense layer.
        rotation, scaling, shear, joint_drop: As in `RandomAffine`, only in training.
        seed: Random seed of that augmentation.

    Call:
        (batch, persons, frames, joints, dims[+1]) -> logits (batch, classes); `ops.softmax` gives probabilities.
        Poses are in camera axes (x right, y down, z forward), keypoints x right, y down.

    Raises:
        ValueError: An argument out of range, or an input of another shape.

    Source: Zeng et al., ICCV 2021, section 4.3 and supplement; see docs/method.md.

    Example:
        >>> ActionRecognizer(("sit", "stand"), size="small")(np.zeros((4, 1, 64, 25, 3))).shape
        (4, 2)
    """

    def __init__(
        self,
        classes: Sequence[str],
        skeleton: Skeleton | str = NTU_25,
        frames: int = 64,
        persons: int = 1,
        dims: int = 3,
        confidence: bool = False,
        normalization: str = "center",
        stream: str = "joint",
        size: str = "paper",
        channels: int | None = None,
        short_hops: int = 5,
        max_hops: int = 7,
        squeeze: float = 1 / 8,
        dynamic: bool = True,
        temporal_kernel: int = 3,
        dropout: float = 0.0,
        rotation: float = 0.0,
        scaling: float = 0.0,
        shear: float = 0.0,
        joint_drop: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        # Coordinates stay in float32 at any precision; layers cast their inputs themselves.
        super().__init__(autocast=False, **kwargs)
        skeleton = get(skeleton)
        if len(classes) < 2 or persons not in (1, 2) or dims not in (2, 3) or frames < 1:
            raise ValueError(
                "ActionRecognizer must have at least 2 classes, 1 or 2 persons, 2 or 3 dims and at least 1 frame. "
                f"Received: {len(classes)}, {persons}, {dims} and {frames}."
            )
        if size not in SIZES:
            raise ValueError(f"size must be one of {', '.join(SIZES)}. Received: {size!r}.")
        self._config = {
            "classes": list(classes),
            "skeleton": skeleton.get_config(),
            "frames": frames,
            "persons": persons,
            "dims": dims,
            "confidence": confidence,
            "normalization": normalization,
            "stream": stream,
            "size": size,
            "channels": channels,
            "short_hops": short_hops,
            "max_hops": max_hops,
            "squeeze": squeeze,
            "dynamic": dynamic,
            "temporal_kernel": temporal_kernel,
            "dropout": dropout,
            "rotation": rotation,
            "scaling": scaling,
            "shear": shear,
            "joint_drop": joint_drop,
            "seed": seed,
        }
        self.classes, self.skeleton, self.frames, self.persons = tuple(classes), skeleton, frames, persons
        self.dims, self.input_channels = dims, dims + confidence
        float32 = {"dtype": "float32"}
        self.clip_frame = ClipFrame(skeleton, normalization, confidence, **float32, name="clip_frame")
        self.affine = RandomAffine(
            rotation, scaling, shear, joint_drop, confidence, seed, **float32, name="random_affine"
        )
        self.features = Stream(skeleton, stream, confidence, **float32, name="stream")
        self.input_norm = _norm("input_norm")
        plan = SIZES[size]
        scale = (channels or plan["widths"][0]) / plan["widths"][0]
        graph: dict[str, Any] = {
            "skeleton": skeleton,
            "short_hops": short_hops,
            "max_hops": max_hops,
            "squeeze": squeeze,
            "dynamic": dynamic,
            "temporal_kernel": temporal_kernel,
            "sharing": "shared",
        }
        self.blocks, width_in = [], None
        for i, (width, stride) in enumerate(zip(plan["widths"], plan["strides"], strict=True)):
            width = max(1, round(width * scale))
            # As in ST-GCN, the first block, whose input is coordinates, has no residual.
            residual = "none" if i == 0 else "identity" if (stride, width_in) == (1, width) else "projection"
            self.blocks.append(_Block(width, stride, plan["kernel"], residual, graph, name=f"block{i}"))
            width_in = width
        self.dropout = keras.layers.Dropout(dropout, seed=seed, name="dropout")
        self.dense = keras.layers.Dense(len(classes), **float32, name="dense")

    def build(self, input_shape: tuple) -> None:  # noqa: D102
        self._check(input_shape)
        joints = self.skeleton.num_joints
        self.clip_frame.build(self.input_axes)
        self.input_norm.build((None, self.frames, joints * self.input_channels))
        shape = (None, self.frames, joints, self.input_channels)
        for block in self.blocks:
            block.build(shape)
            shape = block.compute_output_shape(shape)
        self.dense.build((None, shape[-1]))
        self.built = True

    def _check(self, shape: tuple) -> None:
        expected = self.input_axes[1:]
        if tuple(shape[1:]) != expected:
            raise ValueError(
                f"the input must have the shape (batch, {expected[0]} persons, {expected[1]} frames, "
                f"{expected[2]} joints of {self.skeleton.name}, {expected[3]} channels). Received: {tuple(shape)}."
            )

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: D102
        self._check(x.shape)
        joints, channels = x.shape[3:]
        seen = x[..., -1] > 0 if channels > self.dims else ops.any(x != 0, axis=-1)
        present = ops.cast(ops.any(seen, axis=(2, 3)), "float32")
        x = self.features(self.affine(self.clip_frame(x), training=training))
        x = self.input_norm(ops.reshape(x, (-1, self.frames, joints * channels)), training=training)
        x = ops.reshape(x, (-1, self.frames, joints, channels))
        for block in self.blocks:
            x = block(x, training=training)
        x = ops.reshape(ops.mean(ops.cast(x, "float32"), axis=(1, 2)), (-1, self.persons, x.shape[-1]))
        # The mean over the persons that are present; without any, the scores are the bias of the dense layer.
        count = ops.maximum(ops.sum(present, axis=1, keepdims=True), 1)
        x = ops.sum(x * ops.expand_dims(present / count, -1), axis=1)
        return self.dense(self.dropout(x, training=training))

    def compute_output_shape(self, input_shape: tuple) -> tuple:  # noqa: D102
        return (input_shape[0], len(self.classes))

    @property
    def input_axes(self) -> tuple[int | None, ...]:
        """(None, persons, frames, joints, channels)."""
        return (None, self.persons, self.frames, self.skeleton.num_joints, self.input_channels)


def _norm(name: str) -> keras.layers.Layer:
    return keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=name)


@keras.saving.register_keras_serializable("skelgnn_tf")
class _Block(keras.layers.Layer):
    """D-HCSF, batch norm, ReLU, temporal convolution, batch norm, residual, ReLU."""

    def __init__(self, width: int, stride: int, kernel: int, residual: str, graph: dict, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.residual = residual
        self.hcsf = HCSF(width, **graph, name="hcsf")
        self.hcsf_norm = _norm("hcsf_norm")
        self.conv = TemporalConv(width, kernel, stride, zero_padded=True, use_bias=False, name="conv")
        self.conv_norm = _norm("conv_norm")
        if residual == "projection":
            self.skip = TemporalConv(width, 1, stride, zero_padded=True, use_bias=False, name="skip")
            self.skip_norm = _norm("skip_norm")

    def build(self, input_shape: tuple) -> None:
        self.hcsf.build(input_shape)
        inner = self.hcsf.compute_output_shape(input_shape)
        self.hcsf_norm.build(inner)
        self.conv.build(inner)
        self.conv_norm.build(self.conv.compute_output_shape(inner))
        if self.residual == "projection":
            self.skip.build(input_shape)
            self.skip_norm.build(self.skip.compute_output_shape(input_shape))
        self.built = True

    def call(self, x: Any, training: bool = False) -> Any:
        y = ops.relu(self.hcsf_norm(self.hcsf(x), training=training))
        y = self.conv_norm(self.conv(y), training=training)
        if self.residual == "identity":
            y = y + x
        elif self.residual == "projection":
            y = y + self.skip_norm(self.skip(x), training=training)
        return ops.relu(y)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return self.conv.compute_output_shape(self.hcsf.compute_output_shape(input_shape))
