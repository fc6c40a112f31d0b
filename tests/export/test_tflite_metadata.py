"""TFLite's standard metadata in a `.tflite` file, read with the schema of tflite-support."""

import io
import json
import zipfile
from pathlib import Path

import keras
import pytest

pytest.importorskip("tensorflow")
if keras.backend.backend() != "tensorflow":
    pytest.skip("the export needs Keras' TensorFlow backend", allow_module_level=True)

from ai_edge_litert import schema_py_generated as tflite_schema

from skelgnn_tf.export import contract
from skelgnn_tf.export.formats import tflite
from support import tiny_export
from support.flatbuffer_reader import Schema
from support.tiny_export import CLASSES, action_config, lift_config, phone

SCHEMA = Schema((Path(__file__).parents[1] / "fixtures/tflite_metadata/metadata_schema.fbs").read_text())
#: Config and layout of a lifter with two signatures, a recognizer of two persons, and one of poses.
KINDS = {
    "lifter": (lift_config(causal=True), "coco_17"),
    "persons": (action_config(persons=2, stream="bone_motion"), "coco_17"),
    "poses": (action_config(input="pose", skeleton="ntu_25", normalization="view", confidence=False), None),
}


@pytest.fixture(scope="module", params=KINDS)
def exported(request):
    """What the contract says, and the content of the file."""
    config, layout = KINDS[request.param]
    told = contract.describe(phone(config, layout), "Übung", "runs/tiny")
    return told, tflite.with_contract(tiny_export.tflite(config, layout), json.dumps(told))


def opened(content):
    return tflite_schema.ModelT.InitFromPackedBuf(content, 0)


def standard(content):
    model = opened(content)
    (entry,) = [entry for entry in model.metadata if entry.name == b"TFLITE_METADATA"]
    return SCHEMA.read(bytes(model.buffers[entry.buffer].data))


def test_the_model_is_described_as_in_the_contract(exported):
    told, content = exported
    found = standard(content)
    assert (found["name"], found["license"]) == ("Übung", told["licence"])
    assert told["weights_sha256"].startswith(found["version"]) and len(found["version"]) == 12
    assert told["training_data"] in found["description"] and f"{told['frames']} frames" in found["description"]
    assert found["author"] == f"trained with skelgnn-tf {told['versions']['skelgnn-tf']}"
    # Nothing in it is younger than the schema's first version, as tflite-support computes it.
    assert found["min_parser_version"] == "1.0.0" and "associated_files" not in found


def test_tensors_come_in_the_order_of_the_file_and_name_each_of_their_axes(exported):
    told, content = exported
    # Readers refuse metadata of more than one graph, and the lifter's file has two.
    (graph,) = standard(content)["subgraph_metadata"]
    model = opened(content)
    first = model.subgraphs[0]
    assert graph["name"] == "serving_default" == model.signatureDefs[0].signatureKey.decode()
    for entries, places, ends in (
        (graph["input_tensor_metadata"], first.inputs, "inputs"),
        (graph["output_tensor_metadata"], first.outputs, "outputs"),
    ):
        assert [entry["name"] for entry in entries] == [first.tensors[i].name.decode() for i in places]
        for entry, place in zip(entries, places, strict=True):
            described = told[ends][entry["name"]]
            assert len(entry["dimension_names"]) == len(first.tensors[place].shape) == len(described["shape"])
            assert len(set(entry["dimension_names"])) == len(entry["dimension_names"])
            assert entry["description"].startswith(described["unit"])
            assert entry["content"]["content_properties_type"] == "FeatureProperties"
    keypoints = graph["input_tensor_metadata"][0]
    assert ("person" in keypoints["dimension_names"]) == (told["task"] == "action")


def test_classes_lie_behind_the_model_as_the_labels_of_its_probabilities(exported):
    told, content = exported
    outputs = standard(content)["subgraph_metadata"][0]["output_tensor_metadata"]
    files = [file for entry in outputs for file in entry.get("associated_files", [])]
    if told["task"] == "lift":
        assert not files and not zipfile.is_zipfile(io.BytesIO(content))
        return
    assert [(file["name"], file["type"]) for file in files] == [("labels.txt", "TENSOR_AXIS_LABELS")]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (member,) = archive.infolist()
        # MediaPipe reads members that are not compressed only.
        assert member.filename == "labels.txt" and member.compress_type == zipfile.ZIP_STORED
        # With the time of now, equal exports would be different files.
        assert member.date_time == (1980, 1, 1, 0, 0, 0)
        assert archive.read(member).decode().splitlines() == list(CLASSES)
