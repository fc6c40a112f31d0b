"""The pipeline of batches: every window once, the same from wherever it starts, and cut as a loop would cut it."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from skelgnn_tf.configs import LiftConfig
from skelgnn_tf.datasets import h36m
from skelgnn_tf.skeletons import H36M_17
from skelgnn_tf.training.arrays import ArrayBatches
from skelgnn_tf.training.lift.batches import Batcher, cut_windows
from skelgnn_tf.training.tf_data import rows_of_step, training_batches, validation_batches
from support import tiny_h36m

PLAIN = LiftConfig(frames=3, batch_size=8, flip=False, seed=5)
FULL = PLAIN.replace(
    flip=True,
    noise=0.02,
    confidence=True,
    joint_drop=0.1,
    views="random",
    joint_offset=0.02,
    limb_mix=0.3,
    limb_turn=5.0,
    body_variety=0.1,
    rate_jitter=0.3,
)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return h36m.load(tiny_h36m.write(tmp_path_factory.mktemp("h36m"), frames=9)).train


def batcher(clips, config, training=True):
    return Batcher(cut_windows(clips, H36M_17, config, training), config, H36M_17, training)


def numpy_batches(dataset, count=None):
    return [tuple(part.numpy() for part in batch) for batch in (dataset.take(count) if count else dataset)]


def assert_same(some, others):
    assert len(some) == len(others)
    for a, b in zip(some, others, strict=True):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_array_equal(x, y)


def windows_by_hand(clips, frames, ahead, step=lambda clip: 1.0):
    """{(clip, frame): keypoints (T, 17, 2)} of screen units, the clip's ends held."""
    out = {}
    for number, clip in enumerate(clips):
        width, height = clip.image_size_px
        for center in range(clip.num_frames):
            rows = []
            for offset in range(ahead - frames + 1, ahead + 1):
                t = min(max(center + round(offset * step(clip)), 0), clip.num_frames - 1)
                rows.append((clip.keypoints[0, t, :, :2] - (width / 2, height / 2)) / (width / 2))
            out[number, center] = np.array(rows)
    return out


@pytest.mark.parametrize("config", [PLAIN, FULL], ids=["plain", "augmented"])
def test_a_seed_gives_the_same_batches_and_another_seed_others(clips, config):
    first, again = (numpy_batches(training_batches(batcher(clips, config), 0, 2)) for _ in range(2))
    assert_same(first, again)
    other = numpy_batches(training_batches(batcher(clips, config.replace(seed=6)), 0, 2))
    assert all((a[0] != b[0]).any() for a, b in zip(first, other, strict=True))
    # No epoch and no batch is a copy of another.
    assert len({batch[0].tobytes() for batch in first}) == len(first)


@pytest.mark.parametrize("config", [PLAIN, FULL], ids=["plain", "augmented"])
def test_a_resumed_pipeline_gives_just_the_batches_not_yet_seen(clips, config):
    b = batcher(clips, config)
    whole = numpy_batches(training_batches(b, 0, 3))
    steps = len(b.windows) // 8
    assert len(whole) == 3 * steps
    for begun in (1, steps, steps + 4):
        assert_same(numpy_batches(training_batches(b, begun, 3)), whole[begun:])


def test_an_epoch_has_every_window_once_but_for_the_rest_of_a_batch(clips):
    b = batcher(clips, PLAIN)
    count = len(b.windows)
    assert count == 12 * 9
    steps, orders = count // 8, []
    for epoch in range(2):
        rows = np.concatenate([rows_of_step(b, epoch * steps + step) for step in range(steps)])
        assert len(rows) == steps * 8 == len(set(rows))
        assert set(rows) <= set(range(count))
        orders.append(tuple(rows))
    assert orders[0] != orders[1]
    assert orders[0] != tuple(sorted(orders[0]))
    # The names of a batch's rows and the batch itself are of the same windows.
    by_hand = list(windows_by_hand(clips, 3, 1).values())
    for step, (keypoints, _) in enumerate(numpy_batches(training_batches(b, 0, 1))):
        for row, window in zip(rows_of_step(b, step), keypoints, strict=True):
            np.testing.assert_allclose(window, by_hand[row], atol=1e-5)


@pytest.mark.parametrize(
    ("options", "ahead"),
    [({"frames": 5}, 2), ({"frames": 5, "causal": True}, 0), ({"frames": 1}, 0), ({"frames": 5, "fps": 20.0}, 2)],
    ids=str,
)
def test_windows_and_targets_are_those_cut_by_a_loop(clips, options, ahead):
    config = PLAIN.replace(**options)
    step = (lambda clip: clip.fps / config.fps) if config.fps else (lambda clip: 1.0)
    by_hand = list(windows_by_hand(clips, config.frames, ahead, step).values())
    poses = np.concatenate([c.pose_m - c.pose_m[:, :1] for c in clips])
    for every_frame in (False, True):
        b = batcher(clips, config.replace(every_frame=every_frame))
        for step_number, (keypoints, target) in enumerate(numpy_batches(training_batches(b, 0, 1), 4)):
            rows = rows_of_step(b, step_number)
            assert target.shape == (8, config.frames if every_frame else 1, 17, 3)
            for row, window, pose in zip(rows, keypoints, target, strict=True):
                np.testing.assert_allclose(window, by_hand[row], atol=1e-5)
                at = config.frames - 1 - ahead if every_frame else 0
                np.testing.assert_allclose(pose[at], poses[row], atol=1e-6)


