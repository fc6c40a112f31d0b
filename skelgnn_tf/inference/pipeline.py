"""From a video or a keypoint file to 3D poses, actions and repetitions: `skelgnn_tf.predict`."""

from __future__ import annotations

from pathlib import Path

from skelgnn_tf import checkpoints
from skelgnn_tf.checkpoints import LoadedModel
from skelgnn_tf.inference.add_motion import add_motion, check_exercise, check_height
from skelgnn_tf.inference.exported import ExportedModel
from skelgnn_tf.inference.predict_keypoints import predict_keypoints
from skelgnn_tf.inference.result import Prediction
from skelgnn_tf.keypoints import KeypointSequence, is_keypoint_file, read_keypoints

#: The presets that predict with unless told otherwise.
LIFTER, RECOGNIZER = "fitness_9f", "exercises_2d"


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
    persons: int = 1,
    detector: str = "full",
    detector_models: str | Path | None = None,
    smooth: bool = True,
    subject_height_m: float | None = None,
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
        persons: How many people to follow in a video; the largest is predicted.
        detector: Size of BlazePose: "lite", "full" or "heavy".
        detector_models: Folder or .task file with the models of BlazePose; None for the cache.
        smooth: Filter the poses over time.
        subject_height_m: Height of the person in meters; scales the poses.

    Returns:
        Prediction.

    Raises:
        ValueError, FileNotFoundError: A source or a model that does not fit, an option out of range.

    Example:
        >>> prediction = predict("squats.mp4", exercise="squat")  # doctest: +SKIP
        >>> prediction.motion.repetitions[-1]  # doctest: +SKIP
        12
    """
    check_height(subject_height_m, lifter is not None)
    check_exercise(exercise, lifter is not None)
    lift_model, action_model = open_model(lifter), open_model(recognizer)
    if isinstance(source, KeypointSequence):
        sequence = source
    else:
        sequence = read_source(
            source,
            layout=layout,
            image_size_px=image_size_px,
            fps=fps,
            persons=persons,
            detector=detector,
            detector_models=detector_models,
        )
    raw = predict_keypoints(sequence, lift_model, action_model, decide_every)
    return add_motion(raw, smooth, subject_height_m, exercise)


def open_model(model: str | Path | LoadedModel | None) -> LoadedModel | None:
    """A model to predict with: a preset by the `.tflite` that it carries, without loading Keras.

    Args:
        model: Preset, run folder, `.keras`, `.tflite` or `.onnx` file, or a model that is loaded already.

    Raises:
        FileNotFoundError, ValueError: None of these, or a damaged file.
    """
    if model is None or isinstance(model, LoadedModel):
        return model
    preset = checkpoints.find_preset(model)
    file = Path(model) if preset is None else preset / "model.tflite"
    if file.suffix not in (".tflite", ".onnx") or (preset is not None and not file.exists()):
        return checkpoints.load(model)
    exported = ExportedModel(file)
    return LoadedModel(str(model), exported, exported.config)


def read_source(
    source: str | Path,
    *,
    layout: str | None = None,
    image_size_px: tuple[int, int] | None = None,
    fps: float | None = None,
    persons: int = 1,
    detector: str = "full",
    detector_models: str | Path | None = None,
) -> KeypointSequence:
    """The keypoints in a file, or those that BlazePose detects in a video; arguments as `predict`.

    Raises:
        FileNotFoundError, ValueError: No such source, or one that cannot be read.
    """
    check_source(source, layout, image_size_px)
    if is_keypoint_file(source):
        return read_keypoints(source, layout, image_size_px, fps)
    # Detection needs PyAV and Pillow, which take time to load.
    from skelgnn_tf.detection.models import find_models
    from skelgnn_tf.detection.video_keypoints import read_video_keypoints

    return read_video_keypoints(source, find_models(detector_models, detector), persons, fps)


def check_source(source: str | Path, layout: str | None, image_size_px: tuple[int, int] | None) -> None:
    """Raises for a source that is not there, or options of keypoint files with a video."""
    if is_keypoint_file(source):
        return
    if (layout is not None or image_size_px is not None) and (
        str(source).startswith("webcam:") or Path(source).exists()
    ):
        raise ValueError(
            f"{source}: --keypoint-layout and --image-size are only valid for keypoint files. Received: a video or "
            "pictures."
        )
    if not str(source).startswith("webcam:") and not Path(source).exists():
        raise FileNotFoundError(
            f"{source} must be a video, a folder of pictures, webcam:0, or a keypoint file. Nothing was found."
        )
