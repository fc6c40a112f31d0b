"""Raw poses become a motion: gaps, filter, height, angles and counts, against figures whose movements are known."""

import dataclasses

import numpy as np
import pytest

from skelgnn_tf.inference.add_motion import add_motion
from skelgnn_tf.inference.result import Actions, Poses, Prediction
from skelgnn_tf.inference.windows import Decisions
from skelgnn_tf.motion import OneEuroFilter, RepetitionCounter, body_height_m
from skelgnn_tf.skeletons import H36M_17
from support import oracles
from support.stick_figure import squatting

FPS = 20.0
CLASSES = ("rest", "squat", "biceps_curl")
#: Frames where nobody is seen: at the start, half a second (bridged), a frame more (not), at the end.
START, SHORT, LONG, END = range(0, 4), range(30, 40), range(60, 71), range(195, 200)
GONE = [*START, *SHORT, *LONG, *END]


def squats(frames=200, period_s=2.5, noise_m=0.01):
    """Somebody who squats once in so many seconds: float32 (frames, 17, 3)."""
    depth = (1 - np.cos(2 * np.pi * np.arange(frames) / FPS / period_s)) / 2
    clip = np.stack([squatting(u) for u in depth])
    return (clip + noise_m * np.random.default_rng(0).normal(size=clip.shape)).astype(np.float32)


def prediction_of(pose_m, actions=None):
    poses = Poses("a lifter", H36M_17, pose_m, 0, pose_m, np.isfinite(pose_m[..., 0]).astype(np.float32))
    return Prediction("take.npz", "coco_17", (640, 480), FPS, len(pose_m), 1, 0, (), poses, actions)


def decided(label, frames=200, hop=8, classes=CLASSES):
    """Decisions for one class, every 8 frames."""
    last = np.arange(hop - 1, frames, hop)
    probabilities = np.full((len(last), len(classes)), 0.05, np.float32)
    probabilities[:, label] = 0.9
    of_frames = np.full((frames, len(classes)), 0.05, np.float32)
    of_frames[:, label] = 0.9
    decisions = Decisions(np.maximum(last - 30, 0), last, probabilities, of_frames)
    return Actions("a recognizer", classes, decisions, 31, hop, hop - 1)


@pytest.fixture
def gappy():
    pose_m = squats()
    pose_m[GONE] = np.nan
    return pose_m


def test_half_a_second_is_bridged_and_marked_and_more_stays_missing(gappy):
    found = add_motion(prediction_of(gappy), smooth=False)
    pose_m = found.poses.pose_m
    np.testing.assert_allclose(pose_m, oracles.bridged(gappy, SHORT), atol=1e-6)
    assert np.flatnonzero(found.motion.bridged).tolist() == list(SHORT)
    assert np.flatnonzero(np.isnan(pose_m).any(axis=(1, 2))).tolist() == [*START, *LONG, *END]
    assert pose_m.dtype == np.float32 and np.isnan(gappy[SHORT]).all(), "the raw poses are left as they are"


def test_the_filter_sees_the_bridged_poses_from_their_start_and_from_their_end(gappy):
    found, forth, back = add_motion(prediction_of(gappy)), OneEuroFilter(), OneEuroFilter()
    once = [forth.push(pose, t / FPS) for t, pose in enumerate(oracles.bridged(gappy, SHORT))]
    expected = [back.push(pose, t / FPS) for t, pose in enumerate(once[::-1])][::-1]
    np.testing.assert_allclose(found.poses.pose_m, expected, atol=1e-6)
    assert np.nanmax(np.abs(found.poses.pose_m - gappy)) > 0.005, "it does something"
    shaking = [np.nanstd(np.diff(poses, 2, axis=0)) for poses in (found.poses.pose_m, gappy)]
    assert shaking[0] < 0.7 * shaking[1]


