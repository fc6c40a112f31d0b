"""Train an action recognizer on sequences of your own.

Run from the root of the repository: python examples/own_dataset.py
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np

import skelgnn_tf as sk
from skelgnn_tf.datasets import fitness
from skelgnn_tf.training.fit import train

CLASSES = ("squat", "jumping_jack", "biceps_curl")


def main() -> None:
    """Writes a data set to files, trains on it and recognizes one of its test clips."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=24, help="training clips of each class")
    parser.add_argument("--epochs", type=int, default=5)
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # The file is parsed once into a cache; that of an example goes away with the example.
        os.environ["SKELGNN_TF_CACHE"] = str(folder / "cache")
        write_dataset(folder, arguments.clips)
        config = sk.ActionConfig(
            dataset=("npz",),
            data_file=str(folder / "mine.npz"),
            labels=str(folder / "labels.txt"),
            skeleton="h36m_17",
            size="small",
            channels=16,
            batch_size=8,
            epochs=arguments.epochs,
        )
        run = train(config, folder / "run")
        loaded = sk.load(run)

    # The model sees 64 frames at 15 frames per second.
    clip = fitness.generate(1, seed=5, frames=64, fps=config.fps, exercise="jumping_jack", detector=False)[0]
    # (batch, persons, frames, joints, 3) meters; normalization and streams are inside the model.
    scores = loaded.model.predict(clip.pose_m[None, None], verbose=0)[0]
    print(f"a {clip.action} is recognized as {loaded.model.classes[int(scores.argmax())]}")


def write_dataset(folder: Path, clips: int) -> None:
    """mine.npz in the layout of CTR-GCN's files and labels.txt, the names of the classes."""
    arrays = {}
    for split, count, seed in (("train", clips, 0), ("test", 4, 1)):
        poses, labels = [], []
        for label, exercise in enumerate(CLASSES):
            for clip in fitness.generate(count, seed=seed, frames=150, exercise=exercise, detector=False):
                # These files have Kinect's axes: x to the left, y up, z away from the camera.
                pose_m = clip.pose_m * (-1, -1, 1)
                # (frames, joints, 3) -> (frames, persons x joints x 3), here with one person.
                poses.append(pose_m.reshape(len(pose_m), -1))
                labels.append(label)
        arrays |= {f"x_{split}": np.stack(poses), f"y_{split}": np.array(labels)}
    np.savez(folder / "mine.npz", **arrays)
    (folder / "labels.txt").write_text("\n".join(CLASSES) + "\n")


if __name__ == "__main__":
    main()
