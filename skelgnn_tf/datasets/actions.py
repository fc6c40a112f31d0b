"""The data sets of recognition by name: what each wants on disk, and the one way to load them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console

from skelgnn_tf import skeletons
from skelgnn_tf.datasets import ctr_gcn, fitness, ntu, pyskl
from skelgnn_tf.datasets.catalog import Entry
from skelgnn_tf.datasets.sequences import ActionSet, from_clips

_NTU_FILES = "*.skeleton (a folder or zips), or {}, or ntu{}_3danno.pkl, ntu{}_hrnet.pkl"
_NTU_SOURCE = "rose1.ntu.edu.sg (licence); npz by CTR-GCN's scripts, pickles from PYSKL's data page"

#: What `load` knows, and for CTR-GCN's and PYSKL's files of a benchmark their names and splits.
CATALOG = {
    "fitness": Entry("twelve exercises and rest, generated, 2D or 3D", "", "built in, no download"),
    "ntu60-xsub": Entry("NTU RGB+D, cross-subject", _NTU_FILES.format("NTU60_CS.npz", 60, 60), _NTU_SOURCE),
    "ntu60-xview": Entry("NTU RGB+D, cross-view", _NTU_FILES.format("NTU60_CV.npz", 60, 60), _NTU_SOURCE),
    "ntu120-xsub": Entry("NTU RGB+D 120, cross-subject", _NTU_FILES.format("NTU120_CSub.npz", 120, 120), _NTU_SOURCE),
    "ntu120-xset": Entry("NTU RGB+D 120, cross-setup", _NTU_FILES.format("NTU120_CSet.npz", 120, 120), _NTU_SOURCE),
    "npz": Entry("any npz in CTR-GCN's layout: x_train, y_train, x_test, y_test", "--data-file, --labels", "yours"),
    "pyskl": Entry("any pickle in PYSKL's layout, splits train and val or test", "--data-file, --labels", "yours"),
}
_CTR_GCN = {
    "ntu60-xsub": "NTU60_CS.npz",
    "ntu60-xview": "NTU60_CV.npz",
    "ntu120-xsub": "NTU120_CSub.npz",
    "ntu120-xset": "NTU120_CSet.npz",
}


def load(
    dataset: str,
    *,
    data_dir: Sequence[str] = (),
    data_file: str = "",
    labels: str = "",
    input: str = "auto",
    skeleton: str = "auto",
    seed: int = 0,
    fitness_clips: int = 1300,
    skip_bad: bool = False,
    console: Console | None = None,
) -> ActionSet:
    """Loads a data set of labelled sequences.

    Args:
        dataset: A key of CATALOG.
        data_dir: One folder of its files.
        data_file: The file itself; in its place.
        labels: Text file with the classes' names, one a line ("npz", "pyskl").
        input: "pose", "keypoints" or "auto": pose where the files have it, keypoints for fitness.
        skeleton: Name of a skeleton, or "auto" for the data set's own.
        seed: Of generated clips.
        fitness_clips: How many training clips are generated.
        skip_bad: Leave bad clips out instead of refusing the data set.
        console: Where parsing and what was left out are shown.

    Raises:
        ValueError, FileNotFoundError: A bad or missing file, an empty split, a class without any clip, a skeleton or
            input that the data do not have; names file and place.
    """
    console = console or Console()
    if dataset not in CATALOG:
        raise ValueError(f"unknown data set {dataset!r} for --task action; there are {', '.join(CATALOG)}")
    if dataset == "fitness":
        data = _load_fitness(input, skeleton, seed, fitness_clips)
    else:
        path = _find(dataset, data_dir, data_file, input)
        data = _load_file(dataset, path, labels, input, skeleton, skip_bad, console)
    _check(data, dataset, input, skeleton, skip_bad, console)
    return data


def read_labels(path: Path) -> tuple[str, ...]:
    """Names of the classes from a text file with one a line, in the order of their labels.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: No text, no names, an empty line between names, a name that comes twice.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no labels file {path}; it wants the names of the classes, one a line")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text ({error.reason}); a labels file has one class name a line") from error
    if "\0" in text:
        raise ValueError(f"{path} is no text (it has zero bytes); a labels file has one class name a line")
    names = tuple(line.strip() for line in text.rstrip().splitlines())
    if not names:
        raise ValueError(f"{path} is empty; a labels file has one class name a line")
    for number, name in enumerate(names, 1):
        if not name:
            raise ValueError(f"{path}, line {number} is empty; every line must name the class of one label")
        if name in names[: number - 1]:
            first = names.index(name) + 1
            raise ValueError(f"{path}: lines {first} and {number} are both {name!r}; each class wants its own name")
    return names


