"""Paints frames of a scene: the picture with its 2D skeleton, and next to it the 3D skeleton on a floor."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from skelgnn_tf.rendering.figure import (
    GUESSED,
    LEFT,
    MIDDLE,
    NOBODY,
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
from skelgnn_tf.rendering.scene import Scene
from skelgnn_tf.rendering.view import ELEVATION_RAD, FLOOR, GRID, PAPER, TILE_M, to_paper

#: Everything is drawn at twice the size and reduced, which smooths edges.
_FINER = 2
_MIN_HEIGHT = 300
_MARGIN_M = 0.08


class Painter:
    """Paints frames of a scene, all in the same size.

    It uses Pillow, since matplotlib takes seven times as long for a frame.

    Args:
        scene: The scene.
        box_px: Width and height that the picture is fitted into. The 3D skeleton is drawn next to it.
    """

    def __init__(self, scene: Scene, box_px: tuple[int, int]) -> None:
        self.scene = scene
        self.bones, self.joint_colors = drawn_bones(scene.skeleton), joint_colors(scene.skeleton)
        width, height = scene.image_size_px
        scale = min(box_px[0] / width, box_px[1] / height)
        # Video requires even numbers.
        self.picture_px = max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)
        tall = max(self.picture_px[1], _MIN_HEIGHT)
        self.panel_px = min(tall, 540), tall
        self.size_px = self.picture_px[0] + self.panel_px[0], tall
        # Lines and letters grow with the picture, within readable limits.
        self.unit = float(np.clip(tall / 540, 0.7, 1.2)) * _FINER
        self.pose = scene.standing_m
        if self.pose is not None:
            self._measure(self.pose)

    def _measure(self, pose: np.ndarray) -> None:
        """Sets a floor and a scale at which every pose fits from every side."""
        pose = np.nan_to_num(pose)
        reach = np.hypot(pose[..., 0], pose[..., 1]).max()
        self.floor_m = TILE_M * max(3, int(np.ceil(reach / TILE_M)))
        cos, sin = np.cos(ELEVATION_RAD), np.sin(ELEVATION_RAD)
        above = max(cos * (pose[..., 2].max() + STYLE.head_radius_m) + sin * reach, sin * self.floor_m) + _MARGIN_M
        below = sin * self.floor_m + _MARGIN_M
        lines = max((len(lines) for lines in self.scene.captions), default=0)
        text = min((24 + 34 * (lines > 0) + 21 * max(lines - 1, 0)) * self.unit / _FINER, self.panel_px[1] * 0.4)
        foot = 30 * self.unit / _FINER
        room = self.panel_px[1] - text - foot
        self.px_per_m = min(self.panel_px[0] / (2 * self.floor_m + 2 * _MARGIN_M), room / (above + below)) * _FINER
        # In the middle of the room below the captions.
        left_over = room * _FINER - (above + below) * self.px_per_m
        down = text * _FINER + left_over / 2 + above * self.px_per_m
        self.ground_px = np.array([self.panel_px[0] / 2 * _FINER, down])

    def paint(self, frame: int, picture: np.ndarray | None, azimuth_rad: float) -> Image.Image:
        """Paints one frame as an RGB image of `size_px`.

        Args:
            frame: Index of the frame.
            picture: RGB uint8 (height, width, 3), or None without a picture.
            azimuth_rad: Direction of the view of the 3D skeleton, as in `to_paper`.
        """
        canvas = Image.new("RGB", self.size_px, "white")
        top = (self.size_px[1] - self.picture_px[1]) // 2
        canvas.paste(self._picture(frame, picture), (0, top))
        canvas.paste(self._panel(frame, azimuth_rad), (self.picture_px[0], 0))
        return canvas

    def _picture(self, frame: int, picture: np.ndarray | None) -> Image.Image:
        """The picture, or plain paper, with the keypoints."""
        scene, size = self.scene, self.picture_px
        if picture is None:
            image = Image.new("RGB", size, PAPER)
        else:
            image = Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR, reducing_gap=1.0)
        keypoints = scene.keypoints_px[frame]
        seen = is_seen(keypoints)
        points = keypoints[:, :2] * np.divide(size, scene.image_size_px)
        # Only the person's part is drawn finer; enlarging and reducing whole pixels leaves the others as they are.
        box = _box(points[seen], size)
        if box is None:
            return image
        part = image.crop(box)
        part = part.resize((part.width * _FINER, part.height * _FINER), Image.Resampling.NEAREST)
        draw = ImageDraw.Draw(part)
        points = (points - box[:2]) * _FINER
        # Thinner for a distant person, whose arms would otherwise merge.
        thick = float(np.clip(max(box[2] - box[0], box[3] - box[1]) / (0.4 * max(size)), 0.6, 1))
        for bone in self.bones:
            if seen[bone.child] and seen[bone.parent]:
                self._bone(draw, points[[bone.child, bone.parent]], bone.color, STYLE.bone_2d * thick)
        for joint in np.flatnonzero(seen):
            self._dot(draw, points[joint], (STYLE.joint_radius + STYLE.joint_outline) * thick, OUTLINE)
            self._dot(draw, points[joint], STYLE.joint_radius * thick, self.joint_colors[joint])
        image.paste(part.reduce(_FINER), box[:2])
        return image

    def _panel(self, frame: int, azimuth_rad: float) -> Image.Image:
        """The 3D skeleton and the captions."""
        width, height = (side * _FINER for side in self.panel_px)
        panel = Image.new("RGB", (width, height), "white")
        draw = ImageDraw.Draw(panel)
        if self.pose is not None:
            self._paint_floor(draw, azimuth_rad)
            if np.isnan(self.pose[frame]).any():
                font = _font(round(15 * self.unit), False)
                draw.text((width / 2, height / 2), NOBODY, TARGET, font, anchor="mm")
            else:
                self._paint_pose(draw, self.pose[frame], self.scene.unseen[frame], azimuth_rad)
        self._paint_captions(draw, frame)
        return panel.reduce(_FINER)

    def _paint_floor(self, draw: ImageDraw.ImageDraw, azimuth_rad: float) -> None:
        """A round floor, which fits from every side, with tiles, which show the rotation."""
        radius, turn = self.floor_m, np.linspace(0, 2 * np.pi, 72)
        rim = self._places(radius * np.stack([np.cos(turn), np.sin(turn), 0 * turn], axis=-1), azimuth_rad)
        draw.polygon([tuple(place) for place in rim], fill=FLOOR)
        for at in np.arange(-radius + TILE_M, radius, TILE_M):
            half = np.sqrt(max(radius**2 - at**2, 0))
            for ends in ([[at, -half, 0], [at, half, 0]], [[-half, at, 0], [half, at, 0]]):
                places = self._places(np.array(ends), azimuth_rad)
                draw.line([tuple(place) for place in places], fill=GRID, width=round(self.unit))

    def _paint_pose(self, draw: ImageDraw.ImageDraw, pose: np.ndarray, unseen: np.ndarray, azimuth_rad: float) -> None:
        depth = to_paper(pose, azimuth_rad)[:, 2]
        places, shadows = self._places(pose, azimuth_rad), self._places(pose * (1, 1, 0), azimuth_rad)
        for bone in self.bones:
            # A shadow would say that something stands there.
            if not bone.is_ghost(unseen):
                self._stroke(draw, shadows[[bone.child, bone.parent]], STYLE.shadow, SHADOW)
        radius = STYLE.head_radius_m * self.px_per_m / self.unit
        for bone in far_to_near(self.bones, depth):
            ends, is_ghost = bone.ends(places), bone.is_ghost(unseen)
            if bone.has_head:
                self._dot(draw, ends[0], radius + STYLE.head_outline, OUTLINE)
            self._bone(draw, ends, bone.ghost if is_ghost else bone.color, STYLE.ghost if is_ghost else STYLE.bone_3d)
            if bone.has_head:
                self._dot(draw, ends[0], radius, bone.ghost if is_ghost else bone.color)

    def _paint_captions(self, draw: ImageDraw.ImageDraw, frame: int) -> None:
        lines = self.scene.captions[frame] if self.scene.captions else ()
        down = 14.0
        for i, line in enumerate(lines):
            self._write(draw, (16, down), line, 15 if i else 24, MIDDLE, bold=not i)
            down += 21 if i else 34
        at = 16.0
        for name, side in (("left", LEFT), ("right", RIGHT)):
            self._write(draw, (at, -12), name, 13, side, bold=True, anchor="ls")
            at += 42
        if self.scene.unseen.any():
            self._write(draw, (at, -12), GUESSED, 13, TARGET, anchor="ls")
        self._write(draw, (-12, -12), f"{frame / self.scene.fps:.1f} s", 13, TARGET, anchor="rs")

    def _places(self, points_m: np.ndarray, azimuth_rad: float) -> np.ndarray:
        """Upright meters (..., 3) -> (..., 2) pixels of the finer canvas."""
        return self.ground_px + to_paper(points_m, azimuth_rad)[..., :2] * (self.px_per_m, -self.px_per_m)

    def _bone(self, draw: ImageDraw.ImageDraw, ends: np.ndarray, fill: str, width: float) -> None:
        """A bone (2, 2) with an outline, which shows the nearer of two bones."""
        self._stroke(draw, ends, STYLE.outlined(width), OUTLINE)
        self._stroke(draw, ends, width, fill)

    def _stroke(self, draw: ImageDraw.ImageDraw, ends: np.ndarray, width: float, fill: str) -> None:
        draw.line([tuple(end) for end in ends], fill=fill, width=max(1, round(width * self.unit)))
        for end in ends:
            self._dot(draw, end, width / 2, fill)

    def _dot(self, draw: ImageDraw.ImageDraw, place: np.ndarray, radius: float, fill: str) -> None:
        (x, y), radius = place, radius * self.unit
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)

    def _write(
        self,
        draw: ImageDraw.ImageDraw,
        place: tuple[float, float],
        text: str,
        size: float,
        fill: str,
        bold: bool = False,
        anchor: str = "la",
    ) -> None:
        """Text on the panel. Positions are in units from the left and top, below 0 from the right and bottom."""
        x, y = (
            at * self.unit + (side * _FINER if at < 0 else 0) for at, side in zip(place, self.panel_px, strict=True)
        )
        draw.text((x, y), text, fill=fill, font=_font(round(size * self.unit), bold), anchor=anchor)


def _box(points: np.ndarray, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom in whole pixels of points (n, 2) with a margin, inside a picture; or None."""
    if not len(points):
        return None
    low = np.clip(np.floor(points.min(axis=0)) - 8, 0, size).astype(int)
    high = np.clip(np.ceil(points.max(axis=0)) + 8, 0, size).astype(int)
    return None if (high <= low).any() else (int(low[0]), int(low[1]), int(high[0]), int(high[1]))


@lru_cache(maxsize=16)
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    """DejaVu Sans of matplotlib, which has more letters than Pillow's own font."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)
