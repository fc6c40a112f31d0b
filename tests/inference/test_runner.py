"""Runner: exported files as functions, and what it says of files and inputs that do not fit."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

pytest.importorskip("tensorflow")
if keras.backend.backend() != "tensorflow":
    pytest.skip("the export needs Keras' TensorFlow backend", allow_module_level=True)

from skelgnn_tf.export import contract
from skelgnn_tf.export.formats import onnx, tflite
from skelgnn_tf.export.verify import keras_poses
from skelgnn_tf.inference.runner import Runner, import_onnxruntime, read_contract
from skelgnn_tf.skeletons import COCO_17
from support import tiny_export
from support.tiny_export import IMAGE_SIZE, action_config, detected, inputs_of, lift_config, phone

#: What version 0.1 wrote, and the numbers that it gave.
V0_1 = Path(__file__).parents[1] / "fixtures" / "v0_1"
LIVE, ACTION = lift_config(causal=True), action_config(persons=2, stream="bone_motion")


def written(folder, config):
    """Both files of a model, with its contract inside."""
    model = phone(config)
    told = json.dumps(contract.describe(model, "tiny", "runs/tiny"))
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
    expected = keras_poses(tiny_export.lived_in(LIVE), COCO_17, False, inputs)
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


def test_a_spoiled_state_spoils_no_pose(lifter):
    runner, state = Runner(lifter / "model.tflite"), np.zeros((1, 2, 17, 4))
    frames = detected((3, 1, 1, 17), missing=0)
    for frame in frames[:2]:
        state = runner.step(keypoints=frame, image_size=[IMAGE_SIZE], state=state)["state"]
    spoiled, missing = state.copy(), state.copy()
    spoiled[0, 1, 4, 1], missing[0, 1, 4, :3] = np.nan, 0
    found, expected = (
        runner.step(keypoints=frames[2], image_size=[IMAGE_SIZE], state=one)["pose_m"] for one in (spoiled, missing)
    )
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda keypoints: {"image_size": [[0, 480]]}, "image_size must be .* above 0. Received: 0 x 480"),
        (lambda keypoints: {"keypoints": keypoints * [1, 1, 100]}, "keypoints must have a confidence of 0 to 1"),
        (lambda keypoints: {"keypoints": keypoints / [640, 480, 1]}, "keypoints must be in pixels"),
    ],
    ids=["size", "confidence", "coordinates"],
)
def test_other_units_are_refused_and_the_file_is_named(file, inputs, change, message):
    runner = Runner(file)
    with pytest.raises(ValueError, match=f"{file}: {message}"):
        runner.run(**inputs | change(inputs["keypoints"]))
    if "step" in runner.contract["signatures"] and file.suffix == ".tflite":
        frame = {"keypoints": inputs["keypoints"][:, :1], "image_size": inputs["image_size"]}
        with pytest.raises(ValueError, match=f"{file}: {message}"):
            runner.step(**frame | change(frame["keypoints"]), state=np.zeros((1, 2, 17, 4)))


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
    with pytest.raises(
        ValueError, match=r"inputs must be keypoints \(1, 3, 17, 3\), image_size \(1, 2\).*\. Received: .*"
    ) as refused:
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
    with pytest.raises(
        ValueError, match=r"must be the \.tflite file of a causal lifter.*Received: a file without the signature"
    ):
        Runner(lifter / "model.onnx").step(**frame)
    with pytest.raises(ValueError, match="without the signature step"):
        Runner(written(tmp_path, ACTION) / "model.tflite").step(**frame)
    with pytest.raises(ValueError, match=r"state \(1, 2, 17, 4\).*Received"):
        Runner(lifter / "model.tflite").step(**frame | {"state": np.zeros((1, 2, 17, 3))})


@pytest.mark.parametrize("name", ["model.tflite", "model.onnx"])
def test_a_file_of_version_0_1_gives_the_numbers_that_it_gave(name):
    expected = np.load(V0_1 / "expected.npz")[f"export_{name}"]
    take = np.load(V0_1 / "keypoints.npz")
    runner = Runner(V0_1 / "export" / name)
    found = runner.run(keypoints=take["keypoints"][None, :3], image_size=take["image_size"][None])["pose_m"]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    # Its contract is the one next to it, whose name was another.
    outside = json.loads((V0_1 / "export" / "model.json").read_text())
    entry = outside.pop("files")[name]
    assert runner.contract == outside | {key: entry[key] for key in ("signatures", "quantization")}


@pytest.mark.parametrize("suffix", ["tflite", "onnx"])
def test_a_file_of_another_maker_is_refused(tmp_path, suffix):
    bare = tmp_path / f"bare.{suffix}"
    bare.write_bytes(getattr(tiny_export, suffix)(LIVE))
    with pytest.raises(
        ValueError, match="bare.* must be a .tflite or .onnx file of skelgnn-tf, with contract.json inside"
    ):
        Runner(bare)


@pytest.mark.parametrize("content", [b"", b"hello" * 100, bytes(range(256)) * 20], ids=["empty", "text", "bytes"])
@pytest.mark.parametrize("suffix", ["tflite", "onnx", "keras"])
def test_a_file_of_another_kind_is_refused(tmp_path, suffix, content):
    other = tmp_path / f"other.{suffix}"
    other.write_bytes(content)
    with pytest.raises(ValueError, match="other.* must be a .tflite or .onnx file of skelgnn-tf"):
        Runner(other)


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_half_a_file_is_refused(tmp_path, file, share):
    half = tmp_path / file.name
    content = file.read_bytes()
    half.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(
        ValueError, match=r"must be a .tflite or .onnx file of skelgnn-tf|is damaged or was written by another"
    ):
        Runner(half)


def test_a_model_under_another_name_is_refused(tmp_path, lifter):
    renamed = tmp_path / "model.bin"
    renamed.write_bytes((lifter / "model.tflite").read_bytes())
    with pytest.raises(ValueError, match="model.bin must be a .tflite or .onnx file of skelgnn-tf"):
        Runner(renamed)


def test_an_onnx_file_is_opened_once(lifter, monkeypatch):
    onnxruntime, opened = import_onnxruntime(), []
    real = onnxruntime.InferenceSession
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *a, **named: opened.append(a) or real(*a, **named))
    assert Runner(lifter / "model.onnx").contract["task"] == "lift"
    assert len(opened) == 1


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"gone\.tflite must be a \.tflite or \.onnx file\. Nothing was found"):
        Runner(tmp_path / "gone.tflite")


def test_a_contract_of_a_newer_format_is_refused(tmp_path, lifter):
    told = read_contract(lifter / "model.tflite") | {"format": 2}
    (tmp_path / "model.tflite").write_bytes(tflite.with_contract(tiny_export.tflite(LIVE), json.dumps(told)))
    with pytest.raises(ValueError, match=r"its contract has format 2; this version reads 1\. Update skelgnn-tf"):
        Runner(tmp_path / "model.tflite")


WITHOUT_KERAS = """
import sys


