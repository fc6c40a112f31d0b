"""A detector's keypoints in, meters or probabilities out: the phone's graph against the road that `predict` takes."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("tensorflow")
if keras.backend.backend() != "tensorflow":
    pytest.skip("the export needs Keras' TensorFlow backend", allow_module_level=True)

import tensorflow as tf

from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.datasets.windows import screen_keypoints
from skelgnn_tf.export.graph.phone_model import PhoneModel, lifter_core, recognizer_core
from skelgnn_tf.export.verify import keras_poses, keras_probabilities
from skelgnn_tf.inference.windows import lift, recognize
from skelgnn_tf.layers.stream import STREAMS
from skelgnn_tf.skeletons import ALL, COCO_17, H36M_17, map_keypoints
from support.tiny_export import CLASSES, IMAGE_SIZE, action_config, detected, inputs_of, lift_config, lived_in, phone

PLAIN = {"confidence": False, "keypoint_frame": "screen"}


def tensors(inputs):
    return {name: tf.constant(array) for name, array in inputs.items()}


def varied(windows, share=5, tolerance=2e-5):
    """A model that always says the same would prove nothing."""
    assert np.ptp(np.asarray(windows), axis=0).max() > share * tolerance
    return windows


# ---- lifters


@st.composite
def lifters(draw):
    frames = draw(st.sampled_from([1, 3, 9, 27]))
    short = draw(st.integers(0, 2))
    return lift_config(
        frames=frames,
        blocks=draw(st.sampled_from([0, 1, 2])),
        sharing=draw(st.sampled_from(["pair", "shared"])),
        dynamic=draw(st.booleans()),
        causal=draw(st.booleans()),
        every_frame=draw(st.booleans()),
        short_hops=short,
        max_hops=draw(st.integers(short, 3)),
        confidence=draw(st.booleans()),
        keypoint_frame=draw(st.sampled_from(["screen", "person"])),
        skeleton=draw(st.sampled_from(["h36m_17", "h36m_17_lcn"])),
    )


@settings(max_examples=15)
@given(lifters(), st.sampled_from(["h36m_17", "coco_17", "blazepose_33"]), st.booleans())
def test_any_lifter_gives_the_poses_of_predict(config, layout, flip):
    model = phone(config, layout, flip)
    inputs = inputs_of(model, batch=4)
    found = model.run(**tensors(inputs))
    expected = keras_poses(model.model, ALL[layout], flip, inputs)
    assert {name: out.shape[1:] for name, out in found.items()} == {n: s[1:] for n, s in model.outputs.items()}
    # Half of the bound of an exported file; float32 alone has been seen to make 2.3e-5 m in one joint.
    np.testing.assert_allclose(found["pose_m"], varied(expected, tolerance=5e-5), atol=5e-5)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("every_frame", [False, True])
@pytest.mark.parametrize(("options", "flip"), [({}, False), ({}, True), (PLAIN, True), (PLAIN, False)])
def test_the_poses_to_compare_with_are_those_of_the_middle_frame_of_a_clip(options, flip, every_frame, causal):
    config = lift_config(frames=9, causal=causal, every_frame=every_frame, **options)
    model, window = lived_in(config), detected((9, 17))
    inputs = {"keypoints": window[None], "image_size": np.float32([IMAGE_SIZE])}
    compared = keras_poses(model, COCO_17, flip, inputs)
    at = 8 if causal else 4
    clip = Clip("window", map_keypoints(window, COCO_17, H36M_17)[None], image_size_px=IMAGE_SIZE)
    lifted = lift(model, screen_keypoints(clip, config.confidence), flip)[at]
    np.testing.assert_allclose(compared[0, at if every_frame else 0], lifted - lifted[:1], atol=1e-6)


@pytest.mark.parametrize("config", [lift_config(frames=9), lift_config(frames=9, **PLAIN)], ids=["confidence", "plain"])
def test_the_core_is_the_network_behind_its_keypoint_frame(config):
    model = lived_in(config)
    x = np.random.default_rng(0).uniform(-1, 1, (3, 9, 17, model.input_channels)).astype(np.float32)
    x[..., 2:] = np.abs(x[..., 2:])
    framed = x if model.person_frame is None else model.person_frame(x)
    np.testing.assert_allclose(lifter_core(model)(tf.constant(framed)), model(x), atol=2e-5)


def test_a_pose_has_its_root_at_the_origin_and_the_confidence_of_its_own_frame():
    for causal, at in ((False, 1), (True, 2)):
        model = phone(lift_config(causal=causal))
        inputs = inputs_of(model, batch=3)
        out = model.run(**tensors(inputs))
        assert not np.any(out["pose_m"][:, :, 0])
        expected = map_keypoints(inputs["keypoints"], COCO_17, H36M_17)[:, at, :, 2]
        np.testing.assert_array_equal(out["confidence"][:, 0], expected)


@pytest.mark.parametrize("options", [{}, PLAIN], ids=["confidence", "plain"])
def test_what_stands_at_missing_keypoints_moves_no_pose(options):
    model = phone(lift_config(**options))
    inputs = inputs_of(model, batch=3)
    elsewhere = np.where(inputs["keypoints"][..., 2:] > 0, inputs["keypoints"], np.float32([1e7, -1e7, 0]))
    assert not np.array_equal(elsewhere, inputs["keypoints"])
    found = [model.run(**tensors(inputs | {"keypoints": k}))["pose_m"] for k in (inputs["keypoints"], elsewhere)]
    np.testing.assert_array_equal(*found)


def test_flipping_averages_a_pose_and_that_of_the_mirrored_picture():
    once, twice = phone(lift_config()), phone(lift_config(), flip=True)
    inputs = inputs_of(once, batch=3)
    mirrored = inputs["keypoints"][..., list(COCO_17.mirror), :].copy()
    mirrored[..., 0] = IMAGE_SIZE[0] - mirrored[..., 0]
    plain, other = (
        once.run(**tensors(inputs | {"keypoints": k}))["pose_m"].numpy() for k in (inputs["keypoints"], mirrored)
    )
    back = other[..., list(H36M_17.mirror), :] * [-1, 1, 1]
    assert np.abs(plain - back).max() > 1e-3
    np.testing.assert_allclose(twice.run(**tensors(inputs))["pose_m"], (plain + back) / 2, atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [{}, {"every_frame": True}, PLAIN, PLAIN | {"every_frame": True, "sharing": "shared"}],
    ids=["one frame", "every frame", "plain", "plain, every frame"],
)
@pytest.mark.parametrize("frames", [3, 9])
def test_a_step_for_each_frame_is_the_window_that_ends_there(frames, options):
    model = phone(lift_config(causal=True, frames=frames, **options))
    clip = detected((1, frames + 3, 17), seed=3)
    clip[:, 2, :, 2] = 0
    size = tf.constant(np.float32([IMAGE_SIZE]))
    state = tf.zeros((1, frames - 1, 17, 4))
    for t in range(clip.shape[1]):
        out = model.step(tf.constant(clip[:, t : t + 1]), size, state)
        window = clip[:, np.maximum(np.arange(t - frames + 1, t + 1), 0)]
        expected = model.run(keypoints=tf.constant(window), image_size=size)
        for name in ("pose_m", "confidence"):
            assert out[name].shape[1] == 1
            np.testing.assert_allclose(out[name], expected[name][:, -1:], atol=1e-5)
        state = out["state"]


@pytest.mark.parametrize("options", [{"causal": False}, {"causal": True, "frames": 1}])
def test_only_a_causal_lifter_of_several_frames_has_steps(options):
    assert phone(lift_config(**options)).step_inputs == {}


# ---- recognizers


@settings(max_examples=10)
@given(
    st.sampled_from([1, 2]), st.booleans(), st.sampled_from(["none", "center", "box"]), st.sampled_from(STREAMS),
    st.booleans(), st.sampled_from(["small", "paper"]),
)  # fmt: skip
def test_any_recognizer_of_keypoints_gives_the_probabilities_of_predict(
    persons, confidence, normalization, stream, dynamic, size
):
    options = {"persons": persons, "confidence": confidence, "normalization": normalization, "stream": stream}
    model = phone(action_config(dynamic=dynamic, size=size, **options), "blazepose_33")
    inputs = inputs_of(model, batch=4)
    if persons == 2:
        inputs["keypoints"][1, 1] = 0
    found = model.run(**tensors(inputs))["probabilities"]
    expected = keras_probabilities(model.model, ALL["blazepose_33"], inputs)
    assert found.shape == (4, len(CLASSES))
    # float32 rounds pixels through nine blocks: 24 kinds of model differed by up to 2.5e-5.
    np.testing.assert_allclose(found, varied(expected, tolerance=5e-5), atol=5e-5)


@pytest.mark.parametrize("persons", [1, 2])
@pytest.mark.parametrize("normalization", ["none", "center", "view", "box"])
def test_any_recognizer_of_poses_takes_them_as_they_are(normalization, persons):
    config = action_config(
        input="pose", skeleton="ntu_25", normalization=normalization, persons=persons, confidence=False
    )
    model = phone(config, layout=None)
    inputs = inputs_of(model, batch=4)
    if persons == 2:
        inputs["pose_m"][1, 1] = 0
    inputs["pose_m"][2] = 0
    assert model.inputs == {"pose_m": (1, persons, 8, 25, 3)}
    found = model.run(**tensors(inputs))["probabilities"]
    np.testing.assert_allclose(found, varied(keras_probabilities(model.model, None, inputs)), atol=1e-5)


@pytest.mark.parametrize("persons", [1, 2])
def test_the_probabilities_to_compare_with_are_those_of_a_clip_as_long_as_the_window(persons):
    config = action_config(persons=persons)
    model, window = lived_in(config), detected((persons, 8, 17))
    inputs = {"keypoints": window[None] if persons == 2 else window, "image_size": np.float32([IMAGE_SIZE])}
    compared = keras_probabilities(model, COCO_17, inputs)
    # x from -1 to 1, y in the same scale, from the middle of the picture; missing joints zeros.
    screen = np.concatenate([(window[..., :2] - np.array(IMAGE_SIZE) / 2) / 320, window[..., 2:]], axis=-1)
    decisions = recognize(model, np.where(window[..., 2:] > 0, screen, 0), decide_every=8)
    np.testing.assert_allclose(compared, decisions.probabilities, atol=1e-6)


def test_the_core_of_a_recognizer_gives_logits_of_any_clip():
    model = lived_in(action_config(persons=2))
    x = detected((3, 2, 8, 17)) / 300
    np.testing.assert_allclose(recognizer_core(model)(tf.constant(x)), model(x), atol=2e-5)


# ---- any


@pytest.mark.parametrize(
    ("config", "layout"),
    [
        (lift_config(), "coco_17"),
        (lift_config(every_frame=True, **PLAIN), "h36m_17"),
        (action_config(persons=2), "coco_17"),
        (action_config(input="pose", skeleton="h36m_17", normalization="center", confidence=False), None),
    ],
    ids=["lifter", "plain lifter", "recognizer", "recognizer of poses"],
)
def test_a_graph_of_no_certain_batch_gives_the_same(config, layout):
    model = phone(config, layout)
    inputs = inputs_of(model, batch=3)
    specs = {name: tf.TensorSpec((None, *array.shape[1:]), name=name) for name, array in inputs.items()}
    traced = tf.function(lambda **inputs: model.run(**inputs)).get_concrete_function(**specs)
    found, expected = traced(**tensors(inputs)), model.run(**tensors(inputs))
    for name, shape in model.outputs.items():
        assert traced.structured_outputs[name].shape[1:] == shape[1:]
        np.testing.assert_allclose(found[name], expected[name], atol=1e-5)


@pytest.mark.parametrize("config", [lift_config(), action_config()], ids=["lifter", "recognizer"])
def test_a_graph_guards_what_it_says(config):
    model = phone(config)
    assert model.guards["graph"] == ["confidence above 1 counts as 1", "image_size below 1 counts as 1"]
    inputs = inputs_of(model, batch=2) | {"image_size": np.float32([[0, -3], IMAGE_SIZE])}
    seen = inputs["keypoints"][..., 2:] > 0
    percent, one = (np.where(seen, inputs["keypoints"] * [1, 1, 0] + [0, 0, c], 0) for c in (100, 1))
    found = model.run(**tensors(inputs | {"keypoints": np.float32(percent)}))
    expected = model.run(**tensors({"keypoints": np.float32(one), "image_size": np.float32([[1, 1], IMAGE_SIZE])}))
    for name in model.outputs:
        assert np.isfinite(found[name]).all()
        np.testing.assert_array_equal(found[name], expected[name])


@pytest.mark.parametrize(
    ("config", "layout", "options", "message"),
    [
        (lift_config(protocol="pixel", **PLAIN), "h36m_17", {}, "--protocol camera"),
        (action_config(), "coco_17", {"flip": True}, "--flip must be used with a pose lifter"),
        (lift_config(skeleton="mpi_inf_3dhp_17"), "coco_17", {}, "spine, head"),
        (action_config(), "h36m_17", {}, "nose, left_eye"),
        (action_config(input="pose", normalization="center"), "coco_17", {}, "poses of its own joints"),
        (lift_config(), None, {}, "joints of the keypoints"),
    ],
)
def test_what_does_not_go_together_is_refused_in_words(config, layout, options, message):
    model = lived_in(config)
    with pytest.raises(ValueError, match=message):
        PhoneModel(model, config, ALL[layout] if layout else None, **options)
