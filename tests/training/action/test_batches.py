"""A recognizer's batches: which frames, in which order, mirrored and weighted how; against loops over frames."""

import numpy as np
import pytest

from skelgnn_tf.configs import ActionConfig
from skelgnn_tf.datasets.sequences import SequenceWriter
from skelgnn_tf.skeletons import COCO_17, NTU_25, Skeleton
from skelgnn_tf.training.action.batches import ActionBatcher, class_weights, mirrored_labels
from skelgnn_tf.training.arrays import SequenceBatches
from skelgnn_tf.training.tf_data import sequence_batches

PAIR = Skeleton("pair", ("middle", "left_hand", "right_hand"), (-1, 0, 0), (0, 2, 1))
LENGTHS = (3, 8, 15, 16, 17, 20, 23, 40, 41, 64, 100, 101)
T = 16


def config(**options):
    plain = {"frames": T, "batch_size": 4, "persons": 1, "confidence": False, "seed": 5}
    plain |= {"sampling": "resize", "fps": 0.0}
    return ActionConfig(**plain | options)


def sequences(clips, labels=None, kind="keypoints", fps=30.0):
    """Clips (persons, frames, joints, channels) as Sequences in memory."""
    writer = SequenceWriter(kind)
    for i, clip in enumerate(clips):
        writer.add(f"clip {i}", clip, 0 if labels is None else labels[i], fps if np.isscalar(fps) else fps[i])
    return writer.close()


def counting(lengths=LENGTHS):
    """Clips whose numbers are those of their frames, from 1 on."""
    return [np.tile(np.arange(1.0, n + 1)[None, :, None, None], (1, 1, 3, 2)) for n in lengths]


def moving(lengths=LENGTHS, joints=3, channels=2, persons=1, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(persons, n, joints, channels)).astype(np.float32) for n in lengths]


def batcher(clips, training=False, labels=None, classes=("a", "b"), skeleton=PAIR, clip_fps=30.0, **options):
    kind = "pose" if clips[0].shape[-1] == 3 and not options.get("confidence") else "keypoints"
    return ActionBatcher(sequences(clips, labels, kind, clip_fps), config(**options), skeleton, classes, training)


def once(b):
    """All clips of a batcher, in the order of its rows."""
    return np.concatenate([b(step)[0] for step in range(b.steps)])


def frames_shown(b, steps=1):
    """Which frames, as fractions, a training batcher of counting clips takes: [(row, (T,)), ...]."""
    out = []
    for step in range(steps):
        x = b(step)[0]
        np.testing.assert_array_equal(x, np.broadcast_to(x[:, :, :, :1, :1], x.shape))
        out += [(row, clip[0, :, 0, 0] - 1) for row, clip in zip(b.rows(step), x, strict=True)]
    return out


# ---- resize


