"""PhoneModel: from the keypoints of a detector to poses or probabilities, as one TensorFlow function of static shapes.

keypoints in pixels -> joint map -> normalization -> streams -> model -> pose or probabilities. An app passes in what
its detector returns and does nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from skelgnn_tf.configs import ActionConfig, LiftConfig
from skelgnn_tf.export.graph import frames
from skelgnn_tf.export.graph.layers import FLOAT, Float, Function, above_zero, folded, hcsf, temporal_conv, value
from skelgnn_tf.layers import HCSF
from skelgnn_tf.models import ActionRecognizer, PoseLifter
from skelgnn_tf.models.pose_lifter import OUTPUT_UNIT_M
from skelgnn_tf.skeletons import Skeleton, joint_map

#: {name of a tensor: shape}.
Shapes = dict[str, tuple[int, ...]]
#: What graphs of keypoints and of poses make of odd inputs, and what is left to the caller (`inference.guards`).
_KEYPOINT_GUARDS = {
    "graph": ["confidence above 1 counts as 1", "image_size below 1 counts as 1"],
    "caller": [
        "set a keypoint to zeros if a coordinate is not finite or its confidence is not above 0, also inside state",
        "pass coordinates in pixels, confidence in 0..1, and the size of the picture, finite and above 0",
    ],
}
_POSE_GUARDS: dict[str, list[str]] = {"graph": [], "caller": ["pass finite poses, and zeros for an absent person"]}
#: Blocks of a recognizer whose graph convolutions keep their precision: the first one takes coordinates, and rounding
#: the second one made up half of the error of int8 in three trained recognizers, for 2 % of the file's size.
_FLOAT_BLOCKS = 2


class PhoneModel(tf.Module):
    """A trained model, together with everything between a detector and the model.

    Args:
        model: PoseLifter or ActionRecognizer.
        config: Config of its run.
        layout: Joints of the detector; None for a recognizer of 3D poses, which takes poses of its own joints.
        flip: Average a lifter's poses with those of the mirrored keypoints, at twice the cost.
        quantizer: Rounds the inputs, outputs and weights of quantized operations.

    Attributes:
        inputs: {name: shape} of `run`, batch 1: `keypoints` (1, frames, joints, 3: x, y in pixels, confidence; two
            persons: (1, 2, frames, joints, 3)) and `image_size` (1, 2: width, height in pixels), or `pose_m`
            (1, persons, frames, joints, 3: meters, camera axes).
        outputs: {name: shape} of `run`: `pose_m` (1, 1 or frames, joints, 3: meters, camera axes, root at the origin)
            and `confidence` (1, 1 or frames, joints), or `probabilities` (1, classes).
        step_inputs: {name: shape} of `step`, which only causal lifters have; empty for other models.
        guards: `graph`, what the graph makes of inputs out of range, and `caller`, what it relies on.

    Raises:
        ValueError: A layout that lacks joints of the model, a lifter of the pixel protocol, or flips of a recognizer.

    Example:
        >>> loaded = checkpoints.load("fitness_9f")  # doctest: +SKIP
        >>> PhoneModel(loaded.model, loaded.config, skeletons.BLAZEPOSE_33).inputs["keypoints"]  # doctest: +SKIP
        (1, 9, 33, 3)
    """

    def __init__(
        self,
        model: PoseLifter | ActionRecognizer,
        config: LiftConfig | ActionConfig,
        layout: Skeleton | None,
        flip: bool = False,
        quantizer: Float = FLOAT,
    ) -> None:
        super().__init__(name="phone")
        _check(model, config, layout, flip)
        self.model: Any = model
        self.config, self.layout, self.flip = config, layout, flip
        core: Any = lifter_core if isinstance(model, PoseLifter) else recognizer_core
        self.core: Function = core(model, quantizer)
        self.inputs, self.outputs = _input_shapes(model, layout), _output_shapes(model)
        self.guards = _POSE_GUARDS if layout is None else _KEYPOINT_GUARDS
        self.step_inputs: Shapes = {}
        if isinstance(model, PoseLifter) and model.causal and model.frames > 1:
            joints = self.inputs["keypoints"][-2]
            self.step_inputs = {
                "keypoints": (1, 1, joints, 3),
                "image_size": (1, 2),
                "state": (1, model.frames - 1, joints, 4),
            }

    def run(self, **inputs: Any) -> dict[str, Any]:
        """`inputs` -> `outputs`, with any batch size."""
        if self.layout is None:
            return {"probabilities": _softmax(self.core(inputs["pose_m"]))}
        run = self._lift if isinstance(self.model, PoseLifter) else self._recognize
        return run(inputs["keypoints"], inputs["image_size"])

    def step(self, keypoints: Any, image_size: Any, state: Any) -> dict[str, Any]:
        """One more frame of a causal lifter.

        Args:
            keypoints: (b, 1, joints, 3), the new frame.
            image_size: (b, 2).
            state: (b, frames - 1, joints, 4): the previous frames, and 1 where there was one; zeros at the start.

        Returns:
            `pose_m` (b, 1, joints, 3) and `confidence` (b, 1, joints) of the new frame, and the next `state`.
        """
        past, there = state[..., :3], state[..., 3:]
        # Before the start of a clip its first frame repeats, as in `windows.lift`.
        begins = tf.concat([there[:, 1:], there[:, :1] * 0.0 + 1.0], axis=1) - there
        first = tf.reduce_sum(tf.concat([past[:, 1:], keypoints], axis=1) * begins, axis=1, keepdims=True)
        first = there[:, :1] * past[:, :1] + (1.0 - there[:, :1]) * first
        window = tf.concat([past * there + first * (1.0 - there), keypoints], axis=1)
        outputs = self._lift(window, image_size)
        new = tf.concat([keypoints, keypoints[..., :1] * 0.0 + 1.0], axis=-1)
        return {name: out[:, -1:] for name, out in outputs.items()} | {"state": tf.concat([state[:, 1:], new], axis=1)}

    def _lift(self, keypoints: Any, image_size: Any) -> dict[str, Any]:
        model = self.model
        with tf.name_scope("keypoints"):
            # The size of the picture is used for every keypoint frame, so that the input stays in the file.
            keypoints = frames.map_joints(frames.screen(keypoints, image_size), self.layout, model.skeleton)
            xy, confidence = keypoints[..., :2], keypoints[..., 2:]
            seen = above_zero(confidence)
            xy = xy * seen
            # A model without confidence cannot tell which keypoints are missing. On the screen, a window without any
            # keypoint is in the middle of the picture, as in training.
            xy, seen = (xy, seen) if model.input_channels == 3 else (frames.fill(xy, seen), seen * 0.0 + 1.0)
            if model.person_frame is not None:
                xy = frames.person_frame(xy, seen)
            x = xy if model.input_channels == 2 else tf.concat([xy, confidence * seen], axis=-1)
        pose = self._flipped(x) if self.flip else self.core(x)
        pose = pose - pose[:, :, model.skeleton.root : model.skeleton.root + 1]
        if not model.every_frame:
            ahead = 0 if model.causal else model.frames // 2
            confidence = confidence[:, model.frames - 1 - ahead : model.frames - ahead]
        return {"pose_m": pose, "confidence": tf.reshape(confidence, (-1, *confidence.shape[1:3]))}

    def _flipped(self, x: Any) -> Any:
        skeleton = self.model.skeleton
        swap = np.eye(skeleton.num_joints)[list(skeleton.mirror)]

        def mirrored(v: Any) -> Any:
            v = frames.along_joints(v, swap)
            return tf.concat([v[..., :1] * -1.0, v[..., 1:]], axis=-1)

        return (self.core(x) + mirrored(self.core(mirrored(x)))) * 0.5

    def _recognize(self, keypoints: Any, image_size: Any) -> dict[str, Any]:
        model = self.model
        with tf.name_scope("keypoints"):
            # The frames of one person after those of the other, (b, p * t, j, 3), until the model separates them.
            flat = tf.reshape(keypoints, (-1, model.persons * model.frames, *keypoints.shape[-2:]))
            flat = frames.map_joints(frames.screen(flat, image_size), self.layout, model.skeleton)
            xy, confidence = flat[..., :2], flat[..., 2:]
            seen = above_zero(confidence)
            xy = xy * seen
            x = xy if model.input_channels == 2 else tf.concat([xy, confidence * seen], axis=-1)
            x = tf.reshape(x, (-1, *model.input_axes[1:]))
        return {"probabilities": _softmax(self.core(x))}


def _softmax(scores: Any) -> Any:
    """(b, classes) to probabilities, over the last of three axes: of two, pnnx (for ncnn) takes the first."""
    classes = scores.shape[-1]
    return tf.reshape(tf.nn.softmax(tf.reshape(scores, (-1, 1, classes))), (-1, classes))


def _check(
    model: PoseLifter | ActionRecognizer, config: LiftConfig | ActionConfig, layout: Skeleton | None, flip: bool
) -> None:
    """Raises ValueError for what cannot be exported together."""
    if isinstance(config, LiftConfig) and config.protocol == "pixel":
        raise ValueError(
            "the model must be trained with --protocol camera. Received: --protocol pixel. It predicts pixels, which "
            "become meters only with the true depth of the root, and a phone does not know that."
        )
    if flip and not isinstance(model, PoseLifter):
        raise ValueError("--flip must be used with a pose lifter. Received: an action recognizer. Leave --flip out.")
    takes_poses = isinstance(config, ActionConfig) and config.input == "pose"
    if layout is not None and takes_poses:
        raise ValueError(
            f"--keypoint-layout must be left out for a recognizer of 3D poses. Received: {layout.name}. Its input is "
            f"poses of its own joints ({model.skeleton.name})."
        )
    if layout is None and not takes_poses:
        raise ValueError(
            "layout must be the joints of the keypoints. Received: None. Pass a skeleton, such as COCO_17."
        )
    if layout is not None:
        joint_map(layout, model.skeleton)  # names the joints that are missing


def _input_shapes(model: Any, layout: Skeleton | None) -> Shapes:
    if layout is None:
        return {"pose_m": (1, *model.input_axes[1:])}
    persons = () if isinstance(model, PoseLifter) or model.persons == 1 else (model.persons,)
    return {"keypoints": (1, *persons, model.frames, layout.num_joints, 3), "image_size": (1, 2)}


def _output_shapes(model: Any) -> Shapes:
    if not isinstance(model, PoseLifter):
        return {"probabilities": (1, len(model.classes))}
    shape = (1, model.frames if model.every_frame else 1, model.skeleton.num_joints)
    return {"pose_m": (*shape, 3), "confidence": shape}


def lifter_core(model: PoseLifter, quantizer: Float = FLOAT) -> Function:
    """PoseLifter at inference, after its keypoint frame: (b, t, j, 2 or 3) -> meters (b, 1 or t, j, 3)."""

    def unit(layer: Any, name: str, inside: Float = quantizer) -> Function:
        inner, slope = layer.layer, layer.activation.negative_slope
        product = (hcsf if isinstance(inner, HCSF) else temporal_conv)(inner, layer.norm, inside, name)
        return lambda x: quantizer.activation(
            f"{name}/out", tf.nn.leaky_relu(inside.activation(f"{name}/sum", product(x)), slope)
        )

    # The first layer takes coordinates and the last one returns them. Both are small and keep their precision.
    first = unit(model.first, "first", FLOAT)
    blocks = [
        (kernel, unit(a, f"block{i}_a"), unit(b, f"block{i}_b"))
        for i, (kernel, (a, b)) in enumerate(zip(model.kernels, model.pairs, strict=True))
    ]
    last = hcsf(model.last, None, FLOAT, "last")

    def residual(x: Any, kernel: int) -> Any:
        if model.every_frame or kernel == 1:
            return x
        _, t, j, c = x.shape
        at = kernel - 1 if model.causal else kernel // 2
        return tf.reshape(tf.reshape(x, (-1, kernel, j, c))[:, at : at + 1], (-1, t // kernel, j, c))

    def call(x: Any) -> Any:
        x = first(x)
        for i, (kernel, a, b) in enumerate(blocks):
            x = quantizer.activation(f"block{i}/out", residual(x, kernel) + b(a(x)))
        return last(x) * OUTPUT_UNIT_M

    return call


def recognizer_core(model: ActionRecognizer, quantizer: Float = FLOAT) -> Callable[..., Any]:
    """ActionRecognizer at inference: (b, p, t, j, channels) -> logits (b, classes).

    With training=True its random affine maps take part, and nothing else of what training does.
    """
    channels, joints = model.input_channels, model.skeleton.num_joints
    scale, shift = folded(model.input_norm)
    blocks = [
        _block(block, quantizer, f"block{i}", FLOAT if i < _FLOAT_BLOCKS else quantizer)
        for i, block in enumerate(model.blocks)
    ]
    kernel, bias = value(model.dense.kernel), value(model.dense.bias)

    def call(x: Any, training: bool = False) -> Any:
        x, present = _clip(model, x, training)
        x = tf.reshape(x, (-1, model.frames, joints * channels)) * scale + shift
        x = tf.reshape(x, (-1, model.frames, joints, channels))
        for block in blocks:
            x = block(x)
        x = tf.reshape(tf.reduce_mean(x, axis=(1, 2)), (-1, model.persons, x.shape[-1]))
        count = tf.maximum(tf.reduce_sum(present, axis=1, keepdims=True), 1.0)
        x = tf.reduce_sum(x * (present / count), axis=1)
        return tf.matmul(x, kernel) + bias

    return call


def _clip(model: ActionRecognizer, x: Any, training: bool) -> tuple[Any, Any]:
    """The normalized stream (b * p, t, j, channels), and 1 for each person who is present (b, p, 1)."""
    _, p, t, j, channels = x.shape
    if model.clip_frame.normalization == "box" and channels > model.dims:
        flat = tf.reshape(x, (-1, p * t, j, channels))
        seen = above_zero(flat[..., -1:])
        flat = tf.concat([frames.clip_box(flat[..., :-1], seen), flat[..., -1:] * seen], axis=-1)
    else:
        # Rare normalizations keep the Keras layer: TFLite has its operations, but XNNPACK not all of them.
        flat = model.clip_frame(x)
        seen = x[..., -1:] if channels > model.dims else tf.reduce_sum(tf.abs(x), axis=-1, keepdims=True)
        seen = above_zero(seen)
    flat = model.affine(tf.reshape(flat, (-1, p, t, j, channels)), training=training)
    present = tf.reduce_max(tf.reshape(seen, (-1, p, t * j, 1)), axis=2)
    return frames.stream(model.features, tf.reshape(flat, (-1, t, j, channels))), present


def _block(block: Any, quantizer: Float, name: str, first: Float) -> Function:
    """A block of ActionRecognizer: (b, t, j, c) -> (b, t, j, d)."""
    graph = hcsf(block.hcsf, block.hcsf_norm, first, f"{name}/hcsf")
    conv = temporal_conv(block.conv, block.conv_norm, quantizer, f"{name}/conv")
    skip = (
        temporal_conv(block.skip, block.skip_norm, quantizer, f"{name}/skip")
        if block.residual == "projection"
        else None
    )

    def call(x: Any) -> Any:
        y = conv(quantizer.activation(f"{name}/between", tf.nn.relu(graph(x))))
        if block.residual != "none":
            skipped = x if skip is None else quantizer.activation(f"{name}/skip", skip(x))
            y = quantizer.activation(f"{name}/conv", y) + skipped
        return quantizer.activation(f"{name}/out", tf.nn.relu(y))

    return call
