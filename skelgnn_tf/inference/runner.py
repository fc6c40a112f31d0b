"""Runner: an exported `.tflite` or `.onnx` file as a function, what an app does with it; the Kotlin Runner's twin."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np

from skelgnn_tf.quiet import quiet

#: Name of the contract (model.json) inside a `.tflite` or `.onnx` file.
CONTRACT = "skelgnn_tf.json"
# What a contract must say for its file to be run.
_PARTS = "task inputs outputs signatures skeleton keypoint_layout frames persons fps causal classes sampling".split()


class Runner:
    """An exported file, loaded.

    Args:
        path: `.tflite` or `.onnx`, as `skelgnn-tf export` writes them.
        threads: Of the CPU.

    Attributes:
        contract: What model.json says of the model and of this file's signatures; it lies inside the file.
        inputs: {name: shape} of `run`, batch 1.
        outputs: The same of what it gives.
        any_batch: Whether inputs may have other batches: `.onnx` files.

    Raises:
        FileNotFoundError: No such file.
        ValueError: A file that skelgnn-tf did not write, or that the runtime refuses.

    Example:
        >>> runner = Runner("exported/fitness_9f/model.tflite")  # doctest: +SKIP
        >>> runner.run(keypoints=keypoints, image_size=[[1920, 1080]])["pose_m"].shape  # doctest: +SKIP
        (1, 1, 17, 3)
    """

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        self.path = Path(path)
        if not self.path.exists():
            raise FileNotFoundError(f"{path} does not exist; expected a .tflite or .onnx file (skelgnn-tf export)")
        self.contract = read_contract(self.path)
        try:
            self._run = (_tflite if self.path.suffix == ".tflite" else _onnx)(self.path, threads)
        except (ValueError, RuntimeError) as error:
            raise ValueError(f"{path} is damaged or of another version: {str(error).splitlines()[0]}") from error
        self.any_batch = self.path.suffix == ".onnx"
        self.inputs, self.outputs = (_shapes(self.contract[ends]) for ends in ("inputs", "outputs"))

    def run(self, **inputs: np.ndarray) -> dict[str, np.ndarray]:
        """The outputs by name.

        Args:
            **inputs: By name, of the shapes in `inputs`. What stands at keypoints of confidence 0 does not matter.

        Raises:
            ValueError: Another name or shape.
        """
        return self._call("serving_default", self.inputs, inputs)

    def step(self, **inputs: np.ndarray) -> dict[str, np.ndarray]:
        """One frame more of a causal lifter (`.tflite` alone): keypoints, image_size and the state that came last.

        Raises:
            ValueError: A file without steps, another name or shape.
        """
        entry = self.contract["signatures"].get("step")
        if entry is None or self.path.suffix != ".tflite":
            raise ValueError(f"{self.path} has no steps; they want a .tflite file of a causal lifter")
        return self._call("step", {name: tuple(shape) for name, shape in entry["inputs"].items()}, inputs)

    def _call(self, signature: str, shapes: dict, inputs: dict) -> dict[str, np.ndarray]:
        arrays = {name: np.asarray(array, np.float32) for name, array in inputs.items()}
        found = {name: array.shape for name, array in arrays.items()}
        first = 1 if self.any_batch else 0
        if {n: s[first:] for n, s in found.items()} != {n: s[first:] for n, s in shapes.items()}:
            raise ValueError(f"{self.path} wants {shapes}{' in any batch' if self.any_batch else ''}; got {found}")
        if "keypoints" in arrays:
            # Zero times NaN is NaN, and the graph knows products alone.
            keypoints = arrays["keypoints"]
            arrays["keypoints"] = np.where(keypoints[..., 2:] > 0, keypoints, np.float32(0))
        return self._run(signature, arrays)


def _shapes(entries: dict) -> dict[str, tuple[int, ...]]:
    return {name: tuple(entry["shape"]) for name, entry in entries.items()}


def read_contract(path: Path) -> dict:
    """The contract inside an exported file.

    Raises:
        ValueError: A file that skelgnn-tf did not write, or one of another version.
    """
    try:
        contract = json.loads({".tflite": _tflite_member, ".onnx": _onnx_member}[path.suffix](path))
        missing = [part for part in _PARTS if part not in contract]
    except Exception as error:
        raise ValueError(
            f"{path} is no export of skelgnn-tf (expected a .tflite or .onnx file with {CONTRACT} inside)"
        ) from error
    if missing:
        raise ValueError(f"{path} is of another version: its contract lacks {', '.join(missing)}; export it again")
    return contract


def _tflite_member(path: Path) -> bytes:
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(path.read_bytes())
    entries = [model.Metadata(i) for i in range(model.MetadataLength())]
    entry = next(entry for entry in entries if entry.Name() == CONTRACT.encode())
    return model.Buffers(entry.Buffer()).DataAsNumpy().tobytes()


def _onnx_member(path: Path) -> str:
    onnxruntime = import_onnxruntime()
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.get_modelmeta().custom_metadata_map[CONTRACT]


def _tflite(path: Path, threads: int):
    with quiet():
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(str(path), num_threads=threads)
        interpreter.allocate_tensors()
        signatures = {name: interpreter.get_signature_runner(name) for name in interpreter.get_signature_list()}
    return lambda signature, inputs: signatures[signature](**inputs)


def _onnx(path: Path, threads: int):
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return lambda signature, inputs: dict(zip(names, session.run(names, inputs), strict=True))


def import_onnxruntime():
    """onnxruntime, which from 1.29 on sends usage data to Microsoft unless it is told not to before it is loaded."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime
