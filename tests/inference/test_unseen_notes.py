"""The notes on what was not seen, and the exercises that they name."""

import numpy as np
import pytest

from skelgnn_tf.inference.result import Poses
from skelgnn_tf.inference.unseen_notes import unseen_notes
from skelgnn_tf.motion import MOVEMENTS
from skelgnn_tf.motion.exercise_signals import needed_joints, seen_enough
from skelgnn_tf.skeletons import H36M_17
from support.stick_figure import figure

FPS = 20.0


def poses_without(*spans, frames=200, nobody=()):
    """A standing person of whom joints are lost in the frames of (joint, first, end)."""
    guess_m = np.repeat(figure()[None], frames, axis=0).astype(np.float32)
    guess_m[list(nobody)] = np.nan
    pose_m = guess_m.copy()
    for joint, first, end in spans:
        pose_m[first:end, H36M_17.index(joint)] = np.nan
    return Poses("a lifter", H36M_17, pose_m, 0, guess_m, np.isfinite(pose_m[..., 0]).astype(np.float32))


def muted_by(*joints):
    """Exercises of which both sides of a needed pair are among the joints."""
    return [name for name in MOVEMENTS if any(set(pair) <= set(joints) for pair in needed_joints(name))]


def test_a_note_says_what_when_and_which_exercises_are_not_counted():
    lost = [(f"{side}_{joint}", 0, 60) for side in ("left", "right") for joint in ("knee", "ankle")]
    muted = muted_by(*(joint for joint, _, _ in lost))
    assert {"squat", "lunge"} <= set(muted) and "biceps_curl" not in muted
    assert unseen_notes(poses_without(*lost), FPS) == [
        f"legs not visible from 0.0 to 3.0 s: {', '.join(muted)} are not counted"
    ]


def test_one_side_is_enough_to_count():
    poses = poses_without(("left_knee", 0, 60), ("left_ankle", 0, 60), ("right_wrist", 20, 90))
    assert unseen_notes(poses, FPS) == [
        "right hand not visible from 1.0 to 4.5 s",
        "left leg not visible from 0.0 to 3.0 s",
    ]
    # Sides that are lost one after the other leave one of them at each moment.
    poses = poses_without(("left_knee", 0, 60), ("right_knee", 60, 120))
    assert unseen_notes(poses, FPS) == ["legs not visible from 0.0 to 6.0 s"]


def test_a_part_is_not_blamed_for_what_is_lost_with_another():
    hips = [("left_hip", 0, 100), ("right_hip", 0, 100)]
    notes = unseen_notes(poses_without(*hips, ("left_wrist", 20, 80)), FPS)
    assert notes[0] == "left hand not visible from 1.0 to 4.0 s"
    assert notes[1].startswith("hips not visible from 0.0 to 5.0 s: squat, ") and len(notes) == 2


def test_parts_that_are_lost_together_share_a_line():
    lost = [(f"{side}_{joint}", 40, 80) for side in ("left", "right") for joint in ("hip", "knee")]
    (note,) = unseen_notes(poses_without(("head", 40, 80), *lost), FPS)
    assert note.startswith("head, hips and legs not visible from 2.0 to 4.0 s: ")


def test_frames_without_anyone_are_not_about_parts():
    assert unseen_notes(poses_without(nobody=range(50, 90)), FPS) == []
    poses = poses_without(("head", 0, 70), nobody=range(20, 50))
    assert unseen_notes(poses, FPS) == ["head not visible from 0.0 to 1.0 and 2.5 to 3.5 s"]


def test_many_spans_are_summed_up():
    spans = [("head", first, first + 15) for first in range(0, 200, 40)]
    assert unseen_notes(poses_without(*spans[:3]), FPS) == [
        "head not visible from 0.0 to 0.8, 2.0 to 2.8 and 4.0 to 4.8 s"
    ]
    assert unseen_notes(poses_without(*spans), FPS) == ["head not visible for 3.8 s between 0.0 and 8.8 s"]


@pytest.mark.parametrize("part", ["hip", "knee", "shoulder", "elbow", "wrist", "ankle"])
def test_the_exercises_of_a_note_are_those_of_which_the_counter_sees_too_little(part):
    lost = [f"{side}_{part}" for side in ("left", "right")]
    poses = poses_without(*((joint, 0, 200) for joint in lost))
    (note,) = unseen_notes(poses, FPS)
    named = note.partition(": ")[2].partition(" are not")[0].split(", ") if ": " in note else []
    seen = seen_enough(poses.pose_m, H36M_17)
    assert [exercise for exercise in MOVEMENTS if not seen[exercise].any()] == named
