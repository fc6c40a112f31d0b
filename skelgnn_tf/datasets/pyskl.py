"""PYSKL's pickles: NTU RGB+D and other data as 3D joints of a Kinect or 2D keypoints of HRNet."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from skelgnn_tf.datasets.pickles import load_pickle
from skelgnn_tf.datasets.sequences import MAX_CLASSES, SKIP_HINT, Sequences, SequenceSet, SequenceWriter, present
from skelgnn_tf.geometry import from_kinect_axes, normalize_screen
from skelgnn_tf.skeletons import COCO_17, NTU_25, Skeleton

_SKELETONS = {skeleton.num_joints: skeleton for skeleton in (COCO_17, NTU_25)}
_PERSONS = 2


def load(
    path: Path,
    splits: tuple[str, str] | None = None,
    classes: tuple[str, ...] = (),
    skip_bad: bool = False,
    fps: float = 30.0,
) -> SequenceSet:
    """Loads two splits of a pickle {split: {name: [frame_dir]}, annotations: [{frame_dir, label, keypoint, ...}]}.

    The file and the sequences are held in memory, since a pickle cannot be read in pieces.

    Args:
        path: The file. Annotations have `total_frames` and `keypoint`: (persons, frames, joints, 3) in meters and
            Kinect's axes, or (..., 2) in pixels with `keypoint_score` (persons, frames, joints) and `img_shape`
            (height, width). 17 joints are COCO's, 25 are NTU's.
        splits: Names of the training and the test split, such as ("xsub_train", "xsub_val"). By default the only such
            pair in the file. The name of a test split has "val" or "test" instead of "train"; if both exist it is
            "val", the one that PYSKL scores.
        classes: Names of the classes by label. By default "class 0", "class 1", ...
        skip_bad: Whether to leave out bad clips instead of refusing the file.
        fps: Frames per second of the clips, which the file does not say.

    Returns:
        Poses in camera-space meters, or keypoints in screen units with the score as confidence. Of more than two
        persons, the two with the highest mean score (2D) or the most motion (3D) are kept in the file's order. Persons
        without any joint and empty frames at the ends of a clip are left out.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is not such a pickle or holds code, lacks a split, has an empty one, or does not have
            exactly one pair of splits if none is named. Without `skip_bad`: the arrays of a clip do not fit each other
            or those of other clips, or a clip has NaN, no person, an invalid label or no annotation.

    Source: tools/data/README.md and pyskl/datasets/pose_dataset.py of PYSKL.

    Example:
        >>> load(Path("ntu60_hrnet.pkl"), ("xsub_train", "xsub_val")).skeleton.name  # doctest: +SKIP
        'coco_17'
    """
    reader = _Reader(Path(path), len(classes), fps)
    train, test = splits or reader.only_splits()
    names = {split: reader.names(split) for split in (train, test)}
    train_set, left_out_train = reader.read(train, names[train], skip_bad)
    test_set, left_out_test = reader.read(test, names[test], skip_bad)
    largest = max(int(train_set.label.max()), int(test_set.label.max()))
    classes = tuple(classes) or tuple(f"class {i}" for i in range(largest + 1))
    return SequenceSet(reader.skeleton, classes, train_set, test_set, (*left_out_train, *left_out_test))


def _contents(path: Path) -> tuple[dict[str, Any], list[Any]]:
    """Splits and annotations of a pickle."""
    data = load_pickle(path)
    if not (isinstance(data, dict) and isinstance(data.get("split"), dict)):
        found = f"a dict of {', '.join(map(str, list(data)[:5]))}" if isinstance(data, dict) else type(data).__name__
        raise ValueError(
            f"{path}: the file must be PYSKL's {{split: {{name: [frame_dir]}}, annotations: [...]}}. Received: {found}."
        )
    annotations = data.get("annotations")
    if not isinstance(annotations, (list, tuple)):
        raise ValueError(f"{path}: annotations must be a list. Received: {type(annotations).__name__}.")
    return data["split"], list(annotations)


class _Reader:
    """The content of a pickle. The first good clip decides kind and skeleton of all clips."""

    def __init__(self, path: Path, num_classes: int, fps: float) -> None:
        self.path, self.num_classes, self.fps = path, num_classes or MAX_CLASSES, fps
        self.like: tuple[str, Skeleton] | None = None
        self.splits, annotations = _contents(path)
        named = [a for a in annotations if isinstance(a, dict) and isinstance(a.get("frame_dir"), str)]
        self.annotations = {annotation["frame_dir"]: annotation for annotation in named}
        self.counts = Counter(annotation["frame_dir"] for annotation in named)

    @property
    def kind(self) -> str:
        """ "pose" or "keypoints", once a clip has been read."""
        assert self.like is not None
        return self.like[0]

    @property
    def skeleton(self) -> Skeleton:
        """The skeleton, once a clip has been read."""
        assert self.like is not None
        return self.like[1]

    def only_splits(self) -> tuple[str, str]:
        """The training and test split if there is one such pair: ("train", "val"), ("gym_train", "gym_test"), ..."""
        names, pairs = [str(name) for name in self.splits], []
        for train in names:
            tests = [train.replace("train", part) for part in ("val", "test") if "train" in train]
            pairs += [(train, test) for test in tests if test in names][:1]
        if len(pairs) != 1:
            found = "; ".join(", ".join(pair) for pair in pairs) or f"the splits {', '.join(names) or 'none'}"
            raise ValueError(
                f"{self.path}: the file must have one pair of splits, such as train and val. Received: {found}. Keep "
                "one pair."
            )
        return pairs[0]

    def names(self, split: str) -> list[str]:
        """The clips of a split."""
        if split not in self.splits:
            there = ", ".join(map(str, self.splits)) or "none"
            raise ValueError(f"{self.path}: the file must have the split {split!r}. Received: {there}.")
        names = self.splits[split]
        if not isinstance(names, (list, tuple, np.ndarray)) or not len(names):
            found = type(names).__name__ if not hasattr(names, "__len__") else f"{type(names).__name__} of {len(names)}"
            raise ValueError(f"{self.path}: split {split!r} must be a list of clips. Received: {found}.")
        return [str(name) for name in names]

    def read(self, split: str, names: list[str], skip_bad: bool) -> tuple[Sequences, list[str]]:
        """The sequences of a split, and a line for each clip that was left out."""
        writer, left_out = None, []
        for name in names:
            try:
                values, label = self._clip(name)
            except ValueError as error:
                line = f"{self.path}, {split} {name}: {error}"
                if not skip_bad:
                    raise ValueError(line + SKIP_HINT) from None
                left_out.append(line)
            else:
                writer = writer or SequenceWriter(self.kind)
                writer.add(name, values, label, self.fps)
        if writer is None:
            raise ValueError(f"{self.path}: none of the {len(names)} clips can be used. The first error: {left_out[0]}")
        return writer.close(), left_out

    def _clip(self, name: str) -> tuple[np.ndarray, int]:
        """Values (persons, frames, joints, channels) and label of a clip."""
        if self.counts[name] != 1:
            raise ValueError(f"the clip must have one annotation. Received: {self.counts[name] or 'none'}.")
        annotation = self.annotations[name]
        label = annotation.get("label")
        if not isinstance(label, (int, np.integer)) or not 0 <= label < self.num_classes:
            raise ValueError(f"the label must be 0 to {self.num_classes - 1}. Received: {label}.")
        keypoint = _numbers(annotation, "keypoint", "(persons, frames, joints, 2 or 3)")
        _check_shape(keypoint.shape, annotation.get("total_frames"))
        skeleton = _SKELETONS[keypoint.shape[2]]
        kind = "pose" if keypoint.shape[3] == 3 else "keypoints"
        if self.like is not None and self.like != (kind, skeleton):
            kind_before, skeleton_before = self.like
            raise ValueError(
                f"the clip must have {kind_before} of {skeleton_before.num_joints} joints like the clips before. "
                f"Received: {keypoint.shape[3]} coordinates of {keypoint.shape[2]} joints."
            )
        values = _two_persons((_pose if kind == "pose" else _keypoints)(annotation, keypoint), kind)
        self.like = (kind, skeleton)
        return values, int(label)


def _numbers(annotation: dict[str, Any], key: str, expected: str) -> np.ndarray:
    if key not in annotation:
        raise ValueError(f"the clip must have {key} {expected}. Received: {', '.join(map(str, annotation))}.")
    array = annotation[key]
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        found = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise ValueError(f"{key} must be an array of numbers {expected}. Received: {found}.")
    return array.astype(np.float32)


def _check_shape(shape: tuple[int, ...], total_frames: Any) -> None:
    if len(shape) != 4 or shape[3] not in (2, 3) or 0 in shape:
        raise ValueError(f"keypoint must be (persons, frames, joints, 2 or 3). Received: {shape}.")
    if shape[2] not in _SKELETONS:
        fits = " or ".join(f"{joints} ({skeleton.name})" for joints, skeleton in _SKELETONS.items())
        raise ValueError(f"keypoint must have {fits} joints. Received: {shape[2]}.")
    if total_frames is not None and total_frames != shape[1]:
        raise ValueError(f"total_frames must be the {shape[1]} frames of keypoint. Received: {total_frames}.")


def _pose(annotation: dict[str, Any], keypoint: np.ndarray) -> np.ndarray:
    """Meters in Kinect's axes (persons, frames, joints, 3) -> camera-space meters."""
    if annotation.get("keypoint_score") is not None:
        raise ValueError(
            "keypoint must have 2 coordinates with a keypoint_score, or 3 without. Received: 3 with a score."
        )
    _check_finite(keypoint, "keypoint")
    return from_kinect_axes(keypoint)


