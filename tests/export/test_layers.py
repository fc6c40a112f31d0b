"""The layers restated for a phone, against the Keras layers that they restate and against nested loops."""

import itertools

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("tensorflow")
if keras.backend.backend() != "tensorflow":
    pytest.skip("the export needs Keras' TensorFlow backend", allow_module_level=True)

import tensorflow as tf

from skelgnn_tf.export.graph import layers as phone_layers
from skelgnn_tf.graph import hop_groups, normalize_adjacency
from skelgnn_tf.layers import HCSF, DynamicGraph, TemporalConv
from skelgnn_tf.skeletons import COCO_17, H36M_17, H36M_17_LCN, Skeleton
from support import oracles, tiny_export

# Small enough for loops, and with a side branch: a chain of five joints and one more on the second.
TWIG = Skeleton("twig", tuple("abcdef"), (-1, 0, 1, 2, 3, 1), tuple(range(6)))
NORMED = st.booleans()


class Named(phone_layers.Float):
    """Remembers what is quantized under which name."""

    def __init__(self):
        self.weights, self.activations = [], []

    def activation(self, name, x):
        self.activations.append(name)
        return x

    def weight(self, name, w):
        self.weights.append(name)
        return w


def randomly(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def built(layer, *shape, seed=0):
    layer.build((None, *shape))
    return oracles.randomize(layer, seed)


def with_norm(layer, norm, x):
    """The Keras layer and its batch norm, at inference."""
    y = layer(x)
    return np.asarray(y if norm is None else norm(y, training=False))


def close(found, expected, share=2e-5):
    """As close as float32 allows, whose rounding is a share of the largest number."""
    expected = np.asarray(expected)
    np.testing.assert_allclose(found, expected, rtol=0, atol=share * max(1, np.abs(expected).max()))


@st.composite
def hcsf_options(draw):
    short = draw(st.integers(0, 3))
    return {
        "skeleton": draw(st.sampled_from([TWIG, H36M_17, H36M_17_LCN, COCO_17])),
        "sharing": draw(st.sampled_from(["pair", "shared"])),
        "short_hops": short,
        "max_hops": draw(st.integers(short, 3)),
        "squeeze": draw(st.sampled_from([0.125, 0.5, 1.0])),
        "dynamic": draw(st.booleans()),
        "causal": draw(st.booleans()),
        "temporal_kernel": draw(st.sampled_from([1, 2, 3, 5])),
    }


@settings(max_examples=40)
@given(hcsf_options(), st.sampled_from([1, 3, 9]), st.sampled_from([1, 2, 3]), NORMED, st.integers(0, 99))
def test_hcsf_is_kerass_with_its_batch_norm(options, frames, c_in, normed, seed):
    joints = options["skeleton"].num_joints
    layer = built(HCSF(4, **options), frames, joints, c_in, seed=seed)
    norm = tiny_export.norm(4, seed) if normed else None
    x = randomly(2, frames, joints, c_in, seed=seed)
    restated = phone_layers.hcsf(layer, norm, phone_layers.FLOAT, "layer")
    close(restated(tf.constant(x)), with_norm(layer, norm, x))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("sharing", ["pair", "shared"])
@pytest.mark.parametrize(("short", "far"), [(0, 2), (1, 1), (1, 4)])
def test_hcsf_is_the_loop_over_single_joints(sharing, dynamic, causal, short, far):
    options = {"short_hops": short, "max_hops": far, "squeeze": 0.5, "sharing": sharing}
    layer = built(HCSF(3, TWIG, dynamic=dynamic, causal=causal, **options), 3, 6, 4)
    x = randomly(2, 3, 6, 4)
    restated = phone_layers.hcsf(layer, None, phone_layers.FLOAT, "layer")
    close(restated(tf.constant(x)), oracles.hcsf(layer, x))


def test_a_joint_without_any_neighbor_that_far_gets_nothing():
    # From the middle of a chain of three no joint is two hops away.
    chain = Skeleton("chain", tuple("abc"), (-1, 0, 1), (0, 1, 2))
    layer = built(HCSF(3, chain, 1, 2, 0.5, dynamic=False), 2, 3, 4)
    x = randomly(1, 2, 3, 4)
    assert [] in layer.far[0]
    close(phone_layers.hcsf(layer, None, phone_layers.FLOAT, "layer")(tf.constant(x)), oracles.hcsf(layer, x))


@settings(max_examples=40)
@given(
    st.integers(1, 9), st.integers(1, 5), st.integers(1, 3), st.integers(1, 3), st.sampled_from(["zero", "causal", ""]),
    st.booleans(), NORMED, st.integers(0, 99),
)  # fmt: skip
def test_a_temporal_convolution_is_kerass_with_its_batch_norm(
    frames, kernel, stride, dilation, padding, use_bias, normed, seed
):
    # Keras, too, refuses strides of dilated kernels; without padding a strided kernel needs enough frames.
    dilation = 1 if stride > 1 else dilation
    frames = frames if stride == 1 or padding == "zero" else max(frames, kernel)
    options = {"use_bias": use_bias, "causal": padding == "causal", "zero_padded": padding == "zero"}
    layer = built(TemporalConv(4, kernel, stride, dilation, **options), frames, 6, 3, seed=seed)
    norm = tiny_export.norm(4, seed) if normed else None
    x = randomly(2, frames, 6, 3, seed=seed)
    found = phone_layers.temporal_conv(layer, norm, phone_layers.FLOAT, "layer")(tf.constant(x))
    close(found, with_norm(layer, norm, x))
    # Only with an even reach is there one frame in the middle.
    centered = padding == "causal" or stride > 1 or (kernel - 1) * dilation % 2 == 0
    if padding != "zero" and not normed and centered:
        close(found, oracles.temporal_conv(layer, x))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("frames", [1, 4])
def test_a_dynamic_graph_is_the_loop_over_pairs_of_joints(frames, causal):
    adjacency = normalize_adjacency(hop_groups(TWIG, 1, 3))
    layer = built(DynamicGraph(adjacency, width=2, causal=causal), frames, 6, 3)
    x = randomly(2, frames, 6, 3)
    groups = phone_layers.dynamic_graph(layer, phone_layers.FLOAT, "graph")(tf.constant(x))
    close(np.stack(groups, axis=2), oracles.dynamic_graph(layer, x))


@settings(max_examples=25)
@given(st.integers(1, 40), st.sampled_from([0, 1, -1]))
def test_any_number_of_parts_lie_side_by_side_and_never_more_than_five_at_once(count, axis):
    parts = [randomly(2, 3, 2, seed=i) for i in range(count)]
    traced = tf.function(lambda *parts: phone_layers.concatenate(parts, axis)).get_concrete_function(
        *(tf.TensorSpec(part.shape) for part in parts)
    )
    np.testing.assert_array_equal(traced(*map(tf.constant, parts)), np.concatenate(parts, axis))
    # The last input of a concatenation is its axis.
    joins = [len(op.inputs) - 1 for op in traced.graph.get_operations() if op.type == "ConcatV2"]
    assert all(2 <= n <= 5 for n in joins) and bool(joins) == (count > 1)


@given(st.floats(-1e6, 1e6, width=32))
def test_above_zero_is_the_comparison_in_arithmetic(x):
    found = float(phone_layers.above_zero(tf.constant(x)))
    if x <= 0:
        assert found == 0
    elif x >= 1e-4:
        assert found == 1
    else:
        assert 0 <= found <= 1


def test_a_batch_norm_at_inference_is_a_scale_and_a_shift():
    norm, x = tiny_export.norm(5), randomly(2, 3, 4, 5)
    scale, shift = phone_layers.folded(norm)
    close(x * scale.numpy() + shift.numpy(), norm(x, training=False))
    assert [float(part) for part in phone_layers.folded(None)] == [1, 0]


@given(st.sets(st.integers(0, 20), min_size=1))
def test_neighbors_become_as_few_runs_of_columns_as_they_have_gaps(joints):
    joints = sorted(joints)
    runs = phone_layers._runs(joints)
    assert [joint for begin, end in runs for joint in range(begin, end)] == joints
    assert all(end < begin for (_, end), (begin, _) in itertools.pairwise(runs))


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("sharing", ["pair", "shared"])
def test_every_matrix_has_a_scale_of_its_own_and_no_two_share_a_name(sharing, dynamic):
    layer = built(HCSF(4, H36M_17, 1, 3, 0.5, dynamic=dynamic, sharing=sharing), 3, 17, 4)
    named, x = Named(), tf.constant(randomly(1, 3, 17, 4))
    restated = phone_layers.hcsf(layer, tiny_export.norm(4), named, "layer")
    close(restated(x), phone_layers.hcsf(layer, tiny_export.norm(4), phone_layers.FLOAT, "layer")(x))
    assert named.weights and len(set(named.weights)) == len(named.weights)
    assert all(name.startswith("layer/") for name in (*named.weights, *named.activations))


@pytest.mark.parametrize("sharing", ["pair", "shared"])
def test_gradients_of_training_flow_back_into_the_keras_weights(sharing):
    layer, norm = built(HCSF(4, TWIG, 1, 2, 0.5, sharing=sharing), 3, 6, 4), tiny_export.norm(4)
    x = tf.constant(randomly(2, 3, 6, 4))
    weights = layer.trainable_variables
    found, expected = [], []
    for gradients, call in (
        (found, lambda: phone_layers.hcsf(layer, norm, phone_layers.FLOAT, "layer")(x)),
        (expected, lambda: norm(layer(x), training=False)),
    ):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(call()))
        gradients += tape.gradient(loss, [weight.value for weight in weights])
    for weight, a, b in zip(weights, found, expected, strict=True):
        assert np.abs(b).max() > 0, weight.path
        close(a, b, share=1e-4)
