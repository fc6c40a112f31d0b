"""Pictures in time: from when they were taken to a constant rate, read ahead in a thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

#: When a picture was taken in seconds, and the picture: uint8 (height, width, 3).
Stamped: TypeAlias = tuple[float, np.ndarray]

#: Pictures that wait decoded: enough to even out a slow one, 25 MB at 1080p.
_AHEAD = 4
#: A longer pause is an error of the file's clock, and the time after it is moved up.
_LONGEST_GAP_S = 10.0


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture of a video at a constant rate.

    Args:
        index: From 0.
        time_s: index / fps, when it is shown.
        rgb: uint8 (height, width, 3), upright.
        repeated: The same picture as before, as none was taken since; whatever was found in it holds still.
    """

    index: int
    time_s: float
    rgb: np.ndarray
    repeated: bool = False


def at_constant_rate(stamped: Iterator[Stamped], fps: float, notes: list[str]) -> Iterator[Picture]:
    """A picture for each moment index / fps after the first one.

    It is the first that was taken within half an interval of that moment, or else the newest before. It comes as soon
    as it is there, so nothing waits for the one after it.

    Args:
        stamped: Pictures and when they were taken.
        fps: The constant rate, pictures per second.
        notes: Gets a line when pictures had to be repeated or left out, unless one says already that the rate varies.
    """
    index = repeats = dropped = 0
    rgb, shown, shift_s, before_s = None, True, 0.0, None
    for time_s, newer in stamped:
        if before_s is None:
            shift_s = -time_s
        elif not 0 <= time_s - before_s <= _LONGEST_GAP_S:
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
            f"the frame rate varies: for {fps:.4g} pictures a second {repeats} were repeated and {dropped} left out"
        )


def read_ahead(stamped: Iterator[Stamped]) -> Iterator[Stamped]:
    """The same pictures, decoded in a thread while the last one is being looked at."""
    return _in_thread(stamped, _AHEAD, keep_all=True)


def newest(stamped: Iterator[Stamped]) -> Iterator[Stamped]:
    """What a camera sees now: pictures that come while the last one is being looked at are dropped, save the newest."""
    return _in_thread(stamped, 1, keep_all=False)


def _in_thread(stamped: Iterator[Stamped], size: int, keep_all: bool) -> Iterator[Stamped]:
    waiting: queue.Queue = queue.Queue(size)
    stop = threading.Event()

    def put(item) -> None:
        while not stop.is_set():
            try:
                return waiting.put(item, timeout=0.1 if keep_all else 0)
            except queue.Full:
                if not keep_all:
                    _discard_oldest(waiting)

    def work() -> None:
        try:
            for item in stamped:
                put((item, None))
                if stop.is_set():
                    break
            end = None
        except BaseException as error:
            end = error
        finally:
            stamped.close()
        # The end must not push the last picture out.
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


def _discard_oldest(waiting: queue.Queue) -> None:
    try:
        waiting.get_nowait()
    except queue.Empty:
        pass
