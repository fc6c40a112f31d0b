"""How well repetitions are counted on generated clips: from a detector's noisy keypoints, through both presets.

A clip's count is right if it is the generator's at the last frame, where a repetition counts from the frame on that it
is over. That is sharper than an eye can see: people are at rest a good tenth of a repetition before. "edges apart" also
lets pass a repetition that ended in the clip's last quarter of a second, or was nine tenths done. Clips of seed 1 are
the test clips of `fitness.load`; the counters' settings were found on seeds 200, 202 and 204.

Example: python benchmarks/repetition_counts.py --clips 260 --seed 1 --seed 301
"""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from skelgnn_tf import checkpoints
from skelgnn_tf.datasets import fitness
from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.inference.pipeline import Trained, predict
from skelgnn_tf.keypoints.reader import KeypointFile
from skelgnn_tf.motion import MOVEMENTS, RepetitionCounter
from skelgnn_tf.skeletons import COCO_17


class Result(NamedTuple):
    """How a clip was counted: by how much too many, the exercise given and recognised; right but for the edges."""

    action: str
    given: int
    recognized: int
    exercise: str
    edges_apart: bool


def count(clip: Clip, lifter: Trained, recognizer: Trained) -> Result:
    """Counts the repetitions of a clip as a live app would."""
    file = KeypointFile(clip.name, clip.keypoints, "coco_17", clip.image_size_px, clip.fps)
    prediction = predict(file, lifter, recognizer)
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
    """The table, a line for each exercise."""
    table = Table("exercise", "clips", title="repetitions at the end of the clip: exact / within one")
    for column in ("exercise given", "recognised", "given, edges apart", "exercise right"):
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
@click.option("--clips", type=click.IntRange(1), default=130, show_default=True, help="of each seed")
@click.option("--seed", multiple=True, type=int, default=(1,), show_default=True, help="of clips, or several")
@click.option("--frames", type=click.IntRange(2), default=240, show_default=True, help="of a clip")
@click.option("--fps", type=click.FloatRange(1), default=30.0, show_default=True)
def main(clips: int, seed: tuple[int, ...], frames: int, fps: float) -> None:
    """Counts the repetitions of generated clips and compares with the truth."""
    console = Console(width=max(Console().width, 110))
    lifter, recognizer = (Trained(name, *checkpoints.load(name)) for name in ("fitness_9f", "exercises_2d"))
    results = []
    options = {"frames": frames, "fps": fps, "layout": ("coco_17", "blazepose_33"), "skeleton": COCO_17}
    for one in seed:
        made = fitness.iterate(range(clips), one, **options)
        for clip in track(made, f"seed {one}", clips, console=Console(stderr=True)):
            results.append(count(clip, lifter, recognizer))
    show(results, console)


if __name__ == "__main__":
    sys.exit(main())
