"""Scores of recognized actions as a plain dict: top-1, top-5, classes, confusions; and the fusion of several streams.

Shares are fractions from 0 to 1. The predicted class of a clip is the most probable one, the first one of equals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

#: Number of the most confused pairs in a report.
NUM_CONFUSED = 10
#: Largest deviation from 1 of a float16 softmax over a few hundred classes; logits deviate by more.
SUM_TOLERANCE = 0.02


def score_actions(probabilities: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> dict[str, Any]:
    """Scores class probabilities against the labels of the clips.

    `top5` is the share of clips whose class is among the min(5, classes) most probable ones, which is 1 for up to five
    classes. `mean_class_accuracy` is the mean over the classes that have clips. In `by_class`, `accuracy` is the share
    of the class's clips that are recognized (its recall), and `precision` the share of the clips recognized as the
    class that belong to it; 0 / 0 is None. Ties between confused classes are resolved by name, so that the order of
    the classes does not change any score.

    Args:
        probabilities: float (clips, classes), or other scores in the same order.
        labels: int (clips,), index of the true class.
        classes: Class names, without duplicates.

    Returns:
        A dict ready for JSON: "top1", "top5", "mean_class_accuracy", "chance" (share of the most frequent class),
        "clips", "classes", "confusion" (lists of counts, one row for each true class, one column for each predicted
        class), "by_class" {name: {"clips", "correct", "accuracy", "precision", "most_taken_for"}}, "most_confused"
        [{"true", "predicted", "clips", "share" (of the true class's clips)}], the ten most frequent ones in order.

    Raises:
        ValueError: There are no clips, shapes differ, a score is NaN or infinite, a label is not the index of a class,
            or two classes have the same name.
    """
    probabilities, labels = _checked(probabilities, labels, classes)
    num_classes = len(classes)
    confusion = np.zeros((num_classes, num_classes), np.int64)
    np.add.at(confusion, (labels, probabilities.argmax(axis=1)), 1)
    by_class = _by_class(confusion, classes)
    return {
        "top1": float(np.trace(confusion) / len(labels)),
        "top5": float((_ranks(probabilities, labels) < min(5, num_classes)).mean()),
        "mean_class_accuracy": float(np.mean([row["accuracy"] for row in by_class.values() if row["clips"]])),
        "chance": float(confusion.sum(axis=1).max() / len(labels)),
        "clips": len(labels),
        "classes": list(classes),
        "confusion": confusion.tolist(),
        "by_class": by_class,
        "most_confused": _confused_pairs(confusion, classes)[:NUM_CONFUSED],
    }


def fuse(probabilities: Sequence[np.ndarray], weights: Sequence[float] | None = None) -> np.ndarray:
    """Weighted mean of the softmax scores of several models on the same clips.

    Args:
        probabilities: float (clips, classes) for each model, clips and classes in the same order.
        weights: One for each model; only their ratios matter. None weights all models equally.

    Returns:
        float64 (clips, classes).

    Raises:
        ValueError: There are no models, the number of weights differs, a weight is negative, not finite, or all are
            zero, the models were scored on different clips or classes, or the scores are not probabilities.

    Source: Zeng et al., ICCV 2021, section 4.3; 2s-AGCN.
    """
    if not len(probabilities):
        raise ValueError("probabilities must have the scores of at least one model. Received: none.")
    shares = np.ones(len(probabilities)) if weights is None else np.asarray(weights, np.float64)
    if shares.shape != (len(probabilities),):
        raise ValueError(
            f"weights must have one number for each of {len(probabilities)} models. Received: {shares.size}."
        )
    if not np.isfinite(shares).all() or (shares < 0).any() or not shares.any():
        raise ValueError(
            "weights must be finite, 0 or more, and not all 0. Received: " + ", ".join(f"{w:g}" for w in shares) + "."
        )
    for number, member in enumerate(probabilities, 1):
        _check_member(np.asarray(member), np.shape(probabilities[0]), number)
    # Only the ratios matter, and products with tiny weights would lose digits.
    return np.average(np.stack(probabilities).astype(np.float64), axis=0, weights=shares / shares.max())


def _checked(probabilities: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    probabilities, labels = np.asarray(probabilities), np.asarray(labels)
    repeated = sorted({name for name in classes if list(classes).count(name) > 1})
    if repeated:
        raise ValueError(f"classes must have different names. Received: {repeated[0]!r} more than once. Rename one.")
    if labels.ndim != 1 or not len(labels):
        raise ValueError(f"labels must have shape (clips,) with at least one clip. Received: {labels.shape}.")
    if probabilities.shape != (len(labels), len(classes)):
        raise ValueError(
            f"probabilities must have shape ({len(labels)} clips, {len(classes)} classes). Received: "
            f"{probabilities.shape}."
        )
    if labels.dtype.kind not in "iu":
        raise ValueError(f"labels must be integers, indices of the classes. Received: {labels.dtype}.")
    outside = np.flatnonzero((labels < 0) | (labels >= len(classes)))
    if len(outside):
        raise ValueError(
            f"labels must be from 0 to {len(classes) - 1} for {len(classes)} classes. Received: {labels[outside[0]]} "
            f"at clip {outside[0]} ({len(outside)} such clips). Use the classes that the labels were made with."
        )
    _check_finite(probabilities, "the scores of the model")
    return probabilities, labels


def _check_finite(probabilities: np.ndarray, what: str) -> None:
    broken = np.flatnonzero(~np.isfinite(probabilities).all(axis=1))
    if len(broken):
        raise ValueError(
            f"{what} must be finite. Received: NaN or infinity at clip {broken[0]} ({len(broken)} of "
            f"{len(probabilities)} clips). Train the model again."
        )


def _check_member(member: np.ndarray, shape: tuple[int, ...], number: int) -> None:
    if member.ndim != 2 or member.shape != shape:
        raise ValueError(
            "probabilities must have shape (clips, classes), with the same clips and classes for each model. Received: "
            f"{shape} from model 1 and {member.shape} from model {number}."
        )
    _check_finite(member, f"the scores of model {number}")
    sums = member.sum(axis=1, dtype=np.float64)
    wrong = np.flatnonzero((member < 0).any(axis=1) | (abs(sums - 1) > SUM_TOLERANCE))
    if len(wrong):
        raise ValueError(
            f"the scores of model {number} must be probabilities. Received: minimum {member[wrong[0]].min():g}, sum "
            f"{sums[wrong[0]]:g} at clip {wrong[0]}. Apply softmax to logits."
        )


def _ranks(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Number of classes ranked before the true one, int (clips,); of equals the first comes first, as in argmax."""
    own = np.take_along_axis(probabilities, labels[:, None], axis=1)
    earlier = np.arange(probabilities.shape[1]) < labels[:, None]
    return ((probabilities > own) | ((probabilities == own) & earlier)).sum(axis=1)


def _confused_pairs(confusion: np.ndarray, classes: Sequence[str]) -> list[dict[str, Any]]:
    clips = confusion.sum(axis=1)
    pairs = [
        {
            "true": classes[true],
            "predicted": classes[predicted],
            "clips": int(confusion[true, predicted]),
            "share": float(confusion[true, predicted] / clips[true]),
        }
        for true, predicted in np.argwhere(confusion)
        if true != predicted
    ]
    return sorted(pairs, key=lambda pair: (-pair["clips"], -pair["share"], pair["true"], pair["predicted"]))


def _by_class(confusion: np.ndarray, classes: Sequence[str]) -> dict[str, dict[str, Any]]:
    clips, taken, correct = confusion.sum(axis=1), confusion.sum(axis=0), confusion.diagonal()
    most_taken_for: dict[str, str] = {}
    for pair in _confused_pairs(confusion, classes):
        most_taken_for.setdefault(pair["true"], pair["predicted"])
    return {
        name: {
            "clips": int(clips[i]),
            "correct": int(correct[i]),
            # JSON has no NaN: a class without clips has no accuracy, one that is never predicted has no precision.
            "accuracy": float(correct[i] / clips[i]) if clips[i] else None,
            "precision": float(correct[i] / taken[i]) if taken[i] else None,
            "most_taken_for": most_taken_for.get(name),
        }
        for i, name in enumerate(classes)
    }
