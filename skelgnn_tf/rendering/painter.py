"""Paints frames of a scene: the picture with its 2D skeleton, and beside it the 3D skeleton on a floor."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from skelgnn_tf.rendering.scene import Scene
from skelgnn_tf.rendering.view import (
    ELEVATION_RAD,
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
    head_bones,
    side_colour,
    to_paper,
)

#: Everything is drawn twice as large and reduced, which smooths its edges.
_FINER = 2
_LEAST_HEIGHT = 300
_MARGIN_M = 0.08


class Painter:
    """Paints frames of a scene in one size.

    Pillow and not matplotlib, which takes seven times as long for a frame.

    Args:
        scene: What to paint.
        box_px: Width and height that the picture is fitted into; the 3D skeleton stands beside it.
    """

    def __init__(self, scene: Scene, box_px: tuple[int, int]) -> None:
        self.scene = scene
        width, height = scene.image_size_px
        scale = min(box_px[0] / width, box_px[1] / height)
        # Even numbers, which video wants.
        self.picture_px = max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)
        tall = max(self.picture_px[1], _LEAST_HEIGHT)
        self.panel_px = min(tall, 540), tall
        self.size_px = self.picture_px[0] + self.panel_px[0], tall
        # Lines and letters grow with the picture, within what can be read.
        self.unit = float(np.clip(tall / 540, 0.7, 1.2)) * _FINER
        if scene.pose_m is not None:
            self.pose = scene.standing_m
            self._measure()

    def _measure(self) -> None:
        """A floor and a scale at which every pose fits from every side."""
        pose = np.nan_to_num(self.pose)
        reach = np.hypot(pose[..., 0], pose[..., 1]).max()
        self.floor_m = TILE_M * max(3, int(np.ceil(reach / TILE_M)))
        cos, sin = np.cos(ELEVATION_RAD), np.sin(ELEVATION_RAD)
        above = max(cos * (pose[..., 2].max() + HEAD_M) + sin * reach, sin * self.floor_m) + _MARGIN_M
        below = sin * self.floor_m + _MARGIN_M
        lines = max((len(lines) for lines in self.scene.captions), default=0)
        words = min((24 + 34 * (lines > 0) + 21 * max(lines - 1, 0)) * self.unit / _FINER, self.panel_px[1] * 0.4)
        foot = 30 * self.unit / _FINER
        room = self.panel_px[1] - words - foot
        self.px_per_m = min(self.panel_px[0] / (2 * self.floor_m + 2 * _MARGIN_M), room / (above + below)) * _FINER
        # In the middle of what the words leave.
        left_over = room * _FINER - (above + below) * self.px_per_m
        down = words * _FINER + left_over / 2 + above * self.px_per_m
        self.ground_px = np.array([self.panel_px[0] / 2 * _FINER, down])

    def paint(self, frame: int, picture: np.ndarray | None, azimuth_rad: float) -> Image.Image:
        """One frame as an RGB image of `size_px`.

        Args:
            frame: Which.
            picture: RGB uint8 (height, width, 3), or None for none.
            azimuth_rad: Where the 3D skeleton is looked at from, as in `to_paper`.
        """
        canvas = Image.new("RGB", self.size_px, "white")
        top = (self.size_px[1] - self.picture_px[1]) // 2
        canvas.paste(self._picture(frame, picture), (0, top))
        canvas.paste(self._panel(frame, azimuth_rad), (self.picture_px[0], 0))
        return canvas

    def _picture(self, frame: int, picture: np.ndarray | None) -> Image.Image:
        """The picture, or paper, with the keypoints on it."""
        scene, size = self.scene, self.picture_px
        if picture is None:
            image = Image.new("RGB", size, PAPER)
        else:
            image = Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR, reducing_gap=1.0)
        keypoints = scene.keypoints_px[frame]
        is_seen = keypoints[:, 2] > 0
        points = keypoints[:, :2] * np.divide(size, scene.image_size_px)
        # Only the person's part is drawn finer; enlarging whole pixels and reducing them again leaves them as they are.
        box = _box(points[is_seen], size)
        if box is None:
            return image
        part = image.crop(box)
        part = part.resize((part.width * _FINER, part.height * _FINER), Image.Resampling.NEAREST)
        draw = ImageDraw.Draw(part)
        points = (points - box[:2]) * _FINER
        # Thinner on someone far away, whose arms would else be one blot.
        thick = float(np.clip(max(box[2] - box[0], box[3] - box[1]) / (0.4 * max(size)), 0.6, 1))
        for child, parent in scene.skeleton.bones:
            if is_seen[child] and is_seen[parent]:
                self._bone(draw, points[[child, parent]], side_colour(child, scene.skeleton), 3.2 * thick)
        for joint in np.flatnonzero(is_seen):
            self._dot(draw, points[joint], 4.4 * thick, "white")
            self._dot(draw, points[joint], 3.2 * thick, side_colour(joint, scene.skeleton))
        image.paste(part.reduce(_FINER), box[:2])
        return image

    def _panel(self, frame: int, azimuth_rad: float) -> Image.Image:
        """The 3D skeleton and the words."""
        width, height = (side * _FINER for side in self.panel_px)
        panel = Image.new("RGB", (width, height), "white")
        draw = ImageDraw.Draw(panel)
        if self.scene.pose_m is not None:
            self._paint_floor(draw, azimuth_rad)
            if np.isnan(self.pose[frame]).any():
                draw.text(
                    (width / 2, height / 2), "nobody is seen", TARGET, _font(round(15 * self.unit), False), anchor="mm"
                )
            else:
                self._paint_pose(draw, self.pose[frame], azimuth_rad)
        self._paint_words(draw, frame)
        return panel.reduce(_FINER)

    def _paint_floor(self, draw: ImageDraw.ImageDraw, azimuth_rad: float) -> None:
        """A round floor with tiles, so that it fits from every side and its turning is seen."""
        radius, turn = self.floor_m, np.linspace(0, 2 * np.pi, 72)
        rim = self._places(radius * np.stack([np.cos(turn), np.sin(turn), 0 * turn], axis=-1), azimuth_rad)
        draw.polygon([tuple(place) for place in rim], fill=FLOOR)
        for at in np.arange(-radius + TILE_M, radius, TILE_M):
            half = np.sqrt(max(radius**2 - at**2, 0))
            for ends in ([[at, -half, 0], [at, half, 0]], [[-half, at, 0], [half, at, 0]]):
                places = self._places(np.array(ends), azimuth_rad)
                draw.line([tuple(place) for place in places], fill=GRID, width=round(self.unit))

    def _paint_pose(self, draw: ImageDraw.ImageDraw, pose: np.ndarray, azimuth_rad: float) -> None:
        skeleton, depth = self.scene.skeleton, to_paper(pose, azimuth_rad)[:, 2]
        places, shadows = self._places(pose, azimuth_rad), self._places(pose * (1, 1, 0), azimuth_rad)
        for child, parent in skeleton.bones:
            self._stroke(draw, shadows[[child, parent]], 5.5, SHADOW)
        heads = head_bones(skeleton)
        # Near bones over far ones.
        for child, parent in sorted(skeleton.bones, key=lambda bone: -depth[list(bone)].sum()):
            ends, radius = places[[child, parent]], HEAD_M * self.px_per_m / self.unit
            if child in heads:
                ends[0] = ends.T @ (0.6, 0.4)
                self._dot(draw, ends[0], radius + 1.1, "white")
            self._bone(draw, ends, side_colour(child, skeleton), 6.0)
            if child in heads:
                self._dot(draw, ends[0], radius, MIDDLE)

    def _paint_words(self, draw: ImageDraw.ImageDraw, frame: int) -> None:
        lines = self.scene.captions[frame] if self.scene.captions else ()
        down = 14.0
        for i, line in enumerate(lines):
            self._write(draw, (16, down), line, 15 if i else 24, MIDDLE, bold=not i)
            down += 21 if i else 34
        at = 16.0
        for name, side in (("left", LEFT), ("right", RIGHT)):
            self._write(draw, (at, -12), name, 13, side, bold=True, anchor="ls")
            at += 42
        self._write(draw, (-12, -12), f"{frame / self.scene.fps:.1f} s", 13, TARGET, anchor="rs")

    def _places(self, points_m: np.ndarray, azimuth_rad: float) -> np.ndarray:
        """Upright metres (..., 3) -> (..., 2) pixels of the finer canvas."""
        return self.ground_px + to_paper(points_m, azimuth_rad)[..., :2] * (self.px_per_m, -self.px_per_m)

    def _bone(self, draw: ImageDraw.ImageDraw, ends: np.ndarray, fill: str, width: float) -> None:
        """A bone (2, 2) with a white rim, so that the nearer of two is seen to be so."""
        self._stroke(draw, ends, width + min(2.2, 0.7 * width), "white")
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
        """Text on the panel; places are in units from its left and top, below 0 from its right and bottom."""
        place = [
            at * self.unit + (side * _FINER if at < 0 else 0) for at, side in zip(place, self.panel_px, strict=True)
        ]
        draw.text(tuple(place), text, fill=fill, font=_font(round(size * self.unit), bold), anchor=anchor)


def _box(points: np.ndarray, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom in whole pixels that hold points (n, 2) with a margin, inside a picture; or None."""
    if not len(points):
        return None
    low = np.clip(np.floor(points.min(axis=0)) - 8, 0, size).astype(int)
    high = np.clip(np.ceil(points.max(axis=0)) + 8, 0, size).astype(int)
    return None if (high <= low).any() else (int(low[0]), int(low[1]), int(high[0]), int(high[1]))


@lru_cache(maxsize=16)
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which matplotlib brings: it knows more letters than Pillow's own."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)
