"""The layers against nested loops over joints, hops, frames and taps (oracles.py)."""

import keras
import numpy as np
import pytest

from skelgnn_tf.graph import hop_groups, normalize_adjacency
from skelgnn_tf.layers import HCSF, DynamicGraph, PersonFrame, TemporalConv
from skelgnn_tf.skeletons import COCO_17, H36M_17, H36M_17_LCN, MPI_INF_3DHP_17, Skeleton
from support import oracles

# Small enough for loops, and with a side branch: a chain of five joints and one more on the second.
TWIG = Skeleton("twig", tuple("abcdef"), (-1, 0, 1, 2, 3, 1), tuple(range(6)))


def randomly(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def built(layer, *shape):
    layer.build((None, *shape))
    return oracles.randomize(layer)


# ---- TemporalConv


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("kernel", "dilation"), [(1, 1), (3, 1), (5, 1), (3, 3), (9, 1), (3, 9)])
def test_a_temporal_convolution_repeats_the_edges(kernel, dilation, causal):
    x = randomly(2, 7, 6, 3)
    layer = built(TemporalConv(4, kernel, dilation=dilation, causal=causal), 7, 6, 3)
    np.testing.assert_allclose(layer(x), oracles.temporal_conv(layer, x), atol=1e-5)


@pytest.mark.parametrize(("frames", "kernel", "stride"), [(9, 3, 3), (27, 9, 9), (8, 3, 2), (7, 3, 3)])
def test_a_strided_temporal_convolution_pads_nothing(frames, kernel, stride):
    x = randomly(2, frames, 6, 3)
    layer = built(TemporalConv(4, kernel, stride=stride), frames, 6, 3)
    expected = oracles.temporal_conv(layer, x)
    assert layer.compute_output_shape(x.shape) == expected.shape
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)


