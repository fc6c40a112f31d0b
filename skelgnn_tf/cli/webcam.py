"""`predict webcam:0`: a line on the terminal that shows the current frame."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from skelgnn_tf.inference.live import LiveResult, LiveSession

#: Seconds over which the frame rate is averaged.
_RATE_S = 2.0


def follow(
    source: str,
    files: Mapping[str, Path | None],
    *,
    lifter: str | None,
    recognizer: str | None,
    exercise: str | None,
    targets: Path | None,
    decide_every: int,
    smooth: bool,
    fps: float | None,
    detector: str | None,
    detector_models: str | None,
    persons: int | None,
    subject_height_m: float | None,
    layout: str | None,
    image_size_px: tuple[int, int] | None,
) -> None:
    """Shows pose, action and repetitions of the largest person until the pictures end or Ctrl-C.

    The reader of a webcam gives the newest picture, so a slow machine sees fewer of them and never lags. `files` are
    the files that were asked for, by option.

    Raises:
        ValueError: Options that a stream without end does not have, models that do not fit.
    """
    refused = {
        **{option: path is not None for option, path in files.items()},
        "--targets": targets is not None,
        "--persons": persons is not None,
        "--subject-height": subject_height_m is not None,
        "--keypoint-layout": layout is not None,
        "--image-size": image_size_px is not None,
    }
    for option, is_used in refused.items():
        if is_used:
            raise ValueError(f"{option} is not valid for {source}. It needs a file with an end.")
    from skelgnn_tf.detection.models import find_models
    from skelgnn_tf.video.reader import open_video

    models = find_models(detector_models, detector or "full")
    video = open_video(source, fps)
    session = LiveSession(
        video.fps,
        video.image_size_px,
        lifter=lifter,
        recognizer=recognizer,
        exercise=exercise,
        decide_every=decide_every,
        smooth=smooth,
    )
    watch(video, models, session)


def watch(video: Any, models: Any, session: LiveSession, console: Any = None) -> None:
    """Pushes the pictures of a video into a session and shows a line about each."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from skelgnn_tf.detection.video_keypoints import track_keypoints

    console = console or Console()
    arrivals: deque[float] = deque()
    line = "no picture arrived"
    with Live(Text("waiting for a person"), console=console, refresh_per_second=10, transient=True) as shown:
        for frame in track_keypoints(video, models):
            seen = bool((frame.keypoints[..., 2] > 0).any())
            result = session.push(frame.keypoints, frame.time_s)
            line = line_of(result) if seen else "nobody in the picture"
            if not frame.repeated:
                arrivals.append(time.perf_counter())
            while arrivals and arrivals[-1] - arrivals[0] > _RATE_S:
                arrivals.popleft()
            span = arrivals[-1] - arrivals[0] if len(arrivals) > 1 else 0.0
            rate = (len(arrivals) - 1) / span if span else 0.0
            shown.update(Text(f"{rate:4.1f} frames/s  {line}"))
    console.print(line, highlight=False, markup=False)


def line_of(result: LiveResult) -> str:
    """Action, repetitions, knees and what is missing: "squat 97%  squat: 3  knees 92 95 degrees  hands not visible"."""
    words = [] if result.action is None else [f"{result.action} {result.probability:.0%}"]
    if result.exercise is not None:
        words.append(f"{result.exercise}: {result.count}")
    if result.angles_deg is not None:
        knees = [result.angles_deg[f"{side}_knee"] for side in ("left", "right")]
        if np.isfinite(knees).all():
            words.append(f"knees {knees[0]:.0f} {knees[1]:.0f} degrees")
    if result.not_visible:
        words.append(f"{', '.join(result.not_visible)} not visible")
    return "  ".join(words)
