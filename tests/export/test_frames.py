"""What happens to keypoints before a model sees them, against numpy, nested loops and the Keras layers."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

pytest.importorskip("tensorflow")
if keras.backend.backend() != "tensorflow":
    pytest.skip("the export needs Keras' TensorFlow backend", allow_module_level=True)

import tensorflow as tf

from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.datasets.windows import screen_keypoints
from skelgnn_tf.export.graph import frames
from skelgnn_tf.geometry import normalize_screen
from skelgnn_tf.layers import ClipFrame, PersonFrame, Stream
from skelgnn_tf.layers.stream import STREAMS
from skelgnn_tf.skeletons import ALL, COCO_17, NTU_25, Skeleton, joint_map, map_keypoints
from support import oracles, tiny_export

TWIG = Skeleton("twig", tuple("abcdef"), (-1, 0, 1, 2, 3, 1), tuple(range(6)))


def known_maps():
    """Every pair of layouts of which the first can give the second."""
    for source in ALL.values():
        for target in ALL.values():
            try:
                joint_map(source, target)
            except ValueError:
                continue
            yield source.name, target.name


@st.composite
def keypoints_of(draw, most_frames=6, joints=4):
    """Keypoints (t, j, 3) of which any may be missing, none or all; coordinates of missing ones may be huge."""
    shape = (draw(st.integers(1, most_frames)), joints)
    seen = draw(npst.arrays(bool, shape))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    xy = rng.uniform(-1, 1, (*shape, 2)) + ~seen[..., None] * draw(st.sampled_from([0.0, 5.0, 1e9]))
    return np.concatenate([xy, (seen * rng.uniform(0.1, 1, shape))[..., None]], axis=-1).astype(np.float32)


def parts(keypoints):
    """As the functions take them: xy and seen, batch 1."""
    return tf.constant(keypoints[None, ..., :2]), tf.constant((keypoints[None, ..., 2:] > 0).astype(np.float32))


@pytest.mark.parametrize(("source", "target"), list(known_maps()))
def test_joints_are_mapped_as_numpy_maps_them(source, target):
    keypoints = tiny_export.detected((2, 3, ALL[source].num_joints))
    found = frames.map_joints(tf.constant(keypoints), ALL[source], ALL[target])
    np.testing.assert_allclose(found, map_keypoints(keypoints, source, target), rtol=0, atol=1e-3)
    # Confidences are chosen, not computed.
    np.testing.assert_array_equal(found[..., 2], map_keypoints(keypoints, source, target)[..., 2])


@given(keypoints_of())
@settings(max_examples=80)
def test_missing_keypoints_are_filled_as_in_training(keypoints):
    clip = Clip("window", keypoints[None], image_size_px=(2, 2))
    expected = screen_keypoints(clip, confidence=False)
    _, seen = parts(keypoints)
    # A picture two wide has units of one pixel.
    on_screen = frames.screen(tf.constant(keypoints[None]), tf.constant([[2.0, 2.0]]))[..., :2]
    np.testing.assert_allclose(frames.fill(on_screen * seen, seen)[0], expected, rtol=0, atol=1e-5)


def test_missing_keypoints_lie_between_the_nearest_two_that_are_seen():
    one = np.array([5, np.nan, np.nan, 2, np.nan, 8, np.nan])
    seen = ~np.isnan(one)
    keypoints = np.nan_to_num(np.stack([one, one, seen], axis=-1), nan=99)[:, None].astype(np.float32)
    filled = frames.fill(*parts(keypoints))
    np.testing.assert_allclose(filled[0, :, 0, 0], [5, 4, 3, 2, 5, 8, 8], atol=1e-5)


@given(keypoints_of())
@settings(max_examples=40)
def test_the_persons_box_is_that_of_the_keras_layer_and_of_the_loop(keypoints):
    found = frames.person_frame(*parts(keypoints))
    np.testing.assert_allclose(found, PersonFrame()(keypoints[None])[..., :2], atol=1e-5)
    np.testing.assert_allclose(found[0], oracles.person_frame(keypoints[None])[0, ..., :2], atol=1e-5)


@given(keypoints_of(joints=6), keypoints_of(joints=6))
@settings(max_examples=40)
def test_a_clips_box_is_that_of_the_keras_layer(first, second):
    length = min(len(first), len(second))
    for persons in ([first[:length]], [first[:length], second[:length]]):
        clip = np.stack(persons)[None]
        flat = clip.reshape(1, -1, 6, 3)
        found = frames.clip_box(*parts(flat[0]))
        expected = ClipFrame(TWIG, "box", confidence=True)(clip)
        np.testing.assert_allclose(found, np.reshape(expected[..., :2], (1, -1, 6, 2)), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("seen", [0, 1], ids=["nothing seen", "one joint seen"])
@pytest.mark.parametrize("box", [frames.person_frame, frames.clip_box])
def test_without_a_size_no_box_makes_it_explode(box, seen):
    keypoints = tiny_export.detected((3, 6), missing=1)
    keypoints[..., :2] /= 100
    keypoints[1, 2] = [0.3, -0.2, seen]
    found = box(*parts(keypoints)).numpy()
    # A single joint is its own middle, but for rounding.
    np.testing.assert_allclose(found, np.zeros_like(found), atol=1e-6)
    assert seen or not found.any()


@pytest.mark.parametrize("function", [frames.fill, frames.person_frame, frames.clip_box])
def test_what_stands_at_missing_joints_does_not_matter(function):
    keypoints = tiny_export.detected((4, 6), missing=0.5)
    elsewhere = keypoints.copy()
    elsewhere[keypoints[..., 2] == 0, :2] = [1e30, -1e30]
    np.testing.assert_array_equal(function(*parts(keypoints)), function(*parts(elsewhere)))


@given(st.integers(1, 4000), st.integers(1, 4000))
def test_the_screen_is_that_of_training(width, height):
    keypoints = np.random.default_rng(0).uniform(0, (4000, 4000, 1), (2, 3, 4, 3)).astype(np.float32)
    sizes = np.float32([[width, height], [height, width]])
    found = frames.screen(tf.constant(keypoints), tf.constant(sizes))
    for k in range(2):
        expected = normalize_screen(keypoints[k], tuple(sizes[k]))
        np.testing.assert_allclose(found[k], expected, rtol=1e-5, atol=1e-5 * max(1, height / width, width / height))


def test_no_image_size_and_no_confidence_spoils_the_screen():
    keypoints = tiny_export.detected((1, 2, 17), missing=0)
    for size, counts_as in (([0, 0], [1, 1]), ([-5, 480], [1, 480])):
        found = frames.screen(tf.constant(keypoints), tf.constant(np.float32([size])))
        np.testing.assert_allclose(found[0], normalize_screen(keypoints[0], counts_as), rtol=1e-5, atol=1e-3)
    percent = keypoints * np.float32([1, 1, 100])
    assert percent[..., 2].min() > 1
    found = frames.screen(tf.constant(percent), tf.constant(np.float32([tiny_export.IMAGE_SIZE])))
    np.testing.assert_array_equal(found[..., 2], np.ones((1, 2, 17)))


@pytest.mark.parametrize("confidence", [False, True])
@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("skeleton", [NTU_25, COCO_17], ids=lambda s: s.name)
def test_streams_are_those_of_the_keras_layer(skeleton, stream, confidence):
    x = tiny_export.detected((3, 5, skeleton.num_joints))
    x = (x if confidence else x[..., :2]) / 100
    layer = Stream(skeleton, stream, confidence)
    np.testing.assert_allclose(frames.stream(layer, tf.constant(x)), layer(x[:, None])[:, 0], atol=1e-5)


@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 3), st.integers(0, 99))
@settings(max_examples=25)
def test_a_matrix_over_joints_is_the_sum_over_single_joints(i, j, channels, seed):
    rng = np.random.default_rng(seed)
    matrix, x = rng.normal(size=(i, j)), rng.normal(size=(2, 3, j, channels)).astype(np.float32)
    expected = np.zeros((2, 3, i, channels))
    for to in range(i):
        for source in range(j):
            expected[:, :, to] += matrix[to, source] * x[:, :, source]
    np.testing.assert_allclose(frames.along_joints(tf.constant(x), matrix), expected, atol=1e-5)
