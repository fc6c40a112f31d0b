"""Where a `.tflite` file's time goes: each kind of operator timed by itself, as XNNPACK shows no insides."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np

from skelgnn_tf.quiet import quiet


class OpTime(NamedTuple):
    """One kind of operator.

    Args:
        name: TFLite's name of it.
        count: How many the file's first graph has.
        share: Of the sum of all kinds' times, 0..1.
        xnnpack: Whether XNNPACK takes them; some of them, where the file has more than one partition.
    """

    name: str
    count: int
    share: float
    xnnpack: bool


def op_times(content: bytes, runs: int = 30) -> list[OpTime]:
    """Times a file's operators on one thread, kind by kind, with their true shapes: the slowest first.

    Each kind becomes a file of its own that holds all operators of that kind, so copies between kinds are left out.
    """
    from ai_edge_litert import schema_py_generated as schema

    names = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    kinds: dict[str, list] = {}
    constant = _constant(model)
    for operator in model.subgraphs[0].operators:
        if all(constant[i] for i in _taken(operator)):
            continue  # float16 weights are widened once, when the file is loaded
        code = model.operatorCodes[operator.opcodeIndex]
        kinds.setdefault(names[max(code.builtinCode, code.deprecatedBuiltinCode)], []).append(operator)
    model.subgraphs, model.signatureDefs = model.subgraphs[:1], None
    timed = {kind: _time(model, operators, runs) for kind, operators in kinds.items()}
    total = sum(seconds for seconds, _ in timed.values())
    rows = [OpTime(kind, len(kinds[kind]), seconds / total, inside) for kind, (seconds, inside) in timed.items()]
    return sorted(rows, key=lambda row: -row.share)


def partitions(content: bytes) -> int:
    """Pieces that XNNPACK has cut a file's first graph into; 1 is best."""
    return _delegates(_interpreter(content))


def _time(model, operators: list, runs: int) -> tuple[float, bool]:
    """Median seconds of some operators, and whether XNNPACK runs them."""
    graph, constant = model.subgraphs[0], _constant(model)
    whole = graph.operators
    taken = {i for operator in operators for i in _taken(operator)}
    widening = [o for o in whole if all(constant[i] for i in _taken(o)) and taken & {int(i) for i in o.outputs}]
    made = {int(i) for operator in (*widening, *operators) for i in operator.outputs}
    graph.operators = [*widening, *operators]
    graph.inputs = np.array(sorted(i for i in taken - made if not constant[i]), np.int32)
    graph.outputs = np.array(sorted({int(i) for operator in operators for i in operator.outputs}), np.int32)
    content = _pack(model)
    graph.operators = whole
    interpreter = _interpreter(content)
    rng = np.random.default_rng(0)
    for entry in interpreter.get_input_details():
        shape, number = entry["shape"], entry["dtype"]
        array = rng.normal(size=shape) if number == np.float32 else rng.integers(-99, 99, shape)
        interpreter.set_tensor(entry["index"], array.astype(entry["dtype"]))
    seconds = []
    for _ in range(runs):
        begin = time.perf_counter()
        interpreter.invoke()
        seconds.append(time.perf_counter() - begin)
    return float(np.median(seconds)), _delegates(interpreter) > 0


def _constant(model) -> list[bool]:
    """Which tensors of the first graph lie in the file."""
    data = (model.buffers[tensor.buffer].data for tensor in model.subgraphs[0].tensors)
    return [values is not None and len(values) > 0 for values in data]


def _taken(operator) -> list[int]:
    """Tensors that an operator takes; -1 stands for one that it does without."""
    return [int(i) for i in operator.inputs if i >= 0]


def _pack(model) -> bytes:
    import flatbuffers

    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _interpreter(content: bytes):
    with quiet():
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(model_content=content, num_threads=1)
        interpreter.allocate_tensors()
    return interpreter


def _delegates(interpreter) -> int:
    return sum(op["op_name"] == "DELEGATE" for op in interpreter._get_ops_details())
