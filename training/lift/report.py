"""A run's report folder: scores as JSON for programs, as tables for people, and as plots."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console

from skelgnn_tf.atomic_write import atomic_write
from skelgnn_tf.rendering.plot import save_png
from skelgnn_tf.training.lift.scores import HARDEST_PERCENT, PROTOCOLS

BASELINES = {
    "mean_pose": "training mean pose",
    "linear_ridge": "linear ridge",
    "pairwise_ridge": "ridge on pairwise products",
}
MODEL_COLOUR, BASELINE_COLOURS = "#1F6FB2", ("#C2C8D1", "#9AA0AC", "#E0A02B")
MISSING = "-"


def write_report(scores: dict, folder: str | Path) -> list[Path]:
    """Writes report.json, report.md and the plots of one evaluation; a file that is there is replaced whole.

    Args:
        scores: What `score_lifting` gives; optionally with "baselines" from `baseline_scores`, "mpi_inf_3dhp" from
            `score_3dhp`, and any further strings and numbers (data set, model, keypoints) that head the report.
        folder: Made if it is not there.

    Returns:
        The files written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    scores = rounded(scores)
    plots = {
        "error_over_threshold.png": _plot_thresholds,
        "hardest.png": _plot_hardest,
        "by_action.png": _plot_actions,
        "by_joint.png": _plot_joints,
    }
    written = [
        write_text(folder / "report.json", json.dumps(scores, indent=2, allow_nan=False) + "\n"),
        write_text(folder / "report.md", markdown(scores, plots)),
    ]
    for name, plot in plots.items():
        written.append(save_png(plot(scores), folder / name))
    return written


def hand_over(files: Sequence[Path], json_path: str | None, console: Console) -> None:
    """Passes the JSON of a written report on to who asked for it, and says where the report lies.

    Args:
        files: What `write_report` gives, report.json first.
        json_path: Where the JSON goes too, its folder made if it is not there; "-" prints it, None does neither.
        console: Where the report's folder is named.
    """
    text = files[0].read_text(encoding="utf-8")
    if json_path == "-":
        print(text, end="")
    elif json_path:
        write_text(Path(json_path), text)
    names = ", ".join(file.name for file in files)
    console.print(f"report: {files[0].parent}/ ({names})", highlight=False, soft_wrap=True)


def rounded(value: object, decimals: int = 3) -> object:
    """The same nested dicts and lists with numbers as plain Python ones, floats rounded."""
    if isinstance(value, dict):
        return {str(key): rounded(inner, decimals) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(inner, decimals) for inner in value]
    if hasattr(value, "tolist"):
        return rounded(value.tolist(), decimals)
    return round(value, decimals) if isinstance(value, float) else value


def markdown(scores: dict, plots: Iterable[str] = ()) -> str:
    """The report as Markdown tables, followed by the pictures named in `plots`."""
    protocol = scores["protocol"]
    lines = [f"# Pose lifting on {scores.get('dataset', 'the test clips')}", ""]
    lines += [f"- protocol: **{protocol}** ({PROTOCOLS[protocol]})"]
    heading = {key: value for key, value in scores.items() if isinstance(value, (str, int)) and key != "protocol"}
    lines += [f"- {key.replace('_', ' ')}: {value}" for key, value in heading.items()]
    lines += [
        "",
        "## Summary",
        "",
        "Millimetres; MPJVE is in millimetres per frame. P1, P2, N-MPJPE and MPJVE are means ",
    ]
    lines[-1] += "of the action means (in brackets: of all frames), the hardest and those over 60 mm are of all frames."
    lines += ["", *_summary(scores), "", "## Hardest poses", "", "Mean error in mm of the hardest share of the frames."]
    lines += ["", *_hardest(scores), "", "## By action", "", *_by_action(scores)]
    if "mpi_inf_3dhp" in scores:
        lines += ["", "## MPI-INF-3DHP", "", "PCK at 150 mm and AUC over 0 to 150 mm, 14 joints.", ""]
        lines += _3dhp(scores["mpi_inf_3dhp"])
    by_joint = scores["by_joint_mm"].items()
    lines += ["", "## By joint", "", *table(["joint", "mm"], [[joint, _mm(error)] for joint, error in by_joint])]
    lines += ["", "## Plots", ""] + [f"![{Path(name).stem.replace('_', ' ')}]({name})" for name in plots]
    return "\n".join(lines) + "\n"


def write_text(path: Path, text: str) -> Path:
    """Writes a text file, whole or not at all."""
    with atomic_write(path) as beside:
        beside.write_text(text, encoding="utf-8")
    return path


def _mm(value: float | None, digits: int = 1) -> str:
    return MISSING if value is None else f"{value:.{digits}f}"


def table(header: list[str], rows: list[list[object]]) -> list[str]:
    """The lines of a Markdown table, the first column to the left and figures to the right."""
    ruler = ["---", *["---:"] * (len(header) - 1)]
    # A user's own names may have bars in them.
    cells = [[str(cell).replace("|", "\\|") for cell in row] for row in (header, ruler, *rows)]
    return ["| " + " | ".join(row) + " |" for row in cells]


def _rivals(scores: dict) -> dict[str, dict]:
    """Baselines by their readable names."""
    return {BASELINES.get(name, name): values for name, values in scores.get("baselines", {}).items()}


