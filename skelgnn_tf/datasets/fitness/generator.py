"""Generates clips one by one, in any order, and reproducible to the bit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from skelgnn_tf.datasets.clip import Clip, ClipSet
from skelgnn_tf.datasets.fitness.body import INDEX, draw_body
from skelgnn_tf.datasets.fitness.camera import draw_camera
from skelgnn_tf.datasets.fitness.captured import Recordings
from skelgnn_tf.datasets.fitness.detector import detect
from skelgnn_tf.datasets.fitness.exercises import CLASSES, EXERCISES, PHONE_CLASSES, Exercise
from skelgnn_tf.datasets.fitness.kinematics import Pose
from skelgnn_tf.datasets.fitness.phone import film
from skelgnn_tf.datasets.fitness.rhythm import Rhythm, Take, Tempo, draw_rhythm
from skelgnn_tf.geometry import Camera
from skelgnn_tf.skeletons import H36M_17, Skeleton, get, map_keypoints

#: Layouts of simulated detectors. The keypoints of a clip are mapped from them to its joints.
LAYOUTS = ("h36m_17", "coco_17", "blazepose_33")
#: Scenes: "studio" shows whole bodies; "phone" also what phones show: cut bodies, variants, motion that is no exercise.
SCENES = ("studio", "phone")
#: How often a run of phone scenes has the class "other".
_OTHERS = 5
#: Share of the phone scenes of an exercise that are studio scenes.
_STUDIO = 0.3
# Separate streams of random numbers for clips and for their order.
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
    scenes: str = "studio",
    recordings: Recordings | None = None,
) -> tuple[Clip, ...]:
    """Generates clips of people who exercise in front of a phone. Clip i depends only on the seed and on i.

    Args:
        num_clips: Number of clips.
        seed: Random seed. It determines people, motion and cameras.
        frames: Number of frames of each clip.
        fps: Frames per second.
        exercise: One of the classes for all clips (`CLASSES`, in phone scenes `PHONE_CLASSES`). By default each run of
            13 clips has every class once, and each run of 18 clips of phone scenes has "other" five times.
        detector: Whether to simulate a detector. Without it, keypoints are exact projections with confidence 1.
        layout: Joints of the simulated detector, one of `LAYOUTS` or several to draw from. They are mapped by
            `joint_map(layout, skeleton)`, like those of a real detector.
        skeleton: The joints of the clips: H36M_17, or one of `LAYOUTS` that the drawn layouts can be mapped to.
        scenes: One of `SCENES`.
        recordings: Motion capture that is a part of the class "other" in phone scenes.

    Returns:
        Clips with keypoints float32 (1, frames, joints, 3), pose_m (frames, joints, 3) in camera-space meters, label
        (index into `PHONE_CLASSES`), repetitions and phase.

    Raises:
        ValueError: The exercise, the layout or the skeleton is unknown, or a number is too small.

    Example:
        >>> clip = generate(1, seed=0, frames=60, exercise="squat")[0]
        >>> clip.keypoints.shape, clip.action
        ((1, 60, 17, 3), 'squat')
    """
    if num_clips < 1:
        raise ValueError(f"num_clips must be 1 or more. Received: {num_clips}.")
    options: dict[str, Any] = {"frames": frames, "fps": fps, "exercise": exercise, "detector": detector}
    options |= {"layout": layout, "skeleton": skeleton, "scenes": scenes, "recordings": recordings}
    return tuple(iterate(range(num_clips), seed, **options))


def iterate(indices: range, seed: int, **options: Any) -> Iterator[Clip]:
    """Yields the clips of `generate` one at a time.

    Args:
        indices: Indices of the clips.
        seed: Random seed.
        **options: Keyword arguments of `generate`.
    """
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
    scenes: str = "studio",
    recordings: Recordings | None = None,
) -> ClipSet:
    """Generates training and test clips with different seeds, by default 60,000 and 12,000 frames.

    The test clips of phone scenes are those of studio scenes, followed by clips of the class "other", as many as a
    class has.

    Args:
        seed: Random seed of the training clips. The test clips are always the same, and never training clips.
        train_clips: Number of training clips.
        test_clips: Number of test clips.
        frames: Number of frames of each clip.
        fps: Frames per second.
        detector: As in `generate`.
        layout: As in `generate`. By default that of the skeleton; for COCO's joints also BlazePose's.
        skeleton: As in `generate`.
        scenes: As in `generate`.
        recordings: As in `generate`, for the training clips.
    """
    if layout is None:
        layout = ("coco_17", "blazepose_33") if skeleton.name == "coco_17" else skeleton.name.removesuffix("_lcn")
    options: dict[str, Any] = {
        "frames": frames,
        "fps": fps,
        "detector": detector,
        "layout": layout,
        "skeleton": skeleton,
    }
    train = generate(train_clips, 2 * seed, scenes=scenes, recordings=recordings, **options)
    # The same test clips for all training seeds, so that scores are comparable.
    test = generate(test_clips, 1, **options)
    if scenes == "studio":
        return ClipSet(skeleton, train, test, CLASSES)
    others = max(1, test_clips // len(CLASSES))
    test += generate(others, 1, scenes=scenes, exercise="other", **options)
    return ClipSet(skeleton, train, test, PHONE_CLASSES)


def label_of(seed: int, index: int, scenes: str = "studio") -> int:
    """The label of a clip: each run of 13 (phone scenes: 18) clips has every class (and 5 others), in its own order."""
    labels = np.arange(len(CLASSES))
    if scenes == "phone":
        labels = np.append(labels, [PHONE_CLASSES.index("other")] * _OTHERS)
    block, place = divmod(index, len(labels))
    return int(labels[np.random.default_rng([seed, _ORDER, block]).permutation(len(labels))[place]])


def act(rng: np.random.Generator, label: int, frames: int, fps: float, scenes: str = "studio") -> tuple[Pose, Rhythm]:
    """Draws a body and lets it perform the exercise with a label, in world space."""
    exercise = EXERCISES[label]
    variants, tempo = exercise.studio, exercise.tempo
    if scenes == "phone":
        variants, tempo = exercise.phone, exercise.phone_tempo
    body = draw_body(rng)
    # Exercises without repetitions have a rhythm too, since all share its drifts.
    rhythm = draw_rhythm(rng, frames, fps, tempo or Tempo((2.0, 5.0)))
    perform = variants[int(rng.integers(len(variants)))]
    return perform(Take(rng, body, rhythm)), rhythm


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
    scenes: str = "studio",
    recordings: Recordings | None = None,
) -> Clip:
    """Generates clip `index` of a seed. The other arguments and errors are those of `generate`."""
    layouts = (layout,) if isinstance(layout, str) else tuple(layout)
    _check(layouts, exercise, skeleton, scenes, frames, fps)
    label = label_of(seed, index, scenes) if exercise is None else PHONE_CLASSES.index(exercise)
    rng = np.random.default_rng([seed, _CLIP + (2 if scenes == "phone" else 0), index])
    if scenes == "phone" and EXERCISES[label].studio and rng.random() < _STUDIO:
        scenes = "studio"
    recorded = recordings is not None and PHONE_CLASSES[label] == "other" and rng.random() < recordings.share
    pose, rhythm = act(rng, label, frames, fps, scenes)
    if recorded and recordings is not None:
        pose = recordings.draw(rng, frames, fps)
    camera, keypoints, name = _film(rng, pose, EXERCISES[label], layouts, fps, scenes, detector)
    pose_m = camera.to_camera(pose.joints_m[:, [INDEX[joint] for joint in skeleton.joints]]).astype(np.float32)
    keypoints = map_keypoints(keypoints, name, skeleton)
    counted = EXERCISES[label].tempo is not None
    return Clip(
        name=f"fitness {seed}.{index} {PHONE_CLASSES[label]}",
        keypoints=keypoints.astype(np.float32)[None],
        pose_m=pose_m,
        label=label,
        camera=camera,
        image_size_px=camera.image_size_px,
        fps=fps,
        subject=f"body {seed}.{index}",
        action=PHONE_CLASSES[label],
        repetitions=rhythm.finished if counted else np.zeros(frames, np.int32),
        phase=(rhythm.phase * rhythm.counts if counted else np.zeros(frames)).astype(np.float32),
    )


def _film(
    rng: np.random.Generator,
    pose: Pose,
    exercise: Exercise,
    layouts: tuple[str, ...],
    fps: float,
    scenes: str,
    detector: bool,
) -> tuple[Camera, np.ndarray, str]:
    """A camera, keypoints (frames, joints, 3) in pixels with confidence, and the name of their layout."""
    if scenes == "phone":
        name = layouts[int(rng.integers(len(layouts)))]
        camera, keypoints = film(rng, pose, exercise, get(name), fps)
    else:
        camera = draw_camera(rng, pose.joints_m)
        name = layouts[int(rng.integers(len(layouts)))]
        keypoints = detect(rng, pose, camera, get(name), fps) if detector else np.empty(0)
    if not detector:
        exact = camera.project(camera.to_camera(pose.joints_m[:, [INDEX[joint] for joint in get(name).joints]]))
        keypoints = np.concatenate([exact, np.ones((*exact.shape[:2], 1))], axis=-1)
    return camera, keypoints, name


def _check(
    layouts: tuple[str, ...], exercise: str | None, skeleton: Skeleton, scenes: str, frames: int, fps: float
) -> None:
    if not layouts or any(name not in LAYOUTS for name in layouts):
        found = ", ".join(map(repr, layouts)) or "none"
        raise ValueError(f"layout must be one or more of {', '.join(LAYOUTS)}. Received: {found}.")
    if scenes not in SCENES:
        raise ValueError(f"scenes must be one of {', '.join(SCENES)}. Received: {scenes!r}.")
    names = PHONE_CLASSES if scenes == "phone" else CLASSES
    if exercise is not None and exercise not in names:
        raise ValueError(f"exercise must be one of {', '.join(names)} for {scenes} scenes. Received: {exercise!r}.")
    if any(joint not in INDEX for joint in skeleton.joints):
        raise ValueError(f"skeleton must be one of {', '.join(LAYOUTS)} for fitness. Received: {skeleton.name}.")
    if frames < 2 or fps <= 0:
        raise ValueError(f"frames must be 2 or more and fps above 0. Received: {frames} frames at {fps} fps.")
