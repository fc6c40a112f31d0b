"""Evaluation end to end on a small data set in Human3.6M's layout, its numbers computed again from the poses."""

import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from skelgnn_tf import checkpoints
from skelgnn_tf.configs import LiftConfig
from skelgnn_tf.datasets import h36m
from skelgnn_tf.datasets.h36m.cameras import SUBJECTS, cameras
from skelgnn_tf.datasets.windows import screen_keypoints
from skelgnn_tf.geometry import from_pixel_protocol, to_pixel_protocol
from skelgnn_tf.inference.windows import lift
from skelgnn_tf.models.build import build_model
from skelgnn_tf.skeletons import H36M_17
from skelgnn_tf.training.lift.evaluate import draw_clip, evaluate, predict_clips
from support import oracles, tiny_h36m

QUIET = Console(quiet=True)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tiny_h36m.write(tmp_path_factory.mktemp("h36m"), frames=12)


def a_run(folder, data, seed=0, **options):
    """A run folder whose model was never trained."""
    config = LiftConfig(
        channels=4, squeeze=0.5, blocks=1, sharing="shared", dataset=("h36m",), data_dir=(str(data),), **options
    )
    folder.mkdir()
    checkpoints.save(oracles.randomize(build_model(config), seed), config, folder / "model.keras")
    return folder


def errors_mm(folder, clips, flip):
    """Error of every frame of every clip, by a loop of our own."""
    loaded = checkpoints.load(folder)
    model, config = loaded.model, loaded.config
    out = []
    for clip in clips:
        pose = lift(model, screen_keypoints(clip, config.confidence), flip)
        pose = pose - pose[:, :1]
        truth = clip.pose_m - clip.pose_m[:, :1]
        out.append(1000 * np.sqrt(((pose - truth) ** 2).sum(axis=-1)).mean(axis=-1))
    return out