def test_angles_are_those_of_the_poses_that_come_out(gappy):
    for smooth in (False, True):
        found = add_motion(prediction_of(gappy), smooth)
        pose_m, angles = found.poses.pose_m.astype(float), found.motion.angles_deg
        thigh, shank = (pose_m[:, H36M_17.index(a)] - pose_m[:, H36M_17.index("left_knee")] for a in _LEG)
        cosine = (thigh * shank).sum(axis=1) / np.linalg.norm(thigh, axis=1) / np.linalg.norm(shank, axis=1)
        # 0 is a straight leg, and inside that knee are 180 degrees.
        np.testing.assert_allclose(angles["left_knee"], 180 - np.degrees(np.arccos(cosine)), atol=0.01)
        assert np.isfinite(angles["left_knee"][SHORT]).all() and np.isnan(angles["left_knee"][LONG]).all()


_LEG = ("left_hip", "left_ankle")


@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize("height_m", [0.5, 1.2, 1.93, 2.6])
def test_the_person_becomes_as_tall_as_was_said(gappy, height_m, smooth):
    own, scaled = (add_motion(prediction_of(gappy), smooth, height) for height in (None, height_m))
    assert body_height_m(scaled.poses.pose_m, H36M_17) == pytest.approx(height_m, rel=1e-5)
    # By one factor for all, so no angle changes.
    factor = height_m / body_height_m(own.poses.pose_m, H36M_17)
    np.testing.assert_allclose(scaled.poses.pose_m, factor * own.poses.pose_m, rtol=1e-4, atol=1e-6)
    for name, angles in own.motion.angles_deg.items():
        np.testing.assert_allclose(scaled.motion.angles_deg[name], angles, atol=1e-3)


def legless(pose_m):
    """A prediction in which the ankles are never seen, the right knee is not for a second, and a wrist for less."""
    prediction, seen_m = prediction_of(pose_m), pose_m.copy()
    seen_m[:, [H36M_17.index(f"{side}_ankle") for side in ("left", "right")]] = np.nan
    seen_m[100:120, H36M_17.index("right_knee")] = np.nan
    poses = dataclasses.replace(prediction.poses, pose_m=seen_m)
    return dataclasses.replace(prediction, poses=poses)


@pytest.mark.parametrize("smooth", [False, True])
def test_joints_that_were_not_seen_stay_missing_and_leave_the_others_as_they_are(smooth):
    pose_m = squats()
    whole, part = (add_motion(one, smooth) for one in (prediction_of(pose_m), legless(pose_m)))
    gone = np.isnan(legless(pose_m).poses.pose_m)
    np.testing.assert_array_equal(np.isnan(part.poses.pose_m), gone)
    others = ~gone
    others[:, H36M_17.index("right_knee")] = False
    np.testing.assert_allclose(part.poses.pose_m[others], whole.poses.pose_m[others], atol=1e-6)
    # The guess is whole, filtered alike, and what was seen where something was.
    assert np.isfinite(part.poses.guess_m).all() and not part.motion.bridged.any()
    np.testing.assert_array_equal(part.poses.guess_m[~gone], part.poses.pose_m[~gone])
    np.testing.assert_allclose(part.poses.guess_m[gone], whole.poses.pose_m[gone], atol=1e-6)


def test_angles_of_joints_that_were_not_seen_are_missing():
    angles = add_motion(legless(squats())).motion.angles_deg
    missing = {name: np.flatnonzero(np.isnan(values)).tolist() for name, values in angles.items()}
    every = list(range(200))
    assert missing.pop("left_knee") == missing.pop("right_knee") == every
    assert missing.pop("right_hip") == every[100:120]
    assert set(map(tuple, missing.values())) == {()}


