"""Lifting a clip window by window, against a loop over frames."""

import numpy as np
import pytest

import oracles
from skelgnn_tf.inference import lift
from skelgnn_tf.models import PoseLifter
from skelgnn_tf.skeletons import H36M_17


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
    with pytest.raises(ValueError, match="wants keypoints .*17 joints"):
        lift(model(), np.zeros((4, 16, 2)))
    with pytest.raises(ValueError, match="no frames"):
        lift(model(), np.zeros((0, 17, 2)))
