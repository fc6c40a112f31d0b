"""The detector model of the generated data set: noise, confidence, gaps, swapped sides, other joint definitions."""

from __future__ import annotations

import numpy as np
import pytest

from skelgnn_tf.datasets import fitness
from skelgnn_tf.datasets.fitness.body import INDEX
from skelgnn_tf.datasets.fitness.detector import hidden, redefined
from skelgnn_tf.datasets.fitness.generator import act
from skelgnn_tf.skeletons import BLAZEPOSE_33, COCO_17, H36M_17

J = {joint: i for i, joint in enumerate(H36M_17.joints)}


@pytest.fixture(scope="module")
def clips():
    return fitness.generate(52, seed=21, frames=120)


def errors(clip):
    """Distance (frames, joints) of each keypoint from its true joint, as a part of the person's size."""
    true = clip.camera.project(clip.pose_m.astype(float))
    size = np.median(np.ptp(true, axis=1).max(axis=1))
    return np.linalg.norm(clip.keypoints[0, ..., :2] - true, axis=-1) / size


def test_seen_joints_are_off_by_a_percent_or_two(clips):
    usual = [np.median(errors(clip)[clip.keypoints[0, ..., 2] > 0.5]) for clip in clips]
    assert 0.008 < np.median(usual) < 0.03
    assert np.ptp(usual) > 0.005


def test_wrists_are_noisier_than_heads(clips):
    def spread(joint):
        parts = []
        for clip in clips:
            fast = np.diff(clip.keypoints[0, :, J[joint], :2] - clip.camera.project(clip.pose_m[:, J[joint]]), axis=0)
            fast /= np.ptp(clip.keypoints[0, :, :, 1])
            parts.append(np.median(np.abs(fast)))
        return np.median(parts)

    assert spread("left_wrist") > 1.15 * spread("neck")


def test_confidence_falls_with_the_error(clips):
    error = np.concatenate([errors(clip).ravel() for clip in clips])
    confidence = np.concatenate([clip.keypoints[0, ..., 2].ravel() for clip in clips])
    seen = confidence > 0
    assert np.all((confidence >= 0) & (confidence <= 1))
    assert np.median(error[seen & (confidence < 0.4)]) > 2 * np.median(error[confidence > 0.8])


def test_some_joints_are_missing_for_a_while_and_then_come_back(clips):
    missing = np.stack([clip.keypoints[0, ..., 2] == 0 for clip in clips])
    assert 0.002 < missing.mean() < 0.08
    assert np.any(missing[:, :-1] & ~missing[:, 1:])
    # Frames in a row, not single frames strewn about.
    stays = missing[:, 1:][missing[:, :-1]].mean()
    assert stays > 0.8
    assert np.any(~missing.any(axis=(1, 2)))


def test_whole_limbs_go_missing_together(clips):
    together = sum(
        np.sum(np.all(clip.keypoints[0][:, [J[f"{side}_knee"], J[f"{side}_ankle"]], 2] == 0, axis=1))
        for clip in clips
        for side in ("left", "right")
    )
    assert together > 20


def test_joints_outside_the_picture_are_unsure(clips):
    outside, inside = [], []
    for clip in clips:
        true = clip.camera.project(clip.pose_m.astype(float))
        far = np.any((true < -20) | (true > np.array(clip.image_size_px) + 20), axis=-1)
        outside.append(clip.keypoints[0, ..., 2][far])
        inside.append(clip.keypoints[0, ..., 2][~far])
    assert len(np.concatenate(outside)) > 50
    assert np.concatenate(outside).mean() < 0.25 < 0.6 < np.concatenate(inside).mean()


def test_sides_are_swapped_in_short_runs():
    swapped = []
    for clip in fitness.generate(40, seed=33, frames=120, exercise="lunge"):
        true = clip.camera.project(clip.pose_m.astype(float))
        seen = clip.keypoints[0, ..., :2]
        ankles = [J["left_ankle"], J["right_ankle"]]
        apart = np.linalg.norm(true[:, ankles[0]] - true[:, ankles[1]], axis=-1)
        own = np.linalg.norm(seen[:, ankles] - true[:, ankles], axis=-1).max(axis=1)
        other = np.linalg.norm(seen[:, ankles] - true[:, ankles[::-1]], axis=-1).max(axis=1)
        swapped.append((other < 0.4 * apart) & (own > 0.6 * apart))
    swapped = np.array(swapped)
    assert 0.001 < swapped.mean() < 0.1
    assert swapped[:, 1:][swapped[:, :-1]].mean() > 0.5
    assert np.mean(swapped.any(axis=1)) < 0.8


@pytest.mark.parametrize("layout", [H36M_17, COCO_17, BLAZEPOSE_33], ids=lambda layout: layout.name)
def test_a_detector_has_joints_of_its_own_for_the_whole_clip(layout):
    offsets = {joint: [] for joint in layout.joints}
    for k in range(20):
        pose, _ = act(np.random.default_rng([3, k]), fitness.CLASSES.index("lunge"), 60, 30.0)
        believed = redefined(np.random.default_rng(k), pose, layout)
        for i, joint in enumerate(layout.joints):
            off = np.linalg.norm(believed[:, i] - pose.joints_m[:, INDEX[joint]], axis=-1)
            assert np.ptp(off) < 1e-9
            offsets[joint].append(off[0])
    means = {joint: np.mean(off) for joint, off in offsets.items()}
    assert 0.01 < np.mean(list(means.values())) < 0.05
    assert means["left_hip"] > means["left_knee"]
    assert means["left_shoulder"] > means["left_elbow"]


def test_a_hand_behind_the_back_is_hidden_and_one_before_it_is_not():
    pose, _ = act(np.random.default_rng(0), fitness.CLASSES.index("biceps_curl"), 5, 30.0)
    # A lens 3 m before the person (who faces +y) at the height of the chest: x of the picture is the person's left.
    seen = pose.joints_m * [-1, -1, -1] + [0, 3, 1.2]
    seen = seen[..., [0, 2, 1]]
    chest = (seen[:, INDEX["hip"]] + seen[:, INDEX["thorax"]]) / 2
    behind, before = seen.copy(), seen.copy()
    behind[:, INDEX["left_wrist"]] = chest * 1.06
    before[:, INDEX["left_wrist"]] = chest * 0.92
    assert hidden(behind)[:, INDEX["left_wrist"]].min() > 0.9
    assert hidden(before)[:, INDEX["left_wrist"]].max() == 0
    # Hips and shoulders of somebody who faces the lens are in sight.
    assert hidden(seen)[:, [INDEX["left_hip"], INDEX["right_shoulder"]]].max() < 0.5


def test_keypoints_of_every_layout_train_alike():
    for layout in fitness.LAYOUTS:
        for clip in fitness.generate(13, seed=2, frames=40, layout=layout):
            assert clip.keypoints.shape == (1, 40, 17, 3)
            usual = np.median(errors(clip)[clip.keypoints[0, ..., 2] > 0.5])
            assert usual < 0.06


def test_several_layouts_may_be_drawn_from():
    mixed = fitness.generate(13, seed=2, frames=20, detector=False, layout=fitness.LAYOUTS)
    direct = fitness.generate(13, seed=2, frames=20, detector=False)
    head = [
        np.allclose(a.keypoints[0, :, J["head"]], b.keypoints[0, :, J["head"]])
        for a, b in zip(mixed, direct, strict=True)
    ]
    assert 0 < sum(head) < 13
