"""How fast `predict` takes a video, and what each stage costs: python benchmarks/video_speed.py VIDEO [--model full].

Stages are timed one after the other, picture by picture; the last line is the whole as it really runs, where pictures
are decoded in a thread while the last one is looked at.
"""

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from skelgnn_tf import checkpoints
from skelgnn_tf.detection import blazepose, tracker
from skelgnn_tf.detection.models import SIZES, find_models
from skelgnn_tf.detection.video_keypoints import LAYOUT, track_keypoints
from skelgnn_tf.inference.pipeline import Trained
from skelgnn_tf.inference.windows import pipeline as predict
from skelgnn_tf.keypoints.reader import KeypointFile
from skelgnn_tf.video import video_file
from skelgnn_tf.video.reader import open_video


class Clocked:
    """A detector whose two models are timed."""

    def __init__(self, detector: blazepose.BlazePose):
        self._detector = detector
        self.seconds = {"detect": 0.0, "landmarks": 0.0}
        self.calls = {"detect": 0, "landmarks": 0}

    def _timed(self, name: str, *arguments):
        start = time.perf_counter()
        result = getattr(self._detector, name)(*arguments)
        self.seconds[name] += time.perf_counter() - start
        self.calls[name] += 1
        return result

    def detect(self, rgb, square):
        """As BlazePose's."""
        return self._timed("detect", rgb, square)

    def landmarks(self, rgb, crop):
        """As BlazePose's."""
        return self._timed("landmarks", rgb, crop)


def decode_s(path: str, fps: float | None, most: int) -> tuple[float, int]:
    """Seconds to decode a file, upright and red green blue, and how many pictures those were."""
    file, notes = video_file.inspect(Path(path), fps)
    start = time.perf_counter()
    count = sum(1 for _, _ in zip(video_file.decode(file, notes), range(most), strict=False))
    return time.perf_counter() - start, count


def look_s(path: str, models, persons: int, most: int) -> tuple[Clocked, float]:
    """Times of the detector's models over a video, and of following people beside them."""
    video = open_video(path)
    clocked = Clocked(blazepose.BlazePose(models))
    follow = tracker.Tracker(clocked, video.fps, persons, [])
    total = 0.0
    for picture, _ in zip(video, range(most), strict=False):
        start = time.perf_counter()
        follow.update(picture.rgb, picture.time_s)
        total += time.perf_counter() - start
    return clocked, total - sum(clocked.seconds.values())


def predict_s(file: KeypointFile) -> dict[str, float]:
    """Seconds of lifting and of recognising a take with the shipped presets, once all is warm."""
    lifter, recognizer = (Trained(name, *checkpoints.load(name)) for name in ("fitness_9f", "exercises_2d"))
    seconds = {}
    for name, models in (("lift", (lifter, None)), ("recognise", (None, recognizer))):
        predict(file, *models)
        start = time.perf_counter()
        predict(file, *models)
        seconds[name] = time.perf_counter() - start
    return seconds


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("video")
    options.add_argument("--model", choices=SIZES, default="lite")
    options.add_argument("--detector-models", help="folder or .task file [default: the cache]")
    options.add_argument("--persons", type=int, default=1)
    options.add_argument("--pictures", type=int, default=300, help="how many at most")
    given = options.parse_args()
    models = find_models(given.detector_models, given.model)
    most = given.pictures

    start = time.perf_counter()
    video = open_video(given.video)
    frames = [f.keypoints for f, _ in zip(track_keypoints(video, models, given.persons), range(most), strict=False)]
    together = time.perf_counter() - start
    count = len(frames)
    keypoints = np.stack(frames, axis=1)
    after = predict_s(KeypointFile(given.video, keypoints, LAYOUT, video.image_size_px, video.fps))

    decoding, decoded = decode_s(given.video, None, most)
    clocked, beside = look_s(given.video, models, given.persons, most)
    stages = {"decode": decoding * count / decoded, **clocked.seconds, "follow": beside, **after}
    total = sum(stages.values())
    width, height = video.image_size_px
    print(f"{given.video}: {count} pictures of {width} x {height}, BlazePose {given.model}, {os.cpu_count()} cores")
    for name, seconds in stages.items():
        calls = f"  ({clocked.calls[name] / count:.2f} a picture)" if name in clocked.calls else ""
        print(f"  {name:10s} {1e3 * seconds / count:6.1f} ms a picture  {seconds / total:4.0%}{calls}")
    print(f"  one after the other: {count / total:.1f} pictures a second")
    whole = together + after["lift"] + after["recognise"]
    print(f"  as it runs (decoding in a thread): {count / whole:.1f} pictures a second")


if __name__ == "__main__":
    sys.exit(main())
