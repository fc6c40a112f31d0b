"""`skelgnn-tf predict`: lifter and recogniser in a row, 2D keypoints in, 3D poses and actions over time out."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from rich.console import Console

from skelgnn_tf import presets
from skelgnn_tf.config import Config
from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.datasets.keypoint_files import KeypointFile, read_keypoints
from skelgnn_tf.datasets.windows import screen_keypoints
from skelgnn_tf.geometry import normalize_screen, root_relative
from skelgnn_tf.inference import Decisions, lift, look_ahead, recognize
from skelgnn_tf.skeletons import Skeleton, joint_map, map_keypoints

AXES = "camera: x right, y down, z forward"
#: Decimals of metres and of probabilities in text files: hundredths of a millimetre.
_DECIMALS = 5
#: How many lines of actions the terminal gets.
_SHOWN = 20


class Trained(NamedTuple):
    """A trained model, the Config of its run, and what it is called."""

    name: str
    model: keras.Model
    config: Config


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
            frames where no keypoint of the person is seen.
        latency_frames: How many later frames a pose waits for.
    """

    lifter: str
    skeleton: Skeleton
    pose_m: np.ndarray
    latency_frames: int


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
        num_persons: Persons in the file.
        person: Which of them this is, from 0.
        notes: What was taken for granted, a line each.
        poses: What the lifter says, or None.
        actions: What the recogniser says, or None.
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

    @property
    def time_s(self) -> np.ndarray:
        """When each frame begins: float64 (frames,)."""
        return np.arange(self.num_frames) / self.fps

    def save(self, path: str | Path) -> Path:
        """Writes .json, .npz or .csv, beside and renamed, so that no half file is left.

        Text has metres and probabilities to five decimals, npz all bits. csv has a row for each frame and no windows.

        Raises:
            ValueError: Another suffix.
        """
        path, write = Path(path), writer(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.partial")
        try:
            write(self, beside)
            os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)
        return path


def predict(file: KeypointFile, lifter: Trained | None, recognizer: Trained | None, hop: int = 8) -> Prediction:
    """3D poses and actions of the largest person in a file.

    A recogniser of poses is fed by the lifter, one of keypoints by the file; joints are mapped to each model's. A model
    trained at a frame rate sees the file at that rate. A recogniser trained with `sampling="resize"` knows whole clips
    alone, so it decides once, for the whole file.

    Args:
        file: Keypoints.
        lifter: Or None for no poses.
        recognizer: Or None for no actions.
        hop: Frames from one decision to the next.

    Raises:
        ValueError: No model at all, one of the other task, joints that cannot be had, a recogniser of poses without
            lifter, a lifter that needs the camera, a hop out of range.
    """
    if lifter is None and recognizer is None:
        raise ValueError("there is nothing to predict with; expected a lifter (fitness_9f), a recognizer, or both")
    for trained, task in ((lifter, "lift"), (recognizer, "action")):
        if trained is not None and trained.config.task != task:
            other = "a recognizer" if task == "lift" else "a lifter"
            raise ValueError(f"{trained.name} is {other}; name it as {other.removeprefix('a ')}")
    people = _by_size(file.keypoints)
    notes = [*file.notes, *_about_people(file, people, recognizer)]
    seen = file.keypoints[..., 2].any(axis=-1)
    poses = pose_m = None
    if lifter is not None:
        wanted = people[: recognizer.model.persons if _wants_poses(recognizer) else 1]
        pose_m = np.stack(
            [np.where(seen[person, :, None, None], _lifted(lifter, file, person), 0) for person in wanted]
        )
        shown = np.where(seen[people[0], :, None, None], pose_m[0], np.float32(np.nan))
        poses = Poses(lifter.name, lifter.model.skeleton, shown, look_ahead(lifter.model, _step(lifter, file)))
    actions = None
    if recognizer is not None:
        sequence = _sequence(file, people, lifter, pose_m, recognizer)
        late = poses.latency_frames if _wants_poses(recognizer) else 0
        actions = _recognized(recognizer, file, sequence, hop, late, notes)
    return Prediction(
        source=file.name,
        layout=file.layout,
        image_size_px=file.image_size_px,
        fps=file.fps,
        num_frames=file.keypoints.shape[1],
        num_persons=len(file.keypoints),
        person=int(people[0]),
        notes=tuple(notes),
        poses=poses,
        actions=actions,
    )


