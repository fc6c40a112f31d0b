"""Poses as TRC, the text file of marker positions that OpenSim opens."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from skelgnn_tf.inference.result import Prediction
from skelgnn_tf.skeletons import Skeleton
from skelgnn_tf.writers.conventions import Y_UP


def write(prediction: Prediction, path: Path) -> None:
    """Writes the poses of a prediction as a TRC file.

    Args:
        prediction: A prediction with poses.
        path: File to write.
    """
    poses = prediction.poses
    assert poses is not None
    name = f"{Path(prediction.source).stem}.trc"
    path.write_text(trc_text(poses.pose_m, poses.skeleton, prediction.fps, name), encoding="utf-8")


def trc_text(pose_m: np.ndarray, skeleton: Skeleton, fps: float, name: str) -> str:
    """Poses as the text of a .trc file: meters, y up, z towards the camera. Joints are markers with the same names.

    Args:
        pose_m: (frames, joints, 3) meters, camera axes x right, y down, z forward. NaN where the person or a joint is
            not seen, which OpenSim reads as missing markers.
        skeleton: Skeleton of the poses.
        fps: Frames per second.
        name: Name of the file in its header.

    Returns:
        The text.
    """
    num_frames, num_joints = pose_m.shape[:2]
    rate, every = f"{fps:.6f}", range(1, num_joints + 1)
    lines = [
        f"PathFileType\t4\t(X/Y/Z)\t{name}",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"{rate}\t{rate}\t{num_frames}\t{num_joints}\tm\t{rate}\t1\t{num_frames}",
        "Frame#\tTime\t" + "\t\t\t".join(skeleton.joints) + "\t\t",
        "\t\t" + "\t".join(f"X{i}\tY{i}\tZ{i}" for i in every),
        "",
    ]
    for frame, places in enumerate((np.asarray(pose_m, float) * Y_UP).reshape(num_frames, -1)):
        # NaN is printed as "nan". OpenSim reports blank cells at the end of a line as missing columns.
        lines.append("\t".join([str(frame + 1), f"{frame / fps:.6f}", *(f"{value:.6f}" for value in places)]))
    return "\n".join(lines) + "\n"