def _load_fitness(input: str, skeleton: str, seed: int, clips: int) -> ActionSet:
    kind = "keypoints" if input == "auto" else input
    joints = skeletons.get({"keypoints": "coco_17", "pose": "h36m_17"}[kind] if skeleton == "auto" else skeleton)
    data = fitness.load(seed=seed, train_clips=clips, test_clips=390, frames=300, skeleton=joints)
    return ActionSet(joints, data.classes, from_clips(data.train, kind), from_clips(data.test, kind))


def _find(dataset: str, data_dir: Sequence[str], data_file: str, input: str) -> Path:
    """The file or folder that holds a data set."""
    entry = CATALOG[dataset]
    if data_file:
        path = Path(data_file)
        if not path.exists():
            raise FileNotFoundError(f"--data-file {path} does not exist; expected {entry.files} from {entry.source}")
        return path
    if dataset in ("npz", "pyskl"):
        raise ValueError(f"--dataset {dataset} wants --data-file, {entry.about}, and --labels, the classes' names")
    if len(data_dir) != 1:
        raise ValueError(
            f"--dataset {dataset} wants one --data-dir with {entry.files}, from {entry.source}, or --data-file; got "
            f"{len(data_dir)}"
        )
    folder = Path(data_dir[0])
    if not folder.exists():
        raise FileNotFoundError(f"--data-dir {folder} does not exist; expected {entry.files} from {entry.source}")
    if folder.is_file():
        return folder
    classes = dataset.removeprefix("ntu").partition("-")[0]
    pickles = [f"ntu{classes}_{what}.pkl" for what in ("3danno", "hrnet")]
    wanted = [_CTR_GCN[dataset], pickles[0]] if input != "keypoints" else [pickles[1]]
    found = [
        folder / name for name in [*wanted, *([pickles[1]] if input == "auto" else [])] if (folder / name).exists()
    ]
    # A folder without such a file is one of raw clips, and ntu.load says what is missing in it.
    return found[0] if found else folder


def _load_file(
    dataset: str, path: Path, labels: str, input: str, skeleton: str, skip_bad: bool, console: Console
) -> ActionSet:
    classes = read_labels(Path(labels)) if labels else ()
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
        raise ValueError(
            f"{path} is neither an npz nor a pickle (.pkl); --dataset {dataset} wants {CATALOG[dataset].about}"
        )
    return ntu.load(path, dataset, "keypoints" if input == "keypoints" else "pose", skip_bad, console=console)


def _check(data: ActionSet, dataset: str, input: str, skeleton: str, skip_bad: bool, console: Console) -> None:
    """Refuses what cannot be trained on, and says what is only odd."""
    if input not in ("auto", data.train.kind):
        raise ValueError(f"--input {input}: the files of {dataset} hold {data.train.kind}; leave --input out")
    if skeleton not in ("auto", data.skeleton.name):
        raise ValueError(f"--skeleton {skeleton}: the clips of {dataset} have the joints of {data.skeleton.name}")
    for name, split in (("training", data.train), ("test", data.test)):
        if not len(split):
            raise ValueError(
                f"{dataset} has no {name} clip: its {name} split is empty; is a part of the files missing?"
            )
    train, test = (np.bincount(split.label, minlength=len(data.classes)) for split in (data.train, data.test))
    never, untaught = np.flatnonzero(train + test == 0), np.flatnonzero((train == 0) & (test > 0))
    # Of NTU many have a part alone; a data set of one's own with a class too many has a wrong labels file.
    if len(never) and dataset in ("npz", "pyskl") and not skip_bad:
        raise ValueError(
            f"{_named(data.classes, never)} of {dataset} has no clip; take it out of the labels and the columns of y, "
            "or go on with --skip-bad"
        )
    if len(never):
        console.print(f"without any clip: {_named(data.classes, never)}", highlight=False, soft_wrap=True)
    if len(untaught):
        console.print(f"without training clip: {_named(data.classes, untaught)}", highlight=False, soft_wrap=True)
    for line in data.left_out:
        console.print(f"left out: {line}", highlight=False, soft_wrap=True)


def _named(classes: Sequence[str], labels: np.ndarray) -> str:
    names = [f"class {label} ({classes[label]})" for label in labels[:3]]
    return ", ".join(names) + (f" and {len(labels) - 3} more classes" if len(labels) > 3 else "")
