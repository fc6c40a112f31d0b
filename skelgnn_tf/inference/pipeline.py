"""From a video or a keypoint file to 3D poses, actions and repetitions: `skelgnn_tf.predict`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skelgnn_tf import checkpoints
from skelgnn_tf.checkpoints import LoadedModel
from skelgnn_tf.inference.add_form import add_form, open_targets
from skelgnn_tf.inference.add_motion import add_motion, check_exercise, check_height
from skelgnn_tf.inference.exported import ExportedModel
from skelgnn_tf.inference.predict_keypoints import predict_keypoints, recognizes_poses
from skelgnn_tf.inference.result import Prediction
from skelgnn_tf.keypoints import KeypointSequence, is_keypoint_file, read_keypoints
from skelgnn_tf.motion import Target

#: The presets that predict with unless told otherwise.
LIFTER, RECOGNIZER = "fitness_9f", "exercises_2d"
#: Options whose name on the command line is not that of the argument.
_FLAGS = {"layout": "--keypoint-layout", "image_size_px": "--image-size"}


def predict(
    source: str | Path | KeypointSequence,
    *,
    lifter: str | Path | LoadedModel | None = LIFTER,
    recognizer: str | Path | LoadedModel | None = RECOGNIZER,
    exercise: str | None = None,
    layout: str | None = None,
    image_size_px: tuple[int, int] | None = None,
    fps: float | None = None,
    decide_every: int = 8,
    persons: int | None = None,
    detector: str | None = None,
    detector_models: str | Path | None = None,
    smooth: bool = True,
    subject_height_m: float | None = None,
    targets: str | Path | Mapping[str, Target] | None = None,
) -> Prediction:
    """3D poses, actions and repetitions of the largest person over time.

    Args:
        source: Video, folder of pictures, keypoint file or folder as `read_keypoints` takes it, or keypoints.
        lifter: Preset, run folder, `.keras`, `.tflite` or `.onnx` file; None for no poses.
        recognizer: Action model, in the same forms; None for no actions.
        exercise: Exercise to count, one of `motion.MOVEMENTS`; None counts the one that is recognized.
        layout: Joints of a keypoint file; None recognizes them.
        image_size_px: Width and height of the picture of a keypoint file; None as the file says.
        fps: Frames per second; None as the source says.
        decide_every: Frames from one decision to the next.
        persons: How many people to follow in a video (default 1); the largest is predicted.
        detector: Size of BlazePose for a video: "lite", "full" (default) or "heavy".
        detector_models: Folder or .task file with the models of BlazePose; None for the cache.
        smooth: Filter the poses over time.
        subject_height_m: Height of the person in meters; scales the poses.
        targets: What a good repetition looks like: a TOML file as `motion.read_targets` reads it, or what it returns;
            None for the shipped targets.

    Returns:
        Prediction.

    Raises:
        ValueError, FileNotFoundError: A source or a model that does not fit, an option out of range.

    Example:
        >>> prediction = predict("squats.mp4", exercise="squat")  # doctest: +SKIP
        >>> prediction.motion.repetitions[-1]  # doctest: +SKIP
        12
        >>> prediction.motion.form[0].cues  # doctest: +SKIP
        ('depth 78°, target 90°',)
    """
    check_height(subject_height_m, lifter is not None)
    check_exercise(exercise, lifter is not None)
    opened_targets = open_targets(targets, lifter is not None)
    lift_model, action_model = open_model(lifter, "lift"), open_model(recognizer, "action")
    check_models(lift_model, action_model)
    reading: dict[str, Any] = {
        "layout": layout,
        "image_size_px": image_size_px,
        "persons": persons,
        "detector": detector,
        "detector_models": detector_models,
    }
    if isinstance(source, KeypointSequence):
        _refuse("KeypointSequence", reading | {"fps": fps}, "files and videos")
        sequence = source
    else:
        sequence = read_source(source, fps=fps, **reading)
    raw = predict_keypoints(sequence, lift_model, action_model, decide_every)
    return add_form(add_motion(raw, smooth, subject_height_m, exercise), opened_targets, exercise)


def open_model(model: str | Path | LoadedModel | None, task: str | None = None) -> LoadedModel | None:
    """A model to predict with: a preset by the `.tflite` that it carries, without loading Keras.

    Args:
        model: Preset, run folder, `.keras`, `.tflite` or `.onnx` file, or a model that is loaded already.
        task: "lift" or "action" if only a model of that task is accepted.

    Raises:
        FileNotFoundError, ValueError: None of these, a damaged file, or a model of the other task.
    """
    if isinstance(model, LoadedModel):
        checkpoints.check_task(model.name, model.config.task, task)
    if model is None or isinstance(model, LoadedModel):
        return model
    file = exported_file(model)
    if file is None:
        return checkpoints.load(model, task)
    exported = ExportedModel(file)
    checkpoints.check_task(str(model), exported.config.task, task)
    return LoadedModel(str(model), exported, exported.config)


def exported_file(model: str | Path) -> Path | None:
    """The file that runs without Keras: the model itself, or what a preset carries; None if there is none."""
    return Path(model) if Path(model).suffix in (".tflite", ".onnx") else checkpoints.phone_file(model)


def check_models(lifter: LoadedModel | None, recognizer: LoadedModel | None) -> None:
    """Raises ValueError for no model at all, or a recognizer of poses without a lifter."""
    if lifter is None and recognizer is None:
        raise ValueError("lifter and recognizer must not both be none. Use fitness_9f, exercises_2d, or both.")
    if lifter is None and recognizer is not None and recognizes_poses(recognizer):
        raise ValueError(f"{recognizer.name} must be used with a lifter. It recognizes 3D poses, not keypoints.")


def read_source(
    source: str | Path,
    *,
    layout: str | None = None,
    image_size_px: tuple[int, int] | None = None,
    fps: float | None = None,
    persons: int | None = None,
    detector: str | None = None,
    detector_models: str | Path | None = None,
) -> KeypointSequence:
    """The keypoints in a file, or those that BlazePose detects in a video; arguments as `predict`.

    Raises:
        FileNotFoundError, ValueError: No such source, or one that cannot be read.
    """
    check_source(
        source,
        {"layout": layout, "image_size_px": image_size_px},
        {"persons": persons, "detector": detector, "detector_models": detector_models},
    )
    if is_keypoint_file(source):
        return read_keypoints(source, layout, image_size_px, fps)
    # Detection needs PyAV and Pillow, which take time to load.
    from skelgnn_tf.detection.models import find_models
    from skelgnn_tf.detection.video_keypoints import read_video_keypoints

    return read_video_keypoints(source, find_models(detector_models, detector or "full"), persons or 1, fps)


def check_source(source: str | Path, of_keypoints: dict[str, Any], of_videos: dict[str, Any]) -> None:
    """Raises for a source that is not there, or for options of the other kind of source that are not None."""
    if is_keypoint_file(source):
        _refuse(str(source), of_videos, "videos")
        return
    is_webcam = str(source).startswith("webcam:")
    if not is_webcam and not Path(source).exists():
        raise FileNotFoundError(
            f"{source} must be a video, a folder of pictures, webcam:0, or a keypoint file. Nothing was found."
        )
    _refuse(str(source), of_keypoints, "keypoint files")


def _refuse(source: str, options: dict[str, Any], kind: str) -> None:
    used = [_FLAGS.get(name, "--" + name.replace("_", "-")) for name, value in options.items() if value is not None]
    if used:
        raise ValueError(f"{source}: {', '.join(used)} must only be used with {kind}. Leave it out.")
