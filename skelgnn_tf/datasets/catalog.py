"""The data sets by name, what each wants on disk and where to get it; several are mixed into one ClipSet."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from skelgnn_tf.datasets import fitness, h36m, mpi_inf_3dhp
from skelgnn_tf.datasets.clip import Clip, ClipSet
from skelgnn_tf.skeletons import Skeleton, joint_map, map_keypoints


@dataclass(frozen=True)
class Entry:
    """One data set: what it is, its files ("" if it is generated), where they are to be had, and a lifter's loader."""

    about: str
    files: str
    source: str
    load: Callable[..., ClipSet] | None = None


CATALOG = {
    "fitness": Entry(
        "twelve exercises and rest, generated: 2D from a phone's camera and a noisy detector, 3D, labels, repetitions",
        "",
        "built in, no download",
        lambda folder, keypoints, seed, clips: fitness.load(seed=seed, train_clips=clips),
    ),
    "h36m": Entry(
        "Human3.6M in VideoPose3D's files; train S1 S5 S6 S7 S8, test S9 S11",
        "data_3d_h36m.npz, data_2d_h36m_<keypoints>.npz",
        "github.com/facebookresearch/VideoPose3D, DATASETS.md (licence: vision.imar.ro/human3.6m)",
        lambda folder, keypoints, seed, clips: h36m.load(folder, keypoints),
    ),
    "mpi-inf-3dhp": Entry(
        "MPI-INF-3DHP in P-STMO's files, or the original test folders TS1..TS6",
        "data_train_3dhp.npz, data_test_3dhp.npz, or TS*/annot_data.mat",
        "github.com/paTRICK-swk/P-STMO (licence: vcai.mpi-inf.mpg.de/3dhp-dataset)",
        lambda folder, keypoints, seed, clips: mpi_inf_3dhp.load(folder),
    ),
}


def load(
    names: Sequence[str],
    data_dirs: Sequence[str],
    skeleton: Skeleton,
    keypoints: str = "gt",
    seed: int = 0,
    fitness_clips: int = 250,
) -> ClipSet:
    """Loads and mixes data sets, their joints mapped to one skeleton.

    Args:
        names: Keys of CATALOG.
        data_dirs: A folder for each data set that has files, in their order, or one for all of them.
        skeleton: The joints that keypoints and poses are mapped to.
        keypoints: Which 2D detections of h36m.
        seed: Of the generated data.
        fitness_clips: How many training clips are generated.

    Returns:
        One ClipSet of that skeleton.

    Raises:
        ValueError: An unknown data set, too many or too few folders, joints that cannot be mapped.
        FileNotFoundError: A missing folder or file.
    """
    unknown = [name for name in names if name not in CATALOG]
    if unknown:
        raise ValueError(f"unknown data set {unknown[0]!r}; there are {', '.join(CATALOG)} (skelgnn-tf datasets)")
    with_files = [name for name in names if CATALOG[name].files]
    if with_files and not data_dirs:
        entry = CATALOG[with_files[0]]
        raise ValueError(
            f"--dataset {with_files[0]} wants --data-dir, a folder with {entry.files} from {entry.source}; "
            "--dataset fitness needs no files"
        )
    if len(data_dirs) > 1 and len(data_dirs) != len(with_files):
        raise ValueError(
            f"found {len(data_dirs)} --data-dir for {len(with_files)} data sets with files ({', '.join(with_files)}); "
            "give one for each, in their order"
        )
    folders = dict(zip(with_files, list(data_dirs) * (len(with_files) if len(data_dirs) == 1 else 1), strict=False))
    sets = {name: CATALOG[name].load(folders.get(name), keypoints, seed, fitness_clips) for name in names}
    return ClipSet(
        skeleton,
        tuple(_mapped(clip, name, s.skeleton, skeleton) for name, s in sets.items() for clip in s.train),
        tuple(_mapped(clip, name, s.skeleton, skeleton) for name, s in sets.items() for clip in s.test),
        next((s.classes for s in sets.values() if s.classes), ()),
    )


def _mapped(clip: Clip, name: str, source: Skeleton, target: Skeleton) -> Clip:
    """A clip of the data set `name` with the target's joints."""
    if source.joints == target.joints:
        return dataclasses.replace(clip, dataset=name)
    pose_m = None if clip.pose_m is None else joint_map(source, target) @ clip.pose_m
    keypoints = map_keypoints(clip.keypoints, source, target)
    return dataclasses.replace(clip, dataset=name, keypoints=keypoints, pose_m=pose_m)
