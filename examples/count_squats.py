"""Count squats in a video, or in a file of 2D keypoints.

Run from the root of the repository: python examples/count_squats.py [FILE]
Without a file, it counts the squats of a generated person.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

import skelgnn_tf as sk
from skelgnn_tf.datasets import fitness


def main() -> None:
    """Counts and prints when each repetition was finished."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path, help="video, folder of pictures or keypoint file")
    parser.add_argument("--frames", type=int, default=450, help="length of the generated clip")
    arguments = parser.parse_args()
    if arguments.file is not None:
        count(arguments.file)
        return
    coco_17 = sk.skeletons.COCO_17
    clip = fitness.generate(1, seed=3, frames=arguments.frames, exercise="squat", layout="coco_17", skeleton=coco_17)[0]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "squats.npz"
        np.savez(file, keypoints=clip.keypoints, image_size=clip.image_size_px, fps=clip.fps)
        count(file)
    print(f"truth: {clip.repetitions[-1]}")


def count(file: Path) -> None:
    """Prints the repetitions in a file as they are finished."""
    prediction = sk.predict(file, exercise="squat")
    counts = prediction.motion.repetitions
    for frame in np.flatnonzero(np.diff(counts, prepend=0)):
        knee_deg = prediction.motion.angles_deg["left_knee"][frame]
        print(f"{prediction.time_s[frame]:5.1f} s  squat {counts[frame]}  (left knee {knee_deg:.0f}°)")
    print(f"squats: {counts[-1]}")


if __name__ == "__main__":
    main()
