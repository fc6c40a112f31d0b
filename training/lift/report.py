"""The report folder of a lifter: scores as JSON for programs, as tables for people, and as plots."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from skelgnn_tf.rendering.plot import save_png
from skelgnn_tf.training.lift.scores import HARDEST_PERCENT, PROTOCOLS
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

BASELINES = {
    "mean_pose": "training mean pose",
    "linear_ridge": "linear ridge",
    "pairwise_ridge": "ridge on pairwise products",
}
BASELINE_COLORS, P2_COLOR = ("#C2C8D1", "#9AA0AC", "#E0A02B"), "#8FB8DA"


def write_report(scores: dict[str, Any], folder: str | Path) -> list[Path]:
    """Writes report.json, report.md and the plots of one evaluation; each file is replaced as a whole.

    Args:
        scores: Result of `score_lifting`; optionally with "baselines" from `baseline_scores`, "mpi_inf_3dhp" from
            `score_3dhp`, and further strings and numbers (data set, model, keypoints) for the head of the report.
        folder: Report folder, created if needed.

    Returns:
        The files, report.json first.

    Raises:
        ValueError: A score is NaN or infinite.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    scores = rounded(scores)
    values = {"format": FORMAT, "task": "lift"} | scores
    plots = {
        "error_over_threshold.png": _plot_thresholds,
        "hardest.png": _plot_hardest,
        "by_action.png": _plot_actions,
        "by_joint.png": _plot_joints,
    }
    written = [
        write_text(folder / "report.json", json.dumps(values, indent=2, allow_nan=False) + "\n"),
        write_text(folder / "report.md", markdown(scores, plots)),
    ]
    for name, plot in plots.items():
        written.append(save_png(plot(scores), folder / name))
    return written


def markdown(scores: dict[str, Any], plots: Iterable[str] = ()) -> str:
    """The report as Markdown tables, followed by the pictures named in `plots`."""
    protocol = scores["protocol"]
    lines = [f"# Pose lifting on {scores.get('dataset', 'the test clips')}", ""]
    lines += [f"- protocol: **{protocol}** ({PROTOCOLS[protocol]})", *heading(scores, "protocol")]
    lines += [
        "",
        "## Summary",
        "",
        "Millimeters; MPJVE is in millimeters per frame. P1, P2, N-MPJPE and MPJVE are means of the action means (in "
        "brackets: of all frames). The hardest poses and the share over 60 mm refer to all frames.",
    ]
    lines += ["", *_summary(scores), "", "## Hardest poses", "", "Mean error in mm of the hardest share of the frames."]
    lines += ["", *_hardest(scores), "", "## By action", "", *_by_action(scores)]
    if "mpi_inf_3dhp" in scores:
        lines += ["", "## MPI-INF-3DHP", "", "PCK at 150 mm and AUC over 0 to 150 mm, 14 joints.", ""]
        lines += _3dhp(scores["mpi_inf_3dhp"])
    by_joint = scores["by_joint_mm"].items()
    lines += ["", "## By joint", "", *table(["joint", "mm"], [[joint, _mm(error)] for joint, error in by_joint])]
    return "\n".join([*lines, *pictures(plots)]) + "\n"


def show(scores: dict[str, Any], console: Console) -> None:
    """Prints the summary: the model next to its baselines."""
    names = {"p1_mm": "P1 (MPJPE)", "p2_mm": "P2 (P-MPJPE)", "n_mpjpe_mm": "P3 (N-MPJPE)", "mpjve_mm": "MPJVE"}
    names |= {f"hardest_{percent}_mm": f"hardest {percent} %" for percent in (50, 20, 5)}
    baselines = scores.get("baselines") or {}
    columns = Table("mm", "model", *(name.replace("_", " ") for name in baselines))
    for key, name in names.items():
        values = [scores, *baselines.values()]
        columns.add_row(name, *("" if v.get(key) is None else f"{v[key]:.1f}" for v in values))
    shares = [f"{100 * v['share_over_60mm']:.1f} %" for v in (scores, *baselines.values())]
    columns.add_row("poses over 60 mm", *shares)
    if "mpi_inf_3dhp" in scores:
        pck, auc = (scores["mpi_inf_3dhp"][key] for key in ("pck", "auc"))
        columns.add_row("PCK / AUC (3DHP)", f"{pck:.1%} / {auc:.1%}")
    console.print(columns)
    console.print(
        f"{scores['frames']:,} frames of {scores['clips']} clips, {len(scores['by_action'])} actions; P1 to MPJVE are "
        f"means of the actions, protocol {scores['protocol']}",
        highlight=False,
        soft_wrap=True,
    )


def _mm(value: float | None, digits: int = 1) -> str:
    return MISSING if value is None else f"{value:.{digits}f}"


