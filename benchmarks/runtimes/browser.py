"""Runs one exported file in headless Chromium: serves page.html on this machine and waits for what it posts.

    python browser.py RUNTIME FILE WINDOWS.npz RESULT.npz NODE_MODULES

RUNTIME is litert-wasm, litert-webgpu, ort-wasm or ort-webgpu. WebGPU runs on SwiftShader, in software. RESULT.npz is
that of open_file.py.
"""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np

#: Seconds after which a page that has posted nothing is given up.
_TIMEOUT = 150
_TYPES = {".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm", ".html": "text/html"}


class _Server(http.server.ThreadingHTTPServer):
    """Serves files by path, or folders by a path that ends in "/", and keeps what is posted."""

    daemon_threads = True

    def __init__(self, files: dict[str, Path]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files, self.posted = files, threading.Event()
        self.path, self.body = "", b""

    def find(self, path: str) -> Path | None:
        for prefix, place in self.files.items():
            if path == prefix or (prefix.endswith("/") and path.startswith(prefix)):
                file = place / path[len(prefix) :]
                return file if file.is_file() else None
        return None


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        file = self.server.find(self.path.split("?")[0])
        self.send_response(200 if file else 404)
        self.send_header("Content-Type", _TYPES.get(file.suffix if file else "", "application/octet-stream"))
        self.end_headers()
        if file:
            self.wfile.write(file.read_bytes())

    def do_POST(self) -> None:
        self.server.path, self.server.body = self.path, self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.server.posted.set()

    def log_message(self, *arguments) -> None:
        pass


@contextmanager
def _chromium(runtime: str, port: int, profile: Path):
    """Chromium with the page open; all of its processes are ended afterwards."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise SystemExit("Chromium is not installed")
    flags = ["--headless=new", "--no-sandbox", "--no-first-run", "--disable-breakpad", f"--user-data-dir={profile}"]
    if runtime.endswith("webgpu"):
        flags += ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"]
    command = [program, *flags, f"http://127.0.0.1:{port}/page.html?{runtime}"]
    browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        yield
    finally:
        os.killpg(browser.pid, signal.SIGKILL)
        browser.wait()


def main(runtime: str, file: str, windows_file: str, result: str, modules: str) -> None:
    # So that Chromium is also ended when this process is.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        windows = {
            name: {"shape": [1, *x.shape[1:]], "values": x.reshape(len(x), -1).tolist()}
            for name, x in np.load(windows_file).items()
        }
        (Path(folder) / "windows.json").write_text(json.dumps(windows))
        files = {
            "/page.html": Path(__file__).parent / "page.html",
            "/windows.json": Path(folder) / "windows.json",
            "/model": Path(file),
            "/litert/": Path(modules) / "@litertjs" / "core",
            "/wasm-utils/": Path(modules) / "@litertjs" / "wasm-utils",
            "/ort/": Path(modules) / "onnxruntime-web" / "dist",
        }
        server = _Server(files)
        threading.Thread(target=functools.partial(server.serve_forever, 0.05), daemon=True).start()
        with _chromium(runtime, server.server_port, Path(folder) / "profile"):
            posted = server.posted.wait(_TIMEOUT)
        server.shutdown()
    if not posted:
        raise SystemExit(f"the page gave no result within {_TIMEOUT} s")
    if server.path == "/error":
        raise SystemExit(server.body.decode(errors="replace").strip() or "an error without a message")
    found = json.loads(server.body)
    np.savez(result, output=np.array(found["output"], np.float32), latency_ms=found["latency_ms"])


if __name__ == "__main__":
    main(*sys.argv[1:])
