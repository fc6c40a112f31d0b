"""The report folder of a recognizer: scores as JSON for programs, as tables for people, and as plots."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from rich.console import Console

from skelgnn_tf.rendering.plot import save_png
from skelgnn_tf.training.reports import (
    FORMAT,
    GRID_COLOR,
    LINE_COLOR,
    MISSING,
    MODEL_COLOR,
    heading,
    pictures,
    rounded,
    table,
    write_text,
)

#: Shares are rounded to a thousandth of a percent: test splits of NTU RGB+D 120 have more than 50,000 clips.
DECIMALS = 5
#: Lines that report.md lists; report.json has all of them.
LEFT_OUT_SHOWN = 50
#: Up to this many classes, the cells of the confusion matrix show counts.
COUNTED_CLASSES = 30
#: Maximum number of tick labels of the confusion matrix.
TICK_LABELS = 120
#: Longer class names are shortened in plots.
LABEL_CHARACTERS = 28
EMPTY_COLOR, CHANCE_COLOR = "#DCDDE1", "#E0A02B"


def write_action_report(scores: dict[str, Any], folder: str | Path) -> list[Path]:
    """Writes report.json, report.md and the plots of one evaluation; each file is replaced as a whole.

    Args:
        scores: Result of `score_actions`; optionally with "left_out" (one line for each clip that was skipped),
            "ensemble" ([{"model", "stream", "weight", "top1"}], the models that were fused), and further strings and
            integers (data set, model, stream, parameters) for the head of the report.
        folder: Report folder, created if needed.

    Returns:
        The files, report.json first.

    Raises:
        ValueError: A score is NaN or infinite.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    scores = rounded(scores, DECIMALS)
    plots = {"confusion.png": _plot_confusion, "by_class.png": _plot_classes}
    written = [
        write_text(folder / "report.json", as_json(scores)),
        write_text(folder / "report.md", markdown(scores, plots)),
    ]
    for name, plot in plots.items():
        written.append(save_png(plot(scores), folder / name))
    return written


def as_json(scores: dict[str, Any]) -> str:
    """The text of report.json: shares to five decimals, each row of the confusion matrix on one line."""
    values = {"format": FORMAT, "task": "action"} | rounded(scores, DECIMALS)
    text = json.dumps(values, indent=2, allow_nan=False)
    # Otherwise 120 classes give 14,400 lines. Names stay as they are: a string in JSON has no line break.
    return re.sub(r"\[\n[\d\s,]+\]", lambda row: json.dumps(json.loads(row[0])), text) + "\n"


def markdown(scores: dict[str, Any], plots: Iterable[str] = ()) -> str:
    """The report as Markdown tables, followed by the pictures named in `plots`."""
    lines = [f"# Action recognition on {scores.get('dataset', 'the test clips')}", "", f"**{_summary(scores)}**", ""]
    lines += heading(scores, "clips")
    if "ensemble" in scores:
        lines += [
            "",
            "## Ensemble",
            "",
            "The scores are those of the weighted mean of these models' probabilities.",
            "",
        ]
        lines += _ensemble(scores)
    lines += ["", "## Most confused", "", *_most_confused(scores), "", "## By class", ""]
    lines += [
        "Accuracy: share of the clips of the class that are recognized. Precision: share of the clips recognized as "
        "the class that belong to it.",
    ]
    lines += ["", *_by_class(scores)]
    if scores.get("left_out"):
        lines += ["", "## Left out", "", *_left_out(scores["left_out"])]
    return "\n".join([*lines, *pictures(plots)]) + "\n"


def show_actions(scores: dict[str, Any], console: Console) -> None:
    """Prints the summary: shares, the models of an ensemble, the three most confused pairs."""
    lines = [_summary(scores)]
    for member in scores.get("ensemble", ()):
        lines.append(
            f"  {member['model']} ({member['stream']}), weight {member['weight']:g}: top-1 {member['top1']:.1%}"
        )
    for pair in scores["most_confused"][:3]:
        lines.append(f"  {pair['true']} taken for {pair['predicted']}: {_clips(pair['clips'])} ({pair['share']:.1%})")
    if scores.get("left_out"):
        lines.append(f"  {_clips(len(scores['left_out']))} left out")
    for line in lines:
        # A class may be called [red]wave: no markup.
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _clips(number: int) -> str:
    return f"{number:,} clip{'' if number == 1 else 's'}"


def _summary(scores: dict[str, Any]) -> str:
    num_classes = len(scores["classes"])
    # Up to five classes, top-5 is always 100 %.
    top5 = f"top-5 {scores['top5']:.1%}, " if num_classes > 5 else ""
    return (
        f"top-1 {scores['top1']:.1%}, {top5}mean class accuracy {scores['mean_class_accuracy']:.1%} "
        f"(chance {scores['chance']:.1%}) on {_clips(scores['clips'])} of {num_classes} classes"
    )


def _share(value: float | None) -> str:
    return MISSING if value is None else f"{value:.1%}"


def _ensemble(scores: dict[str, Any]) -> list[str]:
    rows = [[m["model"], m["stream"], f"{m['weight']:g}", _share(m["top1"])] for m in scores["ensemble"]]
    return table(["model", "stream", "weight", "top-1"], [*rows, ["**fused**", "", "", _share(scores["top1"])]])


def _most_confused(scores: dict[str, Any]) -> list[str]:
    if not scores["most_confused"]:
        return ["No clip was taken for another class."]
    rows = [[pair["true"], pair["predicted"], pair["clips"], _share(pair["share"])] for pair in scores["most_confused"]]
    return table(["class", "taken for", "clips", "share of the class"], rows)


