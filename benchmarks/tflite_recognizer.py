"""A recogniser as a float32 `.tflite` file, run and compared with Keras; `action_speed.py` times both."""

from __future__ import annotations

import tempfile
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from skelgnn_tf.models import ActionRecognizer

#: Furthest that a score of a file may lie from Keras'.
BOUND = 1e-4
#: Share of the dynamic graph, which starts at 0 and would hide its part from a comparison.
ALPHA = 0.1


def recognizer(**options) -> ActionRecognizer:
    """A model for inference, its batch norms as after training: a fresh one's scores are all but zero.

    Args:
        **options: Of `ActionRecognizer`.
    """
    keras.utils.set_random_seed(0)
    model = ActionRecognizer(**options)
    model.build(model.input_axes)
    for weight in model.weights:
        if weight.name == "alpha":
            weight.assign(np.full(weight.shape, ALPHA))
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    model(clips_of(model, 32, seed=0), training=True)
    return model


def clips_of(model: ActionRecognizer, count: int, seed: int = 1) -> np.ndarray:
    """One body whose joints swing at random, as the model takes it: float32 (count, persons, frames, joints, 3)."""
    (persons, frames, joints, dims), rng = model.input_axes[1:], np.random.default_rng(seed)
    body_m = np.random.default_rng(0).normal(size=(joints, dims)) * 0.3 + np.array([0, 0, 3])
    pace, phase = (rng.uniform(0, high, (count, persons, 1, joints, dims)) for high in (0.4, 2 * np.pi))
    return np.float32(body_m + 0.1 * np.sin(pace * np.arange(frames)[:, None, None] + phase))


def tflite(model: keras.Model) -> bytes:
    """A float32 file of batch 1, TFLite builtins only.

    Raises:
        ValueError: An operation that TFLite's builtins lack.
    """
    with tempfile.TemporaryDirectory() as folder:
        signature = [keras.InputSpec(shape=(1, *model.input_axes[1:]), dtype="float32")]
        model.export(folder, format="tf_saved_model", input_signature=signature, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        try:
            return converter.convert()
        except Exception as error:
            reason = " ".join(str(error).split())[:300]
            raise ValueError(f"TFLite's builtins cannot express this model: {reason}") from error


def runner(content: bytes, threads: int) -> Callable[[np.ndarray], np.ndarray]:
    """A `.tflite` file as a function of one clip (1, persons, frames, joints, channels): its scores (1, classes)."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content, num_threads=threads)
    interpreter.allocate_tensors()
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()

    def run(clip: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(source["index"], clip)
        interpreter.invoke()
        return interpreter.get_tensor(target["index"])

    return run


def largest_difference(run: Callable[[np.ndarray], np.ndarray], model: ActionRecognizer, count: int = 4) -> float:
    """Of a score between a file and Keras; ValueError beyond BOUND."""
    clips = clips_of(model, count)
    scores = np.concatenate([run(clip[None]) for clip in clips])
    difference = float(np.abs(scores - keras.ops.convert_to_numpy(model(clips))).max())
    # Asked this way round, NaN is refused too.
    if not difference <= BOUND:
        raise ValueError(f"the .tflite file differs from Keras by {difference:.2g}, expected at most {BOUND:g}")
    return difference
