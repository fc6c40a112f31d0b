"""Pictures of poses: 2D keypoints beside the 3D skeleton that they were lifted to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Polygon, Rectangle
from matplotlib.patheffects import Normal, Stroke

from skelgnn_tf.atomic_write import atomic_write
from skelgnn_tf.rendering.view import (
    FLOOR,
    GRID,
    HEAD_M,
    LEFT,
    MIDDLE,
    PAPER,
    RIGHT,
    SHADOW,
    TARGET,
    TILE_M,
    floor_under,
    head_bones,
    is_seen,
    side_colour,
    to_paper,
    upright_view,
)
from skelgnn_tf.skeletons import Skeleton


def draw_lifted(
    keypoints_px: np.ndarray,
    pose_m: np.ndarray,
    skeleton: Skeleton,
    path: str | Path,
    target_m: np.ndarray | None = None,
    image_size_px: tuple[int, int] = (1000, 1000),
    frames: int = 6,
    up: tuple[float, float, float] | np.ndarray = (0.0, -1.0, 0.0),
) -> Path:
    """Draws a contact sheet: above, 2D keypoints in their picture; below, the lifted poses from another side.

    Args:
        keypoints_px: (frames, joints, 2 or 3) pixels[, confidence]; joints of confidence 0 are left out.
        pose_m: (frames, joints, 3) camera-space metres, root-relative or not.
        skeleton: Whose joints they are.
        path: The PNG to write; its folder is made.
        target_m: The true poses, like `pose_m`, drawn thin and grey with the roots in one place.
        image_size_px: Width and height of the picture.
        frames: How many frames to draw, spread evenly over the clip.
        up: Direction in camera space that is drawn upwards; of a camera whose tilt is known,
            `camera.rotation @ (0, 0, 1)`, else the picture's own upwards.

    Returns:
        The path written.

    Raises:
        ValueError: Arrays that do not fit each other or the skeleton.

    Example:
        >>> draw_lifted(clip.keypoints[0], model_output, H36M_17, "lifted.png", clip.pose_m)  # doctest: +SKIP
    """
    _check_shapes(keypoints_px, pose_m, target_m, skeleton)
    chosen = np.unique(np.linspace(0, len(pose_m) - 1, frames).round().astype(int))
    poses = [upright_view(pose_m[t] - pose_m[t, skeleton.root], up) for t in chosen]
    targets = [None if target_m is None else upright_view(target_m[t] - target_m[t, skeleton.root], up) for t in chosen]
    crop = _crop(keypoints_px[chosen])
    drawn = np.stack(poses + [target for target in targets if target is not None])
    half = _floor_half(drawn)
    reach = _reach(drawn, half)

    column = 2.2
    heights = [column, column * np.ptp(reach[:, 1]) / np.ptp(reach[:, 0])]
    total = sum(heights) + 0.95
    figure = Figure(figsize=(column * len(chosen) + 0.7, total), dpi=150, facecolor="white")
    above, below = figure.subplots(
        2, len(chosen), squeeze=False, gridspec_kw={"height_ratios": heights, "wspace": 0.05, "hspace": 0.1}
    )
    figure.subplots_adjust(left=0.65 / figure.get_figwidth(), right=0.995, top=1 - 0.3 / total, bottom=0.4 / total)
    for axes, t in zip(above, chosen, strict=True):
        _draw_picture(axes, keypoints_px[t], skeleton, image_size_px, crop)
        axes.set_title(f"frame {t}", fontsize=9, color=MIDDLE)
    for axes, pose, target in zip(below, poses, targets, strict=True):
        _draw_pose(axes, pose, target, skeleton, half)
        axes.set(xlim=reach[:, 0], ylim=reach[:, 1])
    for row, text in ((above, "2D keypoints"), (below, "lifted to 3D, from the side")):
        row[0].set_ylabel(text, fontsize=9, color=MIDDLE, labelpad=8)
    _draw_legend(figure, target_m is not None)
    return save_png(figure, path)


def save_png(figure: Figure, path: str | Path) -> Path:
    """Writes a figure as a picture, whole or not at all."""
    with atomic_write(path) as beside:
        figure.savefig(beside, format="png")
    return Path(path)


def _check_shapes(
    keypoints_px: np.ndarray, pose_m: np.ndarray, target_m: np.ndarray | None, skeleton: Skeleton
) -> None:
    wanted = (len(pose_m), skeleton.num_joints)
    for what, array, channels in (
        ("pose_m", pose_m, (3,)),
        ("keypoints_px", keypoints_px, (2, 3)),
        ("target_m", target_m, (3,)),
    ):
        if array is not None and (array.ndim != 3 or array.shape[:2] != wanted or array.shape[2] not in channels):
            raise ValueError(
                f"a picture of {skeleton.name} wants {what} {(*wanted, channels[-1])} (frames, joints, axes); "
                f"got {array.shape}"
            )
    if not len(pose_m):
        raise ValueError("a picture wants at least one frame; pose_m has none")


def _draw_bone(axes: Axes, ends: np.ndarray, colour: str, width: float, order: float) -> None:
    """One bone (2, 2 or more) in the axes' units, with a white rim so that the nearer of two bones is seen to be so."""
    line = Line2D(ends[:, 0], ends[:, 1], color=colour, linewidth=width, solid_capstyle="round", zorder=order)
    line.set_path_effects([Stroke(linewidth=width + 1.6, foreground="white"), Normal()])
    axes.add_line(line)