def _by_class(scores: dict[str, Any]) -> list[str]:
    places = {name: place for place, name in enumerate(scores["classes"])}

    def taken_for(name: str, other: str | None) -> str:
        return MISSING if other is None else f"{other} ({scores['confusion'][places[name]][places[other]]})"

    rows = []
    for name, row in scores["by_class"].items():
        shares = [_share(row["accuracy"]), _share(row["precision"])]
        rows.append([name, row["clips"], row["correct"], *shares, taken_for(name, row["most_taken_for"])])
    correct = sum(row["correct"] for row in scores["by_class"].values())
    rows.append(
        ["**all**", scores["clips"], correct, f"{_share(scores['mean_class_accuracy'])} (mean)", MISSING, MISSING]
    )
    return table(["class", "clips", "correct", "accuracy", "precision", "most taken for"], rows)


def _left_out(lines: list[str]) -> list[str]:
    shown = [*lines[:LEFT_OUT_SHOWN]]
    if len(lines) > len(shown):
        shown.append(f"... and {len(lines) - len(shown)} more, in report.json")
    # A code block, because file names may look like markup.
    return [f"{_clips(len(lines))} could not be read and do not count.", "", "```", *shown, "```"]


def _label(name: str) -> str:
    return name if len(name) <= LABEL_CHARACTERS else name[: LABEL_CHARACTERS - 3].rstrip() + "..."


def _plot_confusion(scores: dict[str, Any]) -> Figure:
    counts = np.array(scores["confusion"])
    clips, num_classes = counts.sum(axis=1, keepdims=True), len(counts)
    side = float(np.clip(2.5 + 0.45 * num_classes, 6.0, 15.0))
    figure = Figure(figsize=(side + 0.8, side), dpi=150, layout="constrained")
    axes = figure.subplots()
    title = f"Confusion matrix of {_clips(scores['clips'])}, top-1 {scores['top1']:.1%}"
    axes.set_title(title, fontsize=11, loc="left")
    shares = np.ma.masked_invalid(np.where(clips > 0, counts / np.maximum(clips, 1), np.nan))
    axes.set_facecolor(EMPTY_COLOR)
    # Most confusions are a few percent, which a linear scale would show as white.
    picture = axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, 0, 1), interpolation="nearest")
    bar = figure.colorbar(
        picture, ax=axes, shrink=0.7, aspect=30, pad=0.02, ticks=[0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1]
    )
    bar.ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    bar.set_label("share of the clips of the true class" + ("" if clips.all() else " (gray: no clips)"))
    _tick_classes(axes, scores["classes"], side)
    axes.set(xlabel="predicted", ylabel="true")
    if num_classes <= COUNTED_CLASSES:
        for (true, predicted), count in np.ndenumerate(counts):
            if count:
                color = "white" if shares[true, predicted] > 0.3 else LINE_COLOR
                axes.text(predicted, true, str(count), ha="center", va="center", fontsize=7, color=color)
    return figure


def _tick_classes(axes: Axes, classes: list[str], side: float) -> None:
    """Labels the rows and columns of a matrix plot that is `side` inches wide; every n-th if there are too many."""
    shown = range(0, len(classes), -(-len(classes) // TICK_LABELS))
    labels = [_label(classes[i]) for i in shown]
    # In points: the matrix takes three quarters of the plot, and a line is a fifth higher than its letters.
    size = min(9.0, 72 * side * 0.75 / len(labels) / 1.2)
    axes.set_xticks(
        shown, labels, rotation=90 if len(labels) > COUNTED_CLASSES else 45, fontsize=size, parse_math=False
    )
    axes.set_yticks(shown, labels, fontsize=size, parse_math=False)
    if len(labels) <= COUNTED_CLASSES:
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    axes.tick_params(length=2 if len(labels) > COUNTED_CLASSES else 3)


def _plot_classes(scores: dict[str, Any]) -> Figure:
    rows = {name: row["accuracy"] for name, row in scores["by_class"].items() if row["clips"]}
    names = sorted(rows, key=lambda name: -rows[name])
    missing = len(scores["by_class"]) - len(rows)
    figure = Figure(figsize=(7.0, 1.3 + 0.16 * len(names) + min(1.0, 0.1 * len(names))), dpi=130, layout="constrained")
    axes = figure.subplots()
    axes.set_title(
        "Accuracy by class" + (f" ({missing} without test clips not shown)" if missing else ""), fontsize=11, loc="left"
    )
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", color=GRID_COLOR, linewidth=0.8)
    axes.set_axisbelow(True)
    drawn = axes.barh(range(len(names)), [rows[name] for name in names], 0.72, color=MODEL_COLOR)
    # On a white box, because the line of the mean crosses some labels.
    white_box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
    axes.bar_label(drawn, [f"{rows[name]:.1%}" for name in names], fontsize=7, padding=3, bbox=white_box)
    mean = scores["mean_class_accuracy"]
    axes.axvline(mean, color=LINE_COLOR, linewidth=1, linestyle="--", label=f"mean of the classes {mean:.1%}")
    axes.axvline(
        scores["chance"], color=CHANCE_COLOR, linewidth=1.6, linestyle=":", label=f"chance {scores['chance']:.1%}"
    )
    axes.set_yticks(
        range(len(names)), [_label(name) for name in names], fontsize=8 if len(names) <= 20 else 7, parse_math=False
    )
    axes.set(
        xlim=(0, 1.09), ylim=(len(names) - 0.4, -0.6), xlabel="share of the clips of the class that are recognized"
    )
    axes.set_xticks(np.linspace(0, 1, 6))
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    figure.legend(loc="outside lower right", frameon=False, fontsize=8, ncols=2)
    return figure