def _baselines(scores: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Baselines by their readable names."""
    return {BASELINES.get(name, name): values for name, values in scores.get("baselines", {}).items()}


def _summary(scores: dict[str, Any]) -> list[str]:
    def with_frame_mean(key: str) -> str:
        return f"{_mm(scores[f'{key}_mm'])} ({_mm(scores[f'{key}_frame_mean_mm'])})"

    model = [with_frame_mean("p1"), with_frame_mean("p2"), _mm(scores["n_mpjpe_mm"])]
    model += [_mm(scores["mpjve_mm"], 2), _mm(scores["hardest_5_mm"]), f"{scores['share_over_60mm']:.1%}"]
    rows = [["**model**", *model]]
    for name, values in _baselines(scores).items():
        p1, p2, hardest = (_mm(values[key]) for key in ("p1_mm", "p2_mm", "hardest_5_mm"))
        rows.append([name, p1, p2, MISSING, MISSING, hardest, MISSING])
    return table(["", "P1", "P2", "N-MPJPE", "MPJVE", "hardest 5 %", "over 60 mm"], rows)


def _hardest(scores: dict[str, Any]) -> list[str]:
    rows = {"**model**, its own hardest": scores}
    if "hard_reference" in scores:
        name = scores["hard_reference"].get("name", "the reference model")
        rows[f"**model**, hardest for {name}"] = scores["hard_reference"]
    rows.update({f"{name}, its own hardest": values for name, values in _baselines(scores).items()})
    return table(
        ["", *(f"{percent} %" for percent in HARDEST_PERCENT)],
        [[name, *(_mm(row[f"hardest_{percent}_mm"]) for percent in HARDEST_PERCENT)] for name, row in rows.items()],
    )


def _by_action(scores: dict[str, Any]) -> list[str]:
    def row(values: dict[str, Any]) -> list[object]:
        errors = [_mm(values[key]) for key in ("p1_mm", "p2_mm", "n_mpjpe_mm")]
        return [*errors, _mm(values["mpjve_mm"], 2), values["frames"]]

    rows = [[action, *row(values)] for action, values in scores["by_action"].items()]
    return table(["action", "P1", "P2", "N-MPJPE", "MPJVE", "frames"], [*rows, ["**mean of actions**", *row(scores)]])


def _3dhp(scores: dict[str, Any]) -> list[str]:
    rows = {**scores["by_sequence"], **scores["by_setting"], "**all frames**": scores}
    return table(
        ["", "PCK", "AUC", "MPJPE", "frames"],
        [
            [name, f"{row['pck']:.1%}", f"{row['auc']:.1%}", _mm(row["mpjpe_mm"]), row["frames"]]
            for name, row in rows.items()
        ],
    )


def _axes(title: str, width: float = 7.0) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, 4.0), dpi=130, layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, fontsize=11, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=GRID_COLOR, linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def _plot_thresholds(scores: dict[str, Any]) -> Figure:
    figure, axes = _axes(f"Share of poses with a larger error ({scores['protocol']} protocol)", 8.5)
    baselines = [(name, values) for name, values in _baselines(scores).items() if "error_over_threshold" in values]
    for (name, values), color in zip(baselines, BASELINE_COLORS, strict=False):
        curve = values["error_over_threshold"]
        axes.plot(curve["thresholds_mm"], curve["share"], color=color, linewidth=1.6, label=name)
    curve = scores["error_over_threshold"]
    axes.plot(curve["thresholds_mm"], curve["share"], color=MODEL_COLOR, linewidth=2.4, label="model")
    axes.set(
        xlabel="error of the pose, mm", ylabel="share of poses", ylim=(0, 1.02), xlim=(0, curve["thresholds_mm"][-1])
    )
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    figure.legend(loc="outside right upper", frameon=False, fontsize=9)
    return figure


def _plot_hardest(scores: dict[str, Any]) -> Figure:
    figure, axes = _axes("Mean error on the hardest poses of each", 8.0)
    bars = [*_baselines(scores).items(), ("model", scores)]
    colors = [*BASELINE_COLORS[: len(bars) - 1], MODEL_COLOR]
    width = 0.8 / len(bars)
    for i, ((name, values), color) in enumerate(zip(bars, colors, strict=True)):
        heights = [values[f"hardest_{percent}_mm"] for percent in HARDEST_PERCENT]
        at = [x + (i - (len(bars) - 1) / 2) * width for x in range(len(heights))]
        drawn = axes.bar(at, heights, width * 0.94, color=color, label=name)
        axes.bar_label(drawn, fmt="%.0f", fontsize=7, padding=1)
    axes.set_xticks(range(len(HARDEST_PERCENT)), [f"{percent} %" for percent in HARDEST_PERCENT])
    axes.set(xlabel="hardest share of the frames", ylabel="mm")
    axes.legend(frameon=False, fontsize=9)
    return figure


def _plot_actions(scores: dict[str, Any]) -> Figure:
    actions = scores["by_action"]
    figure, axes = _axes("Error by action", max(5.0, 1.5 + 0.5 * len(actions)))
    for shift, key, color, label in ((-0.2, "p1_mm", MODEL_COLOR, "P1"), (0.2, "p2_mm", P2_COLOR, "P2")):
        heights = [row[key] for row in actions.values()]
        drawn = axes.bar([x + shift for x in range(len(actions))], heights, 0.38, color=color, label=label)
        axes.bar_label(drawn, fmt="%.0f", fontsize=7, padding=1)
    axes.axhline(scores["p1_mm"], color=LINE_COLOR, linewidth=1, linestyle="--", label="mean P1 of the actions")
    axes.set_xticks(range(len(actions)), list(actions), rotation=40, ha="right", fontsize=8)
    axes.set_ylabel("mm")
    axes.legend(frameon=False, fontsize=9, ncols=3)
    axes.margins(y=0.18)
    return figure


def _plot_joints(scores: dict[str, Any]) -> Figure:
    joints = scores["by_joint_mm"]
    figure, axes = _axes("Error by joint, mean of all frames", max(5.0, 1.5 + 0.35 * len(joints)))
    drawn = axes.bar(range(len(joints)), list(joints.values()), 0.75, color=MODEL_COLOR)
    axes.bar_label(drawn, fmt="%.0f", fontsize=7, padding=1)
    axes.set_xticks(range(len(joints)), [joint.replace("_", " ") for joint in joints], rotation=45, ha="right")
    axes.tick_params(axis="x", labelsize=8)
    axes.set_ylabel("mm")
    return figure
