"""Scores against nested loops, hand-made arrays and properties."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.skeletons import H36M_17, MPI_INF_3DHP_17, joint_map
from skelgnn_tf.training.lift.scores import HARDEST_PERCENT, frame_errors, score_3dhp, score_lifting


def make_clip(pose_m, action="Walking", **fields):
    frames, joints = pose_m.shape[:2]
    return Clip(f"clip {action}", np.zeros((1, frames, joints, 2), "f4"), pose_m, action=action, **fields)


def random_clips(seed=0, lengths=(7, 3, 12), actions=("Walking", "Sitting", "Walking")):
    rng = np.random.default_rng(seed)
    clips = [make_clip(rng.normal(size=(n, 17, 3)) * 0.4, action) for n, action in zip(lengths, actions, strict=True)]
    predictions = [
        clip.pose_m - clip.pose_m[:, :1] + rng.normal(size=clip.pose_m.shape) * rng.uniform(0.01, 0.2, (len(p), 1, 1))
        for clip, p in ((clip, clip.pose_m) for clip in clips)
    ]
    return predictions, clips


def distance(a, b):
    return math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b, strict=True)))


def slow_mean(values):
    values = list(values)
    return sum(values) / len(values)


def slow_p1(prediction, target):
    return slow_mean(distance(p, t - target[0]) for p, t in zip(prediction, target, strict=True))


def slow_p2(prediction, target):
    p, t = prediction - prediction.mean(axis=0), target - target.mean(axis=0)
    rotation, _ = Rotation.align_vectors(t, p)
    turned = rotation.apply(p)
    scale = (turned * t).sum() / (p * p).sum()
    return slow_mean(distance(a * scale, b) for a, b in zip(turned, t, strict=True))


def slow_mpjve(prediction, target):
    return slow_mean(
        distance(
            prediction[f + 1, j] - prediction[f, j],
            (target[f + 1, j] - target[f + 1, 0]) - (target[f, j] - target[f, 0]),
        )
        for f in range(len(target) - 1)
        for j in range(17)
    )


def test_scores_agree_with_nested_loops():
    predictions, clips = random_clips()
    scores = score_lifting(predictions, clips, H36M_17)
    for key, slow in (("p1_mm", slow_p1), ("p2_mm", slow_p2)):
        by_action = {}
        for prediction, clip in zip(predictions, clips, strict=True):
            errors = [1000 * slow(p, t) for p, t in zip(prediction, clip.pose_m, strict=True)]
            by_action.setdefault(clip.action, []).extend(errors)
        assert scores["by_action"].keys() == by_action.keys()
        for action, errors in by_action.items():
            assert scores["by_action"][action][key] == pytest.approx(slow_mean(errors), rel=1e-6)
            assert scores["by_action"][action]["frames"] == len(errors)
        assert scores[key] == pytest.approx(slow_mean(map(slow_mean, by_action.values())), rel=1e-6)
        all_frames = [error for errors in by_action.values() for error in errors]
        assert scores[key.replace("_mm", "_frame_mean_mm")] == pytest.approx(slow_mean(all_frames), rel=1e-6)


def test_joint_errors_are_means_over_all_frames():
    predictions, clips = random_clips(1)
    by_joint = score_lifting(predictions, clips, H36M_17)["by_joint_mm"]
    assert list(by_joint) == list(H36M_17.joints)
    for joint, name in enumerate(H36M_17.joints):
        errors = [
            1000 * distance(prediction[f, joint], clip.pose_m[f, joint] - clip.pose_m[f, 0])
            for prediction, clip in zip(predictions, clips, strict=True)
            for f in range(clip.num_frames)
        ]
        assert by_joint[name] == pytest.approx(slow_mean(errors))


def test_action_mean_differs_from_frame_mean_when_actions_are_uneven():
    still = np.zeros((1, 17, 3))
    clips = [make_clip(np.repeat(still, 9, 0), "Walking"), make_clip(still, "Sitting")]
    # 10 mm off in nine frames, 50 mm in one.
    predictions = [np.full((9, 17, 3), (0.010, 0, 0)), np.full((1, 17, 3), (0.030, 0.040, 0))]
    scores = score_lifting(predictions, clips, H36M_17)
    assert scores["p1_mm"] == pytest.approx(30)
    assert scores["p1_frame_mean_mm"] == pytest.approx(14)
    assert scores["frames"] == 10 and scores["clips"] == 2


def test_scaling_a_pose_costs_p1_but_neither_p2_nor_n_mpjpe():
    _, clips = random_clips(2)
    predictions = [1.3 * (clip.pose_m - clip.pose_m[:, :1]) for clip in clips]
    scores = score_lifting(predictions, clips, H36M_17)
    assert scores["p1_mm"] > 50
    assert scores["p2_mm"] == pytest.approx(0, abs=1e-6) and scores["n_mpjpe_mm"] == pytest.approx(0, abs=1e-6)


def test_turning_a_pose_costs_n_mpjpe_but_not_p2():
    _, clips = random_clips(3)
    turn = Rotation.from_euler("y", 20, degrees=True).as_matrix()
    scores = score_lifting([(clip.pose_m - clip.pose_m[:, :1]) @ turn for clip in clips], clips, H36M_17)
    assert scores["p2_mm"] == pytest.approx(0, abs=1e-6) and scores["n_mpjpe_mm"] > 50


def test_velocity_error_weighs_clips_by_their_frames_and_actions_alike():
    predictions, clips = random_clips(4)
    walking = [(len(clips[i].pose_m), slow_mpjve(predictions[i], clips[i].pose_m)) for i in (0, 2)]
    expected = sum(n * v for n, v in walking) / sum(n for n, _ in walking) * 1000
    scores = score_lifting(predictions, clips, H36M_17)
    assert scores["by_action"]["Walking"]["mpjve_mm"] == pytest.approx(expected)
    sitting = slow_mpjve(predictions[1], clips[1].pose_m) * 1000
    assert scores["mpjve_mm"] == pytest.approx((expected + sitting) / 2)


def test_velocities_never_cross_the_borders_of_clips():
    _, clips = random_clips(5)
    # Each clip is off by another constant: positions are wrong, motion is right.
    predictions = [
        clip.pose_m - clip.pose_m[:, :1] + offset for clip, offset in zip(clips, (0.1, 0.7, -2), strict=True)
    ]
    scores = score_lifting(predictions, clips, H36M_17)
    assert scores["mpjve_mm"] == pytest.approx(0, abs=1e-9) and scores["p1_mm"] > 100


def test_velocities_never_cross_frames_that_do_not_count():
    pose = np.zeros((5, 17, 3))
    valid = np.array([True, True, False, True, True])
    prediction = np.array([0.0, 0.01, 5.0, 0.5, 0.53])[:, None, None] * np.ones((1, 17, 3)) * (1, 0, 0)
    scores = score_lifting([prediction], [make_clip(pose, valid=valid)], H36M_17)
    assert scores["mpjve_mm"] == pytest.approx((10 + 30) / 2)


def test_an_action_of_single_frames_has_no_velocity():
    predictions, clips = random_clips(6, (5, 1, 1), ("Walking", "Sitting", "Sitting"))
    scores = score_lifting(predictions, clips, H36M_17)
    assert scores["by_action"]["Sitting"]["mpjve_mm"] is None
    assert scores["mpjve_mm"] == pytest.approx(scores["by_action"]["Walking"]["mpjve_mm"])


def test_frames_that_do_not_count_change_nothing():
    predictions, clips = random_clips(7)
    expected = score_lifting(predictions, clips, H36M_17)
    rng = np.random.default_rng(0)
    longer, junk = [], []
    for prediction, clip in zip(predictions, clips, strict=True):
        pad = rng.normal(size=(4, 17, 3))
        valid = np.array([False] * 4 + [True] * clip.num_frames)
        longer.append(make_clip(np.concatenate([pad, clip.pose_m]), clip.action, valid=valid))
        junk.append(np.concatenate([10 * pad, prediction]))
    assert score_lifting(junk, longer, H36M_17) == expected
    np.testing.assert_array_equal(frame_errors(junk, longer, H36M_17), frame_errors(predictions, clips, H36M_17))


def test_the_place_of_the_person_does_not_count():
    predictions, clips = random_clips(8)
    moved = [replace(clip, pose_m=clip.pose_m + np.array([0.5, -1, 4])) for clip in clips]
    here, there = (score_lifting(predictions, some, H36M_17) for some in (clips, moved))
    assert there["p1_mm"] == pytest.approx(here["p1_mm"]) and there["mpjve_mm"] == pytest.approx(here["mpjve_mm"])


def test_hardest_shares_take_the_worst_frames_by_oneself_or_by_the_reference():
    errors_mm = np.arange(100, dtype=float)
    np.random.default_rng(0).shuffle(errors_mm)
    prediction = np.zeros((100, 17, 3)) + errors_mm[:, None, None] / 1000 * np.array([1, 0, 0])
    clips = [make_clip(np.zeros((100, 17, 3)))]
    # The reference finds hard what this model finds easy.
    scores = score_lifting([prediction], clips, H36M_17, reference_errors=-errors_mm)
    for percent in HARDEST_PERCENT:
        assert scores[f"hardest_{percent}_mm"] == pytest.approx(slow_mean(range(100 - percent, 100)))
        assert scores["hard_reference"][f"hardest_{percent}_mm"] == pytest.approx(slow_mean(range(percent)))
    assert scores["share_over_60mm"] == pytest.approx(0.39)


def test_own_errors_as_reference_give_the_own_hardest():
    predictions, clips = random_clips(9)
    scores = score_lifting(predictions, clips, H36M_17, frame_errors(predictions, clips, H36M_17))
    assert scores["hard_reference"] == {key: scores[key] for key in scores["hard_reference"]}
    assert "hard_reference" not in score_lifting(predictions, clips, H36M_17)


def test_the_curve_counts_poses_over_each_threshold():
    predictions, clips = random_clips(10)
    errors_mm = frame_errors(predictions, clips, H36M_17) * 1000
    curve = score_lifting(predictions, clips, H36M_17)["error_over_threshold"]
    for threshold, share in zip(curve["thresholds_mm"], curve["share"], strict=True):
        assert share == sum(error > threshold for error in errors_mm) / len(errors_mm)


def test_scores_are_plain_json():
    predictions, clips = random_clips(11)
    scores = score_lifting(predictions, clips, H36M_17, frame_errors(predictions, clips, H36M_17), "pixel")
    assert json.loads(json.dumps(scores, allow_nan=False)) == scores
    assert scores["protocol"] == "pixel"


def broken(what):
    predictions, clips = random_clips(12)
    if what == "count":
        predictions = predictions[:2]
    elif what == "frames":
        predictions[1] = predictions[1][:-1]
    elif what == "joints":
        predictions[1] = predictions[1][:, :-1]
    elif what == "nan":
        predictions[1][2, 5] = np.nan
    elif what == "no poses":
        clips[1] = replace(clips[1], pose_m=None)
    elif what == "none count":
        clips = [replace(clip, valid=np.zeros(clip.num_frames, bool)) for clip in clips]
    return predictions, clips


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("count", "3 clips. Received: 2."),
        ("frames", r"clip Sitting.*\(3, 17, 3\).*\(2, 17, 3\)"),
        ("joints", r"h36m_17.*\(3, 16, 3\)"),
        ("nan", "clip Sitting.*frame 2"),
        ("no poses", "clip Sitting.*must have 3D poses"),
        ("none count", "at least one valid frame"),
    ],
)
def test_what_cannot_be_scored_is_named(what, message):
    with pytest.raises(ValueError, match=message):
        score_lifting(*broken(what), H36M_17)


def test_a_reference_on_other_frames_and_an_unknown_protocol_are_refused():
    predictions, clips = random_clips(13)
    with pytest.raises(ValueError, match="same clips"):
        score_lifting(predictions, clips, H36M_17, reference_errors=np.zeros(5))
    with pytest.raises(ValueError, match="protocol must be one of camera, pixel. Received: 'meters'"):
        score_lifting(predictions, clips, H36M_17, protocol="meters")


def sequences(seed=0):
    rng = np.random.default_rng(seed)
    clips = [
        replace(make_clip(rng.normal(size=(n, 17, 3)) * 0.4, setting), subject=subject)
        for n, subject, setting in (
            (6, "TS1", "green_screen"),
            (2, "TS3", "no_green_screen"),
            (4, "TS4", "no_green_screen"),
        )
    ]
    root = MPI_INF_3DHP_17.root
    predictions = [
        clip.pose_m - clip.pose_m[:, root : root + 1] + rng.normal(size=clip.pose_m.shape) * 0.1 for clip in clips
    ]
    return predictions, clips


def test_pck_and_auc_agree_with_nested_loops():
    predictions, clips = sequences()
    counting = [j for j, name in enumerate(MPI_INF_3DHP_17.joints) if name not in ("pelvis", "spine", "head")]
    assert len(counting) == 14
    scores = score_3dhp(predictions, clips, MPI_INF_3DHP_17)

    def slow(chosen, threshold_m):
        return slow_mean(
            float(distance(predictions[c][f, j], clips[c].pose_m[f, j] - clips[c].pose_m[f, 14]) < threshold_m)
            for c in chosen
            for f in range(clips[c].num_frames)
            for j in counting
        )

    for found, chosen in (
        (scores, (0, 1, 2)),
        (scores["by_sequence"]["TS3"], (1,)),
        (scores["by_setting"]["green_screen"], (0,)),
        (scores["by_setting"]["no_green_screen"], (1, 2)),
    ):
        assert found["frames"] == sum(clips[c].num_frames for c in chosen)
        assert found["pck"] == pytest.approx(slow(chosen, 0.150))
        assert found["auc"] == pytest.approx(slow_mean(slow(chosen, mm / 1000) for mm in range(0, 151, 5)))


def test_pelvis_spine_and_head_do_not_count_for_pck():
    predictions, clips = sequences(1)
    before = score_3dhp(predictions, clips, MPI_INF_3DHP_17)
    for prediction in predictions:
        for name in ("pelvis", "spine", "head"):
            prediction[:, MPI_INF_3DHP_17.index(name)] += 3
    after = score_3dhp(predictions, clips, MPI_INF_3DHP_17)
    assert (after["pck"], after["auc"]) == (before["pck"], before["auc"])
    assert after["mpjpe_mm"] > before["mpjpe_mm"]


def test_poses_mapped_to_another_layout_have_the_same_pck():
    predictions, clips = sequences(2)
    to_h36m = joint_map(MPI_INF_3DHP_17, H36M_17).astype(float)
    mapped = [replace(clip, pose_m=to_h36m @ clip.pose_m) for clip in clips]
    here = score_3dhp(predictions, clips, MPI_INF_3DHP_17)
    there = score_3dhp([to_h36m @ prediction for prediction in predictions], mapped, H36M_17)
    assert there["pck"] == pytest.approx(here["pck"]) and there["auc"] == pytest.approx(here["auc"])


def test_only_valid_frames_count_for_pck():
    predictions, clips = sequences(3)
    valid = np.array([True, False, True, True, False, True])
    masked = [replace(clips[0], valid=valid)]
    kept = [replace(clips[0], keypoints=clips[0].keypoints[:, valid], pose_m=clips[0].pose_m[valid])]
    assert score_3dhp(predictions[:1], masked, MPI_INF_3DHP_17) == score_3dhp(
        [predictions[0][valid]], kept, MPI_INF_3DHP_17
    )