def _draw_picture(
    axes: Axes, keypoints_px: np.ndarray, skeleton: Skeleton, image_size_px: tuple[int, int], crop: np.ndarray
) -> None:
    """The frame's keypoints (joints, 2 or 3) on the part of their picture that `crop` (2, 2) shows, y down."""
    seen = is_seen(keypoints_px)
    axes.add_patch(Rectangle((0, 0), *image_size_px, facecolor=PAPER, edgecolor=TARGET, linewidth=1, zorder=0))
    for child, parent in skeleton.bones:
        if seen[child] and seen[parent]:
            _draw_bone(axes, keypoints_px[[child, parent]], side_colour(child, skeleton), 2.2, 2)
    colours = [side_colour(joint, skeleton) for joint in np.flatnonzero(seen)]
    axes.scatter(*keypoints_px[seen, :2].T, s=16, c=colours, edgecolors="white", linewidths=0.6, zorder=3)
    (left, top), (right, bottom) = crop
    axes.set(xlim=(left, right), ylim=(bottom, top))
    axes.locator_params(nbins=4, steps=[1, 2, 5, 10])
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=6, labelcolor=TARGET, pad=1)
    if not axes.get_subplotspec().is_first_col():
        axes.tick_params(labelleft=False)
    _bare(axes)


def _crop(keypoints_px: np.ndarray) -> np.ndarray:
    """The square ((left, top), (right, bottom)) in pixels that holds all keypoints (..., 2 or 3) with a margin."""
    seen = is_seen(keypoints_px)
    points = keypoints_px[seen if seen.any() else ~seen][:, :2]
    low, high = points.min(axis=0), points.max(axis=0)
    middle, half = (low + high) / 2, max(*(high - low), 2.0) * 0.58
    return np.stack([middle - half, middle + half])


def _draw_pose(axes: Axes, pose: np.ndarray, target: np.ndarray | None, skeleton: Skeleton, half: float) -> None:
    """Upright root-relative poses (joints, 3) above a floor that touches the lowest joint."""
    floor = floor_under(pose if target is None else target)
    pose = pose - floor
    _draw_floor(axes, half)
    for child, parent in skeleton.bones:
        shadow = to_paper(pose[[child, parent]] * (1, 1, 0))
        axes.plot(*shadow[:, :2].T, color=SHADOW, linewidth=3, solid_capstyle="round", alpha=0.6, zorder=1)
    points = to_paper(pose)
    for child, parent in skeleton.bones:
        ends = points[[child, parent]]
        # Near bones over far ones; a person is less than 4 m deep, so the order stays between shadow and target.
        order = 4 - ends[:, 2].mean() / 4
        _draw_bone(axes, ends, side_colour(child, skeleton), 3.4, order)
        if child in head_bones(skeleton):
            axes.add_patch(Circle(ends[:, :2].T @ (0.6, 0.4), HEAD_M, fc=MIDDLE, ec="white", lw=0.8, zorder=order))
    if target is not None:
        truth = to_paper(target - floor)
        for child, parent in skeleton.bones:
            axes.plot(*truth[[child, parent], :2].T, color=TARGET, linewidth=1.1, solid_capstyle="round", zorder=6)
    axes.set(xticks=[], yticks=[])
    _bare(axes)


def _draw_floor(axes: Axes, half: float) -> None:
    axes.add_patch(Polygon(to_paper(_corners(half))[:, :2], facecolor=FLOOR, edgecolor="none", zorder=0))
    for at in np.linspace(-half, half, round(2 * half / TILE_M) + 1):
        for ends in ([[at, -half, 0], [at, half, 0]], [[-half, at, 0], [half, at, 0]]):
            axes.plot(*to_paper(np.array(ends))[:, :2].T, color=GRID, linewidth=0.7, zorder=0.5)


def _corners(half: float) -> np.ndarray:
    return np.array([[-half, -half, 0], [half, -half, 0], [half, half, 0], [-half, half, 0]])


def _floor_half(poses: np.ndarray) -> float:
    """Half the side of a floor of whole tiles that is large enough for every pose, metres."""
    return TILE_M * max(3, int(np.ceil(np.abs(poses[..., :2]).max() / TILE_M)))


def _reach(poses: np.ndarray, half: float) -> np.ndarray:
    """Limits ((left, bottom), (right, top)) on the paper, metres, that hold every pose and the floor."""
    points = np.concatenate([_corners(half), *(pose - floor_under(pose) for pose in poses)])
    points = to_paper(points)[:, :2]
    return np.stack([points.min(axis=0) - 0.05, points.max(axis=0) + 0.1])


def _draw_legend(figure: Figure, with_target: bool) -> None:
    entries = [("left", LEFT, 3), ("right", RIGHT, 3), ("middle", MIDDLE, 3)]
    entries += [("ground truth", TARGET, 1.2)] if with_target else []
    handles = [Line2D([], [], color=colour, linewidth=width, label=label) for label, colour, width in entries]
    figure.legend(handles=handles, loc="lower center", ncols=len(handles), frameon=False, fontsize=9)


def _bare(axes: Axes) -> None:
    axes.set_aspect("equal")
    for spine in axes.spines.values():
        spine.set_visible(False)
