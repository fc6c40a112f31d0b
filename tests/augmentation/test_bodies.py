"""Bodies that no clip shows: bones, joints and limbs change as they are said to, and nothing else does."""

import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from skelgnn_tf.augmentation import bodies
from skelgnn_tf.skeletons import COCO_17, H36M_17, MPI_INF_3DHP_17, joint_map
from support.people import draws, person, seen_somehow

LIMBS = {"arm": ("shoulder", "elbow", "wrist"), "leg": ("hip", "knee", "ankle")}


def in_the_trunk(pose, skeleton, across):
    """The unit directions of all bones of (..., joints, 3) in the axes of the trunk at the hips or the shoulders."""
    at = {name: pose[..., joint, :] for joint, name in enumerate(skeleton.joints)}
    left = at[f"left_{across}"] - at[f"right_{across}"]
    up = (at["left_shoulder"] + at["right_shoulder"]) / 2 - pose[..., skeleton.root, :]
    front = np.cross(left, up)
    axes = np.stack([left, np.cross(front, left), front], -2)
    axes /= np.linalg.norm(axes, axis=-1, keepdims=True)
    bones = np.stack([pose[..., child, :] - pose[..., parent, :] for child, parent in skeleton.bones], -2)
    bones /= np.linalg.norm(bones, axis=-1, keepdims=True)
    turned = np.einsum("...ij,...nj->...ni", axes, bones)
    return {child: turned[..., i, :] for i, (child, _) in enumerate(skeleton.bones)}


@pytest.mark.parametrize("skeleton", [H36M_17, MPI_INF_3DHP_17], ids=lambda s: s.name)
def test_a_mixed_limb_moves_as_another_windows_and_keeps_its_length(skeleton):
    pose = seen_somehow(person(200, 3, skeleton))[0]
    mixed = np.asarray(bodies.mix_limbs(pose, 0.4, skeleton, draws()))
    for child, parent in skeleton.bones:
        lengths = [np.linalg.norm(p[:, :, child] - p[:, :, parent], axis=-1) for p in (pose, mixed)]
        np.testing.assert_allclose(*lengths, atol=1e-5)
    trunk = ["left_hip", "right_hip", "spine", "left_shoulder", "right_shoulder"]
    np.testing.assert_array_equal(*(p[:, :, [skeleton.index(joint) for joint in trunk]] for p in (pose, mixed)))
    donors = set()
    for side in ("left", "right"):
        for stem, *joints in LIMBS.values():
            before, after = (in_the_trunk(p.astype(float), skeleton, stem) for p in (pose, mixed))
            for joint in (skeleton.index(f"{side}_{name}") for name in joints):
                whose = [
                    next((j for j in range(200) if np.abs(after[joint][i] - before[joint][j]).max() < 1e-4), None)
                    for i in range(200)
                ]
                assert None not in whose
                others = {(i - j) % 200 for i, j in enumerate(whose)} - {0}
                assert len(others) == 1 and 0.25 < np.mean([i != j for i, j in enumerate(whose)]) < 0.55
            donors |= others
    assert len(donors) == 4, "each limb has another giver"


def test_nothing_is_mixed_with_a_probability_of_zero():
    pose = seen_somehow(person(20))[0]
    np.testing.assert_allclose(bodies.mix_limbs(pose, 0.0, H36M_17, draws()), pose, atol=1e-6)


def directions(pose, skeleton):
    bones = np.stack([pose[..., i, :] - pose[..., j, :] for i, j in skeleton.bones], axis=-2)
    lengths = np.linalg.norm(bones, axis=-1, keepdims=True)
    return bones / lengths, lengths[..., 0]


@pytest.mark.parametrize("skeleton", [H36M_17, MPI_INF_3DHP_17], ids=lambda s: s.name)
def test_bodies_differ_only_in_their_bones(skeleton):
    pose = person(3000, 2, skeleton).astype(np.float32)
    varied = np.asarray(bodies.vary_bodies(pose, 0.1, skeleton, draws()))
    (before, lengths), (after, others) = directions(pose, skeleton), directions(varied, skeleton)
    np.testing.assert_allclose(after, before, atol=1e-4)
    change = np.log(others / lengths)
    np.testing.assert_allclose(change[:, 0], change[:, 1], atol=1e-4)
    np.testing.assert_allclose(change[:, 0].std(axis=0), 0.1, rtol=0.1)
    child = [i for i, _ in skeleton.bones]
    for bone, joint in enumerate(child):
        twin = child.index(skeleton.mirror[joint]) if skeleton.mirror[joint] in child else bone
        assert np.corrcoef(change[:, 0, bone], change[:, 0, twin])[0, 1] > 0.9, "both sides alike"
    knee, elbow = (child.index(skeleton.index(name)) for name in ("left_knee", "left_elbow"))
    assert abs(np.corrcoef(change[:, 0, knee], change[:, 0, elbow])[0, 1]) < 0.1


