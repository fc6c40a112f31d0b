"""Lifter and recogniser in a row: 2D keypoints in, 3D poses and actions over time out."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from skelgnn_tf import checkpoints
from skelgnn_tf.configs.config import Config
from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.datasets.windows import screen_keypoints
from skelgnn_tf.geometry import normalize_screen, root_relative
from skelgnn_tf.inference.exported import ExportedModel
from skelgnn_tf.inference.result import Actions, Poses, Prediction
from skelgnn_tf.inference.windows import lift, look_ahead, recognize, window_frames
from skelgnn_tf.keypoints.reader import KeypointFile
from skelgnn_tf.skeletons import joint_map, map_keypoints


class Trained(NamedTuple):
    """A trained model, the Config of its run, and what it is called."""

    name: str
    model: keras.Model | ExportedModel
    config: Config

    @classmethod
    def open(cls, name: str | Path) -> Trained:
        """A run folder, a `.keras` file, a preset, or an exported `.tflite` or `.onnx` file.

        Raises:
            FileNotFoundError, ValueError: None of these, or one that is damaged.
        """
        if Path(name).suffix in (".tflite", ".onnx"):
            model = ExportedModel(name)
            return cls(str(name), model, model.config)
        return cls(str(name), *checkpoints.load(name))


def predict(file: KeypointFile, lifter: Trained | None, recognizer: Trained | None, hop: int = 8) -> Prediction:
    """3D poses and actions of the largest person in a file.

    A recogniser of poses is fed by the lifter, one of keypoints by the file; joints are mapped to each model's. A model
    trained at a frame rate sees the file at that rate. A recogniser trained with `sampling="resize"` knows whole clips
    alone, so it decides once, for the whole file. A recogniser of two persons sees the two largest.

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
            found, wanted = ("recognizer", "lifter") if task == "lift" else ("lifter", "recognizer")
            raise ValueError(f"{trained.name} is a {found}; expected a {wanted}. Name it as the {found} instead")
    people = _by_size(file.keypoints)
    notes, looked_at = list(file.notes), recognizer.model.persons if recognizer else 1
    if len(people) > 1:
        also = f"{recognizer.name} sees person {people[1]} too" if looked_at > 1 else "the others are left out"
        notes.append(f"of {len(people)} persons the largest is followed, person {people[0]} from 0; {also}")
    poses = actions = None
    if lifter is not None:
        ahead = look_ahead(lifter.model, _step(lifter, file))
        poses = Poses(lifter.name, lifter.model.skeleton, _lifted(lifter, file, people[0]), ahead)
    if recognizer is not None and recognizer.config.input == "pose":
        others = [] if lifter is None else [_lifted(lifter, file, person) for person in people[1:looked_at]]
        sequence = _pose_sequence(recognizer, lifter, [] if poses is None else [poses.pose_m, *others])
        notes.append(f"{recognizer.name} gets poses from their root; where a person goes in the room is not in them")
        actions = _actions(recognizer, file, sequence, hop, poses.latency_frames, notes)
    elif recognizer is not None:
        sequence = _keypoint_sequence(recognizer, file, people[:looked_at])
        actions = _actions(recognizer, file, sequence, hop, 0, notes)
    return Prediction(
        source=file.name,
        layout=file.layout,
        image_size_px=file.image_size_px,
        fps=file.fps,
        num_frames=file.keypoints.shape[1],
        num_persons=len(people),
        person=int(people[0]),
        notes=tuple(notes),
        poses=poses,
        actions=actions,
    )


def _by_size(keypoints: np.ndarray) -> np.ndarray:
    """Who is ever seen in (persons, frames, joints, 3), the largest over all frames first: int (people,)."""
    seen = keypoints[..., 2:] > 0
    low = np.where(seen, keypoints[..., :2], np.inf).min(axis=2)
    high = np.where(seen, keypoints[..., :2], -np.inf).max(axis=2)
    sizes = np.where(seen.any(axis=(2, 3)), np.max(high - low, axis=-1), 0).sum(axis=1)
    order = np.argsort(-sizes, kind="stable")
    return order[seen.any(axis=(1, 2, 3))[order]]


