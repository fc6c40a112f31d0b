"""Scores of recognised actions as a plain dict: top-1, top-5, classes, confusions; and the fusion of several streams.

Shares are fractions from 0 to 1. The class of a clip is the most probable one, the first of several as probable.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

#: How many of the most confused pairs a report names.
NUM_CONFUSED = 10
#: float16 softmax over a few hundred classes sums to one this closely; logits do not.
SUM_TOLERANCE = 0.02


def score_actions(probabilities: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> dict:
    """Scores class probabilities against the clips' labels.

    `top5` counts a clip whose class is among the min(5, classes) most probable: with five classes or fewer it is 1 and
    says nothing. `mean_class_accuracy` is the mean over the classes that have clips. In `by_class` `accuracy` is the
    share of the class's clips that were recognised (its recall) and `precision` the share of the clips taken for it
    that are of it; whatever would be 0 / 0 is None. Of classes confused as often the first by name is named, so that
    the order of the classes changes no score.

    Args:
        probabilities: (clips, classes), or any scores that grow with them.
        labels: (clips,) integers, numbers of the true classes from 0.
        classes: Their names, all different.

    Returns:
        A dict ready for JSON: "top1", "top5", "mean_class_accuracy", "chance" (the share of the class with the most
        clips: what naming it always would score), "clips", "classes", "confusion" (lists of counts, a row for each
        true class, a column for each predicted one), "by_class" {name: {"clips", "correct", "accuracy", "precision",
        "most_taken_for"}}, "most_confused" [{"true", "predicted", "clips", "share" of the true class's clips}], at
        most ten and the most frequent first.

    Raises:
        ValueError: No clips, shapes that do not agree, NaN or infinite scores, labels that are no integers or outside
            the classes, or two classes of one name.
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
    """Weighted mean of several models' softmax scores on the same clips: how the paper and 2s-AGCN fuse streams.

    Args:
        probabilities: For each model (clips, classes), the clips and classes in the same order.
        weights: One for each model; only their ratios count. None for equal ones.

    Returns:
        float64 (clips, classes).

    Raises:
        ValueError: No model, another number of weights, weights that are negative, not finite or all zero, models
            scored on other clips or classes, or scores that are no probabilities.
    """
    if not len(probabilities):
        raise ValueError("a fusion wants the scores of one model or more; got none")
    weights = np.ones(len(probabilities)) if weights is None else np.asarray(weights, np.float64)
    if weights.shape != (len(probabilities),):
        raise ValueError(f"a fusion wants one weight for each of {len(probabilities)} models; got {weights.size}")
    if not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        raise ValueError(
            f"weights must be finite, 0 or more, and not all 0; got {', '.join(f'{w:g}' for w in weights)}"
        )
    for number, member in enumerate(probabilities, 1):
        _check_member(np.asarray(member), np.shape(probabilities[0]), number)
    # Only the ratios count, and tiny weights would lose the products' digits.
    return np.average(np.stack(probabilities).astype(np.float64), axis=0, weights=weights / weights.max())


def _checked(probabilities: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    probabilities, labels = np.asarray(probabilities), np.asarray(labels)
    repeated = sorted({name for name in classes if list(classes).count(name) > 1})
    if repeated:
        raise ValueError(f"class {repeated[0]!r} is named more than once among {len(classes)}; give each its own name")
    if labels.ndim != 1 or not len(labels):
        raise ValueError(f"scores want labels (clips,) of one clip or more; got {labels.shape}")
    if probabilities.shape != (len(labels), len(classes)):
        raise ValueError(
            f"scores want probabilities ({len(labels)} clips, {len(classes)} classes); got {probabilities.shape}"
        )
    if labels.dtype.kind not in "iu":
        raise ValueError(f"labels must be integers, numbers of the classes; got {labels.dtype}")
    outside = np.flatnonzero((labels < 0) | (labels >= len(classes)))
    if len(outside):
        raise ValueError(
            f"clip {outside[0]} has label {labels[outside[0]]}, outside 0 to {len(classes) - 1} of {len(classes)} "
            f"classes ({len(outside)} such clips); were they made with other classes?"
        )
    _check_finite(probabilities, "the model's scores")
    return probabilities, labels


def _check_finite(probabilities: np.ndarray, what: str) -> None:
    broken = np.flatnonzero(~np.isfinite(probabilities).all(axis=1))
    if len(broken):
        raise ValueError(
            f"{what} are NaN or infinite at clip {broken[0]} ({len(broken)} of {len(probabilities)} clips); "
            "the model is broken, train it again"
        )


def _check_member(member: np.ndarray, wanted: tuple[int, ...], number: int) -> None:
    if member.ndim != 2 or member.shape != wanted:
        raise ValueError(
            f"a fusion wants (clips, classes) of the same clips and classes from each model; "
            f"got {wanted} from model 1 and {member.shape} from model {number}"
        )
    _check_finite(member, f"the scores of model {number}")
    sums = member.sum(axis=1, dtype=np.float64)
    wrong = np.flatnonzero((member < 0).any(axis=1) | (abs(sums - 1) > SUM_TOLERANCE))
    if len(wrong):
        raise ValueError(
            f"the scores of model {number} are no probabilities at clip {wrong[0]} (least {member[wrong[0]].min():g}, "
            f"sum {sums[wrong[0]]:g}); put its logits through softmax"
        )


def _ranks(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How many classes come before the true one, (clips,); of equals the first comes first, as in argmax."""
    own = np.take_along_axis(probabilities, labels[:, None], axis=1)
    earlier = np.arange(probabilities.shape[1]) < labels[:, None]
    return ((probabilities > own) | ((probabilities == own) & earlier)).sum(axis=1)


def _confused_pairs(confusion: np.ndarray, classes: Sequence[str]) -> list[dict]:
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


def _by_class(confusion: np.ndarray, classes: Sequence[str]) -> dict[str, dict]:
    clips, taken, correct = confusion.sum(axis=1), confusion.sum(axis=0), confusion.diagonal()
    most_taken_for: dict[str, str] = {}
    for pair in _confused_pairs(confusion, classes):
        most_taken_for.setdefault(pair["true"], pair["predicted"])
    return {
        name: {
            "clips": int(clips[i]),
            "correct": int(correct[i]),
            # JSON knows no NaN: a class without clips has no accuracy, one never named no precision.
            "accuracy": float(correct[i] / clips[i]) if clips[i] else None,
            "precision": float(correct[i] / taken[i]) if taken[i] else None,
            "most_taken_for": most_taken_for.get(name),
        }
        for i, name in enumerate(classes)
    }
