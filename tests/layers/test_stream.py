"""Stream against loops over joints and frames."""

import keras
import numpy as np
import pytest

from skelgnn_tf.layers import Stream
from skelgnn_tf.layers.stream import STREAMS
from skelgnn_tf.skeletons import COCO_17, NTU_25, Skeleton
from support.streams import derived

# The root stands neither first nor last, and a child before its parent.
CUSTOM = Skeleton("custom", tuple("abcde"), (2, 0, -1, 2, 1), tuple(range(5)))
SKELETONS = pytest.mark.parametrize("skeleton", [NTU_25, COCO_17, CUSTOM], ids=lambda s: s.name)


def some(skeleton, channels, confidence, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2, 2, 5, skeleton.num_joints, channels)).astype(np.float32)
    if confidence:
        x[..., -1] = rng.uniform(0.1, 1, x.shape[:-1])
        # What stands at a missing joint says nothing.
        missing = rng.random(x.shape[:-1]) < 0.3
        x[missing] = 77
        x[missing, -1] = 0
    return x


@SKELETONS
@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize(("channels", "confidence"), [(3, False), (2, False), (3, True), (4, True)])
def test_a_stream_is_that_of_loops_over_joints_and_frames(skeleton, stream, channels, confidence):
    x = some(skeleton, channels, confidence)
    layer = Stream(skeleton, stream, confidence)
    assert layer.compute_output_shape(x.shape) == x.shape
    np.testing.assert_allclose(layer(x), derived(x, skeleton, stream, confidence), atol=1e-5)


@SKELETONS
def test_bones_added_up_from_the_root_are_the_joints_again(skeleton):
    x = some(skeleton, 3, False)
    bones = np.asarray(Stream(skeleton, "bone")(x))
    for joint in range(skeleton.num_joints):
        place, here = x[..., skeleton.root, :].copy(), joint
        while here != skeleton.root:
            place, here = place + bones[..., here, :], skeleton.parents[here]
        np.testing.assert_allclose(place, x[..., joint, :], atol=1e-5)


@pytest.mark.parametrize("stream", ["joint_motion", "bone_motion"])
def test_what_stands_still_has_no_motion_and_one_frame_has_none_either(stream):
    still = np.repeat(some(NTU_25, 3, False)[:, :, :1], 4, axis=2)
    assert not np.any(Stream(NTU_25, stream)(still))
    assert not np.any(Stream(NTU_25, stream)(some(NTU_25, 3, False)[:, :, :1]))


def test_bones_and_motions_forget_the_place_and_the_motion_of_bones_the_walk():
    x = some(COCO_17, 3, False)
    for stream in STREAMS[1:]:
        layer = Stream(COCO_17, stream)
        np.testing.assert_allclose(layer(x + np.float32(5)), layer(x), atol=1e-5)
    walk = np.arange(5, dtype=np.float32)[:, None, None] * np.float32([0.3, 0, -0.1])
    layer = Stream(COCO_17, "bone_motion")
    np.testing.assert_allclose(layer(x + walk), layer(x), atol=1e-5)


def test_an_absent_person_stays_zero():
    x = some(NTU_25, 3, False)
    x[:, 1] = 0
    for stream in STREAMS:
        assert not np.any(np.asarray(Stream(NTU_25, stream)(x))[:, 1])


def test_another_stream_is_refused_with_those_that_there_are():
    with pytest.raises(ValueError, match="must be one of joint, bone, joint_motion, bone_motion. Received: 'velocity'"):
        Stream(NTU_25, "velocity")


@pytest.mark.parametrize("stream", STREAMS)
def test_a_stream_made_again_from_its_config_is_the_same(stream):
    layer, x = Stream(CUSTOM, stream, True), some(CUSTOM, 3, True)
    copy = keras.layers.deserialize(keras.layers.serialize(layer))
    assert copy.get_config() == layer.get_config()
    np.testing.assert_array_equal(copy(x), layer(x))
