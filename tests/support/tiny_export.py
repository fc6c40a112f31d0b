"""Tiny models for the export tests, what a detector might give them, and each exported file once for all tests."""

import functools

import keras
import numpy as np

from skelgnn_tf.checkpoints import LoadedModel
from skelgnn_tf.configs import ActionConfig, LiftConfig
from skelgnn_tf.export.graph.phone_model import PhoneModel
from skelgnn_tf.models.build import build_model
from skelgnn_tf.skeletons import ALL
from support import oracles

CLASSES = ("jump", "rest", "squat")
IMAGE_SIZE = (640, 480)


def lift_config(**options):
    """A lifter of four channels, for a phone unless said otherwise."""
    phone = {"frames": 3, "channels": 4, "squeeze": 0.5, "confidence": True, "keypoint_frame": "person", "flip": False}
    return LiftConfig(**phone | options)


def action_config(**options):
    """A recognizer of keypoints, of four to twelve channels."""
    small = {
        "input": "keypoints", "skeleton": "coco_17", "frames": 8, "persons": 1, "size": "small",
        "channels": 4, "squeeze": 0.5, "normalization": "box", "sampling": "window", "fps": 0.0,
    }  # fmt: skip
    return ActionConfig(**small | options)


@functools.cache
def lived_in(config, seed=0):
    """A model whose every weight matters: fresh ones hold zeros and ones that would hide what is left out.

    Weights are small enough for activations to stay near one, as in a trained model, so that a tolerance means much.
    """
    keras.utils.set_random_seed(seed)
    model = build_model(config, CLASSES if config.task == "action" else ())
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        name, shape = weight.path, tuple(weight.shape)
        if "seed" in name or "int" in str(weight.dtype):
            continue
        if "variance" in name or "gamma" in name:
            weight.assign(rng.uniform(0.5, 1.5, shape))
        elif len(shape) < 2 or name.endswith("/b"):
            weight.assign(rng.normal(size=shape) * 0.3)
        else:
            # Fresh ones are small, for batch norm to widen what they make.
            weight.assign(2 * weight + rng.normal(size=shape) * 0.05)
    if config.task == "action":
        _spread(model, rng)
    return model


def _spread(model, rng):
    """Scores of unit spread over clips: far apart, softmax would hide every difference."""
    clips = rng.uniform(-1, 1, (16, *model.input_axes[1:]))
    if model.input_channels == model.dims + 1:
        clips[..., -1] = 1
    scores = np.asarray(model(clips.astype(np.float32)))
    spread = scores.std(axis=0).max()
    model.dense.kernel.assign(model.dense.kernel / spread)
    model.dense.bias.assign((model.dense.bias - scores.mean(axis=0)) / spread)


def loaded(config):
    """The model of a config as `checkpoints.load` returns it."""
    return LoadedModel("tiny", lived_in(config), config)


def phone(config, layout="coco_17", flip=False, **options):
    """The model of a config as a phone has it."""
    return PhoneModel(lived_in(config), config, ALL[layout] if layout else None, flip, **options)


def detected(shape, seed=0, missing=0.3):
    """What a detector gives in a picture of IMAGE_SIZE: float32 (*shape, frames, joints, 3); missing ones anywhere."""
    rng = np.random.default_rng(seed)
    keypoints = rng.uniform((150, 80, 0.2), (500, 420, 1), (*shape, 3))
    gone = rng.random(shape) < missing
    keypoints[gone] = rng.uniform((-900, -900, 0), (900, 900, 0), (gone.sum(), 3))
    return keypoints.astype(np.float32)


def inputs_of(phone_model, batch=1, seed=0):
    """Inputs of a phone model by name; the first window is seen in full, in the last nothing is seen at all."""
    shape = next(iter(phone_model.inputs.values()))[1:]
    if "pose_m" in phone_model.inputs:
        rng = np.random.default_rng(seed)
        pose = rng.uniform((-1, -1, 2), (1, 1, 4), (batch, *shape))
        return {"pose_m": pose.astype(np.float32)}
    keypoints = detected((batch, *shape[:-1]), seed)
    if batch > 1:
        keypoints[0] = detected(shape[:-1], seed, missing=0)
        keypoints[-1, ..., 2] = 0
    return {"keypoints": keypoints, "image_size": np.tile(np.float32(IMAGE_SIZE), (batch, 1))}


def each(inputs):
    """Inputs of any batch one by one."""
    for i in range(len(next(iter(inputs.values())))):
        yield {name: array[i : i + 1] for name, array in inputs.items()}


def tflite(config, layout="coco_17", flip=False, quantization="none"):
    """Content of the config's `.tflite` file."""
    return _tflite(config, layout, flip, quantization)


def onnx(config, layout="coco_17", flip=False, quantization="none"):
    """Content of the config's `.onnx` file."""
    return _onnx(config, layout, flip, quantization)


# A conversion takes seconds, and a cache takes f(x) and f(x=x) for different calls.
@functools.cache
def _tflite(config, layout, flip, quantization):
    from skelgnn_tf.export.formats import tflite
    from skelgnn_tf.export.quantization import calibrated

    model = phone(config, layout, flip)
    clips = calibration(config, layout) if quantization in ("int8", "int16x8") else None
    if quantization == "int8":
        model = calibrated(model, clips)
    return tflite.convert(model, quantization, clips.one_by_one() if clips else ())


@functools.cache
def _onnx(config, layout, flip, quantization):
    from skelgnn_tf.export.formats import onnx

    return onnx.convert(phone(config, layout, flip), quantization, calibration(config, layout))


def calibration(config, layout="coco_17", windows=40):
    """Inputs as calibration clips."""
    from skelgnn_tf.export.calibration import RealClips

    return RealClips("drawn", inputs_of(phone(config, layout), windows, seed=7), None)


def norm(channels, seed=0):
    """A batch norm of (b, t, j, channels) that has seen data."""
    layer = keras.layers.BatchNormalization(epsilon=1e-5)
    layer.build((None, None, None, channels))
    return oracles.randomize(layer, seed)
