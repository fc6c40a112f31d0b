"""How well exercises are recognized and repetitions counted on generated clips, through both presets.

Studio scenes show whole bodies; their clips of seed 1 are the test clips of `fitness.load`. Phone scenes show what
phones show: bodies cut by the picture, hidden joints, variants, edited clips, and people who do something else.

A count is right if it equals the generator's; a repetition that runs when the clip begins or ends may be counted or
not. The settings of the counters were found on phone scenes of seed 400 and studio scenes of seeds 200, 202 and 204.

Example: python benchmarks/accuracy/repetition_counts.py --clips 260 --seed 401
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from skelgnn_tf.checkpoints import LoadedModel
from skelgnn_tf.datasets import fitness
from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.datasets.h36m.loader import TEST_SUBJECTS
from skelgnn_tf.inference.add_motion import add_motion
from skelgnn_tf.inference.pipeline import LIFTER, RECOGNIZER, open_model
from skelgnn_tf.inference.predict_keypoints import predict_keypoints
from skelgnn_tf.inference.result import Prediction
from skelgnn_tf.keypoints import KeypointSequence
from skelgnn_tf.motion import MOVEMENTS, RepetitionCounter
from skelgnn_tf.motion.exercise_decision import IDLE
from skelgnn_tf.skeletons import COCO_17


class Result(NamedTuple):
    """How a clip was recognized and counted. Errors are counted too many (or too few, negative).

    Args:
        action: The exercise of the clip.
        said: The action of most frames.
        given: Error of the count when the exercise is given.
        recognized: Error of the count when the exercise is recognized.
        live: The same, as a live counter has it after the last frame.
        others: Repetitions of other exercises.
        minutes: Duration of the clip.
    """

    action: str
    said: str
    given: int
    recognized: int
    live: int
    others: int
    minutes: float


def expected(clip: Clip) -> tuple[int, int]:
    """The smallest and largest right count: a repetition that runs at the start or at the end is optional."""
    count, runs = int(clip.repetitions[-1]), clip.phase > 0.02
    return count - int(runs[0] and count > 0), count + int(clip.phase[-1] > 0.5)


def error(count: int, bounds: tuple[int, int]) -> int:
    """Distance of a count from the right ones."""
    return count - min(max(count, bounds[0]), bounds[1])


def totals(prediction: Prediction) -> dict[str, int]:
    """Complete repetitions of each exercise."""
    found = [one.exercise for one in prediction.motion.repetition_list if one.complete]
    return {name: found.count(name) for name in set(found)}


def live_count(prediction: Prediction, exercise: str) -> int:
    """Repetitions of an exercise as a live counter has them after the last frame."""
    counter = RepetitionCounter(prediction.poses.skeleton, classes=prediction.actions.classes)
    decisions = prediction.actions.decisions
    decided = dict(zip(decisions.last.tolist(), decisions.probabilities, strict=True))
    for frame, pose_m in enumerate(prediction.poses.pose_m):
        counter.push(pose_m, frame / prediction.fps, decided.get(frame))
    return sum(one.exercise == exercise and one.complete for one in counter.repetitions)


def examine(clip: Clip, lifter: LoadedModel, recognizer: LoadedModel) -> Result:
    """Recognizes and counts a clip."""
    sequence = KeypointSequence(clip.name, clip.keypoints, "coco_17", clip.image_size_px, clip.fps)
    plain = predict_keypoints(sequence, lifter, recognizer)
    prediction, bounds = add_motion(plain), expected(clip)
    counts, said = totals(prediction), prediction.actions.labels
    given = live = 0
    if clip.action in MOVEMENTS:
        given = error(totals(add_motion(plain, exercise=clip.action)).get(clip.action, 0), bounds)
        live = error(live_count(plain, clip.action), bounds)
    return Result(
        action=clip.action,
        said=prediction.actions.name(int(np.bincount(said + 1).argmax()) - 1),
        given=given,
        recognized=error(counts.get(clip.action, 0), bounds) if clip.action in MOVEMENTS else 0,
        live=live,
        others=sum(count for name, count in counts.items() if name != clip.action),
        minutes=clip.num_frames / clip.fps / 60,
    )


def show(results: list[Result], scenes: str, console: Console) -> None:
    """Prints a table with a row for each class, and what is counted where nothing is to be counted."""
    table = Table("class", "clips", "recognized", title=f"{scenes} scenes; counts: exact / within one")
    for column in ("exercise given", "exercise recognized", "live", "others counted"):
        table.add_column(column, justify="right")

    def right(errors: Iterable[int]) -> str:
        wrong = np.abs(np.array(list(errors)))
        return f"{np.mean(wrong == 0):.1%} / {np.mean(wrong <= 1):.1%}"

    for action in (*fitness.PHONE_CLASSES, "all"):
        rows = [result for result in results if action in (result.action, "all")]
        counted = [row for row in rows if row.action in MOVEMENTS]
        if rows:
            names = ("given", "recognized", "live")
            counts = [right(getattr(row, name) for row in counted) if counted else "" for name in names]
            table.add_row(
                action,
                str(len(rows)),
                f"{np.mean([row.said == row.action for row in rows]):.1%}",
                *counts,
                f"{np.mean([row.others > 0 for row in rows]):.1%}",
                end_section=action == fitness.PHONE_CLASSES[-1],
            )
    console.print(table)
    idle = [row for row in results if row.action in IDLE]
    if idle:
        false = sum(row.others for row in idle)
        minutes = sum(row.minutes for row in idle)
        console.print(
            f"rest and other: {sum(row.others > 0 for row in idle)} of {len(idle)} clips with repetitions, "
            f"{false / minutes:.2f} a minute"
        )


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--clips", type=click.IntRange(1), default=72, show_default=True, help="Clips per seed and scenes.")
@click.option(
    "--seed", multiple=True, type=int, default=(1,), show_default=True, help="Seed of the clips. Repeat for several."
)
@click.option(
    "--scenes",
    multiple=True,
    type=click.Choice(fitness.SCENES),
    default=fitness.SCENES,
    show_default=True,
    help="Kind of clips. Repeat for several.",
)
@click.option("--frames", type=click.IntRange(2), default=300, show_default=True, help="Frames per clip.")
@click.option("--fps", type=click.FloatRange(1), default=30.0, show_default=True, help="Frames per second.")
@click.option("--recognizer", default=RECOGNIZER, show_default=True, help="Preset, run or exported file.")
@click.option(
    "--everyday",
    type=click.Path(exists=True, file_okay=False),
    help="Folder with data_3d_h36m.npz: also count, wrongly, in the recorded motion of its test subjects.",
)
def main(
    clips: int,
    seed: tuple[int, ...],
    scenes: tuple[str, ...],
    frames: int,
    fps: float,
    recognizer: str,
    everyday: str | None,
) -> None:
    """Recognize and count generated clips and compare with the truth."""
    console = Console(width=max(Console().width, 120))
    models = open_model(LIFTER, "lift"), open_model(recognizer, "action")
    options = {"frames": frames, "fps": fps, "layout": ("coco_17", "blazepose_33"), "skeleton": COCO_17}
    kinds = [(kind, {"scenes": kind}) for kind in scenes]
    if everyday is not None:
        recordings = fitness.Recordings(everyday, TEST_SUBJECTS, share=1.0)
        kinds.append(("everyday", {"scenes": "phone", "exercise": "other", "recordings": recordings}))
    for name, kind in kinds:
        results = []
        for one in seed:
            made = fitness.iterate(range(clips), one, **kind, **options)
            for clip in track(made, f"{name} {one}", clips, console=Console(stderr=True)):
                results.append(examine(clip, *models))
        show(results, name, console)


if __name__ == "__main__":
    main()
