"""Pictures in time: from the times when they were taken to a constant rate, read ahead in a thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

#: The time of a picture in seconds, and the picture: uint8 (height, width, 3).
Stamped: TypeAlias = tuple[float, np.ndarray]

#: Number of pictures decoded ahead: enough to even out a slow one, 25 MB at 1080p.
_AHEAD = 4
#: A longer pause is an error of the file's clock and is removed.
_MAX_GAP_S = 10.0


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture of a video at a constant rate.

    Args:
        index: Index of the picture, from 0.
        time_s: index / fps, the time at which it is shown.
        rgb: uint8 (height, width, 3), upright.
        repeated: Whether this is the previous picture again because no newer one was taken.
    """

    index: int
    time_s: float
    rgb: np.ndarray
    repeated: bool = False


def at_constant_rate(stamped: Iterator[Stamped], fps: float, notes: list[str]) -> Iterator[Picture]:
    """Yields a picture for each time index / fps after the first one.

    It is the first picture taken within half an interval of that time, or else the newest one before. It is yielded as
    soon as it is known, without waiting for the next one.

    Args:
        stamped: Pictures and the times when they were taken.
        fps: The constant rate in pictures per second.
        notes: Receives a line if pictures had to be repeated or left out, unless a note says that the rate varies.
    """
    index = repeats = dropped = 0
    rgb: np.ndarray | None = None
    shown, shift_s, before_s = True, 0.0, None
    for time_s, newer in stamped:
        if before_s is None:
            shift_s = -time_s
        elif not 0 <= time_s - before_s <= _MAX_GAP_S:
            shift_s += before_s + 1 / fps - time_s
        before_s, at = time_s, (time_s + shift_s) * fps
        while rgb is not None and index < at - 0.5:
            yield Picture(index, index / fps, rgb, repeated=shown)
            index, repeats, shown = index + 1, repeats + shown, True
        dropped += not shown
        rgb, shown = newer, index <= at + 0.5
        if shown:
            yield Picture(index, index / fps, rgb)
            index += 1
    dropped += not shown
    if (repeats or dropped) and not any("frame rate" in note for note in notes):
        notes.append(
            f"the frame rate varies: for {fps:.4g} pictures per second {repeats} are repeated and {dropped} left out"
        )


def read_ahead(stamped: Iterator[Stamped]) -> Iterator[Stamped]:
    """Yields the same pictures, decoded in a thread while the last one is processed."""
    return _in_thread(stamped, _AHEAD, keep_all=True)


def newest(stamped: Iterator[Stamped]) -> Iterator[Stamped]:
    """Yields the newest picture of a camera. Others that arrive while the last one is processed are dropped."""
    return _in_thread(stamped, 1, keep_all=False)


def _in_thread(stamped: Iterator[Stamped], size: int, keep_all: bool) -> Iterator[Stamped]:
    waiting: queue.Queue[tuple[Stamped | None, BaseException | None]] = queue.Queue(size)
    stop = threading.Event()

    def put(item: Stamped) -> None:
        while not stop.is_set():
            try:
                return waiting.put((item, None), timeout=0.1 if keep_all else 0)
            except queue.Full:
                if not keep_all:
                    _discard_oldest(waiting)

    def work() -> None:
        end: BaseException | None = None
        try:
            for item in stamped:
                put(item)
                if stop.is_set():
                    break
        except BaseException as error:
            end = error
        finally:
            if isinstance(stamped, Generator):
                stamped.close()
        # The end must not push out the last picture.
        while not stop.is_set():
            try:
                return waiting.put((None, end), timeout=0.1)
            except queue.Full:
                pass

    thread = threading.Thread(target=work, name="pictures", daemon=True)
    thread.start()
    try:
        while True:
            item, error = waiting.get()
            if error is not None:
                raise error
            if item is None:
                return
            yield item
    finally:
        stop.set()
        thread.join()


def _discard_oldest(waiting: queue.Queue[Any]) -> None:
    try:
        waiting.get_nowait()
    except queue.Empty:
        pass
