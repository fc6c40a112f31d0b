"""Lifting and recognizing a clip window by window, against loops over frames and windows."""

import numpy as np
import pytest

from skelgnn_tf.frame_sampling import window_frames
from skelgnn_tf.inference.windows import ActionStream, lift, look_ahead, recognize
from skelgnn_tf.models import ActionRecognizer, PoseLifter
from skelgnn_tf.skeletons import COCO_17, H36M_17
from support import oracles
from support.tiny_recognizer import lively, moving


def model(**options):
    made = PoseLifter(channels=2, **options)
    made.build((None, made.frames, 17, made.input_channels))
    return oracles.randomize(made)


def clip(frames, channels=2):
    return np.random.default_rng(1).uniform(0.1, 0.5, (frames, 17, channels)).astype(np.float32)


def mirrored(array):
    """x the other way round, left joints where the right ones were."""
    out = array.copy()
    for joint, name in enumerate(H36M_17.joints):
        other = {"left": name.replace("left", "right"), "righ": name.replace("right", "left")}.get(name[:4], name)
        out[..., H36M_17.joints.index(other), :] = array[..., joint, :]
    out[..., 0] *= -1
    return out


def one_by_one(made, keypoints, flip):
    """Each frame's window, repeated at the clip's ends, through the model alone."""
    num_frames, poses = len(keypoints), []
    for t in range(num_frames):
        first = t - made.frames + 1 if made.causal else t - made.frames // 2
        window = np.stack([keypoints[min(max(f, 0), num_frames - 1)] for f in range(first, first + made.frames)])[None]
        pose = np.asarray(made(window))
        if flip:
            pose = (pose + mirrored(np.asarray(made(mirrored(window))))) / 2
        poses.append(pose[0, t - first] if made.every_frame else pose[0, 0])
    return np.stack(poses)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {"frames": 1},
        {"frames": 9, "confidence": True},
        {"frames": 9, "causal": True},
        {"frames": 9, "every_frame": True, "keypoint_frame": "person"},
        {"frames": 9, "every_frame": True, "causal": True},
    ],
    ids=lambda options: "-".join(options),
)
def test_every_frame_gets_the_pose_of_its_own_window(options, flip):
    made = model(**options)
    keypoints = clip(12, made.input_channels)
    expected = one_by_one(made, keypoints, flip)
    for batch_size in (1024, 5):
        poses = lift(made, keypoints, flip, batch_size=batch_size)
        assert poses.dtype == np.float32
        np.testing.assert_allclose(poses, expected, atol=1e-4 * np.abs(expected).max())


def test_a_clip_of_twice_the_frame_rate_gives_every_other_pose_the_same():
    made, slow = model(frames=3), clip(8)
    fast = np.repeat(slow, 2, axis=0)
    np.testing.assert_allclose(lift(made, fast, step=2.0)[::2], lift(made, slow), atol=1e-6)


def test_a_clip_shorter_than_the_window_is_lifted_too():
    made = model(frames=9)
    np.testing.assert_allclose(lift(made, clip(3)), one_by_one(made, clip(3), False), atol=1e-4)


def test_flip_averaging_makes_mirrored_clips_give_mirrored_poses():
    made = model(frames=1)
    a, b = lift(made, clip(4), flip=True), lift(made, mirrored(clip(4)), flip=True)
    np.testing.assert_allclose(b, mirrored(a), atol=1e-5)


def test_keypoints_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="keypoints must have the shape .*17 joints"):
        lift(model(), np.zeros((4, 16, 2)))
    with pytest.raises(ValueError, match="must have at least one frame"):
        lift(model(), np.zeros((0, 17, 2)))


def recognizer(frames=4, persons=1, joints=COCO_17):
    made = ActionRecognizer(
        ("a", "b", "c"), joints, frames, persons, dims=2, confidence=True, normalization="box", size="small", channels=4
    )
    made.build((None, persons, frames, joints.num_joints, 3))
    return lively(made)


def sequence(frames, persons=1, seed=2):
    clip = moving(frames, persons, seed=seed)
    clip[..., 2] = 1
    return clip


def softmax(logits):
    powers = np.exp(np.asarray(logits, float) - np.max(logits))
    return powers / powers.sum()


def decided(made, clip, frames):
    """The probabilities of a window of these frames."""
    return softmax(made(np.stack([clip[:, t] for t in frames], axis=1)[None])[0])


