"""Lifter and recognizer in a row on a keypoint file; what is saved is read back by readers that are not ours."""

import csv
import dataclasses
import itertools
import json

import numpy as np
import pytest
from rich.console import Console

from skelgnn_tf import checkpoints
from skelgnn_tf.checkpoints import LoadedModel
from skelgnn_tf.cli.summary import show
from skelgnn_tf.configs import ActionConfig, LiftConfig
from skelgnn_tf.datasets.fitness import generate
from skelgnn_tf.geometry import procrustes, root_relative
from skelgnn_tf.inference.add_motion import add_motion
from skelgnn_tf.inference.pipeline import predict
from skelgnn_tf.inference.predict_keypoints import predict_keypoints
from skelgnn_tf.inference.windows import recognize
from skelgnn_tf.keypoints import KeypointSequence
from skelgnn_tf.models.build import build_model
from skelgnn_tf.rendering.prediction_scene import scene_of
from skelgnn_tf.skeletons import ALL, COCO_17, H36M_17, joint_map
from skelgnn_tf.writers import notes_on, save
from support import oracles
from support.tiny_recognizer import lively

CLASSES = ("jump", "rest", "squat", "wave")
LIFT = LiftConfig(frames=3, channels=4, squeeze=0.5, confidence=True, keypoint_frame="person", causal=True, flip=False)
ACTION = ActionConfig(
    input="keypoints", skeleton="coco_17", frames=6, persons=1, size="small", channels=4,
    sampling="window", fps=0, normalization="box",
)  # fmt: skip
FPS = 25.0


def trained(config, name):
    model = build_model(config, CLASSES if config.task == "action" else ())
    return LoadedModel(name, lively(model) if config.task == "action" else oracles.randomize(model), config)


@pytest.fixture(scope="module")
def lifter():
    return trained(LIFT, "small lifter")


@pytest.fixture(scope="module")
def recognizer():
    return trained(ACTION, "small recognizer")


def moving(frames=30, persons=1, seed=0):
    """COCO's joints in a picture of 640 x 480: float32 (persons, frames, 17, 3)."""
    rng = np.random.default_rng(seed)
    at = rng.uniform(150, 350, (persons, 1, 17, 2)) + np.cumsum(rng.normal(size=(persons, frames, 17, 2)) * 4, axis=1)
    return np.concatenate([at, rng.uniform(0.2, 1, (persons, frames, 17, 1))], axis=-1).astype(np.float32)


def file_of(keypoints, fps=FPS, layout="coco_17"):
    return KeypointSequence("take.npz", keypoints, layout, (640, 480), fps)


def screen(keypoints):
    """x from -1 to 1, y in the same scale, from the middle of 640 x 480; missing joints zeros."""
    out = keypoints.copy()
    out[..., 0] = (keypoints[..., 0] - 320) / 320
    out[..., 1] = (keypoints[..., 1] - 240) / 320
    return np.where(keypoints[..., 2:] > 0, out, 0)


def h36m(keypoints):
    """COCO's joints as H36M's; a joint is as sure as the least sure of its parts: (frames, 17, 3)."""
    matrix = joint_map("coco_17", "h36m_17")
    out = np.einsum("ij,tjc->tic", matrix, keypoints)
    for row, weights in enumerate(matrix):
        out[:, row, 2] = keypoints[:, weights != 0, 2].min(axis=1)
    return out


def test_poses_are_those_of_the_model_on_its_own_joints(lifter):
    keypoints = moving(6)
    prediction = predict_keypoints(file_of(keypoints), lifter, None)
    joints = screen(h36m(keypoints[0]))
    for t in range(6):
        window = joints[[max(t - 2, 0), max(t - 1, 0), t]]
        pose = np.asarray(lifter.model(window[None].astype(np.float32)))[0, 0]
        np.testing.assert_allclose(prediction.poses.pose_m[t], pose - pose[0], atol=1e-4 * np.abs(pose).max())
    assert prediction.poses.skeleton == H36M_17 and prediction.actions is None
    assert (prediction.num_persons, prediction.num_frames, prediction.poses.latency_frames) == (1, 6, 0)


def test_the_small_recognizer_says_different_things(both):
    """Else the comparisons below would hold for any windows."""
    assert np.ptp(both.actions.decisions.probabilities, axis=0).max() > 0.1
    assert len(both.actions.segments) > 1


