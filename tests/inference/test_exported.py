"""Exported files in the place of Keras models: prediction says what it says with the models they were made from."""

import dataclasses
import json

import keras
import numpy as np
import pytest

pytest.importorskip("tensorflow")
if keras.backend.backend() != "tensorflow":
    pytest.skip("the export needs Keras' TensorFlow backend", allow_module_level=True)

from skelgnn_tf import checkpoints
from skelgnn_tf.checkpoints import LoadedModel
from skelgnn_tf.export import contract
from skelgnn_tf.export.formats import onnx, tflite
from skelgnn_tf.inference.exported import ExportedModel
from skelgnn_tf.inference.pipeline import open_model
from skelgnn_tf.inference.predict_keypoints import predict_keypoints
from skelgnn_tf.keypoints import KeypointSequence
from skelgnn_tf.skeletons import BLAZEPOSE_33, COCO_17, H36M_17, joint_map
from support import tiny_export
from support.command_line import call, mistake
from support.tiny_export import IMAGE_SIZE, action_config, detected, lift_config, lived_in

# The rates are not the file's, so that windows step over frames, and are no part of what is converted.
LIVE, ACTION = lift_config(causal=True), action_config()
FOLLOWER = action_config(input="pose", skeleton="h36m_17", confidence=False, normalization="center")
RATES = {LIVE: 15.0, ACTION: 10.0, FOLLOWER: 30.0}
SUFFIXES = ["tflite", "onnx"]


def keras_model(config, **changes):
    return LoadedModel("keras", lived_in(config), config.replace(fps=RATES[config], **changes))


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Writes a file once: (config, suffix, options of tiny_export) -> its path."""
    folder, made = tmp_path_factory.mktemp("exported"), {}

    def write(config, suffix, **options):
        key = (config, suffix, *options.items())
        if key not in made:
            phone = tiny_export.phone(config, **options)
            phone.config = config.replace(fps=RATES[config])
            told = json.dumps(contract.describe(phone, "tiny", "runs/tiny"))
            content = getattr(tiny_export, suffix)(config, **options)
            made[key] = folder / f"{len(made)}.{suffix}"
            made[key].write_bytes({"tflite": tflite, "onnx": onnx}[suffix].with_contract(content, told))
        return made[key]

    return write


def take(frames=30, layout="coco_17"):
    """A person of COCO's joints, hardly seen for a while and then not at all; a third of all joints is missing."""
    keypoints = detected((1, frames, 17))
    keypoints[0, 12] = 0
    # An eye and an ear give no joint of Human3.6M.
    keypoints[0, 13, :, 2] = np.isin(np.arange(17), [1, 3])
    if layout == "blazepose_33":
        matrix = joint_map(BLAZEPOSE_33, COCO_17)
        keypoints = (matrix.T @ keypoints).astype(np.float32)
    return KeypointSequence("take.npz", keypoints, layout, IMAGE_SIZE, 30.0)


@pytest.mark.parametrize("layout", ["coco_17", "blazepose_33"])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_poses_are_those_of_the_keras_model(exported, suffix, layout):
    file = take(layout=layout)
    lifter = open_model(exported(LIVE, suffix))
    expected, found = predict_keypoints(file, keras_model(LIVE), None), predict_keypoints(file, lifter, None)
    assert np.nanstd(expected.poses.pose_m) > 0.01
    assert np.isnan(expected.poses.pose_m[[12, 13]]).all() and np.isfinite(expected.poses.pose_m[[11, 14]]).any()
    np.testing.assert_allclose(found.poses.pose_m, expected.poses.pose_m, atol=2e-5)
    assert found.poses.skeleton.joints == H36M_17.joints
    assert (found.poses.latency_frames, found.notes) == (expected.poses.latency_frames, expected.notes)


def test_a_file_mirrors_only_if_it_was_exported_so(exported):
    """The run's --flip is no part of it: mirroring doubles the cost on a phone, and is asked for by `export --flip`."""
    lifter = open_model(exported(LIVE, "onnx"))
    found, plain, mirrored = (
        predict_keypoints(take(), one, None).poses.pose_m
        for one in (lifter, keras_model(LIVE), keras_model(LIVE, flip=True))
    )
    np.testing.assert_allclose(found, plain, atol=2e-5)
    assert np.nanmax(np.abs(found - mirrored)) > 0.001


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_decisions_are_those_of_the_keras_model(exported, suffix):
    recognizer = open_model(exported(ACTION, suffix))
    expected, found = (
        predict_keypoints(take(60), None, one, decide_every=4).actions for one in (keras_model(ACTION), recognizer)
    )
    np.testing.assert_allclose(found.decisions.probabilities, expected.decisions.probabilities, atol=1e-4)
    np.testing.assert_allclose(found.decisions.frame_probabilities, expected.decisions.frame_probabilities, atol=1e-4)
    assert found.decisions.last.tolist() == expected.decisions.last.tolist()
    assert [s[:3] for s in found.segments] == [s[:3] for s in expected.segments]
    assert (
        (found.classes, found.window_frames)
        == (expected.classes, expected.window_frames)
        == (
            tiny_export.CLASSES,
            22,
        )
    )
    assert np.ptp(expected.decisions.probabilities, axis=0).max() > 0.02, "else any window would do"