def test_rate_jitter_keeps_the_center_and_stays_within_its_factor(clips):
    frames = 9
    config = PLAIN.replace(frames=frames, rate_jitter=1.0, batch_size=64)
    b = batcher(clips, config)
    # Frame numbers stand where keypoints are, so the pipeline tells which frames it took.
    numbers = np.arange(len(b.windows.keypoints), dtype=np.float32)
    b.arrays["keypoints"] = tf.convert_to_tensor(np.tile(numbers[:, None, None], (1, 17, 2)))
    spans = set()
    for step, (keypoints, _) in enumerate(numpy_batches(training_batches(b, 0, 3))):
        rows = rows_of_step(b, step)
        taken = keypoints[:, :, 0, 0]
        np.testing.assert_array_equal(taken[:, 4], b.windows.center[rows])
        assert (taken >= b.windows.first[rows][:, None]).all() and (taken <= b.windows.last[rows][:, None]).all()
        inner = np.abs(np.diff(taken, axis=1))
        assert inner.max() <= 2
        middle = b.windows.center[rows] - b.windows.first[rows] == 4
        spans |= set((taken[middle, 5] - taken[middle, 3]).astype(int))
    # Half as fast to twice as fast: neighbors of the center lie 0.5 .. 2 frames away, rounded.
    assert spans <= {0, 1, 2, 3, 4} and len(spans) > 1


def test_validation_has_every_window_once_in_order_and_unaltered(clips):
    config = PLAIN.replace(stride=2, limit_train=20, frames=1, flip=True, noise=0.1)
    b = batcher(clips, config, training=False)
    batches = numpy_batches(validation_batches(b))
    by_hand = list(windows_by_hand(clips, 1, 0).values())
    keypoints = np.concatenate([batch[0] for batch in batches])
    # Neither the limit of training nor its augmentation.
    np.testing.assert_allclose(keypoints, [w for i, w in enumerate(by_hand) if i % 9 % 2 == 0], atol=1e-5)
    assert [len(batch[0]) for batch in batches[:-1]] == [8] * (len(batches) - 1)


def test_validation_through_drawn_cameras_is_the_same_each_time(clips):
    b = batcher(clips, FULL, training=False)
    assert_same(numpy_batches(validation_batches(b)), numpy_batches(validation_batches(b)))


def test_fewer_windows_than_a_batch_make_one_small_batch(clips):
    b = batcher(clips, PLAIN.replace(limit_train=5))
    batches = numpy_batches(training_batches(b, 0, 2))
    assert [len(batch[0]) for batch in batches] == [5, 5]


def test_drawn_cameras_want_one_view_of_a_take_and_its_camera(clips):
    assert len(batcher(clips, FULL).windows) == 3 * 9
    with pytest.raises(ValueError, match="Walking camera 1: a clip must have a camera for --views random"):
        batcher([clips[0], replace(clips[1], camera=None)], FULL)


def test_confidence_stays_between_nothing_and_certainty(clips):
    for keypoints, _ in numpy_batches(training_batches(batcher(clips, FULL), 0, 1)):
        assert keypoints.shape[1:] == (3, 17, 3)
        assert keypoints[..., 2].min() == 0 and keypoints[..., 2].max() <= 1
        assert not keypoints[keypoints[..., 2] == 0].any()
        assert np.isfinite(keypoints).all()


def test_arrays_for_other_backends_hold_the_same_windows(clips):
    b = batcher(clips, PLAIN)
    arrays = ArrayBatches(b)
    by_hand = {w.astype(np.float32).tobytes() for w in b.windows.keypoints[_indices(b)]}
    orders = []
    for _ in range(2):
        keypoints = np.concatenate([arrays[i][0] for i in range(len(arrays))])
        assert len(keypoints) == len(b.windows) // 8 * 8
        assert {w.tobytes() for w in keypoints} <= by_hand
        orders.append(keypoints)
        arrays.on_epoch_end()
    assert (orders[0] != orders[1]).any()
    # Begun in the second epoch it is the rest of the second epoch.
    rest = ArrayBatches(b, first_epoch=1, skip=3)
    np.testing.assert_array_equal(np.concatenate([rest[i][0] for i in range(len(rest))]), orders[1][3 * 8 :])
    again = ArrayBatches(b, first_epoch=1)
    np.testing.assert_array_equal(np.concatenate([again[i][0] for i in range(len(again))]), orders[1])


def _indices(b):
    w = b.windows
    return np.clip(w.center[:, None] + np.arange(3) - 1, w.first[:, None], w.last[:, None])
