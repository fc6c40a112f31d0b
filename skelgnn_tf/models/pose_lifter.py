"""PoseLifter: from the 2D keypoints of one or several frames to the 3D pose."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from skelgnn_tf.layers.hcsf import HCSF
from skelgnn_tf.layers.person_frame import PersonFrame
from skelgnn_tf.layers.temporal_conv import TemporalConv
from skelgnn_tf.models.base import SkeletonModel
from skelgnn_tf.skeletons import H36M_17, Skeleton, get

#: Meters per unit of the last layer's output. Poses span decimeters; with outputs in meters one step of Adam would move
#: them by as much. cmu_mocap's validation error after 330,000 samples was 80 mm with 1 m, 58 mm
#: with 20 cm and 50 mm with 5 cm; 2 to 5 cm differed little.
OUTPUT_UNIT_M = 0.03


def temporal_kernels(frames: int, blocks: int | None) -> list[int]:
    """Kernels of the blocks' temporal convolutions, whose product is the number of frames.

    Args:
        frames: Window length T; 1 needs no temporal convolution.
        blocks: Number of blocks, or None for as many as T has prime factors (9 = 3 * 3: two), at least two.

    Returns:
        One kernel per block, the largest first.

    Raises:
        ValueError: An even T (it has no center), or fewer than one frame or block.
    """
    if frames < 1 or frames % 2 == 0:
        raise ValueError(f"frames must be odd (1, 9, 27, 81). Received: {frames}.")
    if blocks is not None and blocks < 1:
        raise ValueError(f"blocks must be at least 1. Received: {blocks}.")
    factors, rest = [], frames
    while rest > 1:
        factor = next(f for f in range(3, rest + 1, 2) if rest % f == 0)
        factors.append(factor)
        rest //= factor
    blocks = blocks or max(2, len(factors))
    kernels = [1] * blocks
    for factor in sorted(factors, reverse=True):
        kernels[kernels.index(min(kernels))] *= factor
    return sorted(kernels, reverse=True)


@keras.saving.register_keras_serializable("skelgnn_tf")
class PoseLifter(SkeletonModel):
    """A pose lifter of D-HCSF layers: a first layer, residual blocks and a last layer.

    A block is two D-HCSF (one frame) or one D-HCSF and one temporal convolution (T frames), each followed by batch
    norm, LeakyReLU(0.2) and dropout. With `every_frame=False` the convolutions are strided, so that T frames become
    the central one (the last one if causal) at the least cost; with `every_frame=True` the same convolutions are
    dilated and every frame gets a pose.

    Args:
        skeleton: Joints of keypoints and pose, a Skeleton or its name; `H36M_17_LCN` has the extra edges of LCN.
        frames: Window length T, odd; the product of the blocks' kernels.
        channels: Width C.
        blocks: Residual blocks, or None for 2 up to 9 frames, 3 for 27, 4 for 81.
        short_hops: Short range S of each HCSF.
        max_hops: Long range L.
        squeeze: Squeeze ratio d.
        dynamic: Dynamic graph (D-HCSF) or static (HCSF).
        temporal_kernel: Frames F that the dynamic graph looks at.
        sharing: "pair" (LCN) or "shared" (GCN).
        dropout: Share of channels dropped in training.
        causal: Use no future frames: a pose depends only on its own frame and earlier ones.
        every_frame: A pose for each frame of the window instead of one.
        confidence: Add a third input channel, 0 where the keypoint is missing; its x and y are then ignored.
        keypoint_frame: "screen" (input as `geometry.normalize_screen` returns it) or "person" (any unit; the model
            centers and scales each frame by the person's own box).

    Call:
        keypoints (batch, frames, joints, 2, or 3 with confidence) -> pose (batch, 1 or frames, joints, 3), meters,
        root-relative, camera axes x right, y down, z forward (units of the pixel protocol if trained on those).

    Raises:
        ValueError: An argument out of range, or keypoints of another shape.

    Source: Zeng et al., ICCV 2021, section 4.1; strided and dilated convolutions as in VideoPose3D.

    Example:
        >>> PoseLifter(frames=9)(np.zeros((4, 9, 17, 2))).shape
        (4, 1, 17, 3)
    """

    def __init__(
        self,
        skeleton: Skeleton | str = H36M_17,
        frames: int = 1,
        channels: int = 128,
        blocks: int | None = None,
        short_hops: int = 1,
        max_hops: int = 2,
        squeeze: float = 1 / 8,
        dynamic: bool = True,
        temporal_kernel: int = 3,
        sharing: str = "pair",
        dropout: float = 0.25,
        causal: bool = False,
        every_frame: bool = False,
        confidence: bool = False,
        keypoint_frame: str = "screen",
        **kwargs: Any,
    ) -> None:
        # Keypoints stay in float32 at any precision: bfloat16 would round pixels. Layers cast their inputs themselves.
        super().__init__(autocast=False, **kwargs)
        skeleton = get(skeleton)
        if keypoint_frame not in ("screen", "person"):
            raise ValueError(f'keypoint_frame must be "screen" or "person". Received: {keypoint_frame!r}.')
        self._config = {
            "skeleton": skeleton.get_config(),
            "frames": frames,
            "channels": channels,
            "blocks": blocks,
            "short_hops": short_hops,
            "max_hops": max_hops,
            "squeeze": squeeze,
            "dynamic": dynamic,
            "temporal_kernel": temporal_kernel,
            "sharing": sharing,
            "dropout": dropout,
            "causal": causal,
            "every_frame": every_frame,
            "confidence": confidence,
            "keypoint_frame": keypoint_frame,
        }
        self.skeleton, self.frames, self.causal, self.every_frame = skeleton, frames, causal, every_frame
        self.input_channels = 3 if confidence else 2
        self.kernels = temporal_kernels(frames, blocks)
        self.person_frame = PersonFrame(dtype="float32", name="person_frame") if keypoint_frame == "person" else None
        graph: dict[str, Any] = {
            "skeleton": skeleton,
            "short_hops": short_hops,
            "max_hops": max_hops,
            "squeeze": squeeze,
            "dynamic": dynamic,
            "sharing": sharing,
            "causal": causal,
        }

        def hcsf(name: str, width: int, frames_here: int, **options: Any) -> HCSF:
            # A kernel longer than the clip would only see its repeated edges.
            return HCSF(width, temporal_kernel=min(temporal_kernel, frames_here), name=name, **graph, **options)

        self.first = _Unit(hcsf("first", channels, frames), dropout, name="first_unit")
        self.pairs, frames_here, dilation = [], frames, 1
        for i, kernel in enumerate(self.kernels):
            a = hcsf(f"block{i}_a", channels, frames_here)
            if frames == 1:
                b = hcsf(f"block{i}_b", channels, 1)
            elif every_frame:
                b = TemporalConv(channels, kernel, dilation=dilation, causal=causal, name=f"block{i}_b")
            else:
                b = TemporalConv(channels, kernel, stride=kernel, name=f"block{i}_b")
                frames_here //= kernel
            dilation *= kernel
            self.pairs.append((_Unit(a, dropout, name=f"block{i}_a_unit"), _Unit(b, dropout, name=f"block{i}_b_unit")))
        self.units: list[Any] = [unit for pair in self.pairs for unit in pair]
        self.last = hcsf("last", 3, frames_here, dtype="float32")

    def build(self, input_shape: tuple) -> None:  # noqa: D102
        self._check(input_shape)
        shape: Any = self.input_axes
        for unit in (self.first, *self.units, self.last):
            unit.build(shape)
            shape = unit.compute_output_shape(shape)
        self.built = True

    def _check(self, shape: tuple) -> None:
        expected = (None if self.every_frame else self.frames, self.skeleton.num_joints, self.input_channels)
        found = tuple(shape[1:])
        if len(shape) != 4 or any(e is not None and f != e for e, f in zip(expected, found, strict=False)):
            shown = ("any" if self.every_frame else expected[0], *expected[1:])
            raise ValueError(
                f"keypoints must have the shape (batch, {shown[0]} frames, {shown[1]} joints of {self.skeleton.name}, "
                f"{shown[2]} channels). Received: {tuple(shape)}. For other joints use "
                f"skeletons.map_keypoints(keypoints, 'coco_17', '{self.skeleton.name}')."
            )

    def call(self, keypoints: Any, training: bool = False) -> Any:  # noqa: D102
        x = self.first(self.normalize(keypoints), training=training)
        for kernel, (a, b) in zip(self.kernels, self.pairs, strict=True):
            x = self._residual(x, kernel) + b(a(x, training=training), training=training)
        return self.last(x) * OUTPUT_UNIT_M

    def normalize(self, keypoints: Any) -> Any:
        """Input of the first layer, of the same shape: missing keypoints zeroed, in the model's keypoint frame."""
        self._check(keypoints.shape)
        if self.input_channels == 3:
            seen = keypoints[..., 2:] > 0
            keypoints = ops.where(seen, keypoints, ops.zeros_like(keypoints))
        return keypoints if self.person_frame is None else self.person_frame(keypoints)

    def _residual(self, x: Any, kernel: int) -> Any:
        """The frames that the output of a block belongs to: the middle of each stride, or its end if causal."""
        if self.every_frame or self.frames == 1:
            return x
        return x[:, (kernel - 1 if self.causal else kernel // 2) :: kernel]

    def compute_output_shape(self, input_shape: tuple) -> tuple:  # noqa: D102
        return (input_shape[0], input_shape[1] if self.every_frame else 1, self.skeleton.num_joints, 3)

    @property
    def input_axes(self) -> tuple[int | None, ...]:
        """(None, frames, joints, 2 or 3)."""
        return (None, self.frames, self.skeleton.num_joints, self.input_channels)


@keras.saving.register_keras_serializable("skelgnn_tf")
class _Unit(keras.layers.Layer):
    """A layer followed by batch norm, LeakyReLU(0.2) and dropout."""

    def __init__(self, layer: keras.layers.Layer, dropout: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.layer = layer
        self.norm = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name="norm")
        self.activation = keras.layers.LeakyReLU(0.2, name="activation")
        self.dropout = keras.layers.Dropout(dropout, name="dropout")

    def build(self, input_shape: tuple) -> None:
        self.layer.build(input_shape)
        self.norm.build(self.layer.compute_output_shape(input_shape))
        self.built = True

    def call(self, x: Any, training: bool = False) -> Any:
        return self.dropout(self.activation(self.norm(self.layer(x), training=training)), training=training)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return self.layer.compute_output_shape(input_shape)
