"""Windows: where they lie, what they hold, and that no frame stands in memory twice."""

from dataclasses import replace

import numpy as np
import pytest

from skelgnn_tf.datasets import windows
from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.datasets.h36m.cameras import cameras
from skelgnn_tf.skeletons import H36M_17

CAMERAS = cameras("S1")


def clip(frames, seed=0, channels=2, **changes):
    rng = np.random.default_rng(seed)
    camera = CAMERAS[seed % 4]
    values = {
        "keypoints": rng.uniform(0, 1000, (2, frames, 17, channels)).astype(np.float32),
        "pose_m": rng.normal((0, 0, 4), 0.5, (frames, 17, 3)).astype(np.float32),
        "camera": camera, "image_size_px": camera.image_size_px, "fps": 25.0 * (1 + seed),
    }  # fmt: skip
    return Clip(f"S1 Walking {seed} camera 0", **values | changes)


CLIPS = [clip(7, 0), clip(12, 1), clip(9, 2)]


def cut(clips=CLIPS, frames=5, **options):
    return windows.cut(clips, H36M_17, frames, **options)


def frame_by_frame(clips, confidence=False):
    """Keypoints in screen units: x from -1 to 1 over the width, y in the same scale."""
    out = []
    for c in clips:
        width, height = c.image_size_px
        for points in c.keypoints[0]:
            row = []
            for x, y, *score in points:
                row.append([(x - width / 2) / (width / 2), (y - height / 2) / (width / 2)])
                if confidence:
                    row[-1] += [score[0] if score else 1.0]
            out.append(row)
    return np.array(out)


@pytest.mark.parametrize("stride", [1, 2, 5, 100])
def test_a_window_stands_round_every_stride_th_frame_of_every_clip(stride):
    w = cut(stride=stride)
    expected = [(i, t) for i, c in enumerate(CLIPS) for t in range(0, c.num_frames, stride)]
    begins = [0, 7, 19]
    assert len(w) == len(expected)
    for row, (i, t) in enumerate(expected):
        assert w.clip[row] == i
        assert w.center[row] == begins[i] + t
        assert (w.first[row], w.last[row]) == (begins[i], begins[i] + CLIPS[i].num_frames - 1)
        assert w.fps[row] == CLIPS[i].fps
    assert w.names == tuple(c.name for c in CLIPS)


@pytest.mark.parametrize(("frames", "causal", "ahead"), [(1, False, 0), (5, False, 2), (5, True, 0), (1, True, 0)])
def test_a_causal_window_ends_where_another_has_its_center(frames, causal, ahead):
    w = cut(frames=frames, causal=causal)
    assert (w.frames, w.ahead) == (frames, ahead)


def test_each_frame_stands_in_memory_once_however_long_the_windows_are():
    sizes = []
    for frames in (1, 3, 7):
        w = cut(frames=frames)
        assert w.keypoints.shape == (28, 17, 2) and w.target.shape == (28, 17, 3) and w.up.shape == (28, 3)
        arrays = [a for a in vars(w).values() if isinstance(a, np.ndarray)]
        assert all(a.dtype.itemsize == 4 for a in arrays)
        sizes.append(sum(a.nbytes for a in arrays))
    assert len(set(sizes)) == 1


def test_keypoints_are_the_first_persons_in_screen_units():
    np.testing.assert_allclose(cut().keypoints, frame_by_frame(CLIPS), atol=1e-5)


