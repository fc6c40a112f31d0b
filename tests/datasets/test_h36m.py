import warnings
from pathlib import Path

import numpy as np
import pytest

from skelgnn_tf.datasets import h36m
from skelgnn_tf.datasets.h36m.cameras import _EXTRINSICS, CAMERA_IDS, SUBJECTS, cameras
from skelgnn_tf.skeletons import H36M_17

CMU = Path(__file__).resolve().parents[3] / "shared" / "data" / "cmu_mocap"

# VideoPose3D's list of joints that it takes out of the 32.
REMOVED = [4, 5, 9, 10, 11, 16, 20, 21, 22, 23, 24, 28, 29, 30, 31]


def world_poses(frames, joints, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform((-1, -1, 0), (1, 1, 2), (frames, joints, 3)).astype(np.float32)


def keypoints(frames, joints=17, channels=2, cameras=4, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.uniform(0, 1000, (frames, joints, channels)).astype(np.float32) for _ in range(cameras)]


def matrix(w, x, y, z):
    """The textbook's rotation matrix of a quaternion, which is of length 1 up to float32."""
    w, x, y, z = np.array([w, x, y, z]) / np.sqrt(w * w + x * x + y * y + z * z)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def small(frames=6):
    """One training and one test subject with two takes each, as the two files have them."""
    takes = [("S1", "Walking"), ("S1", "Walking 1"), ("S9", "Eating 2"), ("S9", "WalkTogether")]
    poses, views = {}, {}
    for seed, (subject, action) in enumerate(takes):
        poses.setdefault(subject, {})[action] = world_poses(frames, 32, seed)
        views.setdefault(subject, {})[action] = keypoints(frames, seed=seed)
    return poses, views


def write(folder, poses, views, name="gt", **more_3d):
    def pickled(value):
        box = np.empty((), object)
        box[()] = value
        return box

    np.savez_compressed(folder / "data_3d_h36m.npz", positions_3d=pickled(poses), **more_3d)
    np.savez_compressed(
        folder / f"data_2d_h36m_{name}.npz", positions_2d=pickled(views), metadata=pickled({"num_joints": 17})
    )
    return folder


def test_every_camera_of_every_take_becomes_a_clip_of_its_split(tmp_path):
    poses, views = small()
    clips = h36m.load(write(tmp_path, poses, views))
    assert clips.skeleton is H36M_17
    assert [clip.name for clip in clips.train] == [
        f"S1 {action} camera {camera}" for action in ("Walking", "Walking 1") for camera in range(4)
    ]
    assert {clip.subject for clip in clips.train} == {"S1"}
    assert [(clip.subject, clip.action) for clip in clips.test[::4]] == [("S9", "Eating"), ("S9", "WalkTogether")]
    assert {clip.action for clip in clips.train} == {"Walking"}
    for number, clip in enumerate(clips.train[:4]):
        np.testing.assert_array_equal(clip.keypoints, views["S1"]["Walking"][number][None])
        assert (clip.keypoints.dtype, clip.pose_m.dtype, clip.fps) == (np.float32, np.float32, 50)
        assert clip.image_size_px == (1000, 1002 if CAMERA_IDS[number] in ("54138969", "60457274") else 1000)


def test_poses_are_seen_from_the_camera_as_scipy_turns_them(tmp_path):
    poses, views = small()
    clips = h36m.load(write(tmp_path, poses, views))
    kept = [joint for joint in range(32) if joint not in REMOVED]
    for number in range(4):
        (w, x, y, z), position_mm = _EXTRINSICS["S9"][number]
        world = poses["S9"]["Eating 2"][:, kept].reshape(-1, 3)
        # The quaternion turns from camera to world axes, its transpose back.
        seen = (world - np.array(position_mm) / 1e3) @ matrix(w, x, y, z)
        np.testing.assert_allclose(clips.test[number].pose_m.reshape(-1, 3), seen, atol=1e-5)


def test_files_with_seventeen_joints_give_the_same_clips(tmp_path):
    poses, views = small()
    full = h36m.load(write(tmp_path, poses, views))
    for actions in poses.values():
        for action in actions:
            actions[action] = np.delete(actions[action], REMOVED, axis=1)
    for one, other in zip(full.train, h36m.load(write(tmp_path, poses, views)).train, strict=True):
        np.testing.assert_array_equal(one.pose_m, other.pose_m)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_cameras_are_turned_as_the_textbooks_matrix_of_their_quaternion(subject):
    for camera, (quaternion, _) in zip(cameras(subject), _EXTRINSICS[subject], strict=True):
        np.testing.assert_allclose(camera.rotation.T, matrix(*quaternion), rtol=0, atol=1e-12)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_four_cameras_stand_round_the_subject_and_have_it_in_the_picture(subject):
    places = []
    for camera in cameras(subject):
        hip = camera.to_camera(np.array([0.0, 0.0, 0.9]))
        assert 2 < hip[2] < 8
        u, v = camera.project(hip)
        assert 200 < u < 800
        assert 200 < v < 800
        head_v = camera.project(camera.to_camera(np.array([0.0, 0.0, 1.7])))[1]
        assert head_v < v
        places.append(camera.position_m)
    # One in each quarter of the floor, at the height of a tripod.
    assert len({(x > 0, y > 0) for x, y, _ in places}) == 4
    assert all(1.3 < z < 1.8 for _, _, z in places)


def test_keypoints_that_run_longer_than_the_poses_are_cut(tmp_path):
    poses, views = small()
    views["S1"]["Walking"] = keypoints(9)
    clip = h36m.load(write(tmp_path, poses, views)).train[2]
    np.testing.assert_array_equal(clip.keypoints[0], views["S1"]["Walking"][2][:6])
    assert clip.num_frames == 6


def test_keypoints_shorter_than_the_poses_are_refused(tmp_path):
    poses, views = small()
    views["S9"]["Eating 2"][3] = views["S9"]["Eating 2"][3][:5]
    with pytest.raises(
        ValueError, match="S9 Eating 2 camera 3: .* at least the 6 frames of the 3D poses. Received: 5 frames"
    ):
        h36m.load(write(tmp_path, poses, views))


def test_an_action_without_keypoints_is_left_out_with_a_warning(tmp_path):
    poses, views = small()
    del views["S1"]["Walking"]
    with pytest.warns(UserWarning, match="no S1 'Walking'") as told:
        clips = h36m.load(write(tmp_path, poses, views))
    assert len(told) == 1
    assert [clip.name for clip in clips.train] == [f"S1 Walking 1 camera {camera}" for camera in range(4)]


def test_a_subject_without_keypoints_is_left_out_with_one_warning(tmp_path):
    poses, views = small()
    poses["S5"] = {"Walking": world_poses(4, 32), "Eating": world_poses(4, 32)}
    with pytest.warns(UserWarning, match="no S5") as told:
        clips = h36m.load(write(tmp_path, poses, views))
    assert len(told) == 1
    assert {clip.subject for clip in clips.train} == {"S1"}


def test_the_corrupt_take_and_takes_without_poses_are_left_out_in_silence(tmp_path):
    poses, views = small()
    poses["S11"] = {"Directions": world_poses(4, 32), "Directions 1": world_poses(4, 32)}
    views["S11"] = {"Directions 1": keypoints(4), "Photo": keypoints(4)}
    views["S8"] = {"Photo": keypoints(4)}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clips = h36m.load(write(tmp_path, poses, views))
    assert [clip.name for clip in clips.test[8:]] == [f"S11 Directions 1 camera {camera}" for camera in range(4)]
    assert {clip.subject for clip in clips.train} == {"S1"}


def test_keypoints_with_confidence_keep_it(tmp_path):
    poses, views = small()
    views["S1"]["Walking"] = keypoints(6, channels=3)
    clip = h36m.load(write(tmp_path, poses, views)).train[1]
    np.testing.assert_array_equal(clip.keypoints[0], views["S1"]["Walking"][1])


def test_a_rate_stated_in_the_file_is_believed(tmp_path):
    poses, views = small()
    box = np.empty((), object)
    box[()] = {"fps": 60}
    assert h36m.load(write(tmp_path, poses, views, metadata=box)).test[0].fps == 60


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda p, v: v["S1"].update(Walking=keypoints(6, joints=16)),
            "S1 Walking camera 0: .* 17 joints .*Received: 16",
        ),
        (
            lambda p, v: v["S1"].update(Walking=keypoints(6, channels=4)),
            r"S1 Walking camera 0: .* Received: \(6, 17, 4\)",
        ),
        (
            lambda p, v: v["S1"].update(Walking=keypoints(6, cameras=3)),
            "S1 Walking: .* list for the 4 cameras. Received: 3",
        ),
        (lambda p, v: v["S1"].update(Walking=None), "S1 Walking: .* list for the 4 cameras. Received: NoneType"),
        (
            lambda p, v: p["S1"].update(Walking=world_poses(6, 25)),
            r"S1 Walking: 3D poses must be .* Received: \(6, 25, 3\)",
        ),
        (lambda p, v: p["S1"].update(Walking=["a"]), "S1 Walking: 3D poses must be"),
        (
            lambda p, v: p["S9"]["Eating 2"].__setitem__((4, 8), np.nan),
            "S9 Eating 2 camera 0: pose_m .* frame 4, joint 6",
        ),
        (
            lambda p, v: v["S9"]["Eating 2"][2].__setitem__((5, 16, 1), np.inf),
            "S9 Eating 2 camera 2: keypoints .* frame 5, joint 16",
        ),
        (
            lambda p, v: p.pop("S9"),
            "a subject of the test split .S9, S11.. Received: S1 in data_3d_h36m.npz, S1, S9 in data_2d",
        ),
        (lambda p, v: p.pop("S1"), "a subject of the training split"),
        (lambda p, v: p.update(S1=[1, 2]), "positions_3d must be a dict"),
    ],
)
def test_files_that_do_not_fit_are_refused_with_the_place_named(tmp_path, change, message):
    poses, views = small()
    change(poses, views)
    with pytest.raises(ValueError, match=message) as refused:
        h36m.load(write(tmp_path, poses, views))
    assert "\n" not in str(refused.value)


