"""The description of the drawn skeleton, derived from the skeleton."""

import numpy as np
import pytest
from PIL import ImageColor

from skelgnn_tf.rendering.figure import LEFT, MIDDLE, RIGHT, STYLE, drawn_bones, far_to_near, is_seen, joint_colors
from skelgnn_tf.skeletons import ALL, COCO_17, H36M_17


@pytest.mark.parametrize("skeleton", ALL.values(), ids=lambda s: s.name)
def test_every_bone_is_drawn_once_and_mirrored_joints_have_the_other_color(skeleton):
    bones, colors = drawn_bones(skeleton), joint_colors(skeleton)
    assert [(bone.child, bone.parent) for bone in bones] == list(skeleton.bones)
    other = {LEFT: RIGHT, RIGHT: LEFT, MIDDLE: MIDDLE}
    for joint, name in enumerate(skeleton.joints):
        assert colors[skeleton.mirror[joint]] == other[colors[joint]], name
        assert (colors[joint] == LEFT) == name.startswith("left_"), name
    assert all(bone.color == colors[bone.child] for bone in bones)


def test_only_the_outermost_joint_of_a_head_carries_the_disc():
    assert [H36M_17.joints[bone.child] for bone in drawn_bones(H36M_17) if bone.has_head] == ["head"]
    assert not any(bone.has_head for bone in drawn_bones(COCO_17))


def test_a_bone_ends_at_its_joints_or_in_the_middle_of_the_disc():
    points = np.random.default_rng(0).normal(size=(17, 3))
    for bone in drawn_bones(H36M_17):
        outer, inner = bone.ends(points)
        np.testing.assert_array_equal(inner, points[bone.parent])
        along = STYLE.head_at if bone.has_head else 1
        np.testing.assert_allclose(outer, inner + along * (points[bone.child] - inner), atol=1e-12)


def test_bones_that_touch_a_joint_that_was_not_seen_are_ghosts():
    unseen = np.zeros(17, bool)
    unseen[H36M_17.index("left_knee")] = True
    ghosts = [H36M_17.joints[bone.child] for bone in drawn_bones(H36M_17) if bone.is_ghost(unseen)]
    assert sorted(ghosts) == ["left_ankle", "left_knee"]


def test_a_ghost_is_a_paler_kind_of_its_color():
    for bone in drawn_bones(H36M_17):
        color, ghost = (np.array(ImageColor.getrgb(one)) for one in (bone.color, bone.ghost))
        # Two thirds of the way to white.
        np.testing.assert_allclose(ghost, color + 0.68 * (255 - color), atol=0.51)
    assert STYLE.ghost < STYLE.bone_3d


def test_near_bones_are_drawn_last():
    depth = np.random.default_rng(1).normal(size=17)
    order = far_to_near(drawn_bones(H36M_17), depth)
    middle = [depth[bone.child] + depth[bone.parent] for bone in order]
    assert middle == sorted(middle, reverse=True)
    assert set(order) == set(drawn_bones(H36M_17))


def test_keypoints_without_confidence_are_all_drawn():
    keypoints = np.ones((5, 3))
    keypoints[2, 2] = 0
    assert is_seen(keypoints).tolist() == [True, True, False, True, True]
    assert is_seen(keypoints[:, :2]).all()
