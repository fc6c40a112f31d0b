"""Where the time of a `.tflite` file goes: each kind of operator timed on its own, because XNNPACK shows no details."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np

from skelgnn_tf.quiet import quiet


class OpTime(NamedTuple):
    """Time of one kind of operator.

    Args:
        name: Name of the operator in TFLite.
        count: Number of such operators in the first graph of the file.
        share: Share of the sum of all kinds' times, 0..1.
        xnnpack: Whether XNNPACK runs them; only some of them, if the file has more than one partition.
    """

    name: str
    count: int  # type: ignore[assignment]  # tuple has a method of this name
    share: float
    xnnpack: bool


def op_times(content: bytes, runs: int = 30) -> list[OpTime]:
    """Times the operators of a file on one thread, kind by kind, with their true shapes.

    Each kind becomes a file of its own with all operators of that kind, so copies between kinds are not counted.

    Args:
        content: Bytes of a `.tflite` file.
        runs: Number of runs of each kind; the median counts.

    Returns:
        The slowest first.
    """
    from ai_edge_litert import schema_py_generated as schema

    names = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    kinds: dict[str, list[Any]] = {}
    constant = _constant(model)
    for operator in model.subgraphs[0].operators:
        if all(constant[i] for i in _inputs(operator)):
            continue  # float16 weights are widened once, when the file is loaded
        code = model.operatorCodes[operator.opcodeIndex]
        kinds.setdefault(names[max(code.builtinCode, code.deprecatedBuiltinCode)], []).append(operator)
    model.subgraphs, model.signatureDefs = model.subgraphs[:1], None
    timed = {kind: _time(model, operators, runs) for kind, operators in kinds.items()}
    total = sum(seconds for seconds, _ in timed.values())
    rows = [OpTime(kind, len(kinds[kind]), seconds / total, xnnpack) for kind, (seconds, xnnpack) in timed.items()]
    return sorted(rows, key=lambda row: -row.share)


def partitions(content: bytes) -> int:
    """Number of pieces that XNNPACK cuts the first graph of a file into; 1 is best."""
    return _delegates(_interpreter(content))


def _time(model: Any, operators: list[Any], runs: int) -> tuple[float, bool]:
    """Median seconds of some operators, and whether XNNPACK runs them."""
    interpreter = _interpreter(_part(model, operators))
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


def _part(model: Any, operators: list[Any]) -> bytes:
    """A file of some operators, and of those that widen their weights."""
    graph, constant = model.subgraphs[0], _constant(model)
    whole = graph.operators
    inputs = {i for operator in operators for i in _inputs(operator)}
    widening = [o for o in whole if all(constant[i] for i in _inputs(o)) and inputs & {int(i) for i in o.outputs}]
    made = {int(i) for operator in (*widening, *operators) for i in operator.outputs}
    graph.operators = [*widening, *operators]
    graph.inputs = np.array(sorted(i for i in inputs - made if not constant[i]), np.int32)
    graph.outputs = np.array(sorted({int(i) for operator in operators for i in operator.outputs}), np.int32)
    content = _pack(model)
    graph.operators = whole
    return content


def _constant(model: Any) -> list[bool]:
    """Which tensors of the first graph are stored in the file."""
    data = (model.buffers[tensor.buffer].data for tensor in model.subgraphs[0].tensors)
    return [values is not None and len(values) > 0 for values in data]


def _inputs(operator: Any) -> list[int]:
    """Input tensors of an operator, without -1, which stands for an optional one that is left out."""
    return [int(i) for i in operator.inputs if i >= 0]


def _pack(model: Any) -> bytes:
    import flatbuffers

    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _interpreter(content: bytes) -> Any:
    with quiet():
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(model_content=content, num_threads=1)
        interpreter.allocate_tensors()
    return interpreter


def _delegates(interpreter: Any) -> int:
    return sum(op["op_name"] == "DELEGATE" for op in interpreter._get_ops_details())
