"""joint_angles.py: its truth is the generator's, and its table has a row for each exercise."""

import numpy as np
import pytest

from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.datasets.fitness import generate
from skelgnn_tf.motion.exercise_cycles import Repetition
from support import tiny_h36m
from support.benchmark_output import number, rows, run


@pytest.fixture(scope="module")
def joint_angles(load):
    return load("joint_angles")


def clip_of(phase, fps=10.0):
    return Clip(
        "squats", np.zeros((1, len(phase), 17, 3), np.float32), fps=fps, action="squat", phase=np.float32(phase)
    )


def test_true_repetitions_are_where_the_phase_rises_from_0_to_1(joint_angles):
    time_s = np.arange(120) / 10
    # From 1.03 to 3.03 s, at once from there to 4.53 s, and after a rest from 7.21 s beyond the end of the clip.
    spans = [(1.03, 3.03), (3.03, 4.53), (7.21, 12.4)]
    phase = sum(np.where((time_s >= a) & (time_s < b), (time_s - a) / (b - a), 0) for a, b in spans)
    found = joint_angles.true_repetitions(clip_of(phase))
    assert [(one.start_s, one.end_s) for one in found] == [pytest.approx(span, abs=1e-3) for span in spans[:2]]
    assert {one.exercise for one in found} == {"squat"}
    assert joint_angles.true_repetitions(clip_of(np.zeros(30))) == []
    # One that was going on when the clip began is none that lies in it.
    assert joint_angles.true_repetitions(clip_of(np.clip(0.4 + time_s / 4, 0, 1) * (time_s < 2.4))) == []


@pytest.mark.parametrize("exercise", ["squat", "high_knees", "jumping_jack"])
def test_as_many_repetitions_are_true_as_the_generator_counts(joint_angles, exercise):
    for clip in generate(4, 3, frames=200, exercise=exercise, detector=False):
        found = joint_angles.true_repetitions(clip)
        ends = np.flatnonzero(np.diff(clip.repetitions)) + 1
        # A count changes in the first frame after an end; one that ends in the last frame may be missing.
        assert 0 <= len(ends) - len(found) <= 1
        for one, frame in zip(found, ends, strict=False):
            assert (frame - 1) / clip.fps - 1e-3 <= one.end_s <= frame / clip.fps + 1e-3


def test_a_repetition_is_found_by_the_complete_one_around_its_middle(joint_angles):
    true = Repetition("squat", 1.0, 2.0, 3.0, True)
    others = [Repetition("squat", 0, 1, 1.9, True), Repetition("squat", 1, 2, 3, False), Repetition("squat", 1.5, 2, 4)]
    assert joint_angles._found(true, others) == (true, others[2])
    assert joint_angles._found(true, others[:2]) is None


def test_the_table_has_a_row_for_each_exercise_and_a_weighted_mean(joint_angles, tmp_path):
    tiny_h36m.write(tmp_path, frames=12)
    printed = run(joint_angles, "--clips", 13, "--cmu", tmp_path)
    table = {first: cells for first, *cells in rows(printed)}
    assert {"squat", "plank", "rest", "all"} <= set(table) and "exact keypoints" in printed
    fitness, cmu = printed.split("exact keypoints")
    for first, *cells in rows(fitness):
        errors = [number(cell) for cell in cells[:6]]
        # All angles together lie between the best and the worst joint.
        assert min(errors[:5]) <= errors[5] <= max(errors[:5]) < 60, first
    assert rows(cmu) and all(number(cells[6]) < 180 for cells in rows(cmu))