def _keypoints(annotation: dict[str, Any], keypoint: np.ndarray) -> np.ndarray:
    """Pixels (persons, frames, joints, 2) -> screen units and confidence (persons, frames, joints, 3)."""
    score = _numbers(annotation, "keypoint_score", "(persons, frames, joints)")
    if score.shape != keypoint.shape[:3]:
        raise ValueError(f"keypoint_score must be {keypoint.shape[:3]} like keypoint. Received: {score.shape}.")
    _check_finite(score, "keypoint_score")
    if annotation.get("img_shape") is None:
        raise ValueError("the clip must have img_shape, the picture's (height, width). Received: none.")
    size = np.asarray(annotation["img_shape"])
    if size.shape != (2,) or size.dtype.kind not in "fiu" or not (size > 0).all():
        raise ValueError(f"img_shape must be (height, width) in pixels. Received: {annotation['img_shape']}.")
    seen = score[..., None] > 0
    # Files have NaN or anything else where nothing was detected.
    keypoint = np.where(seen, keypoint, np.float32(0))
    _check_finite(keypoint, "keypoint")
    height, width = size.tolist()
    return normalize_screen(np.concatenate([keypoint, score[..., None]], axis=-1), (width, height)) * seen


def _check_finite(values: np.ndarray, key: str) -> None:
    """`values` is (persons, frames, joints, ...)."""
    if not np.isfinite(values).all():
        person, frame, joint = np.argwhere(~np.isfinite(values))[0][:3]
        raise ValueError(
            f"{key} must be finite. Received: NaN or infinity at frame {frame}, joint {joint}, person {person}."
        )


def _two_persons(values: np.ndarray, kind: str) -> np.ndarray:
    """(persons, frames, joints, 3) -> (1 or 2, frames from the first to the last with a person, joints, 3)."""
    values = present(values)
    if len(values) <= _PERSONS:
        return values
    rank = np.array([person[..., 2].mean() if kind == "keypoints" else _motion(person) for person in values])
    # The order of the file is kept, since the tracker has decided who is first.
    return present(values[np.sort(np.argsort(-rank, kind="stable")[:_PERSONS])])


def _motion(person: np.ndarray) -> float:
    """Variance over the frames that have the person (frames, joints, 3), summed over joints and axes."""
    return person[person.any(axis=(1, 2))].var(axis=0).sum()
