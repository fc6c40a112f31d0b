"""Verification: the numbers that it prints, the bounds that it holds files to, and the clips that it takes."""

import math
import zipfile

import keras
import numpy as np
import pytest

pytest.importorskip("tensorflow")
if keras.backend.backend() != "tensorflow":
    pytest.skip("the export needs Keras' TensorFlow backend", allow_module_level=True)

import json

from skelgnn_tf.checkpoints import LoadedModel
from skelgnn_tf.datasets import h36m, windows
from skelgnn_tf.export import calibration, contract
from skelgnn_tf.export.calibration import RealClips, as_detected, load_real_clips
from skelgnn_tf.export.formats import onnx
from skelgnn_tf.export.verify import Verification, broken_bound, keras_poses, verify, zipped
from skelgnn_tf.geometry import normalize_screen
from skelgnn_tf.skeletons import ALL, COCO_17, H36M_17, map_keypoints
from support import tiny_actions, tiny_export, tiny_h36m
from support.tiny_export import action_config, inputs_of, lift_config, phone

SMALL = lift_config(frames=1, blocks=1, sharing="shared", dynamic=False)


def result(score="MPJPE mm", keras=50.0, file=50.0, largest=0.0, mean=0.0, p99=0.0):
    return Verification("clips", largest, mean, score, keras, file, 1, 1, {"1": 1.0}, percentile_99=p99)


# ---- numbers


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A small lifter's ONNX file, which takes a second to make."""
    told = json.dumps(contract.describe(phone(SMALL), "small", "runs/small"))
    path = tmp_path_factory.mktemp("verify") / "model.onnx"
    path.write_bytes(onnx.with_contract(tiny_export.onnx(SMALL), told))
    return path


@pytest.fixture(scope="module")
def clips():
    inputs = inputs_of(phone(SMALL), batch=20)
    truth = np.random.default_rng(1).normal(size=(20, 1, 17, 3)).astype(np.float32)
    return RealClips("drawn", inputs, truth)


def test_what_is_printed_is_what_the_file_does(file, clips):
    model = tiny_export.lived_in(SMALL)
    found = verify(file, model, COCO_17, False, clips)
    poses = keras_poses(model, COCO_17, False, clips.inputs)
    errors = [np.sqrt(np.sum((p - t) ** 2)) for pose, truth in zip(poses, clips.truth, strict=True)
              for p, t in zip(pose[0], truth[0], strict=True)]  # fmt: skip
    assert found.score == "MPJPE mm" and math.isclose(found.keras, 1000 * np.mean(errors), rel_tol=1e-5)
    assert math.isclose(found.file, found.keras, rel_tol=1e-4) and abs(found.lost - (found.file - found.keras)) < 1e-9
    assert found.largest_difference < 2e-5 and found.mean_difference <= found.largest_difference * math.sqrt(3)
    assert 0 < found.percentile_99 <= found.largest_difference * math.sqrt(3)
    assert found.clips == "20 windows of drawn" and found.bytes == file.stat().st_size
    assert set(found.latency_ms) == {"1", "2"} and all(ms > 0 for ms in found.latency_ms.values())
    assert json.loads(json.dumps(found.to_dict())) == found.to_dict()


def test_a_file_of_another_model_is_found_out(file, clips):
    other = tiny_export.lived_in(SMALL, seed=1)
    found = verify(file, other, COCO_17, False, clips)
    assert found.largest_difference > 1e-2
    assert "differs from Keras by" in broken_bound("none", found)
    assert "mm on average" in broken_bound("float16", found)


