"""Evaluation: a trained lifter's poses on the test split, scored and reported."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from skelgnn_tf import checkpoints
from skelgnn_tf.configs.config import Config
from skelgnn_tf.datasets import catalog
from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.datasets.windows import screen_keypoints
from skelgnn_tf.geometry import from_pixel_protocol, root_relative
from skelgnn_tf.inference.windows import lift
from skelgnn_tf.models import PoseLifter
from skelgnn_tf.rendering.plot import draw_lifted
from skelgnn_tf.training.lift.baselines import baseline_scores
from skelgnn_tf.training.lift.report import hand_over, write_report
from skelgnn_tf.training.lift.scores import frame_errors, score_3dhp, score_lifting


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
) -> dict:
    """Scores a model on a test split and writes its report.

    Args:
        path: Run folder, `.keras` file or preset.
        dataset: Data sets; empty for those of the model's training.
        data_dir: Their folders.
        keypoints: h36m's 2D detections; None for those of the training.
        flip: Average with the mirrored input; None for as trained.
        hard_reference: Another model, whose hardest poses are scored as well.
        with_baselines: Score mean pose and ridge lifters on the same split.
        json_path: Where the report's JSON goes too; "-" prints it and nothing else.
        folder: Where the report goes; None for report/ of the run.
        console: Where the summary is shown.

    Returns:
        The scores, plain values; see `score_lifting`.

    Raises:
        ValueError, FileNotFoundError: A model or data that does not fit.
    """
    console = console or Console(quiet=json_path == "-")
    model, config = checkpoints.load(path, "lift")
    config = _with_data(config, dataset, data_dir, keypoints)
    flip = config.flip if flip is None else flip
    clips = catalog.load(
        config.dataset, config.data_dir, model.skeleton, config.keypoints, config.seed, config.fitness_clips
    )
    if not clips.test:
        raise ValueError(f"{', '.join(config.dataset)} has no test clips in {', '.join(config.data_dir)}")
    predictions = predict_clips(model, config, clips.test, flip)
    reference = None
    if hard_reference:
        other, other_config = checkpoints.load(hard_reference, "lift")
        if other.skeleton.joints != model.skeleton.joints:
            raise ValueError(f"{hard_reference} has the joints of {other.skeleton.name}, not of {model.skeleton.name}")
        reference = frame_errors(predict_clips(other, other_config, clips.test, flip), clips.test, model.skeleton)
    scores = score_lifting(predictions, clips.test, model.skeleton, reference, config.protocol)
    if hard_reference:
        scores["hard_reference"]["name"] = str(hard_reference)
    per_dataset = {
        name: [(p, c) for p, c in zip(predictions, clips.test, strict=True) if c.dataset == name]
        for name in config.dataset
    }
    if per_dataset.get("mpi-inf-3dhp"):
        scores["mpi_inf_3dhp"] = score_3dhp(*zip(*per_dataset["mpi-inf-3dhp"], strict=True), model.skeleton)
    if len(per_dataset) > 1:
        scores["by_dataset"] = {
            name: {key: score_lifting(*zip(*pairs, strict=True), model.skeleton)[key] for key in ("p1_mm", "p2_mm")}
            for name, pairs in per_dataset.items()
            if pairs
        }
    scores["baselines"] = (
        # The floors are of the camera protocol; beside the pixel protocol's numbers they would mislead.
        baseline_scores(clips.train, clips.test, model.skeleton)
        if with_baselines and clips.train and config.protocol == "camera"
        else {}
    )
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


def predict_clips(model: PoseLifter, config: Config, clips: Sequence[Clip], flip: bool) -> list[np.ndarray]:
    """Root-relative camera-space metres (frames, joints, 3) for each clip, whatever the model's protocol."""
    poses = []
    for clip in clips:
        step = clip.fps / config.fps if config.fps else 1.0
        pose = lift(model, screen_keypoints(clip, config.confidence), flip, step)
        if config.protocol == "pixel":
            if clip.camera is None or clip.pose_m is None:
                raise ValueError(f"{clip.name} lacks the camera or root depth that the pixel protocol gives")
            pose = from_pixel_protocol(pose, clip.camera, clip.pose_m[:, model.skeleton.root, 2])
        poses.append(root_relative(pose, model.skeleton.root))
    return poses


def draw_clip(
    path: Path | str, dataset: Sequence[str], data_dir: Sequence[str], number: int, output: Path | None
) -> Path:
    """Draws a test clip as the model lifts it; gives the PNG's path."""
    model, config = checkpoints.load(path, "lift")
    config = _with_data(config, dataset, data_dir, None)
    clips = catalog.load(
        config.dataset, config.data_dir, model.skeleton, config.keypoints, config.seed, config.fitness_clips
    ).test
    if not 0 <= number < len(clips):
        raise ValueError(f"there is no test clip {number}; there are 0 to {len(clips) - 1}")
    clip = clips[number]
    pose = predict_clips(model, config, [clip], config.flip)[0]
    output = output or report_folder(path) / "lifted.png"
    output.parent.mkdir(parents=True, exist_ok=True)
    target = root_relative(clip.pose_m, model.skeleton.root)
    up = (0, -1, 0) if clip.camera is None else clip.camera.rotation[:, 2]
    return draw_lifted(clip.keypoints[0], pose, model.skeleton, output, target, clip.image_size_px, up=up)


def show(scores: dict, console: Console) -> None:
    """The summary on the terminal: the model beside its baselines."""
    names = {"p1_mm": "P1 (MPJPE)", "p2_mm": "P2 (P-MPJPE)", "n_mpjpe_mm": "P3 (N-MPJPE)", "mpjve_mm": "MPJVE"}
    names |= {f"hardest_{percent}_mm": f"hardest {percent} %" for percent in (50, 20, 5)}
    rivals = scores.get("baselines") or {}
    table = Table("mm", "model", *(rival.replace("_", " ") for rival in rivals))
    for key, name in names.items():
        values = [scores, *rivals.values()]
        table.add_row(name, *("" if v.get(key) is None else f"{v[key]:.1f}" for v in values))
    shares = [f"{100 * v['share_over_60mm']:.1f} %" for v in (scores, *rivals.values())]
    table.add_row("poses over 60 mm", *shares)
    if "mpi_inf_3dhp" in scores:
        table.add_row("PCK / AUC (3DHP)", f"{scores['mpi_inf_3dhp']['pck']:.1%} / {scores['mpi_inf_3dhp']['auc']:.1%}")
    console.print(table)
    console.print(
        f"{scores['frames']:,} frames of {scores['clips']} clips, {len(scores['by_action'])} actions; P1 to MPJVE are "
        f"means of the actions, protocol {scores['protocol']}",
        highlight=False,
        soft_wrap=True,
    )


def _with_data(config: Config, dataset: Sequence[str], data_dir: Sequence[str], keypoints: str | None) -> Config:
    changes = {"dataset": tuple(dataset), "data_dir": tuple(data_dir), "keypoints": keypoints}
    if dataset and not data_dir and set(dataset) != set(config.dataset):
        config = config.replace(data_dir=())
    return config.replace(**{name: value for name, value in changes.items() if value})


def report_folder(path: Path | str) -> Path:
    """report/ of a run folder, beside a `.keras` file, or of a preset in runs/."""
    path = Path(path)
    if path.is_dir():
        return path / "report"
    return path.parent / "report" if path.exists() else Path("runs") / str(path) / "report"