def test_a_temporal_convolution_without_bias_maps_zeros_to_zeros():
    layer = built(TemporalConv(4, use_bias=False), 5, 6, 3)
    assert [w.name for w in layer.weights] == ["w"]
    assert not np.any(layer(np.zeros((1, 5, 6, 3))))


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize(("frames", "kernel"), [(8, 9), (9, 9), (7, 5), (16, 1), (3, 5), (1, 3)])
def test_a_zero_padded_convolution_is_one_over_the_frames_with_zeros_around(frames, kernel, stride):
    x = randomly(2, frames, 6, 3)
    layer = built(TemporalConv(4, kernel, stride=stride, zero_padded=True), frames, 6, 3)
    count = -(-frames // stride)
    # As many zeros as the last tap needs; of an odd number one more at the end.
    zeros = max((count - 1) * stride + kernel - frames, 0)
    around = np.pad(x.astype(np.float64), [(0, 0), (zeros // 2, zeros - zeros // 2), (0, 0), (0, 0)])
    expected = np.zeros((2, count, 6, 4)) + oracles.value(layer.b)
    for t in range(count):
        for tap in range(kernel):
            expected[:, t] += around[:, t * stride + tap] @ oracles.value(layer.w)[tap, 0]
    assert layer.compute_output_shape(x.shape) == expected.shape
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)


def test_a_zero_padded_convolution_spreads_its_taps_apart_by_the_dilation():
    x = randomly(2, 9, 6, 3)
    layer = built(TemporalConv(4, 3, dilation=2, zero_padded=True), 9, 6, 3)
    around = np.pad(x.astype(np.float64), [(0, 0), (2, 2), (0, 0), (0, 0)])
    expected = sum(around[:, 2 * tap :][:, :9] @ oracles.value(layer.w)[tap, 0] for tap in range(3))
    np.testing.assert_allclose(layer(x), expected + oracles.value(layer.b), atol=1e-5)


def test_zeros_at_the_end_are_a_look_ahead_that_a_causal_convolution_refuses():
    with pytest.raises(ValueError, match="zero_padded must be False with causal=True"):
        TemporalConv(4, zero_padded=True, causal=True)


@pytest.mark.parametrize("wrong", [{"channels": 0}, {"kernel": 0}, {"stride": 0}, {"dilation": 0}])
def test_a_temporal_convolution_refuses_numbers_below_one(wrong):
    with pytest.raises(ValueError, match="must be at least 1. Received:"):
        TemporalConv(**{"channels": 4, **wrong})


# ---- DynamicGraph


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("frames", "temporal_kernel", "width"), [(1, 1, 2), (5, 3, 3), (4, 5, 1)])
def test_a_dynamic_graph_is_m_plus_alpha_times_the_tanh_of_theta_phi(frames, temporal_kernel, width, causal):
    adjacency = normalize_adjacency(hop_groups(TWIG, 1, 3))
    layer = built(DynamicGraph(adjacency, width, temporal_kernel, causal), frames, 6, 4)
    x = randomly(2, frames, 6, 4)
    graph = np.asarray(layer(x))
    assert graph.shape == (2, frames if causal else 1, 3, 6, 6)
    assert layer.compute_output_shape(x.shape) == graph.shape
    np.testing.assert_allclose(graph, oracles.dynamic_graph(layer, x), atol=1e-5)


def test_a_dynamic_graph_begins_as_the_given_adjacency_whatever_the_motion():
    adjacency = normalize_adjacency(hop_groups(H36M_17, 0, 3))
    layer = DynamicGraph(adjacency, width=4)
    np.testing.assert_allclose(layer(randomly(3, 5, 17, 8)), np.tile(adjacency, (3, 1, 1, 1, 1)), atol=1e-7)
    assert {w.name for w in layer.trainable_weights} == {"m", "alpha", "w"}


def test_a_dynamic_graph_does_not_saturate_however_long_the_clip():
    layer = built(DynamicGraph(normalize_adjacency(hop_groups(TWIG, 1, 2)), width=4), 1, 6, 4)
    one = randomly(1, 1, 6, 4)
    np.testing.assert_allclose(layer(one), layer(np.repeat(one, 50, axis=1)), atol=1e-5)


def test_a_dynamic_graph_refuses_an_adjacency_without_groups():
    with pytest.raises(ValueError, match=r"\(groups, joints, joints\)\. Received: \(17, 17\)"):
        DynamicGraph(np.eye(17), width=4)


# ---- HCSF

HOPS = [(0, 0, 0.5), (1, 1, 0.5), (1, 2, 0.125), (0, 3, 0.5), (2, 6, 0.7), (1, 5, 1.0)]


@pytest.mark.parametrize("sharing", ["pair", "shared"])
@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize(("short_hops", "max_hops", "squeeze"), HOPS)
@pytest.mark.parametrize("causal", [False, True])
def test_hcsf_is_the_formula_joint_by_joint(sharing, dynamic, short_hops, max_hops, squeeze, causal):
    layer = HCSF(5, TWIG, short_hops, max_hops, squeeze, dynamic, 3, sharing, causal)
    x = randomly(2, 4, 6, 8)
    built(layer, 4, 6, 8)
    assert layer.compute_output_shape(x.shape) == (2, 4, 6, 5)
    np.testing.assert_allclose(layer(x), oracles.hcsf(layer, x), atol=2e-4, rtol=1e-4)


@pytest.mark.parametrize("sharing", ["pair", "shared"])
def test_hcsf_on_the_graph_with_extra_edges_is_the_formula_too(sharing):
    layer = built(HCSF(6, H36M_17_LCN, 1, 3, 0.5, sharing=sharing), 3, 17, 4)
    x = randomly(1, 3, 17, 4)
    np.testing.assert_allclose(layer(x), oracles.hcsf(layer, x), atol=2e-4, rtol=1e-4)


def test_static_hcsf_reaches_max_hops_and_not_further():
    steps = {s: oracles.hops(s) for s in (H36M_17, H36M_17_LCN)}
    for skeleton, sharing, max_hops in [
        (H36M_17, "pair", 2), (H36M_17, "shared", 4), (H36M_17_LCN, "pair", 3), (H36M_17_LCN, "shared", 2),
    ]:  # fmt: skip
        layer = built(HCSF(4, skeleton, 1, max_hops, 0.5, dynamic=False, sharing=sharing), 1, 17, 3)
        x = randomly(1, 1, 17, 3)
        # Row j of the batch has joint j moved.
        moved = np.repeat(x, 17, axis=0)
        moved[np.arange(17), 0, np.arange(17)] += 1
        changed = np.abs(np.asarray(layer(moved)) - np.asarray(layer(x))).max(axis=-1)[:, 0] > 1e-6
        np.testing.assert_array_equal(changed, steps[skeleton] <= max_hops)


def test_a_dynamic_graph_lets_far_joints_matter():
    layer = built(HCSF(4, H36M_17, 1, 2, 0.5, dynamic=True), 1, 17, 3)
    x = randomly(1, 1, 17, 3)
    moved = x.copy()
    moved[:, :, H36M_17.index("left_wrist")] += 1
    ankle = H36M_17.index("right_ankle")
    assert np.abs(layer(moved)[0, 0, ankle] - layer(x)[0, 0, ankle]).max() > 1e-4


def test_a_causal_graph_knows_no_later_frame():
    x = randomly(1, 6, 17, 3)
    later = x.copy()
    later[:, 4:] += randomly(1, 2, 17, 3, seed=1)
    for sharing in ("pair", "shared"):
        for causal in (True, False):
            layer = built(HCSF(4, H36M_17, sharing=sharing, causal=causal), 6, 17, 3)
            moved = np.abs(np.asarray(layer(later)) - np.asarray(layer(x))).max(axis=(0, 2, 3))
            assert (moved[4:] > 1e-4).all()
            assert (moved[:4] < 1e-6).all() if causal else (moved[:4] > 1e-6).all()


@pytest.mark.parametrize("sharing", ["pair", "shared"])
@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize(("squeeze", "widths"), [(1 / 8, [16, 2, 1, 1]), (1 / 2, [64, 32, 16, 8]), (1, [128] * 4)])
def test_channels_shrink_with_each_hop_past_the_short_range(sharing, dynamic, squeeze, widths):
    layer = HCSF(8, H36M_17, 1, 5, squeeze, dynamic, sharing=sharing)
    layer.build((None, 1, 17, 128))
    assert layer.w_a.shape == (sum(widths), 8)
    if sharing == "shared":
        assert layer.w.shape == (128, 8 + sum(widths))
    elif dynamic:
        assert layer.w_long.shape == (17, 128, sum(widths))
    else:
        steps = oracles.hops(H36M_17)
        assert [w.shape for w in layer.w_far] == [
            ((steps == k).sum() * 128, width) for k, width in zip((2, 3, 4, 5), widths, strict=True)
        ]


@pytest.mark.parametrize("options", [{}, {"sharing": "shared"}, {"dynamic": False}, {"causal": True}])
def test_a_model_predicts_clips_of_any_length(options):
    inputs = keras.Input((None, 17, 2))
    layer = HCSF(4, **options)
    model = keras.Model(inputs, layer(inputs))
    oracles.randomize(layer)
    for frames in (5, 9):
        x = randomly(2, frames, 17, 2)
        np.testing.assert_allclose(model.predict(x, verbose=0), layer(x), atol=1e-5)


def test_hops_past_the_furthest_joint_change_nothing_and_break_nothing():
    for dynamic in (False, True):
        layer = built(HCSF(4, TWIG, 0, 7, 0.5, dynamic), 2, 6, 3)
        x = randomly(1, 2, 6, 3)
        np.testing.assert_allclose(layer(x), oracles.hcsf(layer, x), atol=1e-4, rtol=1e-4)


def test_per_pair_weights_are_no_masked_dense_product():
    layer = HCSF(128, H36M_17, 1, 2)
    layer.build((None, 1, 17, 128))
    weights = sum(int(np.prod(w.shape)) for w in layer.weights)
    assert weights < (17 * 128) ** 2 / 4
    # 17 joints and 16 bones both ways make 49 pairs.
    assert layer.w.shape == (49 * 128, 128)


@pytest.mark.parametrize("sharing", ["pair", "shared"])
@pytest.mark.parametrize("dynamic", [False, True])
def test_a_fresh_layer_keeps_the_size_of_its_input(sharing, dynamic):
    keras.utils.set_random_seed(0)
    x = randomly(64, 1, 17, 32)
    y = np.asarray(HCSF(32, H36M_17, 1, 2, dynamic=dynamic, sharing=sharing)(x))
    # A shared graph averages over neighbors, so it shrinks; no batch norm could mend an explosion or a silence.
    assert 0.03 < y.std() < 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"squeeze": 0.0}, "squeeze must be above 0 and at most 1. Received: 0.0"),
        ({"squeeze": 1.5}, "at most 1. Received: 1.5"),
        ({"sharing": "per-pair"}, "sharing must be pair .* or shared .*Received: 'per-pair'"),
        ({"short_hops": 3}, "short_hops=3, max_hops=2"),
        ({"channels": 0}, "channels and temporal_kernel must be 1 or more. Received: 0 and 3"),
        ({"temporal_kernel": 0}, "Received: 8 and 0"),
        ({"skeleton": "h36m"}, "skeleton must be one of .*h36m_17.* Received: 'h36m'"),
    ],
)
def test_hcsf_refuses_settings_out_of_range(wrong, message):
    with pytest.raises(ValueError, match=message):
        HCSF(**{"channels": 8} | wrong)


