"""Opens one exported file in one runtime and runs windows; a process of its own, in the environment of that runtime.

    python open_file.py RUNTIME FILE WINDOWS.npz RESULT.npz

WINDOWS.npz holds the inputs of the file by name, float32 (windows, ...). RESULT.npz gets `output` (windows, ...), the
poses or probabilities, and `latency_ms`, the median of one window.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

#: {name: float32 (1, ...)} -> float32 (1, ...), the poses or probabilities.
Run = Callable[[dict[str, np.ndarray]], np.ndarray]
#: Names of the output that is compared.
OUTPUTS = ("pose_m", "probabilities")
#: Runs that are timed, after some that are not; fewer when they would take more than _SECONDS.
_RUNS, _WARM_UP, _SECONDS = 100, 5, 3.0


def litert_interpreter(file: Path, windows: dict[str, np.ndarray]) -> Run:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(file), num_threads=1)
    signature = interpreter.get_signature_runner("serving_default")
    return lambda inputs: _compared(signature(**inputs))


def litert_cpu(file: Path, windows: dict[str, np.ndarray]) -> Run:
    return _compiled(file, "CPU")


def litert_gpu(file: Path, windows: dict[str, np.ndarray]) -> Run:
    return _compiled(file, "GPU")


def _compiled(file: Path, accelerator: str) -> Run:
    from skelgnn_tf.export.gpu import compiled

    run = compiled(file, accelerator)
    return lambda inputs: _compared(run(**inputs))


def onnxruntime(file: Path, windows: dict[str, np.ndarray]) -> Run:
    # From version 1.29 on it reports usage unless told not to beforehand.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    name = next(output.name for output in session.get_outputs() if output.name in OUTPUTS)
    return lambda inputs: session.run([name], inputs)[0]


def openvino(file: Path, windows: dict[str, np.ndarray]) -> Run:
    import openvino

    model = openvino.Core().read_model(file)
    # An .onnx file has any batch size; the other runtimes run one window at a time, too.
    model.reshape({name: [1, *array.shape[1:]] for name, array in windows.items()})
    # On processors without VNNI, the 8-bit products that these transformations bring in add pairs in 16 bits, which
    # overflow.
    exact = {"INFERENCE_PRECISION_HINT": "f32", "LP_TRANSFORMS_MODE": "NO"}
    compiled = openvino.Core().compile_model(model, "CPU", exact | {"INFERENCE_NUM_THREADS": "1"})
    output = next(port for port in compiled.outputs if set(OUTPUTS) & port.get_names())
    return lambda inputs: compiled(inputs)[output]


def ncnn(file: Path, windows: dict[str, np.ndarray]) -> Run:
    import ncnn

    net = ncnn.Net()
    net.opt.num_threads = 1
    net.opt.use_fp16_arithmetic = net.opt.use_fp16_storage = net.opt.use_fp16_packed = False
    with tempfile.TemporaryDirectory() as folder:
        param, weights, batch = _pnnx(file, windows, Path(folder))
        layers = {line.split()[0] for line in param.read_text().splitlines()[2:]}
        unknown = sorted(layer for layer in layers if ncnn.create_layer(layer) is None)
        if unknown:
            raise RuntimeError(f"ncnn has no {', '.join(unknown)}")
        if net.load_param(str(param)) or net.load_model(str(weights)):
            raise RuntimeError("ncnn cannot load what pnnx wrote")

    def run(inputs: dict[str, np.ndarray]) -> np.ndarray:
        extractor = net.create_extractor()
        for i, name in enumerate(windows):
            extractor.input(f"in{i}", ncnn.Mat(np.ascontiguousarray(inputs[name]), batch_index=batch[i]).clone())
        code, out = extractor.extract("out0")
        if code:
            raise RuntimeError(f"ncnn's extract returned {code}")
        # One window, whether the Mat has an axis for it or not.
        return np.array(out.numpy())[None]

    return run


def _pnnx(file: Path, windows: dict[str, np.ndarray], folder: Path) -> tuple[Path, Path, list[int]]:
    """Converts an .onnx file to ncnn's .param and .bin; returns them and the batch_index of each input."""
    program = next(Path(place) / "pnnx" for place in importlib.util.find_spec("pnnx").submodule_search_locations)
    onnx = folder / "model.onnx"
    onnx.write_bytes(file.read_bytes())
    shapes = ",".join(f"[{','.join(map(str, (1, *array.shape[1:])))}]f32" for array in windows.values())
    # Without fp16=0, weights are rounded to 16 bits.
    command = [program, onnx, f"inputshape={shapes}", "fp16=0"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    param = folder / "model.ncnn.param"
    if not param.exists():
        raise RuntimeError(f"pnnx: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
    # For each graph, pnnx decides whether a Mat has the batch as one of its axes (233) or not (0); its example says so.
    example = (folder / "model_ncnn.py").read_text()
    batch = [re.search(rf"in{i}\.numpy\(\), batch_index=(\d+)", example) for i in range(len(windows))]
    return param, folder / "model.ncnn.bin", [int(found[1]) if found else 233 for found in batch]


def _compared(outputs: dict[str, np.ndarray]) -> np.ndarray:
    return next(outputs[name] for name in OUTPUTS if name in outputs)


def latency_ms(run: Callable[[], object]) -> float:
    """Median milliseconds of a run, one window."""
    seconds, end = [], time.perf_counter() + _SECONDS
    for _ in range(_WARM_UP):
        run()
    while len(seconds) < _RUNS and (not seconds or time.perf_counter() < end):
        begin = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begin)
    return float(np.median(seconds)) * 1e3


RUNTIMES = {
    function.__name__: function
    for function in (litert_interpreter, litert_cpu, litert_gpu, onnxruntime, openvino, ncnn)
}


def main(runtime: str, file: str, windows_file: str, result: str) -> None:
    windows = dict(np.load(windows_file))
    run = RUNTIMES[runtime](Path(file), windows)
    each = [
        {name: array[i : i + 1] for name, array in windows.items()} for i in range(len(next(iter(windows.values()))))
    ]
    output = np.concatenate([run(inputs) for inputs in each])
    np.savez(result, output=output, latency_ms=latency_ms(lambda: run(each[0])))


if __name__ == "__main__":
    main(*sys.argv[1:])
