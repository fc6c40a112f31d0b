"""Human3.6M from VideoPose3D's files, or other data in their layout."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from skelgnn_tf.datasets.clip import Clip, ClipSet
from skelgnn_tf.datasets.h36m.cameras import cameras
from skelgnn_tf.datasets.pickles import load_npz, npz_keys
from skelgnn_tf.skeletons import H36M_17

TRAIN_SUBJECTS = ("S1", "S5", "S6", "S7", "S8")
TEST_SUBJECTS = ("S9", "S11")
FPS = 50.0

#: The 17 of 32 recorded joints that VideoPose3D keeps, in the order of `H36M_17`.
JOINTS_OF_32 = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)

_HELP = "See DATASETS.md of VideoPose3D (github.com/facebookresearch/VideoPose3D)."

# This recording is corrupt. The original 2D files lack it, and it is never scored.
_CORRUPT = ("S11", "Directions")


def load(data_dir: str | Path, keypoints: str = "gt") -> ClipSet:
    """Loads the clips of the usual split (train S1, S5, S6, S7, S8, test S9, S11), one for each camera.

    Args:
        data_dir: Folder with `data_3d_h36m.npz` and `data_2d_h36m_<keypoints>.npz`.
        keypoints: The 2D keypoints: "gt", "cpn_ft_h36m_dbb", "detectron_ft_h36m", ...

    Returns:
        Clips with absolute camera-space poses in meters and the joints of `H36M_17`.

    Raises:
        FileNotFoundError: A file does not exist.
        ValueError: A file has another layout, or its arrays do not fit each other.

    Source: run.py and DATASETS.md of VideoPose3D.

    Example:
        >>> clips = load("DATA_DIR")  # doctest: +SKIP
        >>> clips.test[0].name, clips.test[0].pose_m.shape  # doctest: +SKIP
        ('S9 Basketball camera 0', (287, 17, 3))
    """
    path_3d, path_2d = _find_files(Path(data_dir), keypoints)
    poses = _subjects(path_3d, "positions_3d")
    views = _subjects(path_2d, "positions_2d")
    _check_layout(path_2d)
    fps = _fps(path_3d)
    train, test = (
        tuple(
            clip
            for subject in subjects
            if subject in poses
            for clip in _subject_clips(subject, poses[subject], views.get(subject, {}), fps, path_3d, path_2d)
        )
        for subjects in (TRAIN_SUBJECTS, TEST_SUBJECTS)
    )
    for what, clips, subjects in (("training", train, TRAIN_SUBJECTS), ("test", test, TEST_SUBJECTS)):
        if not clips:
            raise ValueError(
                f"{path_3d.parent}: both files must have a subject of the {what} split ({', '.join(subjects)}). "
                f"Received: {', '.join(map(str, poses)) or 'none'} in {path_3d.name}, "
                f"{', '.join(map(str, views)) or 'none'} in {path_2d.name}."
            )
    return ClipSet(H36M_17, train, test)


def load_poses(folder: Path) -> tuple[dict[str, dict[str, np.ndarray]], float]:
    """The recorded motion without cameras, and its frames per second.

    Args:
        folder: Folder with `data_3d_h36m.npz`.

    Returns:
        {subject: {action: world-space meters (frames, 17, 3), z up}}, frames per second.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file has another layout.
    """
    path = folder / "data_3d_h36m.npz"
    if not path.is_file():
        raise FileNotFoundError(f"{path}: file not found. Expected the 3D poses of Human3.6M. {_HELP}")
    subjects = _subjects(path, "positions_3d")
    poses = {
        subject: {
            action: _seventeen_joints(np.asarray(positions), f"{path}, {subject} {action}")
            for action, positions in actions.items()
        }
        for subject, actions in subjects.items()
    }
    return poses, _fps(path)


def _find_files(folder: Path, keypoints: str) -> tuple[Path, Path]:
    path_3d, path_2d = folder / "data_3d_h36m.npz", folder / f"data_2d_h36m_{keypoints}.npz"
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{folder}: folder not found. Expected a folder with {path_3d.name} and {path_2d.name}. {_HELP}"
        )
    if not path_3d.is_file():
        raise FileNotFoundError(f"{path_3d}: file not found. Expected the 3D poses of Human3.6M. {_HELP}")
    if not path_2d.is_file():
        prefix = "data_2d_h36m_"
        names = sorted(path.stem.removeprefix(prefix) for path in folder.glob(f"{prefix}*.npz"))
        there = f"The folder has {', '.join(names)}" if names else "The folder has no 2D keypoints"
        raise FileNotFoundError(f"{path_2d}: file not found. Expected the 2D keypoints {keypoints!r}. {there}. {_HELP}")
    return path_3d, path_2d


def _subjects(path: Path, key: str) -> dict[str, dict[str, Any]]:
    subjects = load_npz(path, key)
    if not isinstance(subjects, dict) or not all(isinstance(actions, dict) for actions in subjects.values()):
        raise ValueError(
            f"{path}: {key} must be a dict {{subject: {{action: ...}}}}, as VideoPose3D writes. Received: "
            f"{type(subjects).__name__}."
        )
    return subjects


def _check_layout(path_2d: Path) -> None:
    """Refuses 2D files with other joints, such as VideoPose3D's detectron_pt_coco, by their metadata."""
    metadata = load_npz(path_2d, "metadata") if "metadata" in npz_keys(path_2d) else {}
    symmetry = metadata.get("keypoints_symmetry") if isinstance(metadata, dict) else None
    if symmetry is None:
        return
    expected = {frozenset(pair) for pair in zip(H36M_17.left, H36M_17.right, strict=True)}
    if {frozenset(pair) for pair in zip(*symmetry, strict=False)} != expected:
        found = metadata.get("layout_name", "unknown")
        raise ValueError(
            f"{path_2d}: the file must have the joints of {H36M_17.name}. Received: layout {found!r} (left and right "
            f"{symmetry}). Convert it with skelgnn_tf.skeletons.map_keypoints."
        )


