"""Runner: an exported `.tflite` or `.onnx` file as a function of arrays, without Keras or TensorFlow.

The Kotlin class of the same name does the same on a phone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from skelgnn_tf.inference.guards import guard
from skelgnn_tf.quiet import quiet

#: Name of the contract: the file next to exported models, and the member inside each of them.
CONTRACT = "contract.json"
#: Names of the file and of the member in exports of version 0.1.
OLD_CONTRACT, OLD_MEMBER = "model.json", "skelgnn_tf.json"
#: Of the contract. Rises when an app that reads the older one would go wrong.
FORMAT = 1
#: Keys without which a file cannot be run.
_REQUIRED = "task inputs outputs signatures skeleton keypoint_layout frames persons fps causal classes sampling".split()

#: (name of a signature, inputs) -> outputs.
_Call = Callable[[str, dict[str, np.ndarray]], dict[str, np.ndarray]]


class Runner:
    """An exported file, loaded.

    Args:
        path: `.tflite` or `.onnx` file that `skelgnn-tf export` wrote.
        threads: Number of CPU threads.

    Attributes:
        contract: What the file says of its model and its signatures; the same keys as in contract.json.
        inputs: {name: shape} of `run`, batch 1.
        outputs: {name: shape} of what `run` returns, batch 1.
        any_batch: Whether inputs may have another batch size, as in `.onnx` files.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A file that skelgnn-tf did not write, or a damaged one.

    Example:
        >>> runner = Runner("exported/fitness_9f/model.tflite")  # doctest: +SKIP
        >>> runner.run(keypoints=keypoints, image_size=[[1920, 1080]])["pose_m"].shape  # doctest: +SKIP
        (1, 1, 17, 3)
    """

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        self.path = Path(path)
        if not self.path.exists():
            raise FileNotFoundError(
                f"{path} must be a .tflite or .onnx file. Nothing was found. Write one with skelgnn-tf export."
            )
        self.contract, session = _opened(self.path, threads)
        try:
            self._run = _open_tflite(self.path, threads) if session is None else _call_onnx(session)
        except (ValueError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise ValueError(f"{path} is damaged or was written by another version: {reason}") from error
        self.any_batch = self.path.suffix == ".onnx"
        self.inputs, self.outputs = (_shapes(self.contract[ends]) for ends in ("inputs", "outputs"))

    def run(self, **inputs: Any) -> dict[str, np.ndarray]:
        """Runs whole windows.

        Args:
            **inputs: Arrays or lists by name, with the shapes in `inputs`. A keypoint is missing if a coordinate is
                not finite or its confidence is not above 0; what else it holds has no effect.

        Returns:
            float32 arrays by name, with the shapes in `outputs`.

        Raises:
            ValueError: Names or shapes that differ from `inputs`, or values in another unit (`guards.guard`).
        """
        return self._call("serving_default", self.inputs, inputs)

    def step(self, **inputs: Any) -> dict[str, np.ndarray]:
        """Runs one more frame of a causal lifter; only in `.tflite` files.

        Args:
            **inputs: `keypoints` (1, 1, joints, 3) of the new frame, `image_size` (1, 2), and `state`: zeros at first,
                then what the last step returned.

        Returns:
            `pose_m` (1, 1, joints, 3), `confidence` (1, 1, joints) and the next `state`.

        Raises:
            ValueError: A file without steps, other names or shapes, or values in another unit (`guards.guard`).
        """
        entry = self.contract["signatures"].get("step")
        if entry is None or self.path.suffix != ".tflite":
            raise ValueError(
                f"{self.path} must be the .tflite file of a causal lifter to run frame by frame. Received: a file "
                "without the signature step. Use run, with whole windows."
            )
        return self._call("step", {name: tuple(shape) for name, shape in entry["inputs"].items()}, inputs)

    def _call(
        self, signature: str, shapes: dict[str, tuple[int, ...]], inputs: dict[str, Any]
    ) -> dict[str, np.ndarray]:
        arrays = {name: np.asarray(array, np.float32) for name, array in inputs.items()}
        found = {name: array.shape for name, array in arrays.items()}
        first = 1 if self.any_batch else 0
        if {name: s[first:] for name, s in found.items()} != {name: s[first:] for name, s in shapes.items()}:
            raise ValueError(
                f"{self.path}: inputs must be {_listed(shapes)}{' with any batch size' if self.any_batch else ''}. "
                f"Received: {_listed(found)}."
            )
        try:
            arrays = guard(arrays)
        except ValueError as error:
            raise ValueError(f"{self.path}: {error}") from error
        return self._run(signature, arrays)


def _shapes(entries: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(entry["shape"]) for name, entry in entries.items()}


def _listed(shapes: dict[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} {shape}" for name, shape in shapes.items()) or "nothing"


def read_contract(path: Path) -> dict[str, Any]:
    """The contract inside an exported file, of this version or of version 0.1.

    Raises:
        ValueError: A file that skelgnn-tf did not write, or one of another version.
    """
    return _opened(path, threads=1)[0]


def _opened(path: Path, threads: int) -> tuple[dict[str, Any], Any]:
    """The contract inside a file, and the session of onnxruntime that read it; None for a `.tflite` file."""
    session = None
    try:
        if path.suffix not in (".tflite", ".onnx"):
            raise ValueError(path.suffix)
        if path.suffix == ".onnx":
            session = _open_onnx(path, threads)
        contract = json.loads(_tflite_member(path) if session is None else _onnx_member(session))
        missing = [key for key in _REQUIRED if key not in contract]
        version = contract.get("format", FORMAT)
    except Exception as error:
        raise ValueError(
            f"{path} must be a .tflite or .onnx file of skelgnn-tf, with {CONTRACT} inside. Write one with skelgnn-tf "
            "export."
        ) from error
    if version != FORMAT:
        raise ValueError(
            f"{path} was written by another version: its contract has format {version}; this version reads {FORMAT}. "
            "Update skelgnn-tf."
        )
    if missing:
        raise ValueError(
            f"{path} was written by another version: its contract lacks {', '.join(missing)}. Export the model again."
        )
    return contract, session


def _tflite_member(path: Path) -> bytes:
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(path.read_bytes())
    entries = [model.Metadata(i) for i in range(model.MetadataLength())]
    buffers = {entry.Name().decode(): entry.Buffer() for entry in entries}
    return model.Buffers(buffers[CONTRACT if CONTRACT in buffers else OLD_MEMBER]).DataAsNumpy().tobytes()


def _onnx_member(session: Any) -> str:
    members = session.get_modelmeta().custom_metadata_map
    return members[CONTRACT if CONTRACT in members else OLD_MEMBER]


def _open_tflite(path: Path, threads: int) -> _Call:
    with quiet():
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(str(path), num_threads=threads)
        interpreter.allocate_tensors()
        signatures = {name: interpreter.get_signature_runner(name) for name in interpreter.get_signature_list()}
    return lambda signature, inputs: signatures[signature](**inputs)


def _open_onnx(path: Path, threads: int) -> Any:
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _call_onnx(session: Any) -> _Call:
    names = [output.name for output in session.get_outputs()]
    return lambda signature, inputs: dict(zip(names, session.run(names, inputs), strict=True))


def import_onnxruntime() -> Any:
    """Imports onnxruntime without telemetry: from version 1.29 on it reports usage unless told not to beforehand."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime
