"""Video files by PyAV: their frame rate as the timestamps tell it, and their pictures upright."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from skelgnn_tf.video.timeline import Stamped

if TYPE_CHECKING:
    import av

#: How much of a file is looked through for its frame rate: about a minute, so that films open at once too.
_LOOKED_THROUGH = 2000
#: Containers round times, to milliseconds or coarser; what differs by more than this share is another interval.
_SAME_INTERVAL = 0.25
#: Of the pictures that a header counts some may be meant to be left out, at the start mostly.
_WHOLE = 0.95
_USUAL_FPS = 30.0


@dataclass(frozen=True)
class VideoFile:
    """What is known of a video before it is decoded.

    Args:
        path: The file.
        stored_size_px: Width and height with square pixels, before turning.
        turn: Whether it is mirrored, and then how many quarter turns counterclockwise make it upright.
        fps: Pictures per second.
        num_frames: How many will come at that rate.
        claimed_frames: How many the header speaks of; 0 unknown.
        by_count: Timestamps are left aside: picture n is taken at n / fps.
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
        return self.stored_size_px[:: -1 if self.turn[1] % 2 else 1]


def inspect(path: Path, fps: float | None) -> tuple[VideoFile, list[str]]:
    """Looks through a file's timestamps and decodes its first picture.

    Args:
        path: The file.
        fps: Pictures per second whatever the file says, or None.

    Returns:
        What is known of it, and notes, a line each.

    Raises:
        ValueError: A file that is empty, broken, without pictures or without a frame rate.
    """
    if not path.stat().st_size:
        raise ValueError(f"{path} is empty (0 bytes); expected a video. Was it copied to its end?")
    notes: list[str] = []
    times, whole = _times_s(path)
    first = next(_frames(path, []), None)
    if first is None:
        raise ValueError(f"{path} has a video stream, but no picture of it can be decoded; is the file whole?")
    with _opened(path) as (container, stream):
        claimed_fps = float(stream.average_rate or stream.base_rate or 0)
        claimed_frames, shape = stream.frames, float(stream.sample_aspect_ratio or 1)
        seconds = float(stream.duration * stream.time_base) if stream.duration else (container.duration or 0) / 1e6
    by_count = fps is not None or times is None
    if fps is None:
        fps = _rate(path, times, claimed_fps, notes)
    if not whole:
        num_frames = claimed_frames if by_count and claimed_frames else round(seconds * fps)
    else:
        num_frames = claimed_frames if times is None else len(times)
        num_frames = num_frames if by_count else round((times[-1] - times[0]) * fps) + 1
    size = (round(first.width * shape), first.height)
    if size[0] != first.width:
        notes.append(f"its pixels are not square; pictures of {first.width} are stretched to {size[0]} pixels width")
    return VideoFile(path, size, _turn(first), fps, max(1, num_frames), claimed_frames, by_count), notes


def decode(file: VideoFile, notes: list[str]) -> Iterator[Stamped]:
    """The pictures of a file, upright, and when they were taken in seconds.

    Args:
        file: What `inspect` found.
        notes: Gets a line at the end if some of the file is missing or could not be decoded.
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
        note = f"{len(errors)} piece(s) of the file cannot be decoded ({errors[0]}); it is broken"
    elif count < _WHOLE * file.claimed_frames:
        note = f"the file ends after {count} of {file.claimed_frames} pictures; was it copied to its end?"
    if note and note not in notes:
        notes.append(note)


def _frames(path: Path, errors: list[str]) -> Iterator[av.VideoFrame]:
    """The frames in the order of showing; what cannot be decoded leaves a gap and a line in `errors`."""
    import av

    with _opened(path) as (container, stream):
        stream.thread_type = "AUTO"
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
                frames = [] if packet is None else packet.decode()
            except av.FFmpegError as error:
                errors.append(error.strerror or type(error).__name__)
                # Without a packet the container itself has come to its end.
                if not isinstance(error, av.InvalidDataError) or len(errors) > _LOOKED_THROUGH:
                    return
                continue
            yield from frames
            if packet is None:
                return


def _times_s(path: Path) -> tuple[np.ndarray | None, bool]:
    """When the first pictures are shown, in order (None: the file does not say), and whether those are all."""
    with _opened(path) as (container, stream):
        packets = list(islice(_packets(container, stream), _LOOKED_THROUGH))
        times = [packet.dts if packet.pts is None else packet.pts for packet in packets]
        if not times:
            raise ValueError(f"{path} has a video stream without a single picture; was it recorded to its end?")
        whole = len(packets) < _LOOKED_THROUGH
        if any(time is None for time in times):
            return None, whole
        return np.sort(np.array(times, float)) * float(stream.time_base), whole


def _packets(container: av.container.InputContainer, stream: av.VideoStream) -> Iterator[av.Packet]:
    """Pieces of a stream, up to where the file is broken."""
    import av

    try:
        yield from (packet for packet in container.demux(stream) if packet.size)
    except av.FFmpegError:
        return


def _rate(path: Path, times: np.ndarray | None, claimed_fps: float, notes: list[str]) -> float:
    """Pictures per second: by the commonest interval between two, which a variable rate falls back to."""
    if times is None:
        if not claimed_fps:
            raise ValueError(f"{path} tells neither when its pictures are shown nor a frame rate; give it with --fps")
        return claimed_fps
    if len(times) == 1:
        notes.append("it is a single picture")
        return claimed_fps or _USUAL_FPS
    intervals = np.diff(times)
    taken = intervals[intervals > 0]
    if not len(taken):
        raise ValueError(
            f"{path} shows all {len(times)} pictures at one moment (0 frames per second); give the rate with --fps"
        )
    # To the millisecond, as the coarsest containers have it.
    usual = Counter(np.maximum(np.round(taken, 3), 0.001).tolist()).most_common(1)[0][0]
    same = np.abs(intervals / usual - 1) <= _SAME_INTERVAL
    fps = 1 / intervals[same].mean()
    if not same.all():
        notes.append(
            f"variable frame rate ({1e3 * intervals.min():.0f} to {1e3 * intervals.max():.0f} ms from picture to "
            f"picture); {fps:.4g} a second are shown, each as near to its time as there is one"
        )
    # What is lost of 25 in adding up is not the file's.
    return round(float(fps), 6)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[av.container.InputContainer, av.VideoStream]]:
    """A file and its first video stream that is no cover picture."""
    av = import_av()
    try:
        container = av.open(str(path))
    except av.FFmpegError as error:
        raise ValueError(f"{path} is no video that can be read ({error.strerror}); is the file whole?") from error
    with container:
        streams = [s for s in container.streams.video if not s.disposition & s.disposition.attached_pic]
        if not streams:
            others = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
            raise ValueError(f"{path} has no video stream, only {others}; expected a video")
        yield container, streams[0]


def import_av():
    """PyAV, which is wanted for videos and webcams alone; ImportError says how to get it."""
    try:
        import av
    except ImportError as error:
        raise ImportError(f"reading videos wants PyAV ({error}); pip install 'skelgnn-tf[video]'") from error
    # Its av.logging stays as it is: with a level set, closing a threaded decoder waited for ever.
    return av


def _turn(frame: av.VideoFrame) -> tuple[bool, int]:
    """How a frame's display matrix makes it upright: mirrored or not, then quarter turns counterclockwise."""
    found = [np.frombuffer(data, "<i4") for data in frame.side_data if data.type.name == "DISPLAYMATRIX"]
    if not found:
        return False, 0
    # Rows (a, b, u), (c, d, v), (x, y, w), to be multiplied from the left with (column, row, 1).
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
