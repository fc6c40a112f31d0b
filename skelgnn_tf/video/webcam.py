"""A webcam by PyAV's devices. Written by FFmpeg's manuals; tried with its test picture, not with a real camera."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

from skelgnn_tf.video.timeline import Stamped
from skelgnn_tf.video.video_file import import_av

_USUAL_FPS = 30.0
#: For each system: FFmpeg's device, and what it calls the camera of that number or name.
_DEVICES = {"linux": ("v4l2", "/dev/video{}"), "darwin": ("avfoundation", "{}"), "win32": ("dshow", "video={}")}


class Webcam:
    """A camera that is on.

    Args:
        name: For messages.
        file: What the device calls it.
        device: FFmpeg's input device.
        fps: Pictures per second; None asks the camera, which need not keep to it.

    Raises:
        ValueError: No such camera, or one that gives no pictures.
    """

    def __init__(self, name: str, file: str, device: str, fps: float | None):
        av = import_av()
        self.name = name
        try:
            self._container = av.open(file, format=device)
            self._stream = self._container.streams.video[0]
            # A frame-threaded decoder shows every picture some pictures late.
            self._stream.thread_type = "SLICE"
            first = next(self._container.decode(self._stream))
        except (OSError, ValueError, IndexError, StopIteration) as error:
            raise ValueError(
                f"{name} cannot be opened ({device} {file}: {getattr(error, 'strerror', None) or error}); is it "
                "plugged in, free, and allowed to this program?"
            ) from error
        self.image_size_px = (first.width, first.height)
        self.fps = fps or float(self._stream.average_rate or 0) or _USUAL_FPS

    def stamped(self) -> Iterator[Stamped]:
        """Pictures, and when they came by this machine's clock in seconds; ends with the camera's closing."""
        import av

        width, height = self.image_size_px
        with self._container:
            try:
                for frame in self._container.decode(self._stream):
                    yield time.monotonic(), frame.to_ndarray(format="rgb24", width=width, height=height)
            except av.FFmpegError as error:
                raise ValueError(f"{self.name} was lost ({error.strerror}); is it still plugged in?") from error


def connect(source: str, fps: float | None) -> Webcam:
    """Turns on the camera of `webcam:0`, `webcam:1`, ... (on Windows `webcam:NAME`, as its device list says).

    Raises:
        ValueError: Another spelling, an unknown system, no such camera.
    """
    number = source.removeprefix("webcam:")
    if not number or (sys.platform == "linux" and not number.isdigit()):
        raise ValueError(f"{source!r} names no camera; expected webcam:0, webcam:1, ...")
    if sys.platform not in _DEVICES:
        raise ValueError(f"webcams are known on {', '.join(_DEVICES)}; this is {sys.platform}")
    device, file = _DEVICES[sys.platform]
    return Webcam(source, file.format(number), device, fps)
