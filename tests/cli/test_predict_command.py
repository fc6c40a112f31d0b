"""`skelgnn-tf predict`, word for word: keypoints and videos in, files and pictures out, and what a mistake costs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image

from skelgnn_tf import checkpoints
from skelgnn_tf.configs import LiftConfig
from skelgnn_tf.datasets.fitness import generate
from skelgnn_tf.geometry import flip_keypoints, flip_pose, root_relative
from skelgnn_tf.models.build import build_model
from skelgnn_tf.motion import OneEuroFilter, RepetitionCounter, body_height_m
from skelgnn_tf.skeletons import COCO_17, H36M_17, joint_map
from support import blazepose_files, oracles
from support.command_line import call, mistake

#: Frames where nobody is seen: half a second at 30 fps, and a frame more.
SHORT, LONG = range(40, 55), range(100, 116)
#: Somebody who squats; 7 s. Exact keypoints: a noisy detector loses joints for longer than is bridged.
CLIP = generate(1, 12, frames=210, exercise="squat", layout="coco_17", skeleton=COCO_17, detector=False)[0]


def gappy():
    keypoints = CLIP.keypoints[0].copy()
    keypoints[[*SHORT, *LONG]] = 0
    return keypoints


def save_keypoints(path, keypoints, frames=None):
    np.savez(path, keypoints=keypoints[:frames], image_size=CLIP.image_size_px, fps=CLIP.fps)
    return path


def ran(*arguments):
    result = call("predict", *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """What the shipped presets make of a take with gaps: as json, npz and csv, filtered and not."""
    folder = tmp_path_factory.mktemp("outputs")
    take = save_keypoints(folder / "take.npz", gappy())
    for name in ("smooth.json", "smooth.npz", "smooth.csv"):
        ran(take, "--output", folder / name)
    ran(take, "--no-smooth", "--output", folder / "raw.npz")
    keras = checkpoints.PRESETS / "fitness_9f" / "model.keras"
    ran(take, "--no-smooth", "--lifter", keras, "--output", folder / "keras.npz")
    return folder


def lifted(keypoints):
    """fitness_9f, frame by frame in our own loop, each window mirrored too: (frames, 17, 3)."""
    loaded = checkpoints.load("fitness_9f")
    model, config = loaded.model, loaded.config
    matrix = joint_map("coco_17", "h36m_17")
    x = np.einsum("ij,tjc->tic", matrix, keypoints)
    for row, weights in enumerate(matrix):
        x[:, row, 2] = keypoints[:, weights != 0, 2].min(axis=1)
    width, height = CLIP.image_size_px
    x[..., :2] = (x[..., :2] - np.array([width, height]) / 2) / (width / 2)
    x[x[..., 2] == 0] = 0
    assert config.flip and config.fps == CLIP.fps and model.causal
    windows = np.stack([x[np.maximum(np.arange(t - 8, t + 1), 0)] for t in range(len(x))]).astype(np.float32)
    mirrored = flip_pose(np.asarray(model(flip_keypoints(windows, H36M_17))), H36M_17)
    return root_relative(((np.asarray(model(windows)) + mirrored) / 2)[:, 0], H36M_17.root)


@pytest.mark.parametrize(("name", "atol"), [("keras.npz", 1e-4), ("raw.npz", 2e-3)], ids=["Keras", "phone file"])
def test_without_the_filter_poses_are_what_the_lifter_says(outputs, name, atol):
    """The preset's phone file has 16-bit weights, within the bound of export."""
    with np.load(outputs / name) as raw:
        seen = np.setdiff1d(np.arange(210), [*SHORT, *LONG])
        expected = lifted(gappy())
        np.testing.assert_allclose(raw["pose_m"][seen], expected[seen], atol=atol)
        expected[[*SHORT, *LONG]] = np.nan
        np.testing.assert_allclose(raw["pose_m"], oracles.bridged(expected, SHORT), atol=atol)


