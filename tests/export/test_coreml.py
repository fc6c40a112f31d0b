"""Core ML packages: what can be read in them, what numpy makes of their operators, and their place in an export."""

import importlib.util
import json
import subprocess

import keras
import numpy as np
import pytest

pytest.importorskip("tensorflow")
if keras.backend.backend() != "tensorflow":
    pytest.skip("the export needs Keras' TensorFlow backend", allow_module_level=True)

import tensorflow as tf

from skelgnn_tf.export import calibration, contract
from skelgnn_tf.export.formats import coreml
from skelgnn_tf.export.model_file import num_bytes, sha256
from support import mil_numpy, tiny_h36m
from support.export_command import a_small_run, call, mistake, told
from support.tiny_export import action_config, inputs_of, lift_config, phone

with_coremltools = pytest.mark.skipif(
    importlib.util.find_spec("coremltools") is None, reason="needs coremltools: pip install 'skelgnn-tf[coreml]'"
)

LIFTER = lift_config(frames=9, causal=True)
MODELS = {
    "lifter": (LIFTER, "blazepose_33", {}),
    "lifter, every frame": (
        lift_config(dynamic=False, every_frame=True, confidence=False, keypoint_frame="screen"), "coco_17",
        {"flip": True},
    ),
    "recognizer": (action_config(persons=2, stream="bone_motion"), "coco_17", {}),
    "recognizer of poses": (
        action_config(input="pose", skeleton="h36m_17", normalization="center", confidence=False), None, {},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Writes a package once: (name of the model, quantization) -> (its folder, the model)."""
    made = {}

    def write(name, quantization="none"):
        if (name, quantization) not in made:
            config, layout, options = MODELS[name]
            model = phone(config, layout, **options)
            package = tmp_path_factory.mktemp("coreml") / coreml.PACKAGE
            coreml.write(package, model, contract.describe(model, "tiny", "runs/tiny"), quantization)
            made[name, quantization] = package, model
        return made[name, quantization]

    return write


@with_coremltools
@pytest.mark.parametrize("quantization", coreml.QUANTIZATIONS)
@pytest.mark.parametrize("name", MODELS)
def test_the_operators_of_a_package_give_the_numbers_of_the_graph(written, name, quantization):
    package, model = written(name, quantization)
    inputs = inputs_of(model)
    expected = model.run(**{key: tf.constant(array) for key, array in inputs.items()})
    found = mil_numpy.run(package, inputs)
    assert {key: array.shape for key, array in found.items()} == model.outputs
    for key, array in expected.items():
        assert np.ptp(array) > 0.01
        np.testing.assert_allclose(found[key], array, atol=5e-5 if quantization == "none" else 5e-3)


@with_coremltools
def test_a_package_names_its_inputs_outputs_and_units_and_carries_its_contract(written):
    package, model = written("lifter")
    spec = coreml.read(package)
    read = coreml.check(package, model)
    assert spec.specificationVersion == read["specification_version"] == 7
    ends = [{one.name: one for one in part} for part in (spec.description.input, spec.description.output)]
    assert [set(names) for names in ends] == [{"keypoints", "image_size"}, {"pose_m", "confidence"}]
    assert list(ends[0]["keypoints"].type.multiArrayType.shape) == [1, 9, 33, 3]
    assert list(ends[1]["pose_m"].type.multiArrayType.shape) == [1, 1, 17, 3]
    assert ends[0]["image_size"].shortDescription == "width and height in pixels"
    inside = json.loads(spec.description.metadata.userDefined["contract.json"])
    assert inside["name"] == "tiny" and inside["skeleton"]["joints"] == list(model.model.skeleton.joints)


@with_coremltools
def test_the_operators_are_counted_and_none_is_custom(written):
    package, model = written("recognizer")
    names = coreml.operators(coreml.read(package))
    assert {name: names.count(name) for name in names} == coreml.check(package, model)["operators"]
    assert set(names) <= mil_numpy.OPERATORS.keys()
    assert names.count("softmax") == 1


@with_coremltools
def test_float16_stores_large_weights_in_half_the_bytes_and_computes_in_float32(tmp_path):
    model = phone(lift_config(frames=1, blocks=1, channels=32, dynamic=False), "coco_17")
    packages = {name: tmp_path / f"{name}.mlpackage" for name in coreml.QUANTIZATIONS}
    for name, package in packages.items():
        coreml.write(package, model, contract.describe(model, "tiny", "runs/tiny"), name)
    weights = {name: num_bytes(package / "Data/com.apple.CoreML/weights") for name, package in packages.items()}
    assert weights["float16"] < 0.6 * weights["none"]
    plain, halved = (coreml.operators(coreml.read(package)) for package in packages.values())
    assert "constexpr_cast" not in plain and "cast" not in halved
    # Nothing but the widening of weights is new.
    assert sorted(plain) == sorted(name for name in halved if name != "constexpr_cast")


@with_coremltools
def test_a_package_of_another_model_is_noticed(written):
    package, _ = written("lifter")
    with pytest.raises(ValueError, match=r"model.mlpackage must have .*\(1, 3, 17, 3\).* Received: .*\(1, 9, 33, 3\)"):
        coreml.check(package, phone(lift_config(), "coco_17"))


# ---- the command


@pytest.fixture
def small(tmp_path, monkeypatch):
    monkeypatch.setattr(calibration, "WINDOWS", 20)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "h36m").mkdir()
    return a_small_run(tmp_path, tiny_h36m.write(tmp_path / "h36m"))


@with_coremltools
def test_an_export_says_that_the_numbers_of_a_package_were_not_verified(small, tmp_path):
    result = call(small, "--coreml", "--quantize", "float16", "--output", "out")
    assert result.exit_code == 0, result.output
    folder = tmp_path / "out"
    assert {file.name for file in folder.iterdir()} == {"model.mlpackage", "contract.json", "golden.json"}
    assert "NOT VERIFIED: Core ML runs only on macOS and iOS." in result.stdout
    entry = told(folder)["files"]["model.mlpackage"]
    assert entry["verification"] is None and entry["not_verified"] == coreml.NOT_VERIFIED
    assert entry["guards"]["caller"] and entry["signatures"].keys() == {"serving_default"}
    assert entry["minimum_runtime"] == {"name": "Core ML", "version": "iOS 16, macOS 13"}
    inside = coreml.read(folder / "model.mlpackage").description.metadata.userDefined["contract.json"]
    assert json.loads(inside)["not_verified"] == coreml.NOT_VERIFIED
    # Golden values are those of the float32 graph.
    golden = json.loads((folder / "golden.json").read_text())
    assert golden["files"]["model.mlpackage"]["sha256"] == entry["sha256"] == sha256(folder / "model.mlpackage")
    for case in golden["cases"]:
        inputs = {name: np.float32(array) for name, array in case["inputs"].items()}
        found = mil_numpy.run(folder / "model.mlpackage", inputs)
        np.testing.assert_allclose(found["pose_m"], case["outputs"]["pose_m"], atol=5e-3)


@with_coremltools
def test_a_package_stays_beside_a_new_file_and_is_replaced_as_a_whole(small, tmp_path):
    folder = tmp_path / "out"
    assert call(small, "--coreml", "--output", "out").exit_code == 0
    before = sha256(folder / "model.mlpackage")
    result = call(small, "--tflite", "--output", "out")
    assert result.exit_code == 0, result.output
    assert sha256(folder / "model.mlpackage") == before
    assert list(told(folder)["files"]) == ["model.tflite", "model.mlpackage"]
    (folder / "model.mlpackage" / "stale").write_text("of an older version")
    assert "another sha256" in mistake(small, "--tflite", "--output", "out")
    assert call(small, "--coreml", "--output", "out").exit_code == 0
    assert not (folder / "model.mlpackage" / "stale").exists()
    assert told(folder)["files"]["model.mlpackage"]["sha256"] == sha256(folder / "model.mlpackage") != before
    assert (folder / "model.tflite").is_file()


@with_coremltools
def test_other_quantizations_are_refused(small):
    message = mistake(small, "--coreml", "--quantize", "int8", "--output", "out")
    expected = (
        "--quantize must be one of none, float16 with --coreml. Received: int8. Export --tflite or --onnx with int8"
    )
    assert f"{expected}, and --coreml in a second command." in message


def test_without_coremltools_one_line_says_what_to_install(small, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "coremltools" else find(name))
    message = mistake(small, "--coreml", "--output", "out")
    assert message == (
        "coremltools must be installed for --coreml. Received: no such package. Run pip install 'skelgnn-tf[coreml]'."
    )


def test_the_hash_of_a_folder_is_that_of_its_list_of_hashes(tmp_path):
    package = tmp_path / "model.mlpackage"
    (package / "Data" / "weights").mkdir(parents=True)
    (package / "Manifest.json").write_text("{}")
    (package / "Data" / "model.bin").write_bytes(b"\0\1")
    (package / "Data" / "weights" / "weight.bin").write_bytes(bytes(100))
    command = "find * -type f | LC_ALL=C sort | xargs sha256sum | sha256sum"
    printed = subprocess.check_output(command, shell=True, cwd=package, text=True)
    assert sha256(package) == printed.split()[0]
    assert num_bytes(package) == 104
    (package / "Data" / "model.bin").rename(package / "Data" / "other.bin")
    assert sha256(package) != printed.split()[0]
