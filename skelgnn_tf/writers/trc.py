"""Poses as TRC, the text file of marker places that OpenSim opens."""

from __future__ import annotations

import numpy as np

from skelgnn_tf.skeletons import Skeleton
from skelgnn_tf.writers.bvh import Y_UP


def trc_text(pose_m: np.ndarray, skeleton: Skeleton, fps: float, name: str) -> str:
    """A motion as the text of a .trc file: metres, y up, z towards the camera; joints are markers of their names.

    Args:
        pose_m: (frames, joints, 3) metres, camera axes x right, y down, z forward; where nobody is seen, NaN, which
            OpenSim takes for missing markers.
        skeleton: Whose joints they are.
        fps: Frames per second.
        name: What the header calls the file.
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
        # NaN is printed as "nan": of blank cells at the end of a line OpenSim says that columns are lacking.
        lines.append("\t".join([str(frame + 1), f"{frame / fps:.6f}", *(f"{value:.6f}" for value in places)]))
    return "\n".join(lines) + "\n"
