"""The people of the generated data set: anthropometry, bones, joint limits, contacts and the floor, in the world."""

from __future__ import annotations

import numpy as np
import pytest

from skelgnn_tf.datasets.fitness import CLASSES
from skelgnn_tf.datasets.fitness.body import INDEX, JOINTS, LIMITS_DEG, draw_body
from skelgnn_tf.datasets.fitness.generator import act
from skelgnn_tf.skeletons import H36M_17

PEOPLE = 12
FRAMES, FPS = 150, 30.0


@pytest.fixture(scope="module")
def poses():
    """A dozen people at every exercise: {exercise: [Pose]}."""
    return {
        name: [act(np.random.default_rng([91, label, k]), label, FRAMES, FPS)[0] for k in range(PEOPLE)]
        for label, name in enumerate(CLASSES)
    }


def at(pose, joint):
    return pose.joints_m[:, INDEX[joint]]


def normed(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def angle_deg(a, b):
    """Angle between vectors (frames, 3) by the arctangent, which is exact near 0 where the arccosine is not."""
    return np.rad2deg(np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), np.sum(a * b, axis=-1)))


def axes(right, up):
    """Right, forward and up (frames, 3) of a part of the body."""
    right = normed(right)
    up = normed(up - np.sum(up * right, axis=-1, keepdims=True) * right)
    return right, np.cross(up, right), up


def pelvis_axes(pose):
    return axes(at(pose, "right_hip") - at(pose, "left_hip"), at(pose, "spine") - at(pose, "hip"))


def measured_deg(pose):
    """Every angle of LIMITS_DEG from the positions of the joints only: {name: [(frames,)]}."""
    right, forward, up = pelvis_axes(pose)
    _, chest_forward, _ = axes(
        at(pose, "right_shoulder") - at(pose, "left_shoulder"), at(pose, "thorax") - at(pose, "spine")
    )
    out = {name: [] for name in LIMITS_DEG}
    for side, sign in (("left", -1), ("right", 1)):
        hip, knee, ankle = (at(pose, f"{side}_{joint}") for joint in ("hip", "knee", "ankle"))
        shoulder, elbow, wrist = (at(pose, f"{side}_{joint}") for joint in ("shoulder", "elbow", "wrist"))
        thigh = normed(knee - hip)
        foot = at(pose, f"{side}_foot_index") - at(pose, f"{side}_heel")
        out["knee"].append(angle_deg(knee - hip, ankle - knee))
        out["elbow"].append(angle_deg(elbow - shoulder, wrist - elbow))
        out["hip_flexion"].append(
            np.rad2deg(np.arctan2(np.sum(thigh * forward, axis=-1), -np.sum(thigh * up, axis=-1)))
        )
        out["hip_abduction"].append(np.rad2deg(np.arcsin(sign * np.sum(thigh * right, axis=-1))))
        out["ankle_flexion"].append(angle_deg(foot, ankle - knee) - 90)
        behind = -np.sum(normed(elbow - shoulder) * chest_forward, axis=-1)
        out["shoulder_extension"].append(np.rad2deg(np.arcsin(behind)))
    out["spine"].append(angle_deg(at(pose, "spine") - at(pose, "hip"), at(pose, "thorax") - at(pose, "spine")))
    out["neck"].append(angle_deg(at(pose, "thorax") - at(pose, "spine"), at(pose, "neck") - at(pose, "thorax")))
    return out