def test_hcsf_refuses_an_input_of_another_rank():
    with pytest.raises(ValueError, match=r"\(batch, frames, joints, channels\). Received: \(2, 17, 4\)"):
        HCSF(8)(np.zeros((2, 17, 4)))


def test_a_skeleton_may_be_named():
    assert HCSF(8, "coco_17").skeleton is COCO_17
    assert HCSF.from_config(HCSF(8, "coco_17").get_config()).skeleton == COCO_17


def test_hcsf_names_the_joints_it_needs_and_the_way_to_them():
    with pytest.raises(ValueError, match=r"must have 17 joints \(h36m_17\)\. Received: .*25, 4.*map_keypoints"):
        HCSF(8)(np.zeros((1, 1, 25, 4)))


# ---- PersonFrame


@pytest.mark.parametrize("channels", [2, 3])
def test_the_person_frame_is_the_box_of_the_visible_joints(channels):
    keypoints = randomly(3, 4, 17, channels)
    if channels == 3:
        # Thirds of the joints are missing; one frame has a single joint, one none.
        keypoints[..., 2] = np.maximum(keypoints[..., 2], 0)
        keypoints[1, 2, 1:, 2] = 0
        keypoints[1, 2, 0, 2] = 0.5
        keypoints[2, 3, :, 2] = 0
    out = np.asarray(PersonFrame()(keypoints))
    np.testing.assert_allclose(out, oracles.person_frame(keypoints), atol=1e-5)
    assert np.abs(out[..., :2]).max() <= 1 + 1e-5


