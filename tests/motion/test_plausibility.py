"""Which rises and falls of a signal can be repetitions: figures, and the exercises that they resemble."""

import numpy as np
import pytest

from skelgnn_tf.datasets import fitness
from skelgnn_tf.motion import MOVEMENTS
from skelgnn_tf.motion.body_measures import BodyMeasures, apart, larger, mean, smaller
from skelgnn_tf.motion.exercise_cycles import ExerciseCycles
from skelgnn_tf.motion.exercise_signals import ExerciseState, exercise_state
from skelgnn_tf.motion.plausibility import BOUNDS, MEASURES, Bound, is_plausible
from skelgnn_tf.skeletons import H36M_17
from support.stick_figure import figure, lunging, squatting, turned


def up_and_down(move, repetitions=3, seconds=2.0, fps=30.0):
    """Poses of a movement that is done some times: u goes from 0 to 1 and back."""
    t = np.arange(0, repetitions * seconds + 1, 1 / fps)
    u = (1 - np.cos(2 * np.pi * t / seconds)) / 2 * (t < repetitions * seconds)
    return np.stack([move(x) for x in u]), t


def examined(clip, t, exercises=tuple(MOVEMENTS)):
    cycles, state = ExerciseCycles(exercises), exercise_state(clip, H36M_17)
    for frame, time_s in enumerate(t):
        cycles.push(ExerciseState(*({n: v[frame] for n, v in part.items()} for part in state)), time_s)
    cycles.finish()
    return cycles


def with_feet_apart(pose, wide_m):
    """The pose with both legs spread to the side."""
    pose = pose.copy()
    for side, out in (("left", 1), ("right", -1)):
        for joint, share in (("knee", 0.5), ("ankle", 1.0)):
            pose[H36M_17.index(f"{side}_{joint}"), 0] += out * share * wide_m
    return pose


def raising(u, feet_m=0.0):
    """Both arms rise to the side above the head; the feet move apart by twice `feet_m`."""
    pose = figure()
    for side, out in (("left", 1.0), ("right", -1.0)):
        shoulder, angle = pose[H36M_17.index(f"{side}_shoulder")], np.radians(10 + 150 * u)
        along = np.array([out * np.sin(angle), np.cos(angle), 0.0])
        pose[H36M_17.index(f"{side}_elbow")] = shoulder + 0.30 * along
        pose[H36M_17.index(f"{side}_wrist")] = shoulder + 0.56 * along
    return with_feet_apart(pose, feet_m * u)


def test_squats_and_lunges_share_a_signal_and_are_told_apart_by_the_stride():
    squats = examined(*up_and_down(squatting))
    lunges = examined(*up_and_down(lunging))
    assert (len(squats.cycles["squat"]), len(squats.cycles["lunge"])) == (3, 0)
    assert (len(lunges.cycles["squat"]), len(lunges.cycles["lunge"])) == (0, 3)
    assert (len(squats.doubtful["lunge"]), len(lunges.doubtful["squat"])) == (3, 3)


def test_arms_that_rise_are_a_jumping_jack_only_if_the_feet_move_apart():
    standing = examined(*up_and_down(raising, seconds=1.2))
    jumping = examined(*up_and_down(lambda u: raising(u, 0.25), seconds=1.2))
    assert (len(standing.cycles["jumping_jack"]), len(standing.doubtful["jumping_jack"])) == (0, 3)
    assert (len(jumping.cycles["jumping_jack"]), len(jumping.doubtful["jumping_jack"])) == (3, 0)


def test_what_is_not_seen_excludes_nothing():
    clip, t = up_and_down(lambda u: raising(u))
    feet = [H36M_17.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("hip", "knee", "ankle")]
    clip[:, feet] = np.nan
    assert not examined(clip, t).doubtful["jumping_jack"]


def test_a_movement_that_is_all_but_over_before_a_long_gap_is_judged_by_what_was_seen():
    squats, t = up_and_down(squatting, repetitions=1)
    lunges, _ = up_and_down(lunging, repetitions=1)
    for clip, expected in ((squats, (1, 0)), (lunges, (0, 1))):
        cycles = examined(np.concatenate([clip[:54], clip[-1:]]), np.append(t[:54], 60.0), ("squat",))
        assert (len(cycles.cycles["squat"]), len(cycles.doubtful["squat"])) == expected


def test_a_bound_is_for_the_middle_or_for_the_range(monkeypatch):
    t = np.arange(31) / 30
    measures = {name: np.zeros(31) for name in MEASURES} | {"knee": 90 - 90 * np.abs(t - 0.5) * 2}
    for bound, fits in (
        (Bound("knee", least=70), True),
        (Bound("knee", least=80), False),
        (Bound("knee", most=80), True),
        (Bound("knee", least=80, changes=True), True),
        (Bound("knee", most=80, changes=True), False),
    ):
        monkeypatch.setitem(BOUNDS, "squat", (bound,))
        assert is_plausible("squat", t, measures, (1 / 3, 2 / 3)) is fits
    # A single badly seen frame is no movement.
    monkeypatch.setitem(BOUNDS, "squat", (Bound("knee", least=80, changes=True),))
    measures["knee"] = np.where(np.arange(31) == 3, 90.0, 0.0)
    assert is_plausible("squat", t, measures, (1 / 3, 2 / 3)) is False


def test_all_bounds_name_exercises_and_measures():
    assert set(BOUNDS) == set(MOVEMENTS)
    assert {bound.measure for bounds in BOUNDS.values() for bound in bounds} == set(MEASURES)


def test_the_repetitions_of_generated_exercises_are_plausible_and_others_often_are_not():
    own, others = [], []
    for clip in fitness.iterate(range(39), 402, detector=False, layout="h36m_17", skeleton=H36M_17):
        found = examined(clip.pose_m, np.arange(clip.num_frames) / clip.fps)
        for name in MOVEMENTS:
            share = own if name == clip.action else others
            share += [True] * len(found.cycles[name]) + [False] * len(found.doubtful[name])
    assert np.mean(own) > 0.95 and np.mean(others) < 0.6


def test_measures_agree_with_the_figure_from_every_camera():
    pose = with_feet_apart(figure(knee=(80, 20), hip=(60, 10), elbow=(30, 50), shoulder=(40, 90)), 0.2)
    body, seen = BodyMeasures(pose, H36M_17), BodyMeasures(turned(pose, (20, 130, -15)), H36M_17)
    for name in ("knee", "hip", "elbow", "shoulder", "curl", "hand_up", "hand_forward", "leg", "aside", "stride"):
        np.testing.assert_allclose(getattr(seen, name), getattr(body, name), atol=1e-9, err_msg=name)
    np.testing.assert_allclose(body.elbow, (30, 50), atol=1e-9)
    np.testing.assert_allclose(body.shoulder, (40, 90), atol=1e-9)
    np.testing.assert_allclose(body.feet_wide, (0.24 + 0.4) / 0.48)
    np.testing.assert_allclose(body.feet_wide**2 + body.stride**2, body.feet_apart**2)


@pytest.mark.parametrize(("of", "both", "left"), [(mean, 40, 30), (larger, 50, 30), (smaller, 30, 30), (apart, 20, 30)])
def test_where_one_side_is_missing_the_other_counts(of, both, left):
    assert of(np.array([30.0, 50.0])) == both and of(np.array([30.0, np.nan])) == left
    assert np.isnan(of(np.array([np.nan, np.nan])))
