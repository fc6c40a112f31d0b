"""Prediction: the 3D poses and the actions of one person over time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from skelgnn_tf.inference.windows import Decisions
from skelgnn_tf.motion.exercise_cycles import Repetition
from skelgnn_tf.motion.form import RepetitionForm
from skelgnn_tf.skeletons import Skeleton

#: Name of an action that cannot be told, because too little is seen or nothing is certain.
UNKNOWN = "unknown"


class Segment(NamedTuple):
    """Consecutive frames of one action: first and last frame, index of the class (-1: unknown), mean probability."""

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
        pose_m: float32 (frames, joints, 3), meters from the root joint, camera axes x right, y down, z forward. NaN for
            joints that were not seen (`motion.unseen_joints`) and in frames where no keypoint of the person is seen.
            If the root itself was not seen, it is NaN, and the other joints are relative to where the lifter places it.
            Filtered and scaled if requested.
        latency_frames: Later frames that a pose needs.
        guess_m: float32 (frames, joints, 3): `pose_m` with the joints that were not seen where the lifter places them.
            NaN only in frames where no keypoint is seen. For drawings; do not measure on it.
        confidence: float32 (frames, joints) of the keypoints, in [0, 1]; 0 where a joint is missing in a frame.
    """

    lifter: str
    skeleton: Skeleton
    pose_m: np.ndarray
    latency_frames: int
    guess_m: np.ndarray
    confidence: np.ndarray


@dataclass(frozen=True)
class Motion:
    """Poses over time.

    Args:
        bridged: bool (frames,), where the pose was missing and was interpolated.
        angles_deg: {name: float64 (frames,)} of `motion.joint_angles`, NaN where nobody is seen.
        exercise: For each frame the exercise that is counted, as a live counter knows it; None before the first
            decision. Empty without a recognizer of exercises.
        repetitions: int (frames,), finished repetitions of that exercise.
        repetition_list: All repetitions, complete or partial, in the order of time.
        form: What was measured in each repetition and in each position that was held, in the order of time.
    """

    bridged: np.ndarray
    angles_deg: dict[str, np.ndarray]
    exercise: tuple[str | None, ...]
    repetitions: np.ndarray
    repetition_list: tuple[Repetition, ...] = ()
    form: tuple[RepetitionForm, ...] = ()


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
        labels: int (frames,), index of the class of each frame, -1 where it is unknown; by default the most probable
            one. With poses, the classes of exercises are decided over time and agree with what is counted.
    """

    recognizer: str
    classes: tuple[str, ...]
    decisions: Decisions
    window_frames: int
    hop_frames: int
    latency_frames: int
    labels: np.ndarray = field(default=None)  # type: ignore[arg-type]

    def __post_init__(self) -> None:
        if self.labels is None:
            object.__setattr__(self, "labels", self.decisions.frame_probabilities.argmax(axis=1))

    def name(self, label: int) -> str:
        """Name of a class; "unknown" for -1."""
        return UNKNOWN if label < 0 else self.classes[label]

    @property
    def segments(self) -> list[Segment]:
        """The action of each frame, with equal neighbors merged; the probability of an unknown one is 0."""
        probabilities, label = self.decisions.frame_probabilities, self.labels
        starts = np.flatnonzero(np.diff(label, prepend=-2))
        ends = np.append(starts[1:], len(label))
        return [
            Segment(
                int(first),
                int(end) - 1,
                int(label[first]),
                float(probabilities[first:end, label[first]].mean()) if label[first] >= 0 else 0.0,
            )
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
