"""Files as detectors write them, written here by hand: COCO results, MMPose, OpenPose, MediaPipe, CSV."""

import csv
import json

import numpy as np
import pytest

from skelgnn_tf.keypoints import is_keypoint_file, read_keypoints
from skelgnn_tf.keypoints.raw import PersonKeypoints, frame_numbers
from skelgnn_tf.keypoints.tracks import assemble
from skelgnn_tf.skeletons import ALL
from support.keypoints import SIZE, coco_px

COCO, BLAZEPOSE = ALL["coco_17"].joints, ALL["blazepose_33"].joints
# The orders as OpenPose's documentation draws them, written anew; R and L are the person's sides.
BODY_25 = (
    "Nose Neck RShoulder RElbow RWrist LShoulder LElbow LWrist MidHip RHip RKnee RAnkle LHip LKnee LAnkle REye LEye "
    "REar LEar LBigToe LSmallToe LHeel RBigToe RSmallToe RHeel"
).split()
BODY_18 = (
    "Nose Neck RShoulder RElbow RWrist LShoulder LElbow LWrist RHip RKnee RAnkle LHip LKnee LAnkle REye LEye REar LEar"
).split()


def person(frames=6, shift=(0, 0)):
    """COCO's joints in pixels with confidence: (frames, 17, 3)."""
    confidence = np.random.default_rng(1).uniform(0.2, 1, (frames, 17, 1))
    return np.concatenate([coco_px(frames) + shift, confidence], axis=-1)


def written(path, values):
    path.write_text(json.dumps(values), encoding="utf-8")
    return path


def coco_results(takes, names=None, **more):
    """AlphaPose's list for persons (frames, 17, 3), the most confident first, which changes from frame to frame."""
    rows = []
    for t in range(len(takes[0])):
        order = range(len(takes)) if t % 2 else range(len(takes))[::-1]
        for i in order:
            rows.append(
                {
                    "image_id": names[t] if names else f"{t}.jpg", "category_id": 1, "score": 2.1,
                    "keypoints": takes[i][t].ravel().tolist(), **{key: value(i) for key, value in more.items()},
                }
            )  # fmt: skip
    return rows


def test_alphapose_results_are_one_person_over_time(tmp_path):
    file = read_keypoints(written(tmp_path / "alphapose-results.json", coco_results([person()])), None, SIZE, 25)
    np.testing.assert_allclose(file.keypoints[0], person(), rtol=1e-6)
    assert (file.layout, file.fps) == ("coco_17", 25)


@pytest.mark.parametrize(
    "track", [{}, {"idx": lambda i: 5 - i}, {"track_id": lambda i: i}, {"idx": lambda i: [[i + 7]]}]
)
def test_two_persons_keep_apart_whatever_their_order(tmp_path, track):
    takes = [person(), person(shift=(400, 30))]
    file = read_keypoints(written(tmp_path / "a.json", coco_results(takes, **track)), None, (1700, 800), 30)
    found = sorted(file.keypoints, key=lambda one: one[0, 0, 0])
    np.testing.assert_allclose(found, sorted(takes, key=lambda one: one[0, 0, 0]), rtol=1e-6)


def test_tracks_are_believed_when_someone_jumps_and_rows_may_come_in_any_order(tmp_path):
    # Both walk further than they may from one sight to the next, so that the frames' order counts.
    walk = np.arange(12)[:, None, None] * (70, 0, 0)
    takes = [person(12) + walk, person(12, shift=(500, 30)) + walk]
    swapped = [np.concatenate([one[:6], other[6:]]) for one, other in (takes, takes[::-1])]
    for known, expected in (({"idx": lambda i: i}, swapped), ({}, takes)):
        rows = coco_results(swapped, **known)
        np.random.default_rng(4).shuffle(rows)
        file = read_keypoints(written(tmp_path / "a.json", rows), None, (2400, 800), 30)
        found = sorted(file.keypoints, key=lambda one: one[0, 0, 0])
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_frames_that_a_numbering_leaves_out_are_frames_without_anyone(tmp_path):
    names = ["take_0007.png", "take_0008.png", "take_0010.png", "take_0011.png", "take_0014.png", "take_0015.png"]
    file = read_keypoints(written(tmp_path / "a.json", coco_results([person()], names)), None, SIZE, 30)
    seen = (file.keypoints[0, ..., 2] > 0).all(axis=-1)
    assert seen.tolist() == [True, True, False, True, True, False, False, True, True]
    assert not file.keypoints[0, ~seen].any()
    np.testing.assert_allclose(file.keypoints[0, seen], person(), rtol=1e-6)
    notes = " ".join(file.notes)
    assert "image_id starts at 7" in notes and "skips 3 frames between 7 and 15" in notes


