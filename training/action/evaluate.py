"""Evaluation of recognisers: one model, or several streams fused, on a test split."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from keras import ops
from rich.console import Console

from skelgnn_tf import checkpoints
from skelgnn_tf.configs.config import Config
from skelgnn_tf.datasets.sequences import ActionSet, Sequences
from skelgnn_tf.models import ActionRecognizer
from skelgnn_tf.training.action.batches import ActionBatcher
from skelgnn_tf.training.action.report import show_actions, write_action_report
from skelgnn_tf.training.action.scores import fuse, score_actions
from skelgnn_tf.training.action.task import load_data
from skelgnn_tf.training.lift.evaluate import report_folder
from skelgnn_tf.training.lift.report import hand_over


def evaluate_actions(
    paths: Sequence[Path | str],
    *,
    weights: Sequence[float] | None = None,
    dataset: Sequence[str] = (),
    data_dir: Sequence[str] = (),
    data_file: str | None = None,
    labels: str | None = None,
    skip_bad: bool | None = None,
    json_path: str | None = None,
    folder: Path | None = None,
    console: Console | None = None,
) -> dict:
    """Scores recognisers on a test split and writes their report.

    Args:
        paths: Run folders, `.keras` files or presets; the softmax scores of several are averaged.
        weights: One for each of several models; None for equal ones.
        dataset: A data set; empty for the one of the first model's training.
        data_dir: Its folder.
        data_file: Its file.
        labels: Its classes' names.
        skip_bad: Leave bad clips out; None for as trained.
        json_path: Where the report's JSON goes too; "-" prints it and nothing else.
        folder: Where the report goes; None for report/ of the run, ensemble/ of the first of several.
        console: Where the summary is shown.

    Returns:
        The scores, plain values; see `score_actions`.

    Raises:
        ValueError, FileNotFoundError: Models or data that do not fit each other.
    """
    console = console or Console(quiet=json_path == "-")
    if weights is not None and len(paths) == 1:
        raise ValueError(f"--weights are of an --ensemble; got them for {paths[0]} alone")
    loaded = [checkpoints.load(path, "action") for path in paths]
    configs = [_with_data(config, dataset, data_dir, data_file, labels, skip_bad) for _, config in loaded]
    _check_members(paths, [model for model, _ in loaded])
    split, members, kept = None, [], {}
    for path, (model, _), config in zip(paths, loaded, configs, strict=True):
        source = _source(config)
        if source not in kept:
            kept[source] = load_data(config, console)
        data = kept[source]
        _check_classes(path, model, data)
        split = split or data
        if list(data.test.names) != list(split.test.names):
            raise ValueError(f"{path} was trained on other data than {paths[0]}; name one --dataset for all of them")
        members.append(predict_sequences(model, config, data.test))
    probabilities = fuse(members, weights) if len(members) > 1 else members[0]
    labels_ = split.test.label
    scores = score_actions(probabilities, labels_, split.classes) | _about(paths, loaded, configs, split)
    if len(members) > 1:
        shares = np.full(len(members), 1 / len(members)) if weights is None else np.array(weights) / np.sum(weights)
        scores["ensemble"] = [
            {"model": str(p), "stream": c.stream, "weight": float(w), "top1": float((m.argmax(1) == labels_).mean())}
            for p, c, w, m in zip(paths, configs, shares, members, strict=True)
        ]
    folder = folder or (report_folder(paths[0]) if len(paths) == 1 else report_folder(paths[0]).with_name("ensemble"))
    files = write_action_report(scores, folder)
    show_actions(scores, console)
    hand_over(files, json_path, console)
    return scores


def predict_sequences(model: ActionRecognizer, config: Config, sequences: Sequences) -> np.ndarray:
    """Softmax scores float32 (clips, classes), one test crop a clip, whatever the backend."""
    batcher = ActionBatcher(sequences, config, model.skeleton, model.classes, training=False)
    batches = (ops.softmax(model(batcher(step)[0], training=False)) for step in range(batcher.steps))
    return np.concatenate([ops.convert_to_numpy(batch) for batch in batches])


def _with_data(config: Config, dataset, data_dir, data_file, labels, skip_bad) -> Config:
    if dataset and tuple(dataset) != config.dataset:
        # What belonged to another data set does not belong to this one.
        config = config.replace(dataset=tuple(dataset), data_dir=(), data_file="", labels="")
    changes = {"data_dir": tuple(data_dir), "data_file": data_file, "labels": labels, "skip_bad": skip_bad}
    return config.replace(**{name: value for name, value in changes.items() if value not in (None, ())})


def _source(config: Config) -> tuple:
    """What decides which sequences are loaded."""
    names = "dataset data_dir data_file labels input skeleton seed fitness_clips skip_bad".split()
    return tuple(getattr(config, name) for name in names)


def _check_members(paths: Sequence[Path | str], models: Sequence) -> None:
    for path, model in zip(paths, models, strict=True):
        if model.classes != models[0].classes:
            raise ValueError(f"{path} knows other classes than {paths[0]}; only models of the same classes are fused")


def _check_classes(path: Path | str, model: ActionRecognizer, data: ActionSet) -> None:
    if model.classes != data.classes:
        raise ValueError(
            f"{path} knows {len(model.classes)} classes ({', '.join(model.classes[:3])}, ...), the data have "
            f"{len(data.classes)} ({', '.join(data.classes[:3])}, ...); score it on a data set of its own classes"
        )


def _about(paths: Sequence, loaded: Sequence[tuple], configs: Sequence[Config], data: ActionSet) -> dict:
    return {
        "model": ", ".join(str(path) for path in paths),
        "dataset": configs[0].dataset[0],
        "stream": ", ".join(config.stream for config in configs),
        "parameters": sum(int(model.count_params()) for model, _ in loaded),
        "left_out": list(data.left_out),
    }