def test_the_person_frame_forgets_place_and_distance_and_keeps_proportions():
    keypoints = randomly(2, 3, 17, 2)
    far = np.asarray(PersonFrame()(keypoints * 3.7 + np.float32([5, -2])))
    near = np.asarray(PersonFrame()(keypoints))
    np.testing.assert_allclose(far, near, atol=1e-5)
    height, width = (np.ptp(near[..., axis], axis=-1) for axis in (1, 0))
    np.testing.assert_allclose(height / width, np.ptp(keypoints[..., 1], -1) / np.ptp(keypoints[..., 0], -1), rtol=1e-4)


def test_pixels_of_a_large_picture_keep_their_precision():
    keypoints = randomly(1, 1, 17, 2) * 30 + 3000
    np.testing.assert_allclose(PersonFrame()(keypoints), oracles.person_frame(keypoints), atol=1e-4)


# ---- all of them


@pytest.mark.parametrize(
    "layer",
    [
        TemporalConv(4, 5, 1, 2, True, False),
        TemporalConv(4, 5, 2, zero_padded=True),
        DynamicGraph(np.eye(17)[None], 3, 5, True),
        HCSF(4, H36M_17_LCN, 0, 3, 0.25, False, 5, "shared", True),
        HCSF(4, MPI_INF_3DHP_17),
        HCSF(4, COCO_17, dynamic=False),
        PersonFrame(),
    ],
    ids=lambda layer: layer.name,
)
def test_a_layer_made_again_from_its_config_computes_the_same(layer):
    x = randomly(2, 5, 17, 2)
    y = np.asarray(layer(x))
    copy = keras.layers.deserialize(keras.layers.serialize(layer))
    copy.set_weights(layer.get_weights())
    np.testing.assert_array_equal(copy(x), y)
    assert copy.get_config() == layer.get_config()
