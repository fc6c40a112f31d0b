"""Windows of real clips for exported files: of the training split to calibrate with, of the test split to verify on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from skelgnn_tf.checkpoints import LoadedModel
from skelgnn_tf.configs import ActionConfig, LiftConfig
from skelgnn_tf.datasets.catalog import CATALOG
from skelgnn_tf.datasets.clip import Clip, ClipSet
from skelgnn_tf.datasets.load import load_clips, load_sequences
from skelgnn_tf.datasets.sequences import Sequences, SequenceSet
from skelgnn_tf.frame_sampling import clip_frames, sliding_windows
from skelgnn_tf.geometry import root_relative
from skelgnn_tf.models import ActionRecognizer, PoseLifter
from skelgnn_tf.skeletons import Skeleton, joint_map

#: Windows of each split, and the fewest that a few short clips are cut into.
WINDOWS, _FEWEST = 500, 200
#: Describes clips that replace data which are not on this machine.
_STAND_IN = "generated clips, because the model's own data were not found"
#: Training clips are generated anew for every export, so there are fewer than in training.
_GENERATED = 100
#: Width and height in pixels of the picture that sequences in screen units are mapped back to.
_PICTURE_PX = 1000


@dataclass(frozen=True)
class RealClips:
    """Windows of real clips, in the form in which an exported file takes them.

    Args:
        about: What they are: "fitness, h36m (test split)".
        inputs: {name of the input: float32 (windows, ...)}.
        truth: float32 (windows, 1 or frames, joints, 3) root-relative meters, int (windows,) labels, or None if the
            clips have other classes than the model.
        names: Name of each clip that windows are from, without repetitions.
        fps: Frames per second of the windows.
    """

    about: str
    inputs: dict[str, np.ndarray]
    truth: np.ndarray | None
    names: tuple[str, ...] = ()
    fps: float = 0.0

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))

    def one_by_one(self) -> Iterator[dict[str, np.ndarray]]:
        """The inputs with batch size 1, in turn."""
        for i in range(len(self)):
            yield {name: array[i : i + 1] for name, array in self.inputs.items()}


def load_real_clips(
    loaded: LoadedModel, layout: Skeleton | None, data_dir: tuple[str, ...] = ()
) -> tuple[RealClips | None, RealClips]:
    """Clips for calibration and for verification.

    If the data of the model are not on this machine, and no folder is given, generated clips replace the test split.

    Args:
        loaded: The model that the clips are for.
        layout: Joints of the inputs; None for poses of the model's own joints.
        data_dir: Folders of the model's data; () for those of the training.

    Returns:
        Windows of the training split, None if the model's data were not found; and windows of the test split.

    Raises:
        ValueError, FileNotFoundError: No such data in `data_dir`, or clips that cannot be generated for this model.
    """
    model, config = loaded.model, loaded.config
    if data_dir:
        config = config.replace(data_dir=tuple(data_dir))
    if isinstance(config, LiftConfig):
        return _load_for_lifter(model, config, layout or model.skeleton, must_exist=bool(data_dir))
    return _load_for_recognizer(model, config, layout, must_exist=bool(data_dir))


def _load_for_lifter(
    model: PoseLifter, config: LiftConfig, layout: Skeleton, must_exist: bool
) -> tuple[RealClips | None, RealClips]:
    def windows(names: tuple[str, ...], about: str) -> tuple[RealClips, RealClips]:
        data = _load_clips(names, model, config)
        train, test = (
            _lifter_windows(split, model, config, layout, f"{about} ({name} split)")
            for name, split in (("training", data.train), ("test", data.test))
        )
        return train, test

    try:
        return windows(config.dataset, ", ".join(config.dataset))
    except (ValueError, OSError):
        if must_exist or not _has_files(config.dataset):
            raise
    # Of a mixture with generated data, those can still be had.
    if "fitness" in config.dataset:
        return windows(("fitness",), "fitness")
    return None, windows(("fitness",), _STAND_IN)[1]


def _load_clips(names: tuple[str, ...], model: PoseLifter, config: LiftConfig) -> ClipSet:
    folders = config.data_dir if _has_files(names) else ()
    clips = min(_GENERATED, config.fitness_clips)
    return load_clips(names, folders, model.skeleton, config.keypoints, config.seed, clips)


def _has_files(names: tuple[str, ...]) -> bool:
    return any(CATALOG[name].files for name in names)


def _lifter_windows(
    clips: tuple[Clip, ...], model: PoseLifter, config: LiftConfig, layout: Skeleton, about: str
) -> RealClips:
    """WINDOWS windows, evenly spread over the clips and over each clip."""
    ahead = 0 if model.causal else model.frames // 2
    keypoints, sizes, truth, names = [], [], [], []
    centers_of = [np.arange(c.num_frames) if c.valid is None else np.flatnonzero(c.valid) for c in clips]
    owner = np.repeat(np.arange(len(clips)), [len(c) for c in centers_of])
    centers = np.concatenate(centers_of)
    for i in np.unique(np.linspace(0, len(centers) - 1, WINDOWS).round().astype(int)):
        clip = clips[owner[i]]
        assert clip.pose_m is not None
        step = clip.fps / config.fps if config.fps else 1.0
        at = sliding_windows(centers[[i]], clip.num_frames, model.frames, step, ahead)[0]
        keypoints.append(as_detected(clip.keypoints[0, at], model.skeleton, layout))
        sizes.append(clip.image_size_px)
        names.append(clip.name)
        pose_m = clip.pose_m[at] if model.every_frame else clip.pose_m[centers[i]][None]
        truth.append(root_relative(pose_m, model.skeleton.root))
    inputs = {"keypoints": np.array(keypoints, np.float32), "image_size": np.array(sizes, np.float32)}
    fps = config.fps or float(np.median([clip.fps for clip in clips]))
    about, names = _about(about, model.skeleton, layout), sorted(set(names))
    return RealClips(about, inputs, np.array(truth, np.float32), tuple(names), fps)


def _about(about: str, skeleton: Skeleton, layout: Skeleton) -> str:
    """Says so if the data have other joints than the layout."""
    same = layout.joints == skeleton.joints
    return about if same else f"{about}, whose {skeleton.name} joints stand for {layout.name}"


def as_detected(keypoints: np.ndarray, skeleton: Skeleton, layout: Skeleton) -> np.ndarray:
    """Keypoints of a model's joints in another layout, as a detector might give them, with confidence.

    Args:
        keypoints: (..., joints, 2 or 3) of `skeleton`.
        skeleton: Joints of the model.
        layout: Joints of the detector. Mapping the result back with `joint_map` comes as close to `keypoints` as the
            two layouts allow.

    Returns:
        float32 (..., joints of the layout, 3). A joint that does not occur in the map is missing.
    """
    if keypoints.shape[-1] == 2:
        keypoints = np.concatenate([keypoints, np.ones_like(keypoints[..., :1])], axis=-1)
    matrix = joint_map(layout, skeleton)
    detected = np.linalg.pinv(matrix) @ keypoints
    parts = [np.flatnonzero(column) for column in matrix.T]
    confidences = [
        keypoints[..., part, 2].min(axis=-1) if len(part) else np.zeros(keypoints.shape[:-2]) for part in parts
    ]
    # Heat maps of some detectors reach a little above 1, which exported files refuse.
    detected[..., 2] = np.minimum(np.stack(confidences, axis=-1), 1)
    return np.where(detected[..., 2:] > 0, detected, 0).astype(np.float32)


def _load_for_recognizer(
    model: ActionRecognizer, config: ActionConfig, layout: Skeleton | None, must_exist: bool
) -> tuple[RealClips | None, RealClips]:
    (about,) = config.dataset
    own = True
    try:
        data = _load_sequences(config, model.skeleton)
    except (ValueError, OSError) as error:
        if must_exist or config.dataset == ("fitness",):
            raise
        try:
            data, about, own = _generate_sequences(config, model.skeleton), _STAND_IN, False
        except ValueError:
            # Generated clips lack these joints. What the user can mend is the error of the model's own data.
            raise error from None
    same_classes = data.classes == model.classes
    train, test = (
        _action_windows(split, model, config, layout, f"{about} ({name} split)", same_classes)
        for name, split in (("training", data.train), ("test", data.test))
    )
    return (train if own else None), test


def _load_sequences(config: ActionConfig, skeleton: Skeleton) -> SequenceSet:
    return load_sequences(
        config.dataset[0], data_dir=config.data_dir, data_file=config.data_file, labels=config.labels,
        seed=config.seed, fitness_clips=min(_GENERATED, config.fitness_clips), skip_bad=config.skip_bad,
        fitness_scenes=config.fitness_scenes,
        skeleton=skeleton.name, input=config.input,
    )  # fmt: skip


def _generate_sequences(config: ActionConfig, skeleton: Skeleton) -> SequenceSet:
    return load_sequences("fitness", fitness_clips=1, skeleton=skeleton.name, input=config.input)


def _action_windows(
    sequences: Sequences,
    model: ActionRecognizer,
    config: ActionConfig,
    layout: Skeleton | None,
    about: str,
    same_classes: bool,
) -> RealClips:
    """Windows that are evenly spread over each clip: one from its middle, more if there are few clips."""
    chosen = np.unique(np.linspace(0, len(sequences) - 1, WINDOWS).round().astype(int))
    places = np.linspace(0, 1, -(-_FEWEST // len(chosen)) + 2)[1:-1]
    clips, windows = np.repeat(chosen, len(places)), []
    for i, place in zip(clips, np.tile(places, len(chosen)), strict=True):
        step = sequences.fps[i] / config.fps if config.fps else 1.0
        at = clip_frames(int(sequences.frames[i]), model.frames, config.sampling, step, place)
        windows.append(sequences.take(np.array([i]), at[None], model.persons)[0])
    inputs = _recognizer_inputs(np.stack(windows), model, layout)
    truth = sequences.label[clips] if same_classes else None
    names = tuple(sorted(set(sequences.names[clips].tolist())))
    about = about if layout is None else _about(about, model.skeleton, layout)
    return RealClips(about, inputs, truth, names, config.fps)


def _recognizer_inputs(windows: np.ndarray, model: ActionRecognizer, layout: Skeleton | None) -> dict[str, np.ndarray]:
    """Inputs of an exported file from windows (windows, persons, T, joints, channels) of a data set's sequences."""
    if layout is None:
        return {"pose_m": windows}
    if windows.shape[-1] == 2:
        seen = np.any(windows != 0, axis=-1, keepdims=True)
        windows = np.concatenate([windows, seen], axis=-1)
    windows[..., :2] = (windows[..., :2] + 1) * _PICTURE_PX / 2
    windows = np.where(windows[..., 2:] > 0, windows, 0)
    windows = as_detected(windows, model.skeleton, layout)
    size = np.full((len(windows), 2), _PICTURE_PX, np.float32)
    return {"keypoints": windows[:, 0] if model.persons == 1 else windows, "image_size": size}
