"""Lifter and recognizer in a row: 2D keypoints in, 3D poses and actions over time out."""

from __future__ import annotations

from typing import Any

import numpy as np

from skelgnn_tf.checkpoints import LoadedModel, check_task
from skelgnn_tf.configs import ActionConfig, LiftConfig
from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.datasets.windows import screen_keypoints
from skelgnn_tf.frame_sampling import window_frames
from skelgnn_tf.geometry import normalize_screen, root_relative
from skelgnn_tf.inference.exported import ExportedModel
from skelgnn_tf.inference.result import Actions, Poses, Prediction
from skelgnn_tf.inference.unseen_notes import unseen_notes
from skelgnn_tf.inference.windows import lift, look_ahead, recognize
from skelgnn_tf.keypoints import KeypointSequence
from skelgnn_tf.motion import unseen_joints
from skelgnn_tf.skeletons import joint_map, map_keypoints


def predict_keypoints(
    sequence: KeypointSequence, lifter: LoadedModel | None, recognizer: LoadedModel | None, decide_every: int = 8
) -> Prediction:
    """3D poses and actions of the largest person, as the models give them: not filtered, without repetitions.

    A recognizer of poses gets them from the lifter, a recognizer of keypoints from the sequence; joints are mapped to
    those of each model, and a model trained at a frame rate sees the sequence at that rate. A recognizer trained with
    `sampling="resize"` decides once, for the whole sequence. A recognizer of two persons sees the two largest. A single
    frame gets no action, unless the recognizer was trained on single frames.

    Args:
        sequence: Keypoints.
        lifter: Or None for no poses.
        recognizer: Or None for no actions.
        decide_every: Frames from one decision to the next.

    Raises:
        ValueError: No model at all, a model of the other task, joints that cannot be derived, a recognizer of poses
            without a lifter, a lifter of the pixel protocol, `decide_every` out of range.
    """
    if lifter is None and recognizer is None:
        raise ValueError("lifter and recognizer must not both be none. Use fitness_9f, exercises_2d, or both.")
    for model, task in ((lifter, "lift"), (recognizer, "action")):
        if model is not None and model.config.task != task:
            check_task(model.name, model.config.task, task)
    people = _by_size(sequence.keypoints)
    notes, looked_at = list(sequence.notes), recognizer.model.persons if recognizer else 1
    if len(people) > 1:
        also = (
            f"{recognizer.name} also sees person {people[1]}" if recognizer and looked_at > 1 else "others are ignored"
        )
        notes.append(f"following person {people[0]} (counted from 0), the largest of {len(people)}; {also}")
    poses = None if lifter is None else _poses(lifter, sequence, people[0])
    if poses is not None:
        notes += unseen_notes(poses, sequence.fps)
    actions = None
    if sequence.keypoints.shape[1] == 1 and (recognizer is None or recognizer.model.frames > 1):
        notes.append("one picture shows no motion: no action is recognized and nothing is counted")
    elif recognizer is not None:
        actions = _recognized(recognizer, lifter, sequence, people[:looked_at], poses, decide_every, notes)
    return Prediction(
        source=sequence.name,
        layout=sequence.layout,
        image_size_px=sequence.image_size_px,
        fps=sequence.fps,
        num_frames=sequence.keypoints.shape[1],
        num_persons=len(people),
        person=int(people[0]),
        notes=tuple(notes),
        poses=poses,
        actions=actions,
    )


def recognizes_poses(recognizer: LoadedModel) -> bool:
    """Whether a recognizer takes 3D poses, and not 2D keypoints."""
    return isinstance(recognizer.config, ActionConfig) and recognizer.config.input == "pose"


def _by_size(keypoints: np.ndarray) -> np.ndarray:
    """Everybody who is seen in (persons, frames, joints, 3), the largest over all frames first: int (people,)."""
    seen = keypoints[..., 2:] > 0
    low = np.where(seen, keypoints[..., :2], np.inf).min(axis=2)
    high = np.where(seen, keypoints[..., :2], -np.inf).max(axis=2)
    sizes = np.where(seen.any(axis=(2, 3)), np.max(high - low, axis=-1), 0).sum(axis=1)
    order = np.argsort(-sizes, kind="stable")
    return order[np.any(seen, axis=(1, 2, 3))[order]]


def _step(model: LoadedModel, sequence: KeypointSequence) -> float:
    """Frames of the sequence per frame of the model's window."""
    return sequence.fps / model.config.fps if model.config.fps else 1.0


def _poses(lifter: LoadedModel, sequence: KeypointSequence, person: int) -> Poses:
    guess_m, confidence = _lifted(lifter, sequence, person)
    unseen = unseen_joints(confidence, sequence.fps)
    return Poses(
        lifter=lifter.name,
        skeleton=lifter.model.skeleton,
        pose_m=np.where(unseen[..., None], np.float32(np.nan), guess_m),
        latency_frames=look_ahead(lifter.model, _step(lifter, sequence)),
        guess_m=guess_m,
        confidence=confidence,
    )


