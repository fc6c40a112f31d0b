import dataclasses
import json

import numpy as np
import pytest

from skelgnn_tf import skeletons
from skelgnn_tf.skeletons import (
    ALL,
    BLAZEPOSE_33,
    COCO_17,
    H36M_17,
    H36M_17_LCN,
    MPI_INF_3DHP_17,
    NTU_25,
    Skeleton,
    joint_map,
    map_keypoints,
)
from support import oracles

everyone = pytest.mark.parametrize("skeleton", ALL.values(), ids=list(ALL))


@everyone
def test_hop_distances_are_the_steps_of_a_breadth_first_search(skeleton):
    np.testing.assert_array_equal(skeleton.hop_distances, oracles.hops(skeleton))


@pytest.mark.parametrize(("skeleton", "diameter"), [(H36M_17, 8), (H36M_17_LCN, 6), (NTU_25, 12)])
def test_the_furthest_hop_is_the_one_of_the_literature(skeleton, diameter):
    assert skeleton.hop_distances.max() == diameter


def test_hop_distances_of_a_chain_are_differences_and_an_extra_edge_is_a_short_cut():
    chain = Skeleton("chain", list("abcde"), [-1, 0, 1, 2, 3], range(5))
    places = np.arange(5)
    np.testing.assert_array_equal(chain.hop_distances, abs(places[:, None] - places))
    ring = dataclasses.replace(chain, extra_edges=((0, 4),))
    around = abs(places[:, None] - places)
    np.testing.assert_array_equal(ring.hop_distances, np.minimum(around, 5 - around))


@everyone
def test_every_joint_but_the_root_is_the_child_of_one_bone(skeleton):
    children = [child for child, _ in skeleton.bones]
    assert sorted([*children, skeleton.root]) == list(range(skeleton.num_joints))
    assert all(skeleton.parents[child] == parent for child, parent in skeleton.bones)


@everyone
def test_the_mirrored_tree_is_the_same_tree(skeleton):
    mirrored = {frozenset((skeleton.mirror[i], skeleton.mirror[j])) for i, j in skeleton.edges}
    assert mirrored == {frozenset(edge) for edge in skeleton.edges}


@everyone
def test_left_and_right_joints_have_names_that_differ_in_the_side_alone(skeleton):
    lefts = [skeleton.joints[i] for i in skeleton.left]
    rights = [skeleton.joints[i] for i in skeleton.right]
    assert [name.replace("left_", "right_") for name in lefts] == rights
    middle = set(range(skeleton.num_joints)) - set(skeleton.left) - set(skeleton.right)
    assert not [i for i in middle if "left" in skeleton.joints[i] or "right" in skeleton.joints[i]]


def test_sides_are_those_that_the_files_of_the_field_state():
    assert (H36M_17.left, H36M_17.right) == ((4, 5, 6, 11, 12, 13), (1, 2, 3, 14, 15, 16))
    assert (sorted(MPI_INF_3DHP_17.left), sorted(MPI_INF_3DHP_17.right)) == ([5, 6, 7, 11, 12, 13], [2, 3, 4, 8, 9, 10])
    assert MPI_INF_3DHP_17.root == 14


@everyone
def test_a_skeleton_survives_json(skeleton):
    again = Skeleton.from_config(json.loads(json.dumps(skeleton.get_config())))
    assert again == skeleton
    assert hash(again) == hash(skeleton)


def test_a_skeleton_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        H36M_17.parents = ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parents": (-1, -1, 1)}, "one root"),
        ({"parents": (1, 2, 0)}, "one root"),
        ({"parents": (-1, 2, 1)}, "cycle"),
        ({"parents": (-1, 0, 7)}, "between -1 and 2"),
        ({"parents": (-1, 0)}, "one entry for each joint"),
        ({"mirror": (1, 2, 0)}, "mirror"),
        ({"mirror": (0, 1, 1)}, "mirror"),
        ({"joints": ("a", "b", "a")}, "different names"),
        ({"extra_edges": ((1, 1),)}, "extra_edges must connect"),
        ({"extra_edges": ((0, 3),)}, "extra_edges must connect"),
    ],
)
def test_a_tree_that_is_none_is_refused(change, message):
    good = {"name": "mine", "joints": ("a", "b", "c"), "parents": (-1, 0, 1), "mirror": (0, 1, 2)}
    Skeleton(**good)
    with pytest.raises(ValueError, match=message) as refused:
        Skeleton(**good | change)
    assert "mine" in str(refused.value)


def test_unknown_names_are_answered_with_the_known_ones():
    with pytest.raises(ValueError, match="must be one of h36m_17, .*Received: 'h37m'"):
        skeletons.get("h37m")
    with pytest.raises(ValueError, match="must be one of hip, .*left_wrist.*h36m_17.*Received: 'nose'"):
        H36M_17.index("nose")
    assert skeletons.get("coco_17") is COCO_17


MAPS = [(source, "h36m_17") for source in ("coco_17", "blazepose_33", "mpi_inf_3dhp_17", "ntu_25")]
MAPS += [("h36m_17", "mpi_inf_3dhp_17"), ("blazepose_33", "coco_17"), ("h36m_17", "h36m_17_lcn")]