def test_a_recognizer_of_keypoints_sees_the_file_itself(recognizer):
    keypoints = moving(20)
    keypoints[0, 4, 3, 2] = 0
    blind = trained(ACTION.replace(confidence=False), "without confidence")
    for one, channels in ((recognizer, 3), (blind, 2)):
        # A keypoint of confidence 0 may lie anywhere.
        actions = predict_keypoints(file_of(keypoints), None, one, decide_every=4).actions
        expected = recognize(one.model, screen(keypoints)[..., :channels], decide_every=4)
        np.testing.assert_allclose(actions.decisions.probabilities, expected.probabilities, atol=1e-5)
    assert (actions.classes, actions.window_frames, actions.latency_frames) == (CLASSES, 6, 3)


def test_a_recognizer_of_poses_follows_the_lifter(lifter):
    follower = trained(
        ACTION.replace(input="pose", confidence=False, skeleton="h36m_17_lcn", normalization="center"), "x"
    )
    slow = LoadedModel("looks ahead", trained(LIFT.replace(causal=False), "").model, LIFT.replace(causal=False))
    keypoints = moving(20)
    keypoints[0, 9] = 0
    prediction = predict_keypoints(file_of(keypoints), slow, follower, decide_every=4)
    pose_m = prediction.poses.pose_m
    assert np.isnan(pose_m[9]).all() and np.isfinite(np.delete(pose_m, 9, axis=0)).all()
    fed = np.where(np.isnan(pose_m), 0, pose_m)[None]
    expected = recognize(follower.model, fed, decide_every=4)
    np.testing.assert_allclose(prediction.actions.decisions.probabilities, expected.probabilities, atol=1e-5)
    # It waits for the lifter, too.
    assert (prediction.poses.latency_frames, prediction.actions.latency_frames) == (1, 4)


def test_a_model_sees_a_fast_file_at_its_own_rate(lifter, recognizer):
    keypoints = moving(12)
    fast = np.repeat(keypoints, 2, axis=1)
    models = [LoadedModel(m.name, m.model, m.config.replace(fps=FPS)) for m in (lifter, recognizer)]
    slow, quick = (
        predict_keypoints(file_of(keypoints), *models, decide_every=4),
        predict_keypoints(file_of(fast, 2 * FPS), *models, decide_every=4),
    )
    np.testing.assert_allclose(quick.poses.pose_m[::2], slow.poses.pose_m, atol=1e-5)
    # Six frames, two apart.
    assert (slow.actions.window_frames, quick.actions.window_frames) == (6, 11)
    np.testing.assert_allclose(
        quick.actions.decisions.probabilities[-1], slow.actions.decisions.probabilities[-1], atol=1e-5
    )


def test_a_recognizer_of_whole_clips_decides_once(recognizer):
    whole = LoadedModel("whole", recognizer.model, ACTION.replace(sampling="resize"))
    keypoints = moving(26)
    prediction = predict_keypoints(file_of(keypoints), None, whole)
    actions = prediction.actions
    assert (actions.decisions.first.tolist(), actions.decisions.last.tolist()) == ([0], [25])
    # Every fifth frame of 26 makes the window of 6.
    expected = recognize(recognizer.model, screen(keypoints)[:, ::5], decide_every=6).probabilities
    np.testing.assert_allclose(actions.decisions.probabilities, expected, atol=1e-5)
    assert len(actions.segments) == 1 and (actions.window_frames, actions.latency_frames) == (26, 25)
    assert any("decides once" in note for note in prediction.notes)


def test_one_picture_has_a_pose_but_no_action_and_says_so(lifter, recognizer):
    keypoints = moving(1)
    whole = LoadedModel("whole", recognizer.model, ACTION.replace(sampling="resize"))
    for one in (recognizer, whole, None):
        prediction = predict_keypoints(file_of(keypoints), lifter, one)
        assert np.isfinite(prediction.poses.pose_m).all() and prediction.actions is None
        assert prediction.notes == ("one picture shows no motion: no action is recognized and nothing is counted",)
    motion = add_motion(prediction, exercise="squat").motion
    assert motion.exercise == () and len(motion.repetitions) == 0 and len(motion.angles_deg["left_knee"]) == 1
    # Two frames show motion.
    assert predict_keypoints(file_of(moving(2)), lifter, recognizer, decide_every=4).actions is not None


