"""What an app must know of an exported file: model.json, which is also inside the file, and golden.json."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from pathlib import Path

import keras
import numpy as np

from skelgnn_tf import __version__
from skelgnn_tf.configs.config import Config
from skelgnn_tf.export.calibration import RealClips
from skelgnn_tf.export.graph.phone_model import PhoneModel
from skelgnn_tf.inference.runner import Runner
from skelgnn_tf.models import PoseLifter
from skelgnn_tf.models.base import find_preset

#: Of the contract; rises when an app that reads the older one would go wrong.
FORMAT = 1
_CAMERA_AXES = "x right, y down, z forward (away from the camera)"
_MEANING = {
    "keypoints": {"unit": "x and y in pixels, confidence 0..1", "axes": "x right, y down; 0: missing"},
    "image_size": {"unit": "width and height in pixels"},
    "pose_m": {"unit": "metres", "axes": _CAMERA_AXES},
    "confidence": {"unit": "0..1, of the keypoints that the pose stands on"},
    "probabilities": {"unit": "0..1, in the order of classes"},
    "state": {"unit": "zeros before the first frame, then what the last step gave"},
}
_PACKAGES = (
    "tensorflow", "keras", "tensorflow-model-optimization", "ai-edge-litert", "tf2onnx", "onnx", "onnxruntime",
)  # fmt: skip
#: How many inputs golden.json has.
_GOLDEN = 3


def describe(phone: PhoneModel, config: Config, name: str, path: Path | str, fps: float = 0.0) -> dict:
    """The contract; signatures as of a float `.tflite` file, other files have their own.

    Args:
        phone: What is exported.
        config: Of the model's run.
        name: What the model is called.
        path: What was exported: run folder, `.keras` file or preset.
        fps: Frames a second of the clips that it was trained on; 0 if that is not known.
    """
    model, lifts = phone.model, isinstance(phone.model, PoseLifter)
    joints, about = phone.layout or model.skeleton, _metadata(path)
    return {
        "format": FORMAT,
        "name": name,
        "task": config.task,
        "keypoint_layout": None if phone.layout is None else phone.layout.name,
        "keypoint_joints": None if phone.layout is None else list(joints.joints),
        "inputs": _tensors(phone.inputs),
        "outputs": _tensors(phone.outputs),
        "signatures": signatures(phone, "model.tflite", "none"),
        "skeleton": model.skeleton.get_config(),
        "frames": model.frames,
        # The rate of a window's frames; 0: as they come.
        "fps": config.fps,
        "persons": 1 if lifts else model.persons,
        "causal": model.causal if lifts else True,
        "look_ahead_frames": 0 if not lifts or model.causal else model.frames // 2,
        "flip": phone.flip,
        "classes": [] if lifts else list(model.classes),
        "sampling": None if lifts else config.sampling,
        "protocol": config.protocol,
        "keypoint_frame": config.keypoint_frame if lifts else model.clip_frame.normalization,
        "training_data": about.get("trained_on", ", ".join(config.dataset)),
        "training": {
            "fps": fps,
            "keypoints": config.keypoints,
            "epochs": config.epochs,
            "from": config.start,
            "quantize_aware": config.quantize_aware,
            "prune": config.prune,
        },
        "licence": about.get("licence", "that of whoever trained it, and of the training data"),
        "weights": int(model.count_params()),
        "weights_sha256": weights_sha256(model),
        "versions": {"skelgnn-tf": __version__} | {name: importlib.metadata.version(name) for name in _PACKAGES},
    }


def signatures(phone: PhoneModel, file: str, quantization: str) -> dict:
    """What one of the files can be called with: a window, and in TFLite a causal lifter's `step`.

    16-bit files have no `step`: the converter mixes up the ranges of two signatures.
    """
    found = {"serving_default": _signature(phone.inputs, phone.outputs)}
    if phone.step_inputs and file.endswith(".tflite") and quantization != "int16x8":
        outputs = {n: (1, 1, *shape[2:]) for n, shape in phone.outputs.items()} | {"state": phone.step_inputs["state"]}
        found["step"] = _signature(phone.step_inputs, outputs)
    return found


def _signature(inputs: dict, outputs: dict) -> dict:
    return {"inputs": {n: list(s) for n, s in inputs.items()}, "outputs": {n: list(s) for n, s in outputs.items()}}


def _tensors(shapes: dict) -> dict:
    return {name: {"shape": list(shape)} | _MEANING[name] for name, shape in shapes.items()}


def _metadata(path: Path | str) -> dict:
    """What a preset says of itself; nothing for other models."""
    folder = find_preset(path)
    return {} if folder is None else json.loads((folder / "metadata.json").read_text())


def weights_sha256(model: keras.Model) -> str:
    """One number for all weights, in the order of the model."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()


def golden(file: Path, clips: RealClips) -> dict:
    """Real inputs of the first, the middle and the last clip, and what the file makes of them."""
    runner, cases = Runner(file), []
    for i in np.linspace(0, len(clips) - 1, _GOLDEN).round().astype(int):
        inputs = {name: array[i : i + 1] for name, array in clips.inputs.items()}
        outputs = runner.run(**inputs)
        cases.append({"inputs": _lists(inputs), "outputs": _lists(outputs)})
    return {"file": file.name, "clips": clips.about, "cases": cases}


def _lists(arrays: dict[str, np.ndarray]) -> dict:
    return {name: np.asarray(array).tolist() for name, array in arrays.items()}
