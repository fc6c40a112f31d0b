"""A PhoneModel as the content of an `.onnx` file, with any batch size."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from skelgnn_tf.export.calibration import RealClips
from skelgnn_tf.export.graph.phone_model import PhoneModel
from skelgnn_tf.inference.runner import CONTRACT, import_onnxruntime
from skelgnn_tf.quiet import quiet

#: Version of the operators in the file. Every onnxruntime since 1.12 has them.
OPSET = 17
#: What `convert` can do.
QUANTIZATIONS = ("none", "float16", "dynamic", "int8")
#: Smaller matrices keep their precision: the joint map, which multiplies pixels, and the first and last layer.
_SMALLEST = 1024
#: Products over fewer channels compute in float32 in int8 files. They take little time, and those that fuse the
#: squeezed channels of a graph have the widest inputs: one of 14 x 96 made most of a recognizer's error.
_FEWEST_CHANNELS = 16
#: {product with a constant: axis of that constant along which 8-bit weights have their scales}.
_COLUMNS = {"MatMul": 1, "Conv": 0}


def convert(phone: PhoneModel, quantization: str = "none", clips: RealClips | None = None) -> bytes:
    """The content of an `.onnx` file whose inputs and outputs are those of `phone`, with any batch size.

    Args:
        phone: Without quantizers.
        quantization: One of QUANTIZATIONS. float16 and dynamic store weights in 16 or 8 bits and compute in float32.
        clips: Training clips, for the ranges of int8.

    Raises:
        ValueError: Another quantization, or int8 without clips.
    """
    if quantization not in QUANTIZATIONS:
        raise ValueError(
            f"--quantize must be one of {', '.join(QUANTIZATIONS)} with --onnx. Received: {quantization}. Choose one "
            "of them."
        )
    content = _converted(phone)
    if quantization == "none":
        return content
    import onnx

    model = onnx.load_from_string(content)
    if quantization != "int8":
        return _shrunk(model, quantization).SerializeToString()
    if clips is None:
        raise ValueError("clips must be training clips for int8. Received: None.")
    with tempfile.TemporaryDirectory() as folder, _without_warnings():
        import_onnxruntime()
        from onnxruntime import quantization as ort

        before, after = Path(folder) / "before.onnx", Path(folder) / "after.onnx"
        onnx.save(model, before)
        ort.quantize_static(
            before, after, _Reader(clips), op_types_to_quantize=list(_COLUMNS), per_channel=True,
            nodes_to_quantize=_products(model, _FEWEST_CHANNELS), weight_type=ort.QuantType.QInt8,
        )  # fmt: skip
        return after.read_bytes()


def with_contract(content: bytes, contract: str) -> bytes:
    """The file with the contract inside, as the metadata entry contract.json."""
    import onnx

    model = onnx.load_from_string(content)
    onnx.helper.set_model_props(model, {CONTRACT: contract})
    return model.SerializeToString()


def _converted(phone: PhoneModel) -> bytes:
    names = list(phone.outputs)
    signature = [tf.TensorSpec((None, *shape[1:]), tf.float32, name=name) for name, shape in phone.inputs.items()]

    @tf.function(input_signature=signature)
    def run(*inputs: Any) -> list[Any]:
        # Made inside the graph, the weights are constants of it. Made outside, they would become its inputs.
        inside = PhoneModel(phone.model, phone.config, phone.layout, phone.flip)
        outputs = inside.run(**dict(zip(phone.inputs, inputs, strict=True)))
        return [tf.identity(outputs[name], name) for name in names]

    with quiet(), _without_warnings():
        import onnx
        import tf2onnx

        model, _ = tf2onnx.convert.from_function(run, input_signature=signature, opset=OPSET)
    _rename(model, dict(zip([output.name for output in model.graph.output], names, strict=True)))
    for ends, shapes in ((model.graph.input, phone.inputs), (model.graph.output, phone.outputs)):
        for end in ends:
            shape = ("batch", *shapes[end.name][1:])
            end.CopyFrom(onnx.helper.make_tensor_value_info(end.name, onnx.TensorProto.FLOAT, shape))
    return model.SerializeToString()


def _rename(model: Any, new: dict[str, str]) -> None:
    """Renames tensors; `new` maps old names to new ones."""
    for node in model.graph.node:
        node.input[:] = [new.get(name, name) for name in node.input]
        node.output[:] = [new.get(name, name) for name in node.output]
    for output in model.graph.output:
        output.name = new[output.name]


def _shrunk(model: Any, quantization: str) -> Any:
    """Stores large weights in 16 or 8 bits, and widens them inside the graph, which stays in float32.

    onnxruntime's own dynamic quantization leaves convolutions as they are, and takes the range of an activation over
    the whole batch, so that a pose would depend on its neighbors; it does that to DequantizeLinear, too. A Cast and a
    product are constants to it, which it computes once, as it opens the file.
    """
    import onnx

    axes = {node.input[1]: _COLUMNS[node.op_type] for node in model.graph.node if node.name in _products(model)}
    for tensor in list(model.graph.initializer):
        array = onnx.numpy_helper.to_array(tensor)
        if array.dtype != np.float32 or array.size < _SMALLEST:
            continue
        name = tensor.name
        half, scale, widened = f"{name}/stored", f"{name}/scale", f"{name}/widened"
        if quantization == "float16":
            stored = {half: array.astype(np.float16)}
            nodes = [onnx.helper.make_node("Cast", [half], [name], widened, to=onnx.TensorProto.FLOAT)]
        elif name in axes:
            stored = dict(zip((half, scale), _in_8_bits(array, axes[name]), strict=True))
            nodes = [
                onnx.helper.make_node("Cast", [half], [widened], widened, to=onnx.TensorProto.FLOAT),
                onnx.helper.make_node("Mul", [widened, scale], [name], f"{name}/scaled"),
            ]
        else:
            continue
        model.graph.initializer.remove(tensor)
        model.graph.initializer.extend(onnx.numpy_helper.from_array(part, name) for name, part in stored.items())
        for node in reversed(nodes):
            model.graph.node.insert(0, node)
    return model


def _in_8_bits(array: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """int8 -127..127 of the same shape, and the float32 scale of each column along an axis, of as many axes."""
    others = tuple(i for i in range(array.ndim) if i != axis)
    scale = np.maximum(np.abs(array).max(axis=others, keepdims=True) / 127, np.finfo(np.float32).tiny)
    return np.round(array / scale).astype(np.int8), scale.astype(np.float32)


def _products(model: Any, fewest_channels: int = 0) -> list[str]:
    """Names of the products with a large constant matrix over a number of channels or more."""
    shapes = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    ndim, channels = {"MatMul": 2, "Conv": 4}, {"MatMul": 0, "Conv": 1}
    return [
        node.name
        for node in model.graph.node
        if len(shape := shapes.get(node.input[1], ()) if len(node.input) > 1 else ()) == ndim.get(node.op_type)
        and np.prod(shape) >= _SMALLEST
        and shape[channels[node.op_type]] >= fewest_channels
    ]


class _Reader:
    """Calibration clips in the form that onnxruntime expects."""

    def __init__(self, clips: RealClips) -> None:
        self._clips = clips.one_by_one()

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._clips, None)


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Silences hints that converters log about their own work."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