def test_joints_that_were_not_seen_have_no_place_but_a_guess(lifter):
    keypoints = moving(40)
    # The left knee is gone for more than half a second, the right one for less; nobody is seen in frame 30.
    keypoints[0, 10:25, COCO_17.index("left_knee")] = 0
    keypoints[0, 10:22, COCO_17.index("right_knee")] = 0
    keypoints[0, :, COCO_17.index("left_ear")] = 0
    keypoints[0, 30] = 0
    prediction = predict_keypoints(file_of(keypoints), lifter, None)
    poses, gone = prediction.poses, np.zeros((40, 17), bool)
    gone[10:25, H36M_17.index("left_knee")] = True
    # Head and neck of Human3.6M are made of both ears.
    gone[:, [H36M_17.index("head"), H36M_17.index("neck")]] = True
    gone[30] = True
    np.testing.assert_array_equal(np.isnan(poses.pose_m), np.repeat(gone[..., None], 3, axis=2))
    np.testing.assert_array_equal(poses.pose_m[~gone], poses.guess_m[~gone])
    assert np.isfinite(np.delete(poses.guess_m, 30, axis=0)).all() and np.isnan(poses.guess_m[30]).all()
    np.testing.assert_allclose(poses.confidence, h36m(keypoints[0])[..., 2])
    assert poses.pose_m.dtype == poses.guess_m.dtype == poses.confidence.dtype == np.float32
    assert prediction.notes == (
        "head not visible from 0.0 to 1.6 s",
        "left leg not visible from 0.4 to 1.0 s",
    )


def test_without_hips_the_seen_joints_keep_their_places(lifter):
    keypoints = moving(20)
    keypoints[0, :, [COCO_17.index(f"{side}_hip") for side in ("left", "right")]] = 0
    poses = predict_keypoints(file_of(keypoints), lifter, None).poses
    made_of_hips = [H36M_17.index(joint) for joint in ("hip", "left_hip", "right_hip", "spine")]
    assert np.isnan(poses.pose_m[:, made_of_hips]).all()
    others = np.delete(np.arange(17), made_of_hips)
    np.testing.assert_array_equal(poses.pose_m[:, others], poses.guess_m[:, others])
    # They are relative to the hip that the lifter guesses.
    assert not poses.guess_m[:, H36M_17.root].any()


def test_the_largest_person_is_followed_and_the_others_named(lifter, recognizer):
    keypoints = np.concatenate([moving(9), moving(9, seed=1), np.zeros((1, 9, 17, 3), np.float32)])
    keypoints[1, ..., :2] *= 2
    prediction = predict_keypoints(file_of(keypoints), lifter, recognizer, decide_every=4)
    alone = predict_keypoints(file_of(keypoints[1:2]), lifter, recognizer, decide_every=4)
    assert (prediction.person, prediction.num_persons, alone.num_persons) == (1, 2, 1)
    np.testing.assert_allclose(prediction.poses.pose_m, alone.poses.pose_m, atol=1e-5)
    np.testing.assert_allclose(
        prediction.actions.decisions.probabilities, alone.actions.decisions.probabilities, atol=1e-5
    )
    assert [
        "following person 1" in note and "largest of 2" in note and "others are ignored" in note
        for note in prediction.notes
    ] == [True]
    assert alone.notes == ()


def test_a_recognizer_of_two_gets_the_two_largest():
    pair = trained(ACTION.replace(persons=2), "pair")
    keypoints = moving(9, persons=3)
    keypoints[:2, ..., :2] *= [[[[2]]], [[[3]]]]
    found = predict_keypoints(file_of(keypoints), None, pair, decide_every=4)
    expected = recognize(pair.model, screen(keypoints[[1, 0]]), decide_every=4)
    np.testing.assert_allclose(found.actions.decisions.probabilities, expected.probabilities, atol=1e-5)
    alone = predict_keypoints(file_of(keypoints[:1]), None, pair, decide_every=4)
    expected = recognize(pair.model, np.concatenate([screen(keypoints[:1]), np.zeros((1, 9, 17, 3))]), decide_every=4)
    np.testing.assert_allclose(alone.actions.decisions.probabilities, expected.probabilities, atol=1e-5)


