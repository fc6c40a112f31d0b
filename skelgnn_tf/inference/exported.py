"""Exported `.tflite` and `.onnx` files in the place of Keras models, so that predict runs what a phone runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from skelgnn_tf import skeletons
from skelgnn_tf.configs.config import Config
from skelgnn_tf.inference.runner import Runner
from skelgnn_tf.skeletons import Skeleton


class ExportedModel:
    """A file with the attributes that `inference.lift` and `inference.recognize` ask of a model.

    Args:
        path: `.tflite` or `.onnx`, as `skelgnn-tf export` writes them.

    Attributes:
        layout: Joints of its keypoints, of which it wants pixels; None if it takes 3D poses of `skeleton`.
        skeleton: Joints of its poses.
        image_size_px: Width and height of the picture that the next windows are of.

    Raises:
        FileNotFoundError, ValueError: As `Runner`.
    """

    def __init__(self, path: str | Path) -> None:
        self.runner = Runner(path)
        contract = self.runner.contract
        self.skeleton = Skeleton.from_config(contract["skeleton"])
        name = contract["keypoint_layout"]
        self.layout = None if name is None else skeletons.ALL.get(name, self.skeleton)
        self.frames, self.persons, self.causal = contract["frames"], contract["persons"], contract["causal"]
        self.classes = tuple(contract["classes"])
        self.every_frame = contract["task"] == "lift" and self.runner.outputs["pose_m"][1] > 1
        self.input_channels = 3
        self.image_size_px = (1, 1)

    @property
    def config(self) -> Config:
        """What predict must know of its run; mirroring and normalisation are inside the file."""
        contract = self.runner.contract
        task = {"lift": {"flip": False, "confidence": True}, "action": {"sampling": contract["sampling"]}}
        input_ = {} if contract["task"] == "lift" else {"input": "pose" if self.layout is None else "keypoints"}
        return Config(
            task=contract["task"], frames=contract["frames"], fps=contract["fps"], **task[contract["task"]], **input_
        )

    def __call__(self, windows: np.ndarray, training: bool = False) -> np.ndarray:
        """Windows of pixels (or of poses), one after the other: poses in metres, or logarithms of probabilities.

        The softmax of those logarithms, which `recognize` takes of what a model says, gives the probabilities again.
        """
        if "pose_m" in self.runner.outputs:
            return np.concatenate([self._run(window)["pose_m"] for window in windows])
        found = np.concatenate([self._run(window)["probabilities"] for window in windows])
        return np.log(np.maximum(found, np.finfo(np.float32).tiny))

    def _run(self, window: np.ndarray) -> dict[str, np.ndarray]:
        if self.layout is None:
            return self.runner.run(pose_m=window[None])
        # One person has no axis in the file.
        keypoints = window[0] if window.ndim == 4 and self.persons == 1 else window
        return self.runner.run(keypoints=keypoints[None], image_size=[self.image_size_px])
