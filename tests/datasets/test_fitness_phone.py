"""Phone scenes: what a phone shows of a person, and what a detector leaves of it."""

import collections

import numpy as np
import pytest

from skelgnn_tf.datasets import fitness
from skelgnn_tf.datasets.fitness import generator
from skelgnn_tf.datasets.fitness.body import INDEX, draw_body
from skelgnn_tf.datasets.fitness.captured import pose_of
from skelgnn_tf.datasets.fitness.exercises import EXERCISES
from skelgnn_tf.datasets.fitness.generator import act
from skelgnn_tf.datasets.fitness.rhythm import Take, Tempo, draw_rhythm
from skelgnn_tf.skeletons import COCO_17, H36M_17

VARIANTS = [(exercise.name, i) for exercise in EXERCISES for i in range(len(dict.fromkeys(exercise.phone)))]


@pytest.fixture(scope="module")
def no_studio():
    """Phone scenes without the share that are studio scenes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generator, "_STUDIO", 0.0)
        yield


@pytest.fixture(scope="module")
def clips(no_studio):
    """Two runs of every class."""
    return fitness.generate(36, seed=11, frames=150, scenes="phone", skeleton=COCO_17, layout="coco_17")


def perform(name, number, seed=3, frames=90):
    """The pose of one variant of an exercise, and its rhythm."""
    exercise = next(e for e in EXERCISES if e.name == name)
    variant = list(dict.fromkeys(exercise.phone))[number]
    rng = np.random.default_rng([seed, number])
    body = draw_body(rng)
    rhythm = draw_rhythm(rng, frames, 30.0, exercise.phone_tempo or Tempo((2.0, 5.0)))
    return variant(Take(rng, body, rhythm)), body


def test_every_run_has_each_class_once_and_the_others_five_times(clips):
    for run in (clips[:18], clips[18:]):
        counts = collections.Counter(clip.action for clip in run)
        assert counts.pop("other") == 5
        assert set(counts) == set(fitness.CLASSES) and set(counts.values()) == {1}


def test_a_share_of_the_clips_is_filmed_like_studio_scenes(monkeypatch):
    options = {"frames": 60, "exercise": "sit_up", "layout": "coco_17", "skeleton": COCO_17}
    monkeypatch.setattr(generator, "_STUDIO", 1.0)
    made = fitness.generate(3, seed=2, scenes="phone", **options)
    # A body that is whole in the picture of a studio may be cut by that of a phone.
    assert all((clip.keypoints[..., 2] > 0).mean() > 0.9 for clip in made)
    assert all(clip.phase[0] == 0 for clip in made)


def test_clips_are_the_same_bits_every_time(clips):
    again = fitness.make_clip(11, 7, frames=150, scenes="phone", skeleton=COCO_17, layout="coco_17")
    np.testing.assert_array_equal(again.keypoints, clips[7].keypoints)
    np.testing.assert_array_equal(again.pose_m, clips[7].pose_m)


def test_joints_outside_the_picture_are_left_out_unless_the_detector_is_confident(clips):
    left_out = 0
    for clip in clips:
        xy, confidence = clip.keypoints[0, ..., :2], clip.keypoints[0, ..., 2]
        outside = np.any((xy < 0) | (xy > np.array(clip.image_size_px)), axis=-1) & (confidence > 0)
        assert (confidence[outside] >= 0.5).all()
        left_out += np.mean(confidence == 0) > 0.2
    assert left_out >= 4


def test_what_an_exercise_needs_is_in_the_picture_most_of_the_time(no_studio):
    made = fitness.generate(24, seed=2, frames=90, scenes="phone", exercise="squat", skeleton=COCO_17, layout="coco_17")
    cut = 0
    for clip in made:
        width, height = clip.image_size_px
        pixels = clip.camera.project(clip.pose_m.astype(float))
        inside = np.all((pixels >= 0) & (pixels <= [width, height]), axis=-1)
        knees = inside[:, [COCO_17.index("left_knee"), COCO_17.index("right_knee")]].any(axis=1)
        assert knees.mean() >= 0.7
        cut += inside[:, [COCO_17.index("left_ankle"), COCO_17.index("right_ankle")]].any(axis=1).mean() < 0.5
    # Feet are not needed, and are often outside.
    assert cut >= 2


@pytest.mark.parametrize(("name", "number"), VARIANTS)
def test_every_variant_keeps_its_bones_and_moves_like_a_person(name, number):
    pose, body = perform(name, number)
    joints = pose.joints_m
    assert np.isfinite(joints).all()
    lengths = {"thigh_m": ("hip", "knee"), "shank_m": ("knee", "ankle"), "upper_arm_m": ("shoulder", "elbow")}
    for side in ("left", "right"):
        for part, (a, b) in lengths.items():
            bone = np.linalg.norm(joints[:, INDEX[f"{side}_{a}"]] - joints[:, INDEX[f"{side}_{b}"]], axis=-1)
            np.testing.assert_allclose(bone, getattr(body, part), rtol=2e-3)
    speed = np.linalg.norm(np.diff(joints, axis=0), axis=-1) * 30
    assert speed.max() < 18
    assert joints[..., 2].min() > -0.35


def test_clips_begin_anywhere_in_a_repetition_and_count_from_there():
    made = fitness.generate(20, seed=6, frames=120, scenes="phone", exercise="squat", detector=False)
    assert sum(clip.phase[0] > 0.1 for clip in made) >= 4
    assert all(clip.repetitions[0] == 0 and (np.diff(clip.repetitions) >= 0).all() for clip in made)


def test_recorded_motion_keeps_its_joints_and_gets_a_face_in_front():
    rng = np.random.default_rng(0)
    pose, _ = act(rng, fitness.CLASSES.index("rest"), 20, 30.0)
    recorded = pose.joints_m[:, [INDEX[joint] for joint in H36M_17.joints]]
    built = pose_of(rng, recorded)
    np.testing.assert_array_equal(built.joints_m[:, [INDEX[joint] for joint in H36M_17.joints]], recorded)
    np.testing.assert_allclose(np.linalg.det(built.frames), 1, atol=1e-9)
    # The generator knows where the nose is.
    ahead = pose.joints_m[:, INDEX["nose"]] - pose.joints_m[:, INDEX["neck"]]
    found = built.joints_m[:, INDEX["nose"]] - built.joints_m[:, INDEX["neck"]]
    assert (np.sum(ahead * found, axis=-1) > 0).all()


def test_recordings_become_a_part_of_the_others(tmp_path):
    rng = np.random.default_rng(1)
    pose, _ = act(rng, fitness.CLASSES.index("rest"), 200, 60.0)
    world = pose.joints_m[:, [INDEX[joint] for joint in H36M_17.joints]].astype(np.float32)
    np.savez(tmp_path / "data_3d_h36m.npz", positions_3d=np.array({"S1": {"Walking": world}}, object))
    recordings = fitness.Recordings(tmp_path)
    options = {"frames": 40, "scenes": "phone", "exercise": "other", "detector": False}
    with_them = fitness.generate(30, 4, recordings=recordings, **options)
    without = fitness.generate(30, 4, **options)
    recorded = [not np.array_equal(a.pose_m, b.pose_m) for a, b in zip(with_them, without, strict=True)]
    assert 5 <= sum(recorded) <= 30
    with pytest.raises(FileNotFoundError, match="data_3d_h36m.npz: file not found"):
        fitness.Recordings(tmp_path / "nowhere")


def test_scenes_and_their_classes_are_checked():
    with pytest.raises(ValueError, match="scenes must be one of studio, phone. Received: 'garden'"):
        fitness.generate(1, 0, scenes="garden")
    with pytest.raises(ValueError, match="for studio scenes. Received: 'other'"):
        fitness.generate(1, 0, exercise="other")