def test_equal_neighbors_are_one_segment(recognizer):
    prediction = predict_keypoints(file_of(moving(9)), None, recognizer, decide_every=4)
    labels = [1, 1, 1, 0, 0, 1, 3, 3, 3]
    scores = np.full((9, 4), 0.1, np.float32)
    scores[range(9), labels] = [0.5, 0.6, 0.7, 0.5, 0.5, 0.4, 0.9, 0.9, 0.9]
    decisions = dataclasses.replace(prediction.actions.decisions, frame_probabilities=scores)
    segments = dataclasses.replace(prediction.actions, decisions=decisions, labels=scores.argmax(axis=1)).segments
    assert [segment[:3] for segment in segments] == [(0, 2, 1), (3, 4, 0), (5, 5, 1), (6, 8, 3)]
    np.testing.assert_allclose([segment.probability for segment in segments], [0.6, 0.5, 0.4, 0.9], atol=1e-6)


@pytest.fixture(scope="module")
def legless(lifter):
    """22 frames whose knees and ankles are never seen."""
    keypoints = moving(22, seed=2)
    keypoints[0, :, [i for i, joint in enumerate(COCO_17.joints) if joint.endswith(("knee", "ankle"))]] = 0
    return predict_keypoints(file_of(keypoints), lifter, None)


LEGS = [i for i, joint in enumerate(H36M_17.joints) if joint.endswith(("knee", "ankle"))]


def test_every_format_leaves_out_the_joints_that_were_not_seen(legless, tmp_path):
    pose_m, confidence = legless.poses.pose_m, legless.poses.confidence
    seen = np.delete(np.arange(17), LEGS)
    found = json.loads(save(legless, tmp_path / "a.json").read_text(), parse_constant=pytest.fail)["pose"]
    for frame, places in enumerate(found["frames"]):
        assert [joint for joint, place in enumerate(places) if place is None] == LEGS
        np.testing.assert_allclose([places[i] for i in seen], pose_m[frame, seen], atol=6e-6, rtol=1e-6)
    np.testing.assert_allclose(found["confidence"], confidence, atol=6e-6)
    assert (confidence[:, LEGS] == 0).all() and (confidence[:, seen] > 0).all()
    with np.load(save(legless, tmp_path / "a.npz"), allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["pose_m"], pose_m)
        np.testing.assert_array_equal(arrays["confidence"], confidence)
    with open(save(legless, tmp_path / "a.csv"), newline="") as file:
        for frame, row in enumerate(csv.DictReader(file)):
            for joint, name in enumerate(H36M_17.joints):
                assert float(row[f"{name}_confidence"]) == pytest.approx(confidence[frame, joint], abs=6e-6)
                cells = [row[f"{name}_{axis}_m"] for axis in "xyz"]
                assert (cells == [""] * 3) == (joint in LEGS)
    cells = [line.split("\t") for line in save(legless, tmp_path / "a.trc").read_text().splitlines()[6:]]
    gone = np.array([[cell == "nan" for cell in row[2:]] for row in cells]).reshape(22, 17, 3)
    assert gone[:, LEGS].all() and not gone[:, seen].any()
    assert notes_on(legless, "a.trc") == ("a.trc: markers of joints that were not seen are missing (nan) in 22 frames",)


def test_bvh_has_the_guess_of_what_was_not_seen_and_says_so(legless, tmp_path):
    text = save(legless, tmp_path / "a.bvh").read_text()
    assert "nan" not in text
    whole = dataclasses.replace(legless.poses, pose_m=legless.poses.guess_m)
    assert text == save(dataclasses.replace(legless, poses=whole), tmp_path / "b.bvh").read_text()
    assert notes_on(legless, "a.bvh")[1:] == (
        "a.bvh: in 22 frames joints that were not seen are guesses of the lifter; BVH cannot omit them",
    )


def test_a_scene_shows_what_was_not_seen_as_ghosts(legless):
    keypoints = np.ones((1, 22, 17, 3), np.float32)
    scene = scene_of(legless, file_of(keypoints))
    assert np.flatnonzero(scene.unseen.all(axis=0)).tolist() == LEGS
    assert scene.unseen.any(axis=0).sum() == len(LEGS) and np.isfinite(scene.standing_m).all()


