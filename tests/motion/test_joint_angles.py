"""Joint angles against figures whose angles are known, and against triangles' sides."""

import numpy as np
import pytest

from skelgnn_tf import skeletons
from skelgnn_tf.motion import ANGLES, joint_angles
from skelgnn_tf.skeletons import H36M_17, Skeleton
from support.stick_figure import figure, turned

BENT = {"knee": (30, 75), "hip": (10, 95), "elbow": (140, 5), "shoulder": (20, 170)}


def random_poses(count: int = 20, joints: int = 17) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, joints, 3))


def test_a_figure_bent_by_known_angles_has_these_angles():
    angles = joint_angles(figure(**BENT, lean=25), H36M_17)
    for joint, (left, right) in BENT.items():
        assert angles[f"left_{joint}"] == pytest.approx(left, abs=1e-6)
        assert angles[f"right_{joint}"] == pytest.approx(right, abs=1e-6)
    assert angles["trunk_lean"] == pytest.approx(25)


def test_who_stands_straight_has_no_angles():
    assert max(joint_angles(figure(), H36M_17).values()) < 1e-6


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(("joint", "above", "below"), [("knee", "hip", "ankle"), ("elbow", "shoulder", "wrist")])
def test_knees_and_elbows_follow_the_law_of_cosines(side, joint, above, below):
    poses = random_poses()
    a, b, c = (poses[:, H36M_17.index(f"{side}_{name}")] for name in (above, joint, below))
    first, second, across = (np.linalg.norm(p - q, axis=1) for p, q in ((a, b), (b, c), (a, c)))
    inside = np.degrees(np.arccos((first**2 + second**2 - across**2) / (2 * first * second)))
    np.testing.assert_allclose(joint_angles(poses, H36M_17)[f"{side}_{joint}"], 180 - inside, atol=1e-6)


def test_where_the_camera_stands_and_how_tall_people_are_changes_only_the_lean():
    poses = random_poses()
    before, after = joint_angles(poses, H36M_17), joint_angles(1.7 * turned(poses, (20, -70, 10)) + [3, 1, 5], H36M_17)
    for name in ANGLES[:-1]:
        np.testing.assert_allclose(after[name], before[name], atol=1e-6)
    assert np.abs(after["trunk_lean"] - before["trunk_lean"]).max() > 5


def test_the_lean_is_the_true_one_if_up_is_known():
    pitched = turned(figure(lean=25), (20, 0, 0))
    up = turned(np.array([0.0, -1.0, 0.0]), (20, 0, 0))
    assert joint_angles(pitched, H36M_17)["trunk_lean"] != pytest.approx(25, abs=5)
    assert joint_angles(pitched, H36M_17, 9.81 * up)["trunk_lean"] == pytest.approx(25)


def test_mirrored_poses_have_their_sides_swapped():
    poses = random_poses()
    mirrored = poses[:, list(H36M_17.mirror)] * [-1, 1, 1]
    before, after = joint_angles(poses, H36M_17), joint_angles(mirrored, H36M_17)
    for joint in BENT:
        np.testing.assert_allclose(after[f"left_{joint}"], before[f"right_{joint}"], atol=1e-6)


def test_a_missing_joint_takes_only_its_own_angles():
    pose = figure(**BENT)
    pose[H36M_17.index("left_wrist")] = np.nan
    missing = {name for name, angle in joint_angles(pose, H36M_17).items() if np.isnan(angle)}
    assert missing == {"left_elbow"}
    pose[H36M_17.index("right_hip"), 2] = np.nan
    missing = {name for name, angle in joint_angles(pose, H36M_17).items() if np.isnan(angle)}
    # The trunk ends between the hips.
    both = {f"{side}_{joint}" for side in ("left", "right") for joint in ("hip", "shoulder")}
    assert missing == {"left_elbow", "right_knee", "trunk_lean"} | both


def test_the_shapes_before_the_joints_stay():
    angles = joint_angles(random_poses(24).reshape(2, 3, 4, 17, 3), H36M_17)
    assert tuple(angles) == ANGLES
    assert {angle.shape for angle in angles.values()} == {(2, 3, 4)}


@pytest.mark.parametrize("name", sorted(skeletons.ALL))
def test_every_layout_of_the_package_has_the_angles(name):
    skeleton = skeletons.get(name)
    poses = random_poses(5, skeleton.num_joints)
    limbs = [joint for joint in H36M_17.joints if joint.split("_")[0] in ("left", "right")]
    as_h36m = np.zeros((5, 17, 3))
    for joint in limbs:
        as_h36m[:, H36M_17.index(joint)] = poses[:, skeleton.index(joint)]
    expected = joint_angles(as_h36m, H36M_17)
    for angle, values in joint_angles(poses, skeleton).items():
        np.testing.assert_allclose(values, expected[angle])


def test_what_does_not_fit_is_named():
    arms = Skeleton("arms", ("root", "left_wrist", "right_wrist"), (-1, 0, 0), (0, 2, 1))
    with pytest.raises(ValueError, match="Received: arms, which lacks left_hip"):
        joint_angles(np.zeros((3, 3)), arms)
    with pytest.raises(ValueError, match="17.*Received: \\(4, 25, 3\\)"):
        joint_angles(np.zeros((4, 25, 3)), H36M_17)
