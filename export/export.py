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

from skelgnn_tf import presets, skeletons
from skelgnn_tf.config import Config
from skelgnn_tf.export import contract, onnx, op_times, real_clips, tflite
from skelgnn_tf.export.phone_model import PhoneModel
from skelgnn_tf.export.quantize import calibrated
from skelgnn_tf.export.verify import Verification, bound, verify
from skelgnn_tf.skeletons import Skeleton

#: Detectors that there are joint maps for.
LAYOUTS = ("h36m_17", "coco_17", "blazepose_33")
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
        layout: Joints of the detector, one of LAYOUTS; None for the model's own.
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
    model, config = presets.load(path)
    joints = _layout(layout, model.skeleton, config)
    phone = PhoneModel(model, config, joints, flip)
    if quantization == "int16x8":
        phone.step_inputs = {}  # `tflite.convert` leaves it out
    name = _name(path)
    described = contract.describe(phone, config, name, path)
    folder = Path(folder) if folder else Path("exported") / name
    files = _kept(folder, described, overwrite)
    calibration, test = real_clips.load(model, config, joints, data_dir)
    if quantization in ("int8", "int16x8") and calibration is None:
        raise ValueError(
            f"--quantize {quantization} wants clips of the training split of {', '.join(config.dataset)} to calibrate "
            f"with, and they are not in {', '.join(config.data_dir) or config.data_file or '(no folder)'}; name their "
            "folder with --data-dir"
        )
    parent = next(p for p in folder.absolute().parents if p.is_dir())
    try:
        with tempfile.TemporaryDirectory(dir=parent, prefix=f".{folder.name}.partial") as beside:
            results = {}
            for file in (f"model.{suffix}" for suffix in formats):
                content = _content(file, phone, quantization, calibration)
                contract_ = json.dumps(described | {"quantization": quantization})
                (Path(beside) / file).write_bytes(_FORMATS[file].with_contract(content, contract_))
                results[file] = verify(Path(beside) / file, model, config, joints, flip, test)
                files[file] = _entry(Path(beside) / file, quantization, results[file], force)
            golden = contract.golden(Path(beside) / next(iter(results)), test)
            (Path(beside) / "golden.json").write_text(json.dumps(golden) + "\n")
            (Path(beside) / "model.json").write_text(json.dumps(described | {"files": files}, indent=1) + "\n")
            _place(Path(beside), folder, set(files))
    except OSError as error:
        mend = "make room" if error.errno == errno.ENOSPC else "choose another --output"
        raise ValueError(f"cannot write {folder}: {error.strerror}; {mend}") from error
    show(folder, files, results, console)
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


def _entry(file: Path, quantization: str, result: Verification, force: bool) -> dict:
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
        "quantization": quantization,
        "verification": result.to_dict(),
    }
    if file.suffix == ".tflite":
        entry["xnnpack_partitions"] = op_times.partitions(content)
        entry["time_by_op"] = [row._asdict() for row in op_times.op_times(content)]
    return entry | ({"broken_bound": broken} if broken else {})


def _kept(folder: Path, described: dict, overwrite: bool) -> dict:
    """Entries of files in the folder that stay: other formats of the same model.

    Raises:
        ValueError: The folder is a file, holds something that is no export, or another model.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file; expected a folder to write an export into; choose another --output")
    if not folder.exists() or not any(folder.iterdir()):
        return {}
    foreign = sorted(f.name for f in folder.iterdir() if f.name not in (*_FORMATS, *_OTHERS))
    if foreign:
        raise ValueError(
            f"{folder} holds {foreign[0]}, so it is no export (expected {', '.join((*_FORMATS, *_OTHERS))} or "
            "nothing); choose another --output"
        )
    try:
        # As JSON has it: lists for tuples.
        described, there = json.loads(json.dumps(described)), json.loads((folder / "model.json").read_text())
        files = there.pop("files")
    except (OSError, ValueError, KeyError):
        there, files = {"name": "something without a sound model.json"}, {}
    same = all(there.get(key) == value for key, value in described.items() if key not in ("versions", "signatures"))
    if not same and not overwrite:
        raise ValueError(
            f"{folder} holds another model or another layout ({there.get('name')}, "
            f"{there.get('keypoint_layout')}); replace it with --overwrite or choose another --output"
        )
    return {name: entry for name, entry in files.items() if (folder / name).exists()} if same else {}


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
