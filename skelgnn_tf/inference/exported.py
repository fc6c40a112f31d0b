"""ExportedModel: an exported file in the place of a Keras model, so that predict runs what a phone runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from skelgnn_tf import skeletons
from skelgnn_tf.configs import ActionConfig, LiftConfig
from skelgnn_tf.inference.runner import Runner
from skelgnn_tf.skeletons import Skeleton


class ExportedModel:
    """An exported file with the attributes that `windows.lift` and `windows.recognize` ask of a model.

    Args:
        path: `.tflite` or `.onnx` file of `skelgnn-tf export`.

    Attributes:
        layout: Joints of its keypoints, which are in pixels; None if it takes 3D poses of `skeleton`.
        skeleton: Joints of its poses.
        image_size_px: Width and height of the picture of the next windows.

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
    def config(self) -> LiftConfig | ActionConfig:
        """What prediction must know of its run; mirroring and normalization are inside the file."""
        contract = self.runner.contract
        frames, fps = contract["frames"], contract["fps"]
        if contract["task"] == "lift":
            return LiftConfig(frames=frames, fps=fps, flip=False, confidence=True)
        kind = "pose" if self.layout is None else "keypoints"
        return ActionConfig(frames=frames, fps=fps, sampling=contract["sampling"], input=kind)

    def __call__(self, windows: np.ndarray, training: bool = False) -> np.ndarray:
        """Lifters: windows of pixels (windows, T, joints, 3) -> poses in meters (windows, 1 or T, joints, 3)."""
        return np.concatenate([self._run(window)["pose_m"] for window in windows])

    def probabilities(self, windows: np.ndarray) -> np.ndarray:
        """Recognizers: windows (windows, persons, T, joints, 3) -> float32 (windows, classes)."""
        return np.concatenate([self._run(window)["probabilities"] for window in windows])

    def _run(self, window: np.ndarray) -> dict[str, np.ndarray]:
        if self.layout is None:
            return self.runner.run(pose_m=window[None])
        # The file has no axis for a single person.
        keypoints = window[0] if window.ndim == 4 and self.persons == 1 else window
        return self.runner.run(keypoints=keypoints[None], image_size=np.array([self.image_size_px]))