def _step(trained: Trained, file: KeypointFile) -> float:
    """Frames of the file between two of the model's."""
    return file.fps / trained.config.fps if trained.config.fps else 1.0


def _lifted(lifter: Trained, file: KeypointFile, person: int) -> np.ndarray:
    """Root-relative metres: float32 (frames, joints, 3), NaN where none of the lifter's keypoints is seen."""
    model, config = lifter.model, lifter.config
    if config.protocol != "camera":
        raise ValueError(
            f"{lifter.name} predicts in --protocol {config.protocol}, which wants the camera and the root's depth; "
            "choose a lifter of --protocol camera"
        )
    if isinstance(model, ExportedModel):
        model.image_size_px = file.image_size_px
        keypoints = map_keypoints(file.keypoints[person], file.layout, model.layout)
        pose = lift(model, keypoints, step=_step(lifter, file))
        keypoints = map_keypoints(keypoints, model.layout, model.skeleton)
    else:
        keypoints = map_keypoints(file.keypoints[person], file.layout, model.skeleton)
        clip = Clip(file.name, keypoints[None], image_size_px=file.image_size_px, fps=file.fps)
        pose = lift(model, screen_keypoints(clip, config.confidence), config.flip, _step(lifter, file))
    seen = (keypoints[..., 2] > 0).any(axis=-1)
    return np.where(seen[:, None, None], root_relative(pose, model.skeleton.root), np.float32(np.nan))


def _pose_sequence(recognizer: Trained, lifter: Trained | None, poses: list[np.ndarray]) -> np.ndarray:
    """The lifter's poses on the recogniser's joints, zeros where nobody is seen: (persons, frames, joints, 3)."""
    if lifter is None:
        raise ValueError(f"{recognizer.name} recognises 3D poses and no keypoints; it wants a lifter before it")
    source, target = lifter.model.skeleton, recognizer.model.skeleton
    try:
        matrix = joint_map(source, target)
    except ValueError as error:
        raise ValueError(
            f"{recognizer.name} cannot follow {lifter.name}: {error}; choose a recognizer of keypoints, or one of "
            f"{source.name}"
        ) from error
    return matrix @ np.nan_to_num(np.stack(poses))


def _keypoint_sequence(recognizer: Trained, file: KeypointFile, people: np.ndarray) -> np.ndarray:
    """Screen units[, confidence], missing joints zeros as in `datasets.sequences`: (persons, frames, joints, C).

    An exported file wants pixels and confidence of its layout's joints.
    """
    if isinstance(recognizer.model, ExportedModel):
        recognizer.model.image_size_px = file.image_size_px
        return map_keypoints(file.keypoints[people], file.layout, recognizer.model.layout)
    keypoints = map_keypoints(file.keypoints[people], file.layout, recognizer.model.skeleton)
    screen = np.where(keypoints[..., 2:] > 0, normalize_screen(keypoints, file.image_size_px), np.float32(0))
    return screen[..., : recognizer.model.input_channels]


def _actions(
    recognizer: Trained, file: KeypointFile, sequence: np.ndarray, hop: int, late: int, notes: list[str]
) -> Actions:
    """Decisions on a sequence of one person or more, which comes `late` frames late."""
    model, num_frames = recognizer.model, sequence.shape[1]
    absent = np.zeros((model.persons - len(sequence), *sequence.shape[1:]), np.float32)
    step = _step(recognizer, file)
    if recognizer.config.sampling == "resize" and model.frames > 1:
        notes.append(
            f"{recognizer.name} was trained on whole clips (--sampling resize): it decides once, for the whole file; "
            "train with --sampling window for actions over time"
        )
        step, hop = (num_frames - 1) / (model.frames - 1) or 1.0, num_frames
    return Actions(
        recognizer=recognizer.name,
        classes=model.classes,
        decisions=recognize(model, np.concatenate([sequence, absent]), step, hop),
        window_frames=window_frames(model, step),
        hop_frames=hop,
        latency_frames=hop - 1 + late,
    )