@pytest.fixture(scope="module")
def both(lifter, recognizer):
    keypoints = moving(22, seed=1)
    keypoints[0, 5] = 0
    return predict_keypoints(file_of(keypoints), lifter, recognizer, decide_every=4)


def test_json_says_what_its_numbers_are(both, tmp_path):
    found = json.loads(save(both, tmp_path / "deep" / "out.json").read_text(), parse_constant=pytest.fail)
    pose, action = found["pose"], found["action"]
    assert (pose["unit"], pose["axes"], pose["origin"]) == ("m", "camera: x right, y down, z forward", "hip")
    assert pose["joints"] == list(H36M_17.joints) and pose["latency_frames"] == 0
    assert [frame is None for frame in pose["frames"]] == [t == 5 for t in range(22)]
    np.testing.assert_allclose(
        [f for f in pose["frames"] if f], np.delete(both.poses.pose_m, 5, axis=0), atol=6e-6, rtol=1e-6
    )
    assert (action["window_frames"], action["hop_frames"], action["latency_frames"]) == (6, 4, 3)
    assert action["latency_s"] == 3 / FPS
    # Windows of six frames end at frames 3, 7, 11, 15, 19 and 21; the first ones begin with the file.
    ends = [3, 7, 11, 15, 19, 21]
    assert [round(w["end_s"] * FPS) - 1 for w in action["windows"]] == ends
    assert [round(w["start_s"] * FPS) for w in action["windows"]] == [max(end - 5, 0) for end in ends]
    for window, probabilities in zip(action["windows"], both.actions.decisions.probabilities, strict=True):
        order = sorted(range(4), key=lambda i: -probabilities[i])[:3]
        assert [top["action"] for top in window["top3"]] == [CLASSES[i] for i in order]
        np.testing.assert_allclose([top["probability"] for top in window["top3"]], probabilities[order], atol=6e-6)
        assert (window["action"], window["probability"]) == tuple(window["top3"][0].values())
    spans = [(s["start_s"], s["end_s"]) for s in action["segments"]]
    assert spans[0][0] == 0 and spans[-1][1] == 22 / FPS
    assert all(end == start for (_, end), (start, _) in itertools.pairwise(spans))


def test_npz_holds_every_bit_without_pickles(both, tmp_path):
    with np.load(save(both, tmp_path / "out.npz"), allow_pickle=False) as found:
        np.testing.assert_array_equal(found["pose_m"], both.poses.pose_m)
        np.testing.assert_array_equal(found["window_probabilities"], both.actions.decisions.probabilities)
        np.testing.assert_array_equal(found["frame_probabilities"], both.actions.decisions.frame_probabilities)
        assert found["window_last_frame"].tolist() == [3, 7, 11, 15, 19, 21]
        assert found["joints"].tolist() == list(H36M_17.joints) and found["classes"].tolist() == list(CLASSES)
        np.testing.assert_allclose(found["time_s"], np.arange(22) / FPS)
        assert (float(found["fps"]), found["image_size"].tolist()) == (FPS, [640, 480])


def test_csv_has_a_row_for_each_frame(both, tmp_path):
    header, *rows = [line.split(",") for line in save(both, tmp_path / "out.csv").read_text().splitlines()]
    assert header[:7] == ["frame", "time_s", "action", "probability", "hip_x_m", "hip_y_m", "hip_z_m"]
    assert len(header) == 4 + 17 * 3 + 17 and len(rows) == 22
    scores = both.actions.decisions.frame_probabilities
    for t, row in enumerate(rows):
        assert (int(row[0]), float(row[1])) == (t, t / FPS)
        assert row[2] == CLASSES[int(np.argmax(scores[t]))]
        assert float(row[3]) == pytest.approx(max(scores[t]), abs=6e-6)
        if t == 5:
            assert row[4:] == [""] * 51 + ["0.0"] * 17
        else:
            pose_m = np.array(row[4:55], float).reshape(17, 3)
            np.testing.assert_allclose(pose_m, both.poses.pose_m[t], atol=6e-6, rtol=1e-6)


