"""Prediction: the 3D poses and the actions of one person over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from skelgnn_tf.inference.windows import Decisions
from skelgnn_tf.skeletons import Skeleton


class Segment(NamedTuple):
    """A run of frames of one action: its first and last frame, index of the class, mean probability."""

    first: int
    last: int
    label: int
    probability: float


@dataclass(frozen=True)
class Poses:
    """What a lifter says.

    Args:
        lifter: Its name.
        skeleton: Joints of the poses.
        pose_m: float32 (frames, joints, 3), metres from the root joint, camera axes x right, y down, z forward; NaN in
            frames where no keypoint of the person is seen. Filtered and scaled, if that was asked for.
        latency_frames: How many later frames a pose waits for.
    """

    lifter: str
    skeleton: Skeleton
    pose_m: np.ndarray
    latency_frames: int


@dataclass(frozen=True)
class Motion:
    """What happens to the poses over time.

    Args:
        bridged: bool (frames,), where the pose was missing and stands between its neighbours.
        angles_deg: {name: float64 (frames,)} of `motion.joint_angles`, NaN where nobody is seen.
        exercise: For each frame the exercise that is counted, as a live counter knows it; None before the first
            decision. Nothing without a recogniser of exercises.
        repetitions: int (frames,), how many of them are finished.
    """

    bridged: np.ndarray
    angles_deg: dict[str, np.ndarray]
    exercise: tuple[str | None, ...]
    repetitions: np.ndarray


@dataclass(frozen=True)
class Actions:
    """What a recogniser says.

    Args:
        recognizer: Its name.
        classes: Names of the classes.
        decisions: Of windows and of frames.
        window_frames: Frames of the file that a decision has seen.
        hop_frames: Frames from one decision to the next.
        latency_frames: How many frames after a frame the first decision that has seen it comes, at most; what the
            lifter waits for is in it, if the recogniser is fed by one.
    """

    recognizer: str
    classes: tuple[str, ...]
    decisions: Decisions
    window_frames: int
    hop_frames: int
    latency_frames: int

    @property
    def segments(self) -> list[Segment]:
        """The frames' most probable actions, equal neighbours merged."""
        probabilities = self.decisions.frame_probabilities
        label = probabilities.argmax(axis=1)
        starts = np.flatnonzero(np.diff(label, prepend=-1))
        ends = np.append(starts[1:], len(label))
        return [
            Segment(int(first), int(end) - 1, int(label[first]), float(probabilities[first:end, label[first]].mean()))
            for first, end in zip(starts, ends, strict=True)
        ]


@dataclass(frozen=True)
class Prediction:
    """3D poses and actions of one person over time; frame t stands for the time from t / fps to (t + 1) / fps.

    Args:
        source: The keypoint file.
        layout: Of its joints.
        image_size_px: Width and height of the picture.
        fps: Frames per second.
        num_frames: Frames.
        num_persons: Persons that are ever seen.
        person: Which one of the file this is, from 0.
        notes: What was taken for granted, a line each.
        poses: What the lifter says, or None.
        actions: What the recogniser says, or None.
        motion: Angles and repetitions, if there are poses.
    """

    source: str
    layout: str
    image_size_px: tuple[int, int]
    fps: float
    num_frames: int
    num_persons: int
    person: int
    notes: tuple[str, ...]
    poses: Poses | None
    actions: Actions | None
    motion: Motion | None = None

    @property
    def time_s(self) -> np.ndarray:
        """When each frame begins: float64 (frames,)."""
        return np.arange(self.num_frames) / self.fps
