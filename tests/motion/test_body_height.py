"""Heights derived from bones: figures of known lengths, and generated bodies against the generator's truth."""

import numpy as np
import pytest

from skelgnn_tf.datasets.fitness import make_clip
from skelgnn_tf.datasets.fitness.body import draw_body
from skelgnn_tf.motion import body_height_m
from skelgnn_tf.skeletons import COCO_17, H36M_17, MPI_INF_3DHP_17, Skeleton, joint_map
from support.stick_figure import SHANK_M, THIGH_M, TRUNK_M, curling, figure, squatting, turned

#: The figure's head lies at 1.45 of its trunk, and under the ankle there are 3.9 % of the height.
TALL_M = (THIGH_M + SHANK_M + 1.45 * TRUNK_M) / 0.961


@pytest.mark.parametrize(
    "pose_m", [figure(), squatting(1), squatting(0.4), curling(1), turned(squatting(1), (70, 20, 110))]
)
def test_the_posture_and_the_side_one_is_seen_from_do_not_matter(pose_m):
    assert body_height_m(pose_m[None] + [3, 1, 5], H36M_17) == pytest.approx(TALL_M)


def test_a_body_of_half_the_size_is_half_as_tall():
    assert body_height_m(figure()[None] / 2, H36M_17) == pytest.approx(TALL_M / 2)


def test_frames_without_anybody_and_a_few_stretched_ones_change_nothing():
    clip = np.stack([squatting(u) for u in np.linspace(0, 1, 21)])
    clip[3:7] = np.nan
    clip[10:13] *= 3
    assert body_height_m(clip, H36M_17) == pytest.approx(TALL_M)


def test_legs_of_two_lengths_count_half_each():
    pose_m = figure()
    pose_m[H36M_17.index("left_ankle")] += [0, 0.1, 0]
    assert body_height_m(pose_m[None], H36M_17) == pytest.approx(TALL_M + 0.05 / 0.961)


def test_generated_people_are_as_tall_as_their_bodies_in_every_skeleton_of_lifters():
    to_mpi, errors = joint_map(H36M_17, MPI_INF_3DHP_17), []
    for index in range(26):
        # A clip's body is the first that its random numbers make.
        true_m = draw_body(np.random.default_rng([5, 0, index])).height_m
        pose_m = make_clip(5, index, frames=8, detector=False).pose_m
        found_m = body_height_m(pose_m, H36M_17)
        errors.append(found_m / true_m - 1)
        # MPI-INF-3DHP calls Human3.6M's neck its head.
        assert body_height_m(to_mpi @ pose_m, MPI_INF_3DHP_17) == pytest.approx(found_m, rel=1e-5)
    assert np.abs(errors).max() < 0.05 and abs(np.mean(errors)) < 0.01


def test_a_joint_that_is_missing_in_a_frame_takes_no_part_in_it():
    pose_m = np.repeat(figure()[None], 6, axis=0)
    for frame, joint in enumerate(("left_wrist", "left_ankle", "head", "thorax", "hip")):
        pose_m[frame, H36M_17.index(joint)] = np.nan
    assert body_height_m(pose_m, H36M_17) == pytest.approx(TALL_M)
    # A joint of another layout is missing only with the joints that it is made of.
    coco = np.random.default_rng(0).normal(size=(1, 17, 3)).repeat(3, axis=0)
    height_m = body_height_m(coco, COCO_17)
    coco[0, COCO_17.index("left_ear")] = coco[1, COCO_17.index("right_wrist")] = np.nan
    assert body_height_m(coco, COCO_17) == pytest.approx(height_m)
    pose_m[:, H36M_17.index("left_knee")] = np.nan
    with pytest.raises(ValueError, match="in which the person is seen from head to feet"):
        body_height_m(pose_m, H36M_17)


def test_what_has_no_height_says_why():
    with pytest.raises(ValueError, match="at least one frame in which the person is seen"):
        body_height_m(np.full((5, 17, 3), np.nan), H36M_17)
    legs = Skeleton("legs", ("hip", "left_knee", "right_knee"), (-1, 0, 0), (0, 2, 1))
    with pytest.raises(ValueError, match="must have legs, spine and head.*Received: legs, which lacks .*head"):
        body_height_m(np.zeros((1, 3, 3)), legs)
    # COCO's ears and shoulders imply a head.
    assert body_height_m(np.random.default_rng(0).normal(size=(4, 17, 3)), COCO_17) > 0