def test_the_filter_is_the_one_euro_filter_on_bridged_poses(outputs):
    raw, smooth = (np.load(outputs / name)["pose_m"] for name in ("raw.npz", "smooth.npz"))
    expected = OneEuroFilter().smooth(raw, 30, both_ways=True)
    np.testing.assert_allclose(smooth, expected, atol=1e-5)
    assert np.nanmax(np.abs(smooth - raw)) > 0.003


def test_gaps_are_marked_in_every_file_and_longer_ones_are_empty(outputs):
    found = json.loads((outputs / "smooth.json").read_text())
    assert found["motion"]["bridged_frames"] == list(SHORT)
    assert [t for t, pose in enumerate(found["pose"]["frames"]) if pose is None] == list(LONG)
    knees = found["motion"]["angles_deg"]["left_knee"]
    assert [t for t, angle in enumerate(knees) if angle is None] == list(LONG)
    with np.load(outputs / "smooth.npz") as arrays:
        assert np.flatnonzero(arrays["bridged"]).tolist() == list(SHORT)
        pose_m, angles = arrays["pose_m"], arrays["angles_deg"]
        assert np.flatnonzero(np.isnan(pose_m).any(axis=(1, 2))).tolist() == list(LONG)
        left_knee = angles[:, arrays["angle_names"].tolist().index("left_knee")]
    with open(outputs / "smooth.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [t for t, row in enumerate(rows) if row["bridged"] == "1"] == list(SHORT)
    assert {row["bridged"] for row in rows} == {"0", "1"}
    assert [t for t, row in enumerate(rows) if row["left_knee_x_m"] == ""] == list(LONG)
    assert [t for t, row in enumerate(rows) if row["left_knee_deg"] == ""] == list(LONG)
    # And all three say the same.
    for t in (0, 47, 209):
        np.testing.assert_allclose(found["pose"]["frames"][t], pose_m[t], atol=6e-6)
        by_csv = [float(rows[t][f"{joint}_{axis}_m"]) for joint in H36M_17.joints for axis in "xyz"]
        np.testing.assert_allclose(np.reshape(by_csv, (17, 3)), pose_m[t], atol=6e-6)
        assert float(rows[t]["left_knee_deg"]) == pytest.approx(left_knee[t], abs=6e-3)
        assert knees[t] == pytest.approx(left_knee[t], abs=6e-3)


def test_repetitions_are_those_of_a_counter_pushed_by_hand_and_the_same_in_every_file(outputs):
    found = json.loads((outputs / "smooth.json").read_text())["motion"]
    with np.load(outputs / "raw.npz") as raw:
        pose_m, classes = raw["pose_m"].copy(), raw["classes"].tolist()
        decided = dict(zip(raw["window_last_frame"].tolist(), raw["window_probabilities"], strict=True))
    # The counter gets what was seen and nothing made up.
    pose_m[list(SHORT)] = np.nan
    counter = RepetitionCounter(H36M_17, classes=classes)
    for t, pose in enumerate(pose_m):
        counter.push(pose, t / 30, decided.get(t))
    assert counter.finish().exercise == "squat"
    assert max(found["repetitions"]) == counter.finish().count
    ends_s = [one["end_s"] for one in found["repetition_list"] if one["complete"]]
    for t, (name, count) in enumerate(zip(found["exercise"], found["repetitions"], strict=True)):
        assert count == (sum(end_s <= t / 30 + 1e-3 for end_s in ends_s) if name == "squat" else 0)
    with open(outputs / "smooth.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["exercise"] or None for row in rows] == found["exercise"]
    assert [int(row["repetitions"]) for row in rows] == found["repetitions"]
    with np.load(outputs / "smooth.npz") as arrays:
        assert arrays["repetitions"].tolist() == found["repetitions"]
        assert [name or None for name in arrays["exercise"].tolist()] == found["exercise"]


@pytest.mark.parametrize("seed", [12, 33])
def test_generated_squats_are_counted_within_one(here, seed):
    clip = generate(1, seed, frames=240, exercise="squat", layout="coco_17", skeleton=COCO_17)[0]
    np.savez("take.npz", keypoints=clip.keypoints[0], image_size=clip.image_size_px, fps=clip.fps)
    printed = ran("take.npz", "--output", "out.json")
    motion = json.loads(Path("out.json").read_text())["motion"]
    true = int(clip.repetitions[-1])
    assert true >= 2 and abs(motion["repetitions"][-1] - true) <= 1
    assert motion["exercise"][-1] == "squat"
    assert f"squat: {motion['repetitions'][-1]} repetition(s)\n" in printed


def test_the_summary_says_what_was_bridged_and_what_is_missing(outputs):
    printed = ran(outputs / "take.npz", "--recognizer", "none")
    assert "3D pose by fitness_9f: 17 joints of h36m_17, latency 0 frames (0.00 s)" in printed
    assert f"nobody is seen in {len(LONG)} frames; {len(SHORT)} frames are bridged" in printed
    assert "repetition" not in printed and "actions by" not in printed


def test_the_subject_becomes_as_tall_as_was_said(outputs, here):
    take = outputs / "take.npz"
    for height_m in (1.55, 1.93):
        ran(take, "--recognizer", "none", "--subject-height", height_m, "--output", "out.npz")
        with np.load("out.npz") as found, np.load(outputs / "smooth.npz") as own:
            assert body_height_m(found["pose_m"], H36M_17) == pytest.approx(height_m, rel=1e-5)
            factor = height_m / body_height_m(own["pose_m"], H36M_17)
            assert 0.7 < factor < 1.4
            np.testing.assert_allclose(found["pose_m"], factor * own["pose_m"], atol=1e-5)


# Pictures.


@pytest.fixture
def short(here):
    """A take of a second, and a lifter that is quickly loaded."""
    save_keypoints(here / "take.npz", CLIP.keypoints[0], 30)
    config = LiftConfig(frames=3, channels=4, squeeze=0.5, confidence=True, keypoint_frame="person", causal=True)
    checkpoints.save(oracles.randomize(build_model(config)), config, here / "lifter.keras")
    return ["take.npz", "--keypoint-layout", "coco_17", "--lifter", "lifter.keras", "--recognizer", "none"]


def test_pictures_are_rendered_from_keypoints(short):
    for name in ("out.png", "out.gif", "out.html"):
        assert f"saved: {name}" in ran(*short, "--render", name)
    with Image.open("out.png") as sheet:
        assert sheet.format == "PNG" and np.ptp(np.asarray(sheet.convert("L"))) > 100
    with Image.open("out.gif") as film:
        # Every third of thirty frames: 10 of the 12.5 a second that a GIF has at most.
        assert film.format == "GIF" and film.n_frames == 10
    page = Path("out.html").read_text()
    assert "take.npz" in page and 'src="http' not in page and not list(Path().glob(".*partial"))


def test_a_film_has_every_frame(short):
    av = pytest.importorskip("av")
    ran(*short, "--render", "out.mp4", "--output", "out.trc")
    with av.open("out.mp4") as film:
        assert len(list(film.decode(video=0))) == 30
    assert Path("out.trc").stat().st_size


def test_keypoints_alone_are_rendered_without_a_lifter(short):
    ran("take.npz", "--keypoint-layout", "coco_17", "--lifter", "none", "--render", "out.png")
    assert Image.open("out.png").size[0] > 200


# Mistakes.


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--subject-height", "0.3"], "--subject-height must be 0.5 to 2.6 meters. Received: 0.3."),
        (["--subject-height", "180"], "--subject-height must be 0.5 to 2.6 meters. Received: 180."),
        (["--subject-height", "nan"], "--subject-height must be 0.5 to 2.6 meters. Received: nan."),
        (["--subject-height", "1.8", "--lifter", "none"], "--subject-height must be used with a lifter"),
        (["--lifter", "none", "--output", "out.bvh"], "out.bvh must end with .json, .npz, .csv without a lifter"),
        (["--lifter", "none", "--output", "out.trc"], "out.trc must end with .json, .npz, .csv without a lifter"),
        (["--output", "out.fbx"], "out.fbx must end with .json, .npz, .csv, .bvh, .trc. Received: .fbx"),
        (["--output", "out"], "no suffix"),
        (["--render", "out.avi"], "out.avi: the suffix must be one of .gif, .mp4, .png, .html. Received: .avi"),
        (["--lifter", "no_such_model"], "no_such_model"),
        (["--lifter", "exercises_2d"], "exercises_2d must be a pose lifter. Received: an action recognizer"),
        (["--recognizer", "fitness_9f"], "fitness_9f must be an action recognizer. Received: a pose lifter"),
        (["--lifter", "none", "--recognizer", "none"], "lifter and recognizer must not both be none"),
        (["--keypoint-layout", "coco"], "skeleton must be one of h36m_17"),
        (
            ["--keypoint-layout", "blazepose_33"],
            "take.npz: keypoints must have the 33 joints of blazepose_33. Received: 17",
        ),
        (["--decide-every", "0"], "--decide-every must be 1 to"),
        (["--exercise", "yoga"], "--exercise must be one of"),
        (["--exercise", "squat", "--lifter", "none"], "--exercise must be used with a lifter"),
        (["--fps", "0"], "fps must be a number above 0"),
        (["--output", "there/out.json"], "there is a file"),
    ],
)
def test_what_cannot_be_done_with_keypoints_costs_one_line(here, arguments, found):
    save_keypoints(here / "take.npz", CLIP.keypoints[0], 20)
    (here / "there").write_text("")
    assert found in mistake("predict", "take.npz", *arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--subject-height", "9"],
        ["--output", "out.fbx"],
        ["--render", "out.avi"],
        ["--lifter", "none", "--output", "out.bvh"],
        ["--lifter", "none", "--subject-height", "1.8"],
    ],
)
def test_an_impossible_output_is_refused_before_any_work(here, arguments):
    """Neither the take nor the recognizer, which would be complained of, is looked at."""
    line = mistake("predict", "nowhere.mp4", "--recognizer", "no_such_model", *arguments)
    assert "nowhere" not in line and "no_such_model" not in line


