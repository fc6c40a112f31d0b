"""The content of a `.tflite` file: a phone's runtime can run all of it, and says what Keras says."""

import json

import keras
import numpy as np
import pytest

pytest.importorskip("tensorflow")
if keras.backend.backend() != "tensorflow":
    pytest.skip("the export needs Keras' TensorFlow backend", allow_module_level=True)

import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from skelgnn_tf.export import op_times
from skelgnn_tf.export.formats import tflite
from skelgnn_tf.export.graph.layers import Float
from skelgnn_tf.export.graph.phone_model import PhoneModel
from skelgnn_tf.export.verify import keras_poses, keras_probabilities
from skelgnn_tf.skeletons import ALL, H36M_17
from support import tiny_export
from support.tiny_export import IMAGE_SIZE, action_config, detected, each, inputs_of, lift_config, phone

LIVE = lift_config(causal=True)
PLAIN = lift_config(confidence=False, keypoint_frame="screen", every_frame=True, causal=True, sharing="shared")
ACTION = action_config(persons=2, stream="bone_motion")
POSES = action_config(input="pose", skeleton="ntu_25", normalization="view", confidence=False)
#: Config, layout, flip: a conversion takes seconds, so each of these is made once.
KINDS = {
    "live": (LIVE, "coco_17", False),
    "plain": (PLAIN, "h36m_17", True),
    "action": (ACTION, "coco_17", False),
    "poses": (POSES, None, False),
}
#: With matrices large enough to be quantized: a thousand numbers and more.
WIDE = lift_config(causal=True, channels=48, blocks=1, dynamic=False)


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return KINDS[request.param]


@pytest.fixture(scope="module")
def content(kind):
    return tiny_export.tflite(*kind)


def interpreter(content):
    loaded = Interpreter(model_content=content)
    loaded.allocate_tensors()
    return loaded


def opened(content):
    return schema.ModelT.InitFromPackedBuf(content, 0)


def of_keras(kind, inputs):
    """Its name and what Keras makes of the inputs."""
    config, layout, flip = kind
    model = tiny_export.lived_in(config)
    if config.task == "lift":
        return "pose_m", keras_poses(model, ALL[layout], flip, inputs)
    return "probabilities", keras_probabilities(model, ALL[layout] if layout else None, inputs)


def test_the_reloaded_file_gives_the_numbers_of_keras(kind, content):
    inputs = inputs_of(phone(*kind), batch=5)
    name, expected = of_keras(kind, inputs)
    assert np.ptp(expected, axis=0).max() > 1e-3, "a model that always says the same would prove nothing"
    run = interpreter(content).get_signature_runner("serving_default")
    for window, answer in zip(each(inputs), expected, strict=True):
        np.testing.assert_allclose(run(**window)[name][0], answer, atol=2e-5)


def test_inputs_and_outputs_have_their_names_and_static_shapes(kind, content):
    model, loaded = phone(*kind), interpreter(content)
    signatures = {"serving_default": (model.inputs, model.outputs)}
    if model.step_inputs:
        stepped = {name: (1, 1, *shape[2:]) for name, shape in model.outputs.items()}
        signatures["step"] = (model.step_inputs, stepped | {"state": model.step_inputs["state"]})
    assert set(loaded.get_signature_list()) == set(signatures)
    for name, (inputs, outputs) in signatures.items():
        runner = loaded.get_signature_runner(name)
        for details, wanted in ((runner.get_input_details(), inputs), (runner.get_output_details(), outputs)):
            assert {n: tuple(d["shape_signature"].tolist()) for n, d in details.items()} == wanted
            assert {d["dtype"] for d in details.values()} == {np.float32}
    for graph in opened(content).subgraphs:
        for tensor in graph.tensors:
            assert tensor.shape is None or np.all(np.asarray(tensor.shape) > 0)
            assert tensor.shapeSignature is None or np.all(np.asarray(tensor.shapeSignature) > 0)


def test_every_tensor_has_a_name_and_ends_have_those_of_the_signatures(kind, content):
    model, packed = phone(*kind), tflite.with_contract(content, "{}")
    for graph in opened(packed).subgraphs:
        names = [tensor.name.decode() for tensor in graph.tensors]
        assert all(names) and len(set(names)) == len(names)
        assert "new_state" in names or "state" not in names
    # Whoever loads the file without its signatures finds them too.
    loaded = interpreter(packed)
    assert {details["name"] for details in loaded.get_input_details()} == set(model.inputs)
    assert {details["name"] for details in loaded.get_output_details()} == set(model.outputs)


#: Models whose graphs are fixed, dynamic in every frame, or one for all frames of the window.
AGGREGATING = {
    "action": ACTION,
    "static action": action_config(dynamic=False),
    "window": lift_config(sharing="shared", every_frame=True),
    "pairs": lift_config(every_frame=True),
    "causal": PLAIN,
    "static": lift_config(sharing="shared", dynamic=False),
}


