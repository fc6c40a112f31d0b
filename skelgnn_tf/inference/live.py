"""A camera, live: pose, action and repetitions of the largest person as the pictures come."""

from __future__ import annotations

import time
from collections import deque

import numpy as np
from rich.console import Console
from rich.live import Live
from rich.text import Text

from skelgnn_tf.detection.models import DetectorModels
from skelgnn_tf.detection.video_keypoints import LAYOUT, track_keypoints
from skelgnn_tf.inference.moving import countable
from skelgnn_tf.inference.pipeline import Trained, predict
from skelgnn_tf.inference.windows import check_hop, window_frames
from skelgnn_tf.keypoints.reader import KeypointFile
from skelgnn_tf.motion import OneEuroFilter, RepetitionCounter, joint_angles
from skelgnn_tf.video.reader import Video

#: Over how many seconds the rate is averaged.
_RATE_S = 2.0


def follow(
    video: Video,
    models: DetectorModels,
    lifter: Trained | None,
    recognizer: Trained | None,
    hop: int = 8,
    smooth: bool = True,
    console: Console | None = None,
) -> None:
    """Shows one line that is always of now, until the pictures end or Ctrl-C.

    The reader of a webcam gives the newest picture, so a slow machine sees fewer of them and never lags.

    Args:
        video: Usually a webcam.
        models: BlazePose's files.
        lifter: Or None for no poses.
        recognizer: Or None for no actions; it decides every `hop` pictures.
        hop: Pictures from one decision to the next.
        smooth: Filter the angles.
        console: Where the line goes.

    Raises:
        ValueError: A hop out of range, models that do not fit.
    """
    console = console or Console()
    past = _Past(video, lifter, recognizer, hop, smooth)
    arrivals: deque[float] = deque()
    line = "nothing came"
    with Live(Text("waiting for somebody"), console=console, refresh_per_second=10, transient=True) as shown:
        for frame in track_keypoints(video, models):
            line = past.push(frame.keypoints, frame.time_s)
            if not frame.repeated:
                arrivals.append(time.perf_counter())
            while arrivals and arrivals[-1] - arrivals[0] > _RATE_S:
                arrivals.popleft()
            span = arrivals[-1] - arrivals[0] if len(arrivals) > 1 else 0.0
            rate = (len(arrivals) - 1) / span if span else 0.0
            shown.update(Text(f"{rate:4.1f} frames/s  {line}"))
    console.print(line, highlight=False, markup=False)


class _Past:
    """As many of the last keypoints as the models look at, and what they say of the newest."""

    def __init__(
        self, video: Video, lifter: Trained | None, recognizer: Trained | None, hop: int, smooth: bool = True
    ) -> None:
        self.video, self.lifter, self.recognizer, self.hop = video, lifter, recognizer, hop
        self.lifted, self.recognized = (
            1 if trained is None else window_frames(trained.model, video.fps / (trained.config.fps or video.fps))
            for trained in (lifter, recognizer)
        )
        self.looked_at = self.recognized
        if recognizer is not None:
            check_hop(hop, self.recognized)
            if lifter is not None and recognizer.config.input == "pose":
                # The window's first pose looks back, too.
                self.looked_at = self.recognized + self.lifted - 1
        self.keypoints: deque[np.ndarray] = deque(maxlen=max(self.lifted, self.looked_at))
        self.action, self.count, self.counter = None, 0, None
        self.filter = OneEuroFilter() if smooth else None
        if lifter is not None and recognizer is not None and countable(recognizer.model.classes):
            self.counter = RepetitionCounter(lifter.model.skeleton, classes=recognizer.model.classes)

    def push(self, keypoints: np.ndarray, time_s: float) -> str:
        """Takes (persons, 33, 3) and gives the line of now."""
        self.keypoints.append(keypoints)
        self.count += 1
        if not (keypoints[..., 2] > 0).any():
            return "nobody in the picture"
        decided = self._decide() if self.recognizer is not None and self.count % self.hop == 0 else None
        words = [] if self.action is None else [self.action]
        if self.lifter is not None:
            pose_m = predict(self._file(self.lifted), self.lifter, None).poses.pose_m[-1]
            if self.counter is not None:
                known = self.counter.push(pose_m, time_s, decided)
                words += [] if known.exercise is None else [f"{known.exercise}: {known.count}"]
            # The counter smooths its own signals.
            shown_m = pose_m if self.filter is None else self.filter.push(pose_m, time_s)
            angles = joint_angles(shown_m, self.lifter.model.skeleton)
            knees = [angles[f"{side}_knee"] for side in ("left", "right")]
            words += [f"knees {knees[0]:.0f} {knees[1]:.0f} degrees"] if np.isfinite(knees).all() else []
        return "  ".join(words)

    def _decide(self) -> np.ndarray:
        """Probabilities (classes,) of the window that ends now."""
        lifter = self.lifter if self.recognizer.config.input == "pose" else None
        # With a hop of a whole window there are hardly any others.
        actions = predict(self._file(self.looked_at), lifter, self.recognizer, self.recognized).actions
        decided = actions.decisions.probabilities[-1]
        self.action = f"{actions.classes[int(decided.argmax())]} {decided.max():.0%}"
        return decided

    def _file(self, frames: int) -> KeypointFile:
        """The last keypoints, as predict takes them."""
        keypoints = np.stack(list(self.keypoints)[-frames:], axis=1)
        return KeypointFile(self.video.name, keypoints, LAYOUT, self.video.image_size_px, self.video.fps)