@pytest.mark.parametrize("name", ["nowhere.mp4", "nowhere", "nowhere.npz", "nowhere.json"])
def test_a_take_that_is_not_there_is_said(here, name):
    line = mistake("predict", name)
    assert name in line and ("Nothing was found" in line or "file not found" in line)


# Videos.


def write_video(path, pictures, rate=10):
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=rate, options={"crf": "12", "preset": "ultrafast"})
        stream.height, stream.width, stream.pix_fmt = *pictures[0].shape[:2], "yuv420p"
        for rgb in pictures:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")))
        file.mux(stream.encode())
    return path


@pytest.fixture
def blazepose():
    """Options that name BlazePose's models."""
    blazepose_files.models_or_skip("lite")
    return ["--detector", "lite", "--detector-models", blazepose_files.PLACE]


def test_a_video_of_nobody_is_said(here, blazepose):
    write_video(here / "a.mp4", [np.full((96, 128, 3), 80, np.uint8)] * 4)
    line = mistake("predict", "a.mp4", *blazepose, "--output", "out.json", "--render", "out.png")
    assert line.startswith("a.mp4: no person is seen in 4 pictures")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "a.mp4: the file must be a video. Received: an empty file"),
        (b"not a video at all" * 99, "a.mp4: the file must be a video that FFmpeg can read"),
    ],
    ids=["empty", "corrupt"],
)
def test_a_broken_video_costs_one_line(here, blazepose, content, found):
    pytest.importorskip("av")
    (here / "a.mp4").write_bytes(content)
    assert found in mistake("predict", "a.mp4", *blazepose)


