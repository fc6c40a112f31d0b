"""Real inputs for an exported file: clips to calibrate it with (training split) and to check it on (test split)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skelgnn_tf.configs.config import Config
from skelgnn_tf.datasets import actions, catalog
from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.datasets.sequences import Sequences
from skelgnn_tf.geometry import root_relative
from skelgnn_tf.models import ActionRecognizer, PoseLifter
from skelgnn_tf.skeletons import Skeleton, joint_map

#: Windows of each split; the fewest that say something.
WINDOWS, _FEWEST = 500, 200
#: What stands in for data that are not on this machine.
_STAND_IN = "generated clips, for the model's own data are not here"
#: Generated training clips are made anew for every export, so there are fewer than in training.
_GENERATED = 100
#: Side of the picture, in pixels, that sequences in screen units are put back into.
_PICTURE_PX = 1000


@dataclass(frozen=True)
class RealClips:
    """Windows of real clips, as an exported file takes them.

    Args:
        about: What they are: "fitness, h36m (test split)".
        inputs: {name of the input: float32 (windows, ...)}.
        truth: float32 (windows, 1 or frames, joints, 3) root-relative metres, int (windows,) labels, or None where the
            classes are others than the model's.
        names: Of the clips that the windows are of, each once.
        fps: Frames a second that the windows have.
    """

    about: str
    inputs: dict[str, np.ndarray]
    truth: np.ndarray | None
    names: tuple[str, ...] = ()
    fps: float = 0.0

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))

    def one_by_one(self):
        """The inputs of batch 1, in turn."""
        for i in range(len(self)):
            yield {name: array[i : i + 1] for name, array in self.inputs.items()}


def load(
    model: PoseLifter | ActionRecognizer, config: Config, layout: Skeleton | None, data_dir: tuple[str, ...] = ()
) -> tuple[RealClips | None, RealClips]:
    """Clips for calibration and for verification.

    Where the files of the model's data are not on this machine, and no folder is named, generated clips stand in for
    verification.

    Args:
        model: What the clips are for.
        config: Of its run.
        layout: Joints of the inputs; None for poses of the model's own joints.
        data_dir: Where the files of its data lie; () for where they lay in training.

    Returns:
        Of the training split, None if the model's data are not here; and of the test split.
    """
    config = config.replace(data_dir=tuple(data_dir)) if data_dir else config
    load_ = _lifting if isinstance(model, PoseLifter) else _recognition
    return load_(model, config, layout, must=bool(data_dir))


def _lifting(model: PoseLifter, config: Config, layout: Skeleton, must: bool) -> tuple[RealClips | None, RealClips]:
    def windows_of(names: tuple[str, ...], about: str = "") -> list[RealClips]:
        clips = min(_GENERATED, config.fitness_clips)
        folders = config.data_dir if _has_files(names) else ()
        data = catalog.load(names, folders, model.skeleton, config.keypoints, config.seed, clips)
        return [
            _lifter_windows(split, model, config, layout, f"{about or ', '.join(names)} ({name} split)")
            for name, split in (("training", data.train), ("test", data.test))
        ]

    try:
        return tuple(windows_of(config.dataset))
    except (ValueError, OSError):
        if must or not _has_files(config.dataset):
            raise
    if "fitness" in config.dataset:
        return tuple(windows_of(("fitness",)))
    return None, windows_of(("fitness",), _STAND_IN)[1]


def _has_files(names: tuple[str, ...]) -> bool:
    return any(catalog.CATALOG[name].files for name in names)


def _lifter_windows(
    clips: tuple[Clip, ...], model: PoseLifter, config: Config, layout: Skeleton, about: str
) -> RealClips:
    """WINDOWS windows, evenly spread over the clips and over each clip."""
    ahead = 0 if model.causal else model.frames // 2
    keypoints, sizes, truth, names = [], [], [], set()
    centers = [np.arange(c.num_frames) if c.valid is None else np.flatnonzero(c.valid) for c in clips]
    owner = np.repeat(np.arange(len(clips)), [len(c) for c in centers])
    centers = np.concatenate(centers)
    for i in np.unique(np.linspace(0, len(centers) - 1, WINDOWS).round().astype(int)):
        clip = clips[owner[i]]
        step = clip.fps / config.fps if config.fps else 1.0
        at = centers[i] + np.round(step * (np.arange(model.frames) - (model.frames - 1 - ahead))).astype(int)
        at = np.clip(at, 0, clip.num_frames - 1)
        keypoints.append(as_detected(clip.keypoints[0, at], model.skeleton, layout))
        sizes.append(clip.image_size_px)
        names.add(clip.name)
        pose_m = clip.pose_m[at] if model.every_frame else clip.pose_m[centers[i]][None]
        truth.append(root_relative(pose_m, model.skeleton.root))
    inputs = {"keypoints": np.float32(keypoints), "image_size": np.float32(sizes)}
    fps = config.fps or float(np.median([clip.fps for clip in clips]))
    return RealClips(_derived(about, model, layout), inputs, np.float32(truth), tuple(sorted(names)), fps)


def _derived(about: str, model: PoseLifter | ActionRecognizer, layout: Skeleton) -> str:
    """Says so where the data have other joints than the layout."""
    same = layout.joints == model.skeleton.joints
    return about if same else f"{about}, whose {model.skeleton.name} joints stand for {layout.name}"


def as_detected(keypoints: np.ndarray, skeleton: Skeleton, layout: Skeleton) -> np.ndarray:
    """Keypoints of a model's joints as a detector of another layout might have given them, with confidence.

    Args:
        keypoints: (..., joints, 2 or 3) of `skeleton`.
        skeleton: The model's.
        layout: The detector's; what its `joint_map` makes of the result comes closest to `keypoints`, exactly where
            the layout's joints leave the model's free.

    Returns:
        float32 (..., joints of the layout, 3); a joint that no other is made of is missing.
    """
    if keypoints.shape[-1] == 2:
        keypoints = np.concatenate([keypoints, np.ones_like(keypoints[..., :1])], axis=-1)
    matrix = joint_map(layout, skeleton)
    detected = np.linalg.pinv(matrix) @ keypoints
    parts = [np.flatnonzero(column) for column in matrix.T]
    sure = [keypoints[..., part, 2].min(axis=-1) if len(part) else np.zeros(keypoints.shape[:-2]) for part in parts]
    detected[..., 2] = np.stack(sure, axis=-1)
    return np.where(detected[..., 2:] > 0, detected, 0).astype(np.float32)


def _recognition(
    model: ActionRecognizer, config: Config, layout: Skeleton | None, must: bool
) -> tuple[RealClips | None, RealClips]:
    own = {"skeleton": model.skeleton.name, "input": config.input}
    try:
        data = actions.load(
            config.dataset[0], data_dir=config.data_dir, data_file=config.data_file, labels=config.labels,
            seed=config.seed, fitness_clips=min(_GENERATED, config.fitness_clips), skip_bad=config.skip_bad, **own,
        )  # fmt: skip
        about = config.dataset[0]
    except (ValueError, OSError) as error:
        if must or config.dataset == ("fitness",):
            raise
        try:
            data, about = actions.load("fitness", fitness_clips=1, **own), _STAND_IN
        except ValueError:
            # Generated clips lack these joints: what can be mended is what was wrong with the model's own data.
            raise error from None
    known = data.classes == model.classes
    test = _action_windows(data.test, model, config, layout, f"{about} (test split)", known)
    train = _action_windows(data.train, model, config, layout, f"{about} (training split)", known)
    return (train if about == config.dataset[0] else None), test


def _action_windows(
    sequences: Sequences, model: ActionRecognizer, config: Config, layout: Skeleton | None, about: str, known: bool
) -> RealClips:
    """Windows that are evenly spread over each clip: one from its middle, more if there are few clips."""
    chosen = np.unique(np.linspace(0, len(sequences) - 1, WINDOWS).round().astype(int))
    places = np.linspace(0, 1, -(-_FEWEST // len(chosen)) + 2)[1:-1]
    chosen, windows = np.repeat(chosen, len(places)), []
    for i, place in zip(chosen, np.tile(places, len(chosen) // len(places)), strict=True):
        last = int(sequences.frames[i]) - 1
        # Trained on whole clips, a recogniser sees a whole clip.
        step = sequences.fps[i] / config.fps if config.fps else 1.0
        step = last / max(1, model.frames - 1) if config.sampling == "resize" else step
        start = place * max(0.0, last - step * (model.frames - 1))
        at = np.floor(start + step * np.arange(model.frames) + 0.5).astype(int)
        at = at % (last + 1) if config.sampling == "repeat" else np.minimum(at, last)
        windows.append(sequences.take(np.array([i]), at[None], model.persons)[0])
    windows, truth = np.stack(windows), sequences.label[chosen] if known else None
    beside = {"names": tuple(sorted(set(sequences.names[chosen].tolist()))), "fps": config.fps}
    if layout is None:
        return RealClips(about, {"pose_m": windows}, truth, **beside)
    if windows.shape[-1] == 2:
        seen = np.any(windows != 0, axis=-1, keepdims=True)
        windows = np.concatenate([windows, seen], axis=-1)
    windows[..., :2] = (windows[..., :2] + 1) * _PICTURE_PX / 2
    windows = np.where(windows[..., 2:] > 0, windows, 0)
    windows = as_detected(windows, model.skeleton, layout)
    size = np.full((len(windows), 2), _PICTURE_PX, np.float32)
    inputs = {"keypoints": windows[:, 0] if model.persons == 1 else windows, "image_size": size}
    return RealClips(_derived(about, model, layout), inputs, truth, **beside)
