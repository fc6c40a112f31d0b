"""The runtimes, and environments of their own for those that are no dependency of skelgnn-tf."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
#: Where `make runtimes` installs.
CACHE = Path("~/.cache/skelgnn-tf/runtimes").expanduser()
#: Of npm.
MODULES = ("@litertjs/core", "onnxruntime-web")
#: Software Vulkan of Debian's chromium. LiteRT refuses the lavapipe of Debian 12.
SWIFTSHADER = Path("/usr/lib/chromium/vk_swiftshader_icd.json")
#: Seconds for one file in one runtime, and for an installation.
_RUN_SECONDS, _INSTALL_SECONDS = 200, 600


@dataclass(frozen=True)
class Runtime:
    """A row of the table.

    Args:
        title: Shown.
        name: Argument of open_file.py; with browser, of browser.py.
        file: Name of the file that it opens.
        packages: What pip installs for it, without dependencies; () if it is a dependency of skelgnn-tf. The first one
            is the name of its environment.
        browser: Whether it runs in Chromium.
        every: It runs every so many windows; 1 for all. A GPU that is emulated takes seconds for one.
    """

    title: str
    name: str
    file: str
    packages: tuple[str, ...] = ()
    browser: bool = False
    every: int = 1


#: openvino's dependency openvino-telemetry would report usage, and pnnx's program runs without torch.
_OPENVINO, _NCNN = ("openvino", "numpy"), ("ncnn", "pnnx", "numpy")
RUNTIMES = (
    Runtime("LiteRT Interpreter", "litert_interpreter", "model.tflite"),
    Runtime("LiteRT CompiledModel, CPU", "litert_cpu", "model.tflite"),
    Runtime("LiteRT CompiledModel, WebGPU", "litert_gpu", "model.tflite", every=3),
    Runtime("LiteRT.js, wasm", "litert-wasm", "model.tflite", browser=True),
    Runtime("LiteRT.js, WebGPU", "litert-webgpu", "model.tflite", browser=True, every=3),
    Runtime("OpenVINO, .tflite", "openvino", "model.tflite", _OPENVINO),
    Runtime("onnxruntime", "onnxruntime", "model.onnx"),
    Runtime("onnxruntime-web, wasm", "ort-wasm", "model.onnx", browser=True),
    Runtime("onnxruntime-web, WebGPU", "ort-webgpu", "model.onnx", browser=True, every=3),
    Runtime("OpenVINO, .onnx", "openvino", "model.onnx", _OPENVINO),
    Runtime("ncnn through pnnx", "ncnn", "model.onnx", _NCNN),
)
#: {file: the runtime that the other ones of that file are compared with, and which comes before them}.
REFERENCES = {r.file: r for r in RUNTIMES if r.name in ("litert_interpreter", "onnxruntime")}


def command(runtime: Runtime, cache: Path, file: Path, windows: Path, result: Path) -> list[object]:
    """What runs one file in an installed runtime."""
    arguments = [runtime.name, file, windows, result]
    if runtime.browser:
        return [sys.executable, HERE / "browser.py", *arguments, cache / "js" / "node_modules"]
    return [_python(runtime, cache), HERE / "open_file.py", *arguments]


def _python(runtime: Runtime, cache: Path) -> Path:
    return cache / runtime.packages[0] / "bin" / "python" if runtime.packages else Path(sys.executable)


def missing(runtime: Runtime, cache: Path) -> str:
    """What is not installed, in words, or ""."""
    if runtime.browser:
        if not shutil.which("chromium") and not shutil.which("google-chrome"):
            return "needs Chromium"
        there = all((cache / "js" / "node_modules" / module).exists() for module in MODULES)
        return "" if there else f"needs {' and '.join(MODULES)} in {cache}"
    if runtime.name == "litert_gpu":
        return "" if SWIFTSHADER.exists() or os.environ.get("VK_ICD_FILENAMES") else "needs a Vulkan driver"
    return "" if _python(runtime, cache).exists() else f"needs {runtime.packages[0]} in {cache}"


def install(runtime: Runtime, cache: Path) -> str:
    """Installs a runtime if it is not there; returns why it cannot run, or ""."""
    if not missing(runtime, cache) or (not runtime.browser and not runtime.packages):
        return missing(runtime, cache)
    cache.mkdir(parents=True, exist_ok=True)
    if runtime.browser:
        if shutil.which("npm") is None:
            return "needs npm"
        steps = [["npm", "install", "--silent", "--no-audit", "--ignore-scripts", "--prefix", cache / "js", *MODULES]]
    else:
        pip = [_python(runtime, cache), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"]
        steps = [[sys.executable, "-m", "venv", cache / runtime.packages[0]], [*pip, *runtime.packages]]
    for step in steps:
        reason = run(step, _INSTALL_SECONDS)
        if reason:
            shutil.rmtree(cache / ("js" if runtime.browser else runtime.packages[0]), ignore_errors=True)
            return reason
    return missing(runtime, cache)


def run(command: list[object], seconds: float = _RUN_SECONDS) -> str:
    """Runs a command; returns the last line of its error output, or "" if all went well."""
    env = dict(os.environ)
    if SWIFTSHADER.exists():
        env.setdefault("VK_ICD_FILENAMES", str(SWIFTSHADER))
    process = subprocess.Popen(
        [str(part) for part in command], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        errors="replace", start_new_session=True,
    )  # fmt: skip
    try:
        errors = process.communicate(timeout=seconds)[1]
    except subprocess.TimeoutExpired:
        return f"no result within {seconds:.0f} s"
    finally:
        _end(process)
    if process.returncode == 0:
        return ""
    lines = [line for line in errors.splitlines() if line.strip() and not line.startswith("INFO")]
    return lines[-1] if lines else f"exit status {process.returncode}"


def _end(process: subprocess.Popen) -> None:
    """Ends a process, which may end its own children first, and then its whole group."""
    with suppress(subprocess.TimeoutExpired):
        process.terminate()
        process.wait(10)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def versions(cache: Path) -> list[str]:
    """Name and version of each installed runtime."""
    found = [f"{name} {importlib.metadata.version(name)}" for name in ("ai-edge-litert", "onnxruntime")]
    for module in MODULES:
        file = cache / "js" / "node_modules" / module / "package.json"
        found += [f"{module} {json.loads(file.read_text())['version']}"] if file.exists() else []
    for package in ("openvino", "ncnn", "pnnx"):
        folders = (cache / ("ncnn" if package == "pnnx" else package)).glob(
            f"lib/*/site-packages/{package}-*.dist-info"
        )
        found += [f"{package} {folder.name.removesuffix('.dist-info').split('-')[1]}" for folder in folders]
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program:
        found.append(
            " ".join(subprocess.check_output([program, "--version"], text=True, stderr=subprocess.DEVNULL).split()[:2])
        )
    return found