@pytest.fixture(scope="module")
def scored(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    run, other = a_run(folder / "run", data), a_run(folder / "other", data, seed=1)
    scores = evaluate(run, hard_reference=other, json_path=str(folder / "report.json"), console=QUIET)
    return run, other, scores, json.loads((folder / "report.json").read_text())


def test_the_report_has_all_that_was_promised(scored):
    run, _, scores, report = scored
    promised = "p1_mm p2_mm n_mpjpe_mm mpjve_mm hardest_5_mm by_action protocol frames baselines".split()
    assert report.keys() >= set(promised)
    assert report["protocol"] == "camera" and report["frames"] == 2 * 4 * 12
    assert report.keys() == {"format", "task"} | scores.keys()
    assert report["baselines"].keys() == {"mean_pose", "linear_ridge", "pairwise_ridge"}
    assert json.loads((run / "report" / "report.json").read_text()) == report
    assert (run / "report" / "report.md").exists() and len(list((run / "report").glob("*.png"))) == 4


def test_p1_is_the_mean_of_the_actions_and_the_hardest_are_the_worst_frames(scored, data):
    run, other, _, report = scored
    clips = h36m.load(data).test
    # Both are flip-averaged, as they were trained.
    mine, theirs = errors_mm(run, clips, True), np.concatenate(errors_mm(other, clips, True))
    actions = {c.action for c in clips}
    assert actions == {"Walking", "Eating"} == report["by_action"].keys()
    means = [np.concatenate([e for e, c in zip(mine, clips, strict=True) if c.action == a]).mean() for a in actions]
    assert report["p1_mm"] == pytest.approx(np.mean(means), rel=1e-4)
    every = np.concatenate(mine)
    assert report["p1_frame_mean_mm"] == pytest.approx(every.mean(), rel=1e-4)
    assert report["hardest_5_mm"] == pytest.approx(np.sort(every)[-5:].mean(), rel=1e-4)
    assert report["share_over_60mm"] == pytest.approx((every > 60).mean(), abs=1e-3)
    assert report["hard_reference"]["hardest_50_mm"] == pytest.approx(every[np.argsort(theirs)[48:]].mean(), rel=1e-3)
    assert report["hard_reference"]["name"] == str(other)


def test_flipping_and_baselines_can_be_left_out(scored, data):
    run, _, _, report = scored
    plain = evaluate(run, flip=False, with_baselines=False, folder=run / "plain", console=QUIET)
    clips = h36m.load(data).test
    assert plain["p1_frame_mean_mm"] == pytest.approx(np.concatenate(errors_mm(run, clips, False)).mean(), rel=1e-4)
    assert plain["p1_mm"] != report["p1_mm"]
    assert plain["baselines"] == {} and (plain["flip_averaged"], report["flip_averaged"]) == ("no", "yes")
    assert (run / "plain" / "report.json").exists()


def test_other_data_can_be_given_and_are_named_when_they_are_missing(scored, tmp_path):
    run, *_ = scored
    elsewhere = tiny_h36m.write(tmp_path, frames=5, takes=(*tiny_h36m.TAKES, ("S11", "Walking")))
    scores = evaluate(
        run, dataset=("h36m",), data_dir=(str(elsewhere),), with_baselines=False, folder=tmp_path / "r", console=QUIET
    )
    assert scores["frames"] == 3 * 4 * 5
    with pytest.raises(FileNotFoundError, match="keypoints 'cpn'"):
        evaluate(run, keypoints="cpn", console=QUIET)
    with pytest.raises(FileNotFoundError, match="/nowhere: folder not found"):
        evaluate(run, data_dir=("/nowhere",), console=QUIET)


def test_printed_json_is_nothing_but_json(scored, capsys, tmp_path):
    run, *_ = scored
    evaluate(run, json_path="-", with_baselines=False, folder=tmp_path / "r")
    printed = capsys.readouterr().out
    assert json.loads(printed)["protocol"] == "camera"
    assert printed == (tmp_path / "r" / "report.json").read_text()


# ---- the pixel protocol


@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_pixel_protocol_there_and_back_is_the_same_pose(subject):
    rng = np.random.default_rng(0)
    for camera in cameras(subject):
        pose = camera.to_camera(tiny_h36m.world_pose(5, 0).astype(float)) + rng.normal(0, 0.02, (5, 17, 3))
        target = to_pixel_protocol(pose, camera, 0).astype(float)
        np.testing.assert_allclose(from_pixel_protocol(target, camera, pose[:, 0, 2]), pose, atol=1e-4)
        # Keypoints of the same picture are the first two numbers of the answer.
        width, height = camera.image_size_px
        picture = (camera.project(pose) - (width / 2, height / 2)) / (width / 2)
        np.testing.assert_allclose(target[..., :2], picture, atol=1e-5)


class Oracle:
    """Stands for a model that answers every clip's own pixel target."""

    frames, causal, every_frame = 1, False, False

    def __init__(self, clips):
        self.skeleton = H36M_17
        self.answers = {
            screen_keypoints(c, False)[t].tobytes(): to_pixel_protocol(c.pose_m, c.camera, 0)[t].astype(np.float32)
            for c in clips for t in range(c.num_frames)
        }  # fmt: skip

    def __call__(self, windows, training=False):
        return np.stack([self.answers[window[0].tobytes()] for window in windows])[:, None]


def test_a_perfect_answer_in_pixels_is_a_perfect_pose(data):
    clips = h36m.load(data).test
    config = LiftConfig(protocol="pixel")
    for clip, pose in zip(clips, predict_clips(Oracle(clips), config, clips, flip=False), strict=True):
        np.testing.assert_allclose(pose, clip.pose_m - clip.pose_m[:, :1], atol=1e-3)
    with pytest.raises(ValueError, match="must have a camera and a pose for --protocol pixel. Received: no camera."):
        predict_clips(Oracle(clips), config, [replace(clips[0], camera=None)], flip=False)


def test_a_model_of_the_pixel_protocol_is_scored_in_millimeters_and_says_so(data, tmp_path):
    run = a_run(tmp_path / "run", data, protocol="pixel")
    scores = evaluate(run, with_baselines=False, console=QUIET)
    assert scores["protocol"] == "pixel"
    assert np.isfinite(scores["p1_mm"]) and scores["p1_mm"] > 1
    assert "pixel" in (run / "report" / "report.md").read_text()


# ---- pictures


def test_a_clip_is_drawn_and_a_number_past_the_end_is_refused(scored):
    run, *_ = scored
    picture = draw_clip(run, (), (), 1, None)
    assert picture == run / "report" / "lifted.png" and picture.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="--clip must be from 0 to 7, a test clip. Received: 8."):
        draw_clip(run, (), (), 8, None)
