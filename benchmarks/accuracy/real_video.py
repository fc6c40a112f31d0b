"""How well 3D poses fit a real person, filmed by four calibrated cameras.

The recording is Pose2Sim's demonstration (BSD-3, downloaded in its wheel from PyPI): a person balances in front of
four cameras that look down by 20 degrees and are rolled by up to 26. The reference is where the lines of sight to the
keypoints of BlazePose heavy meet. It has BlazePose's joints, not those of motion capture, so a few centimeters are
uncertain. The 2D keypoints of every detector are lifted from one camera and compared with it, and so are the
detector's own 3D landmarks.

Example: python benchmarks/accuracy/real_video.py --lifter fitness_9f --detector full
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

from skelgnn_tf import checkpoints
from skelgnn_tf.checkpoints import LoadedModel
from skelgnn_tf.detection.models import SIZES, find_models
from skelgnn_tf.detection.video_keypoints import LAYOUT, read_video_keypoints
from skelgnn_tf.geometry import Camera
from skelgnn_tf.inference.pipeline import open_model
from skelgnn_tf.inference.predict_keypoints import predict_keypoints
from skelgnn_tf.keypoints import KeypointSequence
from skelgnn_tf.metrics import MM_PER_M, p_mpjpe
from skelgnn_tf.skeletons import joint_map

WHEEL = "pose2sim==0.10.49"
_DEMO = "Pose2Sim/Demo_SinglePerson/"
_VIEWS = tuple(f"cam0{number}" for number in (1, 2, 3, 4))
#: A line of sight that passes the meeting point of the others at this distance, in meters, counts half.
_FAR_M = 0.03


def fetch(folder: Path) -> Path:
    """Downloads and unpacks the demonstration; returns the folder of its videos and calibration."""
    if not (folder / _DEMO).is_dir():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), WHEEL]
        command += ["--find-links", str(folder)]
        if subprocess.run(command).returncode:
            raise click.ClickException(
                f"{WHEEL} cannot be downloaded. Download its wheel elsewhere and name its folder with --folder."
            )
        with zipfile.ZipFile(next(folder.glob("pose2sim-*.whl"))) as wheel:
            wheel.extractall(folder, [name for name in wheel.namelist() if name.startswith(_DEMO)])
    return folder / _DEMO


def read_cameras(path: Path) -> dict[str, Camera]:
    """The cameras of a Qualisys calibration (.qca.txt): millimeters, sixty-fourths of a pixel, camera axes y up."""
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
            position_m=np.array([place["x"], place["y"], place["z"]]) / MM_PER_M,
        )
    return cameras


def meeting_points(cameras: list[Camera], keypoints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where lines of sight meet, by least squares; lines that pass far from the others count less.

    Args:
        cameras: Camera of each view.
        keypoints: (views, frames, joints, 3), pixels and confidence.

    Returns:
        World meters (frames, joints, 3), and the distance of each line from them, meters (views, frames, joints).
    """
    origins = np.stack([camera.position_m for camera in cameras])[:, None, None]
    ones = np.ones(keypoints.shape[1:3])
    seen = zip(cameras, keypoints[..., :2], strict=True)
    aims = np.stack([camera.to_world(camera.unproject(pixels, ones)) for camera, pixels in seen])
    sight = aims - origins
    sight /= np.linalg.norm(sight, axis=-1, keepdims=True)
    # Projection onto the plane across the line of sight: I - d d'.
    across = np.eye(3) - sight[..., :, None] * sight[..., None, :]
    confidence = np.maximum(keypoints[..., 2], 1e-3)
    weight = confidence
    for _ in range(5):
        left = np.einsum("vtj,vtjab->tjab", weight, across)
        right = np.einsum("vtj,vtjab,vtjb->tja", weight, across, np.broadcast_to(origins, sight.shape))
        points = np.linalg.solve(left, right[..., None])[..., 0]
        miss = np.linalg.norm(np.einsum("vtjab,vtjb->vtja", across, points - origins), axis=-1)
        weight = confidence / (1 + (miss / _FAR_M) ** 2)
    return points, miss


def errors_mm(seen: KeypointSequence, truth_m: np.ndarray, lifters: list[LoadedModel]) -> list[float]:
    """P-MPJPE of the detector's own landmarks, then of each lifter, against the reference (frames, 33, 3) of a view."""
    sequence = KeypointSequence("", seen.keypoints[:1], LAYOUT, seen.image_size_px, seen.fps)
    found = [(seen.world_m[0], LAYOUT)]
    for lifter in lifters:
        poses = predict_keypoints(sequence, lifter, None).poses
        found.append((poses.pose_m, poses.skeleton))
    rows = []
    for pose_m, layout in found:
        # In the joints of the lifters, to which those of BlazePose are mapped.
        target = joint_map(LAYOUT, "h36m_17") @ truth_m
        pose_m = joint_map(layout, "h36m_17") @ pose_m
        known = np.isfinite(pose_m).all(axis=(1, 2))
        rows.append(MM_PER_M * p_mpjpe(pose_m[known], target[known]).mean())
    return rows


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--lifter",
    "names",
    multiple=True,
    default=("fitness_9f",),
    show_default=True,
    help="Lifter: preset, run folder or model file. Repeat for several.",
)
@click.option(
    "--detector",
    "sizes",
    multiple=True,
    type=click.Choice(SIZES),
    default=SIZES[::-1],
    show_default=True,
    help="Size of BlazePose. Repeat for several.",
)
@click.option(
    "--detector-models",
    type=click.Path(path_type=Path),
    help="Folder or .task file with BlazePose's models.  [default: the cache]",
)
@click.option("--folder", type=click.Path(path_type=Path), help="Folder of the wheel.  [default: a temporary one]")
def main(names: tuple[str, ...], sizes: tuple[str, ...], detector_models: Path | None, folder: Path | None) -> None:
    """Measure P-MPJPE on a real person, camera by camera."""
    console = Console()
    lifters = [
        open_model(name) if Path(name).suffix in (".tflite", ".onnx") else checkpoints.load(name, "lift")
        for name in names
    ]
    with tempfile.TemporaryDirectory() as temporary:
        demo = fetch(folder or Path(temporary))
        cameras = read_cameras(next((demo / "calibration").glob("*.qca.txt")))
        seen = {}
        for size in {*sizes, "heavy"}:
            models = find_models(detector_models, size)
            seen[size] = {view: read_video_keypoints(demo / "videos" / f"{view}.mp4", models) for view in _VIEWS}
    best = np.stack([seen["heavy"][view].keypoints[0] for view in _VIEWS])
    world_m, miss_m = meeting_points([cameras[view] for view in _VIEWS], best)
    middle, most = MM_PER_M * np.quantile(miss_m, (0.5, 0.9))
    console.print(
        f"{best.shape[1]} frames of {len(_VIEWS)} cameras; the lines of sight miss the reference by {middle:.0f} mm "
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
