"""skelgnn-tf predict"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import rich_click as click

from skelgnn_tf.cli.errors import check_writable, one_line_errors
from skelgnn_tf.cli.options import PATH


@click.command()
@click.argument("source", metavar="INPUT", type=PATH)
@click.option(
    "--lifter",
    default="fitness_9f",
    show_default=True,
    help="Preset, run folder, .keras, .tflite or .onnx file; 'none' disables 3D.",
)
@click.option(
    "--recognizer",
    default="exercises_2d",
    show_default=True,
    help="Action model, in the same forms; 'none' disables it.",
)
@click.option("--exercise", help="Exercise to count, such as squat.  [default: the one that is recognized]")
@click.option("--decide-every", default=8, show_default=True, help="Frames from one decision to the next.")
@click.option("--smooth/--no-smooth", default=True, show_default=True, help="Filter the poses over time.")
@click.option("--subject-height", "subject_height_m", type=float, help="Height of the person, in meters.")
@click.option("--fps", type=float, help="Frames per second.  [default: as in the file, else 30]")
@click.option("--output", type=PATH, help=".json, .npz, .csv, .bvh or .trc file.", panel="Results")
@click.option("--render", "picture", type=PATH, help=".gif, .mp4, .html or .png file.", panel="Results")
@click.option(
    "--keypoint-layout",
    "layout",
    help="Joints of the file: coco_17, h36m_17, blazepose_33, ...  [default: recognized]",
    panel="Keypoint files only",
)
@click.option(
    "--image-size",
    "image_size_px",
    nargs=2,
    type=int,
    help="Width and height of the picture, in pixels.",
    panel="Keypoint files only",
)
@click.option(
    "--persons",
    type=click.IntRange(1),
    help="How many people to follow; the largest is predicted.  [default: 1]",
    panel="Videos only",
)
@click.option(
    "--detector",
    type=click.Choice(["lite", "full", "heavy"]),
    help="Size of BlazePose.  [default: full]",
    panel="Videos only",
)
@click.option(
    "--detector-models",
    help="Folder or .task file with the models of BlazePose.  [default: the cache]",
    panel="Videos only",
)
@one_line_errors
def predict(source: Path, lifter: str, recognizer: str, **options: Any) -> None:
    """Turn INPUT into 3D poses, actions and repetitions over time.

    INPUT is a video, a folder of pictures, webcam:0, or 2D keypoints: .npz, .npy, .csv, .json (AlphaPose, MMPose,
    MediaPipe) or a folder of OpenPose files.
    """
    models: dict[str, Any] = {
        "lifter": None if lifter == "none" else lifter,
        "recognizer": None if recognizer == "none" else recognizer,
    }
    for model in models.values():
        if model is not None:
            _import_keras_for(model)
    if str(source).startswith("webcam:"):
        from skelgnn_tf.cli.webcam import follow

        follow(str(source), **models, **options)
        return
    _predict(source, models, **options)


def _predict(
    source: Path,
    models: dict[str, Any],
    *,
    output: Path | None,
    picture: Path | None,
    exercise: str | None,
    decide_every: int,
    smooth: bool,
    subject_height_m: float | None,
    **reading: Any,
) -> None:
    from rich.console import Console

    from skelgnn_tf.cli.summary import show
    from skelgnn_tf.inference.add_motion import check_exercise, check_height
    from skelgnn_tf.inference.pipeline import check_models, check_source, open_model, read_source
    from skelgnn_tf.inference.pipeline import predict as run
    from skelgnn_tf.keypoints import is_keypoint_file
    from skelgnn_tf.writers import check_suffix, notes_on, save

    # Whatever can be refused is refused before the models are loaded and a video is watched.
    with_poses = models["lifter"] is not None
    for option, path in (("--output", output), ("--render", picture)):
        check_writable(option, path, is_folder=False)
    if output is not None:
        check_suffix(output, with_poses)
    if picture is not None:
        from skelgnn_tf.rendering.movie import check_render_suffix

        check_render_suffix(picture)
    check_height(subject_height_m, with_poses)
    check_exercise(exercise, with_poses)
    of_keypoints = {name: reading[name] for name in ("layout", "image_size_px")}
    check_source(source, of_keypoints, {name: reading[name] for name in ("persons", "detector", "detector_models")})
    if not is_keypoint_file(source):
        from skelgnn_tf.detection.models import find_models

        find_models(reading["detector_models"], reading["detector"] or "full")
    opened: dict[str, Any] = {
        "lifter": open_model(models["lifter"], "lift"),
        "recognizer": open_model(models["recognizer"], "action"),
    }
    check_models(opened["lifter"], opened["recognizer"])
    console = Console()
    if is_keypoint_file(source):
        sequence = read_source(source, **reading)
    else:
        with console.status(f"looking for people in {source}"):
            sequence = read_source(source, **reading)
    prediction = run(
        sequence,
        **opened,
        exercise=exercise,
        decide_every=decide_every,
        smooth=smooth,
        subject_height_m=subject_height_m,
    )
    if output is not None:
        prediction = dataclasses.replace(prediction, notes=prediction.notes + notes_on(prediction, output))
        save(prediction, output)
    if picture is not None:
        from skelgnn_tf.rendering.captions import captions
        from skelgnn_tf.rendering.movie import render
        from skelgnn_tf.rendering.prediction_scene import scene_of

        pictures = None
        if not is_keypoint_file(source):
            from skelgnn_tf.video.reader import open_video

            pictures = (one.rgb for one in open_video(source, reading["fps"]))
        render(scene_of(prediction, sequence, captions(prediction)), picture, pictures, console)
    show(prediction, [path for path in (output, picture) if path is not None], console)


def _import_keras_for(model: str) -> None:
    """Imports Keras without its notices if a model needs it: runs and .keras files do, presets and exports do not."""
    from skelgnn_tf.cli.options import import_quietly
    from skelgnn_tf.inference.pipeline import exported_file

    if exported_file(model) is None and Path(model).exists():
        import_quietly()