def test_a_video_that_was_cut_off_costs_one_line(here, blazepose):
    whole = write_video(here / "a.mp4", [np.full((96, 128, 3), 80, np.uint8)] * 4).read_bytes()
    (here / "a.mp4").write_bytes(whole[: len(whole) // 2])
    assert "a.mp4" in mistake("predict", "a.mp4", *blazepose)


def test_a_folder_without_pictures_is_said(here, blazepose):
    (here / "empty").mkdir()
    assert "empty: the folder must hold pictures (.jpg" in mistake("predict", "empty", *blazepose)


@pytest.mark.parametrize("option", [("--keypoint-layout", "coco_17"), ("--image-size", 640, 480)])
@pytest.mark.parametrize("source", ["a.mp4", "pictures", "webcam:0"])
def test_options_of_keypoints_are_refused_on_pictures(here, source, option):
    (here / "a.mp4").write_bytes(b"whatever")
    (here / "pictures").mkdir()
    line = mistake("predict", source, *option)
    assert source in line and option[0] in line and ("only be used with keypoint files" in line or "not valid" in line)


@pytest.mark.parametrize("option", [("--output", "out.json"), ("--render", "out.gif")])
def test_a_webcam_has_no_end_to_write(here, option):
    line = mistake("predict", "webcam:0", *option)
    assert line == f"{option[0]} is not valid for webcam:0. It needs a file with an end."


@pytest.mark.parametrize("option", [("--persons", 2), ("--subject-height", 1.8)])
def test_a_webcam_shows_one_person_of_any_size(here, option):
    line = mistake("predict", "webcam:0", *option)
    assert line == f"{option[0]} is not valid for webcam:0. It needs a file with an end."


@pytest.mark.parametrize("source", ["a.mp4", "webcam:0"])
@pytest.mark.parametrize("size", ["lite", "full"])
def test_without_blazepose_one_is_told_how_to_get_it(here, source, size):
    (here / "a.mp4").write_bytes(b"whatever")
    # Not the cache, where somebody may have them.
    (here / "models").mkdir()
    line = mistake("predict", source, "--detector", size, "--detector-models", "models")
    assert f"models: BlazePose's {size} model not found" in line
    assert f"skelgnn-tf detector download --size {size}" in line
    assert f"pose_landmarker_{size}.task" in line


def test_a_person_in_a_video_is_lifted_saved_and_rendered(here, blazepose):
    path = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    if not path.is_file():
        pytest.skip(f"matplotlib came without its sample picture {path}")
    # Grace Hopper's portrait, 512 x 600.
    write_video(here / "a.mp4", [np.asarray(Image.open(path).convert("RGB"))] * 6)
    printed = ran("a.mp4", *blazepose, "--output", "out.json", "--render", "out.png")
    assert "a.mp4: 1 person(s), 6 frames, 0.6 s at 10 fps, joints blazepose_33" in printed
    found = json.loads((here / "out.json").read_text())
    assert (found["image_size_px"], found["fps"], found["num_frames"]) == ([512, 600], 10.0, 6)
    pose = found["pose"]
    seen = {joint: [frame[i] for frame in pose["frames"]] for i, joint in enumerate(pose["joints"])}
    # The legs are outside the picture.
    assert all(place is None for side in ("left", "right") for place in seen[f"{side}_knee"])
    at = {joint: np.mean(places, axis=0) for joint, places in seen.items() if None not in places}
    # The person faces the camera, upright: the left side is on the right, and y points down.
    assert at["left_shoulder"][0] > at["right_shoulder"][0] + 0.1
    assert at["head"][1] < at["thorax"][1] - 0.1
    assert len(found["motion"]["repetitions"]) == 6
    with Image.open(here / "out.png") as sheet:
        assert sheet.size[0] > 400


# The models' files.


def test_a_download_is_refused_where_it_cannot_be_written(here):
    (here / "there").write_text("")
    assert "cannot write --folder there" in mistake("detector", "download", "--folder", "there")


def test_a_damaged_model_file_is_no_download(here):
    (here / "pose_landmarker_lite.task").write_bytes(b"half a file")
    line = mistake("detector", "download", "--size", "lite", "--folder", ".")
    assert "pose_landmarker_lite.task: the file must be a pose_landmarker .task file" in line
    line = mistake("predict", "webcam:0", "--detector", "lite", "--detector-models", "pose_landmarker_lite.task")
    assert "pose_landmarker_lite.task: the file must be a pose_landmarker .task file" in line