def test_a_height_that_was_not_seen_is_scaled_by_the_guess_and_a_note_says_so():
    pose_m = squats()
    scaled = add_motion(legless(pose_m), smooth=False, subject_height_m=1.9)
    assert body_height_m(scaled.poses.guess_m, H36M_17) == pytest.approx(1.9, rel=1e-5)
    assert [note for note in scaled.notes if "never seen" in note and "--subject-height" in note] == list(scaled.notes)
    # What is seen for a part of the time is measured in that part.
    seen = prediction_of(pose_m)
    half_m = pose_m.copy()
    half_m[:150, H36M_17.index("left_ankle")] = np.nan
    found = add_motion(
        dataclasses.replace(seen, poses=dataclasses.replace(seen.poses, pose_m=half_m, guess_m=3 * pose_m)),
        smooth=False,
        subject_height_m=1.9,
    )
    assert body_height_m(found.poses.pose_m, H36M_17) == pytest.approx(1.9, rel=1e-5) and found.notes == ()


@pytest.mark.parametrize("height_m", [0.0, -1.7, 0.49, 2.61, 178.0, float("nan"), float("inf")])
def test_a_height_that_nobody_has_is_refused(gappy, height_m):
    with pytest.raises(ValueError, match=r"--subject-height must be 0.5 to 2.6 meters. Received: ") as refused:
        add_motion(prediction_of(gappy), subject_height_m=height_m)
    assert "\n" not in str(refused.value)


def test_without_poses_there_is_nothing_to_move_or_to_scale(gappy):
    without = dataclasses.replace(prediction_of(gappy), poses=None, actions=decided(1))
    assert add_motion(without) is without
    with pytest.raises(ValueError, match="--subject-height must be used with a lifter"):
        add_motion(without, subject_height_m=1.8)


def counted_live(pose_m, actions):
    """The last state of a counter that is pushed frame by frame."""
    counter, at = RepetitionCounter(H36M_17, classes=actions.classes), list(actions.decisions.last)
    for t, pose in enumerate(pose_m):
        counter.push(pose, t / FPS, actions.decisions.probabilities[at.index(t)] if t in at else None)
    return counter.finish()


def test_a_file_and_a_live_counter_come_to_the_same_count_of_the_raw_poses(gappy):
    for pose_m, acts in ((gappy, decided(1)), (squats(230), decided(1, 230))):
        # Neither filter nor height takes part in counting.
        for smooth, height_m in ((True, None), (False, None), (True, 1.2)):
            motion = add_motion(prediction_of(pose_m, acts), smooth, height_m).motion
            live = counted_live(pose_m, acts)
            assert motion.repetitions[-1] == live.count or motion.exercise[-1] is None
            assert {name for name in motion.exercise if name} == {live.exercise} == {"squat"}
    # Four squats of 2.5 s.
    assert live.count == 4


def test_the_count_of_a_frame_is_the_repetitions_that_have_ended():
    prediction = add_motion(prediction_of(squats(230), decided(1, 230)))
    for time_s, count in zip(prediction.time_s, prediction.motion.repetitions, strict=True):
        assert count == sum(one.complete and one.end_s <= time_s + 1e-6 for one in prediction.motion.repetition_list)
    assert prediction.actions.labels.tolist() == [CLASSES.index("squat")] * 230


def test_what_is_said_of_an_exercise_that_is_not_seen_is_unknown():
    pose_m = squats(230)
    pose_m[:, [H36M_17.index(f"{side}_{part}") for side in ("left", "right") for part in ("knee", "ankle")]] = np.nan
    prediction = add_motion(prediction_of(pose_m, decided(1, 230)))
    assert set(prediction.motion.exercise) == {None} and not prediction.motion.repetitions.any()
    assert [prediction.actions.name(one.label) for one in prediction.actions.segments] == ["unknown"]


def test_who_rests_is_not_counted():
    motion = add_motion(prediction_of(squats(), decided(0))).motion
    assert set(motion.exercise) == {"rest"} and not motion.repetitions.any()


@pytest.mark.parametrize("actions", [None, decided(1, classes=("wave", "point"))], ids=["none", "others"])
def test_without_exercises_nothing_is_counted_but_angles_are_there(actions):
    motion = add_motion(prediction_of(squats(), actions)).motion
    assert motion.exercise == () and len(motion.repetitions) == 0
    assert np.isfinite(motion.angles_deg["left_knee"]).all()