def test_a_size_within_a_package_is_that_of_a_zip(tmp_path, file):
    content = file.read_bytes()
    with zipfile.ZipFile(tmp_path / "app.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("model", content)
    size = zipfile.ZipFile(tmp_path / "app.zip").getinfo("model").compress_size
    assert abs(zipped(content) - size) < 0.01 * size + 20


def test_what_is_lost_is_worse_whichever_way_the_score_points():
    assert result(keras=50, file=52).lost == 2
    assert result("top-1 %", keras=90, file=88).lost == 2
    assert result("agreement %", keras=100, file=99).lost == 1


# ---- bounds

NAN = float("nan")


@pytest.mark.parametrize(
    ("quantization", "change"),
    [
        ("none", {"largest": 9e-5}),
        ("float16", {"largest": 5e-3, "mean": 9e-4}),
        ("dynamic", {"mean": 9e-4, "file": 60}),
        ("dynamic", {"mean": 5e-3, "file": 50.4}),
        ("int8", {"mean": 5e-2, "file": 50.9}),
        ("int8", {"mean": 5e-2, "file": 40}),
        ("int8", {"p99": 0.0199}),
        ("dynamic", {"score": "top-1 %", "p99": 0.049}),
        ("int16x8", {"file": 50.9}),
        ("none", {"score": "top-1 %", "largest": 9e-5}),
        ("int8", {"score": "top-1 %", "keras": 90, "file": 89.6, "largest": 0.3}),
    ],
)
def test_what_keeps_its_bound_is_fine(quantization, change):
    assert broken_bound(quantization, result(**change)) is None


@pytest.mark.parametrize(
    ("quantization", "change", "message"),
    [
        ("none", {"largest": 2e-4}, r"by 0\.0002 m \(limit: 0\.0001\)"),
        ("float16", {"largest": 5e-3, "mean": 1.1e-3}, r"1\.1 mm on average \(limit: 1 mm\)"),
        ("dynamic", {"mean": 1.1e-3, "file": 50.6}, r"0\.60 mm of 50\.00 mm MPJPE \(limit: 1%\)"),
        ("int8", {"mean": 1e-9, "file": 51.1}, "limit: 2%"),
        ("int16x8", {"file": 51.1}, "limit: 2%"),
        ("int8", {"p99": 0.03}, r"1 % of the windows by more than 30 mm \(limit: 20\)"),
        ("float16", {"p99": NAN}, "nan mm"),
        ("int8", {"score": "top-1 %", "p99": 0.3}, r"0\.3 of a probability \(limit: 0\.2\)"),
        ("none", {"score": "agreement %", "largest": 2e-4}, "of a probability"),
        ("dynamic", {"score": "top-1 %", "keras": 90, "file": 89.4}, r"loses 0\.60 points of top-1 %"),
        ("int8", {"score": "agreement %", "keras": 100, "file": 99}, r"limit: 0\.5"),
        *((q, {"largest": NAN, "mean": NAN, "file": NAN}, "nan") for q in ("none", "float16", "dynamic", "int8")),
        ("int8", {"score": "top-1 %", "largest": NAN, "mean": NAN}, "loses"),
    ],
)
def test_what_breaks_its_bound_is_told_in_words(quantization, change, message):
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(broken_bound(quantization, result(**change)))


# ---- clips


def test_there_are_200_clips_to_compare_on_and_more():
    assert calibration.WINDOWS >= 200


@pytest.fixture(scope="module")
def h36m_folder(tmp_path_factory):
    return tiny_h36m.write(tmp_path_factory.mktemp("h36m"))


@pytest.mark.parametrize("options", [{"causal": True}, {"frames": 9, "every_frame": True}, {"frames": 9}])
def test_windows_are_those_of_training_with_their_poses(h36m_folder, options):
    config = lift_config(dataset=("h36m",), data_dir=(str(h36m_folder),), **options)
    training, test = load_real_clips(tiny_export.loaded(config), H36M_17)
    # Two test takes of 30 frames, four cameras: few enough for all to be taken.
    assert len(test) == 240 and test.about == "h36m (test split)" and training.about == "h36m (training split)"
    cut = windows.cut(h36m.load(h36m_folder).test, H36M_17, config.frames, causal=config.causal)
    offsets = np.arange(config.frames) - (config.frames - 1 - cut.ahead)
    at = np.clip(cut.center[:, None] + offsets, cut.first[:, None], cut.last[:, None])
    size = test.inputs["image_size"]
    screen = [normalize_screen(k, tuple(s))[..., :2] for k, s in zip(test.inputs["keypoints"], size, strict=True)]
    np.testing.assert_allclose(screen, cut.keypoints[at], atol=1e-6)
    assert np.all(test.inputs["keypoints"][..., 2] == 1)
    wanted = cut.target[at] if config.every_frame else cut.target[cut.center][:, None]
    np.testing.assert_allclose(test.truth, wanted, atol=1e-6)


def test_data_that_have_moved_are_found_by_their_new_folder_and_replaced_without_it(h36m_folder, tmp_path):
    config = lift_config(dataset=("h36m",), data_dir=(str(tmp_path / "gone"),), fitness_clips=1)
    loaded = tiny_export.loaded(config)
    _, found = load_real_clips(loaded, H36M_17, (str(h36m_folder),))
    assert found.about == "h36m (test split)" and found.names
    training, found = load_real_clips(loaded, COCO_17)
    assert training is None and found.about.startswith("generated clips") and len(found) >= 200
    assert found.inputs["keypoints"].shape[1:] == (3, 17, 3) and np.isfinite(found.inputs["keypoints"]).all()


@pytest.mark.parametrize("sampling", ["window", "repeat", "resize"])
def test_a_recognizers_windows_come_from_its_clips_with_their_labels(tmp_path, sampling):
    tiny_actions.write(tmp_path)
    config = action_config(
        dataset=("npz",), data_file=str(tmp_path / "actions.npz"), labels=str(tmp_path / "labels.txt"), input="pose",
        skeleton="ntu_25", normalization="center", confidence=False, sampling=sampling, frames=12,
    )  # fmt: skip
    model = tiny_export.build_model(config, tiny_actions.CLASSES)
    training, test = load_real_clips(LoadedModel("tiny", model, config), None)
    # 12 clips make 17 windows each, so that there are 200; 24 make 9.
    assert (len(training), len(test)) == (216, 204) and test.inputs["pose_m"].shape == (204, 1, 12, 25, 3)
    np.testing.assert_array_equal(test.truth, np.repeat(np.arange(12) % 3, 17))
    # Every window holds frames of its own clip, in their order; Kinect's x and y point the other way.
    made = tiny_actions.arrays()["x_test"].reshape(12, 20, 2, 25, 3)[:, :, 0] * [-1, -1, 1]
    for n, window in enumerate(test.inputs["pose_m"][:, 0]):
        i, clip = n // 17, made[n // 17]
        apart = np.abs(window[:, None] - clip[None, : 20 - i % 5]).max(axis=(-2, -1))
        # Clips are kept in half precision.
        assert (apart.min(axis=1) < 2e-3).all()
        taken = apart.argmin(axis=1)
        assert (np.diff(taken) >= 0).all() and taken[-1] > taken[0]
        if sampling == "resize":
            assert (taken[0], taken[-1]) == (0, 19 - i % 5)


def test_a_recognizer_of_other_classes_is_scored_by_its_agreement(tmp_path):
    tiny_actions.write(tmp_path)
    config = action_config(
        dataset=("npz",), data_file=str(tmp_path / "actions.npz"), labels=str(tmp_path / "labels.txt"), input="pose",
        skeleton="ntu_25", normalization="center", confidence=False,
    )  # fmt: skip
    assert load_real_clips(tiny_export.loaded(config), None)[1].truth is None


@pytest.mark.parametrize("layout", ["h36m_17", "coco_17", "blazepose_33"])
def test_keypoints_become_a_detectors_whose_joint_map_comes_closest(layout):
    keypoints = tiny_export.detected((2, 3, 17), missing=0)
    detected = as_detected(keypoints, H36M_17, ALL[layout])
    assert detected.shape == (2, 3, ALL[layout].num_joints, 3)
    back = map_keypoints(detected, layout, H36M_17)
    exact = [H36M_17.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("knee", "ankle", "wrist")]
    np.testing.assert_allclose(back[..., exact, :], keypoints[..., exact, :], atol=1e-2)
    for moved in ((1, 0, 0), (0, -1, 0), (2, 2, 0)):
        other = map_keypoints(detected + np.float32(moved), layout, H36M_17)
        assert distance(back, keypoints) <= distance(other, keypoints)
    unseen = keypoints.copy()
    unseen[0, 0, H36M_17.index("left_knee"), 2] = 0
    assert not as_detected(unseen, H36M_17, ALL[layout])[0, 0, ALL[layout].index("left_knee")].any()


def test_confidence_above_one_is_one_in_the_clips_that_files_are_run_on():
    keypoints = tiny_export.detected((2, 3, 17), missing=0)
    keypoints[..., 2] = 1.02
    detected = as_detected(keypoints, H36M_17, H36M_17)
    np.testing.assert_array_equal(detected[..., 2], np.ones((2, 3, 17)))
    np.testing.assert_allclose(detected[..., :2], keypoints[..., :2], rtol=1e-5)


def distance(a, b):
    return np.sum((a[..., :2] - b[..., :2]) ** 2)
