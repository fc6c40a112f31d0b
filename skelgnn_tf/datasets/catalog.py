"""The data sets by name: which tasks they are for, their files and where to get them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DataSet:
    """An entry of the catalog.

    Args:
        tasks: "lift" (pose lifting), "action" (action recognition) or both.
        about: What the data set is, in one line.
        files: The files that a data folder must hold; "" if the data are generated.
        source: Where to get them.
    """

    tasks: tuple[str, ...]
    about: str
    files: str
    source: str


def _ntu(about: str, num_classes: int, npz: str) -> DataSet:
    return DataSet(
        ("action",),
        about,
        f"*.skeleton (a folder or zips), or {npz}, or ntu{num_classes}_3danno.pkl, ntu{num_classes}_hrnet.pkl",
        "rose1.ntu.edu.sg (license); npz by CTR-GCN's scripts, pickles from PYSKL's data page",
    )


#: All data sets that `skelgnn_tf.datasets.load_clips` and `load_sequences` load.
CATALOG = {
    "fitness": DataSet(
        ("lift", "action"),
        "twelve exercises, rest and other motion, generated: 3D poses, 2D keypoints of a phone's camera and a noisy "
        "detector, labels, repetitions",
        "",
        "built in, no download",
    ),
    "h36m": DataSet(
        ("lift",),
        "Human3.6M in VideoPose3D's files; train S1 S5 S6 S7 S8, test S9 S11",
        "data_3d_h36m.npz, data_2d_h36m_<keypoints>.npz",
        "github.com/facebookresearch/VideoPose3D, DATASETS.md (license: vision.imar.ro/human3.6m)",
    ),
    "mpi-inf-3dhp": DataSet(
        ("lift",),
        "MPI-INF-3DHP in P-STMO's files, or the original test folders TS1 to TS6",
        "data_train_3dhp.npz, data_test_3dhp.npz, or TS*/annot_data.mat",
        "github.com/paTRICK-swk/P-STMO (license: vcai.mpi-inf.mpg.de/3dhp-dataset)",
    ),
    "ntu60-xsub": _ntu("NTU RGB+D, 60 actions, cross-subject", 60, "NTU60_CS.npz"),
    "ntu60-xview": _ntu("NTU RGB+D, 60 actions, cross-view", 60, "NTU60_CV.npz"),
    "ntu120-xsub": _ntu("NTU RGB+D 120, cross-subject", 120, "NTU120_CSub.npz"),
    "ntu120-xset": _ntu("NTU RGB+D 120, cross-setup", 120, "NTU120_CSet.npz"),
    "npz": DataSet(
        ("action",),
        "any npz file in CTR-GCN's layout: x_train, y_train, x_test, y_test",
        "--data-file, --labels",
        "your own data",
    ),
    "pyskl": DataSet(
        ("action",),
        "any pickle in PYSKL's layout with the splits train and val or test",
        "--data-file, --labels",
        "your own data",
    ),
}


def tasks_of(name: str) -> tuple[str, ...]:
    """Returns the tasks that a data set is for.

    Args:
        name: Name of a data set.

    Raises:
        ValueError: The data set is unknown.

    Example:
        >>> tasks_of("h36m")
        ('lift',)
    """
    if name not in CATALOG:
        raise ValueError(f"dataset must be one of {', '.join(CATALOG)} (skelgnn-tf datasets). Received: {name!r}.")
    return CATALOG[name].tasks


def for_task(name: str, task: str) -> DataSet:
    """Returns the entry of a data set that is for a task.

    Args:
        name: Name of a data set.
        task: "lift" or "action".

    Raises:
        ValueError: The data set is unknown, or not for this task.
    """
    if name not in CATALOG or task not in CATALOG[name].tasks:
        names = ", ".join(other for other, entry in CATALOG.items() if task in entry.tasks)
        what = {"lift": "pose lifting", "action": "action recognition"}[task]
        raise ValueError(f"dataset must be one of {names} for {what} (skelgnn-tf datasets). Received: {name!r}.")
    return CATALOG[name]
