"""What whole-integer files would lose: every operation in 8 bits, with and without 8-bit inputs and outputs, for NPUs.

The converter of TensorFlow quantizes all operations, with ranges from training clips; `export --quantize int8` leaves
those in float32 that need it. Losses are on windows of the test split. The state of `step` is left out.

Example: python benchmarks/accuracy/full_int8.py
"""

from __future__ import annotations

import os
import tempfile

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


def convert(phone: PhoneModel, clips: RealClips, ends: tf.DType) -> bytes:
    """A file with all operations in 8 bits; `ends` is the type of its inputs and outputs."""
    specs = {name: tf.TensorSpec(shape, tf.float32, name=name) for name, shape in phone.inputs.items()}
    output = next(iter(phone.outputs))
    run = tf.function(lambda **inputs: {output: phone.run(**inputs)[output]}).get_concrete_function(**specs)
    with tempfile.TemporaryDirectory() as folder, quiet():
        tf.saved_model.save(phone, folder, signatures={"serving_default": run})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = ends
        converter.representative_dataset = lambda: (("serving_default", inputs) for inputs in clips.one_by_one())
        return converter.convert()


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


@click.command()
@click.argument("models", nargs=-1)
@click.option("--layout", default="blazepose_33", show_default=True)
def main(models: tuple[str, ...], layout: str) -> None:
    """Prints the score of Keras, of whole-integer files with float32 ends, and of those with 8-bit ends."""
    for name in models or ("fitness_9f", "exercises_2d"):
        loaded, joints = checkpoints.load(name), skeletons.get(layout)
        phone = PhoneModel(loaded.model, loaded.config, joints)
        training, test = load_real_clips(loaded, joints)
        assert training is not None and test.truth is not None
        if isinstance(loaded.model, PoseLifter):
            expected = keras_poses(loaded.model, joints, False, test.inputs)
        else:
            expected = keras_probabilities(loaded.model, joints, test.inputs)
        rows = {"Keras": expected}
        for ends in (tf.float32, tf.int8):
            rows[f"8 bits, {ends.name} ends"] = outputs(convert(phone, training, ends), test)
        for row, found in rows.items():
            if isinstance(loaded.model, PoseLifter):
                moved = np.percentile(np.linalg.norm(found - expected, axis=-1).mean(axis=(1, 2)), 99) * MM_PER_M
                score = float(mpjpe(found, test.truth).mean()) * MM_PER_M
                click.echo(f"{name}, {row}: MPJPE {score:.1f} mm, 99 % of poses move by at most {moved:.1f} mm")
            else:
                score = 100 * float((found.argmax(axis=1) == test.truth).mean())
                click.echo(f"{name}, {row}: top-1 {score:.1f} %")


if __name__ == "__main__":
    main()
