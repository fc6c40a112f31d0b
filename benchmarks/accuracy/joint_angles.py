"""How far measured joint angles and the boundaries of repetitions are from the truth.

Generated clips are seen as noisy keypoints of a detector, lifted, filtered and counted as `predict` does with the
exercise given. An angle that is not measured, since its joints are not seen, is left out; "seen" is the share of the
others. "depth" is the error of `RepetitionForm.depth_deg` over the true repetitions. Boundaries are compared where the
middle of a true repetition lies in a found one; "found" is the share of these.

--cmu measures real motion too: motion capture in Human3.6M's layout, its exact 2D keypoints from all of its cameras.

Example: python benchmarks/accuracy/joint_angles.py --clips 130 --cmu ../shared/data/cmu_mocap
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from skelgnn_tf.checkpoints import LoadedModel
from skelgnn_tf.datasets import fitness
from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.inference.pipeline import LIFTER, open_model, predict
from skelgnn_tf.keypoints import KeypointSequence
from skelgnn_tf.motion import MOVEMENTS, default_targets, joint_angles, measure_form
from skelgnn_tf.motion.exercise_cycles import Repetition
from skelgnn_tf.motion.targets import SIDES
from skelgnn_tf.skeletons import COCO_17, H36M_17, Skeleton


class Errors(NamedTuple):
    """Errors of one clip.

    Args:
        group: Name of its row.
        angles_deg: {joint: errors of its angles in degrees, NaN where one is not measured}.
        depth_deg: Errors of the depths of the true repetitions, in degrees.
        start_s: Errors of the starts of the repetitions that were found, in seconds; later is positive.
        end_s: The same of their ends.
        num_true: Number of true repetitions.
    """

    group: str
    angles_deg: dict[str, np.ndarray]
    depth_deg: list[float]
    start_s: list[float]
    end_s: list[float]
    num_true: int


def true_repetitions(clip: Clip) -> list[Repetition]:
    """The counted repetitions that lie in a clip, from its phase (frames,): 0 to 1 in each, at a constant rate."""
    phase, time_s = np.asarray(clip.phase, float), np.arange(clip.num_frames) / clip.fps
    before = np.append(0.0, phase[:-1])
    starts = np.flatnonzero((phase > 0) & ((before == 0) | (phase < before)))
    found = []
    for first, bound in pairwise([*starts, len(phase)]):
        inside = first + np.flatnonzero(phase[first:bound] > 0)
        if len(inside) < 2:
            continue
        rate = (phase[inside[-1]] - phase[first]) / (time_s[inside[-1]] - time_s[first])
        start_s = time_s[first] - phase[first] / rate
        end_s = start_s + 1 / rate
        if start_s >= 0 and end_s <= time_s[-1]:
            found.append(Repetition(clip.action, start_s, (start_s + end_s) / 2, end_s, complete=True))
    return found


def measure(clip: Clip, skeleton: Skeleton, lifter: LoadedModel, group: str = "") -> Errors:
    """Predicts a clip as `skelgnn-tf predict` does and compares what is measured with the truth.

    Args:
        clip: Keypoints and poses of one person.
        skeleton: Its joints.
        lifter: A model that predicts poses.
        group: Name of its row.
    """
    keypoints = clip.keypoints[:1]
    if keypoints.shape[-1] == 2:
        keypoints = np.concatenate([keypoints, np.ones_like(keypoints[..., :1])], axis=-1)
    sequence = KeypointSequence(clip.name, keypoints, skeleton.name, clip.image_size_px, clip.fps)
    exercise = clip.action if clip.action in MOVEMENTS else None
    prediction = predict(sequence, lifter=lifter, recognizer=None, exercise=exercise)
    pose_m, truth = prediction.poses.pose_m, joint_angles(clip.pose_m, skeleton)
    off = {name: np.abs(prediction.motion.angles_deg[name] - truth[name]) for name in truth}
    angles = {joint: np.concatenate([off[name] for name in names]) for joint, names in SIDES.items()}
    if exercise is None:
        return Errors(group, angles, [], [], [], 0)
    wanted = true_repetitions(clip)
    forms = (
        measure_form(pose, joints, prediction.time_s, wanted, default_targets())
        for pose, joints in ((pose_m, prediction.poses.skeleton), (clip.pose_m, skeleton))
    )
    depths = [abs(a.depth_deg - b.depth_deg) for a, b in zip(*forms, strict=True) if a.depth_deg is not None]
    pairs = [pair for one in wanted if (pair := _found(one, prediction.motion.repetition_list)) is not None]
    starts, ends = ([getattr(b, at) - getattr(a, at) for a, b in pairs] for at in ("start_s", "end_s"))
    return Errors(group, angles, depths, starts, ends, len(wanted))


def _found(one: Repetition, found: Iterable[Repetition]) -> tuple[Repetition, Repetition] | None:
    """A true repetition and the complete one that was found in its place."""
    middle_s = (one.start_s + one.end_s) / 2
    return next(((one, other) for other in found if other.complete and other.start_s <= middle_s < other.end_s), None)


def table_of(results: list[Errors], title: str) -> Table:
    """A table with a row for each group, and the mean over all angles in the last row."""
    table = Table("mean absolute error", title=title)
    has_repetitions = any(result.num_true for result in results)
    columns = [*(f"{joint.replace('_', ' ')} °" for joint in SIDES), "all °", "seen"]
    columns += ["depth °", "start s", "end s", "found"] if has_repetitions else []
    for column in columns:
        table.add_column(column, justify="right")
    groups = defaultdict(list)
    for result in results:
        groups[result.group].append(result)
        groups["all"].append(result)
    groups["all"] = groups.pop("all")
    for name, rows in groups.items():
        errors = {joint: np.concatenate([row.angles_deg[joint] for row in rows]) for joint in SIDES}
        every = np.concatenate(list(errors.values()))
        cells = [_mean(values) for values in (*errors.values(), every)] + [f"{np.isfinite(every).mean():.0%}"]
        if has_repetitions:
            depths, starts, ends = (
                [value for row in rows for value in getattr(row, field)] for field in ("depth_deg", "start_s", "end_s")
            )
            num_true = sum(row.num_true for row in rows)
            found = f"{len(starts) / num_true:.0%}" if num_true else ""
            cells += [_mean(depths), _mean(np.abs(starts), 2), _mean(np.abs(ends), 2), found]
        table.add_row(name, *cells, end_section=name == [*groups][-2] if len(groups) > 1 else False)
    return table


def _mean(values: Iterable[float], decimals: int = 1) -> str:
    known = np.asarray(values, float)
    known = known[np.isfinite(known)]
    return f"{known.mean():.{decimals}f}" if len(known) else ""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--clips", type=click.IntRange(1), default=39, show_default=True, help="Generated clips.")
@click.option("--seed", default=1, show_default=True, help="Seed of the generated clips.")
@click.option("--scenes", default="studio", show_default=True, help="Generated scenes: studio or phone.")
@click.option("--lifter", default=LIFTER, show_default=True, help="Preset, run folder, .keras, .tflite or .onnx file.")
@click.option(
    "--cmu", type=click.Path(path_type=Path, file_okay=False), help="Folder with motion capture in Human3.6M's layout."
)
def main(clips: int, seed: int, scenes: str, lifter: str, cmu: Path | None) -> None:
    """Measure the errors of joint angles and of the boundaries of repetitions."""
    console, shown = Console(width=max(Console().width, 130)), {"console": Console(stderr=True), "transient": True}
    model = open_model(lifter, "lift")
    options = {"layout": ("coco_17", "blazepose_33"), "skeleton": COCO_17, "scenes": scenes}
    made = track(fitness.iterate(range(clips), seed, **options), "fitness", clips, **shown)
    results = [measure(clip, COCO_17, model, clip.action) for clip in made]
    order = {name: number for number, name in enumerate(fitness.CLASSES)}
    results.sort(key=lambda result: order[result.group])
    console.print(table_of(results, f"fitness, {clips} clips, keypoints of a simulated detector"))
    if cmu is not None:
        from skelgnn_tf.datasets import h36m

        test = h36m.load(cmu).test
        results = [measure(clip, H36M_17, model, clip.action) for clip in track(test, "CMU", **shown)]
        console.print(table_of(results, f"{cmu.name}, {len(test)} test clips, exact keypoints"))


if __name__ == "__main__":
    main()
