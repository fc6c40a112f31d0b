"""From a trained model to a folder that an app takes: files, contract, golden values, and the check of them all."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import tempfile
from pathlib import Path

import keras
import numpy as np
from rich.console import Console
from rich.table import Table

from skelgnn_tf import checkpoints, skeletons
from skelgnn_tf.configs.config import Config
from skelgnn_tf.export import calibration as real_clips
from skelgnn_tf.export import contract, op_times
from skelgnn_tf.export.calibration import RealClips
from skelgnn_tf.export.formats import onnx, tflite
from skelgnn_tf.export.graph.phone_model import PhoneModel
from skelgnn_tf.export.quantization import calibrated
from skelgnn_tf.export.verify import Verification, bound, verify
from skelgnn_tf.skeletons import Skeleton

_FORMATS = {"model.tflite": tflite, "model.onnx": onnx}
_OTHERS = ("model.json", "golden.json")


def export(
    path: Path | str,
    folder: Path | str | None = None,
    *,
    formats: tuple[str, ...] = ("tflite",),
    quantization: str = "none",
    layout: str | None = None,
    flip: bool = False,
    data_dir: tuple[str, ...] = (),
    overwrite: bool = False,
    force: bool = False,
    console: Console | None = None,
) -> Path:
    """Writes model.tflite and/or model.onnx with model.json and golden.json; a file that breaks its bound is not left.

    Args:
        path: Run folder, `.keras` file or preset.
        folder: Where to; None for exported/<name of the run>.
        formats: "tflite", "onnx" or both.
        quantization: One of `tflite.QUANTIZATIONS`.
        layout: Joints of the detector, a skeleton's name; None for the model's own.
        flip: Average a lifter's poses with those of the mirrored keypoints.
        data_dir: Where the model's data lie, for calibration and verification; () for where they lay in training.
        overwrite: The folder may hold another model.
        force: Keep a file that breaks its bound, and say so in model.json.
        console: Where the result is shown.

    Returns:
        The folder.

    Raises:
        FileNotFoundError: No such model.
        ValueError: A model, layout or folder that does not fit, no clips to calibrate with, an operation that the
            format lacks, a file that breaks its bound, a full disk. Nothing has changed then.
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError(f"export wants Keras' TensorFlow backend; found KERAS_BACKEND={keras.backend.backend()}")
    console = console or Console()
    for name in formats:
        if quantization not in _FORMATS[f"model.{name}"].QUANTIZATIONS:
            raise ValueError(f"--{name} has no --quantize {quantization}; that is of --tflite alone")
    model, config = checkpoints.load(path)
    joints, name = _layout(layout, model.skeleton, config), _name(path)
    phone = PhoneModel(model, config, joints, flip)
    folder = Path(folder) if folder else Path("exported") / name
    _check(folder, contract.weights_sha256(model), overwrite)
    calibration, test = real_clips.load(model, config, joints, data_dir)
    if quantization in ("int8", "int16x8") and calibration is None:
        raise ValueError(
            f"--quantize {quantization} wants clips of the training split of {', '.join(config.dataset)} to calibrate "
            f"with, and they are not in {', '.join(config.data_dir) or config.data_file or '(no folder)'}; name their "
            "folder with --data-dir"
        )
    described = contract.describe(phone, config, name, path, test.fps if calibration else config.fps)
    files = _kept(folder, described)
    parent = next(p for p in folder.absolute().parents if p.is_dir())
    try:
        with tempfile.TemporaryDirectory(dir=parent, prefix=f".{folder.name}.partial") as beside:
            results = {}
            for file in (f"model.{suffix}" for suffix in formats):
                content = _content(file, phone, quantization, calibration)
                own = {"signatures": contract.signatures(phone, file, quantization), "quantization": quantization}
                (Path(beside) / file).write_bytes(_FORMATS[file].with_contract(content, json.dumps(described | own)))
                results[file] = verify(Path(beside) / file, model, config, joints, flip, test)
                files[file] = own | _entry(Path(beside) / file, quantization, results[file], force, calibration)
            # An app's tests run the TFLite file, if there is one.
            first = next(file for file in _FORMATS if file in files)
            if first in results:
                golden = contract.golden(Path(beside) / first, test)
                (Path(beside) / "golden.json").write_text(json.dumps(golden) + "\n")
            described |= {"signatures": files[first]["signatures"], "files": files}
            (Path(beside) / "model.json").write_text(json.dumps(described, indent=1) + "\n")
            _place(Path(beside), folder, set(files))
    except FileNotFoundError:
        raise
    except OSError as error:
        mend = "make room" if error.errno == errno.ENOSPC else "choose another --output"
        raise ValueError(f"cannot write {folder}: {error.strerror}; {mend}") from error
    show(folder, files, results, console)
    if phone.step_inputs and quantization == "int16x8":
        console.print("16-bit files have no signature step: the converter mixes up the ranges of two signatures")
    return folder


def _place(beside: Path, folder: Path, kept: set[str]) -> None:
    """Moves a finished export into its folder; what is no part of it any more goes last."""
    fresh = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        for new in beside.iterdir():
            os.replace(new, folder / new.name)
    finally:
        if fresh and not any(folder.iterdir()):
            folder.rmdir()
    for old in _FORMATS.keys() - kept:
        (folder / old).unlink(missing_ok=True)


