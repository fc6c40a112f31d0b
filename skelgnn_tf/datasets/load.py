"""Loads the data sets of the catalog: clips for pose lifting, sequences for action recognition."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console

from skelgnn_tf import skeletons
from skelgnn_tf.datasets import ctr_gcn, fitness, h36m, mpi_inf_3dhp, ntu, pyskl
from skelgnn_tf.datasets.catalog import for_task
from skelgnn_tf.datasets.clip import Clip, ClipSet
from skelgnn_tf.datasets.labels import read_labels
from skelgnn_tf.datasets.sequences import SequenceSet, from_clips
from skelgnn_tf.skeletons import Skeleton, joint_map, map_keypoints

#: CTR-GCN's file of each benchmark.
_CTR_GCN_FILES = {
    "ntu60-xsub": "NTU60_CS.npz",
    "ntu60-xview": "NTU60_CV.npz",
    "ntu120-xsub": "NTU120_CSub.npz",
    "ntu120-xset": "NTU120_CSet.npz",
}


def load_clips(
    names: Sequence[str],
    data_dirs: Sequence[str],
    skeleton: Skeleton,
    keypoints: str = "gt",
    seed: int = 0,
    fitness_clips: int = 250,
) -> ClipSet:
    """Loads data sets for pose lifting, maps their joints to one skeleton and joins them.

    Args:
        names: Names of data sets for pose lifting.
        data_dirs: One folder for each data set that has files, in the same order, or one for all of them.
        skeleton: The joints that keypoints and poses are mapped to.
        keypoints: The 2D detections of h36m: "gt", "cpn_ft_h36m_dbb", ...
        seed: Seed of generated data.
        fitness_clips: Number of generated training clips.

    Returns:
        One `ClipSet` with this skeleton.

    Raises:
        ValueError: A data set is unknown or not for pose lifting, the number of folders does not fit, or joints cannot
            be mapped.
        FileNotFoundError: A folder or file does not exist.

    Example:
        >>> load_clips(["fitness"], [], skeletons.H36M_17, fitness_clips=2).train[0].pose_m.shape
        (240, 17, 3)
    """
    entries = {name: for_task(name, "lift") for name in names}
    with_files = [name for name in names if entries[name].files]
    if with_files and not data_dirs:
        first = with_files[0]
        raise ValueError(
            f"--data-dir must be set for --dataset {first}: a folder with {entries[first].files} from "
            f"{entries[first].source}. --dataset fitness needs no files."
        )
    if len(data_dirs) > 1 and len(data_dirs) != len(with_files):
        raise ValueError(
            f"--data-dir must be given once for each data set with files ({', '.join(with_files)}), in the same order. "
            f"Received: {len(data_dirs)} for {len(with_files)}."
        )
    folders = dict(zip(with_files, list(data_dirs) * (len(with_files) if len(data_dirs) == 1 else 1), strict=False))
    loaders: dict[str, Callable[[], ClipSet]] = {
        "fitness": lambda: fitness.load(seed=seed, train_clips=fitness_clips),
        "h36m": lambda: h36m.load(folders["h36m"], keypoints),
        "mpi-inf-3dhp": lambda: mpi_inf_3dhp.load(folders["mpi-inf-3dhp"]),
    }
    sets = {name: loaders[name]() for name in names}
    return ClipSet(
        skeleton,
        tuple(_mapped(clip, name, s.skeleton, skeleton) for name, s in sets.items() for clip in s.train),
        tuple(_mapped(clip, name, s.skeleton, skeleton) for name, s in sets.items() for clip in s.test),
        next((s.classes for s in sets.values() if s.classes), ()),
    )


def load_sequences(
    dataset: str,
    *,
    data_dir: Sequence[str] = (),
    data_file: str = "",
    labels: str = "",
    input: str = "auto",
    skeleton: str = "auto",
    seed: int = 0,
    fitness_clips: int = 1300,
    fitness_scenes: str = "phone",
    other_motion: str = "",
    skip_bad: bool = False,
    console: Console | None = None,
) -> SequenceSet:
    """Loads a data set for action recognition.

    Args:
        dataset: Name of a data set for action recognition.
        data_dir: One folder with its files.
        data_file: The file itself, instead of a folder.
        labels: Text file with one class name per line ("npz", "pyskl").
        input: "pose", "keypoints" or "auto". "auto" is "keypoints" for fitness, and otherwise "pose" if the files have
            poses.
        skeleton: Name of a skeleton, or "auto" for the data set's own.
        seed: Seed of generated data.
        fitness_clips: Number of generated training clips.
        fitness_scenes: "studio" or "phone", as in `fitness.generate`.
        other_motion: Folder with recorded motion for the class "other" of phone scenes.
        skip_bad: Whether to leave out bad clips instead of refusing the data set.
        console: Where progress and what was left out are printed.

    Raises:
        ValueError: The data set is unknown or not for action recognition, a file is bad, a split is empty, a class has
            no clip, or the data do not have the skeleton or input.
        FileNotFoundError: A folder or file does not exist.

    Example:
        >>> load_sequences("ntu60-xsub", data_dir=["nturgb+d_skeletons"]).train.kind  # doctest: +SKIP
        'pose'
    """
    console = console or Console()
    for_task(dataset, "action")
    if dataset == "fitness":
        data = _load_fitness(input, skeleton, seed, fitness_clips, fitness_scenes, other_motion)
    else:
        path = _find(dataset, data_dir, data_file, input)
        data = _load_file(dataset, path, labels, input, skeleton, skip_bad, console)
    _check(data, dataset, input, skeleton, skip_bad, console)
    return data


def _mapped(clip: Clip, name: str, source: Skeleton, target: Skeleton) -> Clip:
    """A clip of the data set `name` with the joints of `target`."""
    if source.joints == target.joints:
        return dataclasses.replace(clip, dataset=name)
    pose_m = None if clip.pose_m is None else joint_map(source, target) @ clip.pose_m
    keypoints = map_keypoints(clip.keypoints, source, target)
    return dataclasses.replace(clip, dataset=name, keypoints=keypoints, pose_m=pose_m)


def _load_fitness(input: str, skeleton: str, seed: int, clips: int, scenes: str, other_motion: str) -> SequenceSet:
    kind = "keypoints" if input == "auto" else input
    joints = skeletons.get({"keypoints": "coco_17", "pose": "h36m_17"}[kind] if skeleton == "auto" else skeleton)
    recordings = fitness.Recordings(other_motion) if other_motion else None
    data = fitness.load(
        seed=seed,
        train_clips=clips,
        test_clips=390,
        frames=300,
        skeleton=joints,
        scenes=scenes,
        recordings=recordings,
    )
    return SequenceSet(joints, data.classes, from_clips(data.train, kind), from_clips(data.test, kind))


def _find(dataset: str, data_dir: Sequence[str], data_file: str, input: str) -> Path:
    """The file or folder that holds a data set."""
    entry = for_task(dataset, "action")
    if data_file:
        path = Path(data_file)
        if not path.exists():
            raise FileNotFoundError(
                f"{path}: file not found (--data-file). Expected {entry.files} from {entry.source}."
            )
        return path
    if dataset in ("npz", "pyskl"):
        raise ValueError(
            f"--data-file must be set for --dataset {dataset}: {entry.about}. Set --labels to the names of the classes."
        )
    if len(data_dir) != 1:
        raise ValueError(
            f"--data-dir must be set once for --dataset {dataset}: a folder with {entry.files}, from {entry.source}. "
            f"Received: {len(data_dir)}. Or set --data-file."
        )
    folder = Path(data_dir[0])
    if not folder.exists():
        raise FileNotFoundError(f"{folder}: folder not found (--data-dir). Expected {entry.files} from {entry.source}.")
    if folder.is_file():
        return folder
    classes = dataset.removeprefix("ntu").partition("-")[0]
    pickles = [f"ntu{classes}_{what}.pkl" for what in ("3danno", "hrnet")]
    wanted = [_CTR_GCN_FILES[dataset], pickles[0]] if input != "keypoints" else [pickles[1]]
    found = [
        folder / name for name in [*wanted, *([pickles[1]] if input == "auto" else [])] if (folder / name).exists()
    ]
    # A folder without such a file has raw clips, and ntu.load says what is missing.
    return found[0] if found else folder


def _load_file(
    dataset: str, path: Path, labels: str, input: str, skeleton: str, skip_bad: bool, console: Console
) -> SequenceSet:
    classes = read_labels(labels) if labels else ()
    benchmark = ntu.BENCHMARKS.get(dataset)
    if benchmark is not None:
        classes = ntu.CLASSES[: benchmark.num_classes]
    if path.suffix == ".npz":
        joints = skeletons.get("ntu_25" if skeleton == "auto" else skeleton)
        return ctr_gcn.load(path, joints, classes, skip_bad, console=console)
    if path.suffix in (".pkl", ".pickle"):
        protocol = dataset.partition("-")[2]
        splits = None if benchmark is None else (f"{protocol}_train", f"{protocol}_val")
        return pyskl.load(path, splits, classes, skip_bad)
    if benchmark is None:
        about = for_task(dataset, "action").about
        raise ValueError(f"{path}: the file must be an .npz or a pickle (.pkl): {about}. Received: {path.suffix}.")
    return ntu.load(path, dataset, "keypoints" if input == "keypoints" else "pose", skip_bad, console=console)


def _check(data: SequenceSet, dataset: str, input: str, skeleton: str, skip_bad: bool, console: Console) -> None:
    """Refuses data that cannot be trained on, and prints what is unusual."""
    if input not in ("auto", data.train.kind):
        raise ValueError(f"--input must be {data.train.kind} for the files of {dataset}. Received: {input}.")
    if skeleton not in ("auto", data.skeleton.name):
        raise ValueError(f"--skeleton must be {data.skeleton.name} for the clips of {dataset}. Received: {skeleton}.")
    for name, split in (("training", data.train), ("test", data.test)):
        if not len(split):
            raise ValueError(
                f"{dataset}: the {name} split must have clips. Received: none. Check that all files are there."
            )
    train, test = (np.bincount(split.label, minlength=len(data.classes)) for split in (data.train, data.test))
    never, untaught = np.flatnonzero(train + test == 0), np.flatnonzero((train == 0) & (test > 0))
    # Many people have a part of NTU only. In one's own data a class without clips is a mistake in the labels file.
    if len(never) and dataset in ("npz", "pyskl") and not skip_bad:
        raise ValueError(
            f"{dataset}: every class must have a clip. Received: none for {_named(data.classes, never)}. Remove the "
            "class from the labels and the columns of y, or set --skip-bad."
        )
    if len(never):
        console.print(f"without any clip: {_named(data.classes, never)}", highlight=False, soft_wrap=True)
    if len(untaught):
        console.print(f"without training clips: {_named(data.classes, untaught)}", highlight=False, soft_wrap=True)
    for line in data.left_out:
        console.print(f"left out: {line}", highlight=False, soft_wrap=True)


def _named(classes: Sequence[str], labels: np.ndarray) -> str:
    names = [f"class {label} ({classes[label]})" for label in labels[:3]]
    return ", ".join(names) + (f" and {len(labels) - 3} more classes" if len(labels) > 3 else "")