@pytest.mark.parametrize("skeleton", [H36M_17, MPI_INF_3DHP_17], ids=lambda s: s.name)
def test_limbs_turn_about_their_trunk_and_keep_their_length(skeleton):
    pose = person(3000, 3, skeleton).astype(np.float32)
    turned = np.asarray(bodies.turn_limbs(pose, 5.0, skeleton, draws()))
    (before, lengths), (after, others) = directions(pose, skeleton), directions(turned, skeleton)
    np.testing.assert_allclose(others, lengths, atol=1e-5)
    angle = np.degrees(np.arccos(np.clip((before * after).sum(axis=-1), -1, 1)))
    by_joint = {skeleton.joints[child]: angle[..., bone] for bone, (child, _) in enumerate(skeleton.bones)}
    # About three axes by 5 degrees each, of which one is the bone itself: a Rayleigh distribution's mean.
    upper = 5 * math.sqrt(math.pi / 2)
    for name, angles in by_joint.items():
        if name.endswith(("knee", "elbow")):
            assert angles.mean() == pytest.approx(upper, rel=0.05)
        elif name.endswith(("ankle", "wrist")):
            assert angles.mean() == pytest.approx(upper * math.sqrt(1.25), rel=0.05)
        elif name in ("head", "head_top") or (name == "neck" and "thorax" in skeleton.joints):
            assert 10 < angles.mean() < 16 and angles.max() < 50, "nods by 0 to 25 degrees, and turns"
        else:
            assert angles.max() < 0.1, name
    # One turn for all frames: a rigid arm moves as it did.
    rigid = np.repeat(pose[:, :1], 3, axis=1)
    still = np.asarray(bodies.turn_limbs(rigid, 5.0, skeleton, draws()))
    np.testing.assert_allclose(still[:, 1:], still[:, :1].repeat(2, axis=1), atol=1e-6)


@pytest.mark.parametrize("skeleton", [H36M_17, MPI_INF_3DHP_17], ids=lambda s: s.name)
def test_joints_are_displaced_by_about_the_given_deviation(skeleton):
    moved = np.asarray(bodies.displacement(person(2000, 1, skeleton).astype(np.float32), 0.02, skeleton, draws()))
    deviation = np.sqrt((moved**2).mean(axis=(0, 1, 3)))
    head = np.array([name in ("neck", "head", "head_top") for name in skeleton.joints])
    # A long bone may also be seen longer or shorter, which comes on top; the root has no bone.
    deviation[head] /= 3
    assert (deviation > 0.9 * 0.02).all() and (deviation < 1.6 * 0.02).all()
    assert deviation[skeleton.root] < 1.2 * 0.02


def test_displacement_turns_with_the_trunk():
    pose = person(50, 1)
    turned = np.einsum("xy,btjy->btjx", Rotation.from_euler("xyz", (0.4, 1.1, -2)).as_matrix(), pose)
    both = np.concatenate([pose, turned], axis=1).astype(np.float32)
    moved = np.asarray(bodies.displacement(both, 0.03, H36M_17, draws()))
    assert np.abs(moved).max() > 0.03
    np.testing.assert_allclose(
        np.einsum("xy,bjy->bjx", Rotation.from_euler("xyz", (0.4, 1.1, -2)).as_matrix(), moved[:, 0]),
        moved[:, 1],
        atol=1e-5,
    )


def test_heads_nod_to_where_the_chest_points():
    # People who look along y with their left at negative x, until they are turned.
    pose = person(400, 1).astype(np.float32)
    at = {name: pose[:, 0, joint].astype(float) for joint, name in enumerate(H36M_17.joints)}
    chest = np.cross(at["left_shoulder"] - at["right_shoulder"], at["thorax"])
    toes = np.cross(np.array([0, 0, 1.0]), at["right_shoulder"] - at["left_shoulder"])
    assert (np.sum(chest * toes, axis=-1) > 0).all(), "else left and right are exchanged here"
    turned = np.asarray(bodies.turn_limbs(pose, 8.0, H36M_17, draws()))
    head = H36M_17.index("head")
    forward = np.sum((turned - pose)[:, 0, head] * chest, axis=-1) / np.linalg.norm(chest, axis=-1)
    # Twenty degrees on average, of a head 20 cm above the thorax; the turns about all axes cancel.
    assert forward.mean() > 0.03 and (forward > 0).mean() > 0.8


def test_half_of_the_detectors_have_no_neck_and_imply_it_as_joint_maps_do():
    pose = person(1000, 2).astype(np.float32)
    implied = np.asarray(bodies.implied_neck(pose, H36M_17, draws()))
    thorax, neck, head = (H36M_17.index(name) for name in ("thorax", "neck", "head"))
    on_the_way = np.abs(implied[:, :, neck] - (2 * pose[:, :, thorax] + pose[:, :, head]) / 3).max(axis=(1, 2)) < 1e-5
    assert 0.4 < on_the_way.mean() < 0.6
    np.testing.assert_array_equal(implied[~on_the_way], pose[~on_the_way])
    others = [joint for joint in range(17) if joint != neck]
    np.testing.assert_array_equal(implied[:, :, others], pose[:, :, others])
    # What a map makes of a detector without a neck is such a neck.
    mapped = joint_map("coco_17", "h36m_17") @ np.random.default_rng(0).normal(size=(17, 3))
    np.testing.assert_allclose(mapped[neck], (2 * mapped[thorax] + mapped[head]) / 3, atol=1e-9)


@pytest.mark.parametrize("alter", [bodies.mix_limbs, bodies.turn_limbs])
def test_a_skeleton_without_a_neck_keeps_its_head(alter):
    pose = np.random.default_rng(0).normal(size=(8, 2, 17, 3)).astype(np.float32)
    altered = np.asarray(alter(pose, 0.9, COCO_17, draws()))
    moved = {
        name
        for name, before, after in zip(COCO_17.joints, *(np.moveaxis(p, 2, 0) for p in (pose, altered)), strict=True)
        if np.abs(before - after).max() > 1e-3
    }
    assert moved == {f"{side}_{joint}" for side in ("left", "right") for joint in ("elbow", "wrist", "knee", "ankle")}
