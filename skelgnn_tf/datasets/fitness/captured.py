"""Recorded motion as the generator's poses, so that phones' cameras and detectors see it like any other."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from skelgnn_tf.datasets.fitness.body import FACE, INDEX, JOINTS, SIDES, draw_body
from skelgnn_tf.datasets.fitness.kinematics import Pose
from skelgnn_tf.datasets.fitness.rotations import unit
from skelgnn_tf.datasets.h36m.loader import TRAIN_SUBJECTS, load_poses
from skelgnn_tf.skeletons import H36M_17


class Recordings:
    """Motion capture in Human3.6M's layout, cut and resampled at random.

    Args:
        folder: Folder with `data_3d_h36m.npz`.
        subjects: The subjects to use, by default those of the training split.
        share: Share of the class "other" in phone scenes that is recorded.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file has another layout, or none of the subjects.
    """

    def __init__(self, folder: str | Path, subjects: tuple[str, ...] = TRAIN_SUBJECTS, share: float = 0.4) -> None:
        poses, self.fps = load_poses(Path(folder))
        self.share = share
        self.takes = [take for subject in subjects if subject in poses for take in poses[subject].values()]
        if not self.takes:
            raise ValueError(
                f"{folder}: data_3d_h36m.npz must have one of the subjects {', '.join(subjects)}. Received: "
                f"{', '.join(map(str, poses)) or 'none'}."
            )
        self._weights = np.array([len(take) for take in self.takes]) / sum(len(take) for take in self.takes)

    def draw(self, rng: np.random.Generator, frames: int, fps: float) -> Pose:
        """A piece of a take, at 0.8 to 1.25 times its speed; a short take runs to and fro."""
        take = self.takes[int(rng.choice(len(self.takes), p=self._weights))]
        step = self.fps / fps * np.exp(rng.uniform(-0.22, 0.22))
        at = rng.uniform(0, max(len(take) - 1 - step * frames, 1.0)) + step * np.arange(frames)
        last = max(len(take) - 1, 1)
        at = last - np.abs(at % (2 * last) - last)
        low = np.minimum(at.astype(int), len(take) - 1)
        share = (at - low)[:, None, None]
        world_m = take[low] * (1 - share) + take[np.minimum(low + 1, len(take) - 1)] * share
        return pose_of(rng, world_m)


def pose_of(rng: np.random.Generator, world_m: np.ndarray) -> Pose:
    """World-space meters (frames, 17, 3) of `H36M_17`, z up -> a pose with faces, hands and feet added."""
    body = draw_body(rng)
    at = {joint: world_m[:, H36M_17.index(joint)] for joint in H36M_17.joints}
    joints = np.empty((len(world_m), len(JOINTS), 3))
    for joint in H36M_17.joints:
        joints[:, INDEX[joint]] = at[joint]
    pelvis = _axes(at["right_hip"] - at["left_hip"], at["spine"] - at["hip"])
    chest = _axes(at["right_shoulder"] - at["left_shoulder"], at["thorax"] - at["spine"])
    skull = _axes(at["right_shoulder"] - at["left_shoulder"], at["head"] - at["thorax"])
    joints[:, [INDEX[joint] for joint in FACE]] = at["neck"][:, None] + body.face_m @ np.swapaxes(skull, 1, 2)
    frames = [pelvis, chest, skull]
    legs, arms = [], []
    for side in SIDES:
        shank = at[f"{side}_ankle"] - at[f"{side}_knee"]
        leg = _axes(pelvis[:, :, 0], -shank)
        # A foot points forward, square to the shank.
        joints[:, INDEX[f"{side}_foot_index"]] = at[f"{side}_ankle"] + body.toe_m * leg[:, :, 1]
        joints[:, INDEX[f"{side}_heel"]] = at[f"{side}_ankle"] - body.heel_m * leg[:, :, 1]
        forearm = unit(at[f"{side}_wrist"] - at[f"{side}_elbow"])
        for finger, share in (("index", 0.52), ("pinky", 0.46), ("thumb", 0.28)):
            joints[:, INDEX[f"{side}_{finger}"]] = at[f"{side}_wrist"] + share * body.hand_m * forearm
        legs.append(leg)
        arms.append(_axes(chest[:, :, 0], at[f"{side}_shoulder"] - at[f"{side}_elbow"]))
    still = np.zeros((len(world_m), 2), bool)
    return Pose(joints, np.stack([*frames, *legs, *arms], axis=1), still, still)


def _axes(right: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Axes (frames, 3, 3) as columns right, forward, up, from two directions (frames, 3) that are about square."""
    up = unit(up)
    right = unit(right - np.sum(right * up, axis=-1, keepdims=True) * up)
    return np.stack([right, np.cross(up, right), up], axis=-1)
