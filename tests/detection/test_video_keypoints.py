"""Keypoints of whole videos. The slow tests use a real one."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import av
import numpy as np
import pytest

from skelgnn_tf.detection.blazepose import BlazePose
from skelgnn_tf.detection.crop import Crop
from skelgnn_tf.detection.detector import Landmarks
from skelgnn_tf.detection.models import DetectorModels
from skelgnn_tf.detection.tracker import Tracker
from skelgnn_tf.detection.video_keypoints import as_keypoints, read_video_keypoints
from skelgnn_tf.skeletons import BLAZEPOSE_33
from skelgnn_tf.video.reader import open_video
from support.blazepose_files import models_or_skip


@pytest.fixture(scope="module", params=["lite", "full"])
def models(request) -> DetectorModels:
    return models_or_skip(request.param)


def landmarks_of(points_px, visibility, presence) -> Landmarks:
    world_m = np.arange(99, dtype=np.float32).reshape(33, 3)
    return Landmarks(np.float32(points_px), np.float32(visibility), np.float32(presence), world_m, 1.0, Crop(0, 0, 1))


def test_joints_that_the_detector_only_guesses_are_missing():
    points, visibility, presence = np.full((33, 2), 50.0), np.full(33, 0.9), np.full(33, 0.99)
    visibility[1], visibility[2], presence[3] = 0.05, 0.01, 0.2  # hidden; guessed; not there
    points[4], points[5] = (50, 120), (-3, 50)  # below and left of the picture
    visibility[5] = 0.4
    one = landmarks_of(points, visibility, presence)
    keypoints, world_m = as_keypoints([None, one], (100, 80))
    assert keypoints.shape == world_m.shape == (2, 33, 3) and keypoints.dtype == np.float32
    assert not keypoints[0].any() and np.isnan(world_m[0]).all()
    missing = [2, 3, 5]
    assert not keypoints[1, missing].any()
    rest = [j for j in range(33) if j not in missing]
    np.testing.assert_array_equal(keypoints[1, rest, :2], points[rest])
    np.testing.assert_array_equal(keypoints[1, rest, 2], np.float32(visibility[rest]))
    np.testing.assert_array_equal(world_m[1], one.world_m)


def write_video(path: Path, pictures, turn: int = 0) -> Path:
    with av.open(str(path), "w") as file:
        stream = None
        for rgb in pictures:
            if stream is None:
                stream = file.add_stream("libx264", rate=30, options={"crf": "12", "preset": "ultrafast"})
                stream.height, stream.width, stream.pix_fmt = *rgb.shape[:2], "yuv420p"
                stream.set_display_rotation(turn)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")))
        file.mux(stream.encode())
    return path


def test_a_video_of_nobody_is_said(tmp_path, models):
    path = write_video(tmp_path / "a.mp4", [np.full((96, 128, 3), 80, np.uint8)] * 4)
    with pytest.raises(ValueError, match="no person is seen in 4 pictures"):
        read_video_keypoints(path, models)


def test_what_cannot_be_followed_is_said(tmp_path):
    nothing = DetectorModels("a folder", b"", b"")
    path = write_video(tmp_path / "a.mp4", [np.zeros((96, 128, 3), np.uint8)])
    with pytest.raises(ValueError, match="persons must be 1 or more"):
        read_video_keypoints(path, nothing, persons=0)
    with pytest.raises(FileNotFoundError, match="nowhere.mp4"):
        read_video_keypoints("nowhere.mp4", nothing)


# A real video, which is not kept: two people in Sports2D's demo (BSD-3).


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sports2d")
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--retries", "0", "-d", str(folder)]
    ran = subprocess.run([*command, "sports2d==0.8.34"], capture_output=True, text=True)
    wheels = list(folder.glob("*.whl"))
    if ran.returncode or not wheels:
        pytest.skip(f"the wheel of sports2d cannot be downloaded: {ran.stderr.strip().splitlines()[-1:]}")
    with zipfile.ZipFile(wheels[0]) as wheel:
        return Path(wheel.extract("Sports2D/Demo/demo.mp4", folder))


#: Pixels as read off picture 120 by eye, on the video's 1768 x 994.
BY_EYE = {
    "man on the roof": {"nose": (752, 112), "hips": (724, 290), "feet": (700, 436)},
    "woman in the grass": {"nose": (816, 540), "hips": (822, 735), "feet": (840, 915)},
}


@pytest.mark.slow
def test_keypoints_lie_on_the_two_people_of_a_real_video(demo, models):
    detector = BlazePose(models)
    tracker, seen = Tracker(detector, 30.0, 2, []), []
    for picture in open_video(demo):
        if picture.index >= 117:
            seen = tracker.update(picture.rgb, picture.time_s)
        if picture.index == 120:
            break
    assert all(seen)
    seen.sort(key=lambda one: one.next_crop.y_px)
    for one, (name, places) in zip(seen, BY_EYE.items(), strict=True):
        joints = {joint: one.points_px[BLAZEPOSE_33.index(joint)] for joint in BLAZEPOSE_33.joints}
        found = {
            "nose": joints["nose"],
            "hips": (joints["left_hip"] + joints["right_hip"]) / 2,
            "feet": (joints["left_ankle"] + joints["right_ankle"]) / 2,
        }
        for part, place in places.items():
            # An eighth of their height.
            assert np.linalg.norm(found[part] - place) < 48, f"{name}: {part} at {found[part]}"


@pytest.mark.slow
@pytest.mark.parametrize("turn", [90, -90])
def test_a_phone_that_was_held_turned_sees_the_same_keypoints(demo, models, tmp_path, turn):
    pictures = [picture.rgb for picture, _ in zip(open_video(demo), range(8), strict=False)]
    height = 370  # Of the man, by eye.
    upright = read_video_keypoints(write_video(tmp_path / "upright.mp4", pictures), models, persons=2)
    stored = [np.rot90(rgb, -turn // 90) for rgb in pictures]
    turned = read_video_keypoints(write_video(tmp_path / "turned.mp4", stored, turn), models)
    assert turned.image_size_px == upright.image_size_px == (1768, 994)
    assert turned.keypoints.shape == upright.keypoints.shape == (1, 8, 33, 3)
    assert turned.world_m.shape == upright.world_m.shape and np.isfinite(turned.world_m).all()
    away = np.linalg.norm(turned.keypoints[..., :2] - upright.keypoints[..., :2], axis=-1)
    assert np.median(away) < 0.02 * height
