"""golden.json: real inputs and what every file of an export makes of them, to test an app or a runtime against."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from skelgnn_tf.export.calibration import RealClips
from skelgnn_tf.export.graph.phone_model import PhoneModel
from skelgnn_tf.export.model_file import sha256
from skelgnn_tf.inference.runner import Runner

#: Name of the file, and its format. Format 1 has only `cases`, of one file.
GOLDEN, FORMAT = "golden.json", 2
#: Number of inputs, and of the frames that `step` is given at most.
_CASES, _STEPS = 3, 30


def golden(files: Sequence[Path], clips: RealClips, phone: PhoneModel) -> dict[str, Any]:
    """What golden.json holds.

    Args:
        files: All model files of the export.
        clips: Clips to take the inputs from: the first, the middle and the last one.
        phone: The model, whose float32 outputs stand in for those of a Core ML package, which cannot be run here.

    Returns:
        `cases`: inputs, and the outputs of the first file, whose name is `file`. `files`: {name: values} with the
        `sha256` of each file, its `outputs` for the inputs of each case, and `step` if it has that signature: the
        outputs for each frame of the cases, one case after the other, at most 30 frames, from a state of zeros.
    """
    inputs = [
        {name: array[i : i + 1] for name, array in clips.inputs.items()}
        for i in np.linspace(0, len(clips) - 1, _CASES).round().astype(int)
    ]
    values = {file.name: (_expected(file, inputs, phone) if file.is_dir() else _values(file, inputs)) for file in files}
    first = files[0].name
    cases = [
        {"inputs": _lists(given), "outputs": outputs}
        for given, outputs in zip(inputs, values[first]["outputs"], strict=True)
    ]
    return {"format": FORMAT, "file": first, "clips": clips.about, "cases": cases, "files": values}


def _values(file: Path, inputs: Sequence[dict[str, np.ndarray]]) -> dict[str, Any]:
    runner = Runner(file)
    values: dict[str, Any] = {
        "sha256": sha256(file),
        "outputs": [_lists(runner.run(**given)) for given in inputs],
    }
    return values | ({"step": _stepped(runner, inputs)} if "step" in runner.contract["signatures"] else {})


def _expected(package: Path, inputs: Sequence[dict[str, np.ndarray]], phone: PhoneModel) -> dict[str, Any]:
    outputs = [_lists(phone.run(**{name: tf.constant(array) for name, array in given.items()})) for given in inputs]
    return {"sha256": sha256(package), "outputs": outputs}


def _stepped(runner: Runner, inputs: Sequence[dict[str, np.ndarray]]) -> list[dict[str, list]]:
    """Outputs of `step` for the frames of all inputs, without the states."""
    state = np.zeros(runner.contract["signatures"]["step"]["inputs"]["state"], np.float32)
    frames = [(frame, given["image_size"]) for given in inputs for frame in np.moveaxis(given["keypoints"], 1, 0)]
    found = []
    for frame, image_size in frames[:_STEPS]:
        out = runner.step(keypoints=frame[:, None], image_size=image_size, state=state)
        state = out["state"]
        found.append(_lists({name: array for name, array in out.items() if name != "state"}))
    return found


def _lists(arrays: dict[str, np.ndarray]) -> dict[str, list]:
    return {name: np.asarray(array).tolist() for name, array in arrays.items()}
