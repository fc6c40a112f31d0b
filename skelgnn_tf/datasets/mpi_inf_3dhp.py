"""MPI-INF-3DHP from P-STMO's two npz files, or from annot_data.mat of the original test set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from skelgnn_tf.datasets.clip import Clip, ClipSet
from skelgnn_tf.datasets.pickles import load_npz
from skelgnn_tf.skeletons import MPI_INF_3DHP_17

TRAIN_FILE, TEST_FILE, MAT_FILE = "data_train_3dhp.npz", "data_test_3dhp.npz", "annot_data.mat"

#: Setting of each test sequence. Scores are also reported for each of the three settings.
SETTINGS = {
    "TS1": "green_screen",
    "TS2": "green_screen",
    "TS3": "no_green_screen",
    "TS4": "no_green_screen",
    "TS5": "outdoor",
    "TS6": "outdoor",
}

#: The 14 joints of PCK and AUC.
COUNTING_JOINTS = tuple(
    joint for joint, name in enumerate(MPI_INF_3DHP_17.joints) if name not in ("pelvis", "spine", "head")
)

_STUDIO_SIZE_PX, _OUTDOOR_SIZE_PX = (2048, 2048), (1920, 1080)

# The test files have no frame rate.
_TEST_FPS = 25.0

_HELP = (
    f"Expected P-STMO's {TRAIN_FILE} and {TEST_FILE} (github.com/paTRICK-swk/P-STMO), or the folders TS1 to TS6 of the "
    f"original test set with {MAT_FILE} (vcai.mpi-inf.mpg.de/3dhp-dataset)."
)


def load(data_dir: str | Path) -> ClipSet:
    """Loads the training clips S1 to S8, one for each camera, and the test sequences TS1 to TS6.

    Args:
        data_dir: Folder with P-STMO's npz files, with the original TS1 to TS6, or with P-STMO's training file and TS1
            to TS6. With test data only, `train` is empty, which is enough to evaluate a model.

    Returns:
        Clips with absolute camera-space poses in meters and the joints of `MPI_INF_3DHP_17`. The action of a test clip
        is its setting, and `valid` marks the frames that count.

    Raises:
        FileNotFoundError: The folder does not exist or has none of these files.
        ValueError: A file has another layout.

    Source: common/load_data_3dhp_mae.py of P-STMO, and test_util of the data set.
    """
    folder = Path(data_dir)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: folder not found. {_HELP}")
    train = _train_clips(folder / TRAIN_FILE) if (folder / TRAIN_FILE).is_file() else ()
    mats = [folder / name for name in SETTINGS if (folder / name / MAT_FILE).is_file()]
    if (folder / TEST_FILE).is_file():
        test = _test_clips(folder / TEST_FILE)
    else:
        test = tuple(load_test_mat(sequence) for sequence in mats)
    if not train and not test:
        raise FileNotFoundError(f"{folder}: no file of MPI-INF-3DHP found. {_HELP}")
    return ClipSet(MPI_INF_3DHP_17, train, test)


def load_test_mat(folder: str | Path) -> Clip:
    """Loads an original test sequence, a folder named TS1 to TS6 with annot_data.mat (HDF5).

    The poses are those of `univ_annot3`, which are scaled to the same height. Scores of the data set refer to them.

    Args:
        folder: The folder.

    Raises:
        FileNotFoundError: The folder has no annot_data.mat.
        ValueError: The file is not HDF5, lacks an array, has arrays of other shapes, or the folder has another name.
    """
    folder = Path(folder)
    path = folder / MAT_FILE
    if not path.is_file():
        raise FileNotFoundError(f"{path}: file not found. {_HELP}")
    try:
        with h5py.File(path) as file:
            found = {key: np.asarray(file[key]) for key in ("annot2", "univ_annot3", "valid_frame") if key in file}
    except OSError as error:
        raise ValueError(f"{path}: the file must be HDF5 (MATLAB version 7.3). Received: {error}.") from error
    missing = {"annot2", "univ_annot3", "valid_frame"} - set(found)
    if missing:
        raise ValueError(
            f"{path}: the file must have annot2, univ_annot3 and valid_frame. Received: "
            f"{', '.join(sorted(found)) or 'none'}. Use {MAT_FILE} of the test set."
        )
    for key, channels in (("annot2", 2), ("univ_annot3", 3)):
        # MATLAB's channels x joints x 1 x frames is stored from the last axis to the first.
        if found[key].ndim != 4 or found[key].shape[1:] != (1, MPI_INF_3DHP_17.num_joints, channels):
            raise ValueError(
                f"{path}: {key} must be (frames, 1, 17, {channels}), MATLAB's {channels} x 17 x 1 x frames. Received: "
                f"{found[key].shape}."
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
            raise ValueError(
                f"{path}, {name}: the sequence must be [{{camera: {{data_2d, data_3d}}}}, fps], as P-STMO writes."
            )
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
        raise ValueError(f"{path}: the test sequence must be one of {', '.join(SETTINGS)}. Received: {name!r}.")
    keypoints_px, pose_m = _arrays(sequence, path, name)
    valid = np.asarray(sequence.get("valid", ())).reshape(-1).astype(bool)
    if len(valid) != len(pose_m):
        raise ValueError(
            f"{path}, {name}: valid must have one entry for each of {len(pose_m)} frames. Received: {len(valid)}."
        )
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
            f"{path}: 'data' must be a dict of sequences, as P-STMO writes. Received: {type(sequences).__name__}."
        )
    return sequences


def _arrays(view: Any, path: Path, where: str) -> tuple[np.ndarray, np.ndarray]:
    """{data_2d, data_3d} in pixels and millimeters -> (1, frames, 17, 2 or 3) pixels, (frames, 17, 3) meters."""
    if not isinstance(view, dict) or not {"data_2d", "data_3d"} <= set(view):
        raise ValueError(f"{path}, {where}: the view must be a dict with data_2d and data_3d.")
    keypoints_px, pose_mm = np.asarray(view["data_2d"]), np.asarray(view["data_3d"])
    joints = MPI_INF_3DHP_17.num_joints
    if keypoints_px.ndim != 3 or keypoints_px.shape[1] != joints or keypoints_px.shape[2] not in (2, 3):
        raise ValueError(
            f"{path}, {where}: data_2d must be (frames, {joints}, 2) pixels. Received: {keypoints_px.shape}."
        )
    if pose_mm.shape != (len(keypoints_px), joints, 3):
        raise ValueError(
            f"{path}, {where}: data_3d must be {(len(keypoints_px), joints, 3)} millimeters. Received: {pose_mm.shape}."
        )
    return keypoints_px[None].astype(np.float32), (pose_mm / 1000).astype(np.float32)