def run(
    path: str | Path,
    *,
    lifter: str | Path | None = "fitness_9f",
    recognizer: str | Path | None = None,
    layout: str | None = None,
    image_size_px: tuple[int, int] | None = None,
    fps: float | None = None,
    hop: int = 8,
    output: str | Path | None = None,
    console: Console | None = None,
) -> Prediction:
    """Reads a keypoint file, predicts, saves, and shows a summary; what the command `predict` does.

    Args:
        path: Keypoint file, as `read_keypoints` takes it.
        lifter: Run folder, `.keras` file or preset; None for no poses.
        recognizer: The same, or None for no actions.
        layout: Of the file's joints; None recognises it.
        image_size_px: Of the picture; None as the file says.
        fps: Frames per second; None as the file says.
        hop: Frames from one decision to the next.
        output: Where to, as `Prediction.save` takes it; None saves nothing.
        console: Where the summary is shown.

    Raises:
        ValueError, FileNotFoundError: A file, a model or an output that does not fit.
    """
    if output is not None:
        writer(Path(output))
    file = read_keypoints(path, layout, image_size_px, fps)
    models = [None if name is None else Trained(str(name), *presets.load(name)) for name in (lifter, recognizer)]
    prediction = predict(file, *models, hop=hop)
    saved = None if output is None else prediction.save(output)
    show(prediction, saved, console or Console())
    return prediction


def show(prediction: Prediction, saved: Path | None, console: Console) -> None:
    """The summary on the terminal."""

    def line(text: str) -> None:
        console.print(text, highlight=False, soft_wrap=True, markup=False)

    poses, actions, fps = prediction.poses, prediction.actions, prediction.fps
    line(
        f"{prediction.source}: {prediction.num_persons} person(s), {prediction.num_frames} frames, "
        f"{prediction.num_frames / fps:.1f} s at {fps:g} fps, joints {prediction.layout}"
    )
    for note in prediction.notes:
        line(f"note: {note}")
    if poses is not None:
        late, missing = poses.latency_frames, int(np.isnan(poses.pose_m).any(axis=(1, 2)).sum())
        line(
            f"3D pose by {poses.lifter}: {poses.skeleton.num_joints} joints of {poses.skeleton.name}, latency {late} "
            f"frames ({late / fps:.2f} s)" + (f"; nobody is seen in {missing} frames" if missing else "")
        )
    if actions is not None:
        late = actions.latency_frames
        line(
            f"actions by {actions.recognizer}: windows of {actions.window_frames} frames every {actions.hop_frames}, "
            f"latency at most {late} frames ({late / fps:.2f} s)"
        )
        segments = actions.segments
        for first, last, label, probability in segments[:_SHOWN]:
            line(f"  {first / fps:7.2f} to {(last + 1) / fps:7.2f} s  {probability:4.0%}  {actions.classes[label]}")
        if len(segments) > _SHOWN:
            line(f"  and {len(segments) - _SHOWN} more" + (f", in {saved}" if saved else "; --output saves them"))
    if saved is not None:
        line(f"saved: {saved}")


def writer(path: Path) -> Callable[[Prediction, Path], None]:
    """What writes files of that suffix; ValueError names the suffixes if there is none."""
    if path.suffix not in _WRITERS:
        raise ValueError(f"cannot write {path}: the output wants one of {', '.join(_WRITERS)}; got {path.suffix!r}")
    return _WRITERS[path.suffix]
