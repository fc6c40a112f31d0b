"""Writes tiny pickles in PYSKL's layout, of random joints."""

import pickle

import numpy as np


def annotation_3d(name, label, frames=6, persons=1, seed=0):
    """As in PYSKL's ntu60_3danno.pkl: float16 meters of Kinect."""
    keypoint = np.random.default_rng(seed).uniform((-1, -1, 2.5), (1, 1, 3.5), (persons, frames, 25, 3))
    return dict(frame_dir=name, label=label, total_frames=frames, keypoint=keypoint.astype(np.float16))


def annotation_2d(name, label, frames=6, persons=1, seed=0):
    """As in PYSKL's ntu60_hrnet.pkl: float16 pixels of a 1920 x 1080 picture."""
    rng = np.random.default_rng(seed)
    return dict(
        frame_dir=name,
        label=label,
        img_shape=(1080, 1920),
        original_shape=(1080, 1920),
        total_frames=frames,
        keypoint=rng.uniform((0, 0), (1920, 1080), (persons, frames, 17, 2)).astype(np.float16),
        keypoint_score=rng.uniform(0.1, 1, (persons, frames, 17)).astype(np.float16),
    )


def contents(annotation):
    """Three training and two test clips, and one in no split."""
    names = [f"S001C001P00{i}R001A00{i}" for i in range(1, 7)]
    made = [annotation(name, i % 3, frames=5 + i, seed=i) for i, name in enumerate(names)]
    return {"split": {"xsub_train": names[:3], "xsub_val": names[3:5]}, "annotations": made}


def write(folder, made, protocol=4, name="ntu.pkl"):
    """The pickle, in a folder; gives its path."""
    (folder / name).write_bytes(pickle.dumps(made, protocol))
    return folder / name