class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name in ("keras", "tensorflow", "tf_keras", "jax", "torch"):
            raise ModuleNotFoundError(f"{name} is blocked")


sys.meta_path.insert(0, Blocked())

import numpy as np
from skelgnn_tf.inference.exported import ExportedModel
from skelgnn_tf.inference.runner import Runner

runner = Runner(sys.argv[1])
pose_m = runner.run(**{name: np.ones(shape) for name, shape in runner.inputs.items()})["pose_m"]
assert pose_m.shape == (1, 1, 17, 3) and np.isfinite(pose_m).all()
assert ExportedModel(sys.argv[1]).frames == 3
print("a pose without Keras")
"""


def test_a_file_runs_without_keras_and_tensorflow(file):
    ran = subprocess.run([sys.executable, "-c", WITHOUT_KERAS, str(file)], capture_output=True, text=True)
    assert ran.returncode == 0 and "a pose without Keras" in ran.stdout, ran.stderr


@pytest.mark.parametrize("module", ["skelgnn_tf.inference.runner", "skelgnn_tf.inference.exported"])
def test_importing_it_loads_no_framework(module):
    code = f"import sys, {module}; print({{'keras', 'tensorflow', 'jax', 'onnxruntime'}} & sys.modules.keys())"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


def test_a_contract_without_its_parts_is_none(tmp_path):
    file = tmp_path / "model.tflite"
    file.write_bytes(tflite.with_contract(tiny_export.tflite(LIVE), json.dumps({"task": "lift"})))
    with pytest.raises(ValueError, match=r"by another version: its contract lacks inputs, .*\. Export the model again"):
        read_contract(file)