@pytest.mark.parametrize(("source", "target"), MAPS)
def test_a_joint_map_commutes_with_every_affine_map(source, target):
    rng = np.random.default_rng(0)
    matrix = joint_map(source, target)
    assert matrix.shape == (skeletons.get(target).num_joints, skeletons.get(source).num_joints)
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-6)
    points, linear, shift = rng.normal(size=(matrix.shape[1], 2)), rng.normal(size=(2, 2)), rng.normal(size=2)
    np.testing.assert_allclose(matrix @ (points @ linear + shift), (matrix @ points) @ linear + shift, atol=1e-5)


@pytest.mark.parametrize(("source", "target"), MAPS)
def test_a_joint_map_commutes_with_mirroring(source, target):
    matrix = joint_map(source, target)
    mirrored = matrix[list(skeletons.get(target).mirror)][:, list(skeletons.get(source).mirror)]
    np.testing.assert_array_equal(mirrored, matrix)


@everyone
def test_joints_of_the_same_layout_stay_themselves(skeleton):
    np.testing.assert_array_equal(joint_map(skeleton, skeleton), np.eye(skeleton.num_joints))


@pytest.mark.parametrize("source", [COCO_17, BLAZEPOSE_33])
def test_joints_that_a_detector_only_implies_lie_where_the_body_has_them(source):
    """An upright body: hips at height 1, shoulders at 1.5, ears at 1.7; sides at +-0.2."""
    heights = {"hip": 1.0, "shoulder": 1.5, "ear": 1.7}
    body = np.zeros((source.num_joints, 2))
    for joint, name in enumerate(source.joints):
        side, _, part = name.partition("_")
        body[joint] = (0.2 if side == "left" else -0.2, heights.get(part, -9))
    out = joint_map(source, H36M_17) @ body
    expected = {"hip": 1.0, "spine": 1.25, "thorax": 1.5, "neck": 1.6, "head": 1.8}
    for joint, height in expected.items():
        np.testing.assert_allclose(out[H36M_17.index(joint)], (0, height), atol=1e-6)
    assert out[H36M_17.index("left_shoulder"), 0] > 0 > out[H36M_17.index("right_shoulder"), 0]


def test_human36m_to_mpi_and_back_changes_nothing():
    there, back = joint_map("h36m_17", "mpi_inf_3dhp_17"), joint_map("mpi_inf_3dhp_17", "h36m_17")
    np.testing.assert_array_equal(back @ there, np.eye(17))


def test_joints_that_a_layout_cannot_give_are_named():
    with pytest.raises(ValueError, match="Received: h36m_17, which lacks .*left_eye"):
        joint_map("h36m_17", "coco_17")


def test_a_mapped_joint_is_as_sure_as_the_least_sure_of_its_parts():
    rng = np.random.default_rng(0)
    keypoints = rng.uniform(0, 1, (1, 5, 17, 3)).astype(np.float32)
    mapped = map_keypoints(keypoints, "coco_17", "h36m_17")
    for joint, sources in {
        "hip": ("left_hip", "right_hip"),
        "thorax": ("left_shoulder", "right_shoulder"),
        "left_knee": ("left_knee",),
        "spine": ("left_hip", "right_hip", "left_shoulder", "right_shoulder"),
    }.items():
        parts = keypoints[:, :, [COCO_17.index(name) for name in sources]]
        joint = H36M_17.index(joint)
        np.testing.assert_array_equal(mapped[:, :, joint, 2], parts[..., 2].min(axis=2))
        np.testing.assert_allclose(mapped[:, :, joint, :2], parts[..., :2].mean(axis=2), atol=1e-6)


@everyone
def test_pelvis_and_middle_are_means_of_joints_on_the_middle_line(skeleton):
    for weights in (skeleton.pelvis, skeleton.middle):
        assert weights.shape == (skeleton.num_joints,) and weights.dtype == np.float32
        assert weights.min() >= 0 and weights.sum() == pytest.approx(1)
        np.testing.assert_array_equal(weights[list(skeleton.mirror)], weights)
    parts = {name.rpartition("_")[2] for name, w in zip(skeleton.joints, skeleton.pelvis, strict=True) if w}
    assert parts in ({"hip"}, {"pelvis"}, {"base"})


def test_the_middle_of_a_standing_body_lies_above_its_pelvis_and_below_its_shoulders():
    heights = {
        "hip": 1.0, "pelvis": 1.0, "spine_base": 1.0, "spine": 1.25, "spine_mid": 1.25, "shoulder": 1.5, "thorax": 1.5,
        "spine_shoulder": 1.5,
    }  # fmt: skip
    for skeleton in ALL.values():
        names = (name.removeprefix("left_").removeprefix("right_") for name in skeleton.joints)
        height = np.array([heights.get(name, -9) for name in names])
        assert height @ skeleton.pelvis == pytest.approx(1.0)
        assert height @ skeleton.middle == pytest.approx(1.25)


def test_a_skeleton_of_other_joints_has_its_middle_where_its_root_is():
    snake = Skeleton("snake", ("tail", "belly", "head"), (1, -1, 1), (0, 1, 2))
    assert snake.pelvis.tolist() == snake.middle.tolist() == [0, 1, 0]
    arms = Skeleton("arms", ("chest", "left_shoulder", "right_shoulder"), (-1, 0, 0), (0, 2, 1))
    assert arms.middle.tolist() == [0, 0.5, 0.5] and arms.pelvis.tolist() == [1, 0, 0]
