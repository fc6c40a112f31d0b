"""BVH files, read back by pybvh; where bones keep their length, every joint must lie where it was."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from skelgnn_tf.skeletons import ALL, BLAZEPOSE_33, COCO_17, H36M_17, NTU_25, Skeleton
from skelgnn_tf.writers.bvh import bridged, bvh_text
from skelgnn_tf.writers.t_pose import rest_directions

pybvh = pytest.importorskip("pybvh", reason="pybvh is not installed: pip install -e '.[dev]'")

# pybvh guesses which way is up from poses, and these poses are anything.
pytestmark = pytest.mark.filterwarnings("ignore:Rest pose suggests world up:UserWarning")

#: Camera axes (x right, y down, z forward) -> the file's (y up, z towards the camera).
TO_FILE = (1, -1, -1)


def moving(skeleton, frames=12, seed=0):
    """Bones of constant length that each turn by themselves, from a root that walks: meters (frames, joints, 3)."""
    rng = np.random.default_rng(seed)
    lengths = rng.uniform(0.05, 0.5, skeleton.num_joints)
    pose = np.zeros((frames, skeleton.num_joints, 3))
    pose[:, skeleton.root] = np.cumsum(rng.normal(size=(frames, 3)) * 0.05, axis=0)
    done = {skeleton.root}
    while len(done) < skeleton.num_joints:
        for child, parent in skeleton.bones:
            if parent in done and child not in done:
                turns = Rotation.from_rotvec(np.cumsum(rng.normal(size=(frames, 3)) * 0.4, axis=0))
                pose[:, child] = pose[:, parent] + turns.apply(lengths[child] * np.eye(3)[rng.integers(3)])
                done.add(child)
    return pose


def read(text, skeleton, tmp_path):
    """(places (frames, joints, 3) of the skeleton's joints, what pybvh read)."""
    (tmp_path / "a.bvh").write_text(text)
    bvh = pybvh.read_bvh_file(str(tmp_path / "a.bvh"))
    return bvh.joint_positions()[:, [bvh.joint_names.index(name) for name in skeleton.joints]], bvh


@pytest.mark.parametrize("name", ALL)
def test_joints_lie_where_they_were_when_bones_keep_their_length(name, tmp_path):
    skeleton = ALL[name]
    pose_m = moving(skeleton)
    places, bvh = read(bvh_text(pose_m, skeleton, 25.0), skeleton, tmp_path)
    np.testing.assert_allclose(places, pose_m * TO_FILE, atol=5e-6)
    assert bvh.frame_count == 12 and bvh.frame_time == pytest.approx(1 / 25)


def test_bones_keep_their_direction_and_have_their_median_length(tmp_path):
    pose_m = moving(H36M_17) * np.random.default_rng(1).uniform(0.8, 1.2, (12, 1, 1))
    places, _ = read(bvh_text(pose_m, H36M_17, 30.0), H36M_17, tmp_path)
    for child, parent in H36M_17.bones:
        was, now = (pose_m[:, child] - pose_m[:, parent]) * TO_FILE, places[:, child] - places[:, parent]
        lengths = np.linalg.norm(was, axis=1)
        np.testing.assert_allclose(np.linalg.norm(now, axis=1), np.median(lengths), atol=5e-6)
        np.testing.assert_allclose(now / np.median(lengths), was / lengths[:, None], atol=1e-4)


def test_the_files_axes_are_right_handed_with_y_up():
    assert np.linalg.det(np.diag(TO_FILE)) == 1
    # Camera axes: y grows downwards, z away from the camera.
    np.testing.assert_array_equal(np.array([0, -1.7, 0]) * TO_FILE, [0, 1.7, 0])


@pytest.mark.parametrize("skeleton", [H36M_17, NTU_25, COCO_17, BLAZEPOSE_33], ids=lambda s: s.name)
def test_the_rest_pose_is_a_t_that_stands_upright(skeleton):
    rest = rest_directions(skeleton)
    places = np.zeros((skeleton.num_joints, 3))
    done = {skeleton.root}
    while len(done) < skeleton.num_joints:
        for child, parent in skeleton.bones:
            if parent in done and child not in done:
                places[child] = places[parent] + rest[child]
                done.add(child)
    at = {name: places[i] for i, name in enumerate(skeleton.joints)}
    for side, sign in (("left", 1), ("right", -1)):
        # y up; someone who faces +z has the left hand at +x.
        assert at[f"{side}_hip"][1] > at[f"{side}_knee"][1] > at[f"{side}_ankle"][1]
        assert sign * (at[f"{side}_wrist"] - at[f"{side}_shoulder"])[0] > 1.9
        np.testing.assert_allclose((at[f"{side}_wrist"] - at[f"{side}_shoulder"])[1:], 0, atol=1e-9)
    np.testing.assert_allclose(rest[list(skeleton.mirror)] * (-1, 1, 1), rest, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(np.delete(rest, skeleton.root, axis=0), axis=1), 1)


def test_a_joint_without_a_known_name_lies_above_its_parent(tmp_path):
    snake = Skeleton("snake", ("tail", "belly", "tongue"), (-1, 0, 1), (0, 1, 2))
    np.testing.assert_array_equal(rest_directions(snake)[1:], [[0, 1, 0]] * 2)
    pose_m = moving(snake)
    places, _ = read(bvh_text(pose_m, snake, 30.0), snake, tmp_path)
    np.testing.assert_allclose(places, pose_m * TO_FILE, atol=5e-6)


def test_a_bone_that_folds_straight_back_is_written(tmp_path):
    snake = Skeleton("snake", ("tail", "belly", "tongue"), (-1, 0, 1), (0, 1, 2))
    pose_m = np.array([[[0, 0, 0], [0, -1, 0], [0, -1.4, 0]], [[0, 0, 0], [0, -1, 0], [0, -0.6, 0]]], float)
    places, _ = read(bvh_text(pose_m, snake, 30.0), snake, tmp_path)
    np.testing.assert_allclose(places, pose_m * TO_FILE, atol=5e-6)


def test_bones_that_point_straight_back_or_have_no_length_are_written(tmp_path):
    rest = rest_directions(H36M_17)
    pose_m = np.zeros((3, 17, 3))
    for sign, t in ((1, 0), (-1, 1), (1, 2)):
        for child, parent in H36M_17.bones:
            # Parents come before their children in this skeleton.
            pose_m[t, child] = pose_m[t, parent] + sign * 0.3 * rest[child] * TO_FILE
    places, _ = read(bvh_text(pose_m, H36M_17, 30.0), H36M_17, tmp_path)
    np.testing.assert_allclose(places, pose_m * TO_FILE, atol=5e-6)
    assert np.isfinite(read(bvh_text(np.zeros((2, 17, 3)), H36M_17, 30.0), H36M_17, tmp_path)[0]).all()


def test_angles_do_not_jump_by_a_whole_turn():
    text = bvh_text(moving(H36M_17, frames=200), H36M_17, 30.0)
    turning = bvh_text(
        np.stack([Rotation.from_euler("y", 8.0 * t, degrees=True).apply(moving(H36M_17, 1)[0]) for t in range(90)]),
        H36M_17, 30.0,
    )  # fmt: skip
    for one in (text, turning):
        rows = np.array([line.split() for line in one.partition("Frame Time")[2].splitlines()[1:]], float)
        assert np.abs(np.diff(rows[:, 3:], axis=0)).max() <= 181


def test_frames_without_anyone_lie_between_their_neighbors(tmp_path):
    pose_m = moving(H36M_17)
    gone = pose_m.copy()
    gone[[0, 1, 5, 6, 11]] = np.nan
    filled = bridged(gone)
    np.testing.assert_allclose(filled[:2], pose_m[[2, 2]])
    np.testing.assert_allclose(filled[11], pose_m[10])
    np.testing.assert_allclose(filled[5], pose_m[4] + (pose_m[7] - pose_m[4]) / 3)
    np.testing.assert_allclose(filled[6], pose_m[4] + (pose_m[7] - pose_m[4]) * 2 / 3)
    places, _ = read(bvh_text(gone, H36M_17, 30.0), H36M_17, tmp_path)
    seen = [2, 3, 4, 7, 8, 9, 10]
    np.testing.assert_allclose(places[seen], (pose_m * TO_FILE)[seen], atol=5e-6)
    with pytest.raises(ValueError, match="at least one frame in which the person is seen"):
        bvh_text(np.full((3, 17, 3), np.nan), H36M_17, 30.0)


def test_real_motion_comes_back(shared_data, tmp_path):
    worlds = np.load(shared_data / "cmu_mocap" / "data_3d_h36m.npz", allow_pickle=True)["positions_3d"].item()
    world = next(iter(worlds["S9"].values()))[:60, [0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27]]
    # z up -> camera axes with y down.
    pose_m = np.stack([world[..., 0], -world[..., 2], world[..., 1]], axis=-1).astype(float)
    places, _ = read(bvh_text(pose_m, H36M_17, 60.0), H36M_17, tmp_path)
    # Two of its bones vary by up to 2 cm within a clip.
    assert np.linalg.norm(places - pose_m * TO_FILE, axis=-1).max() < 0.03
    assert np.median(np.linalg.norm(places - pose_m * TO_FILE, axis=-1)) < 0.005
