"""The form of a prediction: its repetitions are measured, and a recognizer's planks are listed as held."""

from dataclasses import replace

import numpy as np
import pytest

from skelgnn_tf.inference.add_form import add_form, open_targets
from skelgnn_tf.inference.result import Actions
from skelgnn_tf.inference.windows import Decisions
from skelgnn_tf.motion import Target, measure_form
from skelgnn_tf.motion.exercise_cycles import Repetition
from support.forms import FPS, FRAMES, predicted
from support.stick_figure import squatting

CLASSES = ("rest", "plank", "squat")
SQUATS = (Repetition("squat", 0.5, 1.2, 2.0, True), Repetition("squat", 2.0, 2.6, 3.0, False))


def prediction(labels, repetitions=SQUATS):
    """Somebody who squats in the first three seconds, with an action of each frame."""
    one = predicted(())
    time_s = one.time_s
    pose_m = np.array([squatting(np.sin(np.pi * t / 3) ** 2 if t < 3 else 0) for t in time_s], np.float32)
    every = np.eye(len(CLASSES), dtype=np.float32)[labels]
    decisions = Decisions(np.arange(FRAMES), np.arange(FRAMES), every, every)
    return replace(
        one,
        poses=replace(one.poses, pose_m=pose_m),
        motion=replace(one.motion, repetition_list=repetitions),
        actions=Actions("recognizer", CLASSES, decisions, 1, 1, 0),
    )


def labels_of(*spans):
    """The label of each frame: rest, and what the spans (name, first second, last second) say."""
    labels = np.zeros(FRAMES, int)
    for name, first_s, last_s in spans:
        labels[round(first_s * FPS) : round(last_s * FPS)] = CLASSES.index(name)
    return labels


def test_repetitions_are_those_that_are_measured_in_the_poses():
    one = prediction(labels_of())
    targets = {"squat": Target(("knee",), 90)}
    expected = measure_form(one.poses.pose_m, one.poses.skeleton, one.time_s, SQUATS, targets)
    assert add_form(one, targets).motion.form == expected and len(expected) == 2
    assert [form.number for form in expected] == [1, None]


def test_a_plank_is_held_for_as_long_as_the_recognizer_sees_it():
    one = prediction(labels_of(("plank", 4, 7.5)))
    forms = add_form(one).motion.form
    assert [(form.exercise, form.number) for form in forms] == [("squat", 1), ("squat", None), ("plank", 1)]
    assert (forms[-1].start_s, forms[-1].end_s, forms[-1].hold_s) == pytest.approx((4, 7.5, 3.5), abs=1e-6)


def test_one_wrong_decision_is_no_plank():
    assert len(add_form(prediction(labels_of(("plank", 4, 4.5)))).motion.form) == len(SQUATS)


def test_with_the_exercise_given_only_that_one_is_listed():
    forms = add_form(prediction(labels_of(("plank", 4, 7.5))), exercise="squat").motion.form
    assert {form.exercise for form in forms} == {"squat"}


def test_the_order_is_that_of_time():
    later = (Repetition("squat", 5.0, 5.5, 6.0, True),)
    forms = add_form(prediction(labels_of(("plank", 0, 3)), later)).motion.form
    assert [form.exercise for form in forms] == ["plank", "squat"]


def test_without_poses_or_repetitions_nothing_is_added():
    one = prediction(labels_of(), ())
    assert add_form(one).motion.form == ()
    bare = replace(one, motion=None, poses=None)
    assert add_form(bare) is bare


def test_targets_need_poses():
    with pytest.raises(ValueError, match="--targets must be used with a lifter"):
        open_targets({}, with_poses=False)
    assert open_targets(None, with_poses=False) is None
