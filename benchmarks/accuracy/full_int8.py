"""What whole-integer files would lose: every operation in 8 bits, with and without 8-bit inputs and outputs, for NPUs.

The converter of TensorFlow quantizes all operations, with ranges from training clips; `export --quantize int8` leaves
those in float32 that need it. "phone" is the whole graph that is exported, from pixels to the result; "core" begins
after the normalization of the keypoints, which an app would have to compute. Scores are on windows of the test split.

Example: python benchmarks/accuracy/full_int8.py
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Callable
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from skelgnn_tf import checkpoints, skeletons
from skelgnn_tf.export.calibration import RealClips, load_real_clips
from skelgnn_tf.export.graph.phone_model import PhoneModel
from skelgnn_tf.export.verify import keras_poses, keras_probabilities
from skelgnn_tf.metrics import MM_PER_M, mpjpe
from skelgnn_tf.models import PoseLifter
from skelgnn_tf.quiet import quiet


def convert(run: Callable[..., Any], clips: RealClips, ends: tf.DType) -> bytes:
    """A file with all operations in 8 bits; `ends` is the type of its inputs and outputs."""
    specs = {name: tf.TensorSpec((1, *x.shape[1:]), tf.float32, name=name) for name, x in clips.inputs.items()}
    module = tf.Module()
    module.run = tf.function(lambda **inputs: {"output": run(**inputs)})
    with tempfile.TemporaryDirectory() as folder, quiet():
        tf.saved_model.save(module, folder, signatures=module.run.get_concrete_function(**specs))
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = ends
        converter.representative_dataset = lambda: (("serving_default", inputs) for inputs in clips.one_by_one())
        return converter.convert()


def normalized(phone: PhoneModel, clips: RealClips) -> RealClips:
    """What the core gets of each window."""
    seen, core = [], phone.core
    phone.core = lambda x: (seen.append(x), core(x))[1]
    phone.run(**{name: tf.constant(array) for name, array in clips.inputs.items()})
    phone.core = core
    return dataclasses.replace(clips, inputs={"x": seen[0].numpy()})


def outputs(content: bytes, clips: RealClips) -> np.ndarray:
    """The outputs (windows, ...) of a file in float32."""
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    inputs = {d["name"].removeprefix("serving_default_").split(":")[0]: d for d in interpreter.get_input_details()}
    (output,) = interpreter.get_output_details()
    found = []
    for window in clips.one_by_one():
        for name, details in inputs.items():
            interpreter.set_tensor(details["index"], _quantized(window[name], details))
        interpreter.invoke()
        value = interpreter.get_tensor(output["index"])
        if output["dtype"] == np.int8:
            scale, zero = output["quantization"]
            value = (value.astype(np.float32) - zero) * scale
        found.append(value)
    return np.concatenate(found)


def _quantized(array: np.ndarray, details: dict) -> np.ndarray:
    if details["dtype"] == np.float32:
        return array
    scale, zero = details["quantization"]
    return np.clip(np.round(array / scale) + zero, -128, 127).astype(np.int8)


def compare(name: str, layout: str) -> None:
    """Prints the scores of one model: of Keras, and of each whole-integer file that runs."""
    loaded, joints = checkpoints.load(name), skeletons.get(layout)
    model, phone = loaded.model, PhoneModel(loaded.model, loaded.config, joints)
    training, test = load_real_clips(loaded, joints)
    if training is None or test.truth is None:
        raise click.ClickException(f"{name} must have been trained on data that are on this machine.")
    lifter, output = isinstance(model, PoseLifter), next(iter(phone.outputs))
    expected = (keras_poses(model, joints, False, test.inputs) if lifter
                else keras_probabilities(model, joints, test.inputs))  # fmt: skip

    def whole(**inputs: Any) -> Any:
        return phone.run(**inputs)[output]

    def core(x: Any) -> Any:
        result = phone.core(x)
        return result - result[:, :, model.skeleton.root : model.skeleton.root + 1] if lifter else tf.nn.softmax(result)

    def show(row: str, found: np.ndarray) -> None:
        if lifter:
            moved = np.percentile(np.linalg.norm(found - expected, axis=-1).mean(axis=(1, 2)), 99) * MM_PER_M
            score = float(mpjpe(found, test.truth).mean()) * MM_PER_M
            click.echo(f"{name}, {row}: MPJPE {score:.1f} mm, 99 % of poses move by at most {moved:.1f} mm")
        else:
            click.echo(f"{name}, {row}: top-1 {100 * float((found.argmax(axis=1) == test.truth).mean()):.1f} %")

    show("Keras", expected)
    parts = {"phone": (whole, training, test), "core": (core, normalized(phone, training), normalized(phone, test))}
    for part, (run, calibration, windows) in parts.items():
        for ends in (tf.float32, tf.int8):
            row = f"{part}, {ends.name} ends"
            try:
                show(row, outputs(convert(run, calibration, ends), windows))
            except RuntimeError as error:
                click.echo(f"{name}, {row}: does not run: {str(error).splitlines()[0]}")


@click.command()
@click.argument("models", nargs=-1)
@click.option("--layout", default="blazepose_33", show_default=True, help="Joints of the keypoints.")
def main(models: tuple[str, ...], layout: str) -> None:
    """Compares Keras with whole-integer files of MODELS, by default of both presets."""
    for name in models or ("fitness_9f", "exercises_2d"):
        compare(name, layout)


if __name__ == "__main__":
    main()
