"""The content of an `.onnx` file: any batch, the numbers of Keras, and smaller with fewer bits."""

import keras
import numpy as np
import pytest

pytest.importorskip("tensorflow")
if keras.backend.backend() != "tensorflow":
    pytest.skip("the export needs Keras' TensorFlow backend", allow_module_level=True)

import onnx as onnx_format
import onnxruntime

from skelgnn_tf.export.formats import onnx
from skelgnn_tf.export.verify import keras_poses, keras_probabilities
from skelgnn_tf.skeletons import ALL, H36M_17
from support import tiny_export
from support.tiny_export import action_config, inputs_of, lift_config, phone

KINDS = {
    "lifter": (lift_config(causal=True), "coco_17", False),
    "plain lifter": (
        lift_config(confidence=False, keypoint_frame="screen", every_frame=True, sharing="shared"), "h36m_17", True,
    ),
    "recognizer": (action_config(persons=2, stream="bone_motion"), "coco_17", False),
    "recognizer of poses": (
        action_config(input="pose", skeleton="ntu_25", normalization="view", confidence=False), None, False,
    ),
}  # fmt: skip
#: With matrices large enough to be quantized.
WIDE = lift_config(channels=48, blocks=1, sharing="shared", dynamic=False)


def run(content, inputs):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_any_batch_gives_the_numbers_of_keras(kind):
    config, layout, flip = KINDS[kind]
    content, model = tiny_export.onnx(config, layout, flip), phone(config, layout, flip)
    for batch in (1, 5):
        inputs = inputs_of(model, batch)
        if config.task == "lift":
            name, expected = "pose_m", keras_poses(model.model, ALL[layout], flip, inputs)
        else:
            name, expected = "probabilities", keras_probabilities(model.model, ALL[layout] if layout else None, inputs)
        found = run(content, inputs)
        assert {n: array.shape for n, array in found.items()} == {n: (batch, *s[1:]) for n, s in model.outputs.items()}
        np.testing.assert_allclose(found[name], expected, atol=2e-5)
    assert np.ptp(expected, axis=0).max() > 1e-3, "a model that always says the same would prove nothing"


@pytest.mark.parametrize("kind", KINDS)
def test_names_shapes_and_opset_are_those_of_the_contract(kind):
    config, layout, flip = KINDS[kind]
    file, model = onnx_format.load_from_string(tiny_export.onnx(config, layout, flip)), phone(config, layout, flip)
    onnx_format.checker.check_model(file)
    assert [(entry.domain, entry.version) for entry in file.opset_import if entry.domain == ""] == [("", 17)]
    assert {node.domain for node in file.graph.node} <= {"", "ai.onnx"}
    for ends, shapes in ((file.graph.input, model.inputs), (file.graph.output, model.outputs)):
        found = {end.name: [d.dim_param or d.dim_value for d in end.type.tensor_type.shape.dim] for end in ends}
        assert found == {name: ["batch", *shape[1:]] for name, shape in shapes.items()}


def test_the_contract_lies_inside_and_changes_no_number():
    config, layout, _ = KINDS["lifter"]
    content = tiny_export.onnx(config, layout)
    told = onnx.with_contract(content, '{"name": "Übung"}')
    assert {p.key: p.value for p in onnx_format.load_from_string(told).metadata_props} == {
        "contract.json": '{"name": "Übung"}'
    }
    inputs = inputs_of(phone(config, layout), batch=2)
    np.testing.assert_array_equal(run(content, inputs)["pose_m"], run(told, inputs)["pose_m"])


@pytest.mark.parametrize(("quantization", "share", "within"), [
    ("float16", 0.7, 3e-3), ("dynamic", 0.9, 0.05), ("int8", 0.65, 0.1),
])  # fmt: skip
def test_fewer_bits_make_a_smaller_file_that_says_much_the_same(quantization, share, within):
    small, whole = (tiny_export.onnx(WIDE, "h36m_17", False, q) for q in (quantization, "none"))
    assert len(small) < share * len(whole)
    model = phone(WIDE, "h36m_17")
    inputs = inputs_of(model, batch=20, seed=7)
    expected = keras_poses(model.model, H36M_17, False, inputs)
    given = run(small, inputs)["pose_m"]
    error = np.linalg.norm(given - expected, axis=-1).mean() / np.linalg.norm(expected, axis=-1).mean()
    assert 0 < error < within


def test_int8_multiplies_in_int8():
    file = onnx_format.load_from_string(tiny_export.onnx(WIDE, "h36m_17", False, "int8"))
    sizes = {tensor.name: (tensor.data_type, int(np.prod(tensor.dims))) for tensor in file.graph.initializer}
    large = [kind for kind, size in sizes.values() if size >= 1024]
    assert large and set(large) == {onnx_format.TensorProto.INT8}


def test_int8_leaves_products_over_few_channels_in_float():
    file = onnx_format.load_from_string(
        tiny_export.onnx(action_config(channels=32, squeeze=1 / 8), "coco_17", False, "int8")
    )
    large = [tensor for tensor in file.graph.initializer if np.prod(tensor.dims) >= 1024 and len(tensor.dims) == 2]
    floats = [tensor.dims[0] for tensor in large if tensor.data_type == onnx_format.TensorProto.FLOAT]
    assert len(large) > len(floats) > 0 and max(floats) < 16


def test_dynamic_stores_convolutions_in_8_bits_too_and_no_window_depends_on_its_batch():
    config = action_config(channels=32)
    content = tiny_export.onnx(config, "coco_17", False, "dynamic")
    file = onnx_format.load_from_string(content)
    large = [tensor for tensor in file.graph.initializer if np.prod(tensor.dims) >= 1024]
    assert {tensor.data_type for tensor in large} == {onnx_format.TensorProto.INT8}
    assert {len(tensor.dims) for tensor in large} == {2, 4}
    inputs = inputs_of(phone(config, "coco_17"), batch=6)
    together = run(content, inputs)["probabilities"]
    alone = [run(content, {name: x[i : i + 1] for name, x in inputs.items()})["probabilities"] for i in range(6)]
    np.testing.assert_allclose(together, np.concatenate(alone), atol=1e-6)


def test_what_onnx_does_not_have_is_refused():
    with pytest.raises(
        ValueError, match="--quantize must be one of none, float16, dynamic, int8 with --onnx. Received: int16x8"
    ):
        onnx.convert(phone(WIDE, "h36m_17"), "int16x8")
