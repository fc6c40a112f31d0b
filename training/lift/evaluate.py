"""Evaluation of lifters: the poses of a trained model on a test split, scored and reported."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from rich.console import Console

from skelgnn_tf import checkpoints
from skelgnn_tf.configs import LiftConfig
from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.datasets.windows import screen_keypoints
from skelgnn_tf.geometry import from_pixel_protocol, root_relative
from skelgnn_tf.inference.windows import lift
from skelgnn_tf.models import PoseLifter
from skelgnn_tf.rendering.plot import draw_lifted
from skelgnn_tf.skeletons import Skeleton
from skelgnn_tf.training.lift.baselines import baseline_scores
from skelgnn_tf.training.lift.report import show, write_report
from skelgnn_tf.training.lift.scores import frame_errors, score_3dhp, score_lifting
from skelgnn_tf.training.lift.task import load_data
from skelgnn_tf.training.reports import hand_over, report_folder


def evaluate(
    path: Path | str,
    *,
    dataset: Sequence[str] = (),
    data_dir: Sequence[str] = (),
    keypoints: str | None = None,
    flip: bool | None = None,
    hard_reference: Path | None = None,
    with_baselines: bool = True,
    json_path: str | None = None,
    folder: Path | None = None,
    console: Console | None = None,
) -> dict[str, Any]:
    """Scores a lifter on a test split and writes its report.

    Args:
        path: Run folder, `.keras` file or preset.
        dataset: Data sets; empty for those of the training.
        data_dir: Folders of the data sets.
        keypoints: 2D detections of h36m; None for those of the training.
        flip: Average with the mirrored input; None for the setting of the training.
        hard_reference: Another model, whose hardest poses are scored, too.
        with_baselines: Score the mean pose and ridge regression on the same split (camera protocol only).
        json_path: Path of a copy of report.json; "-" prints it, and nothing else.
        folder: Report folder; None for report/ of the run.
        console: Where the summary is printed.

    Returns:
        The scores as plain values; see `score_lifting`.

    Raises:
        ValueError, FileNotFoundError: A model or a data set that is missing, damaged or does not fit.
    """
    console = console or Console(quiet=json_path == "-")
    model, config = _load(path)
    config = _with_data(config, dataset, data_dir, keypoints)
    flip = config.flip if flip is None else flip
    clips = load_data(config, model.skeleton)
    if not clips.test:
        raise ValueError(
            f"{', '.join(config.data_dir)}: {', '.join(config.dataset)} must have test clips. Received: none. Name "
            "another --data-dir."
        )
    predictions = predict_clips(model, config, clips.test, flip)
    reference = _reference_errors(hard_reference, clips.test, model.skeleton, flip) if hard_reference else None
    scores = score_lifting(predictions, clips.test, model.skeleton, reference, config.protocol)
    if hard_reference:
        scores["hard_reference"]["name"] = str(hard_reference)
    scores |= _by_dataset(predictions, clips.test, model.skeleton, config)
    # The baselines predict camera-space poses; next to scores of the pixel protocol they would mislead.
    comparable = with_baselines and clips.train and config.protocol == "camera"
    scores["baselines"] = baseline_scores(clips.train, clips.test, model.skeleton) if comparable else {}
    scores |= {
        "model": str(path),
        "dataset": ", ".join(config.dataset),
        "keypoints": config.keypoints if "h36m" in config.dataset else "of the data set",
        "flip_averaged": "yes" if flip else "no",
        "parameters": int(model.count_params()),
    }
    files = write_report(scores, folder or report_folder(path))
    show(scores, console)
    hand_over(files, json_path, console)
    return scores


def predict_clips(model: PoseLifter, config: LiftConfig, clips: Sequence[Clip], flip: bool) -> list[np.ndarray]:
    """Lifts whole clips.

    Args:
        model: The lifter.
        config: Its config, for frame rate, confidence and protocol.
        clips: Clips of the model's skeleton.
        flip: Average with the mirrored input.

    Returns:
        Root-relative camera-space meters, float (frames, joints, 3) for each clip.

    Raises:
        ValueError: A model of the pixel protocol, and a clip without camera or pose.
    """
    poses = []
    for clip in clips:
        step = clip.fps / config.fps if config.fps else 1.0
        pose = lift(model, screen_keypoints(clip, config.confidence), flip, step)
        if config.protocol == "pixel":
            if clip.camera is None or clip.pose_m is None:
                missing = "camera" if clip.camera is None else "pose"
                raise ValueError(
                    f"{clip.name}: a clip must have a camera and a pose for --protocol pixel. Received: no {missing}."
                )
            pose = from_pixel_protocol(pose, clip.camera, clip.pose_m[:, model.skeleton.root, 2])
        poses.append(root_relative(pose, model.skeleton.root))
    return poses


def draw_clip(
    path: Path | str, dataset: Sequence[str], data_dir: Sequence[str], number: int, output: Path | None
) -> Path:
    """Draws a test clip and the poses that a model lifts it to.

    Args:
        path: Run folder, `.keras` file or preset.
        dataset: Data sets; empty for those of the training.
        data_dir: Folders of the data sets.
        number: Index of the test clip.
        output: PNG file; None for report/lifted.png of the run.

    Returns:
        The PNG file.

    Raises:
        ValueError, FileNotFoundError: As `evaluate`; there is no such clip.
    """
    model, config = _load(path)
    config = _with_data(config, dataset, data_dir, None)
    clips = load_data(config, model.skeleton).test
    if not 0 <= number < len(clips):
        raise ValueError(f"--clip must be from 0 to {len(clips) - 1}, a test clip. Received: {number}.")
    clip = clips[number]
    pose = predict_clips(model, config, [clip], config.flip)[0]
    output = output or report_folder(path) / "lifted.png"
    output.parent.mkdir(parents=True, exist_ok=True)
    target = root_relative(clip.pose_m, model.skeleton.root)
    up = (0, -1, 0) if clip.camera is None else clip.camera.rotation[:, 2]
    return draw_lifted(clip.keypoints[0], pose, model.skeleton, output, target, clip.image_size_px, up=up)


def _load(path: Path | str) -> tuple[PoseLifter, LiftConfig]:
    loaded = checkpoints.load(path, "lift")
    return loaded.model, cast(LiftConfig, loaded.config)


def _reference_errors(path: Path, clips: Sequence[Clip], skeleton: Skeleton, flip: bool) -> np.ndarray:
    """Errors of another model on the same clips, float64 (frames,), meters."""
    model, config = _load(path)
    if model.skeleton.joints != skeleton.joints:
        raise ValueError(
            f"--hard-reference must have the joints of {skeleton.name}. Received: {path} with those of "
            f"{model.skeleton.name}."
        )
    return frame_errors(predict_clips(model, config, clips, flip), clips, skeleton)


def _by_dataset(
    predictions: Sequence[np.ndarray], clips: Sequence[Clip], skeleton: Skeleton, config: LiftConfig
) -> dict[str, Any]:
    """Scores of MPI-INF-3DHP and, if there are several data sets, of each of them."""
    pairs = {
        name: [(p, clip) for p, clip in zip(predictions, clips, strict=True) if clip.dataset == name]
        for name in config.dataset
    }
    columns = {name: tuple(zip(*both, strict=True)) for name, both in pairs.items() if both}
    scores: dict[str, Any] = {}
    if "mpi-inf-3dhp" in columns:
        scores["mpi_inf_3dhp"] = score_3dhp(*columns["mpi-inf-3dhp"], skeleton)
    if len(pairs) > 1:
        each = {name: score_lifting(*both, skeleton) for name, both in columns.items()}
        scores["by_dataset"] = {name: {key: one[key] for key in ("p1_mm", "p2_mm")} for name, one in each.items()}
    return scores


def _with_data(
    config: LiftConfig, dataset: Sequence[str], data_dir: Sequence[str], keypoints: str | None
) -> LiftConfig:
    """The config with other data sets, folders or keypoints where they are given."""
    changes = {"dataset": tuple(dataset), "data_dir": tuple(data_dir), "keypoints": keypoints}
    if dataset and not data_dir and set(dataset) != set(config.dataset):
        config = config.replace(data_dir=())
    return config.replace(**{name: value for name, value in changes.items() if value})