def _summary(scores: dict) -> list[str]:
    def with_frame_mean(key: str) -> str:
        return f"{_mm(scores[f'{key}_mm'])} ({_mm(scores[f'{key}_frame_mean_mm'])})"

    model = [with_frame_mean("p1"), with_frame_mean("p2"), _mm(scores["n_mpjpe_mm"])]
    model += [_mm(scores["mpjve_mm"], 2), _mm(scores["hardest_5_mm"]), f"{scores['share_over_60mm']:.1%}"]
    rows = [["**model**", *model]]
    for name, values in _rivals(scores).items():
        p1, p2, hardest = (_mm(values[key]) for key in ("p1_mm", "p2_mm", "hardest_5_mm"))
        rows.append([name, p1, p2, MISSING, MISSING, hardest, MISSING])
    return table(["", "P1", "P2", "N-MPJPE", "MPJVE", "hardest 5 %", "over 60 mm"], rows)


def _hardest(scores: dict) -> list[str]:
    rows = {"**model**, its own hardest": scores}
    if "hard_reference" in scores:
        name = scores["hard_reference"].get("name", "the reference model")
        rows[f"**model**, hardest for {name}"] = scores["hard_reference"]
    rows.update({f"{name}, its own hardest": values for name, values in _rivals(scores).items()})
    return table(
        ["", *(f"{percent} %" for percent in HARDEST_PERCENT)],
        [[name, *(_mm(row[f"hardest_{percent}_mm"]) for percent in HARDEST_PERCENT)] for name, row in rows.items()],
    )


def _by_action(scores: dict) -> list[str]:
    def row(values: dict) -> list[object]:
        errors = [_mm(values[key]) for key in ("p1_mm", "p2_mm", "n_mpjpe_mm")]
        return [*errors, _mm(values["mpjve_mm"], 2), values["frames"]]

    rows = [[action, *row(values)] for action, values in scores["by_action"].items()]
    return table(["action", "P1", "P2", "N-MPJPE", "MPJVE", "frames"], [*rows, ["**mean of actions**", *row(scores)]])


def _3dhp(scores: dict) -> list[str]:
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
    axes.grid(axis="y", color="#E4E7EC", linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def _plot_thresholds(scores: dict) -> Figure:
    figure, axes = _axes(f"Share of poses with a larger error ({scores['protocol']} protocol)", 8.5)
    rivals = [(name, values) for name, values in _rivals(scores).items() if "error_over_threshold" in values]
    for (name, values), colour in zip(rivals, BASELINE_COLOURS, strict=False):
        curve = values["error_over_threshold"]
        axes.plot(curve["thresholds_mm"], curve["share"], color=colour, linewidth=1.6, label=name)
    curve = scores["error_over_threshold"]
    axes.plot(curve["thresholds_mm"], curve["share"], color=MODEL_COLOUR, linewidth=2.4, label="model")
    axes.set(
        xlabel="error of the pose, mm", ylabel="share of poses", ylim=(0, 1.02), xlim=(0, curve["thresholds_mm"][-1])
    )
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    figure.legend(loc="outside right upper", frameon=False, fontsize=9)
    return figure


def _plot_hardest(scores: dict) -> Figure:
    figure, axes = _axes("Mean error on each one's own hardest poses", 8.0)
    bars = [*_rivals(scores).items(), ("model", scores)]
    colours = [*BASELINE_COLOURS[: len(bars) - 1], MODEL_COLOUR]
    width = 0.8 / len(bars)
    for i, ((name, values), colour) in enumerate(zip(bars, colours, strict=True)):
        heights = [values[f"hardest_{percent}_mm"] for percent in HARDEST_PERCENT]
        at = [x + (i - (len(bars) - 1) / 2) * width for x in range(len(heights))]
        drawn = axes.bar(at, heights, width * 0.94, color=colour, label=name)
        axes.bar_label(drawn, fmt="%.0f", fontsize=7, padding=1)
    axes.set_xticks(range(len(HARDEST_PERCENT)), [f"{percent} %" for percent in HARDEST_PERCENT])
    axes.set(xlabel="hardest share of the frames", ylabel="mm")
    axes.legend(frameon=False, fontsize=9)
    return figure


def _plot_actions(scores: dict) -> Figure:
    actions = scores["by_action"]
    figure, axes = _axes("Error by action", max(5.0, 1.5 + 0.5 * len(actions)))
    for shift, key, colour, label in ((-0.2, "p1_mm", MODEL_COLOUR, "P1"), (0.2, "p2_mm", "#8FB8DA", "P2")):
        heights = [row[key] for row in actions.values()]
        drawn = axes.bar([x + shift for x in range(len(actions))], heights, 0.38, color=colour, label=label)
        axes.bar_label(drawn, fmt="%.0f", fontsize=7, padding=1)
    axes.axhline(scores["p1_mm"], color="#3A3F4B", linewidth=1, linestyle="--", label="mean P1 of the actions")
    axes.set_xticks(range(len(actions)), list(actions), rotation=40, ha="right", fontsize=8)
    axes.set_ylabel("mm")
    axes.legend(frameon=False, fontsize=9, ncols=3)
    axes.margins(y=0.18)
    return figure


def _plot_joints(scores: dict) -> Figure:
    joints = scores["by_joint_mm"]
    figure, axes = _axes("Error by joint, mean of all frames", max(5.0, 1.5 + 0.35 * len(joints)))
    drawn = axes.bar(range(len(joints)), list(joints.values()), 0.75, color=MODEL_COLOUR)
    axes.bar_label(drawn, fmt="%.0f", fontsize=7, padding=1)
    axes.set_xticks(range(len(joints)), [joint.replace("_", " ") for joint in joints], rotation=45, ha="right")
    axes.tick_params(axis="x", labelsize=8)
    axes.set_ylabel("mm")
    return figure