def test_a_file_may_hold_poses_or_actions_alone(lifter, recognizer, tmp_path):
    poses, actions = (
        predict_keypoints(file_of(moving(9)), lifter, None),
        predict_keypoints(file_of(moving(9)), None, recognizer, decide_every=4),
    )
    assert json.loads(save(poses, tmp_path / "a.json").read_text())["action"] is None
    assert json.loads(save(actions, tmp_path / "a.json").read_text())["pose"] is None
    assert "pose_m" not in np.load(save(actions, tmp_path / "a.npz"))
    assert len(save(poses, tmp_path / "a.csv").read_text().splitlines()[0].split(",")) == 2 + 51 + 17
    assert save(actions, tmp_path / "a.csv").read_text().splitlines()[0] == "frame,time_s,action,probability"


def test_a_motion_wants_poses(recognizer, tmp_path):
    actions = predict_keypoints(file_of(moving(9)), None, recognizer, decide_every=4)
    for name in ("out.bvh", "out.trc"):
        with pytest.raises(ValueError, match=f"{name} must end with .json, .npz, .csv without a lifter"):
            save(actions, tmp_path / name)
        assert notes_on(actions, name) == ()
    assert not list(tmp_path.iterdir())


def test_motions_say_what_they_had_to_fill(both, tmp_path):
    bvh, trc = save(both, tmp_path / "out.bvh"), save(both, tmp_path / "out.trc")
    # Frame 5 of the fixture has nobody in it.
    assert "Frames: 22\nFrame Time: 0.04000000\n" in bvh.read_text() and "nan" not in bvh.read_text()
    assert [line.split("\t")[0] for line in trc.read_text().splitlines() if "nan" in line] == ["6"]
    assert "out.bvh: 1 frames without a person are interpolated" in notes_on(both, bvh)[1]
    assert "out.trc: markers are missing (nan) in 1 frames without a person" in notes_on(both, trc)[0]
    assert notes_on(both, "out.json") == ()


def test_no_half_file_is_left(both, tmp_path):
    (tmp_path / "out.json").mkdir()
    with pytest.raises(OSError, match="out.json"):
        save(both, tmp_path / "out.json")
    assert [f.name for f in tmp_path.iterdir()] == ["out.json"]
    with pytest.raises(ValueError, match=r"out.fbx must end with .json, .npz, .csv, .bvh, .trc. Received: .fbx"):
        save(both, tmp_path / "out.fbx")


def test_models_that_do_not_fit_are_refused(lifter, recognizer):
    file = file_of(moving(9))
    poses = trained(ACTION.replace(input="pose", confidence=False, normalization="center", skeleton="ntu_25"), "ntu")
    pixel = LoadedModel("pixel", lifter.model, LIFT.replace(protocol="pixel", keypoint_frame="screen"))
    lcn = trained(ACTION.replace(skeleton="ntu_25"), "ntu keypoints")
    for models, says in (
        ((None, None), "lifter and recognizer must not both be none"),
        ((recognizer, None), "small recognizer must be a pose lifter. Received: an action recognizer"),
        ((None, lifter), "small lifter must be an action recognizer. Received: a pose lifter"),
        ((None, poses), "ntu must be used with a lifter. It recognizes 3D poses"),
        (
            (lifter, poses),
            "ntu cannot be used with small lifter: source must have all joints of ntu_25. Received: h36m_17",
        ),
        ((pixel, None), "must be a lifter of --protocol camera. Received: pixel"),
        ((None, lcn), "all joints of ntu_25. Received: coco_17, which lacks"),
    ):
        with pytest.raises(ValueError, match=says) as refused:
            predict_keypoints(file, *models, decide_every=4)
        assert "\n" not in str(refused.value)
    with pytest.raises(ValueError, match="--decide-every must be 1 to 6"):
        predict_keypoints(file, None, recognizer, decide_every=7)


