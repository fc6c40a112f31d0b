"""Prediction: the 3D poses and the actions of one person over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from skelgnn_tf.inference.windows import Decisions
from skelgnn_tf.skeletons import Skeleton


class Segment(NamedTuple):
    """Consecutive frames of one action: first and last frame, index of the class, mean probability."""

    first: int
    last: int
    label: int
    probability: float


@dataclass(frozen=True)
class Poses:
    """Poses of a lifter.

    Args:
        lifter: Name of the lifter.
        skeleton: Joints of the poses.
        pose_m: float32 (frames, joints, 3), meters from the root joint, camera axes x right, y down, z forward; NaN in
            frames where no keypoint of the person is seen. Filtered and scaled if requested.
        latency_frames: Later frames that a pose needs.
    """

    lifter: str
    skeleton: Skeleton
    pose_m: np.ndarray
    latency_frames: int


@dataclass(frozen=True)
class Motion:
    """Poses over time.

    Args:
        bridged: bool (frames,), where the pose was missing and was interpolated.
        angles_deg: {name: float64 (frames,)} of `motion.joint_angles`, NaN where nobody is seen.
        exercise: For each frame the exercise that is counted, as a live counter knows it; None before the first
            decision. Empty without a recognizer of exercises.
        repetitions: int (frames,), finished repetitions.
    """

    bridged: np.ndarray
    angles_deg: dict[str, np.ndarray]
    exercise: tuple[str | None, ...]
    repetitions: np.ndarray


@dataclass(frozen=True)
class Actions:
    """Decisions of a recognizer.

    Args:
        recognizer: Name of the recognizer.
        classes: Class names.
        decisions: For windows and for frames.
        window_frames: Frames of the file that a decision has seen.
        hop_frames: Frames from one decision to the next.
        latency_frames: Maximum delay in frames before a frame affects a decision, including that of the lifter if
            the recognizer takes its poses.
    """

    recognizer: str
    classes: tuple[str, ...]
    decisions: Decisions
    window_frames: int
    hop_frames: int
    latency_frames: int

    @property
    def segments(self) -> list[Segment]:
        """The most probable action of each frame, with equal neighbors merged."""
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
    """3D poses and actions of one person over time; frame t covers the time from t / fps to (t + 1) / fps.

    Args:
        source: Name of the video or keypoint file.
        layout: Layout of its joints.
        image_size_px: Width and height of the picture.
        fps: Frames per second.
        num_frames: Number of frames.
        num_persons: Number of persons seen in the file.
        person: Index of this person in the file, from 0.
        notes: Assumptions that were made, one line each.
        poses: Poses of the lifter, or None.
        actions: Decisions of the recognizer, or None.
        motion: Joint angles and repetitions, if there are poses.
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
        """Start of each frame: float64 (frames,)."""
        return np.arange(self.num_frames) / self.fps
