"""Pictures of a video file, of a folder or of a webcam: one after the other, upright, at a constant rate."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from skelgnn_tf.video import video_file, webcam
from skelgnn_tf.video.timeline import Picture, Stamped, at_constant_rate, newest, read_ahead

#: What a folder's pictures may end with.
PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
_USUAL_FPS = 30.0


class Video:
    """Something to look at picture by picture; a file or a folder can be looked at again, a webcam goes on.

    Args:
        name: The source, for messages.
        image_size_px: Width and height of the upright picture.
        fps: Pictures per second; iterating gives exactly so many, whatever the source's own rate does.
        num_frames: How many will come, as far as the file says; None for a webcam.
        stamped: Opens the source: (seconds, uint8 (height, width, 3) red green blue) as they come.
        notes: What the source did not say and was taken for granted, a line each; some are known only at the end.
    """

    def __init__(
        self,
        name: str,
        image_size_px: tuple[int, int],
        fps: float,
        num_frames: int | None,
        stamped: Callable[[], Iterator[Stamped]],
        notes: list[str],
    ):
        self.name, self.image_size_px, self.fps, self.num_frames = name, image_size_px, fps, num_frames
        self.notes = notes
        self._stamped = stamped

    @property
    def live(self) -> bool:
        """Whether it goes on for as long as one looks."""
        return self.num_frames is None

    def __iter__(self) -> Iterator[Picture]:
        """The pictures, decoded ahead in a thread; of a webcam always the newest, so a slow reader never lags."""
        ahead = newest if self.live else read_ahead
        return at_constant_rate(ahead(self._stamped()), self.fps, self.notes)


def open_video(source: str | Path, fps: float | None = None) -> Video:
    """Opens a video file, a folder of pictures (in the order of their names) or `webcam:0`.

    Pictures come upright as the file's rotation says, with square pixels. A variable frame rate becomes constant:
    pictures are left out, and repeated until there is a newer one.

    Args:
        source: Path, or `webcam:` and a number (on Windows a name).
        fps: Pictures per second, whatever the file says; None takes the file's, and 30 for a folder.

    Raises:
        FileNotFoundError: There is no such file, folder or webcam.
        ValueError: A file that is empty, broken or without pictures, an unknown or impossible frame rate; one line
            that says what was expected.

    Example:
        >>> for picture in open_video("squats.mp4"):  # doctest: +SKIP
        ...     print(picture.time_s, picture.rgb.shape)
    """
    if fps is not None and not 0 < fps < np.inf:
        raise ValueError(f"fps wants pictures per second, a number above 0; got {fps}")
    if str(source).startswith("webcam:"):
        camera = webcam.connect(str(source), fps)
        return Video(str(source), camera.image_size_px, camera.fps, None, camera.stamped, [])
    path = Path(source)
    if path.is_dir():
        return _folder(path, fps)
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}; expected a video, a folder of pictures, or webcam:0")
    file, notes = video_file.inspect(path, fps)
    return Video(
        str(path), file.image_size_px, file.fps, file.num_frames, lambda: video_file.decode(file, notes), notes
    )


def _folder(path: Path, fps: float | None) -> Video:
    files = sorted((f for f in path.iterdir() if f.suffix.lower() in PICTURES and f.is_file()), key=_natural)
    if not files:
        raise ValueError(f"{path} holds no pictures; expected {', '.join(PICTURES)}")
    notes = []
    if fps is None:
        fps = _USUAL_FPS
        notes.append(f"pictures have no frame rate; {fps:g} a second are assumed, in the order of their names")
    height, width, _ = _read_picture(files[0]).shape

    def stamped() -> Iterator[Stamped]:
        for index, file in enumerate(files):
            rgb = _read_picture(file)
            if rgb.shape[:2] != (height, width):
                raise ValueError(
                    f"{file} has {rgb.shape[1]} x {rgb.shape[0]} pixels, {files[0].name} has {width} x {height}; "
                    "pictures of one video have one size"
                )
            yield index / fps, rgb

    return Video(str(path), (width, height), fps, len(files), stamped, notes)


def _natural(path: Path) -> list:
    """Sorts 2.png before 10.png."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", path.name)]


def _read_picture(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as picture:
            # Phones turn photos by a tag too.
            return np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path} is no picture that Pillow can read ({str(error).splitlines()[0]})") from error