def _content(file: str, phone: PhoneModel, quantization: str, calibration) -> bytes:
    if file == "model.onnx":
        return onnx.convert(phone, quantization, calibration)
    if quantization == "int8":
        phone = calibrated(phone, calibration)
    return tflite.convert(phone, quantization, calibration.one_by_one() if calibration else ())


def _layout(layout: str | None, skeleton: Skeleton, config: Config) -> Skeleton | None:
    if layout is not None:
        return skeletons.get(layout)
    if config.input == "pose":
        return None
    # LCN's extra edges are the graph's, not the detector's.
    own = skeleton.name.removesuffix("_lcn")
    return skeletons.ALL.get(own, skeleton)


def _entry(file: Path, quantization: str, result: Verification, force: bool, calibration: RealClips | None) -> dict:
    """What model.json says of one file.

    Raises:
        ValueError: It breaks its bound and is not to be kept all the same, or gives no numbers.
    """
    broken = bound(quantization, result)
    # No JSON holds NaN, and no app can use it.
    if broken and not (force and np.isfinite(result.largest_difference)):
        raise ValueError(
            f"{file.name} ({quantization}) {broken}, so it was not kept; choose another --quantize, train with "
            "--quantize-aware, or keep it with --force"
        )
    content = file.read_bytes()
    entry = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "verification": result.to_dict(),
    }
    if quantization in ("int8", "int16x8"):
        entry["calibration"] = {
            "about": calibration.about, "windows": len(calibration), "clips": list(calibration.names),
        }  # fmt: skip
    if file.suffix == ".onnx":
        entry["opset"] = onnx.OPSET
    if file.suffix == ".tflite":
        entry["xnnpack_partitions"] = op_times.partitions(content)
        entry["time_by_op"] = [row._asdict() for row in op_times.op_times(content)]
    return entry | ({"broken_bound": broken} if broken else {})


def _check(folder: Path, weights_sha256: str, overwrite: bool) -> None:
    """Raises ValueError if a folder cannot take an export: a file, something else, or another model's."""
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file; expected a folder to write an export into; choose another --output")
    ours = (*_FORMATS, *_OTHERS)
    there = sorted(f.name for f in folder.iterdir() if not f.name.startswith(".")) if folder.exists() else []
    foreign = [name for name in there if name not in ours]
    if foreign:
        raise ValueError(
            f"{folder} holds {foreign[0]}, so it is no export (expected {', '.join(ours)} or nothing); choose another "
            "--output"
        )
    found = _read(folder)
    if there and found.get("weights_sha256") != weights_sha256 and not overwrite:
        raise ValueError(
            f"{folder} holds another model ({found.get('name', 'without a sound model.json')}); replace it with "
            "--overwrite or choose another --output"
        )


def _kept(folder: Path, described: dict) -> dict:
    """Entries of files in the folder that stay: other formats of the same export."""
    there, ours = _read(folder), json.loads(json.dumps(described))
    same = all(there.get(key) == value for key, value in ours.items() if key not in ("versions", "signatures"))
    return {name: entry for name, entry in there.get("files", {}).items() if same and (folder / name).exists()}


def _read(folder: Path) -> dict:
    """A folder's model.json; empty if there is none that is sound."""
    try:
        found = json.loads((folder / "model.json").read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _name(path: Path | str) -> str:
    """What an export of this model is called: its run, its file or its preset."""
    path = Path(path)
    path = path.resolve() if path.exists() else path
    return path.parent.name if path.name == "model.keras" else path.stem if path.suffix == ".keras" else path.name


def show(folder: Path, files: dict, results: dict[str, Verification], console: Console) -> None:
    """The verification of a fresh export as a table."""
    table = Table("", *results)

    def row(name: str, text) -> None:
        table.add_row(name, *(text(file, result) for file, result in results.items()))

    row("quantisation", lambda f, r: files[f]["quantization"])
    row("size (zipped)", lambda f, r: f"{r.bytes / 1e6:.3f} MB ({r.zipped_bytes / 1e6:.3f})")
    poses = next(iter(results.values())).score.startswith("MPJPE")
    row(
        "from Keras, at most (mean)",
        lambda f, r: (
            f"{r.largest_difference * 1e3:.3g} mm ({r.mean_difference * 1e3:.3g})"
            if poses
            else f"{r.largest_difference:.2g} ({r.mean_difference:.2g})"
        ),
    )
    row(next(iter(results.values())).score, lambda f, r: f"{r.keras:.2f} -> {r.file:.2f}")
    row("lost", lambda f, r: f"{r.lost:+.2f} mm ({r.lost / r.keras:+.2%})" if poses else f"{r.lost:+.2f} points")
    for threads in next(iter(results.values())).latency_ms:
        row(f"ms a window, {threads} thread(s)", lambda f, r, n=threads: f"{r.latency_ms[n]:.3f}")
    entry = files.get("model.tflite", {})
    if "model.tflite" in results:
        row("XNNPACK partitions", lambda f, r: str(files[f].get("xnnpack_partitions", "")))
        shares = ", ".join(f"{o['name']} {o['share']:.0%}" for o in entry["time_by_op"][:6])
        row("time by op", lambda f, r: shares if f == "model.tflite" else "")
    console.print(table)
    for file, result in results.items():
        console.print(f"{folder / file}: compared with Keras on {result.clips}", highlight=False, soft_wrap=True)
        if "broken_bound" in files[file]:
            console.print(f"kept by --force although it {files[file]['broken_bound']}", highlight=False, soft_wrap=True)
