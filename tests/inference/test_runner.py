"""Runner: exported files as functions, and what it says of files and inputs that do not fit."""

import json

import keras
import numpy as np
import pytest

pytest.importorskip("tensorflow")
if keras.backend.backend() != "tensorflow":
    pytest.skip("the export needs Keras' TensorFlow backend", allow_module_level=True)

from skelgnn_tf.export import contract
from skelgnn_tf.export.formats import onnx, tflite
from skelgnn_tf.export.verify import keras_poses
from skelgnn_tf.inference.runner import Runner, read_contract
from skelgnn_tf.skeletons import COCO_17
from support import tiny_export
from support.tiny_export import IMAGE_SIZE, action_config, detected, inputs_of, lift_config, phone

LIVE, ACTION = lift_config(causal=True), action_config(persons=2, stream="bone_motion")


def written(folder, config):
    """Both files of a model, with its contract inside."""
    model = phone(config)
    told = json.dumps(contract.describe(model, config, "tiny", "runs/tiny"))
    for made in (tflite, onnx):
        suffix = made.__name__.rpartition(".")[2]
        content = getattr(tiny_export, suffix)(config)
        (folder / f"model.{suffix}").write_bytes(made.with_contract(content, told))
    return folder


@pytest.fixture(scope="module")
def lifter(tmp_path_factory):
    return written(tmp_path_factory.mktemp("lifter"), LIVE)


@pytest.fixture(scope="module", params=["model.tflite", "model.onnx"])
def file(request, lifter):
    return lifter / request.param


@pytest.fixture
def inputs():
    return inputs_of(phone(LIVE))


def test_a_file_is_a_function_of_named_inputs(file, inputs):
    runner = Runner(file)
    assert runner.inputs == phone(LIVE).inputs and runner.contract["frames"] == 3
    # Lists will do.
    out = runner.run(**inputs | {"image_size": [list(IMAGE_SIZE)]})
    assert {name: array.shape for name, array in out.items()} == phone(LIVE).outputs
    expected = keras_poses(tiny_export.lived_in(LIVE), LIVE, COCO_17, False, inputs)
    np.testing.assert_allclose(out["pose_m"], expected, atol=2e-5)


def test_two_threads_say_what_one_says(file, inputs):
    one, two = (Runner(file, threads).run(**inputs)["pose_m"] for threads in (1, 2))
    np.testing.assert_allclose(one, two, atol=1e-6)


def test_nan_at_missing_keypoints_does_not_matter(file, inputs):
    missing = inputs["keypoints"][..., 2:] == 0
    assert missing.any()
    broken = np.where(missing, np.float32([np.nan, np.inf, 0]), inputs["keypoints"])
    unsure = np.where(missing, np.float32([0, 0, np.nan]), inputs["keypoints"])
    expected = Runner(file).run(**inputs)["pose_m"]
    assert np.isfinite(expected).all()
    for keypoints in (broken, unsure):
        np.testing.assert_array_equal(Runner(file).run(**inputs | {"keypoints": keypoints})["pose_m"], expected)


def test_nan_at_missing_keypoints_does_not_reach_the_state_of_a_stream(lifter):
    runner, state = Runner(lifter / "model.tflite"), np.zeros((1, 2, 17, 4))
    for frame in detected((4, 1, 1, 17)):
        frame[..., :2] = np.where(frame[..., 2:] > 0, frame[..., :2], np.nan)
        out = runner.step(keypoints=frame, image_size=[IMAGE_SIZE], state=state)
        state = out["state"]
        assert np.isfinite(state).all() and np.isfinite(out["pose_m"]).all()
    assert state[..., 3].all()


@pytest.mark.parametrize(
    "change",
    [
        {"keypoints": np.zeros((1, 3, 33, 3))},
        {"keypoints": np.zeros((3, 17, 3))},
        {"keypoints": np.zeros((1, 3, 17, 2))},
        {"image_size": [640, 480]},
        {"pose_m": np.zeros((1, 3, 17, 3))},
    ],
    ids=["joints", "no batch", "no confidence", "flat", "name"],
)
def test_another_name_or_shape_is_refused_with_both(file, inputs, change):
    with pytest.raises(ValueError, match=r"wants .*keypoints.*\(1, 3, 17, 3\).*; got .*") as refused:
        Runner(file).run(**inputs | change)
    assert str(file) in str(refused.value)


def test_a_missing_input_is_refused(file, inputs):
    with pytest.raises(ValueError, match="image_size"):
        Runner(file).run(keypoints=inputs["keypoints"])


def test_only_onnx_takes_several_windows_at_once(lifter):
    several = inputs_of(phone(LIVE), batch=4)
    with pytest.raises(ValueError, match=r"\(4, 3, 17, 3\)"):
        Runner(lifter / "model.tflite").run(**several)
    assert Runner(lifter / "model.onnx").run(**several)["pose_m"].shape == (4, 1, 17, 3)


def test_a_model_without_steps_says_so(lifter, tmp_path):
    frame = {"keypoints": np.zeros((1, 1, 17, 3)), "image_size": [IMAGE_SIZE], "state": np.zeros((1, 2, 17, 4))}
    with pytest.raises(ValueError, match=r"has no steps; they want a \.tflite file of a causal lifter"):
        Runner(lifter / "model.onnx").step(**frame)
    with pytest.raises(ValueError, match="has no steps"):
        Runner(written(tmp_path, ACTION) / "model.tflite").step(**frame)
    with pytest.raises(ValueError, match=r"state.*\(1, 2, 17, 4\).*got"):
        Runner(lifter / "model.tflite").step(**frame | {"state": np.zeros((1, 2, 17, 3))})


@pytest.mark.parametrize("suffix", ["tflite", "onnx"])
def test_a_file_of_another_maker_is_refused(tmp_path, suffix):
    bare = tmp_path / f"bare.{suffix}"
    bare.write_bytes(getattr(tiny_export, suffix)(LIVE))
    with pytest.raises(ValueError, match="bare.* is no export of skelgnn-tf"):
        Runner(bare)


@pytest.mark.parametrize("content", [b"", b"hello" * 100, bytes(range(256)) * 20], ids=["empty", "text", "bytes"])
@pytest.mark.parametrize("suffix", ["tflite", "onnx", "keras"])
def test_a_file_of_another_kind_is_refused(tmp_path, suffix, content):
    other = tmp_path / f"other.{suffix}"
    other.write_bytes(content)
    with pytest.raises(ValueError, match="is no export of skelgnn-tf"):
        Runner(other)


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_half_a_file_is_refused(tmp_path, file, share):
    half = tmp_path / file.name
    content = file.read_bytes()
    half.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ValueError, match=r"is no export of skelgnn-tf|is damaged or of another version"):
        Runner(half)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"gone\.tflite does not exist"):
        Runner(tmp_path / "gone.tflite")


def test_a_contract_without_its_parts_is_none(tmp_path):
    file = tmp_path / "model.tflite"
    file.write_bytes(tflite.with_contract(tiny_export.tflite(LIVE), json.dumps({"task": "lift"})))
    with pytest.raises(ValueError, match=r"of another version: its contract lacks inputs, .*; export it again"):
        read_contract(file)
