"""skelgnn-tf predict"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from skelgnn_tf.cli.errors import check_writable, one_line_errors
from skelgnn_tf.cli.options import PATH

if TYPE_CHECKING:
    from skelgnn_tf.inference.result import Prediction
    from skelgnn_tf.keypoints import KeypointSequence

#: The options that name a file of one input.
_FILES = {"output": "--output", "picture": "--render", "repetitions": "--repetitions", "plot": "--plot"}


@click.command()
@click.argument("sources", metavar="INPUT...", type=PATH, nargs=-1, required=True)
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
@click.option(
    "--targets", type=PATH, help="TOML file of what a good repetition looks like.  [default: the shipped targets]"
)
@click.option("--decide-every", default=8, show_default=True, help="Frames from one decision to the next.")
@click.option("--smooth/--no-smooth", default=True, show_default=True, help="Filter the poses over time.")
@click.option("--subject-height", "subject_height_m", type=float, help="Height of the person, in meters.")
@click.option("--fps", type=float, help="Frames per second.  [default: as in the file, else 30]")
@click.option("--output", type=PATH, help=".json, .npz, .csv, .bvh or .trc file.", panel="Results")
@click.option("--output-dir", type=PATH, help="Folder for NAME.json of each INPUT.", panel="Results")
@click.option("--render", "picture", type=PATH, help=".gif, .mp4, .html or .png file.", panel="Results")
@click.option("--repetitions", type=PATH, help=".csv file with a row for each repetition.", panel="Results")
@click.option("--plot", type=PATH, help=".png file of the joint angles over time.", panel="Results")
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
def predict(sources: tuple[Path, ...], lifter: str, recognizer: str, output_dir: Path | None, **options: Any) -> None:
    """Turn INPUT into 3D poses, actions and repetitions over time.

    INPUT is a video, a folder of pictures, webcam:0, or 2D keypoints: .npz, .npy, .csv, .json (AlphaPose, MMPose,
    MediaPipe) or a folder of OpenPose files. Several of them need --output-dir.
    """
    from skelgnn_tf.cli.predict_each import check_number, json_files, predict_each

    given = {"lifter": lifter, "recognizer": recognizer}
    models: dict[str, Any] = {name: None if one == "none" else one for name, one in given.items()}
    files = {flag: options.pop(name) for name, flag in _FILES.items()}
    check_number(sources, output_dir, files)
    for model in models.values():
        if model is not None:
            _import_keras_for(model)
    if str(sources[0]).startswith("webcam:"):
        from skelgnn_tf.cli.webcam import follow

        follow(str(sources[0]), {**files, "--output-dir": output_dir}, **models, **options)
        return
    # Whatever can be refused is refused before the models are loaded and a video is watched.
    paths = [] if output_dir is None else json_files(sources, output_dir)
    _check_files(files, output_dir, models["lifter"] is not None)
    run = _predictor(sources, models, **options)
    if len(sources) > 1:
        predict_each(sources, paths, lambda source: run(source)[1])
    else:
        _predict_one(sources[0], run, [files.pop("--output"), *paths], files, options["fps"])


def _check_files(files: dict[str, Path | None], output_dir: Path | None, with_poses: bool) -> None:
    from skelgnn_tf.writers import check_repetitions, check_suffix

    check_writable("--output-dir", output_dir)
    for option, path in files.items():
        check_writable(option, path, is_folder=False)
    if files["--output"] is not None:
        check_suffix(files["--output"], with_poses)
    if files["--render"] is not None:
        from skelgnn_tf.rendering.movie import check_render_suffix

        check_render_suffix(files["--render"])
    if files["--repetitions"] is not None:
        check_repetitions(files["--repetitions"], with_poses)
    if files["--plot"] is not None:
        from skelgnn_tf.rendering.angles_plot import check_plot

        check_plot(files["--plot"], with_poses)


def _predictor(
    sources: Sequence[Path],
    models: dict[str, str | None],
    *,
    exercise: str | None,
    targets: Path | None,
    decide_every: int,
    smooth: bool,
    subject_height_m: float | None,
    **reading: Any,
) -> Callable[[Path], tuple[KeypointSequence, Prediction]]:
    """Loads the models once and returns what predicts an input with them."""
    from skelgnn_tf.inference.add_form import open_targets
    from skelgnn_tf.inference.add_motion import check_exercise, check_height
    from skelgnn_tf.inference.pipeline import check_models, open_model, read_source
    from skelgnn_tf.inference.pipeline import predict as predict_sequence

    with_poses = models["lifter"] is not None
    check_height(subject_height_m, with_poses)
    check_exercise(exercise, with_poses)
    opened_targets = open_targets(targets, with_poses)
    if len(sources) == 1:
        # One of several inputs is read and refused in its turn.
        _check_source(sources[0], reading)
    lifter, recognizer = open_model(models["lifter"], "lift"), open_model(models["recognizer"], "action")
    check_models(lifter, recognizer)

    def run(source: Path) -> tuple[KeypointSequence, Prediction]:
        sequence = read_source(source, **reading)
        return sequence, predict_sequence(
            sequence,
            lifter=lifter,
            recognizer=recognizer,
            exercise=exercise,
            targets=opened_targets,
            decide_every=decide_every,
            smooth=smooth,
            subject_height_m=subject_height_m,
        )

    return run


def _check_source(source: Path, reading: dict[str, Any]) -> None:
    from skelgnn_tf.inference.pipeline import check_source
    from skelgnn_tf.keypoints import is_keypoint_file

    of_keypoints, of_videos = ("layout", "image_size_px"), ("persons", "detector", "detector_models")
    check_source(source, {name: reading[name] for name in of_keypoints}, {name: reading[name] for name in of_videos})
    if not is_keypoint_file(source):
        from skelgnn_tf.detection.models import find_models

        find_models(reading["detector_models"], reading["detector"] or "full")


def _predict_one(
    source: Path,
    run: Callable[[Path], tuple[KeypointSequence, Prediction]],
    outputs: Sequence[Path | None],
    others: Mapping[str, Path | None],
    fps: float | None,
) -> None:
    """Predicts one input, writes its files, and prints what was found."""
    from rich.console import Console

    from skelgnn_tf.cli.summary import show
    from skelgnn_tf.keypoints import is_keypoint_file
    from skelgnn_tf.writers import notes_on, save, save_repetitions

    console, saved = Console(), [path for path in outputs if path is not None]
    if is_keypoint_file(source):
        sequence, prediction = run(source)
    else:
        with console.status(f"looking for people in {source}"):
            sequence, prediction = run(source)
    for path in saved:
        prediction = dataclasses.replace(prediction, notes=prediction.notes + notes_on(prediction, path))
        save(prediction, path)
    if (table := others["--repetitions"]) is not None:
        saved.append(save_repetitions(prediction, table))
    if (plot := others["--plot"]) is not None:
        from skelgnn_tf.rendering.angles_plot import draw_angles

        saved.append(draw_angles(prediction, plot))
    if (picture := others["--render"]) is not None:
        from skelgnn_tf.rendering.captions import captions
        from skelgnn_tf.rendering.movie import render
        from skelgnn_tf.rendering.prediction_scene import scene_of

        pictures = None
        if not is_keypoint_file(source):
            from skelgnn_tf.video.reader import open_video

            pictures = (one.rgb for one in open_video(source, fps))
        saved.append(render(scene_of(prediction, sequence, captions(prediction)), picture, pictures, console))
    show(prediction, saved, console)


def _import_keras_for(model: str) -> None:
    """Imports Keras without its notices if a model needs it: runs and .keras files do, presets and exports do not."""
    from skelgnn_tf.cli.options import import_quietly
    from skelgnn_tf.inference.pipeline import exported_file

    if exported_file(model) is None and Path(model).exists():
        import_quietly()
