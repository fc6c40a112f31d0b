"""Define a skeleton of your own and train a small pose lifter on it.

Run from the root of the repository: python examples/custom_skeleton.py
"""

from __future__ import annotations

import argparse

import keras
import numpy as np

import skelgnn_tf as sk
from skelgnn_tf.datasets import fitness

#: {joint: parent}. Sides, bones, hops and the root are derived.
TREE = {
    "hip": None,
    "left_hip": "hip",
    "left_knee": "left_hip",
    "left_ankle": "left_knee",
    "right_hip": "hip",
    "right_knee": "right_hip",
    "right_ankle": "right_knee",
    "thorax": "hip",
    "left_shoulder": "thorax",
    "left_wrist": "left_shoulder",
    "right_shoulder": "thorax",
    "right_wrist": "right_shoulder",
}


def make_skeleton() -> sk.skeletons.Skeleton:
    """Twelve joints without elbows and head; an extra edge lets the graph layers connect the ankles."""
    joints = tuple(TREE)
    other_side = {"left": "right", "right": "left"}
    mirror = []
    for joint in joints:
        side, _, rest = joint.partition("_")
        mirror.append(joints.index(f"{other_side[side]}_{rest}") if side in other_side else joints.index(joint))
    return sk.skeletons.Skeleton(
        name="coarse_12",
        joints=joints,
        parents=tuple(-1 if parent is None else joints.index(parent) for parent in TREE.values()),
        mirror=tuple(mirror),
        extra_edges=((joints.index("left_ankle"), joints.index("right_ankle")),),
    )


def main() -> None:
    """Trains for a few epochs and prints the error on clips that were not trained on."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=26, help="training clips to generate")
    parser.add_argument("--epochs", type=int, default=8)
    arguments = parser.parse_args()

    skeleton = make_skeleton()
    print(f"{skeleton.name}: root {skeleton.joints[skeleton.root]}, {len(skeleton.bones)} bones, ", end="")
    print(f"furthest hop {skeleton.hop_distances.max()}, left joints {skeleton.left}")

    train, test = (windows(skeleton, clips, seed) for clips, seed in ((arguments.clips, 0), (13, 1)))
    model = sk.models.PoseLifter(skeleton, channels=32, blocks=1, dropout=0.0)
    model.compile(keras.optimizers.Adam(2e-3), loss="mae", metrics=[mean_error_mm])
    model.fit(*train, validation_data=test, batch_size=256, epochs=arguments.epochs, verbose=2)


def windows(skeleton: sk.skeletons.Skeleton, clips: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (windows, 1, joints, 2) in screen units and poses (windows, 1, joints, 3) in meters."""
    keypoints, poses = [], []
    # Joints with the same names are mapped by name.
    joint_map = sk.skeletons.joint_map("h36m_17", skeleton)
    for clip in fitness.generate(clips, seed=seed, frames=120, detector=False):
        screen = sk.geometry.normalize_screen(clip.keypoints[0, ..., :2], clip.image_size_px)
        keypoints.append(joint_map @ screen)
        poses.append(sk.geometry.root_relative(joint_map @ clip.pose_m, skeleton.root))
    return np.concatenate(keypoints)[:, None], np.concatenate(poses)[:, None]


def mean_error_mm(target_m, prediction_m):
    """MPJPE in millimeters, as a Keras metric."""
    return 1000 * keras.ops.mean(keras.ops.norm(prediction_m - target_m, axis=-1))


if __name__ == "__main__":
    main()
