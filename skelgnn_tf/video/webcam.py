"""A webcam, read by PyAV. Written from FFmpeg's manuals and tried with its test source, not with a real camera."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import av

from skelgnn_tf.video.timeline import Stamped

_DEFAULT_FPS = 30.0
#: For each system: FFmpeg's input device, and its name of the camera with a number or name.
_DEVICES = {"linux": ("v4l2", "/dev/video{}"), "darwin": ("avfoundation", "{}"), "win32": ("dshow", "video={}")}


class Webcam:
    """An open camera.

    Args:
        name: Name of the camera, used in messages.
        file: The device's name of the camera.
        device: FFmpeg's input device.
        fps: Pictures per second. By default the camera's own rate, which it may not keep.

    Raises:
        ValueError: The camera does not exist or yields no pictures.
    """

    def __init__(self, name: str, file: str, device: str, fps: float | None) -> None:
        self.name = name
        try:
            self._container = av.open(file, format=device)
            self._stream = self._container.streams.video[0]
            # A frame-threaded decoder delivers every picture some pictures late.
            self._stream.thread_type = "SLICE"
            first = next(self._container.decode(self._stream))
        except (OSError, ValueError, IndexError, StopIteration) as error:
            raise ValueError(
                f"{name}: the camera cannot be opened ({device} {file}: {getattr(error, 'strerror', None) or error}). "
                "Check that it is plugged in, not in use, and that this program may access it."
            ) from error
        self.image_size_px = (first.width, first.height)
        self.fps = fps or float(self._stream.average_rate or 0) or _DEFAULT_FPS

    def stamped(self) -> Iterator[Stamped]:
        """Yields the time of arrival in seconds (this machine's clock) and the picture, until the camera closes."""
        width, height = self.image_size_px
        with self._container:
            try:
                for frame in self._container.decode(self._stream):
                    yield time.monotonic(), frame.to_ndarray(format="rgb24", width=width, height=height)
            except av.FFmpegError as error:
                raise ValueError(
                    f"{self.name}: the camera was lost ({error.strerror}). Check that it is plugged in."
                ) from error


def connect(source: str, fps: float | None) -> Webcam:
    """Opens the camera `webcam:0`, `webcam:1`, ... (on Windows `webcam:NAME`).

    Raises:
        ValueError: The name has another form, the system is unknown, or the camera cannot be opened.
    """
    number = source.removeprefix("webcam:")
    if not number or (sys.platform == "linux" and not number.isdigit()):
        raise ValueError(f"the webcam must be webcam:0, webcam:1, ... Received: {source!r}.")
    if sys.platform not in _DEVICES:
        raise ValueError(f"{source}: the system must be {', '.join(_DEVICES)}. Received: {sys.platform}.")
    device, file = _DEVICES[sys.platform]
    return Webcam(source, file.format(number), device, fps)