def _fps(path_3d: Path) -> float:
    """Frames per second in the metadata of the file, or Human3.6M's 50."""
    metadata = load_npz(path_3d, "metadata") if "metadata" in npz_keys(path_3d) else {}
    return float(metadata.get("fps", FPS)) if isinstance(metadata, dict) else FPS


def _subject_clips(
    subject: str, poses: dict[str, Any], views: dict[str, Any], fps: float, path_3d: Path, path_2d: Path
) -> list[Clip]:
    if not views:
        warnings.warn(f"{path_2d.name} has no {subject}, which is in {path_3d.name}; it is left out", stacklevel=4)
        return []
    clips = []
    for action, positions in poses.items():
        if action not in views:
            if (subject, action) != _CORRUPT:
                warnings.warn(
                    f"{path_2d.name} has no {subject} {action!r}, which is in {path_3d.name}; it is left out",
                    stacklevel=4,
                )
            continue
        world_m = _seventeen_joints(np.asarray(positions), f"{path_3d}, {subject} {action}")
        clips += _views(subject, action, world_m, views[action], fps, path_2d)
    return clips


def _seventeen_joints(world_m: np.ndarray, where: str) -> np.ndarray:
    """World-space meters (frames, 32 or 17, 3) -> (frames, 17, 3)."""
    if world_m.ndim != 3 or world_m.shape[1:] not in ((32, 3), (17, 3)) or world_m.dtype.kind not in "fiu":
        raise ValueError(
            f"{where}: 3D poses must be (frames, 32 or 17 joints, 3) in meters. Received: {world_m.shape} "
            f"{world_m.dtype}."
        )
    return world_m[:, JOINTS_OF_32] if world_m.shape[1] == 32 else world_m


def _views(subject: str, action: str, world_m: np.ndarray, views: Any, fps: float, path_2d: Path) -> list[Clip]:
    """A clip for each of the four cameras, from world-space meters (frames, 17, 3) and keypoints in pixels."""
    rig = cameras(subject)
    if not isinstance(views, (list, tuple, np.ndarray)) or len(views) != len(rig):
        found = len(views) if isinstance(views, (list, tuple, np.ndarray)) else type(views).__name__
        raise ValueError(
            f"{path_2d}, {subject} {action}: the value must be a list for the {len(rig)} cameras. Received: {found}."
        )
    clips = []
    for number, (camera, view) in enumerate(zip(rig, views, strict=True)):
        name = f"{subject} {action} camera {number}"
        keypoints_px = _fit(np.asarray(view), len(world_m), f"{path_2d}, {name}")
        clips.append(
            Clip(
                name,
                keypoints_px[None].astype(np.float32, copy=False),
                # For each clip, so that the float64 values of the cameras are freed.
                camera.to_camera(world_m).astype(np.float32),
                camera=camera,
                image_size_px=camera.image_size_px,
                fps=fps,
                subject=subject,
                action=re.sub(r" \d+$", "", action),
            )
        )
    return clips


def _fit(keypoints_px: np.ndarray, num_frames: int, where: str) -> np.ndarray:
    """Keypoints (frames or a few more, 17, 2 or 3) -> (frames, 17, 2 or 3)."""
    shape = keypoints_px.shape
    if keypoints_px.ndim != 3 or shape[2] not in (2, 3) or keypoints_px.dtype.kind not in "fiu":
        raise ValueError(
            f"{where}: keypoints must be (frames, 17 joints, 2 or 3) in pixels. Received: {shape} {keypoints_px.dtype}."
        )
    if shape[1] != H36M_17.num_joints:
        raise ValueError(
            f"{where}: keypoints must have the {H36M_17.num_joints} joints of {H36M_17.name} "
            f"({', '.join(H36M_17.joints)}). Received: {shape[1]} joints. Convert them with "
            "skelgnn_tf.skeletons.map_keypoints."
        )
    if shape[0] < num_frames:
        raise ValueError(
            f"{where}: 2D keypoints must have at least the {num_frames} frames of the 3D poses. Received: {shape[0]} "
            "frames. Check that the two files belong together."
        )
    # Some videos of Human3.6M are a few frames longer than the motion capture, and so are detectors' files.
    return keypoints_px[:num_frames]