def test_keypoints_of_another_name_are_chosen_by_it(tmp_path):
    poses, views = small()
    write(tmp_path, poses, views, "cpn_ft_h36m_dbb")
    assert len(h36m.load(tmp_path, "cpn_ft_h36m_dbb").train) == 8
    with pytest.raises(FileNotFoundError, match="2D keypoints 'gt'. The folder has cpn_ft_h36m_dbb"):
        h36m.load(tmp_path)


def test_missing_files_are_named_with_where_to_get_them(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere: folder not found.*VideoPose3D"):
        h36m.load(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"data_3d_h36m.npz: file not found.*VideoPose3D"):
        h36m.load(tmp_path)
    write(tmp_path, *small())
    (tmp_path / "data_2d_h36m_gt.npz").unlink()
    with pytest.raises(FileNotFoundError, match="The folder has no 2D keypoints"):
        h36m.load(tmp_path)


def test_a_file_of_something_else_is_refused(tmp_path):
    write(tmp_path, *small())
    np.savez(tmp_path / "data_3d_h36m.npz", x_train=np.zeros(3))
    with pytest.raises(ValueError, match="must have the key 'positions_3d'. Received: x_train"):
        h36m.load(tmp_path)


@pytest.mark.skipif(not CMU.is_dir(), reason=f"the motion capture of {CMU} is not here")
def test_real_poses_project_onto_their_own_keypoints():
    clips = h36m.load(CMU)
    assert not {clip.subject for clip in clips.train} & {clip.subject for clip in clips.test}
    for clip in clips.train[::7] + clips.test[::3]:
        # The file rounds pixels to 2^-6 and meters to 2^-16.
        np.testing.assert_allclose(clip.camera.project(clip.pose_m.astype(float)), clip.keypoints[0], atol=2**-6)


def test_keypoints_of_another_layout_are_refused_by_their_metadata(tmp_path):
    poses, views = small()
    human36m = {"layout_name": "h36m", "keypoints_symmetry": [[4, 5, 6, 11, 12, 13], [1, 2, 3, 14, 15, 16]]}
    write(tmp_path, poses, views)
    box = np.empty((), object)
    for layout in (human36m, {"layout_name": "coco", "keypoints_symmetry": [[1, 3, 5], [2, 4, 6]]}):
        box[()] = layout
        boxed = np.empty((), object)
        boxed[()] = views
        np.savez(tmp_path / f"data_2d_h36m_{layout['layout_name']}.npz", positions_2d=boxed, metadata=box)
    assert h36m.load(tmp_path, "h36m").train
    with pytest.raises(ValueError, match=r"joints of h36m_17. Received: layout 'coco'.*map_keypoints"):
        h36m.load(tmp_path, "coco")
