"""ActionRecognizer: the network number by number, its size by formula, and what its scores must not depend on."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from skelgnn_tf.layers import ClipFrame
from skelgnn_tf.models import ActionRecognizer
from skelgnn_tf.models.action_recognizer import SIZES
from skelgnn_tf.skeletons import COCO_17, H36M_17, NTU_25, Skeleton
from support import oracles
from support.oracles import value
from support.streams import derived

CLASSES = ("sit", "stand", "wave")
TINY = {"frames": 8, "size": "small", "channels": 4, "short_hops": 1, "max_hops": 2, "squeeze": 0.5}
TWIG = Skeleton("twig", tuple("abcdef"), (-1, 0, 1, 2, 3, 1), tuple(range(6)))


def recognizer(skeleton=NTU_25, scale=0.4, **options):
    """A tiny model with a random value in every weight."""
    model = ActionRecognizer(CLASSES, skeleton, **{**TINY, **options})
    model.build((None, model.persons, model.frames, skeleton.num_joints, model.input_channels))
    return oracles.randomize(model, scale=scale)


def clips(model, batch=3, seed=0):
    rng = np.random.default_rng(seed)
    shape = (batch, model.persons, model.frames, model.skeleton.num_joints, model.input_channels)
    x = rng.normal(size=shape).astype(np.float32)
    if model.input_channels > model.dims:
        x[..., -1] = np.where(rng.random(shape[:-1]) < 0.2, 0, rng.uniform(0.1, 1, shape[:-1]))
    return x


def logits(model, x):
    return value(model(x))


# ---- the network


def normed(norm, x):
    """Batch norm at test."""
    x = (x - value(norm.moving_mean)) / np.sqrt(value(norm.moving_variance) + norm.epsilon)
    return x * value(norm.gamma) + value(norm.beta)


def zero_padded(layer, x):
    """A convolution over frames, tap by tap, with zeros around; an odd zero goes to the end."""
    w, (batch, frames, joints, _) = value(layer.w), x.shape
    taps, stride = layer.kernel, layer.stride
    count = -(-frames // stride)
    before = max((count - 1) * stride + taps - frames, 0) // 2
    out = np.zeros((batch, count, joints, w.shape[-1]))
    for t in range(count):
        for tap in range(taps):
            at = t * stride + tap - before
            if 0 <= at < frames:
                out[:, t] += x[:, at] @ w[tap, 0]
    return out


def network(model, x):
    """The blocks of docs/method.md on joints as they are, one clip and person after another."""
    scores = []
    for clip in x.astype(np.float64):
        features = []
        for person in clip:
            if not person.any():
                continue
            h = normed(model.input_norm, person.reshape(1, len(person), -1)).reshape(1, *person.shape)
            for number, block in enumerate(model.blocks):
                y = np.maximum(normed(block.hcsf_norm, oracles.hcsf(block.hcsf, h)), 0)
                y = normed(block.conv_norm, zero_padded(block.conv, y))
                if number and y.shape == h.shape:
                    y = y + h
                elif number:
                    y = y + normed(block.skip_norm, zero_padded(block.skip, h))
                h = np.maximum(y, 0)
            features.append(h.mean(axis=(0, 1, 2)))
        mean = np.mean(features, axis=0) if features else np.zeros(len(value(model.dense.kernel)))
        scores.append(mean @ value(model.dense.kernel) + value(model.dense.bias))
    return np.array(scores)


@pytest.mark.parametrize("dynamic", [True, False])
def test_the_network_is_that_of_the_paper_number_by_number(dynamic):
    model = recognizer(TWIG, 0.6, normalization="none", persons=2, frames=9, dynamic=dynamic)
    x = clips(model)
    x[1, 1] = 0
    x[2] = 0
    expected = network(model, x)
    assert np.ptp(expected[:2], axis=0).min() > 0.01
    np.testing.assert_allclose(logits(model, x), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("size", "frames"), [("paper", [64, 64, 64, 32, 32, 32, 16, 16, 16]), ("small", None)])
def test_the_frames_halve_where_the_plan_says_so(size, frames):
    model = ActionRecognizer(CLASSES, TWIG, **{**TINY, "size": size, "frames": 64})
    model.build((None, 1, 64, 6, 3))
    shape, seen = (None, 64, 6, 3), []
    for block in model.blocks:
        shape = block.compute_output_shape(shape)
        seen.append(shape[1])
    assert seen == (frames or [32, 32, 16, 16, 8, 8])
    # Widths in the size's proportion.
    widths = SIZES[size]["widths"]
    assert [block.hcsf.channels for block in model.blocks] == [width * 4 // widths[0] for width in widths]


def weights_by_formula(widths, strides, kernel, joints, classes, groups=3, squeeze=8, temporal_kernel=3):
    """Trainable weights of S=5, L=7, d=1/8, F=3 on 3D joints, added up by hand."""
    total, c_in = 2 * joints * 3, 3
    for number, (c, stride) in enumerate(zip(widths, strides, strict=True)):
        hop6, hop7 = (max(1, round(c_in / squeeze**k)) for k in (1, 2))
        total += c_in * (c + hop6 + hop7)  # a matrix for each hop group
        total += (hop6 + hop7) * c + c  # W_a and the bias
        embedding = max(1, round(c_in / squeeze))
        total += temporal_kernel * c_in * 2 * groups * embedding  # theta and phi
        total += groups * joints * joints + groups  # M and alpha
        total += kernel * c * c + 2 * 2 * c  # the temporal convolution and two batch norms
        if number and (stride > 1 or c != c_in):
            total += c_in * c + 2 * c  # the way round
        c_in = c
    return total + c_in * classes + classes


@pytest.mark.parametrize("size", SIZES)
def test_the_number_of_weights_is_that_of_a_formula(size):
    model = ActionRecognizer([str(i) for i in range(60)], NTU_25, size=size)
    model.build((None, 1, 64, 25, 3))
    count = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    assert count == weights_by_formula(**SIZES[size], joints=25, classes=60)
    assert size == "paper" or model.count_params() < 500_000


# ---- what the scores depend on


@pytest.mark.parametrize("normalization", ["none", "center", "view"])
def test_an_absent_second_person_does_not_count(normalization):
    two, one = (recognizer(persons=persons, normalization=normalization) for persons in (2, 1))
    for ours, theirs in zip(one.weights, two.weights, strict=True):
        ours.assign(theirs)
    x = clips(two)
    both = logits(two, x)
    x[:, 1] = 0
    alone = logits(two, x)
    np.testing.assert_allclose(alone, logits(one, x[:, :1]), atol=1e-4)
    assert np.abs(both - alone).max() > 1e-2


def test_two_persons_count_alike():
    model = recognizer(persons=2, normalization="none")
    x = clips(model)
    np.testing.assert_allclose(logits(model, x[:, ::-1]), logits(model, x), atol=1e-4)


def test_a_clip_without_anyone_has_finite_scores_that_say_nothing_of_the_joints():
    for normalization in ("center", "view"):
        model = recognizer(persons=2, normalization=normalization)
        np.testing.assert_allclose(logits(model, 0 * clips(model, 1))[0], value(model.dense.bias), atol=1e-6)


@pytest.mark.parametrize("stream", ["joint", "bone", "joint_motion", "bone_motion"])
@pytest.mark.parametrize("confidence", [False, True])
def test_a_stream_inside_is_the_stream_fed_from_outside(stream, confidence):
    options = {"dims": 2, "confidence": confidence, "persons": 2}
    inside = recognizer(COCO_17, normalization="box", stream=stream, **options)
    outside = recognizer(COCO_17, normalization="none", **options)
    x = clips(inside)
    features = derived(np.asarray(ClipFrame(COCO_17, "box", confidence)(x)), COCO_17, stream, confidence)
    np.testing.assert_allclose(logits(inside, x), logits(outside, features.astype(np.float32)), atol=1e-3)


def test_the_scores_of_a_clip_do_not_depend_on_the_others():
    model = recognizer(persons=2)
    x = clips(model, 4)
    alone = np.concatenate([logits(model, clip[None]) for clip in x])
    np.testing.assert_allclose(logits(model, x), alone, atol=1e-4)


@pytest.mark.parametrize("hidden", [55.0, np.nan])
def test_what_stands_at_a_missing_keypoint_does_not_matter(hidden):
    for normalization in ("none", "center", "box"):
        model = recognizer(COCO_17, dims=2, confidence=True, normalization=normalization, stream="bone_motion")
        x = clips(model)
        missing = x[..., 2] == 0
        x[missing, :2] = 0
        clean = logits(model, x)
        x[missing, :2] = hidden
        np.testing.assert_array_equal(logits(model, x), clean)


def test_where_a_clip_lies_does_not_matter_but_where_it_goes_does():
    model = recognizer()
    x = clips(model)
    still = logits(model, x)
    np.testing.assert_allclose(logits(model, x + np.float32([1, -2, 4])), still, atol=1e-3)
    walk = np.linspace(0, 3, 8, dtype=np.float32)[:, None, None]
    assert np.abs(logits(model, x + walk) - still).max() > 1e-2


def test_augmentation_and_dropout_are_for_training_alone():
    options = {"rotation": 30, "scaling": 0.3, "shear": 0.2, "joint_drop": 0.3, "dropout": 0.5, "seed": 0}
    plain, augmented = recognizer(), recognizer(**options)
    x = clips(plain)
    np.testing.assert_array_equal(logits(augmented, x), logits(plain, x))
    drawn = [value(augmented(x, training=True)) for _ in range(2)]
    assert np.abs(drawn[0] - drawn[1]).max() > 1e-3
    first, again = (value(recognizer(**options)(x, training=True)) for _ in range(2))
    np.testing.assert_array_equal(first, again)


# ---- training and the file


@pytest.mark.parametrize("skeleton", [NTU_25, H36M_17], ids=lambda s: s.name)
def test_the_gradient_reaches_every_weight(skeleton):
    model = recognizer(skeleton, persons=2)
    x, y = clips(model, 8), tf.one_hot(np.arange(8) % 3, 3)
    with tf.GradientTape() as tape:
        loss = keras.ops.mean(keras.ops.categorical_crossentropy(y, model(x, training=True), from_logits=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        assert gradient is not None and np.isfinite(gradient).all(), variable.path
        assert np.abs(gradient).max() > 0, variable.path


@pytest.mark.parametrize(
    ("skeleton", "options"),
    [
        (NTU_25, {"persons": 2, "normalization": "view", "stream": "bone", "rotation": 17.0, "seed": 3}),
        (COCO_17, {"dims": 2, "confidence": True, "normalization": "box", "stream": "joint_motion", "dynamic": False}),
        (TWIG, {"size": "paper", "dropout": 0.3, "normalization": "center"}),
    ],
    ids=lambda v: v.name if isinstance(v, Skeleton) else "",
)
def test_a_saved_model_is_the_same_again(skeleton, options, tmp_path):
    model = recognizer(skeleton, **options)
    model.save(tmp_path / "a.keras")
    again = keras.saving.load_model(tmp_path / "a.keras", safe_mode=True)
    x = clips(model)
    np.testing.assert_array_equal(again(x), model(x))
    assert again.get_config() == model.get_config()
    assert (again.classes, again.skeleton, again.frames, again.persons) == (CLASSES, skeleton, 8, model.persons)


def test_half_precision_changes_the_scores_but_little():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        half = recognizer()
    finally:
        keras.config.set_dtype_policy("float32")
    full = recognizer()
    x = clips(full)
    scores = logits(full, x)
    assert half(x).dtype == "float32"
    assert 0 < np.abs(logits(half, x) - scores).max() < 0.1 * np.abs(scores).max()


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((1, 1, 8, 17, 3), {}),
        ((1, 2, 8, 25, 3), {}),
        ((1, 1, 9, 25, 3), {}),
        ((1, 1, 8, 25, 2), {}),
        ((1, 1, 8, 25, 3), {"confidence": True}),
    ],
)
def test_an_input_of_another_shape_is_told_what_is_wanted(shape, options):
    model = recognizer(**options)
    channels = 3 + bool(options)
    with pytest.raises(ValueError) as refused:
        model(np.zeros(shape, np.float32))
    said = str(refused.value)
    assert f"(batch, 1 persons, 8 frames, 25 joints of ntu_25, {channels} channels). Received: {shape}" in said


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"classes": ("one",)}, "at least 2 classes, .* Received: 1, 1, 3 and 8"),
        ({"persons": 3}, "1 or 2 persons, .* Received: 3, 3, 3 and 8"),
        ({"dims": 4}, "2 or 3 dims .* Received: 3, 1, 4 and 8"),
        ({"frames": 0}, "at least 1 frame. Received: 3, 1, 3 and 0"),
        ({"size": "big"}, "size must be one of paper, small. Received: 'big'"),
        ({"stream": "bones"}, "stream must be .* Received: 'bones'"),
        ({"normalization": "middle"}, "normalization must be .* Received: 'middle'"),
        ({"short_hops": 3}, "short_hops=3, max_hops=2"),
    ],
)
def test_settings_out_of_range_are_refused_in_words(wrong, message):
    with pytest.raises(ValueError, match=message):
        ActionRecognizer(**{"classes": CLASSES, **TINY, **wrong})


def test_a_skeleton_may_be_named():
    model = ActionRecognizer(CLASSES, "coco_17", **TINY)
    assert model.skeleton is COCO_17 and model.clip_frame.skeleton is COCO_17 and model.features.skeleton is COCO_17


# ---- memory


def test_no_projection_is_a_strided_convolution_of_one_tap():
    # TensorFlow's oneDNN overruns memory in those, for some widths.
    model = recognizer(channels=8)
    x = tf.constant(clips(model))
    traced = tf.function(lambda x: model(x, training=True), jit_compile=False).get_concrete_function(x)
    shapes = {
        tuple(node.inputs[1].shape.as_list()[:2])
        for node in traced.graph.get_operations()
        if node.type == "Conv2D" and max(node.get_attr("strides")) > 1
    }
    # Those of the temporal convolutions, which have more taps, remain.
    assert shapes and (1, 1) not in shapes


NARROW = """
import keras, numpy as np
from skelgnn_tf.models import ActionRecognizer

model = ActionRecognizer(("sit", "stand"), "coco_17", frames=16, size="small", channels={channels}, persons=1)
model.compile("adam", keras.losses.CategoricalCrossentropy(from_logits=True), jit_compile=False)
rng = np.random.default_rng(0)
x = rng.normal(size=(64, 1, 16, 17, model.input_channels)).astype("float32")
model.fit(x, np.eye(2)[rng.integers(0, 2, 64)], batch_size=16, epochs=2, verbose=0)
print(np.isfinite(model.predict(x, verbose=0)).all())
"""


@pytest.mark.parametrize("channels", [8, 12])
def test_narrow_recognizers_train_without_overrunning_memory(channels):
    # In a process of its own, which an overrun ends.
    ran = subprocess.run(
        [sys.executable, "-c", NARROW.format(channels=channels)],
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert ran.stdout.strip() == "True"
