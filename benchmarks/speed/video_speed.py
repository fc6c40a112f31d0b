"""How fast `predict` processes a video, and the time of each stage.

Stages are timed one after the other, picture by picture. The last line is the complete run, where a thread decodes the
next pictures while the detector works.

Example: python benchmarks/speed/video_speed.py squats.mp4 --model full
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import click
import numpy as np

from _timing import median_s, time_in_turns, timed
from skelgnn_tf.detection import blazepose, tracker
from skelgnn_tf.detection.models import SIZES, DetectorModels, find_models
from skelgnn_tf.detection.video_keypoints import LAYOUT, track_keypoints
from skelgnn_tf.inference.pipeline import LIFTER, RECOGNIZER, open_model
from skelgnn_tf.inference.predict_keypoints import predict_keypoints
from skelgnn_tf.keypoints import KeypointSequence
from skelgnn_tf.video import video_file
from skelgnn_tf.video.reader import open_video


class TimedDetector:
    """A detector that adds up the time of its two models."""

    def __init__(self, detector: blazepose.BlazePose) -> None:
        self._detector = detector
        self.seconds = {"detect": 0.0, "landmarks": 0.0}
        self.calls = {"detect": 0, "landmarks": 0}

    def _timed(self, name: str, *arguments):
        result, seconds = timed(getattr(self._detector, name), *arguments)
        self.seconds[name] += seconds
        self.calls[name] += 1
        return result

    def detect(self, rgb, square):
        """Same as `BlazePose.detect`."""
        return self._timed("detect", rgb, square)

    def landmarks(self, rgb, crop):
        """Same as `BlazePose.landmarks`."""
        return self._timed("landmarks", rgb, crop)


def decode_s(path: str, most: int) -> float:
    """Seconds per picture to decode a file into upright RGB pictures."""
    file, notes = video_file.inspect(Path(path), None)
    count, seconds = timed(lambda: sum(1 for _ in zip(video_file.decode(file, notes), range(most), strict=False)))
    return seconds / count


def follow_s(path: str, models: DetectorModels, persons: int, most: int) -> tuple[TimedDetector, float]:
    """Times of the detector's models over a video, and seconds of following people in addition."""
    video = open_video(path)
    detector = TimedDetector(blazepose.BlazePose(models))
    follow = tracker.Tracker(detector, video.fps, persons, [])
    total = sum(
        timed(follow.update, picture.rgb, picture.time_s)[1] for picture, _ in zip(video, range(most), strict=False)
    )
    return detector, total - sum(detector.seconds.values())


def predict_s(sequence: KeypointSequence, rounds: int = 3) -> dict[str, float]:
    """Seconds of lifting and of recognizing a sequence with the shipped presets."""
    lifter, recognizer = open_model(LIFTER), open_model(RECOGNIZER)
    works = {
        "lift": lambda: predict_keypoints(sequence, lifter, None),
        "recognize": lambda: predict_keypoints(sequence, None, recognizer),
    }
    return {name: median_s(taken) for name, taken in time_in_turns(works, rounds).items()}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("video")
@click.option("--model", type=click.Choice(SIZES), default="lite", show_default=True, help="Size of BlazePose.")
@click.option("--detector-models", help="Folder or .task file with BlazePose's models.  [default: the cache]")
@click.option("--persons", type=click.IntRange(1), default=1, show_default=True, help="Number of people to follow.")
@click.option("--pictures", type=click.IntRange(2), default=300, show_default=True, help="Largest number of pictures.")
def main(video: str, model: str, detector_models: str | None, persons: int, pictures: int) -> None:
    """Time each stage of `predict` on VIDEO: decoding, detection, landmarks, lifting and recognition."""
    models = find_models(detector_models, model)
    source = open_video(video)

    def track() -> list[np.ndarray]:
        frames = zip(track_keypoints(source, models, persons), range(pictures), strict=False)
        return [frame.keypoints for frame, _ in frames]

    keypoints, together = timed(track)
    count = len(keypoints)
    after = predict_s(KeypointSequence(video, np.stack(keypoints, axis=1), LAYOUT, source.image_size_px, source.fps))
    detector, follow = follow_s(video, models, persons, pictures)
    stages = {"decode": count * decode_s(video, pictures), **detector.seconds, "follow": follow, **after}
    total = sum(stages.values())
    width, height = source.image_size_px
    print(f"{video}: {count} pictures of {width} x {height}, BlazePose {model}, {os.cpu_count()} cores")
    for name, seconds in stages.items():
        calls = f"  ({detector.calls[name] / count:.2f} calls)" if name in detector.calls else ""
        print(f"  {name:10s} {1e3 * seconds / count:6.1f} ms per picture  {seconds / total:4.0%}{calls}")
    print(f"  one stage after the other: {count / total:.1f} pictures/s")
    whole = together + sum(after.values())
    print(f"  complete run, with decoding in a thread: {count / whole:.1f} pictures/s")


if __name__ == "__main__":
    main()
