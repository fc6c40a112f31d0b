"""Pictures of poses: 2D keypoints beside the 3D skeleton that they were lifted to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Polygon, Rectangle
from matplotlib.patheffects import Normal, Stroke

from skelgnn_tf.skeletons import Skeleton

# Orange and blue stay apart for every kind of colour blindness.
LEFT, RIGHT, MIDDLE, TARGET = "#E0662B", "#1F6FB2", "#3A3F4B", "#9AA0AC"
PAPER, FLOOR, GRID, SHADOW = "#F6F7F9", "#F0F2F5", "#D5DAE1", "#C2C8D1"

AZIMUTH_RAD, ELEVATION_RAD = np.radians(-35.0), np.radians(14.0)
TILE_M, HEAD_M = 0.25, 0.085


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
    """Writes a figure beside its place and moves it there, so that no half-written picture is ever seen."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        figure.savefig(part, format="png")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def upright_view(points_m: np.ndarray, up: tuple[float, float, float] | np.ndarray = (0.0, -1.0, 0.0)) -> np.ndarray:
    """Camera-space metres (..., 3) -> the same in an upright frame (..., 3): right, away from the camera, up."""
    upwards = np.asarray(up, float) / np.linalg.norm(up)
    away = np.array([0.0, 0.0, 1.0]) - upwards[2] * upwards
    away /= np.linalg.norm(away)
    return np.asarray(points_m) @ np.stack([np.cross(away, upwards), away, upwards], axis=-1)


def _to_paper(points_m: np.ndarray) -> np.ndarray:
    """Upright metres (..., 3) -> (..., 3): right and up on the paper, and depth behind it, all in metres."""
    cos, sin = np.cos(AZIMUTH_RAD), np.sin(AZIMUTH_RAD)
    right = cos * points_m[..., 0] + sin * points_m[..., 1]
    depth = -sin * points_m[..., 0] + cos * points_m[..., 1]
    cos, sin = np.cos(ELEVATION_RAD), np.sin(ELEVATION_RAD)
    # Parallel projection: bones keep their proportions wherever they are, and columns can be compared.
    return np.stack([right, cos * points_m[..., 2] + sin * depth, cos * depth - sin * points_m[..., 2]], axis=-1)


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


def _colour(joint: int, skeleton: Skeleton) -> str:
    return LEFT if joint in skeleton.left else RIGHT if joint in skeleton.right else MIDDLE


def _draw_bone(axes: Axes, ends: np.ndarray, colour: str, width: float, order: float) -> None:
    """One bone (2, 2 or more) in the axes' units, with a white rim so that the nearer of two bones is seen to be so."""
    line = Line2D(ends[:, 0], ends[:, 1], color=colour, linewidth=width, solid_capstyle="round", zorder=order)
    line.set_path_effects([Stroke(linewidth=width + 1.6, foreground="white"), Normal()])
    axes.add_line(line)


def _draw_picture(
    axes: Axes, keypoints_px: np.ndarray, skeleton: Skeleton, image_size_px: tuple[int, int], crop: np.ndarray
) -> None:
    """The frame's keypoints (joints, 2 or 3) on the part of their picture that `crop` (2, 2) shows, y down."""
    seen = _seen(keypoints_px)
    axes.add_patch(Rectangle((0, 0), *image_size_px, facecolor=PAPER, edgecolor=TARGET, linewidth=1, zorder=0))
    for child, parent in skeleton.bones:
        if seen[child] and seen[parent]:
            _draw_bone(axes, keypoints_px[[child, parent]], _colour(child, skeleton), 2.2, 2)
    colours = [_colour(joint, skeleton) for joint in np.flatnonzero(seen)]
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


def _seen(keypoints_px: np.ndarray) -> np.ndarray:
    """Which joints (...) of keypoints (..., 2 or 3) a detector saw; all, where it gives no confidence."""
    return keypoints_px[..., 2] > 0 if keypoints_px.shape[-1] == 3 else np.ones(keypoints_px.shape[:-1], bool)


def _crop(keypoints_px: np.ndarray) -> np.ndarray:
    """The square ((left, top), (right, bottom)) in pixels that holds all keypoints (..., 2 or 3) with a margin."""
    seen = _seen(keypoints_px)
    points = keypoints_px[seen if seen.any() else ~seen][:, :2]
    low, high = points.min(axis=0), points.max(axis=0)
    middle, half = (low + high) / 2, max(*(high - low), 2.0) * 0.58
    return np.stack([middle - half, middle + half])


def _draw_pose(axes: Axes, pose: np.ndarray, target: np.ndarray | None, skeleton: Skeleton, half: float) -> None:
    """Upright root-relative poses (joints, 3) above a floor that touches the lowest joint."""
    floor = _floor(pose if target is None else target)
    pose = pose - floor
    _draw_floor(axes, half)
    for child, parent in skeleton.bones:
        shadow = _to_paper(pose[[child, parent]] * (1, 1, 0))
        axes.plot(*shadow[:, :2].T, color=SHADOW, linewidth=3, solid_capstyle="round", alpha=0.6, zorder=1)
    points = _to_paper(pose)
    for child, parent in skeleton.bones:
        ends = points[[child, parent]]
        # Near bones over far ones; a person is less than 4 m deep, so the order stays between shadow and target.
        order = 4 - ends[:, 2].mean() / 4
        _draw_bone(axes, ends, _colour(child, skeleton), 3.4, order)
        if skeleton.joints[child].startswith("head") and child not in skeleton.parents:
            axes.add_patch(Circle(ends[:, :2].T @ (0.6, 0.4), HEAD_M, fc=MIDDLE, ec="white", lw=0.8, zorder=order))
    if target is not None:
        truth = _to_paper(target - floor)
        for child, parent in skeleton.bones:
            axes.plot(*truth[[child, parent], :2].T, color=TARGET, linewidth=1.1, solid_capstyle="round", zorder=6)
    axes.set(xticks=[], yticks=[])
    _bare(axes)


def _draw_floor(axes: Axes, half: float) -> None:
    axes.add_patch(Polygon(_to_paper(_corners(half))[:, :2], facecolor=FLOOR, edgecolor="none", zorder=0))
    for at in np.linspace(-half, half, round(2 * half / TILE_M) + 1):
        for ends in ([[at, -half, 0], [at, half, 0]], [[-half, at, 0], [half, at, 0]]):
            axes.plot(*_to_paper(np.array(ends))[:, :2].T, color=GRID, linewidth=0.7, zorder=0.5)


def _corners(half: float) -> np.ndarray:
    return np.array([[-half, -half, 0], [half, -half, 0], [half, half, 0], [-half, half, 0]])


def _floor(pose: np.ndarray) -> np.ndarray:
    """The point (3,) under the root at the height of the lowest joint."""
    return np.array([0, 0, pose[:, 2].min()])


def _floor_half(poses: np.ndarray) -> float:
    """Half the side of a floor of whole tiles that is large enough for every pose, metres."""
    return TILE_M * max(3, int(np.ceil(np.abs(poses[..., :2]).max() / TILE_M)))


def _reach(poses: np.ndarray, half: float) -> np.ndarray:
    """Limits ((left, bottom), (right, top)) on the paper, metres, that hold every pose and the floor."""
    points = np.concatenate([_corners(half), *(pose - _floor(pose) for pose in poses)])
    points = _to_paper(points)[:, :2]
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
