"""The form of a figure whose angles are known: durations, ranges, sides, depth and cues, and nothing is invented."""

import numpy as np
import pytest

from skelgnn_tf.motion import Target, default_targets, measure_form
from skelgnn_tf.motion.exercise_cycles import Repetition
from skelgnn_tf.skeletons import H36M_17
from support.stick_figure import figure, turned

FPS = 50
#: Seconds of the way there, the hold and the way back of `trapezoid`.
THERE, HELD, BACK = 1.0, 0.6, 1.5
TIME = np.arange(0, round((1 + THERE + HELD + BACK + 1) * FPS)) / FPS
WHOLE = {"start_s": 1.0, "top_s": 2.3, "end_s": 1 + THERE + HELD + BACK}
KNEES = {"squat": Target(("knee",))}


def trapezoid():
    """0 until 1 s, then linearly up to 1, held, linearly down, 0."""
    corners = np.cumsum([1, THERE, HELD, BACK])
    return np.interp(TIME, corners, [0, 1, 1, 0])


def repetition(exercise="squat", complete=True, **times):
    return Repetition(exercise=exercise, complete=complete, **(WHOLE | times))


def measured(poses, targets=KNEES, one=None):
    (form,) = measure_form(np.asarray(poses), H36M_17, TIME[: len(poses)], [one or repetition()], targets)
    return form


def test_durations_of_a_linear_movement_are_those_at_95_percent_of_its_range():
    form = measured([figure(knee=(10 + 90 * u, 10 + 90 * u)) for u in trapezoid()])
    assert form.there_s == pytest.approx(0.95 * THERE, abs=1e-6)
    assert form.hold_s == pytest.approx(0.05 * THERE + HELD + 0.05 * BACK, abs=1e-6)
    assert form.back_s == pytest.approx(0.95 * BACK, abs=1e-6)
    assert form.there_s + form.hold_s + form.back_s == pytest.approx(form.end_s - form.start_s)


def test_ranges_depth_and_asymmetry_are_the_angles_of_the_figure_from_any_side():
    poses = np.array([figure(knee=(10 + 90 * u, 5 + 80 * u), hip=(60 * u, 60 * u)) for u in trapezoid()])
    for angles in ((0, 0, 0), (20, 130, -10)):
        form = measured(turned(poses, angles), {"squat": Target(("knee", "hip"), depth_deg=95)})
        assert form.range_deg == {
            "left_knee": pytest.approx((10, 100), abs=1e-4),
            "right_knee": pytest.approx((5, 85), abs=1e-4),
            "left_hip": pytest.approx((0, 60), abs=1e-4),
            "right_hip": pytest.approx((0, 60), abs=1e-4),
        }
        assert form.asymmetry_deg == {"knee": pytest.approx(15, abs=1e-4), "hip": pytest.approx(0, abs=1e-4)}
        assert form.depth_deg == pytest.approx(92.5, abs=1e-4)
        assert (form.number, form.exercise, form.complete, form.target_deg) == (1, "squat", True, 95)


def test_a_side_that_does_not_move_is_no_asymmetry_and_takes_no_depth_away():
    form = measured([figure(elbow=(15, 10 + 110 * u)) for u in trapezoid()], {"squat": Target(("elbow",), 110, 10)})
    assert form.depth_deg == pytest.approx(120, abs=1e-4) and form.asymmetry_deg == {"elbow": None}
    assert form.cues == () and form.range_deg["left_elbow"] == pytest.approx((15, 15), abs=1e-4)


def test_an_angle_that_is_not_seen_in_every_frame_is_not_measured():
    poses = np.array([figure(knee=(90 * u, 90 * u), hip=(70 * u, 70 * u)) for u in trapezoid()])
    poses[100, H36M_17.index("left_ankle")] = np.nan
    form = measured(poses, {"squat": Target(("knee", "hip"), depth_deg=120, asymmetry_deg=5)})
    assert form.range_deg["left_knee"] is None and form.range_deg["left_hip"] is not None
    assert form.asymmetry_deg == {"knee": None, "hip": pytest.approx(0, abs=1e-4)}
    assert form.depth_deg == pytest.approx(90, abs=1e-4), "the other side is seen"
    # Outside the repetition nothing is needed; without both sides nothing is known, and no cue is made of it.
    poses[:20] = np.nan
    assert measured(poses).depth_deg is not None
    poses[120, H36M_17.index("right_knee")] = np.nan
    form = measured(poses, {"squat": Target(("knee",), 120, 5, 9)})
    assert (form.depth_deg, form.there_s, form.hold_s, form.back_s, form.cues) == (None, None, None, None, ())
    assert (form.start_s, form.end_s, form.number) == (WHOLE["start_s"], WHOLE["end_s"], 1)


def test_cues_say_what_falls_short_of_the_target():
    poses = [figure(knee=(70 * u, 86 * u)) for u in trapezoid()]
    form = measured(poses, {"squat": Target(("knee",), depth_deg=90, asymmetry_deg=15, hold_s=2)})
    assert form.cues == (
        "depth 78°, target 90°",
        "left 16° less than right, at most 15°",
        "held 0.7 s, target 2 s",
    )
    assert measured(poses, {"squat": Target(("knee",), depth_deg=78, asymmetry_deg=16, hold_s=0.7)}).cues == ()
    assert measured(poses, {"squat": Target(("knee",))}).cues == ()


def test_a_partial_repetition_is_marked_and_has_no_number():
    poses = np.array([figure(knee=(90 * u, 90 * u)) for u in trapezoid()])
    listed = [repetition(), repetition(complete=False), repetition("lunge"), repetition()]
    forms = measure_form(poses, H36M_17, TIME, listed, default_targets())
    assert [(form.exercise, form.number) for form in forms] == [
        ("squat", 1),
        ("squat", None),
        ("lunge", 1),
        ("squat", 2),
    ]
    assert forms[1].cues == ("partial repetition",) and not forms[1].complete and forms[1].depth_deg is not None


def test_a_position_is_held_from_its_start_to_its_end():
    poses = [figure(hip=(10 + 5 * u, 12 + 5 * u)) for u in trapezoid()]
    form = measured(poses, default_targets(), repetition("plank"))
    assert form.hold_s == pytest.approx(THERE + HELD + BACK)
    assert (form.there_s, form.back_s, form.depth_deg, form.target_deg) == (None, None, None, None)
    assert form.range_deg["left_hip"] == pytest.approx((10, 15), abs=1e-4)
    assert form.cues == ("held 3.1 s, target 60 s",)


def test_an_exercise_without_a_target_has_only_times():
    form = measured([figure()] * len(TIME), {}, repetition("my_own"))
    assert form._replace(start_s=0, end_s=0) == (1, "my_own", 0, 0, True, None, None, None, {}, {}, None, None, ())


def test_a_repetition_between_two_frames_is_listed_and_not_measured():
    form = measured([figure()] * len(TIME), KNEES, repetition(start_s=1.001, top_s=1.002, end_s=1.003))
    assert form.depth_deg is None and form.range_deg == {"left_knee": None, "right_knee": None}