def test_confidence_is_kept_added_or_dropped():
    mixed = [clip(7, 0, channels=3), clip(9, 1, channels=2)]
    np.testing.assert_allclose(cut(mixed, confidence=True).keypoints, frame_by_frame(mixed, True), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(cut(mixed).keypoints, frame_by_frame(mixed), atol=1e-5)


def test_targets_are_root_relative_meters():
    target = cut().target
    poses = np.concatenate([c.pose_m for c in CLIPS])
    for joint in range(17):
        np.testing.assert_allclose(target[:, joint], poses[:, joint] - poses[:, H36M_17.index("hip")], atol=1e-6)


def test_pixel_targets_are_the_picture_and_a_depth_as_large_as_it_looks():
    target = cut(protocol="pixel").target
    begin = 0
    for c in CLIPS:
        width, height = c.image_size_px
        for t in range(c.num_frames):
            root_z = c.pose_m[t, 0, 2]
            for joint in range(17):
                x, y = c.camera.project(c.pose_m[t, joint].astype(float))
                # What a stick of that length looks like at the root's distance.
                z = (c.pose_m[t, joint, 2] - root_z) * c.camera.focal_px[0] / root_z
                expected = np.array([x - width / 2, y - height / 2, z]) / (width / 2)
                np.testing.assert_allclose(target[begin + t, joint], expected, atol=1e-4)
        begin += c.num_frames


def test_up_is_the_worlds_up_seen_by_the_camera():
    w = cut([*CLIPS, clip(6, 3, camera=None)])
    for row in range(len(w)):
        c = ([*CLIPS, None])[w.clip[row]]
        if c is None:
            assert not w.up[w.center[row]].any()
        else:
            foot, head = (c.camera.to_camera(np.array([0.3, -0.2, z])) for z in (0.0, 1.0))
            np.testing.assert_allclose(w.up[w.center[row]], head - foot, atol=1e-6)


def test_frames_that_do_not_count_are_no_windows_center_but_their_neighbors_context():
    valid = np.array([0, 1, 1, 0, 0, 1, 1, 1, 0], bool)
    w = cut([CLIPS[0], clip(9, 1, valid=valid)])
    assert list(w.center[w.clip == 1]) == [7 + t for t in np.flatnonzero(valid)]
    assert set(w.first[w.clip == 1]) == {7} and set(w.last[w.clip == 1]) == {15}
    assert list(cut([clip(9, 1, valid=valid)], stride=2).center) == [1, 5, 7]


def test_a_limit_spreads_the_windows_over_all_clips():
    w = cut(limit=10)
    assert len(w) == 10 == len(set(w.center))
    assert set(w.clip) == {0, 1, 2}
    gaps = np.diff(w.center)
    assert gaps.min() >= 2 and gaps.max() <= 4
    for limit in (0, 28, 1000):
        assert len(cut(limit=limit)) == 28
    assert len(cut(limit=1)) == 1


@pytest.mark.parametrize(
    ("clips", "options", "message"),
    [
        ([], {}, "clips must hold at least one clip"),
        ([clip(5, pose_m=None)], {}, "Walking 0 camera 0: the clip must have a 3D pose"),
        (
            [clip(9), clip(4, 1)],
            {"frames": 5},
            "Walking 1 camera 0: .* the 5 frames of a window. Received: 4 frames.*--frames",
        ),
        ([clip(9, camera=None)], {"protocol": "pixel"}, "must have a camera.*--protocol camera"),
        ([clip(9, valid=np.zeros(9, bool))], {}, "must have a valid frame. Received: none in 1 clips"),
        (
            [clip(9, keypoints=np.zeros((1, 9, 25, 2), "f4"), pose_m=np.zeros((9, 25, 3), "f4"))],
            {},
            "the 17 joints of h36m_17. Received: 25 joints.*map_keypoints",
        ),
    ],
)
def test_clips_that_give_no_windows_are_refused_by_name(clips, options, message):
    with pytest.raises(ValueError, match=message) as refused:
        cut(clips, **options)
    assert "\n" not in str(refused.value)


def test_a_clip_just_as_long_as_the_window_will_do():
    assert len(cut([clip(5)], frames=5)) == 5


def test_clips_are_left_as_they_were():
    before = [(c.keypoints.copy(), c.pose_m.copy()) for c in CLIPS]
    cut(confidence=True, protocol="pixel")
    for c, (keypoints, pose_m) in zip(CLIPS, before, strict=True):
        np.testing.assert_array_equal(c.keypoints, keypoints)
        np.testing.assert_array_equal(c.pose_m, pose_m)
    assert replace(CLIPS[0]).name == CLIPS[0].name


def test_without_confidence_missing_keypoints_are_bridged_over_time():
    seen = clip(5, channels=3)
    keypoints = seen.keypoints.copy()
    keypoints[..., 2] = 1
    keypoints[0, 1:4, 6] = (9999, -9999, 0)
    keypoints[0, :, 8, 2] = 0
    broken = replace(seen, keypoints=keypoints)
    bridged, whole = windows.screen_keypoints(broken, False), windows.screen_keypoints(broken, True)[..., :2]
    for t in (1, 2, 3):
        expected = whole[0, 6] + (whole[4, 6] - whole[0, 6]) * t / 4
        np.testing.assert_allclose(bridged[t, 6], expected, atol=1e-5)
    others = [j for j in range(17) if j not in (6, 8)]
    np.testing.assert_array_equal(bridged[:, others], whole[:, others])
    # Never seen: in the middle of those that are.
    known = [j for j in range(17) if j != 8]
    np.testing.assert_allclose(bridged[:, 8], bridged[:, known].mean(axis=1), atol=1e-5)
