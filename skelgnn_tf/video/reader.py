"""Pictures of a video file, a folder or a webcam: one after another, upright, at a constant rate."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from skelgnn_tf.video.timeline import Picture, Stamped, at_constant_rate, newest, read_ahead

#: Suffixes of the pictures in a folder.
PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
_DEFAULT_FPS = 30.0


class Video:
    """A source of pictures. Iterating over a file or a folder starts at the first picture; a webcam goes on.

    Args:
        name: The source, used in messages.
        image_size_px: Width and height of the upright pictures.
        fps: Pictures per second. Iterating yields this rate, whatever the rate of the source is.
        num_frames: Number of pictures according to the source, or None for a webcam.
        stamped: Opens the source: an iterator over (seconds, uint8 (height, width, 3) RGB).
        notes: What was assumed because the source does not say it, one line each. Some are added at the end only.
    """

    def __init__(
        self,
        name: str,
        image_size_px: tuple[int, int],
        fps: float,
        num_frames: int | None,
        stamped: Callable[[], Iterator[Stamped]],
        notes: list[str],
    ) -> None:
        self.name, self.image_size_px, self.fps, self.num_frames = name, image_size_px, fps, num_frames
        self.notes = notes
        self._stamped = stamped

    @property
    def live(self) -> bool:
        """Whether the source has no end, like a webcam."""
        return self.num_frames is None

    def __iter__(self) -> Iterator[Picture]:
        """Yields the pictures, decoded ahead in a thread. A webcam yields its newest picture, so it never lags."""
        ahead = newest if self.live else read_ahead
        return at_constant_rate(ahead(self._stamped()), self.fps, self.notes)


def open_video(source: str | Path, fps: float | None = None) -> Video:
    """Opens a video file, a folder of pictures (in the order of their names) or a webcam.

    Pictures come upright, as the rotation in the file says, and with square pixels. A variable frame rate becomes
    constant: surplus pictures are left out, and a picture is repeated until there is a newer one.

    Args:
        source: A path, or `webcam:` and a number (on Windows a name).
        fps: Pictures per second. By default the rate of the file or webcam, and 30 for a folder.

    Raises:
        FileNotFoundError: The file or folder does not exist.
        ValueError: The file is empty, broken or has no pictures, the webcam cannot be opened, or the frame rate is
            unknown or invalid.

    Example:
        >>> for picture in open_video("squats.mp4"):  # doctest: +SKIP
        ...     print(picture.time_s, picture.rgb.shape)
    """
    if fps is not None and not 0 < fps < np.inf:
        raise ValueError(f"fps must be a number above 0 (pictures per second). Received: {fps}.")
    # PyAV takes a moment to import, and keypoint files and folders need none.
    if str(source).startswith("webcam:"):
        from skelgnn_tf.video import webcam

        camera = webcam.connect(str(source), fps)
        return Video(str(source), camera.image_size_px, camera.fps, None, camera.stamped, [])
    path = Path(source)
    if path.is_dir():
        return _folder(path, fps)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: file not found. Expected a video, a folder of pictures, or webcam:0.")
    from skelgnn_tf.video import video_file

    file, notes = video_file.inspect(path, fps)
    return Video(
        str(path), file.image_size_px, file.fps, file.num_frames, lambda: video_file.decode(file, notes), notes
    )


def _folder(path: Path, fps: float | None) -> Video:
    files = sorted((f for f in path.iterdir() if f.suffix.lower() in PICTURES and f.is_file()), key=_natural)
    if not files:
        raise ValueError(f"{path}: the folder must hold pictures ({', '.join(PICTURES)}). Received: none.")
    notes = []
    if fps is None:
        fps = _DEFAULT_FPS
        notes.append(f"pictures have no frame rate; {fps:g} per second are assumed, in the order of their names")
    rate = fps
    height, width, _ = _read_picture(files[0]).shape

    def stamped() -> Iterator[Stamped]:
        for index, file in enumerate(files):
            rgb = _read_picture(file)
            if rgb.shape[:2] != (height, width):
                raise ValueError(
                    f"{file}: all pictures of a video must have the same size. Received: {rgb.shape[1]} x "
                    f"{rgb.shape[0]} pixels, {width} x {height} in {files[0].name}."
                )
            yield index / rate, rgb

    return Video(str(path), (width, height), rate, len(files), stamped, notes)


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sorts 2.png before 10.png."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", path.name)]


def _read_picture(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as picture:
            # Phones rotate photos by a tag.
            return np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{path}: the file must be a picture that Pillow can read. Received: {reason}.") from error