def crop_and_resize(clip, window):
    """CTR-GCN's valid_crop_resize at test: 95 % from the middle, linear interpolation, align_corners=False."""
    persons, length, joints, channels = clip.shape
    kept = 95 * length // 100
    if kept < window:
        kept = min(window, length)
    cropped = clip[:, (length - kept) // 2 :][:, :kept]
    out = np.zeros((persons, window, joints, channels))
    for t in range(window):
        at = (t + 0.5) * kept / window - 0.5
        at = min(max(at, 0.0), kept - 1.0)
        low = int(at)
        high = min(low + 1, kept - 1)
        out[:, t] = (1 - (at - low)) * cropped[:, low] + (at - low) * cropped[:, high]
    return out


@pytest.mark.parametrize("channels", [2, 3])
def test_resize_at_test_is_ctr_gcns_crop_from_the_middle_frame_by_frame(channels):
    clips = moving(channels=channels)
    made = once(batcher(clips))
    for clip, x in zip(clips, made, strict=True):
        np.testing.assert_allclose(x, crop_and_resize(clip, T), atol=1e-5)
    # A clip of just T frames is shown as it is.
    np.testing.assert_allclose(made[LENGTHS.index(T)], clips[LENGTHS.index(T)], atol=1e-6)


def test_resize_in_training_takes_half_to_all_of_a_clip_from_anywhere():
    lengths = (10, 16, 20, 40, 100)
    b = batcher(counting(lengths), True, sampling="resize", batch_size=5)
    kept_of, begins_of = {n: [] for n in lengths}, {n: [] for n in lengths}
    for row, at in frames_shown(b, 200):
        n = lengths[row]
        assert at.min() >= 0 and at.max() <= n - 1
        # In the middle nothing is cut off at the crop's ends: the step is kept / T.
        step = at[9] - at[8]
        np.testing.assert_allclose(np.diff(at[2:-2]), step, atol=1e-3)
        kept = step * T
        assert abs(kept - round(kept)) < 1e-2
        kept_of[n].append(round(kept))
        begins_of[n].append(round(at[8] - 8.5 * step + 0.5))
    assert set(kept_of[10]) == {10} and set(kept_of[16]) == {16}
    assert set(kept_of[20]) == {16, 17, 18, 19}
    assert min(kept_of[100]) in (50, 51, 52) and max(kept_of[100]) in (97, 98, 99)
    assert min(begins_of[100]) == 0
    assert max(begin + kept for begin, kept in zip(begins_of[100], kept_of[100], strict=True)) == 100
    assert all(0 <= begin <= 40 - kept for begin, kept in zip(begins_of[40], kept_of[40], strict=True))
    assert len(set(begins_of[40])) > 10


# ---- repeat


def test_repeat_starts_a_short_clip_again_and_cuts_a_long_one():
    made = once(batcher(counting(), sampling="repeat"))[:, 0, :, 0, 0] - 1
    for n, at in zip(LENGTHS, made, strict=True):
        if n < T:
            expected = [t % n for t in range(T)]
        else:
            begin = (n - T + 1) // 2
            expected = list(range(begin, begin + T))
        assert at.tolist() == expected, n


def test_repeat_in_training_begins_a_long_clip_anywhere_and_a_short_one_at_its_start():
    b = batcher(counting((5, 20)), True, sampling="repeat", batch_size=2)
    begins = {0: set(), 1: set()}
    for row, at in frames_shown(b, 60):
        begins[row].add(int(at[0]))
        np.testing.assert_array_equal(at, (at[0] + np.arange(T)) if row else np.arange(T) % 5)
    assert begins == {0: {0}, 1: {0, 1, 2, 3, 4}}


# ---- window


@pytest.mark.parametrize("training", [False, True])
def test_a_window_shows_frame_after_frame_and_holds_the_last(training):
    b = batcher(counting(), training, sampling="window", batch_size=len(LENGTHS))
    for row, at in frames_shown(b, 20 if training else 1):
        n = LENGTHS[row]
        begin = int(at[0])
        np.testing.assert_array_equal(at, [min(begin + t, n - 1) for t in range(T)])
        assert begin == 0 if n <= T else 0 <= begin <= n - T
        if not training and n > T:
            # As much before as after, but for half a frame.
            assert abs(begin - (n - T) / 2) <= 0.5


@pytest.mark.parametrize("training", [False, True])
def test_a_window_at_another_rate_keeps_the_time(training):
    clips, fps = counting((100, 100, 100, 12)), (60.0, 30.0, 15.0, 60.0)
    b = batcher(clips, training, clip_fps=fps, sampling="window", fps=20.0)
    for row, at in frames_shown(b, 10 if training else 1):
        step = fps[row] / 20
        n = clips[row].shape[1]
        assert at.max() <= n - 1 and at.min() >= 0
        np.testing.assert_array_equal(at, at.round())
        # Two nearest frames may each be half a frame off.
        off = np.abs(at - at[0] - step * np.arange(T))[at < n - 1]
        assert off.max() <= 1
        assert off.max() == 0 or not step.is_integer()
    assert {row for row, _ in frames_shown(b)} == {0, 1, 2, 3}


def test_rate_jitter_shows_windows_slower_and_faster_within_its_factor():
    b = batcher(counting((400,)), True, sampling="window", rate_jitter=1.0, batch_size=1)
    steps = [(at[-1] - at[0]) / (T - 1) for _, at in frames_shown(b, 100)]
    assert 0.45 < min(steps) < 0.6 and 1.7 < max(steps) <= 2.1


# ---- what is missing


def test_missing_joints_are_never_interpolated():
    rng = np.random.default_rng(0)
    clips = moving((9, 30, 50), 17, 3)
    for clip in clips:
        clip[..., 2] = np.where(rng.random(clip.shape[:-1]) < 0.4, 0, rng.uniform(0.2, 1, clip.shape[:-1]))
        clip[..., :2] += 5
        clip[clip[..., 2] == 0] = 0
    b = batcher(clips, skeleton=COCO_17, confidence=True)
    for clip, x in zip(clips, once(b), strict=True):
        n = clip.shape[1]
        kept = min(max(95 * n // 100, T), n)
        begin = (n - kept) // 2
        for t in range(T):
            at = begin + min(max((t + 0.5) * kept / T - 0.5, 0), kept - 1)
            low, share = int(at), at - int(at)
            before, after = clip[0, low], clip[0, min(low + 1, n - 1)]
            for j in range(17):
                if before[j, 2] > 0 and after[j, 2] > 0:
                    expected = (1 - share) * before[j] + share * after[j]
                else:
                    expected = before[j] if share < 0.5 else after[j]
                np.testing.assert_allclose(x[0, t, j], expected, atol=1e-4)
    # Either missing or where a joint can be: nothing lies half way to the origin.
    made = once(b)
    assert ((made[..., 2] == 0) == ~made.any(axis=-1)).all() and (made[..., 2] == 0).any()


def test_a_missing_joint_of_a_pose_is_not_dragged_to_the_origin():
    clip = moving((40,), 25, 3)[0] + np.float32([0, 0, 4])
    clip[0, 7::8, 3] = 0
    x = once(batcher([clip], skeleton=NTU_25))
    there = x[..., 3, :].any(axis=-1)
    assert there.any() and (x[..., 3, 2][there] > 0.5).all()


def test_confidence_that_is_not_wanted_is_left_out():
    clips = moving((20,), 17, 3)
    clips[0][..., 2] = 0.5
    data = sequences(clips)
    for confidence, channels in ((True, 3), (False, 2)):
        b = ActionBatcher(data, config(confidence=confidence), COCO_17, ("a", "b"), False)
        assert b(0)[0].shape == (1, *b.shape) == (1, 1, T, 17, channels)


def test_an_absent_second_person_is_all_zeros_and_a_third_is_left_out():
    clips = [*moving((20,)), *moving((20,), persons=3)]
    one, two = (once(batcher(clips, persons=persons)) for persons in (1, 2))
    assert one.shape[1] == 1 and two.shape[1] == 2
    assert not two[0, 1].any() and two[1, 1].any()
    np.testing.assert_array_equal(two[:, :1], one)
    np.testing.assert_allclose(two[1], crop_and_resize(clips[1], T)[:2], atol=1e-5)


# ---- frames that stand still


def test_dropped_frames_repeat_the_one_before():
    b = batcher(counting((200,)), True, sampling="window", frame_drop=0.4, batch_size=1)
    plain = batcher(counting((200,)), True, sampling="window", batch_size=1)
    held = []
    for (_, at), (_, whole) in zip(frames_shown(b, 100), frames_shown(plain, 100), strict=True):
        assert at[0] == whole[0]
        for t in range(1, T):
            assert at[t] in (whole[t], at[t - 1])
            held.append(at[t] != whole[t])
    # 1,500 draws: three standard deviations are 0.038.
    assert 0.36 < np.mean(held) < 0.44
    # Not at test.
    test = batcher(counting((200,)), sampling="window", frame_drop=0.4)
    assert (np.diff(frames_shown(test)[0][1]) == 1).all()


# ---- mirroring

SIDES = ("wave-left-hand", "wave-right-hand", "sit", "Kick Left", "upright_row", "LeftTurn", "RightTurn", "point-right")


def test_a_mirror_swaps_the_sides_of_labels_that_have_a_counterpart():
    assert mirrored_labels(SIDES).tolist() == [1, 0, 2, -1, 4, 6, 5, -1]
    assert mirrored_labels(("left leg, right arm", "right leg, left arm", "RIGHT", "LEFT")).tolist() == [1, 0, 3, 2]
    both = mirrored_labels(("bright", "copyright", "leftovers", "draw left", "draw_right", "draw right", "draw_left"))
    assert both.tolist() == [0, 1, 2, 5, 6, 3, 4]


@pytest.mark.parametrize("skeleton", [PAIR, NTU_25], ids=lambda s: s.name)
def test_flipped_clips_are_mirrored_with_their_labels_and_the_others_as_they_were(skeleton):
    count = len(SIDES) * 8
    clips = moving([20] * count, skeleton.num_joints, 3)
    options = {"labels": np.arange(count) % len(SIDES), "classes": SIDES, "skeleton": skeleton, "batch_size": count}
    b, plain = (batcher(clips, True, flip=flip, **options) for flip in (True, False))
    x, y = b(0)
    before, label = plain(0)
    flipped = []
    for was, now, said, says in zip(before, x, label.argmax(-1), y.argmax(-1), strict=True):
        mirrored = np.zeros_like(was)
        for j, name in enumerate(skeleton.joints):
            other = name
            for a, c in (("left_", "right_"), ("right_", "left_")):
                if name.startswith(a):
                    other = c + name[len(a) :]
            mirrored[:, :, j] = was[:, :, skeleton.index(other)] * [-1, 1, 1]
        turned = np.allclose(now, mirrored, atol=1e-6)
        assert turned or np.array_equal(now, was)
        assert says == ([1, 0, 2, 3, 4, 6, 5, 7][said] if turned else said)
        assert not (turned and SIDES[said] in ("Kick Left", "point-right"))
        flipped.append(turned)
    # 48 clips that may be mirrored: half of them, give or take three standard deviations.
    assert 14 <= sum(flipped) <= 34
    # Not at test.
    test = batcher(clips, False, flip=True, **options)
    np.testing.assert_array_equal(test(0)[1].argmax(-1), options["labels"])


def test_a_mirrored_missing_joint_is_still_missing():
    clips = moving((20,) * 8, 17, 3)
    for clip in clips:
        clip[..., 2] = np.abs(clip[..., 2]) + 0.1
        clip[:, :, COCO_17.index("left_wrist")] = 0
    x = batcher(clips, True, skeleton=COCO_17, confidence=True, flip=True, batch_size=8)(0)[0]
    wrists = x[..., [COCO_17.index("left_wrist"), COCO_17.index("right_wrist")], :]
    gone = ~(wrists != 0).any(axis=(1, 2, 4))
    assert (gone.sum(axis=1) == 1).all() and gone.any(axis=0).all()


# ---- order, labels and weights


def test_an_epoch_has_every_clip_once_but_for_the_rest_of_a_batch():
    b = batcher(moving((5,) * 11), True)
    assert b.steps == 2
    epochs = [np.concatenate([b.rows(2 * epoch + step) for step in range(2)]) for epoch in range(3)]
    for rows in epochs:
        assert len(set(rows)) == len(rows) == 8 and set(rows) <= set(range(11))
    assert len({tuple(rows) for rows in epochs}) == 3
    assert set(np.concatenate([b.rows(step) for step in range(40)])) == set(range(11))
    # A test has the rest as well, in order.
    test = batcher(moving((5,) * 11))
    assert test.steps == 3 and np.concatenate([test.rows(s) for s in range(3)]).tolist() == list(range(11))
    assert [len(test(step)[0]) for step in range(3)] == [4, 4, 3]


def test_fewer_clips_than_a_batch_make_one_small_batch():
    b = batcher(moving((5,) * 3), True)
    assert b.steps == 1 and sorted(b.rows(0)) == sorted(b.rows(7)) == [0, 1, 2]


AUGMENTED = {"flip": True, "frame_drop": 0.2, "class_weights": True, "classes": ("wave-left", "wave-right", "sit")}


def many():
    return {"clips": moving((30,) * 10), "labels": np.arange(10) % 3, "training": True, **AUGMENTED}


def test_a_batch_depends_on_seed_and_step_alone():
    first, again, other = (batcher(**many(), seed=seed) for seed in (1, 1, 2))
    forwards = [first(step) for step in range(6)]
    for step in reversed(range(6)):
        for a, b in zip(forwards[step], again(step), strict=True):
            np.testing.assert_array_equal(a, b)
    assert all((other(step)[0] != forwards[step][0]).any() for step in range(6))
    assert len({batch[0].tobytes() for batch in forwards}) == 6


def test_labels_are_one_hot_and_belong_to_their_clips():
    clips = moving((T,) * 9)
    labels = np.arange(9) % 3
    b = batcher(clips, True, labels, ("a", "b", "c", "d"), sampling="repeat")
    for step in range(4):
        x, y = b(step)
        assert x.dtype == y.dtype == np.float32 and y.shape == (4, 4)
        for row, clip, label in zip(b.rows(step), x, y, strict=True):
            np.testing.assert_array_equal(clip, clips[row])
            assert label.tolist() == [float(i == labels[row]) for i in range(4)]


def test_class_weights_let_every_class_count_alike():
    labels = np.array([0] * 7 + [2] * 2 + [3])
    weights = class_weights(labels, 5)
    assert weights[1] == weights[4] == 0
    np.testing.assert_allclose([(weights[labels] * (labels == c)).sum() for c in (0, 2, 3)], 10 / 3, rtol=1e-6)
    assert weights[labels].mean() == pytest.approx(1)
    b = batcher(moving((5,) * 10), True, labels, tuple("abcde"), class_weights=True)
    for step in range(2):
        _, y, weight = b(step)
        np.testing.assert_array_equal(weight, weights[y.argmax(axis=-1)])
    # A test counts clips as they are.
    assert len(batcher(moving((5,) * 10), False, labels, tuple("abcde"), class_weights=True)(0)) == 2


# ---- the two ways to Keras


def test_the_pipeline_and_the_arrays_give_the_same_batches_from_wherever_they_begin():
    b = batcher(**many(), batch_size=3)
    assert b.steps == 3
    whole = [b(step) for step in range(9)]
    for begun in (0, 2, 3, 7):
        arrays, seen = SequenceBatches(b, begun), []
        while len(seen) < 9 - begun:
            seen += [arrays[i] for i in range(len(arrays))]
            arrays.on_epoch_end()
        piped = [tuple(part.numpy() for part in batch) for batch in sequence_batches(b, begun, 9)]
        assert len(seen) == len(piped) == 9 - begun
        for wanted, one, other in zip(whole[begun:], seen, piped, strict=True):
            for a, c, d in zip(wanted, one, other, strict=True):
                np.testing.assert_array_equal(c, a)
                np.testing.assert_array_equal(d, a)


def test_the_pipelines_batches_have_known_shapes_for_the_graph():
    b = batcher(**many(), batch_size=3)
    assert [spec.shape.as_list() for spec in sequence_batches(b, 0, 1).element_spec] == [
        [None, *b.shape], [None, 3], [None],
    ]  # fmt: skip


def test_validation_comes_once_in_order_and_again_the_same():
    b = batcher(moving((30,) * 10))
    arrays = SequenceBatches(b)
    first = [arrays[i][0] for i in range(len(arrays))]
    arrays.on_epoch_end()
    again = [arrays[i][0] for i in range(len(arrays))]
    piped = [x.numpy() for x, _ in sequence_batches(b, 0, b.steps)]
    for batches in (again, piped):
        np.testing.assert_array_equal(np.concatenate(batches), np.concatenate(first))
    np.testing.assert_array_equal(np.concatenate(first), once(b))


def test_two_dozen_clips_from_a_cache_on_disk_are_those_in_memory(tmp_path):
    clips = [clip + np.float32([0.2, 0.1, 3]) for clip in moving((12, 30) * 12, 25, 3)]
    writer = SequenceWriter("pose", tmp_path / "cache")
    for i, clip in enumerate(clips):
        writer.add(f"clip {i}", clip, 0, 30.0)
    on_disk = ActionBatcher(writer.close(), config(), NTU_25, ("a", "b"), False)
    # Half precision about the first frame's middle: a millimeter or two.
    np.testing.assert_allclose(once(on_disk), once(batcher(clips, skeleton=NTU_25)), atol=3e-3)
