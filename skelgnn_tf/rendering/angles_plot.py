"""A plot of joint angles over time, with the repetitions shaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from skelgnn_tf.inference.result import Motion, Prediction
from skelgnn_tf.rendering.figure import LEFT, MIDDLE, RIGHT, TARGET
from skelgnn_tf.rendering.plot import save_png

#: Colors behind complete and partial repetitions.
_COMPLETE, _PARTIAL = "#DDE5F0", "#F6E6C4"
#: Inches: height of a panel, smallest and largest width of the figure, and width of a second.
_PANEL, _WIDTHS, _SECOND = 1.6, (8.0, 24.0), 0.6
#: Inches around the panels.
_LEFT, _RIGHT, _TOP, _BOTTOM = 0.7, 0.2, 0.5, 0.75


def check_plot(path: str | Path, with_poses: bool = True) -> None:
    """Raises ValueError unless `draw_angles` can draw a prediction, with or without poses, to a path."""
    if Path(path).suffix != ".png":
        raise ValueError(f"{path} must end with .png. Received: {Path(path).suffix or 'no suffix'}.")
    if not with_poses:
        raise ValueError(f"{path} must be drawn with a lifter. Angles are measured in 3D poses.")


def draw_angles(prediction: Prediction, path: str | Path) -> Path:
    """Draws the angles by which repetitions are measured, or all angles if there are no repetitions.

    Repetitions are shaded and numbered, partial ones in another color. A dashed line is the depth that they should
    reach. There is no line where a joint is not seen.

    Args:
        prediction: With motion.
        path: Path of the PNG file. Its folder is created.

    Returns:
        The path.

    Raises:
        ValueError: Another suffix, or no motion.

    Example:
        >>> draw_angles(sk.predict("squats.mp4"), "angles.png")  # doctest: +SKIP
    """
    motion = prediction.motion
    check_plot(path, motion is not None)
    assert motion is not None
    joints = _joints(motion)
    width = float(np.clip(prediction.num_frames / prediction.fps * _SECOND, *_WIDTHS))
    height = _PANEL * len(joints) + _TOP + _BOTTOM
    figure = Figure(figsize=(width, height), dpi=110, facecolor="white")
    panels = dict(zip(joints, figure.subplots(len(joints), 1, sharex=True, squeeze=False)[:, 0], strict=True))
    figure.subplots_adjust(_LEFT / width, _BOTTOM / height, 1 - _RIGHT / width, 1 - _TOP / height, hspace=0.15)
    for joint, names in joints.items():
        axes = panels[joint]
        for name in names:
            axes.plot(prediction.time_s, motion.angles_deg[name], color=_color(name), linewidth=1.4)
        axes.set_ylabel(f"{joint.replace('_', ' ')} (°)", fontsize=9, color=MIDDLE)
        axes.set_xlim(0, prediction.num_frames / prediction.fps)
        axes.tick_params(labelsize=8, labelcolor=MIDDLE, color=TARGET)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(TARGET)
        _shade(axes, motion, joint)
    first, *_, last = [*panels.values(), *panels.values()]
    _number(first, motion)
    last.set_xlabel("time (s)", fontsize=9, color=MIDDLE)
    handles = _legend(motion, [name for names in joints.values() for name in names])
    figure.legend(handles=handles, loc="lower center", ncols=len(handles), frameon=False, fontsize=8)
    return save_png(figure, path)


def _joints(motion: Motion) -> dict[str, list[str]]:
    """{joint: its angles} that are drawn, in the order of the first repetition that measures them."""
    measured = [name for form in motion.form for name in form.range_deg]
    joints: dict[str, list[str]] = {}
    for name in dict.fromkeys(measured or motion.angles_deg):
        joints.setdefault(_joint(name), []).append(name)
    return joints


def _joint(name: str) -> str:
    """ "left_knee" -> "knee"."""
    return name.removeprefix("left_").removeprefix("right_")


def _color(name: str) -> str:
    return LEFT if name.startswith("left_") else RIGHT if name.startswith("right_") else MIDDLE


def _shade(axes: Axes, motion: Motion, joint: str) -> None:
    """The repetitions behind a joint's angles, and the depth that they should reach in it."""
    for form in motion.form:
        color = _COMPLETE if form.complete else _PARTIAL
        # The edge parts repetitions that follow each other.
        axes.axvspan(form.start_s, form.end_s, facecolor=color, edgecolor="white", linewidth=1, zorder=0)
        depth_angle = next(iter(form.range_deg), "")
        if form.target_deg is not None and _joint(depth_angle) == joint:
            axes.hlines(form.target_deg, form.start_s, form.end_s, colors=MIDDLE, linestyles="dashed", linewidth=1)


def _number(axes: Axes, motion: Motion) -> None:
    """Numbers of the repetitions above a panel, and the exercise above the first of each set."""
    exercise = None
    for form in motion.form:
        at: dict[str, Any] = {
            "xycoords": ("data", "axes fraction"),
            "textcoords": "offset points",
            "fontsize": 8,
            "color": MIDDLE,
        }
        if form.number is not None:
            axes.annotate(str(form.number), ((form.start_s + form.end_s) / 2, 1), (0, 3), ha="center", **at)
        if form.exercise != exercise:
            axes.annotate(form.exercise.replace("_", " "), (form.start_s, 1), (0, 15), fontweight="bold", **at)
        exercise = form.exercise


def _legend(motion: Motion, names: list[str]) -> list[Artist]:
    """What is drawn, each once."""
    sides = {LEFT: "left", RIGHT: "right", MIDDLE: "middle"}
    colors = dict.fromkeys(_color(name) for name in names)
    handles: list[Artist] = [Line2D([], [], color=color, label=sides[color]) for color in colors]
    if any(form.target_deg is not None for form in motion.form):
        handles.append(Line2D([], [], color=MIDDLE, linestyle="dashed", linewidth=1, label="target"))
    for is_complete, color, label in ((True, _COMPLETE, "repetition"), (False, _PARTIAL, "partial repetition")):
        if any(form.complete == is_complete for form in motion.form):
            handles.append(Patch(color=color, label=label))
    return handles