def test_an_exported_recognizer_of_poses_follows_an_exported_lifter(exported):
    models = [open_model(exported(config, "onnx", **o)) for config, o in ((LIVE, {}), (FOLLOWER, {"layout": None}))]
    found = predict_keypoints(take(), *models, decide_every=4).actions
    expected = predict_keypoints(take(), keras_model(LIVE), keras_model(FOLLOWER), decide_every=4).actions
    np.testing.assert_allclose(found.decisions.probabilities, expected.decisions.probabilities, atol=1e-3)
    assert models[1].model.layout is None and models[1].config.input == "pose"
    with pytest.raises(ValueError, match="must be used with a lifter. It recognizes 3D poses, not keypoints"):
        predict_keypoints(take(), None, models[1], decide_every=4)


def test_keras_and_exported_models_go_together(exported):
    mixed = predict_keypoints(take(), keras_model(LIVE), open_model(exported(ACTION, "onnx")), decide_every=4)
    whole = predict_keypoints(take(), keras_model(LIVE), keras_model(ACTION), decide_every=4)
    np.testing.assert_array_equal(mixed.poses.pose_m, whole.poses.pose_m)
    np.testing.assert_allclose(mixed.actions.decisions.probabilities, whole.actions.decisions.probabilities, atol=1e-4)


def test_the_picture_is_the_one_of_the_file_that_is_looked_at(exported):
    lifter = open_model(exported(LIVE, "onnx"))
    first = predict_keypoints(take(), lifter, None).poses.pose_m
    other = dataclasses.replace(take(), image_size_px=(1920, 1080))
    expected = predict_keypoints(other, keras_model(LIVE), None).poses.pose_m
    np.testing.assert_allclose(predict_keypoints(other, lifter, None).poses.pose_m, expected, atol=1e-4)
    np.testing.assert_array_equal(predict_keypoints(take(), lifter, None).poses.pose_m, first)


def saved(path, file):
    np.savez(path, keypoints=file.keypoints, image_size=file.image_size_px, fps=file.fps)
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_command_takes_files_for_presets(exported, here, suffix):
    saved(here / "take.npz", take())
    for config, name in ((LIVE, "lifter"), (ACTION, "recognizer")):
        checkpoints.save(lived_in(config), config.replace(fps=RATES[config]), here / f"{name}.keras")
    found = {}
    for name, files in (
        ("exported", (exported(LIVE, suffix), exported(ACTION, suffix))),
        ("keras", ("lifter.keras", "recognizer.keras")),
    ):
        models = ["--lifter", files[0], "--recognizer", files[1], "--keypoint-layout", "coco_17", "--decide-every", 4]
        result = call("predict", "take.npz", *models, "--output", f"{name}.npz")
        assert result.exit_code == 0 and f"3D pose by {files[0]}" in result.stdout, result.output
        found[name] = np.load(here / f"{name}.npz")
    for key in ("pose_m", "window_probabilities", "angles_deg"):
        # A millionth of a pose may be a thousandth of a degree.
        atol = 0.5 if key == "angles_deg" else 1e-4
        np.testing.assert_allclose(found["exported"][key], found["keras"][key], atol=atol)
    assert found["exported"]["repetitions"].tolist() == found["keras"]["repetitions"].tolist()


def test_a_file_in_the_wrong_place_is_refused(exported, here):
    saved(here / "take.npz", take())
    lifter, recognizer = exported(LIVE, "tflite"), exported(ACTION, "onnx")
    command = ["predict", "take.npz", "--keypoint-layout", "coco_17"]
    line = mistake(*command, "--lifter", recognizer)
    assert line.startswith(f"{recognizer} must be a pose lifter. Received: an action recognizer")
    line = mistake(*command, "--recognizer", lifter)
    assert line.startswith(f"{lifter} must be an action recognizer. Received: a pose lifter")
    line = mistake(*command, "--lifter", "none", "--recognizer", exported(FOLLOWER, "onnx", layout=None))
    assert "must be used with a lifter" in line
    other = saved(
        here / "ntu.npz", dataclasses.replace(take(), keypoints=np.full((1, 9, 25, 3), 50, np.float32), layout="ntu_25")
    )
    line = mistake("predict", other, "--keypoint-layout", "ntu_25", "--lifter", lifter, "--recognizer", "none")
    assert "all joints of coco_17. Received: ntu_25, which lacks" in line


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kept", [0.0, 0.4, 0.9999])
def test_a_damaged_file_costs_one_line(exported, here, suffix, kept):
    saved(here / "take.npz", take())
    content, name = exported(LIVE, suffix).read_bytes(), f"cut.{suffix}"
    (here / name).write_bytes(content[: int(kept * len(content))])
    line = mistake("predict", "take.npz", "--keypoint-layout", "coco_17", "--lifter", name)
    assert line.startswith((f"{name} must be a .tflite or .onnx file of skelgnn-tf", f"{name} is damaged"))


def test_a_file_that_is_not_there_is_said():
    with pytest.raises(FileNotFoundError, match="nowhere.tflite must be a .tflite or .onnx file. Nothing was found"):
        ExportedModel("nowhere.tflite")