@pytest.mark.parametrize("name", AGGREGATING)
def test_no_product_of_matrices_repeats_one_side(name):
    """LiteRT's GPU path computes such products wrongly, and constants on the left not at all."""
    config = AGGREGATING[name]
    layout = "h36m_17" if config.task == "lift" else "coco_17"
    model = opened(tiny_export.tflite(config, layout, False))
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    products = [
        [graph.tensors[i].shape[:-2].tolist() for i in operator.inputs]
        for graph in model.subgraphs
        for operator in graph.operators
        if codes[operator.opcodeIndex] == schema.BuiltinOperator.BATCH_MATMUL
    ]
    assert bool(products) == config.dynamic
    assert all(left == right for left, right in products)


def test_no_convolution_of_single_frames_has_a_stride():
    """LiteRT's GPU path leaves the stride of a 1x1 convolution out once its weights have 8 bits."""
    model = opened(tiny_export.tflite(ACTION, "coco_17", False))
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    (graph,) = model.subgraphs
    convolutions = [
        (graph.tensors[operator.inputs[1]].shape[1:3].tolist(), operator.builtinOptions.strideH)
        for operator in graph.operators
        if codes[operator.opcodeIndex] == schema.BuiltinOperator.CONV_2D
    ]
    assert {stride for _, stride in convolutions} == {1, 2}
    assert not [kernel for kernel, stride in convolutions if stride > 1 and kernel == [1, 1]]


def test_the_file_holds_builtin_operators_alone(content):
    codes = opened(content).operatorCodes
    assert codes and all(code.customCode is None for code in codes)
    assert schema.BuiltinOperator.CUSTOM not in {code.builtinCode for code in codes}
    names = tflite.operators(content)
    assert len(names) == len(opened(content).subgraphs[0].operators)
    assert not [name for name in names if name == "CUSTOM" or name.lower().startswith("flex")]


def test_an_operation_that_phones_lack_is_named():
    class Odd(PhoneModel):
        def run(self, **inputs):
            return {"pose_m": tf.math.igamma(super().run(**inputs)["pose_m"] + 3.0, 1.0)}

    odd = Odd(tiny_export.lived_in(lift_config(frames=1)), lift_config(frames=1), H36M_17)
    with pytest.raises(ValueError, match=r"must consist of TFLite's builtin operations.*Igamma"):
        tflite.convert(odd)


@pytest.mark.parametrize("name", ["live", "plain", "action"])
def test_xnnpack_takes_the_whole_graph_in_one_piece(name):
    content = tiny_export.tflite(*KINDS[name])
    assert op_times.partitions(content) == 1
    loaded = interpreter(content)
    outside = {op["op_name"] for op in loaded._get_ops_details()[len(tflite.operators(content)) :]}
    assert outside == {"DELEGATE"}


def test_the_operators_times_are_shares_of_all():
    content = tiny_export.tflite(*KINDS["live"])
    rows, names = op_times.op_times(content, runs=3), tflite.operators(content)
    assert {row.name: row.count for row in rows} == {name: names.count(name) for name in names}
    assert np.isclose(sum(row.share for row in rows), 1) and all(row.share > 0 for row in rows)
    assert [row.share for row in rows] == sorted((row.share for row in rows), reverse=True)
    assert all(row.xnnpack for row in rows)


@pytest.mark.parametrize("name", ["live", "plain"])
def test_a_step_for_each_frame_is_the_window_that_ends_there(name):
    content = tiny_export.tflite(*KINDS[name])
    loaded = interpreter(content)
    run, step = loaded.get_signature_runner("serving_default"), loaded.get_signature_runner("step")
    clip, size = detected((1, 8, 17), seed=3), np.float32([IMAGE_SIZE])
    clip[:, 2, :, 2] = 0
    clip[..., :2] *= clip[..., 2:] > 0
    state = np.zeros((1, 2, 17, 4), np.float32)
    for t in range(clip.shape[1]):
        out = step(keypoints=clip[:, t : t + 1], image_size=size, state=state)
        # Before the clip's first frame it stands still.
        window = clip[:, np.maximum([t - 2, t - 1, t], 0)]
        expected = run(keypoints=window, image_size=size)
        for output in ("pose_m", "confidence"):
            np.testing.assert_allclose(out[output][:, 0], expected[output][:, -1], atol=1e-5)
        state = out["state"]
    np.testing.assert_array_equal(state[..., :3], clip[:, -2:])


def test_the_contract_lies_inside_and_changes_no_number(tmp_path):
    content = tiny_export.tflite(*KINDS["live"])
    told = json.dumps({"name": "Übung", "inputs": {}, "outputs": {}, "signatures": {}, "task": "lift"})
    with_contract = tflite.with_contract(content, told)
    model = opened(with_contract)
    found = [entry for entry in model.metadata if entry.name == b"contract.json"]
    assert len(found) == 1 and bytes(model.buffers[found[0].buffer].data).decode() == told
    # Equal parts are written once, so the file has become smaller all the same.
    assert len(with_contract) < len(content)
    inputs = next(each(inputs_of(phone(LIVE))))
    for signature in ("serving_default", "step"):
        given = inputs
        if signature == "step":
            given = {**inputs, "keypoints": inputs["keypoints"][:, :1], "state": np.zeros((1, 2, 17, 4), np.float32)}
        before, after = (interpreter(c).get_signature_runner(signature)(**given) for c in (content, with_contract))
        assert before.keys() == after.keys()
        for name in before:
            np.testing.assert_array_equal(before[name], after[name])


