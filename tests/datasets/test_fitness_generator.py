"""Clips of the generated data set: seeds, classes, repetitions and projection."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.signal import find_peaks

from skelgnn_tf.datasets import fitness
from skelgnn_tf.skeletons import BLAZEPOSE_33, COCO_17, H36M_17, H36M_17_LCN, NTU_25, joint_map

J = {joint: i for i, joint in enumerate(H36M_17.joints)}


def bend_deg(pose_m, a, b, c):
    """How far joint b is bent away from straight between a and c, (frames,) degrees."""
    first, second = pose_m[:, J[b]] - pose_m[:, J[a]], pose_m[:, J[c]] - pose_m[:, J[b]]
    cos = np.sum(first * second, axis=-1) / np.linalg.norm(first, axis=-1) / np.linalg.norm(second, axis=-1)
    return np.rad2deg(np.arccos(np.clip(cos, -1, 1)))


def both(pose_m, limb, reduce=np.mean):
    return reduce([bend_deg(pose_m, *(f"{side}_{joint}" for joint in limb)) for side in ("left", "right")], axis=0)


def raised(pose_m, joint):
    """How far the higher of the two joints has come up from the hip along the trunk, (frames,) trunk lengths."""
    trunk = pose_m[:, J["thorax"]] - pose_m[:, J["hip"]]
    up = [pose_m[:, J[f"{side}_{joint}"]] - pose_m[:, J["hip"]] for side in ("left", "right")]
    return np.max([np.sum(u * trunk, axis=-1) for u in up], axis=0) / np.sum(trunk**2, axis=-1)


#: What rises and falls once a repetition, seen in the clip's 3D pose only.
SIGNALS = {
    "squat": lambda p: both(p, ("hip", "knee", "ankle")),
    "lunge": lambda p: both(p, ("hip", "knee", "ankle")),
    "push_up": lambda p: both(p, ("shoulder", "elbow", "wrist")),
    "jumping_jack": lambda p: raised(p, "wrist"),
    "deadlift": lambda p: bend_deg(p, "thorax", "hip", "left_knee") + bend_deg(p, "thorax", "hip", "right_knee"),
    "biceps_curl": lambda p: both(p, ("shoulder", "elbow", "wrist"), np.max),
    "high_knees": lambda p: raised(p, "knee"),
}


@pytest.mark.parametrize("exercise", SIGNALS)
def test_repetitions_are_the_peaks_of_the_movement(exercise):
    counted = 0
    for clip in fitness.generate(6, seed=17, frames=360, exercise=exercise, detector=False):
        signal = SIGNALS[exercise](clip.pose_m)
        rest = np.percentile(signal, 2)
        # Who gives up goes less than a third as deep as who does not (rhythm.py's attempts).
        peaks, _ = find_peaks(signal, height=rest + 0.5 * (signal.max() - rest), prominence=0.3 * np.ptp(signal))
        finished = clip.repetitions
        if clip.repetitions[-1] == 0 and clip.phase.max() == 0:
            continue
        # At the deepest point of the k-th repetition, k are done.
        assert finished[peaks].tolist() == list(range(len(peaks))), clip.name
        assert finished[-1] in (len(peaks) - 1, len(peaks)), clip.name
        counted += len(peaks)
    assert counted >= 12


@pytest.mark.parametrize("exercise", fitness.CLASSES)
def test_counts_step_by_one_where_a_phase_ends(exercise):
    for clip in fitness.generate(3, seed=4, exercise=exercise):
        steps = np.diff(clip.repetitions)
        assert clip.repetitions.dtype == np.int32
        assert clip.repetitions[0] == 0
        assert set(steps.tolist()) <= {0, 1}
        assert clip.phase.min() >= 0
        assert clip.phase.max() <= 1
        ends = np.flatnonzero(steps)
        assert np.all(clip.phase[ends] > 0.85)
        assert np.all(clip.phase[ends + 1] < 0.15)
        if exercise in ("plank", "rest"):
            assert clip.repetitions[-1] == 0
            assert clip.phase.max() == 0


def test_lunges_alternate_and_each_leg_counts():
    sides = []
    for clip in fitness.generate(8, seed=2, frames=360, exercise="lunge", detector=False):
        pose = clip.pose_m
        forward = np.cross(pose[:, J["spine"]] - pose[:, J["hip"]], pose[:, J["right_hip"]] - pose[:, J["left_hip"]])
        ahead = np.sum((pose[:, J["right_ankle"]] - pose[:, J["left_ankle"]]) * forward, axis=-1)
        moving = clip.phase > 0
        sides.append([np.sign(ahead[moving & (clip.repetitions == k)].sum()) for k in range(clip.repetitions[-1])])
    alternations = [a != b for s in sides for a, b in itertools.pairwise(s)]
    # An attempt takes a turn and is not counted, so now and then a side follows itself.
    assert len(alternations) >= 8
    assert np.mean(alternations) > 0.7


def test_there_are_twelve_exercises_and_rest():
    assert len(fitness.CLASSES) == len(set(fitness.CLASSES)) == 13
    assert fitness.CLASSES[-1] == "rest" and (*fitness.CLASSES, "other") == fitness.PHONE_CLASSES


def test_every_thirteen_clips_hold_every_class_once():
    clips = fitness.generate(39, seed=3, frames=20)
    for block in range(3):
        assert sorted(clip.label for clip in clips[13 * block : 13 * block + 13]) == list(range(13))
    orders = {tuple(clip.label for clip in clips[13 * block : 13 * block + 13]) for block in range(3)}
    assert len(orders) == 3
    assert all(clip.action == fitness.CLASSES[clip.label] for clip in clips)


def bits(clip):
    return b"".join(
        part.tobytes() for part in (clip.keypoints, clip.pose_m, clip.repetitions, clip.phase, clip.camera.rotation)
    )


def test_a_seed_gives_the_same_bits_and_another_seed_others():
    first, again, other = (fitness.generate(13, seed, frames=40) for seed in (8, 8, 9))
    assert [bits(clip) for clip in first] == [bits(clip) for clip in again]
    assert not {bits(clip) for clip in first} & {bits(clip) for clip in other}


def test_a_clip_depends_on_its_seed_and_index_alone():
    many = fitness.generate(15, seed=5, frames=40)
    assert bits(fitness.generate(3, seed=5, frames=40)[2]) == bits(many[2])
    assert bits(fitness.make_clip(5, 14, frames=40)) == bits(many[14])
    assert [bits(clip) for clip in fitness.iterate(range(4, 6), 5, frames=40)] == [bits(clip) for clip in many[4:6]]


def test_the_detector_changes_what_is_seen_and_not_what_happens():
    seen, exact = (fitness.make_clip(1, 6, frames=40, detector=on) for on in (True, False))
    assert np.array_equal(seen.pose_m, exact.pose_m)
    assert not np.array_equal(seen.keypoints, exact.keypoints)


def test_exact_keypoints_are_the_projection_of_the_pose():
    for clip in fitness.generate(13, seed=6, frames=30, detector=False):
        by_camera = clip.camera.project(clip.pose_m.astype(float))
        np.testing.assert_allclose(clip.keypoints[0, ..., :2], by_camera, atol=0.02)
        # A pinhole by hand: the picture's middle is what the lens looks at, x to the right, y down.
        width, height = clip.image_size_px
        x, y, z = np.moveaxis(clip.pose_m.astype(float), -1, 0)
        by_hand = np.stack(
            [width / 2 + clip.camera.focal_px[0] * x / z, height / 2 + clip.camera.focal_px[1] * y / z], -1
        )
        np.testing.assert_allclose(clip.keypoints[0, ..., :2], by_hand, atol=0.02)
        assert np.all(clip.keypoints[..., 2] == 1)


@pytest.mark.parametrize("layout", ["coco_17", "blazepose_33"])
def test_another_layout_agrees_with_human36m_where_both_have_the_joint(layout):
    direct, mapped = (fitness.make_clip(6, 3, frames=30, detector=False, layout=name) for name in ("h36m_17", layout))
    matrix = joint_map(layout, "h36m_17")
    shared = [i for i, row in enumerate(matrix) if np.count_nonzero(row) == 1]
    assert len(shared) == 12
    np.testing.assert_allclose(direct.keypoints[0, :, shared], mapped.keypoints[0, :, shared], atol=0.01)
    # What a detector only implies lies near what Human3.6M means: closer than a hand is long.
    depth = direct.pose_m[..., 2].mean()
    off_m = np.abs(direct.keypoints - mapped.keypoints)[0, ..., :2].mean(axis=0) * depth / direct.camera.focal_px[0]
    assert off_m.max() < 0.15


OTHER_JOINTS = [(COCO_17, "coco_17"), (COCO_17, "blazepose_33"), (BLAZEPOSE_33, "blazepose_33")]


@pytest.mark.parametrize(("skeleton", "layout"), OTHER_JOINTS, ids=lambda v: getattr(v, "name", v))
def test_clips_of_a_detectors_own_joints_are_its_poses_and_their_projections(skeleton, layout):
    for index in range(4):
        clip = fitness.make_clip(6, index, frames=20, detector=False, layout=layout, skeleton=skeleton)
        assert clip.pose_m.shape == (20, skeleton.num_joints, 3)
        assert clip.keypoints.shape == (1, 20, skeleton.num_joints, 3) and clip.keypoints.dtype == np.float32
        by_camera = clip.camera.project(clip.pose_m.astype(float))
        np.testing.assert_allclose(clip.keypoints[0, ..., :2], by_camera, atol=0.02)
        assert np.all(clip.keypoints[..., 2] == 1)
        # The same person, seen by the same camera: where Human3.6M has the joint too, it is there.
        other = fitness.make_clip(6, index, frames=20, detector=False)
        shared = [name for name in skeleton.joints if name in H36M_17.joints]
        assert len(shared) == 12
        np.testing.assert_allclose(
            clip.pose_m[:, [skeleton.index(name) for name in shared]], other.pose_m[:, [J[name] for name in shared]]
        )
        assert (clip.label, clip.name) == (other.label, other.name)


@pytest.mark.parametrize(("skeleton", "layout"), OTHER_JOINTS, ids=lambda v: getattr(v, "name", v))
def test_joints_of_a_detector_are_seen_about_where_they_are(skeleton, layout):
    clip = fitness.make_clip(6, 2, frames=60, layout=layout, skeleton=skeleton)
    xy, confidence = clip.keypoints[0, ..., :2], clip.keypoints[0, ..., 2]
    off = np.linalg.norm(xy - clip.camera.project(clip.pose_m.astype(float)), axis=-1)[confidence > 0.5]
    height = np.ptp(xy[confidence > 0.5][:, 1])
    assert 0 < np.median(off) < 0.05 * height
    assert 0 <= confidence.min() and confidence.max() <= 1


def test_the_face_lies_before_the_ears_and_the_toes_before_the_heels():
    index = BLAZEPOSE_33.index
    for clip in fitness.generate(4, 3, frames=10, exercise="squat", layout="blazepose_33", skeleton=BLAZEPOSE_33):
        pose = clip.pose_m
        across = pose[:, index("left_hip")] - pose[:, index("right_hip")]
        up = pose[:, index("left_shoulder")] - pose[:, index("left_hip")]
        forward = np.cross(across, up)
        ears = (pose[:, index("left_ear")] + pose[:, index("right_ear")]) / 2
        assert np.all(np.sum((pose[:, index("nose")] - ears) * forward, axis=-1) > 0)
        for side in ("left", "right"):
            foot = pose[:, index(f"{side}_foot_index")] - pose[:, index(f"{side}_heel")]
            assert np.all(np.sum(foot * forward, axis=-1) > 0)


def test_a_load_of_other_joints_sees_them_through_a_detector_that_has_them():
    for skeleton, extent in ((COCO_17, 17), (BLAZEPOSE_33, 33), (H36M_17_LCN, 17)):
        data = fitness.load(0, train_clips=3, test_clips=2, frames=10, skeleton=skeleton)
        assert data.skeleton == skeleton and len(data.train) == 3 and len(data.test) == 2
        assert {clip.keypoints.shape for clip in data.train + data.test} == {(1, 10, extent, 3)}


def test_a_layout_that_cannot_give_the_joints_is_one_line():
    for options, message in [
        ({"layout": "h36m_17", "skeleton": COCO_17}, "of coco_17. Received: h36m_17, which lacks nose, left_eye"),
        ({"layout": "coco_17", "skeleton": BLAZEPOSE_33}, "of blazepose_33. Received: coco_17, which lacks "),
        ({"layout": "coco_17", "skeleton": NTU_25}, "skeleton must be one of h36m_17.*Received: ntu_25"),
    ]:
        for detector in (True, False):
            with pytest.raises(ValueError, match=message) as refused:
                fitness.generate(1, 0, frames=5, detector=detector, **options)
            assert "\n" not in str(refused.value)
    with pytest.raises(ValueError, match="ntu_25"):
        fitness.load(0, train_clips=1, test_clips=1, frames=5, skeleton=NTU_25)


def test_cameras_are_those_of_phones():
    clips = fitness.generate(200, seed=12, frames=10, detector=False)
    heights, rolls, fields, fills, facing, pitches = [], [], [], [], [], []
    for clip in clips:
        camera, (width, height) = clip.camera, clip.image_size_px
        heights.append(camera.position_m[2])
        fields.append(np.rad2deg(2 * np.arctan(max(width, height) / 2 / camera.focal_px[0])))
        right, _, forward = camera.rotation
        rolls.append(np.rad2deg(np.arcsin(right[2] / np.hypot(*forward[:2]))))
        seen = clip.keypoints[0, ..., :2]
        fills.append(np.max(np.ptp(seen, axis=(0, 1)) / [width, height]))
        facing.append(np.arctan2(forward[1], forward[0]))
        person = camera.to_world(clip.pose_m.astype(float)).mean(axis=(0, 1)) - camera.position_m
        pitches.append(np.rad2deg(np.arctan2(-person[2], np.hypot(*person[:2]))))
        assert np.all(clip.pose_m[..., 2] > 0.2)
    assert 0.2 <= min(heights) < 0.5 < 1.8 < max(heights) <= 2.2
    assert 55 <= min(fields) < 60 < 75 < max(fields) <= 80
    assert -35 < min(pitches) < -5 < 25 < max(pitches) < 55
    assert 15 < max(np.abs(rolls)) <= 30.01
    assert np.median(np.abs(rolls)) < 6
    assert 0.3 < np.percentile(fills, 5) < 0.7 < np.percentile(fills, 80) < 1.0
    # All round the person.
    assert np.histogram(facing, bins=8, range=(-np.pi, np.pi))[0].min() > 8
    portrait = np.mean([clip.image_size_px[1] > clip.image_size_px[0] for clip in clips])
    assert 0.35 < portrait < 0.65


def test_people_are_the_right_way_up_and_left_is_left():
    for clip in fitness.generate(30, seed=7, frames=20, exercise="biceps_curl", detector=False):
        if np.abs(clip.camera.rotation[0, 2]) < 0.2:
            head, hip = clip.keypoints[0, :, J["head"], 1], clip.keypoints[0, :, J["hip"], 1]
            assert np.all(head < hip)
        # Who faces the lens has the left hip on the right of the picture; camera space, z away from the lens.
        pose = clip.pose_m
        across = pose[:, J["left_hip"]] - pose[:, J["right_hip"]]
        forward = np.cross(across, pose[:, J["spine"]] - pose[:, J["hip"]])
        knees = (pose[:, J["left_knee"]] + pose[:, J["right_knee"]]) / 2
        line = (pose[:, J["hip"]] + (pose[:, J["left_ankle"]] + pose[:, J["right_ankle"]]) / 2) / 2
        assert np.mean(np.sum((knees - line) * forward, axis=-1)) > 0


def test_training_and_test_clips_never_meet():
    data = fitness.load(0, train_clips=14, test_clips=13, frames=20)
    following = fitness.load(1, train_clips=14, test_clips=13, frames=20)
    everything = [bits(clip) for part in (data.train, data.test, following.train) for clip in part]
    assert len(set(everything)) == len(everything) == 41
    # Another seed trains on other clips and is tested on the same.
    assert [bits(clip) for clip in following.test] == [bits(clip) for clip in data.test]
    assert data.skeleton is H36M_17
    assert data.classes == fitness.CLASSES
    people = [{clip.subject for clip in part} for part in (data.train, data.test)]
    assert not people[0] & people[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"exercise": "yoga"}, "exercise must be one of squat.*Received: 'yoga'"),
        ({"layout": "ntu_25"}, "layout must be one or more of h36m_17, coco_17, blazepose_33. Received: 'ntu_25'"),
        ({"frames": 1}, "frames must be 2 or more"),
        ({"fps": 0.0}, "fps above 0. Received: 240 frames at 0.0 fps"),
    ],
)
def test_what_cannot_be_made_is_refused_in_words(options, message):
    with pytest.raises(ValueError, match=message):
        fitness.generate(1, 0, **options)


def test_no_clips_at_all_are_refused():
    with pytest.raises(ValueError, match="num_clips must be 1 or more. Received: 0"):
        fitness.generate(0, 0)
