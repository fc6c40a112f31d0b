"""A PhoneModel as the content of a `.tflite` file."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from skelgnn_tf.export import contract
from skelgnn_tf.export.formats import tflite_metadata
from skelgnn_tf.export.graph.phone_model import PhoneModel, Shapes
from skelgnn_tf.inference.runner import CONTRACT
from skelgnn_tf.quiet import quiet

#: What `convert` can do. The rounding of int8 is inside the model (`quantization.calibrated`), the rest is the
#: converter's.
QUANTIZATIONS = ("none", "float16", "dynamic", "int8", "int16x8")


def convert(phone: PhoneModel, quantization: str = "none", clips: Iterable[dict[str, np.ndarray]] = ()) -> bytes:
    """The content of a `.tflite` file: batch size 1, static shapes, only builtin operations, named signatures.

    Args:
        phone: For int8, with quantizers inside (`quantization.calibrated`).
        quantization: One of QUANTIZATIONS.
        clips: Real inputs by name, for the ranges of int16x8.

    Raises:
        ValueError: An operation that TFLite's builtins lack.
    """
    lite = tf.lite
    with tempfile.TemporaryDirectory() as folder, quiet():
        signatures = {"serving_default": _traced(phone.run, phone.inputs)}
        if "step" in contract.signatures(phone, ".tflite", quantization):
            signatures["step"] = _traced(phone.step, phone.step_inputs)
        tf.saved_model.save(phone, folder, signatures=signatures)
        converter = lite.TFLiteConverter.from_saved_model(folder, signature_keys=list(signatures))
        converter.target_spec.supported_ops = [lite.OpsSet.TFLITE_BUILTINS]
        if quantization != "none":
            converter.optimizations = [lite.Optimize.DEFAULT]
        if quantization == "float16":
            converter.target_spec.supported_types = [tf.float16]
        elif quantization == "int16x8":
            int16 = lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
            converter.target_spec.supported_ops = [int16, lite.OpsSet.TFLITE_BUILTINS]
            converter.representative_dataset = lambda: (("serving_default", inputs) for inputs in clips)
        try:
            return converter.convert()
        except Exception as error:
            reason = " ".join(str(error).split())
            lacking = ", ".join(sorted(set(re.findall(r"'(tf\.\w+)' op", reason))))
            raise ValueError(
                f"the model must consist of TFLite's builtin operations. Received: {lacking or reason[:300]}."
            ) from error


def _traced(function: Callable[..., Any], shapes: Shapes) -> Any:
    """A function of named inputs as a graph."""
    specs = {name: tf.TensorSpec(shape, tf.float32, name=name) for name, shape in shapes.items()}
    return tf.function(lambda **inputs: function(**inputs)).get_concrete_function(**specs)


def with_contract(content: bytes, text: str) -> bytes:
    """The file with the contract inside, as the metadata entry contract.json and as TFLite's standard metadata."""
    from ai_edge_litert import schema_py_generated as schema

    model, told = schema.ModelT.InitFromPackedBuf(content, 0), json.loads(text)
    names, graph = _end_names(model, 0), model.subgraphs[0]
    inputs, outputs = ([names[i] for i in ends] for ends in (graph.inputs, graph.outputs))
    standard = tflite_metadata.metadata(told, inputs, outputs)
    for name, data in ((CONTRACT, text.encode()), (tflite_metadata.ENTRY, standard)):
        buffer, entry = schema.BufferT(), schema.MetadataT()
        buffer.data = np.frombuffer(data, np.uint8)
        model.buffers.append(buffer)
        entry.name, entry.buffer = name, len(model.buffers) - 1
        model.metadata = [*(model.metadata or []), entry]
    return tflite_metadata.with_labels(_packed(model), told.get("classes", ()))


def operators(content: bytes) -> list[str]:
    """Names of the operators of a file, one for each node of its first graph; "CUSTOM" for a custom one."""
    from ai_edge_litert import schema_py_generated as schema

    names = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    codes = [names[max(code.builtinCode, code.deprecatedBuiltinCode)] for code in model.operatorCodes]
    return [codes[operator.opcodeIndex] for operator in model.subgraphs[0].operators]


def _packed(model: Any) -> bytes:
    """The content of a file, with short names of inner tensors and with equal parts written once.

    Otherwise scales, zero points and empty buffers of two signatures would be a tenth of a small file.
    """
    import flatbuffers

    _merge_buffers(model)
    parts: dict[str, _Once] = {}
    for number, graph in enumerate(model.subgraphs):
        names = _end_names(model, number)
        for i, tensor in enumerate(graph.tensors):
            # OpenVINO, quantizers and converters cannot read a file in which a tensor has no name.
            tensor.name = names.get(i, f"t{i}")
            if tensor.quantization is not None:
                tensor.quantization = _once(parts, tensor.quantization)
        for operator in graph.operators:
            if operator.builtinOptions is not None:
                operator.builtinOptions = _once(parts, operator.builtinOptions)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _end_names(model: Any, subgraph: int) -> dict[int, str]:
    """{tensor: its name in the signature} of the inputs and outputs of a subgraph; an output like an input is new_*."""
    ends: dict[int, str] = {}
    for signature in model.signatureDefs or []:
        if signature.subgraphIndex == subgraph:
            for end in (*signature.inputs, *signature.outputs):
                name = end.name.decode() if isinstance(end.name, bytes) else end.name
                ends[end.tensorIndex] = f"new_{name}" if name in ends.values() else name
    return ends


def _merge_buffers(model: Any) -> None:
    """Makes equal buffers one; those without data become the first, as the format requires."""
    kept, place, new = [model.buffers[0]], {b"": 0}, []
    for buffer in model.buffers:
        data = b"" if buffer.data is None else np.asarray(buffer.data, np.uint8).tobytes()
        if data not in place:
            place[data] = len(kept)
            kept.append(buffer)
        new.append(place[data])
    model.buffers = kept
    for owner in (*(tensor for graph in model.subgraphs for tensor in graph.tensors), *(model.metadata or [])):
        owner.buffer = new[owner.buffer]


class _Once:
    """A part of a file that several other parts point to."""

    def __init__(self, part: Any) -> None:
        self.part, self.offset = part, None

    def Pack(self, builder: Any) -> Any:
        if self.offset is None:
            self.offset = self.part.Pack(builder)
        return self.offset


def _once(parts: dict[str, _Once], part: Any) -> _Once:
    values = {name: np.asarray(v).tolist() for name, v in vars(part).items() if name != "details"}
    return parts.setdefault(f"{type(part).__name__}{values}", _Once(part))
