"""Evaluation of recognizers: one model, or several fused streams, on a test split."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from keras import ops
from rich.console import Console

from skelgnn_tf import checkpoints
from skelgnn_tf.checkpoints import LoadedModel
from skelgnn_tf.configs import ActionConfig
from skelgnn_tf.datasets.sequences import Sequences, SequenceSet
from skelgnn_tf.models import ActionRecognizer
from skelgnn_tf.training.action.batches import ActionBatcher
from skelgnn_tf.training.action.report import show_actions, write_action_report
from skelgnn_tf.training.action.scores import fuse, score_actions
from skelgnn_tf.training.action.task import load_data
from skelgnn_tf.training.reports import hand_over, report_folder


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
) -> dict[str, Any]:
    """Scores recognizers on a test split and writes their report.

    Args:
        paths: Run folders, `.keras` files or presets. The softmax scores of several are averaged.
        weights: One for each of several models; None weights them equally.
        dataset: A data set; empty for the one of each model's training.
        data_dir: Its folder.
        data_file: Its file.
        labels: Text file with the names of its classes.
        skip_bad: Skip bad clips; None for the setting of the training.
        json_path: Path of a copy of report.json; "-" prints it, and nothing else.
        folder: Report folder; None for report/ of the run, or ensemble/ of the first of several.
        console: Where the summary is printed.

    Returns:
        The scores as plain values; see `score_actions`.

    Raises:
        ValueError, FileNotFoundError: A model or a data set that is missing, damaged or does not fit.
    """
    console = console or Console(quiet=json_path == "-")
    if weights is not None and len(paths) == 1:
        raise ValueError(f"--weights must be used with --ensemble. Received: one model, {paths[0]}.")
    loaded = [checkpoints.load(path, "action") for path in paths]
    _check_classes_agree(loaded)
    configs = [
        _with_data(cast(ActionConfig, one.config), dataset, data_dir, data_file, labels, skip_bad) for one in loaded
    ]
    sets = _data_of(loaded, configs, console)
    data = sets[0]
    members = [
        predict_sequences(one.model, config, own.test) for one, config, own in zip(loaded, configs, sets, strict=True)
    ]
    probabilities = fuse(members, weights) if len(members) > 1 else members[0]
    scores = score_actions(probabilities, data.test.label, data.classes) | {
        "model": ", ".join(str(path) for path in paths),
        "dataset": configs[0].dataset[0],
        "stream": ", ".join(config.stream for config in configs),
        "parameters": sum(int(one.model.count_params()) for one in loaded),
        "left_out": list(data.left_out),
    }
    if len(members) > 1:
        scores["ensemble"] = _ensemble(paths, configs, members, data.test.label, weights)
    folder = folder or (report_folder(paths[0]) if len(paths) == 1 else report_folder(paths[0]).with_name("ensemble"))
    files = write_action_report(scores, folder)
    show_actions(scores, console)
    hand_over(files, json_path, console)
    return scores


def predict_sequences(model: ActionRecognizer, config: ActionConfig, sequences: Sequences) -> np.ndarray:
    """Softmax scores float32 (clips, classes) of one window per clip, on every backend."""
    batcher = ActionBatcher(sequences, config, model.skeleton, model.classes, training=False)
    batches = (ops.softmax(model(batcher(step)[0], training=False)) for step in range(batcher.steps))
    return np.concatenate([ops.convert_to_numpy(batch) for batch in batches])


def _data_of(loaded: Sequence[LoadedModel], configs: Sequence[ActionConfig], console: Console) -> list[SequenceSet]:
    """The data set of each model, loaded once where it is the same; all have the same test clips."""
    kept: dict[tuple[Any, ...], SequenceSet] = {}
    sets = []
    for one, config in zip(loaded, configs, strict=True):
        source = _source(config)
        if source not in kept:
            kept[source] = load_data(_to_test(config), console)
        _check_classes(one, kept[source])
        sets.append(kept[source])
        if list(sets[-1].test.names) != list(sets[0].test.names):
            raise ValueError(
                f"{one.name} must have the test clips of {loaded[0].name}. Received: other data. Name one --dataset "
                "for all of them."
            )
    return sets


def _to_test(config: ActionConfig) -> ActionConfig:
    """The config without training clips that would be generated in vain; the test clips are the same."""
    if config.dataset != ("fitness",):
        return config
    return config.replace(fitness_clips=1, other_motion="")


def _ensemble(
    paths: Sequence[Path | str],
    configs: Sequence[ActionConfig],
    members: Sequence[np.ndarray],
    labels: np.ndarray,
    weights: Sequence[float] | None,
) -> list[dict[str, Any]]:
    """The fused models: name, stream, normalized weight and top-1 accuracy of each."""
    shares = np.full(len(members), 1 / len(members)) if weights is None else np.array(weights) / np.sum(weights)
    return [
        {"model": str(p), "stream": c.stream, "weight": float(w), "top1": float((m.argmax(1) == labels).mean())}
        for p, c, w, m in zip(paths, configs, shares, members, strict=True)
    ]


def _with_data(
    config: ActionConfig,
    dataset: Sequence[str],
    data_dir: Sequence[str],
    data_file: str | None,
    labels: str | None,
    skip_bad: bool | None,
) -> ActionConfig:
    """The config with another data set where one is given."""
    if dataset and tuple(dataset) != config.dataset:
        # Folder, file and labels belong to the previous data set.
        config = config.replace(dataset=tuple(dataset), data_dir=(), data_file="", labels="")
    changes = {"data_dir": tuple(data_dir), "data_file": data_file, "labels": labels, "skip_bad": skip_bad}
    return config.replace(**{name: value for name, value in changes.items() if value not in (None, ())})


def _source(config: ActionConfig) -> tuple[Any, ...]:
    """The settings that decide which sequences are loaded."""
    names = "dataset data_dir data_file labels input skeleton seed fitness_clips fitness_scenes other_motion skip_bad"
    return tuple(getattr(config, name) for name in names.split())


def _check_classes_agree(loaded: Sequence[LoadedModel]) -> None:
    for one in loaded:
        if one.model.classes != loaded[0].model.classes:
            raise ValueError(
                f"{one.name} must have the classes of {loaded[0].name} to be fused with it. Received: other classes."
            )


def _check_classes(one: LoadedModel, data: SequenceSet) -> None:
    classes = one.model.classes
    if classes != data.classes:
        raise ValueError(
            f"{one.name} must be scored on data with its {len(classes)} classes ({', '.join(classes[:3])}, ...). "
            f"Received: {len(data.classes)} classes ({', '.join(data.classes[:3])}, ...). Name another --dataset."
        )
