"""What the command `predict` does: reads, predicts, saves, renders and shows a summary."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from rich.console import Console

from skelgnn_tf.detection.models import find_models
from skelgnn_tf.detection.video_keypoints import read_video_keypoints
from skelgnn_tf.inference.live import follow
from skelgnn_tf.inference.moving import check_height, moving
from skelgnn_tf.inference.pipeline import Trained, predict
from skelgnn_tf.inference.result import Motion, Prediction
from skelgnn_tf.keypoints.reader import KeypointFile, is_keypoint_file, read_keypoints
from skelgnn_tf.rendering.movie import check_render_suffix, render
from skelgnn_tf.rendering.prediction_scene import scene_of
from skelgnn_tf.video.reader import open_video
from skelgnn_tf.writers.files import check_suffix, notes_on, save

#: How many lines of actions the terminal gets.
_SHOWN = 20
#: Angles in a picture's words.
_WORDS = ("left_knee", "right_knee", "left_elbow", "right_elbow")


def run(
    source: str | Path,
    *,
    lifter: str | Path | None = "fitness_9f",
    recognizer: str | Path | None = None,
    layout: str | None = None,
    image_size_px: tuple[int, int] | None = None,
    fps: float | None = None,
    hop: int = 8,
    persons: int = 1,
    detector: str = "full",
    detector_models: str | Path | None = None,
    smooth: bool = True,
    subject_height_m: float | None = None,
    output: str | Path | None = None,
    picture: str | Path | None = None,
    console: Console | None = None,
) -> Prediction | None:
    """Predicts from keypoints, or from what BlazePose sees in a video.

    Args:
        source: Keypoint file or folder as `read_keypoints` takes it, a video, a folder of pictures, or `webcam:0`.
        lifter: Run folder, `.keras`, `.tflite` or `.onnx` file, or preset; None for no poses.
        recognizer: The same, or None for no actions.
        layout: Of a keypoint file's joints; None recognises it.
        image_size_px: Of a keypoint file's picture; None as the file says.
        fps: Frames per second; None as the source says.
        hop: Frames from one decision to the next.
        persons: How many people BlazePose follows in a video; the largest is predicted.
        detector: BlazePose's size, one of `video.detector_models.SIZES`.
        detector_models: Folder or .task file with BlazePose's models; None for the cache.
        smooth: Filter the poses.
        subject_height_m: How tall the person is; scales the poses.
        output: Where to, as `save` takes it; None saves nothing.
        picture: Where to render to, as `video.movie.render` takes it; None renders nothing.
        console: Where the summary is shown.

    Returns:
        Prediction; None after a webcam.

    Raises:
        ValueError, FileNotFoundError: A source, a model or an output that does not fit.
    """
    console = console or Console()
    from_keypoints, live = is_keypoint_file(source), str(source).startswith("webcam:")
    # Whatever can be refused is refused before the models are loaded and a video is watched.
    if output is not None:
        check_suffix(output, lifter is not None)
    if picture is not None:
        check_render_suffix(picture)
    check_height(subject_height_m, lifter is not None)
    if live and (output is not None or picture is not None):
        raise ValueError(f"{source} has no end to write; --output and --render want a video or keypoints")
    if live and (persons != 1 or subject_height_m is not None):
        raise ValueError(
            f"{source} shows the largest person's action, repetitions and angles, whose size does not matter; "
            "--persons and --subject-height are of files"
        )
    if not live and not Path(source).exists():
        raise FileNotFoundError(f"no file {source}; expected a video, a folder of pictures, webcam:0, or keypoints")
    if not from_keypoints and (layout is not None or image_size_px is not None):
        raise ValueError(f"{source} is no keypoint file; --keypoint-layout and --image-size are of keypoints")
    models = None if from_keypoints else find_models(detector_models, detector)
    trained = [None if name is None else Trained.open(name) for name in (lifter, recognizer)]
    if live:
        follow(open_video(source, fps), models, *trained, hop=hop, smooth=smooth, console=console)
        return None
    if from_keypoints:
        file = read_keypoints(source, layout, image_size_px, fps)
    else:
        with console.status(f"looking for people in {source}"):
            seen = read_video_keypoints(source, models, persons, fps)
        file = KeypointFile(seen.name, seen.keypoints, seen.layout, seen.image_size_px, seen.fps, seen.notes)
    prediction = moving(predict(file, *trained, hop=hop), smooth, subject_height_m)
    if output is not None:
        prediction = dataclasses.replace(prediction, notes=prediction.notes + notes_on(prediction, output))
        save(prediction, output)
    if picture is not None:
        pictures = None if from_keypoints else (picture.rgb for picture in open_video(source, fps))
        render(scene_of(prediction, file, words(prediction)), picture, pictures, console)
    show(prediction, [path for path in (output, picture) if path is not None], console)
    return prediction


def words(prediction: Prediction) -> list[tuple[str, ...]]:
    """For each frame the lines of a picture beside the action: repetitions and angles."""
    motion = prediction.motion
    if motion is None:
        return []
    return [(*_counted(motion, frame), *_bent(motion, frame)) for frame in range(prediction.num_frames)]


def _counted(motion: Motion, frame: int) -> tuple[str, ...]:
    exercise = motion.exercise[frame] if motion.exercise else None
    return () if exercise is None else (f"{exercise}: {motion.repetitions[frame]}",)


def _bent(motion: Motion, frame: int) -> tuple[str, ...]:
    angles = {name: motion.angles_deg[name][frame] for name in _WORDS}
    return tuple(f"{name.replace('_', ' ')} {angle:.0f}°" for name, angle in angles.items() if np.isfinite(angle))


def show(prediction: Prediction, saved: list[str | Path], console: Console) -> None:
    """The summary on the terminal."""

    def line(text: str) -> None:
        console.print(text, highlight=False, soft_wrap=True, markup=False)

    poses, actions, motion, fps = prediction.poses, prediction.actions, prediction.motion, prediction.fps
    line(
        f"{prediction.source}: {prediction.num_persons} person(s), {prediction.num_frames} frames, "
        f"{prediction.num_frames / fps:.1f} s at {fps:g} fps, joints {prediction.layout}"
    )
    for note in prediction.notes:
        line(f"note: {note}")
    if poses is not None:
        late, missing = poses.latency_frames, int(np.isnan(poses.pose_m).any(axis=(1, 2)).sum())
        bridged = 0 if motion is None else int(motion.bridged.sum())
        line(
            f"3D pose by {poses.lifter}: {poses.skeleton.num_joints} joints of {poses.skeleton.name}, latency {late} "
            f"frames ({late / fps:.2f} s)"
            + (f"; nobody is seen in {missing} frames" if missing else "")
            + (f"; {bridged} frames are bridged" if bridged else "")
        )
    if actions is not None:
        late = actions.latency_frames
        line(
            f"actions by {actions.recognizer}: windows of {actions.window_frames} frames every {actions.hop_frames}, "
            f"latency at most {late} frames ({late / fps:.2f} s)"
        )
        segments = actions.segments
        for first, last, label, probability in segments[:_SHOWN]:
            line(f"  {first / fps:7.2f} to {(last + 1) / fps:7.2f} s  {probability:4.0%}  {actions.classes[label]}")
        if len(segments) > _SHOWN:
            line(f"  and {len(segments) - _SHOWN} more" + (f", in {saved[0]}" if saved else "; --output saves them"))
    for exercise, count in totals(motion).items():
        line(f"{exercise}: {count} repetition(s)")
    for path in saved:
        line(f"saved: {path}")


def totals(motion: Motion | None) -> dict[str, int]:
    """The last count of each exercise that has repetitions."""
    if motion is None:
        return {}
    last = {name: int(n) for name, n in zip(motion.exercise, motion.repetitions, strict=True) if name is not None}
    return {name: count for name, count in last.items() if count}