def test_windows_end_at_every_hop_and_at_the_last_frame():
    made, moving = recognizer(frames=4), sequence(20)
    found = recognize(made, moving, step=2.0, decide_every=7)
    # Four frames, two apart: 7 frames long. The first one starts before the clip, where frame 0 stands still.
    windows = [[0, 2, 4, 6], [7, 9, 11, 13], [13, 15, 17, 19]]
    assert (found.first.tolist(), found.last.tolist()) == ([0, 7, 13], [6, 13, 19])
    expected = np.stack([decided(made, moving, frames) for frames in windows])
    assert np.abs(np.diff(expected, axis=0)).max() > 0.01
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-5)
    early = recognize(made, moving[:, :5], step=2.0, decide_every=3)
    assert (early.first.tolist(), early.last.tolist()) == ([0, 0], [2, 4])
    expected = [decided(made, moving, [0, 0, 0, 2]), decided(made, moving, [0, 0, 2, 4])]
    np.testing.assert_allclose(early.probabilities, expected, atol=1e-5)


@pytest.mark.parametrize("step", [1.0, 1.5, 0.5])
def test_a_frame_has_the_mean_of_the_windows_that_cover_it(step):
    made, moving = recognizer(frames=6), sequence(17)
    found = recognize(made, moving, step, decide_every=2, batch_size=3)
    for t in range(17):
        votes, weights = [], []
        for first, last, probabilities in zip(found.first, found.last, found.probabilities, strict=True):
            if first <= t <= last:
                votes.append(probabilities)
                weights.append(last - first + 1)
        np.testing.assert_allclose(found.frame_probabilities[t], np.average(votes, axis=0, weights=weights), atol=1e-6)
    np.testing.assert_allclose(found.frame_probabilities.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(("step", "hop", "persons"), [(1.0, 1, 1), (1.5, 3, 1), (0.4, 2, 2)])
def test_a_stream_decides_as_the_windows_of_the_file_do(step, hop, persons):
    made, moving = recognizer(frames=6, persons=persons), sequence(20, persons)
    stream = ActionStream(made, step, hop)
    frame, told = np.empty((persons, 17, 3), np.float32), {}
    for t in range(20):
        # A camera hands out the same memory for every frame.
        frame[:] = moving[:, t]
        probabilities = stream.push(frame)
        if probabilities is not None:
            told[t] = probabilities
    windows = recognize(made, moving, step, hop)
    assert list(told) == [t for t in windows.last if (t + 1) % hop == 0]
    live = np.isin(windows.last, list(told))
    np.testing.assert_allclose(np.stack(list(told.values())), windows.probabilities[live], atol=1e-5)


def test_a_stream_forgets_what_is_older_than_its_window():
    made = recognizer(frames=4)
    stream, other = ActionStream(made, 2.0, decide_every=7), ActionStream(made, 2.0, decide_every=7)
    assert (stream.window_frames, stream.latency_frames) == (window_frames(made.frames, 2.0), 6) == (7, 6)
    a, b = sequence(14), sequence(14, seed=3)
    b[:, 7:] = a[:, 7:]
    first = [(stream.push(a[:, t]), other.push(b[:, t])) for t in range(14)]
    assert np.abs(first[6][0] - first[6][1]).max() > 0.01
    np.testing.assert_array_equal(first[13][0], first[13][1])


def test_a_hop_that_leaves_frames_out_is_refused():
    made = recognizer(frames=4)
    for hop in (0, 8):
        with pytest.raises(ValueError, match=rf"--decide-every must be 1 to 7, .* Received: {hop}"):
            recognize(made, sequence(20), 2.0, hop)
        with pytest.raises(ValueError, match=rf"--decide-every must be 1 to 7, .* Received: {hop}"):
            ActionStream(made, 2.0, hop)
    for step in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="step must be"):
            recognize(made, sequence(20), step, 1)


def test_sequences_that_do_not_fit_are_refused():
    made = recognizer(frames=4)
    with pytest.raises(ValueError, match="must have at least one frame"):
        recognize(made, sequence(0), decide_every=2)
    with pytest.raises(ValueError, match="the input must have the shape .*17 joints"):
        recognize(made, sequence(9)[..., :16, :], decide_every=2)
    with pytest.raises(
        ValueError, match=r"frame must have the shape \(persons, joints, channels\) = \(1, 17, 3\). Received: \(17, 3\)"
    ):
        ActionStream(made, decide_every=2).push(np.zeros((17, 3)))


def test_a_pose_waits_for_the_frames_after_its_own():
    assert look_ahead(model(frames=9)) == 4
    assert look_ahead(model(frames=9), step=2.0) == 8
    assert look_ahead(model(frames=9, causal=True), step=2.0) == 0
    # What comes later than that does not change the pose.
    made, keypoints = model(frames=3), clip(12)
    changed = keypoints.copy()
    changed[8:] += 0.1
    same = np.abs(lift(made, changed, step=2.0) - lift(made, keypoints, step=2.0)).max(axis=(1, 2)) < 1e-6
    assert look_ahead(made, 2.0) == 2 and same[:6].all() and not same[6:].any()
