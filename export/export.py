"""From a trained model to a folder for an app: model files, contract and golden values, all of it verified."""

from __future__ import annotations

import errno
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from rich.console import Console

from skelgnn_tf import checkpoints, skeletons
from skelgnn_tf.checkpoints import LoadedModel
from skelgnn_tf.configs import ActionConfig
from skelgnn_tf.export import contract, gpu, op_times
from skelgnn_tf.export.calibration import RealClips, load_real_clips
from skelgnn_tf.export.folder import MODEL_FILES, check_folder, kept_entries, replace_files
from skelgnn_tf.export.formats import coreml, onnx, tflite
from skelgnn_tf.export.golden import GOLDEN, golden
from skelgnn_tf.export.graph.phone_model import PhoneModel
from skelgnn_tf.export.model_file import num_bytes, sha256
from skelgnn_tf.export.quantization import calibrated
from skelgnn_tf.export.summary import show
from skelgnn_tf.export.verify import Verification, broken_bound, verify
from skelgnn_tf.inference.runner import CONTRACT
from skelgnn_tf.skeletons import Skeleton

#: {format: (name of its file, module that writes it)}.
_FORMATS: dict[str, tuple[str, Any]] = {
    "tflite": ("model.tflite", tflite), "onnx": ("model.onnx", onnx), "coreml": (coreml.PACKAGE, coreml),
}  # fmt: skip
#: Quantizations that need training clips.
_CALIBRATED = ("int8", "int16x8")


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
    """Writes model.tflite, model.onnx, model.mlpackage or several of them, with contract.json and golden.json.

    Every file is loaded again, run on real clips and compared with Keras; a Core ML package, which runs only on Apple's
    systems, is only read again. A file that breaks the bound of its quantization is not kept. If anything fails, the
    folder stays as it was.

    Args:
        path: Run folder, `.keras` file or preset.
        folder: Where to write; None for exported/<name of the model>.
        formats: One or several of "tflite", "onnx" and "coreml", which needs the extra `skelgnn-tf[coreml]`.
        quantization: One of `tflite.QUANTIZATIONS`.
        layout: Joints of the detector, the name of a skeleton; None for the model's own.
        flip: Average a lifter's poses with those of the mirrored keypoints.
        data_dir: Folders of the model's data, for calibration and verification; () for those of the training.
        overwrite: Replace the export of another model.
        force: Keep a file that breaks its bound; contract.json then says so.
        console: Where to show the result; None for stdout.

    Returns:
        The folder.

    Raises:
        FileNotFoundError: There is no such model.
        ValueError: A model, layout or folder that does not fit, no clips to calibrate with, an operation that the
            format lacks, a file that breaks its bound, a full disk.

    Example:
        >>> export("fitness_9f", "exported/lifter", layout="blazepose_33")  # doctest: +SKIP
        PosixPath('exported/lifter')
    """
    _check_options(formats, quantization)
    loaded = checkpoints.load(path)
    joints, name = _input_layout(layout, loaded), _name(path)
    phone = PhoneModel(loaded.model, loaded.config, joints, flip)
    folder = Path(folder) if folder else Path("exported") / name
    check_folder(folder, contract.weights_sha256(loaded.model), overwrite)
    training, test = load_real_clips(loaded, joints, data_dir)
    if quantization in _CALIBRATED and training is None:
        raise ValueError(_no_training_clips(quantization, loaded))
    job = _Job(phone, quantization, force, training, test)
    described = contract.describe(phone, name, path, test.fps if training else loaded.config.fps)
    files, results = _write(job, described, formats, folder)
    console = console or Console()
    show(folder, files, results, console)
    if phone.step_inputs and quantization == "int16x8":
        console.print("16-bit files have no signature step: the converter mixes up the ranges of two signatures.")
    return folder


@dataclass(frozen=True)
class _Job:
    """What all files of an export have in common."""

    phone: PhoneModel
    quantization: str
    force: bool
    training: RealClips | None
    test: RealClips


def _check_options(formats: tuple[str, ...], quantization: str) -> None:
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise ValueError(
            f"export must be used with Keras' TensorFlow backend. Received: KERAS_BACKEND={backend}. Set "
            "KERAS_BACKEND=tensorflow."
        )
    for name in formats:
        if name == "coreml":
            coreml.check_installed()
        possible = _FORMATS[name][1].QUANTIZATIONS
        if quantization not in possible:
            others = " or ".join(f"--{n}" for n, (_, form) in _FORMATS.items() if quantization in form.QUANTIZATIONS)
            hint = f"Export {others} with {quantization}, and --{name} in a second command." if others else ""
            raise ValueError(
                f"--quantize must be one of {', '.join(possible)} with --{name}. Received: {quantization}. "
                f"{hint or 'Choose one of them.'}"
            )


def _input_layout(layout: str | None, loaded: LoadedModel) -> Skeleton | None:
    """Joints of the keypoints; None for a model whose input is poses."""
    if layout is not None:
        return skeletons.get(layout)
    if isinstance(loaded.config, ActionConfig) and loaded.config.input == "pose":
        return None
    own = loaded.model.skeleton
    # The extra edges of LCN belong to the graph, not to the detector.
    return skeletons.ALL.get(own.name.removesuffix("_lcn"), own)


def _name(path: Path | str) -> str:
    """Name of an export: that of its run, its file or its preset."""
    path = Path(path)
    path = path.resolve() if path.exists() else path
    if path.name == "model.keras":
        return path.parent.name
    return path.stem if path.suffix == ".keras" else path.name