@pytest.mark.parametrize(
    ("names", "frames"),
    [
        ([0, 1, 2], [0, 1, 2]),
        (["10.jpg", "9.jpg", "12.jpg"], [1, 0, 3]),
        (["cam2_0003", "cam2_0001"], [2, 0]),
        (["a", "b", "a"], [0, 1, 0]),
        (["cam1_01", "cam2_07"], [0, 1]),
        ([5, 5, 6], [0, 0, 1]),
        (["only.png"], [0]),
    ],
)
def test_names_of_pictures_are_frames(names, frames):
    assert frame_numbers(names, "a.json: image_id")[0] == frames


def test_numbers_of_unrelated_pictures_are_no_take(tmp_path):
    with pytest.raises(
        ValueError,
        match="a.json: image_id must number the frames of one recording. Received: 139 to 581781 for 6 frames",
    ):
        read_keypoints(
            written(tmp_path / "a.json", coco_results([person()], [139, 285, 632, 724, 776, 581781])), None, SIZE
        )


@pytest.mark.parametrize("wrapped", [True, False])
def test_mmpose_frames_with_and_without_anyone(tmp_path, wrapped):
    takes = [person(), person(shift=(400, 0))]
    frames = [
        {
            "frame_id": t + 1,
            "instances": [
                {"keypoints": one[t, :, :2].tolist(), "keypoint_scores": one[t, :, 2].tolist(), "bbox_score": 0.9}
                for one in (takes if t != 3 else [])
            ],
        }
        for t in range(6)
    ]
    values = {"meta_info": {"dataset_name": "coco"}, "instance_info": frames} if wrapped else frames
    file = read_keypoints(written(tmp_path / "a.json", values), None, (1700, 800), 30)
    expected = np.stack(takes)
    expected[:, 3] = 0
    np.testing.assert_allclose(sorted(file.keypoints, key=lambda one: one[0, 0, 0]), expected, rtol=1e-6)
    assert "skips" not in " ".join(file.notes)


@pytest.mark.parametrize("joints", [26, 133, 136])
def test_layouts_that_begin_like_cocos_are_cut_to_it(tmp_path, joints):
    more = np.concatenate([person(), np.full((6, joints - 17, 3), 9.0)], axis=1)
    file = read_keypoints(written(tmp_path / "a.json", coco_results([more])), None, SIZE, 30)
    np.testing.assert_allclose(file.keypoints[0], person(), rtol=1e-6)
    assert file.layout == "coco_17" and f"{joints} joints are read as" in file.notes[0]


def openpose_name(joint):
    """COCO's name as OpenPose has it."""
    side, _, part = joint.rpartition("_")
    return {"left": "L", "right": "R", "": ""}[side] + part.capitalize()


def openpose_folder(folder, takes, order, numbers):
    folder.mkdir()
    for t, number in enumerate(numbers):
        people = []
        for one in takes:
            flat = np.zeros((len(order), 3))
            for joint, values in zip(COCO, one[t], strict=True):
                flat[order.index(openpose_name(joint))] = values
            people.append({"person_id": [-1], "pose_keypoints_2d": flat.ravel().tolist(), "face_keypoints_2d": []})
        written(folder / f"video_{number:012d}_keypoints.json", {"version": 1.3, "people": people})
    return folder


@pytest.mark.parametrize("order", [BODY_25, BODY_18])
def test_a_folder_of_openpose_is_cocos_joints(tmp_path, order):
    folder = openpose_folder(tmp_path / "op", [person(), person(shift=(400, 0))], order, [0, 1, 2, 4, 5, 11])
    written(folder / "video_000000000003_keypoints.json", {"people": []})
    assert is_keypoint_file(folder)
    file = read_keypoints(folder, None, (1700, 800), 30)
    assert file.keypoints.shape == (2, 12, 17, 3) and file.layout == "coco_17"
    frames = [0, 1, 2, 4, 5, 11]
    np.testing.assert_allclose(
        sorted(file.keypoints[:, frames], key=lambda one: one[0, 0, 0]),
        [person(), person(shift=(400, 0))], rtol=1e-5,
    )  # fmt: skip
    assert not file.keypoints[:, [3, 6, 7, 8, 9, 10]].any()
    assert "skips 5 frames between 0 and 11" in " ".join(file.notes)


def test_one_file_of_openpose_is_one_frame(tmp_path):
    folder = openpose_folder(tmp_path / "op", [person()], BODY_25, [0])
    file = read_keypoints(folder / "video_000000000000_keypoints.json", None, SIZE, 30)
    np.testing.assert_allclose(file.keypoints[0, 0], person()[0], rtol=1e-5)


