"""How well repetitions are counted on generated clips, from the noisy keypoints of a detector through both presets.

A count is right if it equals the generator's at the last frame, where a repetition counts from the frame in which it
ends. That is stricter than an observer, for whom a person rests about a tenth of a repetition earlier. The column
"given, edges apart" also accepts a repetition that ended in the last quarter of a second, or was nine tenths done.
Clips of seed 1 are the test clips of `fitness.load`. The settings of the counters were found on seeds 200, 202 and 204.

Example: python benchmarks/accuracy/repetition_counts.py --clips 260 --seed 1 --seed 301
"""

from __future__ import annotations

import os
from typing import NamedTuple

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from skelgnn_tf import checkpoints
from skelgnn_tf.checkpoints import LoadedModel
from skelgnn_tf.datasets import fitness
from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.inference.pipeline import LIFTER, RECOGNIZER
from skelgnn_tf.inference.predict_keypoints import predict_keypoints
from skelgnn_tf.keypoints import KeypointSequence
from skelgnn_tf.motion import MOVEMENTS, RepetitionCounter
from skelgnn_tf.skeletons import COCO_17


class Result(NamedTuple):
    """How a clip was counted.

    Args:
        action: The exercise of the clip.
        given: Repetitions counted too many when the exercise is given.
        recognized: Repetitions counted too many when the exercise is recognized.
        exercise: The exercise that was recognized.
        edges_apart: Whether the count is right but for a repetition at the end of the clip.
    """

    action: str
    given: int
    recognized: int
    exercise: str
    edges_apart: bool


def count(clip: Clip, lifter: LoadedModel, recognizer: LoadedModel) -> Result:
    """Counts the repetitions of a clip as a live application does."""
    sequence = KeypointSequence(clip.name, clip.keypoints, "coco_17", clip.image_size_px, clip.fps)
    prediction = predict_keypoints(sequence, lifter, recognizer)
    decisions = prediction.actions.decisions
    decided = dict(zip(decisions.last.tolist(), decisions.probabilities, strict=True))
    skeleton = prediction.poses.skeleton
    live = RepetitionCounter(skeleton, classes=prediction.actions.classes)
    named = RepetitionCounter(skeleton, exercise=clip.action) if clip.action in MOVEMENTS else None
    given = 0
    for frame, pose_m in enumerate(prediction.poses.pose_m):
        state = live.push(pose_m, frame / clip.fps, decided.get(frame))
        given = named.push(pose_m, frame / clip.fps).count if named else 0
    truth, before = int(clip.repetitions[-1]), int(clip.repetitions[-1 - round(clip.fps / 4)])
    edges_apart = before <= given <= truth + bool(clip.phase[-1] >= 0.9)
    return Result(clip.action, given - truth, state.count - truth, state.exercise, edges_apart)


def show(results: list[Result], console: Console) -> None:
    """Prints a table with a row for each exercise."""
    table = Table("exercise", "clips", title="repetitions at the end of the clip: exact / within one")
    for column in ("exercise given", "recognized", "given, edges apart", "exercise right"):
        table.add_column(column, justify="right")

    def right(errors: list[int]) -> str:
        wrong = np.abs(np.array(errors))
        return f"{np.mean(wrong == 0):.1%} / {np.mean(wrong <= 1):.1%}"

    for action in (*fitness.CLASSES, "all"):
        rows = [result for result in results if action in (result.action, "all")]
        if rows:
            table.add_row(
                action,
                str(len(rows)),
                right([row.given for row in rows]),
                right([row.recognized for row in rows]),
                f"{np.mean([row.edges_apart for row in rows]):.1%}",
                f"{np.mean([row.exercise == row.action for row in rows]):.1%}",
                end_section=action == fitness.CLASSES[-1],
            )
    console.print(table)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--clips", type=click.IntRange(1), default=130, show_default=True, help="Clips per seed.")
@click.option(
    "--seed", multiple=True, type=int, default=(1,), show_default=True, help="Seed of the clips. Repeat for several."
)
@click.option("--frames", type=click.IntRange(2), default=240, show_default=True, help="Frames per clip.")
@click.option("--fps", type=click.FloatRange(1), default=30.0, show_default=True, help="Frames per second.")
def main(clips: int, seed: tuple[int, ...], frames: int, fps: float) -> None:
    """Count the repetitions of generated clips and compare them with the truth."""
    console = Console(width=max(Console().width, 110))
    lifter, recognizer = checkpoints.load(LIFTER, "lift"), checkpoints.load(RECOGNIZER, "action")
    results = []
    options = {"frames": frames, "fps": fps, "layout": ("coco_17", "blazepose_33"), "skeleton": COCO_17}
    for one in seed:
        made = fitness.iterate(range(clips), one, **options)
        for clip in track(made, f"seed {one}", clips, console=Console(stderr=True)):
            results.append(count(clip, lifter, recognizer))
    show(results, console)


if __name__ == "__main__":
    main()
