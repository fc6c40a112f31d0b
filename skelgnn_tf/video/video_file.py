"""Video files, read by PyAV: the frame rate by the timestamps, and upright pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np

from skelgnn_tf.video.timeline import Stamped

# The level of av.logging stays as it is: with another one, closing a threaded decoder never returned.

#: Number of packets that are read to find the frame rate: about a minute, so that long films open quickly too.
_MAX_PACKETS = 2000
#: Containers round times to milliseconds or coarser. A larger relative difference is another interval.
_SAME_INTERVAL = 0.25
#: A file is complete if it has this fraction of the pictures that its header counts: some may not be meant to be shown.
_COMPLETE = 0.95
_DEFAULT_FPS = 30.0


@dataclass(frozen=True)
class VideoFile:
    """What is known about a video before it is decoded.

    Args:
        path: The file.
        stored_size_px: Width and height with square pixels, before rotation.
        turn: What makes a picture upright: whether to mirror it, then the number of counterclockwise quarter turns.
        fps: Pictures per second.
        num_frames: Number of pictures at that rate.
        claimed_frames: Number of pictures according to the header; 0 if unknown.
        by_count: Whether timestamps are ignored: picture n is taken at n / fps.
    """

    path: Path
    stored_size_px: tuple[int, int]
    turn: tuple[bool, int]
    fps: float
    num_frames: int
    claimed_frames: int
    by_count: bool

    @property
    def image_size_px(self) -> tuple[int, int]:
        """Width and height of the upright picture."""
        width, height = self.stored_size_px
        return (height, width) if self.turn[1] % 2 else (width, height)


def inspect(path: Path, fps: float | None) -> tuple[VideoFile, list[str]]:
    """Reads a file's timestamps and decodes its first picture.

    Args:
        path: The file.
        fps: Pictures per second, or None for the file's own rate.

    Returns:
        The properties of the file, and notes, one line each.

    Raises:
        ValueError: The file is empty, broken, has no pictures or no frame rate.
    """
    if not path.stat().st_size:
        raise ValueError(f"{path}: the file must be a video. Received: an empty file (0 bytes). Copy it again.")
    notes: list[str] = []
    times, whole = _times_s(path)
    first = next(_frames(path, []), None)
    if first is None:
        raise ValueError(f"{path}: no picture of the video can be decoded. Check that the file is complete.")
    with _opened(path) as (container, stream):
        claimed_fps = float(stream.average_rate or stream.base_rate or 0)
        claimed_frames, shape = stream.frames, float(stream.sample_aspect_ratio or 1)
        seconds = float(stream.duration * _time_base(stream)) if stream.duration else (container.duration or 0) / 1e6
    by_count = fps is not None or times is None
    if fps is None:
        fps = _rate(path, times, claimed_fps, notes)
    if not whole:
        num_frames = claimed_frames if by_count and claimed_frames else round(seconds * fps)
    elif times is None:
        num_frames = claimed_frames
    else:
        num_frames = len(times) if by_count else round((times[-1] - times[0]) * fps) + 1
    size = (round(first.width * shape), first.height)
    if size[0] != first.width:
        notes.append(
            f"the pixels are not square; pictures are stretched from {first.width} to {size[0]} pixels in width"
        )
    return VideoFile(path, size, _turn(first), fps, max(1, num_frames), claimed_frames, by_count), notes


def decode(file: VideoFile, notes: list[str]) -> Iterator[Stamped]:
    """Yields the times in seconds and the upright pictures of a file.

    Args:
        file: The result of `inspect`.
        notes: Receives a line at the end if a part of the file is missing or cannot be decoded.
    """
    width, height = file.stored_size_px
    errors: list[str] = []
    count = 0
    for frame in _frames(file.path, errors):
        time_s = count / file.fps if file.by_count or frame.time is None else frame.time
        yield time_s, _upright(frame.to_ndarray(format="rgb24", width=width, height=height), file.turn)
        count += 1
    note = None
    if errors:
        note = f"{len(errors)} piece(s) of the file cannot be decoded ({errors[0]}); the file is damaged"
    elif count < _COMPLETE * file.claimed_frames:
        note = f"the file ends after {count} of {file.claimed_frames} pictures; check that it is complete"
    if note and note not in notes:
        notes.append(note)


def _frames(path: Path, errors: list[str]) -> Iterator[av.VideoFrame]:
    """Yields the frames in display order. A piece that cannot be decoded leaves a gap and a line in `errors`."""
    with _opened(path) as (container, stream):
        stream.thread_type = "AUTO"
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
                frames = [] if packet is None else packet.decode()
            except av.FFmpegError as error:
                errors.append(error.strerror or type(error).__name__)
                # Without a packet the container itself is at its end.
                if not isinstance(error, av.InvalidDataError) or len(errors) > _MAX_PACKETS:
                    return
                continue
            yield from frames
            if packet is None:
                return


def _times_s(path: Path) -> tuple[np.ndarray | None, bool]:
    """Display times of the first pictures in order, or None if the file has none, and whether those are all."""
    with _opened(path) as (container, stream):
        packets = list(islice(_packets(container, stream), _MAX_PACKETS))
        times = [packet.dts if packet.pts is None else packet.pts for packet in packets]
        if not times:
            raise ValueError(f"{path}: the video stream has no picture. Check that the recording was finished.")
        whole = len(packets) < _MAX_PACKETS
        if any(time is None for time in times):
            return None, whole
        return np.sort(np.array(times, float)) * float(_time_base(stream)), whole


def _time_base(stream: av.VideoStream) -> Fraction:
    """Seconds of a timestamp's unit."""
    return stream.time_base or Fraction(1, 1)


