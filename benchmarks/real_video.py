"""How well 3D poses fit a real person: python benchmarks/real_video.py [--lifter fitness_9f] [--detector full].

Pose2Sim's demonstration (BSD-3, in its wheel on PyPI, which is fetched) shows a man who keeps his balance to four
calibrated cameras that look down by 20 degrees and are rolled by up to 26. The truth is where the lines of sight to
BlazePose-heavy's keypoints meet: BlazePose's joints, not a motion capture's, so a few centimetres are not certain.
Every detector's 2D keypoints of one camera are lifted and compared with it, and so are its own 3D landmarks.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from xml.etree import ElementTree

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from skelgnn_tf.detection.models import SIZES, find_models
from skelgnn_tf.detection.video_keypoints import LAYOUT, VideoKeypoints, read_video_keypoints
from skelgnn_tf.geometry import Camera
from skelgnn_tf.inference.pipeline import Trained, predict
from skelgnn_tf.keypoints.reader import KeypointFile
from skelgnn_tf.metrics import p_mpjpe
from skelgnn_tf.skeletons import joint_map

WHEEL = "pose2sim==0.10.49"
_DEMO = "Pose2Sim/Demo_SinglePerson/"
_VIEWS = tuple(f"cam0{number}" for number in (1, 2, 3, 4))
#: A line of sight that passes the others' meeting point at this distance counts half, metres.
_FAR_M = 0.03


def fetch(folder: Path) -> Path:
    """The demonstration's videos and calibration, unpacked."""
    if not (folder / _DEMO).is_dir():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), WHEEL]
        command += ["--find-links", str(folder)]
        if subprocess.run(command).returncode:
            raise click.ClickException(
                f"cannot download {WHEEL}; fetch its wheel elsewhere and name the folder that it lies in by --folder"
            )
        with zipfile.ZipFile(next(folder.glob("pose2sim-*.whl"))) as wheel:
            wheel.extractall(folder, [name for name in wheel.namelist() if name.startswith(_DEMO)])
    return folder / _DEMO


def read_cameras(path: Path) -> dict[str, Camera]:
    """The cameras of a Qualisys calibration (.qca.txt): millimetres, sixty-fourths of a pixel, camera axes y up."""
    cameras = {}
    for entry in ElementTree.parse(path).getroot().iter("camera"):
        place, lens, field = (
            {name: float(value) for name, value in entry.find(part).attrib.items()}
            for part in ("transform", "intrinsic", "fov_video")
        )
        axes = np.array([[place[f"r{row}{column}"] for column in (1, 2, 3)] for row in (1, 2, 3)])
        cameras[entry.get("serial")] = Camera(
            focal_px=(lens["focalLengthU"] / 64, lens["focalLengthV"] / 64),
            center_px=(lens["centerPointU"] / 64, lens["centerPointV"] / 64),
            image_size_px=(round(field["right"]) + 1, round(field["bottom"]) + 1),
            rotation=np.diag([1, -1, -1]) @ axes,
            position_m=np.array([place["x"], place["y"], place["z"]]) / 1000,
        )
    return cameras


def meeting_points(cameras: list[Camera], keypoints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where lines of sight meet, by least squares; those that pass far from the rest count less.

    Args:
        cameras: Of the views.
        keypoints: (views, frames, joints, 3) pixels and confidence.

    Returns:
        World metres (frames, joints, 3), and by how much each view's line misses them, metres (views, frames, joints).
    """
    origins = np.stack([camera.position_m for camera in cameras])[:, None, None]
    ones = np.ones(keypoints.shape[1:3])
    seen = zip(cameras, keypoints[..., :2], strict=True)
    aims = np.stack([camera.to_world(camera.unproject(pixels, ones)) for camera, pixels in seen])
    sight = aims - origins
    sight /= np.linalg.norm(sight, axis=-1, keepdims=True)
    # What a displacement has across the line of sight: I - d d'.
    across = np.eye(3) - sight[..., :, None] * sight[..., None, :]
    sure = np.maximum(keypoints[..., 2], 1e-3)
    weight = sure
    for _ in range(5):
        left = np.einsum("vtj,vtjab->tjab", weight, across)
        right = np.einsum("vtj,vtjab,vtjb->tja", weight, across, np.broadcast_to(origins, sight.shape))
        points = np.linalg.solve(left, right[..., None])[..., 0]
        miss = np.linalg.norm(np.einsum("vtjab,vtjb->vtja", across, points - origins), axis=-1)
        weight = sure / (1 + (miss / _FAR_M) ** 2)
    return points, miss


def errors_mm(seen: VideoKeypoints, truth_m: np.ndarray, lifters: list[Trained]) -> list[float]:
    """P-MPJPE of the detector's own landmarks, then of each lifter, against a view's truth (frames, 33, 3)."""
    file = KeypointFile("", seen.keypoints[:1], LAYOUT, seen.image_size_px, seen.fps)
    found = [(seen.world_m[0], LAYOUT)]
    for lifter in lifters:
        poses = predict(file, lifter, None).poses
        found.append((poses.pose_m, poses.skeleton))
    rows = []
    for pose_m, layout in found:
        # All in the lifters' joints, which BlazePose's are mapped to.
        target = joint_map(LAYOUT, "h36m_17") @ truth_m
        pose_m = joint_map(layout, "h36m_17") @ pose_m
        known = np.isfinite(pose_m).all(axis=(1, 2))
        rows.append(1000 * p_mpjpe(pose_m[known], target[known]).mean())
    return rows


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--lifter", "names", multiple=True, default=("fitness_9f",), show_default=True, help="or several")
@click.option("--detector", "sizes", multiple=True, type=click.Choice(SIZES), default=SIZES[::-1], help="or several")
@click.option("--detector-models", type=click.Path(path_type=Path), help="BlazePose's files; the cache")
@click.option("--folder", type=click.Path(path_type=Path), help="where the wheel lies or goes; a temporary one")
def main(names: tuple[str, ...], sizes: tuple[str, ...], detector_models: Path | None, folder: Path | None) -> None:
    """P-MPJPE on a real person, camera by camera."""
    console = Console()
    lifters = [Trained.open(name) for name in names]
    with tempfile.TemporaryDirectory() as temporary:
        demo = fetch(folder or Path(temporary))
        cameras = read_cameras(next((demo / "calibration").glob("*.qca.txt")))
        seen = {}
        for size in {*sizes, "heavy"}:
            models = find_models(detector_models, size)
            seen[size] = {view: read_video_keypoints(demo / "videos" / f"{view}.mp4", models) for view in _VIEWS}
    best = np.stack([seen["heavy"][view].keypoints[0] for view in _VIEWS])
    world_m, miss_m = meeting_points([cameras[view] for view in _VIEWS], best)
    middle, most = 1000 * np.quantile(miss_m, (0.5, 0.9))
    console.print(
        f"{best.shape[1]} frames of {len(_VIEWS)} cameras; the lines of sight miss the truth by {middle:.0f} mm "
        f"(median), {most:.0f} mm (90 %)",
        soft_wrap=True,
    )
    table = Table("keypoints", "3D by", *_VIEWS, "mean", title="P-MPJPE, mm")
    for size in sizes:
        by_view = [errors_mm(seen[size][view], cameras[view].to_camera(world_m), lifters) for view in _VIEWS]
        for name, row in zip(("its own landmarks", *names), np.array(by_view).T, strict=True):
            table.add_row(f"BlazePose {size}", name, *(f"{value:.1f}" for value in (*row, row.mean())))
        table.add_section()
    console.print(table)


if __name__ == "__main__":
    main()