def _lifted(lifter: LoadedModel, sequence: KeypointSequence, person: int) -> tuple[np.ndarray, np.ndarray]:
    """All joints, seen or not, in root-relative meters, and the confidence of each.

    Returns:
        float32 (frames, joints, 3), NaN where none of the lifter's keypoints is seen, and float32 (frames, joints).
    """
    model, config = lifter.model, lifter.config
    assert isinstance(config, LiftConfig)
    if config.protocol != "camera":
        raise ValueError(
            f"{lifter.name} must be a lifter of --protocol camera. Received: {config.protocol}. That protocol "
            "needs the camera and the depth of the root."
        )
    if isinstance(model, ExportedModel):
        assert model.layout is not None
        model.image_size_px = sequence.image_size_px
        keypoints = map_keypoints(sequence.keypoints[person], sequence.layout, model.layout)
        pose = lift(model, keypoints, step=_step(lifter, sequence))
        keypoints = map_keypoints(keypoints, model.layout, model.skeleton)
    else:
        keypoints = map_keypoints(sequence.keypoints[person], sequence.layout, model.skeleton)
        clip = Clip(sequence.name, keypoints[None], image_size_px=sequence.image_size_px, fps=sequence.fps)
        pose = lift(model, screen_keypoints(clip, config.confidence), config.flip, _step(lifter, sequence))
    confidence = keypoints[..., 2]
    seen = np.any(confidence > 0, axis=-1)[:, None, None]
    return np.where(seen, root_relative(pose, model.skeleton.root), np.float32(np.nan)), confidence


def _pose_sequence(recognizer: LoadedModel, lifter: LoadedModel | None, poses: list[np.ndarray]) -> np.ndarray:
    """The lifter's poses on the recognizer's joints, zeros where nobody is seen: (persons, frames, joints, 3)."""
    if lifter is None:
        raise ValueError(f"{recognizer.name} must be used with a lifter. It recognizes 3D poses, not keypoints.")
    source, target = lifter.model.skeleton, recognizer.model.skeleton
    try:
        matrix = joint_map(source, target)
    except ValueError as error:
        raise ValueError(
            f"{recognizer.name} cannot be used with {lifter.name}: {error} Choose a recognizer of keypoints, or one of "
            f"{source.name}."
        ) from error
    return matrix @ np.nan_to_num(np.stack(poses))


def _keypoint_sequence(recognizer: LoadedModel, sequence: KeypointSequence, people: np.ndarray) -> np.ndarray:
    """Screen units[, confidence], missing joints zeros as in `datasets.sequences`: (persons, frames, joints, C).

    For an exported file: pixels and confidence of the joints of its layout.
    """
    model = recognizer.model
    target: Any = model.layout if isinstance(model, ExportedModel) else model.skeleton
    try:
        keypoints = map_keypoints(sequence.keypoints[people], sequence.layout, target)
    except ValueError as error:
        raise ValueError(f"{recognizer.name}: {error} Use --recognizer none, or keypoints of more joints.") from error
    if isinstance(model, ExportedModel):
        model.image_size_px = sequence.image_size_px
        return keypoints
    screen = np.where(keypoints[..., 2:] > 0, normalize_screen(keypoints, sequence.image_size_px), np.float32(0))
    return screen[..., : model.input_channels]


def _recognized(
    recognizer: LoadedModel,
    lifter: LoadedModel | None,
    sequence: KeypointSequence,
    people: np.ndarray,
    poses: Poses | None,
    decide_every: int,
    notes: list[str],
) -> Actions:
    """The actions of the people that the recognizer looks at; `poses` are those of the first one."""
    if not recognizes_poses(recognizer):
        return _actions(recognizer, sequence, _keypoint_sequence(recognizer, sequence, people), decide_every, 0, notes)
    # Recognizers of poses were trained on whole bodies: they get joints that were not seen as the lifter places them.
    others = [] if lifter is None else [_lifted(lifter, sequence, person)[0] for person in people[1:]]
    moving = _pose_sequence(recognizer, lifter, [] if poses is None else [poses.guess_m, *others])
    notes.append(f"{recognizer.name} sees poses relative to their root; how a person moves in space is not in them")
    return _actions(recognizer, sequence, moving, decide_every, poses.latency_frames if poses else 0, notes)


def _actions(
    recognizer: LoadedModel,
    sequence: KeypointSequence,
    moving: np.ndarray,
    decide_every: int,
    late: int,
    notes: list[str],
) -> Actions:
    """Decisions about `moving` (persons, frames, joints, channels), which arrives `late` frames late."""
    model, config, num_frames = recognizer.model, recognizer.config, moving.shape[1]
    assert isinstance(config, ActionConfig)
    absent = np.zeros((model.persons - len(moving), *moving.shape[1:]), np.float32)
    step = _step(recognizer, sequence)
    if config.sampling == "resize" and model.frames > 1:
        notes.append(
            f"{recognizer.name} was trained on whole clips (--sampling resize) and decides once, for the whole file; "
            "train with --sampling window for actions over time"
        )
        step, decide_every = (num_frames - 1) / (model.frames - 1) or 1.0, num_frames
    return Actions(
        recognizer=recognizer.name,
        classes=model.classes,
        decisions=recognize(model, np.concatenate([moving, absent]), step, decide_every),
        window_frames=window_frames(model.frames, step),
        hop_frames=decide_every,
        latency_frames=decide_every - 1 + late,
    )