# ---- quantized


def constants(content):
    """Bytes of all constants of a file."""
    return sum(len(buffer.data) for buffer in opened(content).buffers if buffer.data is not None)


def wide(quantization):
    return tiny_export.tflite(WIDE, "h36m_17", False, quantization)


def test_both_signatures_share_their_weights():
    weights = 4 * tiny_export.lived_in(WIDE).count_params()
    content = tflite.with_contract(wide("none"), "{}")
    assert len(opened(content).subgraphs) == 2
    assert 0.8 * weights < constants(content) < 1.2 * weights


@pytest.mark.parametrize(("quantization", "share"), [("float16", 0.55), ("dynamic", 0.4), ("int8", 0.5)])
def test_fewer_bits_make_a_smaller_file_that_says_much_the_same(quantization, share):
    small, whole = (tflite.with_contract(wide(q), "{}") for q in (quantization, "none"))
    assert constants(small) < share * constants(whole) and len(small) < len(whole)
    model = phone(WIDE, "h36m_17")
    inputs = inputs_of(model, batch=20, seed=7)
    expected = keras_poses(model.model, H36M_17, False, inputs)
    run = interpreter(small).get_signature_runner("serving_default")
    given = np.concatenate([run(**window)["pose_m"] for window in each(inputs)])
    error = np.linalg.norm(given - expected, axis=-1).mean() / np.linalg.norm(expected, axis=-1).mean()
    assert 0 < error < {"float16": 3e-3, "dynamic": 0.02, "int8": 0.05}[quantization]


def test_int16_activations_lose_little():
    config = WIDE.replace(causal=False)
    run = interpreter(tiny_export.tflite(config, "h36m_17", quantization="int16x8"))
    assert np.int16 in {tensor["dtype"] for tensor in run.get_tensor_details()}
    model = phone(config, "h36m_17")
    inputs = inputs_of(model, batch=20, seed=7)
    expected = keras_poses(model.model, H36M_17, False, inputs)
    given = np.concatenate([run.get_signature_runner()(**window)["pose_m"] for window in each(inputs)])
    assert np.linalg.norm(given - expected, axis=-1).mean() < 0.05 * np.linalg.norm(expected, axis=-1).mean()


class Named(Float):
    """Remembers the matrices that are to be quantized."""

    def __init__(self):
        self.weights = set()

    def weight(self, name, w):
        self.weights.add(name)
        return w


@pytest.mark.parametrize("config", [WIDE.replace(dynamic=True), LIVE], ids=["shared", "pair"])
def test_int8_multiplies_in_int8(config):
    layout = "coco_17"
    content = tiny_export.tflite(config, layout, quantization="int8")
    model, names = opened(content), tflite.operators(content)
    graph = model.subgraphs[0]

    def is_int8(index):
        return graph.tensors[index].type == schema.TensorType.INT8

    def is_constant(index):
        data = model.buffers[graph.tensors[index].buffer].data
        return data is not None and len(data) > 0

    products = [
        operator
        for operator, name in zip(graph.operators, names, strict=True)
        if name in ("FULLY_CONNECTED", "CONV_2D") and any(map(is_constant, operator.inputs[:2]))
    ]
    inside = [p for p in products if all(map(is_int8, (*p.inputs[:2], *p.outputs)))]
    named = Named()
    quantized = phone(config, layout, quantizer=named)
    quantized.run(**{name: tf.constant(array) for name, array in inputs_of(quantized).items()})
    assert named.weights and len(inside) == len(named.weights)
    # Every other product is all in float32: none mixes both.
    assert not any(any(map(is_int8, (*p.inputs[:2], *p.outputs))) for p in products if p not in inside)
    assert op_times.partitions(content) == 1


def test_the_graph_convolutions_of_the_first_two_blocks_keep_their_precision():
    named = Named()
    quantized = phone(action_config(), quantizer=named)
    quantized.run(**{name: tf.constant(array) for name, array in inputs_of(quantized).items()})
    rounded = {layer: {n.split("/")[0] for n in named.weights if f"/{layer}/" in n} for layer in ("hcsf", "conv")}
    blocks = [f"block{i}" for i in range(len(quantized.model.blocks))]
    assert rounded == {"hcsf": set(blocks[2:]), "conv": set(blocks)} and len(blocks) > 2


def test_a_fixed_graph_in_8_bits_leaves_nothing_to_slower_code():
    config = lift_config(causal=True, channels=48, blocks=1, sharing="shared", dynamic=False)
    assert op_times.partitions(tiny_export.tflite(config, "h36m_17", False, "int8")) == 1
