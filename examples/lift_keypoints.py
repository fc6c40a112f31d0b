"""Lift the 2D keypoints of a clip to 3D poses with the shipped preset, and compare them with the truth.

Run from the root of the repository: python examples/lift_keypoints.py
"""

from __future__ import annotations

import argparse

import numpy as np

import skelgnn_tf as sk
from skelgnn_tf.datasets import fitness


def main() -> None:
    """Generates a clip of each exercise, lifts it and prints the error."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=150, help="frames of each clip")
    frames = parser.parse_args().frames

    for exercise in fitness.CLASSES:
        clip = fitness.generate(1, seed=7, frames=frames, exercise=exercise)[0]
        # (persons, frames, joints, 3): x and y in pixels, confidence (0: missing). Your own keypoints come from a
        # detector or a file: sk.read_keypoints("keypoints.npz").
        sequence = sk.KeypointSequence(clip.name, clip.keypoints, "h36m_17", clip.image_size_px, clip.fps)
        prediction = sk.predict(sequence, lifter="fitness_9f", recognizer=None)
        # (frames, joints, 3): meters from the hip; x right, y down, z away from the camera.
        pose_m = prediction.poses.pose_m

        true_m = sk.geometry.root_relative(clip.pose_m, root=0)
        seen = np.isfinite(pose_m).all(axis=(1, 2))
        errors_mm = [
            1000 * metric(pose_m[seen], true_m[seen]).mean() for metric in (sk.metrics.mpjpe, sk.metrics.p_mpjpe)
        ]
        print(f"{exercise:15} MPJPE {errors_mm[0]:6.1f} mm   P-MPJPE {errors_mm[1]:6.1f} mm")


if __name__ == "__main__":
    main()
