"""Plots of poses: 2D keypoints and the 3D skeleton that they were lifted to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Polygon, Rectangle
from matplotlib.patheffects import Normal, Stroke

from skelgnn_tf.atomic_write import atomic_write
from skelgnn_tf.rendering.figure import (
    LEFT,
    MIDDLE,
    OUTLINE,
    RIGHT,
    SHADOW,
    STYLE,
    TARGET,
    drawn_bones,
    far_to_near,
    is_seen,
    joint_colors,
)
from skelgnn_tf.rendering.view import FLOOR, GRID, PAPER, TILE_M, floor_under, to_paper, upright_view
from skelgnn_tf.skeletons import Skeleton

#: Points (1/72 inch) for a pixel of the figure's style: a column is 2.2 inches wide.
_POINTS = 0.57


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
    """Draws a contact sheet: 2D keypoints in their picture above, the lifted poses from another side below.

    Args:
        keypoints_px: (frames, joints, 2 or 3) pixels and optional confidence. Joints with confidence 0 are left out.
        pose_m: (frames, joints, 3) camera-space meters, root-relative or not.
        skeleton: Defines the joints.
        path: Path of the PNG file. Its folder is created.
        target_m: The true poses, like `pose_m`, drawn as thin gray lines with the same root.
        image_size_px: Width and height of the picture.
        frames: Number of frames to draw, spread evenly over the clip.
        up: Direction in camera space that is drawn upward. For a camera with a known tilt it is
            `camera.rotation @ (0, 0, 1)`. By default it is up in the picture.

    Returns:
        The path.

    Raises:
        ValueError: The arrays do not fit each other or the skeleton.

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
    """Writes a figure as a PNG file. The file is complete or does not appear."""
    with atomic_write(path) as tmp:
        figure.savefig(tmp, format="png")
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
                f"{what} must be {(*wanted, channels[-1])} (frames, joints, axes) for {skeleton.name}. Received: "
                f"{array.shape}."
            )
    if not len(pose_m):
        raise ValueError("pose_m must have at least one frame. Received: none.")


def _draw_bone(axes: Axes, ends: np.ndarray, color: str, width: float) -> None:
    """A bone (2, 2 or more) in the axes' units, with an outline that shows the nearer of two bones."""
    line = Line2D(ends[:, 0], ends[:, 1], color=color, linewidth=width * _POINTS, solid_capstyle="round", zorder=2)
    outline = Stroke(linewidth=STYLE.outlined(width) * _POINTS, foreground=OUTLINE)
    line.set_path_effects([outline, Normal()])
    axes.add_line(line)


def _draw_picture(
    axes: Axes, keypoints_px: np.ndarray, skeleton: Skeleton, image_size_px: tuple[int, int], crop: np.ndarray
) -> None:
    """The keypoints (joints, 2 or 3) of a frame on the part `crop` (2, 2) of their picture, y down."""
    seen = is_seen(keypoints_px)
    axes.add_patch(Rectangle((0, 0), *image_size_px, facecolor=PAPER, edgecolor=TARGET, linewidth=1, zorder=0))
    for bone in drawn_bones(skeleton):
        if seen[bone.child] and seen[bone.parent]:
            _draw_bone(axes, keypoints_px[[bone.child, bone.parent]], bone.color, STYLE.bone_2d)
    colors = [joint_colors(skeleton)[joint] for joint in np.flatnonzero(seen)]
    x, y = keypoints_px[seen, :2].T
    # Sizes of markers are areas.
    area = (2 * STYLE.joint_radius * _POINTS) ** 2
    axes.scatter(x, y, area, colors, edgecolors=OUTLINE, linewidths=STYLE.joint_outline * _POINTS, zorder=3)
    (left, top), (right, bottom) = crop
    axes.set(xlim=(left, right), ylim=(bottom, top))
    axes.locator_params(nbins=4, steps=[1, 2, 5, 10])
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=6, labelcolor=TARGET, pad=1)
    place = axes.get_subplotspec()
    if place is None or not place.is_first_col():
        axes.tick_params(labelleft=False)
    _bare(axes)


