"""MPI-INF-3DHP from P-STMO's two npz files or from the original test set's annot_data.mat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from skelgnn_tf.datasets.clip import Clip, ClipSet
from skelgnn_tf.datasets.pickles import load_npz
from skelgnn_tf.skeletons import MPI_INF_3DHP_17

TRAIN_FILE, TEST_FILE, MAT_FILE = "data_train_3dhp.npz", "data_test_3dhp.npz", "annot_data.mat"

#: Where each test sequence was taken; the scores are also given for each of the three.
SETTINGS = {
    "TS1": "green_screen",
    "TS2": "green_screen",
    "TS3": "no_green_screen",
    "TS4": "no_green_screen",
    "TS5": "outdoor",
    "TS6": "outdoor",
}

#: The 14 joints that PCK and AUC are taken over.
COUNTING_JOINTS = tuple(
    joint for joint, name in enumerate(MPI_INF_3DHP_17.joints) if name not in ("pelvis", "spine", "head")
)

_STUDIO_SIZE_PX, _OUTDOOR_SIZE_PX = (2048, 2048), (1920, 1080)

# The test files do not say their rate.
_TEST_FPS = 25.0

_HELP = (
    f"expected P-STMO's {TRAIN_FILE} and {TEST_FILE} (github.com/paTRICK-swk/P-STMO), or the original test set's "
    f"folders TS1 to TS6 with {MAT_FILE} (vcai.mpi-inf.mpg.de/3dhp-dataset)"
)


def load(data_dir: str | Path) -> ClipSet:
    """Training clips S1 to S8, each camera a clip of its own, and the test sequences TS1 to TS6.

    Args:
        data_dir: Folder of P-STMO's npz files, of the original TS1 .. TS6, or of a training npz beside TS1 .. TS6. With
            test data alone `train` is empty, enough to evaluate a model that was trained elsewhere.

    Returns:
        Clips with absolute camera-space poses in metres, in `MPI_INF_3DHP_17`'s joints. A test clip's action is its
        setting, and its `valid` says which frames count.

    Raises:
        FileNotFoundError: The folder is missing or has none of these files.
        ValueError: A file is not in the expected layout; names file, sequence and what was found.

    Source: P-STMO's common/load_data_3dhp_mae.py; the data set's own test_util.
    """
    folder = Path(data_dir)
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {folder}; {_HELP}")
    train = _train_clips(folder / TRAIN_FILE) if (folder / TRAIN_FILE).is_file() else ()
    mats = [folder / name for name in SETTINGS if (folder / name / MAT_FILE).is_file()]
    if (folder / TEST_FILE).is_file():
        test = _test_clips(folder / TEST_FILE)
    else:
        test = tuple(load_test_mat(sequence) for sequence in mats)
    if not train and not test:
        raise FileNotFoundError(f"nothing of MPI-INF-3DHP in {folder}; {_HELP}")
    return ClipSet(MPI_INF_3DHP_17, train, test)


def load_test_mat(folder: str | Path) -> Clip:
    """One original test sequence, a folder named TS1 .. TS6 with annot_data.mat (HDF5).

    Its `univ_annot3` is read: poses scaled to one common height, which the data set's scores are defined on.

    Raises:
        FileNotFoundError: There is no annot_data.mat.
        ValueError: It is no HDF5 file, lacks an array, has arrays of other shapes, or the folder has another name.
    """
    folder = Path(folder)
    path = folder / MAT_FILE
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}; {_HELP}")
    try:
        with h5py.File(path) as file:
            found = {key: np.asarray(file[key]) for key in ("annot2", "univ_annot3", "valid_frame") if key in file}
    except OSError as error:
        raise ValueError(f"{path} is no HDF5 file, as MATLAB's version 7.3 writes: {error}") from error
    missing = {"annot2", "univ_annot3", "valid_frame"} - set(found)
    if missing:
        raise ValueError(f"{path} lacks {', '.join(sorted(missing))}; it is not the test set's {MAT_FILE}")
    for key, channels in (("annot2", 2), ("univ_annot3", 3)):
        # MATLAB's channels x joints x 1 x frames lies in the file from the last axis to the first.
        if found[key].ndim != 4 or found[key].shape[1:] != (1, MPI_INF_3DHP_17.num_joints, channels):
            raise ValueError(
                f"{path}: {key} wants (frames, 1, 17, {channels}), MATLAB's {channels} x 17 x 1 x frames as HDF5 gives "
                f"it; found {found[key].shape}"
            )
    sequence = {"data_2d": found["annot2"][:, 0], "data_3d": found["univ_annot3"][:, 0], "valid": found["valid_frame"]}
    return _test_clip(folder.resolve().name, sequence, path)


def _train_clips(path: Path) -> tuple[Clip, ...]:
    clips = []
    for name, sequence in _sequences(path).items():
        subject, _, action = str(name).partition(" ")
        views, fps = sequence if isinstance(sequence, (list, tuple)) and len(sequence) == 2 else (None, None)
        fps = np.asarray(fps) if fps is not None else np.empty(0)
        if not isinstance(views, dict) or fps.size != 1 or fps.dtype.kind not in "fiu":
            raise ValueError(f"{path}, {name}: expected [{{camera: {{data_2d, data_3d}}}}, fps] as P-STMO writes it")
        for camera, view in views.items():
            where = f"{name} camera {camera}"
            keypoints_px, pose_m = _arrays(view, path, where)
            clips.append(
                Clip(
                    where,
                    keypoints_px,
                    pose_m,
                    image_size_px=_STUDIO_SIZE_PX,
                    fps=float(fps.item()),
                    subject=subject,
                    action=action,
                )
            )
    return tuple(clips)


def _test_clips(path: Path) -> tuple[Clip, ...]:
    return tuple(_test_clip(name, sequence, path) for name, sequence in _sequences(path).items())


def _test_clip(name: str, sequence: Any, path: Path) -> Clip:
    if name not in SETTINGS:
        raise ValueError(f"{path}: unknown test sequence {name!r}; expected {', '.join(SETTINGS)}")
    keypoints_px, pose_m = _arrays(sequence, path, name)
    valid = np.asarray(sequence.get("valid", ())).reshape(-1).astype(bool)
    if len(valid) != len(pose_m):
        raise ValueError(f"{path}, {name}: valid wants one entry for each of {len(pose_m)} frames; found {len(valid)}")
    setting = SETTINGS[name]
    return Clip(
        name,
        keypoints_px,
        pose_m,
        image_size_px=_OUTDOOR_SIZE_PX if setting == "outdoor" else _STUDIO_SIZE_PX,
        fps=_TEST_FPS,
        subject=name,
        action=setting,
        valid=valid,
    )


def _sequences(path: Path) -> dict[str, Any]:
    sequences = load_npz(path, "data")
    if not isinstance(sequences, dict) or not sequences:
        raise ValueError(
            f"{path}: 'data' wants a dict of sequences as P-STMO writes it; found {type(sequences).__name__}"
        )
    return sequences


def _arrays(view: Any, path: Path, where: str) -> tuple[np.ndarray, np.ndarray]:
    """{data_2d, data_3d} in pixels and millimetres -> (1, frames, 17, 2 or 3) pixels, (frames, 17, 3) metres."""
    if not isinstance(view, dict) or not {"data_2d", "data_3d"} <= set(view):
        raise ValueError(f"{path}, {where}: expected a dict with data_2d and data_3d")
    keypoints_px, pose_mm = np.asarray(view["data_2d"]), np.asarray(view["data_3d"])
    joints = MPI_INF_3DHP_17.num_joints
    if keypoints_px.ndim != 3 or keypoints_px.shape[1] != joints or keypoints_px.shape[2] not in (2, 3):
        raise ValueError(f"{path}, {where}: data_2d wants (frames, {joints}, 2) pixels; found {keypoints_px.shape}")
    if pose_mm.shape != (len(keypoints_px), joints, 3):
        raise ValueError(
            f"{path}, {where}: data_3d wants {(len(keypoints_px), joints, 3)} millimetres; found {pose_mm.shape}"
        )
    return keypoints_px[None].astype(np.float32), (pose_mm / 1000).astype(np.float32)
