"""Tiny recognizable actions in CTR-GCN's layout: a body that lifts its left arm, its right arm, or neither."""

import numpy as np

CLASSES = ("lift-left", "lift-right", "stand")


def body(rng, label, frames):
    """Kinect meters (frames, 25, 3), three meters away; the arm of `label` goes up and down."""
    pose = np.random.default_rng(0).uniform((-0.3, -1, 2.9), (0.3, 1, 3.1), (25, 3))
    motion = np.repeat(pose[None], frames, axis=0) + rng.normal(size=3) * 0.2
    if label < 2:
        arm = ([4, 5, 6, 7, 21, 22], [8, 9, 10, 11, 23, 24])[label]
        motion[:, arm, 1] += np.sin(np.linspace(0, np.pi, frames))[:, None]
    return motion + rng.normal(size=motion.shape) * 0.01


def arrays(train=24, test=12, frames=20, classes=3, seed=0):
    """x_train, y_train, x_test, y_test with two persons, the second one absent; clip lengths differ."""
    rng, made = np.random.default_rng(seed), {}
    for split, count in (("train", train), ("test", test)):
        x, labels = np.zeros((count, frames, 2, 25, 3), np.float32), np.arange(count) % classes
        for i, label in enumerate(labels):
            length = frames - i % 5
            x[i, :length, 0] = body(rng, label, length)
        made |= {f"x_{split}": x.reshape(count, frames, -1), f"y_{split}": np.eye(classes, dtype=np.float32)[labels]}
    return made


def write(folder, made=None, classes=CLASSES):
    """actions.npz and labels.txt in a folder; their options for `skelgnn-tf train`."""
    np.savez(folder / "actions.npz", **(made or arrays()))
    (folder / "labels.txt").write_text("\n".join(classes) + "\n")
    return ["--dataset", "npz", "--data-file", folder / "actions.npz", "--labels", folder / "labels.txt"]
