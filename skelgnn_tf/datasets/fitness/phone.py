"""Phone scenes: a person as phones really see people, cut by the picture, hidden by equipment, in edited clips."""

from __future__ import annotations

import numpy as np

from skelgnn_tf.datasets.fitness.body import INDEX, JOINTS
from skelgnn_tf.datasets.fitness.camera import draw_camera
from skelgnn_tf.datasets.fitness.detector import detect, leave_out, part_of
from skelgnn_tf.datasets.fitness.exercises import Exercise
from skelgnn_tf.datasets.fitness.kinematics import Pose
from skelgnn_tf.geometry import Camera
from skelgnn_tf.skeletons import Skeleton

#: Parts of the body that a picture may be framed for, by the words in the names of their joints.
_HEAD = ("nose", "eye", "ear", "mouth", "head", "neck")
_TRUNK = (*_HEAD, "shoulder", "thorax")
_TO_HIPS = (*_TRUNK, "elbow", "wrist", "spine", "hip")
_TO_KNEES = (*_TO_HIPS, "knee", "index", "pinky", "thumb")
_BELOW_HEAD = ("shoulder", "hip", "knee", "ankle", "wrist", "elbow")
_FRAMINGS = (
    (0.45, JOINTS),
    (0.20, _TO_KNEES),
    (0.18, _TO_HIPS),
    (0.09, _TRUNK),
    (0.08, _BELOW_HEAD),
)
#: Share of the frames in which a joint that the exercise needs must be in the picture, and how often to try.
_IN_PICTURE, _TRIES = 0.7, 6
#: Probability that a clip is edited: the camera changes once.
_EDITED = 0.08
#: Groups of joints that equipment hides.
_EQUIPMENT = (
    ("wrist", "index", "pinky", "thumb"),
    ("ankle", "heel", "foot_index"),
    ("hip",),
    ("knee",),
    ("elbow",),
    ("shoulder",),
)


def film(
    rng: np.random.Generator, pose: Pose, exercise: Exercise, layout: Skeleton, fps: float
) -> tuple[Camera, np.ndarray]:
    """Films a pose with a phone's camera and runs a simulated detector on it.

    Args:
        rng: The clip's random numbers.
        pose: The person in world space.
        exercise: What the person does. The joints that it needs are in the picture for most of the time.
        layout: The detector's joints.
        fps: Frames per second.

    Returns:
        The camera of the first frame and keypoints float64 (frames, joints, 3): pixels of that camera's picture and
        confidence, 0 for a joint that a detector leaves out: outside the picture or hidden.
    """
    camera = _framed(rng, pose, exercise)
    keypoints = _seen(rng, pose, camera, layout, fps)
    if rng.random() < _EDITED:
        cut, other = int(rng.integers(1, len(keypoints))), _framed(rng, pose, exercise)
        after = _seen(rng, pose, other, layout, fps)[cut:]
        after[..., :2] *= np.array(camera.image_size_px) / np.array(other.image_size_px)
        keypoints[cut:] = after
    return camera, keypoints


def _framed(rng: np.random.Generator, pose: Pose, exercise: Exercise) -> Camera:
    """A camera that shows what the exercise needs."""
    for _ in range(_TRIES):
        shares = [share for share, _ in _FRAMINGS]
        parts = _FRAMINGS[int(rng.choice(len(_FRAMINGS), p=shares))][1]
        shown = [i for i, joint in enumerate(JOINTS) if any(part in joint for part in parts)]
        camera = draw_camera(rng, pose.joints_m[:, shown])
        if _shows(camera, pose, exercise.needs):
            return camera
    return draw_camera(rng, pose.joints_m)


def _shows(camera: Camera, pose: Pose, needs: tuple[str, ...]) -> bool:
    """Whether of each needed group at least one side is in the picture for most of the time."""
    sides = {part: [INDEX[f"left_{part}"], INDEX[f"right_{part}"]] for part in needs}
    for ids in sides.values():
        in_camera = camera.to_camera(pose.joints_m[:, ids])
        pixels = camera.project(in_camera)
        inside = np.all((pixels >= 0) & (pixels <= np.array(camera.image_size_px)), axis=-1) & (in_camera[..., 2] > 0.1)
        if inside.any(axis=1).mean() < _IN_PICTURE:
            return False
    return True


def _seen(rng: np.random.Generator, pose: Pose, camera: Camera, layout: Skeleton, fps: float) -> np.ndarray:
    """The keypoints that a detector keeps, with what equipment hides."""
    keypoints = detect(rng, pose, camera, layout, fps, realistic=True)
    num_frames = len(keypoints)
    if rng.random() < 0.25:
        parts = _EQUIPMENT[int(rng.integers(len(_EQUIPMENT)))]
        sides = ("left_", "right_") if rng.random() < 0.5 else (str(rng.choice(["left_", "right_"])),)
        rows = [i for i, joint in enumerate(layout.joints) if part_of(joint) in parts and joint.startswith(sides)]
        begin, end = np.sort(rng.integers(0, num_frames + 1, 2)) if rng.random() < 0.5 else (0, num_frames)
        size = np.ptp(keypoints[..., :2].reshape(-1, 2), axis=0).max()
        drift = rng.normal(size=(1, len(rows), 2)) * 0.03 + rng.normal(size=(end - begin, len(rows), 2)) * 0.012
        keypoints[begin:end, rows, :2] += drift * size
        keypoints[begin:end, rows, 2] *= rng.uniform(0.05, 0.6)
        if rng.random() < 0.3:
            keypoints[begin:end, rows, 2] = 0.0
    leave_out(keypoints, camera.image_size_px)
    # Nobody is found in some frames.
    for _ in range(int(rng.poisson(0.3))):
        begin = int(rng.integers(num_frames))
        keypoints[begin : begin + int(rng.integers(1, max(2, int(0.4 * fps))))] = 0.0
    return keypoints
