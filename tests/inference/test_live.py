"""A camera, live: what is said of each picture is what the whole clip says of its last frame."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from skelgnn_tf import checkpoints
from skelgnn_tf.checkpoints import LoadedModel
from skelgnn_tf.cli.webcam import line_of, watch
from skelgnn_tf.configs import ActionConfig, LiftConfig
from skelgnn_tf.datasets.fitness import generate
from skelgnn_tf.geometry import normalize_screen, root_relative
from skelgnn_tf.inference.live import LiveSession
from skelgnn_tf.inference.windows import lift, recognize
from skelgnn_tf.models.build import build_model
from skelgnn_tf.motion import OneEuroFilter, RepetitionCounter, joint_angles
from skelgnn_tf.skeletons import BLAZEPOSE_33, map_keypoints
from skelgnn_tf.video.reader import Video
from support import oracles
from support.blazepose_files import models_or_skip
from support.tiny_recognizer import lively

CLASSES = ("jump", "rest", "squat", "wave")
LIFT = LiftConfig(
    frames=3, channels=4, squeeze=0.5, confidence=True, keypoint_frame="person", causal=True, flip=False, fps=30
)
ACTION = ActionConfig(
    input="keypoints", skeleton="coco_17", frames=6, persons=1, size="small", channels=4,
    sampling="window", fps=15, normalization="box",
)  # fmt: skip
FOLLOWER = ACTION.replace(input="pose", confidence=False, skeleton="h36m_17_lcn", normalization="center")


def trained(config, name):
    model = build_model(config, CLASSES if config.task == "action" else ())
    return LoadedModel(name, lively(model) if config.task == "action" else oracles.randomize(model), config)


class Recorder(RepetitionCounter):
    """A counter that remembers what it was given and what it said."""

    def push(self, pose_m, time_s, probabilities=None):
        said = super().push(pose_m, time_s, probabilities)
        self.__dict__.setdefault("said", []).append((pose_m, time_s, probabilities, said))
        return said


def watched(clip, lifter, recognizer, hop):
    """The lines of a clip, picture by picture, and what the counter was given and said."""
    past = session_of(clip, lifter, recognizer, hop)
    past._counter = Recorder(lifter.model.skeleton, classes=recognizer.model.classes)
    return pushed(past, clip), past._counter.said


def pushed(past, clip):
    """The line that the terminal shows at each frame."""
    lines = []
    for t in range(clip.keypoints.shape[1]):
        result = past.push(clip.keypoints[:, t], t / clip.fps)
        seen = (clip.keypoints[:, t, :, 2] > 0).any()
        lines.append(line_of(result) if seen else "nobody in the picture")
    return lines


def session_of(clip, lifter, recognizer, decide_every=8, smooth=True):
    return LiveSession(
        clip.fps, clip.image_size_px, "blazepose_33", lifter=lifter, recognizer=recognizer,
        decide_every=decide_every, smooth=smooth,
    )  # fmt: skip


@pytest.fixture(scope="module")
def clip():
    return generate(1, 3, frames=14, exercise="squat", layout="blazepose_33", skeleton=BLAZEPOSE_33)[0]


@pytest.fixture(scope="module")
def lifter():
    return trained(LIFT, "a lifter")


@pytest.fixture(scope="module")
def recognizer():
    return trained(ACTION, "a recognizer")


def screen(clip, skeleton):
    """The clip's keypoints on a model's joints, x from -1 to 1, missing ones zeros: (1, frames, joints, 3)."""
    keypoints = map_keypoints(clip.keypoints, BLAZEPOSE_33, skeleton)
    return np.where(keypoints[..., 2:] > 0, normalize_screen(keypoints, clip.image_size_px), 0)


def poses(clip, lifter):
    """What `lift` says of the last frame of every beginning of a clip: (frames, joints, 3)."""
    x = screen(clip, lifter.model.skeleton)[0]
    step = clip.fps / lifter.config.fps
    last = [lift(lifter.model, x[: t + 1], lifter.config.flip, step)[-1] for t in range(len(x))]
    return root_relative(np.stack(last), lifter.model.skeleton.root)


@pytest.mark.parametrize("causal", [True, False])
def test_poses_are_what_lift_says_of_the_last_frame(clip, recognizer, causal):
    lifter = trained(LIFT.replace(causal=causal, fps=20), "a lifter")
    _, said = watched(clip, lifter, recognizer, hop=4)
    expected = poses(clip, lifter)
    assert len(said) == 14
    np.testing.assert_allclose([pose for pose, *_ in said], expected, atol=1e-4 * np.abs(expected).max())
    np.testing.assert_allclose([time_s for _, time_s, _, _ in said], np.arange(14) / clip.fps)


@pytest.mark.parametrize("config", [ACTION, FOLLOWER], ids=["keypoints", "poses"])
def test_decisions_are_those_of_the_whole_clip(clip, lifter, config):
    recognizer, hop = trained(config, "a recognizer"), 4
    _, said = watched(clip, lifter, recognizer, hop)
    x = screen(clip, recognizer.model.skeleton) if config.input == "keypoints" else poses(clip, lifter)[None]
    expected = recognize(recognizer.model, x, clip.fps / 15, hop)
    decided = {t: probabilities for t, (_, _, probabilities, _) in enumerate(said) if probabilities is not None}
    assert list(decided) == [3, 7, 11] == expected.last.tolist()[:3]
    np.testing.assert_allclose(list(decided.values()), expected.probabilities[:3], atol=1e-4)
    assert np.ptp(expected.probabilities, axis=0).max() > 0.01, "else any window would do"


def test_the_shipped_presets_count_live_what_a_clip_shows():
    options = {"exercise": "squat", "layout": "blazepose_33", "skeleton": BLAZEPOSE_33}
    clip, hop = generate(1, 12, frames=90, fps=15, **options)[0], 4
    lifter, recognizer = checkpoints.load("fitness_9f"), checkpoints.load("exercises_2d")
    # Without mirroring in half the time.
    lifter = dataclasses.replace(lifter, config=lifter.config.replace(flip=False))
    lines, said = watched(clip, lifter, recognizer, hop)
    expected = recognize(recognizer.model, screen(clip, recognizer.model.skeleton), clip.fps / 15, hop)
    decided = dict(zip(expected.last, expected.probabilities, strict=True))
    counter = RepetitionCounter(lifter.model.skeleton, classes=recognizer.model.classes)
    smooth = OneEuroFilter()
    for t, (line, (pose_m, _, _, known)) in enumerate(zip(lines, said, strict=True)):
        # The last window of a clip may end anywhere, a live one waits for its hop.
        assert known == counter.push(pose_m, t / clip.fps, decided.get(t) if (t + 1) % hop == 0 else None)
        angles = joint_angles(smooth.push(pose_m, t / clip.fps), lifter.model.skeleton)
        knees = [angles[f"{side}_knee"] for side in ("left", "right")]
        assert line.endswith(f"knees {knees[0]:.0f} {knees[1]:.0f} degrees")
        if t >= hop - 1:
            # What is said is what is counted.
            counted = f"  {known.exercise}: {known.count}" if known.exercise else ""
            assert re.match(rf"{known.exercise or 'unknown'} \d+%{counted}  knees", line)
    assert clip.repetitions[-1] >= 2
    assert abs(known.count - clip.repetitions[-1]) <= 1 and known.exercise == "squat"


def test_only_what_the_models_look_at_is_kept(clip, lifter, recognizer):
    for models, frames in (((None, recognizer), 11), ((lifter, None), 3)):
        past = session_of(clip, *models, 4)
        pushed(past, clip)
        # Of the recognizer six frames, two apart.
        assert len(past._keypoints) == frames


def test_who_is_gone_is_said_and_who_comes_back_goes_on(clip, lifter, recognizer):
    gone = dataclasses.replace(clip, keypoints=clip.keypoints.copy())
    gone.keypoints[:, 4:10] = 0
    lines = pushed(session_of(clip, lifter, recognizer, 4), gone)
    assert set(lines[4:10]) == {"nobody in the picture"}
    assert all("knees" in line for line in lines[:4] + lines[10:])
    gone.keypoints[:] = 0
    assert set(pushed(session_of(clip, lifter, recognizer, 4), gone)) == {"nobody in the picture"}


def test_a_face_alone_has_no_knees(clip, lifter):
    keypoints = np.zeros((1, 33, 3), np.float32)
    keypoints[0, [BLAZEPOSE_33.index(joint) for joint in ("nose", "left_eye", "right_eye")]] = [300, 200, 0.9]
    result = session_of(clip, lifter, None, 8).push(keypoints, 0.0)
    assert "knees" not in line_of(result) and not np.isfinite(result.angles_deg["left_knee"])
    assert {"shoulders", "arms", "hips", "legs"} <= set(result.not_visible)


def test_legs_that_leave_the_picture_are_missing_half_a_second_later(lifter):
    clip = generate(1, 3, frames=60, exercise="squat", layout="blazepose_33", skeleton=BLAZEPOSE_33, detector=False)[0]
    keypoints = np.concatenate([clip.keypoints[..., :2], np.ones_like(clip.keypoints[..., :1])], axis=-1)
    below = [i for i, joint in enumerate(BLAZEPOSE_33.joints) if joint.endswith(("knee", "ankle", "heel", "index"))]
    keypoints[:, 20:50, below] = 0
    skeleton = lifter.model.skeleton
    legs = [skeleton.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("knee", "ankle")]
    session = session_of(clip, lifter, None)
    for t in range(60):
        result = session.push(keypoints[:, t], t / clip.fps)
        # The last sight was in frame 19.
        gone = 19 + clip.fps / 2 < t < 50
        assert np.isnan(result.pose_m).any(axis=-1)[legs].tolist() == [gone] * 4
        assert np.isfinite(np.delete(result.pose_m, legs, axis=0)).all()
        assert np.isnan([result.angles_deg[f"{side}_knee"] for side in ("left", "right")]).all() == gone
        assert np.isfinite(result.angles_deg["left_elbow"])
        assert result.not_visible == (("legs",) if gone else ()) and ("legs not visible" in line_of(result)) == gone
        assert (result.confidence[legs] == 0).all() == (20 <= t < 50) and result.confidence[0] == 1


def test_a_single_frame_is_not_decided_about(clip, lifter, recognizer):
    session = session_of(clip, lifter, recognizer, decide_every=1)
    assert [session.push(clip.keypoints[:, t], t / clip.fps).action is None for t in range(3)] == [True, False, False]


def test_angles_are_as_raw_as_one_wants_them(clip, lifter):
    raw, filtered = (pushed(session_of(clip, lifter, None, 8, smooth), clip) for smooth in (False, True))
    knees = [joint_angles(pose_m, lifter.model.skeleton)["left_knee"] for pose_m in poses(clip, lifter)]
    assert [line.split()[1] for line in raw] == [f"{angle:.0f}" for angle in knees]
    assert raw[0] == filtered[0] and raw[1:] != filtered[1:]


def test_each_model_can_be_alone(clip, lifter, recognizer):
    lines = pushed(session_of(clip, lifter, None, 8), clip)
    assert all(re.fullmatch(r"knees \d+ \d+ degrees", line) for line in lines)
    lines = pushed(session_of(clip, None, recognizer, 4), clip)
    assert lines[:3] == ["", "", ""] and all(re.fullmatch(r"\w+ \d+%", line) for line in lines[3:])


@pytest.mark.parametrize("hop", [0, -1, 12])
def test_a_hop_that_skips_frames_or_never_ends_is_refused(clip, recognizer, hop):
    with pytest.raises(ValueError, match=rf"--decide-every must be 1 to 11, .* Received: {hop}\."):
        session_of(clip, None, recognizer, hop)


# Pictures of a person: the portrait of Grace Hopper that matplotlib brings.


def portraits(shown) -> Video:
    """A video of ten frames a second, of the portrait where `shown` says so, and gray elsewhere."""
    path = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    if not path.is_file():
        pytest.skip(f"matplotlib came without its sample picture {path}")
    portrait = np.asarray(Image.open(path).convert("RGB"))
    pictures = [portrait if here else np.full_like(portrait, 90) for here in shown]
    size = (portrait.shape[1], portrait.shape[0])
    return Video("pictures", size, 10.0, len(pictures), lambda: ((i / 10, p) for i, p in enumerate(pictures)), [])


@pytest.mark.parametrize(
    ("shown", "last"),
    [
        ([True] * 6, r"(jump|rest|squat|wave|unknown) \d+%  .*"),
        ([True, False, False], "nobody in the picture"),
        ([], "no picture arrived"),
    ],
)
def test_a_camera_is_followed_to_its_end(lifter, recognizer, shown, last):
    models = models_or_skip("lite")
    console = Console(record=True, width=100)
    video = portraits(shown)
    watch(video, models, session_of(video, lifter, recognizer, 4), console)
    assert re.fullmatch(last, console.export_text().strip().splitlines()[-1].strip())