def _packets(container: av.container.InputContainer, stream: av.VideoStream) -> Iterator[av.Packet]:
    """Yields the packets of a stream up to the point where the file is damaged."""
    try:
        yield from (packet for packet in container.demux(stream) if packet.size)
    except av.FFmpegError:
        return


def _rate(path: Path, times: np.ndarray | None, claimed_fps: float, notes: list[str]) -> float:
    """Pictures per second by the most common interval, which also becomes the rate of a video with varying ones."""
    if times is None:
        if not claimed_fps:
            raise ValueError(f"{path}: the file has neither timestamps nor a frame rate. Set --fps.")
        return claimed_fps
    if len(times) == 1:
        notes.append("the video has a single picture")
        return claimed_fps or _DEFAULT_FPS
    intervals = np.diff(times)
    taken = intervals[intervals > 0]
    if not len(taken):
        raise ValueError(
            f"{path}: the pictures must have different times. Received: the same time for all {len(times)} (0 frames "
            "per second). Set --fps."
        )
    # Rounded to milliseconds, the resolution of the coarsest containers.
    usual = Counter(np.maximum(np.round(taken, 3), 0.001).tolist()).most_common(1)[0][0]
    same = np.abs(intervals / usual - 1) <= _SAME_INTERVAL
    fps = 1 / intervals[same].mean()
    if not same.all():
        notes.append(
            f"variable frame rate ({1e3 * intervals.min():.0f} to {1e3 * intervals.max():.0f} ms between pictures); "
            f"{fps:.4g} pictures per second are used, each the closest in time"
        )
    # Rounding errors of the sum are not part of the file's rate.
    return round(float(fps), 6)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[av.container.InputContainer, av.VideoStream]]:
    """Opens a file; yields it and its first video stream that is not a cover picture."""
    try:
        container = av.open(str(path))
    except av.FFmpegError as error:
        raise ValueError(
            f"{path}: the file must be a video that FFmpeg can read. Received: {error.strerror}. Check that it is "
            "complete."
        ) from error
    with container:
        streams = [s for s in container.streams.video if not s.disposition & s.disposition.attached_pic]
        if not streams:
            others = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
            raise ValueError(f"{path}: the file must have a video stream. Received: {others}.")
        yield container, streams[0]


def _turn(frame: av.VideoFrame) -> tuple[bool, int]:
    """What makes a frame upright by its display matrix: mirrored or not, then counterclockwise quarter turns."""
    side_data: Iterable[Any] = frame.side_data
    found = [np.frombuffer(data, "<i4") for data in side_data if data.type.name == "DISPLAYMATRIX"]
    if not found:
        return False, 0
    # Rows (a, b, u), (c, d, v), (x, y, w): (column, row, 1) is multiplied from the left.
    a, b, _, c, d = found[0][:5].astype(float)
    wanted = np.array([[a, b], [c, d]])
    mirror, quarter = np.diag([-1, 1]), np.array([[0, -1], [1, 0]])
    maps = {
        (mirrored, turns): np.linalg.matrix_power(mirror, mirrored) @ np.linalg.matrix_power(quarter, turns)
        for mirrored in (False, True)
        for turns in range(4)
    }
    return max(maps, key=lambda key: np.sum(maps[key] * wanted))


def _upright(rgb: np.ndarray, turn: tuple[bool, int]) -> np.ndarray:
    mirrored, turns = turn
    return np.ascontiguousarray(np.rot90(rgb[:, ::-1] if mirrored else rgb, turns))
