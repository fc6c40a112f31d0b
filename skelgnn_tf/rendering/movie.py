"""A scene as a file: GIF, MP4, a PNG with some of its frames, or a page. Frames are painted while they are written."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import GifImagePlugin, Image
from rich.console import Console
from rich.progress import track

from skelgnn_tf.atomic_write import atomic_write
from skelgnn_tf.rendering.page import page_text
from skelgnn_tf.rendering.painter import Painter
from skelgnn_tf.rendering.scene import Scene
from skelgnn_tf.rendering.view import AZIMUTH_RAD

#: Size that the picture of a frame is fitted into, pixels.
_MP4_BOX, _GIF_BOX, _SHEET_BOX = (960, 720), (480, 480), (480, 420)
#: Duration of one rotation of the 3D skeleton.
_TURN_S = 12.0
#: A higher frame rate only makes a GIF larger.
_GIF_FPS = 12.5
_SHEET_FRAMES = 8
#: Largest width of a contact sheet, pixels.
_SHEET_WIDTH = 1900


def render(
    scene: Scene, path: str | Path, pictures: Iterable[np.ndarray] | None = None, console: Console | None = None
) -> Path:
    """Writes a scene as .gif, .mp4, .png or .html. The file is complete or does not appear.

    .mp4 has every frame, .gif at most 12.5 per second, and .png eight frames at even intervals. .html is a page that
    opens offline. It has the keypoints and a 3D skeleton that can be rotated, but no pictures.

    Args:
        scene: The scene.
        path: Path of the file.
        pictures: The pictures of all frames in order, RGB uint8 (height, width, 3). They are read one by one and not
            kept. By default there are none.
        console: Where a progress bar is shown. By default there is none.

    Returns:
        The path.

    Raises:
        ValueError: The suffix is unknown, or there are fewer pictures than frames.

    Example:
        >>> render(scene, "squats.mp4", (picture.rgb for picture in open_video("squats.mov")))  # doctest: +SKIP
    """
    path = Path(path)
    check_render_suffix(path)
    with atomic_write(path) as tmp:
        _WRITERS[path.suffix](scene, pictures, tmp, console)
    return path


def check_render_suffix(path: str | Path) -> None:
    """Raises ValueError unless `render` can write files with the suffix of a path."""
    suffix = Path(path).suffix
    if suffix not in _WRITERS:
        raise ValueError(f"{path}: the suffix must be one of {', '.join(_WRITERS)}. Received: {suffix or 'no suffix'}.")


def _painted(
    scene: Scene,
    painter: Painter,
    frames: range | list[int],
    pictures: Iterable[np.ndarray] | None,
    console: Console | None,
    is_turning: bool,
) -> Iterator[Image.Image]:
    """Yields the painted frames of a scene one after another."""
    chosen = set(frames)
    together = enumerate(itertools.repeat(None) if pictures is None else pictures)
    shown = track(
        ((frame, picture) for frame, picture in itertools.islice(together, frames[-1] + 1) if frame in chosen),
        "rendering",
        total=len(frames),
        console=console,
        transient=True,
        disable=console is None,
    )
    drawn = 0
    for frame, picture in shown:
        turned = 2 * np.pi * frame / (scene.fps * _TURN_S) if is_turning else 0.0
        yield painter.paint(frame, picture, AZIMUTH_RAD + turned)
        drawn += 1
    if drawn < len(frames):
        raise ValueError(
            f"{scene.title}: pictures must have one entry for each of the {scene.num_frames} frames. Received: fewer."
        )


def _write_gif(scene: Scene, pictures: Iterable[np.ndarray] | None, path: Path, console: Console | None) -> None:
    """An endless GIF. Pillow's own `save` would keep all frames in memory."""
    step = max(1, math.ceil(scene.fps / _GIF_FPS - 1e-6))
    painter = Painter(scene, _GIF_BOX)
    images = _painted(scene, painter, range(0, scene.num_frames, step), pictures, console, is_turning=True)
    clock_cs = 0
    with open(path, "wb") as file:
        for i, image in enumerate(images):
            image = _indexed(image, painter.picture_px[0])
            if not i:
                header, _ = GifImagePlugin.getheader(image.copy(), info={"loop": 0})
                file.write(b"".join(header))
            # GIF counts hundredths of a second; rounding the sum keeps the time exact.
            duration_cs = max(2, round((i + 1) * step * 100 / scene.fps) - clock_cs)
            clock_cs += duration_cs
            file.write(b"".join(GifImagePlugin.getdata(image, duration=10 * duration_cs, include_color_table=True)))
        file.write(b";")


def _indexed(image: Image.Image, width: int) -> Image.Image:
    """An image with 256 colors, chosen quickly for the picture of this width and exactly for the drawing next to it."""
    parts = [(0, width, 192, Image.Quantize.FASTOCTREE), (width, image.width, 64, Image.Quantize.MEDIANCUT)]
    indices: list[np.ndarray] = []
    colors: list[int] = []
    for left, right, count, method in parts:
        part = image.crop((left, 0, right, image.height)).quantize(count, method=method, dither=Image.Dither.NONE)
        indices.append(np.asarray(part, np.uint8) + np.uint8(len(colors) // 3))
        colors += ((part.getpalette() or []) + [0] * 3 * count)[: 3 * count]
    out = Image.fromarray(np.concatenate(indices, axis=1), "P")
    out.putpalette(colors)
    return out


def _write_mp4(scene: Scene, pictures: Iterable[np.ndarray] | None, path: Path, console: Console | None) -> None:
    # It takes a moment to import, and the other formats do not need it.
    import av

    painter = Painter(scene, _MP4_BOX)
    # H.264 plays everywhere. FFmpeg's own MPEG-4 is in every build.
    codec = next(name for name in ("libx264", "mpeg4") if name in av.codecs_available)
    images = _painted(scene, painter, range(scene.num_frames), pictures, console, is_turning=True)
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as container:
        stream = container.add_stream(codec, rate=Fraction(scene.fps).limit_denominator(1001))
        stream.width, stream.height = painter.size_px
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "20", "preset": "veryfast"} if codec == "libx264" else {"q:v": "4"}
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(image), format="rgb24")))
        container.mux(stream.encode(None))


def _write_png(scene: Scene, pictures: Iterable[np.ndarray] | None, path: Path, console: Console | None) -> None:
    """A contact sheet with all 3D skeletons from the same side, so that they can be compared."""
    painter = Painter(scene, _SHEET_BOX)
    frames = np.unique(np.linspace(0, scene.num_frames - 1, _SHEET_FRAMES).round().astype(int)).tolist()
    width, height = painter.size_px
    columns = max(1, min(len(frames), _SHEET_WIDTH // width))
    sheet = Image.new("RGB", (columns * width, math.ceil(len(frames) / columns) * height), "white")
    for i, image in enumerate(_painted(scene, painter, frames, pictures, console, is_turning=False)):
        sheet.paste(image, (i % columns * width, i // columns * height))
    sheet.save(path, format="png")


def _write_html(scene: Scene, pictures: Iterable[np.ndarray] | None, path: Path, console: Console | None) -> None:
    path.write_text(page_text(scene), encoding="utf-8")


_WRITERS: dict[str, Callable[[Scene, Iterable[np.ndarray] | None, Path, Console | None], None]] = {
    ".gif": _write_gif,
    ".mp4": _write_mp4,
    ".png": _write_png,
    ".html": _write_html,
}
