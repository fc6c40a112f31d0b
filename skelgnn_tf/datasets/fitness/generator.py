"""Clips of the generated data set: lazily, in any order, to the bit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from skelgnn_tf.datasets.clip import Clip, ClipSet
from skelgnn_tf.datasets.fitness.body import INDEX, draw_body
from skelgnn_tf.datasets.fitness.camera import draw_camera
from skelgnn_tf.datasets.fitness.detector import detect
from skelgnn_tf.datasets.fitness.exercises import CLASSES, EXERCISES
from skelgnn_tf.datasets.fitness.kinematics import Pose
from skelgnn_tf.datasets.fitness.rhythm import Rhythm, Take, Tempo, draw_rhythm
from skelgnn_tf.skeletons import H36M_17, Skeleton, get, map_keypoints

#: Detector layouts that a clip's keypoints can pass through on their way to the wanted joints.
LAYOUTS = ("h36m_17", "coco_17", "blazepose_33")
# Streams of random numbers that must never meet: who follows `seed, index`.
_CLIP, _ORDER = 0, 1


def generate(
    num_clips: int,
    seed: int,
    *,
    frames: int = 240,
    fps: float = 30.0,
    exercise: str | None = None,
    detector: bool = True,
    layout: str | tuple[str, ...] = "h36m_17",
    skeleton: Skeleton = H36M_17,
) -> tuple[Clip, ...]:
    """Clips of people who exercise before a phone; clip i depends on the seed and on i alone.

    Args:
        num_clips: How many.
        seed: Other seeds give other people, movements and cameras.
        frames: Length of every clip.
        fps: Frames per second.
        exercise: One of `CLASSES` for all clips; by default every run of 13 clips has each class once.
        detector: False gives the joints' exact projections with confidence 1.
        layout: Which detector's joints are seen, one of `LAYOUTS` or several to draw from. They reach the clip through
            `joint_map(layout, skeleton)`, as a real detector's would.
        skeleton: The joints of the clips; H36M_17, or one of `LAYOUTS` that the drawn layouts can give.

    Returns:
        Clips of `skeleton`: keypoints float32 (1, frames, joints, 3), pose_m (frames, joints, 3) camera-space metres,
        label (index into `CLASSES`), repetitions and phase.

    Raises:
        ValueError: An unknown exercise or layout, or nothing to make.

    Example:
        >>> clip = generate(1, seed=0, frames=60, exercise="squat")[0]
        >>> clip.keypoints.shape, clip.action
        ((1, 60, 17, 3), 'squat')
    """
    if num_clips < 1:
        raise ValueError(f"fitness wants at least one clip; got {num_clips}")
    options = {"frames": frames, "fps": fps, "exercise": exercise, "detector": detector}
    return tuple(iterate(range(num_clips), seed, **options, layout=layout, skeleton=skeleton))


def iterate(indices: range, seed: int, **options: object) -> Iterator[Clip]:
    """The clips of `generate` with these indices, one at a time; `options` are its keyword arguments."""
    for index in indices:
        yield make_clip(seed, index, **options)


def load(
    seed: int = 0,
    *,
    train_clips: int = 250,
    test_clips: int = 50,
    frames: int = 240,
    fps: float = 30.0,
    detector: bool = True,
    layout: str | tuple[str, ...] | None = None,
    skeleton: Skeleton = H36M_17,
) -> ClipSet:
    """Training and test clips of disjoint seeds; by default 60,000 and 12,000 frames.

    Args:
        seed: Of the training clips; the test clips are always the same, and the two never meet.
        train_clips: Clips for training.
        test_clips: Clips for the test.
        frames: Length of every clip.
        fps: Frames per second.
        detector: As in `generate`.
        layout: As in `generate`; None for the skeleton's own, for COCO's joints BlazePose's as well.
        skeleton: As in `generate`.
    """
    if layout is None:
        layout = ("coco_17", "blazepose_33") if skeleton.name == "coco_17" else skeleton.name.removesuffix("_lcn")
    options = {"frames": frames, "fps": fps, "detector": detector, "layout": layout, "skeleton": skeleton}
    train = generate(train_clips, 2 * seed, **options)
    # One test for all training seeds, else their scores could not be compared.
    test = generate(test_clips, 1, **options)
    return ClipSet(skeleton, train, test, CLASSES)


def label_of(seed: int, index: int) -> int:
    """Class of clip `index`: every run of 13 clips holds each class once, in an order of its own."""
    block, place = divmod(index, len(CLASSES))
    return int(np.random.default_rng([seed, _ORDER, block]).permutation(len(CLASSES))[place])


def act(rng: np.random.Generator, label: int, frames: int, fps: float) -> tuple[Pose, Rhythm]:
    """A person of a drawn body does the exercise of that label, in the world."""
    exercise = EXERCISES[label]
    body = draw_body(rng)
    # What is not counted still has a rhythm, for programmes share their drifts.
    rhythm = draw_rhythm(rng, frames, fps, exercise.tempo or Tempo((2.0, 5.0)))
    programme = exercise.programmes[int(rng.integers(len(exercise.programmes)))]
    return programme(Take(rng, body, rhythm)), rhythm


def make_clip(
    seed: int,
    index: int,
    *,
    frames: int = 240,
    fps: float = 30.0,
    exercise: str | None = None,
    detector: bool = True,
    layout: str | tuple[str, ...] = "h36m_17",
    skeleton: Skeleton = H36M_17,
) -> Clip:
    """Clip `index` of a seed; arguments and errors as in `generate`."""
    layouts = (layout,) if isinstance(layout, str) else tuple(layout)
    if not layouts or any(name not in LAYOUTS for name in layouts):
        raise ValueError(f"fitness knows the detector layouts {', '.join(LAYOUTS)}; got {layout!r}")
    if exercise is not None and exercise not in CLASSES:
        raise ValueError(f"fitness has no exercise {exercise!r}; it has {', '.join(CLASSES)}")
    if any(joint not in INDEX for joint in skeleton.joints):
        raise ValueError(f"fitness cannot make the joints of {skeleton.name}; choose one of {', '.join(LAYOUTS)}")
    if frames < 2 or fps <= 0:
        raise ValueError(f"fitness wants two frames or more at a positive rate; got {frames} at {fps} fps")
    label = label_of(seed, index) if exercise is None else CLASSES.index(exercise)
    rng = np.random.default_rng([seed, _CLIP, index])
    pose, rhythm = act(rng, label, frames, fps)
    camera = draw_camera(rng, pose.joints_m)
    name = layouts[int(rng.integers(len(layouts)))]
    pose_m = camera.to_camera(pose.joints_m[:, [INDEX[joint] for joint in skeleton.joints]]).astype(np.float32)
    if detector:
        keypoints = map_keypoints(detect(rng, pose, camera, get(name), fps), name, skeleton)
    else:
        exact = camera.project(camera.to_camera(pose.joints_m[:, [INDEX[joint] for joint in get(name).joints]]))
        keypoints = map_keypoints(np.concatenate([exact, np.ones((*exact.shape[:2], 1))], axis=-1), name, skeleton)
    counted = EXERCISES[label].tempo is not None
    return Clip(
        name=f"fitness {seed}.{index} {CLASSES[label]}",
        keypoints=keypoints.astype(np.float32)[None],
        pose_m=pose_m,
        label=label,
        camera=camera,
        image_size_px=camera.image_size_px,
        fps=fps,
        subject=f"body {seed}.{index}",
        action=CLASSES[label],
        repetitions=rhythm.finished if counted else np.zeros(frames, np.int32),
        phase=(rhythm.phase * rhythm.counts if counted else np.zeros(frames)).astype(np.float32),
    )