def _crop(keypoints_px: np.ndarray) -> np.ndarray:
    """The square ((left, top), (right, bottom)) in pixels around all keypoints (..., 2 or 3), with a margin."""
    seen = is_seen(keypoints_px)
    points = keypoints_px[seen if seen.any() else ~seen][:, :2]
    low, high = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
    middle, half = (low + high) / 2, max(*(high - low), 2.0) * 0.58
    return np.stack([middle - half, middle + half])


def _draw_pose(axes: Axes, pose: np.ndarray, target: np.ndarray | None, skeleton: Skeleton, half: float) -> None:
    """Upright root-relative poses (joints, 3) above a floor that touches the lowest joint."""
    floor = floor_under(pose if target is None else target)
    pose = pose - floor
    _draw_floor(axes, half)
    bones, points = drawn_bones(skeleton), to_paper(pose)
    for bone in bones:
        shadow = to_paper(pose[[bone.child, bone.parent]] * (1, 1, 0))
        _draw_line(axes, shadow, SHADOW, STYLE.shadow, order=1)
    # Artists of one zorder are drawn in the order in which they were added.
    for bone in far_to_near(bones, points[:, 2]):
        ends = bone.ends(points)
        _draw_bone(axes, ends, bone.color, STYLE.bone_3d)
        if bone.has_head:
            width = STYLE.head_outline * _POINTS
            axes.add_patch(
                Circle((ends[0, 0], ends[0, 1]), STYLE.head_radius_m, fc=MIDDLE, ec=OUTLINE, lw=width, zorder=2)
            )
    if target is not None:
        truth = to_paper(target - floor)
        for bone in bones:
            _draw_line(axes, truth[[bone.child, bone.parent]], TARGET, STYLE.target, order=6)
    axes.set(xticks=[], yticks=[])
    _bare(axes)


def _draw_line(axes: Axes, ends: np.ndarray, color: str, width: float, order: float) -> None:
    axes.plot(*ends[:, :2].T, color=color, linewidth=width * _POINTS, solid_capstyle="round", zorder=order)


def _draw_floor(axes: Axes, half: float) -> None:
    axes.add_patch(Polygon(to_paper(_corners(half))[:, :2], facecolor=FLOOR, edgecolor="none", zorder=0))
    for at in np.linspace(-half, half, round(2 * half / TILE_M) + 1):
        for ends in ([[at, -half, 0], [at, half, 0]], [[-half, at, 0], [half, at, 0]]):
            axes.plot(*to_paper(np.array(ends))[:, :2].T, color=GRID, linewidth=0.7, zorder=0.5)


def _corners(half: float) -> np.ndarray:
    return np.array([[-half, -half, 0], [half, -half, 0], [half, half, 0], [-half, half, 0]])


def _floor_half(poses: np.ndarray) -> float:
    """Half the side of a floor of whole tiles that is large enough for every pose, in meters."""
    return TILE_M * max(3, int(np.ceil(np.nanmax(np.abs(poses[..., :2])) / TILE_M)))


def _reach(poses: np.ndarray, half: float) -> np.ndarray:
    """Limits ((left, bottom), (right, top)) of every pose and the floor in the picture, in meters."""
    points = np.concatenate([_corners(half), *(pose - floor_under(pose) for pose in poses)])
    points = to_paper(points)[:, :2]
    return np.stack([np.nanmin(points, axis=0) - 0.05, np.nanmax(points, axis=0) + 0.1])


def _draw_legend(figure: Figure, with_target: bool) -> None:
    entries = [("left", LEFT, STYLE.bone_3d), ("right", RIGHT, STYLE.bone_3d), ("middle", MIDDLE, STYLE.bone_3d)]
    entries += [("ground truth", TARGET, STYLE.target)] if with_target else []
    handles = [Line2D([], [], color=color, linewidth=width * _POINTS, label=label) for label, color, width in entries]
    figure.legend(handles=handles, loc="lower center", ncols=len(handles), frameon=False, fontsize=9)


def _bare(axes: Axes) -> None:
    axes.set_aspect("equal")
    for spine in axes.spines.values():
        spine.set_visible(False)