def landmarks(frames=5):
    """BlazePose's 33 landmarks as shares of the picture with visibility: (frames, 33, 3)."""
    return np.random.default_rng(3).uniform(0.1, 0.9, (frames, 33, 3))


def as_objects(frame):
    return [{"x": x, "y": y, "z": -0.3, "visibility": v} for x, y, v in frame]


@pytest.mark.parametrize(
    "shape",
    [
        lambda frames: [as_objects(frame) for frame in frames],
        lambda frames: {"frames": [{"landmarks": [as_objects(frame)]} for frame in frames]},
        lambda frames: [{"pose_landmarks": as_objects(frame), "timestamp_ms": 3} for frame in frames],
        lambda frames: [{"poseLandmarks": {"landmark": as_objects(frame)}} for frame in frames],
        lambda frames: {
            "frames": [{"landmarks": [as_objects(frame)], "worldLandmarks": [[{"x": 1}]]} for frame in frames]
        },
    ],
)
def test_mediapipes_landmarks_become_pixels(tmp_path, shape):
    frames = landmarks()
    file = read_keypoints(written(tmp_path / "a.json", shape(frames)), None, SIZE, 30)
    np.testing.assert_allclose(file.keypoints[0, ..., :2], frames[..., :2] * SIZE, rtol=1e-5)
    np.testing.assert_allclose(file.keypoints[0, ..., 2], frames[..., 2], rtol=1e-6)
    assert file.layout == "blazepose_33" and "[0, 1] are scaled to the image of 1280 x 720" in file.notes[0]


def test_size_and_rate_may_stand_in_the_json_and_frames_may_be_empty(tmp_path):
    frames = [as_objects(frame) for frame in landmarks()]
    frames[1], frames[3] = None, []
    values = {"width": 640, "height": 480, "fps": 24, "frames": frames}
    file = read_keypoints(written(tmp_path / "a.json", values))
    assert (file.image_size_px, file.fps, file.keypoints.shape) == ((640, 480), 24, (1, 5, 33, 3))
    assert file.keypoints[0, ..., 2].any(axis=-1).tolist() == [True, False, True, False, True]
    with pytest.raises(ValueError, match=r"image_size must be known for coordinates in \[0, 1\].*Set --image-size"):
        read_keypoints(written(tmp_path / "b.json", frames))


HEADERS = {
    "numbered": lambda i: (f"x{i}", f"y{i}", f"z{i}", f"v{i}"),
    "from one": lambda i: (f"x{i + 1}", f"y{i + 1}", f"z{i + 1}", f"visibility{i + 1}"),
    "behind": lambda i: (f"landmark_{i}_x", f"landmark_{i}_y", f"landmark_{i}_z", f"landmark_{i}_visibility"),
    "named": lambda i: tuple(f"{BLAZEPOSE[i]}_{axis}" for axis in ("x", "y", "z", "visibility")),
    "shouted": lambda i: tuple(f"{BLAZEPOSE[i].upper()}.{axis}" for axis in ("x", "y", "z", "visibility")),
}