def test_predict_reads_and_predicts_and_a_summary_says_so(lifter, recognizer, tmp_path, capfd):
    for one, name in ((lifter, "lifter.keras"), (recognizer, "recognizer.keras")):
        checkpoints.save(one.model, one.config, tmp_path / name)
    np.savez(tmp_path / "take.npz", keypoints=moving(22, seed=1)[0])
    prediction = predict(
        tmp_path / "take.npz", lifter=tmp_path / "lifter.keras", recognizer=tmp_path / "recognizer.keras",
        layout="coco_17", image_size_px=(640, 480), decide_every=4, smooth=False,
    )  # fmt: skip
    assert capfd.readouterr().out == "", "nothing is printed unless asked"
    save(prediction, tmp_path / "out.json")
    console = Console(record=True, width=60)
    show(prediction, [tmp_path / "out.json"], console)
    printed = console.export_text()
    direct = predict_keypoints(file_of(moving(22, seed=1), 30.0), lifter, recognizer, decide_every=4)
    np.testing.assert_allclose(prediction.poses.pose_m, direct.poses.pose_m, atol=1e-5)
    saved = json.loads((tmp_path / "out.json").read_text())
    assert saved["pose"]["lifter"].endswith("lifter.keras")
    assert "1 person(s), 22 frames, 0.7 s at 30 fps" in printed
    assert "note: the file has no frame rate; 30 frames per second are assumed" in printed
    assert "latency at most 3 frames (0.10 s)" in printed
    for segment in saved["action"]["segments"]:
        assert f"{segment['start_s']:.2f} to " in printed and segment["action"] in printed


def test_a_scene_shows_the_followed_person_on_the_lifters_joints(lifter, recognizer, both):
    keypoints = moving(22, persons=2, seed=1)
    keypoints[1, :, :, :2] = 300 + 3 * (keypoints[1, :, :, :2] - 300)
    prediction = predict_keypoints(file_of(keypoints), lifter, recognizer, decide_every=4)
    scene = scene_of(prediction, file_of(keypoints), [[f"frame {t}"] for t in range(22)])
    np.testing.assert_allclose(scene.keypoints_px, h36m(keypoints[1]), rtol=1e-5)
    assert scene.skeleton == H36M_17 and scene.pose_m is prediction.poses.pose_m
    for scores, lines, t in zip(
        prediction.actions.decisions.frame_probabilities, scene.captions, range(22), strict=True
    ):
        best = CLASSES[int(np.argmax(scores))]
        assert lines == (f"{best} {round(float(max(scores)) * 100)}%", f"frame {t}")
    # Without a lifter the file's own joints are shown, without a recognizer no words.
    actions, poses = (
        predict_keypoints(file_of(keypoints), *models, decide_every=4)
        for models in ((None, recognizer), (lifter, None))
    )
    assert scene_of(actions, file_of(keypoints)).skeleton.name == "coco_17"
    assert scene_of(actions, file_of(keypoints)).pose_m is None
    assert scene_of(poses, file_of(keypoints)).captions == ()


def test_a_long_list_of_actions_is_cut_on_the_terminal(recognizer):
    prediction = predict_keypoints(file_of(moving(80)), None, recognizer, decide_every=4)
    scores = np.eye(4, dtype=np.float32)[np.arange(80) % 4]
    decisions = dataclasses.replace(prediction.actions.decisions, frame_probabilities=scores)
    actions = dataclasses.replace(prediction.actions, decisions=decisions, labels=scores.argmax(axis=1))
    console = Console(record=True)
    show(dataclasses.replace(prediction, actions=actions), [], console)
    printed = console.export_text()
    assert printed.count(" to ") == 20 and "and 60 more; --output saves them" in printed


@pytest.mark.parametrize("layout", ["coco_17", "blazepose_33"])
def test_the_shipped_lifter_stands_people_up_from_a_detectors_joints(layout, tmp_path):
    clips = {
        joints: generate(2, 7, frames=30, detector=False, layout=layout, skeleton=ALL[joints])
        for joints in (layout, "h36m_17")
    }
    for seen, meant in zip(*clips.values(), strict=True):
        np.savez(tmp_path / "a.npz", keypoints=seen.keypoints[0], image_size=seen.image_size_px, fps=seen.fps)
        poses = predict(tmp_path / "a.npz", recognizer=None).poses
        target = root_relative(meant.pose_m, H36M_17.root)
        error_m = np.linalg.norm(procrustes(poses.pose_m, target) - target, axis=-1).mean()
        assert error_m < 0.06
        # Not turned, mirrored or upside down either: these are the camera's axes.
        assert np.linalg.norm(poses.pose_m - target, axis=-1).mean() < 0.11
