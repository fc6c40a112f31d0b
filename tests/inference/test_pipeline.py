"""`skelgnn_tf.predict`: the same numbers as version 0.1, from Keras and, within the bounds of export, from presets."""

from pathlib import Path

import numpy as np
import pytest

import skelgnn_tf as sk
from skelgnn_tf.inference.exported import ExportedModel
from skelgnn_tf.inference.pipeline import open_model

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "v0_1"


@pytest.fixture(scope="module")
def expected():
    with np.load(FIXTURES / "expected.npz") as arrays:
        return dict(arrays)


@pytest.mark.parametrize(("smooth", "name"), [(True, "keras"), (False, "raw")])
def test_keras_models_predict_what_version_0_1_predicted(expected, smooth, name):
    lifter, recognizer = sk.load("fitness_9f"), sk.load("exercises_2d")
    prediction = sk.predict(FIXTURES / "keypoints.npz", lifter=lifter, recognizer=recognizer, smooth=smooth)
    np.testing.assert_allclose(prediction.poses.pose_m, expected[f"predict_{name}_pose_m"], atol=2e-6)
    knee = prediction.motion.angles_deg["left_knee"]
    np.testing.assert_allclose(knee, expected[f"predict_{name}_knee"], atol=1e-3)


def test_presets_predict_from_their_phone_files_within_the_bounds_of_export(expected):
    prediction = sk.predict(FIXTURES / "keypoints.npz")
    assert isinstance(open_model("fitness_9f").model, ExportedModel)
    distance_m = np.linalg.norm(prediction.poses.pose_m - expected["predict_keras_pose_m"], axis=-1)
    assert 0 < distance_m.mean() <= 1e-3
    # The recognizer's weights are newer than the fixture: its phone file is held against its Keras model.
    keras = sk.predict(FIXTURES / "keypoints.npz", recognizer=sk.load("exercises_2d")).actions.decisions
    scores = prediction.actions.decisions.frame_probabilities
    np.testing.assert_allclose(scores, keras.frame_probabilities, atol=5e-3)
    assert prediction.poses.lifter == "fitness_9f" and prediction.actions.recognizer == "exercises_2d"


def test_keypoints_in_memory_are_predicted_as_their_file_is():
    sequence = sk.read_keypoints(FIXTURES / "keypoints.npz")
    one, other = sk.predict(sequence), sk.predict(FIXTURES / "keypoints.npz")
    np.testing.assert_array_equal(one.poses.pose_m, other.poses.pose_m)


def test_a_given_exercise_is_counted_whatever_is_recognized():
    prediction = sk.predict(FIXTURES / "keypoints.npz", exercise="squat", recognizer=None)
    assert set(prediction.motion.exercise) == {"squat"} and len(prediction.motion.repetitions) == 90
    with pytest.raises(ValueError, match="--exercise must be one of .*squat.* Received: yoga"):
        sk.predict(FIXTURES / "keypoints.npz", exercise="yoga")


def test_a_missing_source_is_named():
    with pytest.raises(FileNotFoundError, match=r"nowhere.mp4 must be a video.* Nothing was found"):
        sk.predict("nowhere.mp4")


def test_joints_that_the_recognizer_lacks_are_said_with_a_way_out(tmp_path):
    np.savez(tmp_path / "h36m.npz", keypoints=np.random.default_rng(0).uniform(100, 400, (20, 17, 3)))
    with pytest.raises(ValueError, match=r"exercises_2d: .*h36m_17.* Use --recognizer none"):
        sk.predict(tmp_path / "h36m.npz", layout="h36m_17", image_size_px=(640, 480))
