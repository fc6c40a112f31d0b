"""What an app must know of an exported model: contract.json, which is also inside each file."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np

from skelgnn_tf import __version__
from skelgnn_tf.checkpoints import find_preset
from skelgnn_tf.configs import LiftConfig
from skelgnn_tf.export.graph.phone_model import PhoneModel, Shapes
from skelgnn_tf.inference.runner import FORMAT

_CAMERA_AXES = "x right, y down, z forward (away from the camera)"
_MEANING = {
    "keypoints": {"unit": "x and y in pixels, confidence 0..1", "axes": "x right, y down; 0: missing"},
    "image_size": {"unit": "width and height in pixels"},
    "pose_m": {"unit": "metres", "axes": _CAMERA_AXES},
    "confidence": {"unit": "0..1, of the keypoints that the pose stands on"},
    "probabilities": {"unit": "0..1, in the order of classes"},
    "state": {"unit": "zeros before the first frame, then what the last step gave"},
}
#: Of the runtimes that were tried, the first that gives the right numbers for all of the presets' `.tflite` files, as
#: do all later ones (docs/export.md); and {opset: the first onnxruntime that opens it}.
_LITERT, _ONNXRUNTIME = "1.3.0", {17: "1.12.0"}
_PACKAGES = (
    "tensorflow", "keras", "tensorflow-model-optimization", "ai-edge-litert", "tf2onnx", "onnx", "onnxruntime",
)  # fmt: skip


def describe(phone: PhoneModel, name: str, path: Path | str, fps: float = 0.0) -> dict[str, Any]:
    """The contract of a model, with the signatures of a float32 `.tflite` file; other files have their own.

    Args:
        phone: The model to export.
        name: Name of the model.
        path: What is exported: run folder, `.keras` file or preset. A preset tells its license and training data.
        fps: Frames per second of the clips that the model was trained on; 0 if unknown.

    Returns:
        What contract.json holds, without `files`.
    """
    model, config, about = phone.model, phone.config, _preset_metadata(path)
    return {
        "format": FORMAT,
        "name": name,
        "task": config.task,
        "keypoint_layout": None if phone.layout is None else phone.layout.name,
        "keypoint_joints": None if phone.layout is None else list(phone.layout.joints),
        "inputs": _tensors(phone.inputs),
        "outputs": _tensors(phone.outputs),
        "signatures": signatures(phone, "model.tflite", "none"),
        "skeleton": model.skeleton.get_config(),
        "frames": model.frames,
        # Of the frames of a window; 0 keeps the rate of the source.
        "fps": config.fps,
        **_describe_task(phone),
        "training_data": about.get("trained_on", ", ".join(config.dataset)),
        "training": {
            "fps": fps,
            "keypoints": config.keypoints if isinstance(config, LiftConfig) else None,
            "epochs": config.epochs,
            "from": config.start,
            "quantize_aware": config.quantize_aware,
            "prune": config.prune,
        },
        "licence": about.get("license") or about.get("licence", "that of whoever trained it, and of the training data"),
        "weights": int(model.count_params()),
        "weights_sha256": weights_sha256(model),
        "versions": {"skelgnn-tf": __version__} | {name: importlib.metadata.version(name) for name in _PACKAGES},
    }


def _describe_task(phone: PhoneModel) -> dict[str, Any]:
    """Entries whose meaning differs between lifters and recognizers."""
    model, config = phone.model, phone.config
    if isinstance(config, LiftConfig):
        return {
            "persons": 1,
            "causal": model.causal,
            "look_ahead_frames": 0 if model.causal else model.frames // 2,
            "flip": phone.flip,
            "classes": [],
            "sampling": None,
            "protocol": config.protocol,
            "keypoint_frame": config.keypoint_frame,
        }
    return {
        "persons": model.persons,
        "causal": True,
        "look_ahead_frames": 0,
        "flip": phone.flip,
        "classes": list(model.classes),
        "sampling": config.sampling,
        "protocol": None,
        "keypoint_frame": model.clip_frame.normalization,
    }


def signatures(phone: PhoneModel, file: str, quantization: str) -> dict[str, Any]:
    """Inputs and outputs of what a file can be called with: a window, and in `.tflite` a causal lifter's `step`.

    16-bit files have no `step`: the converter mixes up the ranges of two signatures.

    Args:
        phone: The model to export.
        file: Name of the file.
        quantization: Quantization of the file.

    Returns:
        {name of the signature: {"inputs" or "outputs": {name: shape}}}.
    """
    found = {"serving_default": _signature(phone.inputs, phone.outputs)}
    if phone.step_inputs and file.endswith(".tflite") and quantization != "int16x8":
        outputs = {name: (1, 1, *shape[2:]) for name, shape in phone.outputs.items()}
        found["step"] = _signature(phone.step_inputs, outputs | {"state": phone.step_inputs["state"]})
    return found


def minimum_runtime(file: str, content: bytes) -> dict[str, str]:
    """The oldest runtime that a file is right in.

    The converter notes the TensorFlow Lite whose operators a `.tflite` file needs. Older runtimes refuse the file, but
    from that version on until LiteRT 1.3 some open it and give wrong numbers.

    Args:
        file: Name of the file.
        content: The converted file.

    Returns:
        `name` and `version` of the runtime; of a `.tflite` file also `operators_since`, the TensorFlow Lite that has
        all of its operators.
    """
    if file.endswith(".onnx"):
        import onnx

        opsets = {entry.domain: entry.version for entry in onnx.load_from_string(content).opset_import}
        return {"name": "onnxruntime", "version": _ONNXRUNTIME[opsets[""]]}
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    buffer = next(entry.buffer for entry in model.metadata if entry.name == b"min_runtime_version")
    operators = bytes(model.buffers[buffer].data).rstrip(b"\0").decode()
    return {"name": "LiteRT", "version": _LITERT, "operators_since": operators}


def _signature(inputs: Shapes, outputs: Shapes) -> dict[str, dict[str, list[int]]]:
    return {
        ends: {name: list(shape) for name, shape in shapes.items()}
        for ends, shapes in (("inputs", inputs), ("outputs", outputs))
    }


def _tensors(shapes: Shapes) -> dict[str, Any]:
    return {name: {"shape": list(shape)} | _MEANING[name] for name, shape in shapes.items()}


def _preset_metadata(path: Path | str) -> dict[str, Any]:
    """The metadata of a preset; empty for other models."""
    folder = find_preset(path)
    return {} if folder is None else json.loads((folder / "metadata.json").read_text(encoding="utf-8"))


def weights_sha256(model: keras.Model) -> str:
    """Hash of all weights in the order of the model."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()