def _no_training_clips(quantization: str, loaded: LoadedModel) -> str:
    config = loaded.config
    places = [*config.data_dir, *([config.data_file] if isinstance(config, ActionConfig) and config.data_file else [])]
    return (
        f"--quantize {quantization} must be calibrated with training clips of {', '.join(config.dataset)}. Received: "
        f"{', '.join(places) or 'no folder'}, where they were not found. Name their folder with --data-dir."
    )


def _write(
    job: _Job, described: dict[str, Any], formats: tuple[str, ...], folder: Path
) -> tuple[dict[str, Any], dict[str, Verification | None]]:
    """Makes the whole export in a folder of its own and moves it into place.

    Returns:
        The entries of all model files in the folder, and the verifications of the new ones.
    """
    names = [_FORMATS[name][0] for name in formats]
    files = kept_entries(folder, described, names)
    results: dict[str, Verification | None] = {}
    parent = next(p for p in folder.absolute().parents if p.is_dir())
    with _write_errors(folder), tempfile.TemporaryDirectory(dir=parent, prefix=f".{folder.name}.partial") as tmp:
        for name in names:
            write = _write_package if name == coreml.PACKAGE else _write_model
            files[name], results[name] = write(job, described, Path(tmp) / name)
        files = {name: files[name] for name in MODEL_FILES if name in files}
        places = [(Path(tmp) if name in results else folder) / name for name in files]
        _write_json(Path(tmp) / GOLDEN, golden(places, job.test, job.phone))
        # An app runs the .tflite file if there is one.
        signatures = next(iter(files.values()))["signatures"]
        _write_json(Path(tmp) / CONTRACT, described | {"signatures": signatures, "files": files}, indent=1)
        replace_files(Path(tmp), folder, files)
    return files, results


@contextmanager
def _write_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        hint = "Make room on the disk." if error.errno == errno.ENOSPC else "Choose another --output."
        raise ValueError(f"{folder} cannot be written: {error.strerror}. {hint}") from error


def _write_json(file: Path, content: dict[str, Any], indent: int | None = None) -> None:
    file.write_text(json.dumps(content, indent=indent) + "\n", encoding="utf-8")


def _write_model(job: _Job, described: dict[str, Any], file: Path) -> tuple[dict[str, Any], Verification]:
    """Writes and verifies one file.

    Returns:
        Its entry in contract.json, and its verification.

    Raises:
        ValueError: It breaks its bound and is not to be kept, or its outputs are not finite.
    """
    content = _convert(job, file.name)
    own = _own_entries(job, file.name) | {
        "minimum_runtime": contract.minimum_runtime(file.name, content),
    }
    with_contract = (onnx if file.suffix == ".onnx" else tflite).with_contract
    content = with_contract(content, json.dumps(described | own))
    file.write_bytes(content)
    result = verify(file, job.phone.model, job.phone.layout, job.phone.flip, job.test)
    broken = broken_bound(job.quantization, result)
    # JSON has no NaN, and no app has a use for it.
    if broken and not (job.force and np.isfinite(result.largest_difference)):
        raise ValueError(
            f"{file.name} ({job.quantization}) {broken}. It was not kept. Choose another --quantize, train with "
            "--quantize-aware, or keep it with --force."
        )
    entry = own | {
        "sha256": sha256(file),
        "bytes": num_bytes(file),
        "verification": result.to_dict(),
    }
    entry |= _describe_file(job, file.name, content)
    if file.suffix == ".tflite" and (on_gpu := gpu.compare(file, job.quantization, job.test)):
        entry["gpu"] = on_gpu
    return entry | ({"broken_bound": broken} if broken else {}), result


def _own_entries(job: _Job, name: str) -> dict[str, Any]:
    """Entries of a file in contract.json that are inside the file, too."""
    return {
        "signatures": contract.signatures(job.phone, name, job.quantization),
        "quantization": job.quantization,
        # tf.Module wraps its dicts and lists, and json takes only plain ones.
        "guards": {side: list(rules) for side, rules in job.phone.guards.items()},
    }


def _write_package(job: _Job, described: dict[str, Any], package: Path) -> tuple[dict[str, Any], None]:
    """As `_write_model`, for a Core ML package, of which nothing but its format can be verified."""
    own = _own_entries(job, package.name) | {
        "minimum_runtime": coreml.MINIMUM_RUNTIME,
        "verification": None,
        "not_verified": coreml.NOT_VERIFIED,
    }
    coreml.write(package, job.phone, described | own, job.quantization)
    read = coreml.check(package, job.phone)
    return own | read | {"sha256": sha256(package), "bytes": num_bytes(package)}, None


def _convert(job: _Job, name: str) -> bytes:
    phone, clips = job.phone, job.training
    if name == "model.onnx":
        return onnx.convert(phone, job.quantization, clips)
    if job.quantization == "int8" and clips is not None:
        phone = calibrated(phone, clips)
    return tflite.convert(phone, job.quantization, clips.one_by_one() if clips else ())


def _describe_file(job: _Job, name: str, content: bytes) -> dict[str, Any]:
    """Entries in contract.json that only files of some formats and quantizations have."""
    entry: dict[str, Any] = {}
    if job.quantization in _CALIBRATED and job.training is not None:
        clips = job.training
        entry["calibration"] = {"about": clips.about, "windows": len(clips), "clips": list(clips.names)}
    if name == "model.onnx":
        entry["opset"] = onnx.OPSET
    else:
        entry["xnnpack_partitions"] = op_times.partitions(content)
        entry["time_by_op"] = [row._asdict() for row in op_times.op_times(content)]
    return entry