def stretches(planted):
    """(start, end) of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], planted.astype(int), [0]])))
    return edges.reshape(-1, 2)


def test_bodies_have_the_proportions_of_the_published_table():
    # Winter (2009), figure 4.1, retyped from the book: parts of stature.
    winter = {"thigh_m": 0.245, "shank_m": 0.246, "forearm_m": 0.146, "hand_m": 0.108, "ankle_height_m": 0.039}
    bodies = [draw_body(np.random.default_rng(k)) for k in range(500)]
    for part, share in winter.items():
        shares = np.array([getattr(body, part) / body.height_m for body in bodies])
        assert abs(shares.mean() / share - 1) < 0.01, part
        assert shares.std() / share > 0.02, part


def test_statures_are_those_of_women_and_men():
    heights = np.array([draw_body(np.random.default_rng(k)).height_m for k in range(2000)])
    # ANSUR II: 1.629 m and 1.756 m on average, in equal numbers.
    assert abs(heights.mean() - (1.629 + 1.756) / 2) < 0.01
    assert 1.45 < heights.min() < 1.53
    assert 1.86 < heights.max() < 1.94


def test_somebody_who_stands_is_as_tall_as_the_body_says():
    for k in range(6):
        rng = np.random.default_rng([5, k])
        body = draw_body(np.random.default_rng([5, k]))
        pose, _ = act(rng, CLASSES.index("biceps_curl"), 30, FPS)
        assert 0.95 < pose.joints_m[:, INDEX["head"], 2].mean() / body.height_m < 1.01


@pytest.mark.parametrize("exercise", CLASSES)
def test_bones_keep_their_length(poses, exercise):
    for pose in poses[exercise]:
        for child, parent in H36M_17.bones:
            bone = at(pose, H36M_17.joints[child]) - at(pose, H36M_17.joints[parent])
            assert np.ptp(np.linalg.norm(bone, axis=-1)) < 1e-4


@pytest.mark.parametrize("exercise", CLASSES)
def test_left_and_right_bones_are_equally_long(poses, exercise):
    for pose in poses[exercise]:
        for child, parent in H36M_17.bones:
            pair = [
                np.linalg.norm(at(pose, H36M_17.joints[a]) - at(pose, H36M_17.joints[b]), axis=-1)[0]
                for a, b in ((child, parent), (H36M_17.mirror[child], H36M_17.mirror[parent]))
            ]
            assert abs(pair[0] - pair[1]) < 1e-9


@pytest.mark.parametrize("exercise", CLASSES)
def test_joints_stay_within_their_limits(poses, exercise):
    for pose in poses[exercise]:
        for name, angles in measured_deg(pose).items():
            low, high = LIMITS_DEG[name]
            assert np.min(angles) >= low, name
            assert np.max(angles) <= high, name


@pytest.mark.parametrize("exercise", CLASSES)
def test_knees_bend_forward(poses, exercise):
    for pose in poses[exercise]:
        right, _, _ = pelvis_axes(pose)
        for side in ("left", "right"):
            thigh = at(pose, f"{side}_knee") - at(pose, f"{side}_hip")
            shank = at(pose, f"{side}_ankle") - at(pose, f"{side}_knee")
            bent = angle_deg(thigh, shank) > 20
            # Flexion turns the shank backwards, about the axis to the person's left.
            hinge = np.sum(normed(np.cross(shank, thigh)) * right, axis=-1)
            assert np.all(hinge[bent] > 0.3)


@pytest.mark.parametrize("exercise", CLASSES)
def test_the_face_looks_forward_and_the_toes_point_forward(poses, exercise):
    for pose in poses[exercise]:
        _, forward, _ = pelvis_axes(pose)
        skull = at(pose, "nose") - (at(pose, "left_ear") + at(pose, "right_ear")) / 2
        # A head may look aside and nod, but never back.
        assert np.mean(np.sum(normed(skull) * forward, axis=-1)) > 0.2
        for side in ("left", "right"):
            shank = at(pose, f"{side}_ankle") - at(pose, f"{side}_knee")
            foot = at(pose, f"{side}_foot_index") - at(pose, f"{side}_heel")
            # Shank, foot and the person's right make a right-handed system: no foot is on backwards.
            turned = np.sum(np.cross(shank, foot) * pelvis_axes(pose)[0], axis=-1)
            assert np.all(turned > 0)


@pytest.mark.parametrize("exercise", CLASSES)
def test_planted_feet_and_hands_do_not_slip(poses, exercise):
    for pose in poses[exercise]:
        for end, planted in (("foot_index", pose.feet_planted), ("wrist", pose.hands_planted)):
            for side, name in enumerate(("left", "right")):
                for start, stop in stretches(planted[:, side]):
                    assert np.ptp(at(pose, f"{name}_{end}")[start:stop], axis=0).max() < 0.005


def test_what_is_planted_is_on_the_floor_and_what_is_known_to_be_planted_is(poses):
    for exercise, those in poses.items():
        for pose in those:
            feet = np.stack([at(pose, "left_foot_index"), at(pose, "right_foot_index")], axis=1)[..., 2]
            hands = np.stack([at(pose, "left_wrist"), at(pose, "right_wrist")], axis=1)[..., 2]
            assert np.all(feet[pose.feet_planted] < 0.025)
            assert np.all(hands[pose.hands_planted] < 0.06)
            if exercise in ("squat", "deadlift", "overhead_press", "biceps_curl", "side_bend", "push_up", "plank"):
                assert pose.feet_planted.all()
            assert pose.hands_planted.all() == (exercise in ("push_up", "plank"))
    assert any(pose.hands_planted.any() for pose in poses["burpee"])
    assert all(not pose.feet_planted.all() for pose in poses["jumping_jack"] + poses["high_knees"] + poses["lunge"])


@pytest.mark.parametrize("exercise", CLASSES)
def test_nobody_sinks_into_the_floor(poses, exercise):
    for pose in poses[exercise]:
        lowest = pose.joints_m[..., 2].min(axis=0)
        assert lowest.min() > -0.02, JOINTS[int(lowest.argmin())]


@pytest.mark.parametrize("exercise", CLASSES)
def test_movement_is_smooth(poses, exercise):
    body = [INDEX[joint] for joint in H36M_17.joints]
    for pose in poses[exercise]:
        speed_m_s = np.linalg.norm(np.diff(pose.joints_m[:, body], axis=0), axis=-1) * FPS
        # A thrown ball leaves a good amateur's hand at 25 m/s; exercise stays well below it.
        assert speed_m_s.max() < 14


def test_upright_exercises_are_upright_and_floor_exercises_lie(poses):
    def height(pose, joint):
        return at(pose, joint)[:, 2]

    for exercise in ("squat", "lunge", "jumping_jack", "overhead_press", "biceps_curl", "high_knees", "rest"):
        for pose in poses[exercise]:
            assert np.all(height(pose, "neck") > height(pose, "hip"))
    for exercise in ("push_up", "plank"):
        for pose in poses[exercise]:
            _, forward, _ = pelvis_axes(pose)
            assert np.all(forward[:, 2] < -0.7)
            assert np.all(height(pose, "neck") < 0.55 * 2)
    for pose in poses["sit_up"]:
        # At the start of a sit-up the face looks up and the shoulders are on the floor.
        assert height(pose, "thorax").min() < 0.25
        assert np.mean(height(pose, "left_knee")) > 0.3


def test_a_dead_lift_hinges_at_the_hip_more_than_a_squat(poses):
    def share(exercise):
        knee = max(np.max(measured_deg(pose)["knee"]) for pose in poses[exercise])
        hip = max(np.max(measured_deg(pose)["hip_flexion"]) for pose in poses[exercise])
        return hip / knee

    assert share("deadlift") > 1.2 * share("squat")