@pytest.mark.parametrize("header", HEADERS)
def test_a_table_has_a_row_for_each_frame(tmp_path, header):
    frames = landmarks()
    with open(tmp_path / "a.csv", "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["frame", "max", *(name for i in range(33) for name in HEADERS[header](i))])
        for t, frame in enumerate(frames):
            cells = [] if t == 2 else [cell for x, y, v in frame for cell in (x, y, 0.5, v)]
            rows.writerow([t, 9, *(cells or [""] * 132)])
    file = read_keypoints(tmp_path / "a.csv", None, SIZE, 30)
    expected = frames * (*SIZE, 1)
    expected[2] = 0
    np.testing.assert_allclose(file.keypoints[0], expected, rtol=1e-5)
    assert file.layout == "blazepose_33"


def test_names_of_columns_tell_a_layout_whatever_their_order(tmp_path):
    order = np.random.default_rng(0).permutation(17)
    with open(tmp_path / "a.csv", "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow([f"{COCO[i]}_{axis}" for i in order for axis in ("x", "y", "score")])
        rows.writerows(frame[order].ravel().tolist() for frame in person())
    file = read_keypoints(tmp_path / "a.csv", None, SIZE, 30)
    np.testing.assert_allclose(file.keypoints[0], person(), rtol=1e-6)
    assert (file.layout, file.notes) == ("coco_17", ())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "columns"),
        ("a,b\n1,2\n", "must be those of a known layout.*Received: 0 joints"),
        ("hip_x_m,hip_y_m,hip_z_m\n1,2,3\n", "must be those of a known layout"),
        ("x0,y0,x2,y2\n1,2,3,4\n", "the joint numbers must be consecutive. Received: 0, 2"),
        (",".join(f"x{i},y{i}" for i in range(17)), "a header and no row"),
        (
            ",".join(f"x{i},y{i}" for i in range(17)) + "\n" + ",".join(["one"] * 34),
            "cells must be numbers. .* in row 2, joint 0",
        ),
    ],
)
def test_a_table_of_something_else_is_refused(tmp_path, text, says):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(ValueError, match=says) as refused:
        read_keypoints(tmp_path / "a.csv", None, SIZE)
    assert "a.csv" in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([], "is empty"),
        ({}, "is empty"),
        (3, "must be COCO results .* Received: no frames"),
        ({"pose": 1}, "must be COCO results .* Received: frame 0 with pose"),
        ([{"image_id": 1, "keypoints": [1, 2, 3, 4]}], "'keypoints' must be x, y, confidence .* a person in frame 1"),
        ([{"image_id": 1, "keypoints": "x"}], "'keypoints' must be x, y, confidence .* a person in frame 1"),
        (
            [{"image_id": 1, "keypoints": [9, 9, 1] * 17}, {"image_id": 2, "keypoints": [9, 9, 1]}],
            "17 joints in frame 1, 1 in frame 2",
        ),
        ([{"instances": []}], "must have frame_id and instances. Received: one without 'frame_id'"),
        ([{"frame_id": 0, "instances": []}], "1 frames and no person"),
        ({"people": []}, "has no person"),
        (
            {"people": [{"pose_keypoints_2d": [0, 0, 0] * 15}]},
            r"OpenPose's BODY_25 \(25 joints\) or .* Received: 15 joints",
        ),
        ({"people": [{"face": []}]}, "'pose_keypoints_2d' must be x, y, confidence"),
        ([[{"x": 1, "z": 2}]], "a landmark must have the numbers x, y .* frame 0"),
        ([[{"x": 9, "y": 9}] * 33, [{"x": 9, "y": 9}] * 3], "same number of landmarks. Received: 3 to 33"),
        ([None, []], "2 frames and no landmarks"),
    ],
)
def test_json_of_something_else_is_refused_in_a_line(tmp_path, values, says):
    with pytest.raises(ValueError, match=says) as refused:
        read_keypoints(written(tmp_path / "a.json", values), None, SIZE)
    assert "a.json" in str(refused.value) and "\n" not in str(refused.value)


def test_files_that_are_cut_or_not_there_are_named(tmp_path):
    (tmp_path / "cut.json").write_text('[{"image_id": 0, "keyp')
    (tmp_path / "empty").mkdir()
    for name, error, says in (
        ("cut.json", ValueError, "is not valid JSON"),
        ("empty", ValueError, r"one \*_keypoints.json for each frame. Received: none"),
        ("none.json", FileNotFoundError, "file not found"),
        ("none.csv", FileNotFoundError, "file not found"),
    ):
        with pytest.raises(error, match=says) as refused:
            read_keypoints(tmp_path / name)
        assert name in str(refused.value) and "\n" not in str(refused.value)
    assert not is_keypoint_file(tmp_path / "empty") and not is_keypoint_file("clip.mp4")
    assert is_keypoint_file("a.JSON") and is_keypoint_file("a.npz")


def test_a_layout_that_contradicts_the_format_is_refused(tmp_path):
    folder = openpose_folder(tmp_path / "op", [person()], BODY_25, range(6))
    with pytest.raises(
        ValueError, match="must be coco_17, which the file's format defines. .* Remove --keypoint-layout h36m_17"
    ):
        read_keypoints(folder, "h36m_17", SIZE, 30)
    assert read_keypoints(folder, "coco_17", SIZE, 30).layout == "coco_17"


def test_of_a_crowd_those_seen_most_are_kept():
    one = person(1)[0]
    seen = [PersonKeypoints(frame, track, one + track) for track in range(12) for frame in range(12 - track)]
    keypoints, notes = assemble(seen, 12)
    assert keypoints.shape == (8, 12, 17, 3)
    np.testing.assert_array_equal((keypoints[..., 2] > 0).all(axis=-1).sum(axis=1), np.arange(12, 4, -1))
    assert notes == ["12 persons are found; the 8 seen most often are kept"]


def test_someone_who_comes_back_where_they_left_is_the_same():
    there, else_where = person(8), person(8, shift=(900, 0))
    seen = [PersonKeypoints(t, None, there[t]) for t in (0, 1, 5, 6)] + [
        PersonKeypoints(t, None, else_where[t]) for t in (4, 5, 6)
    ]
    keypoints, _ = assemble(seen, 8)
    assert [(one[:, 0, 2] > 0).nonzero()[0].tolist() for one in keypoints] == [[0, 1, 5, 6], [4, 5, 6]]
