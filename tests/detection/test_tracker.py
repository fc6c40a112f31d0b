"""Following people who are only numbers: places, notes, and sides that stay put."""

from __future__ import annotations

import numpy as np

from skelgnn_tf.detection.crop import Crop
from skelgnn_tf.detection.detector import Detection, Landmarks
from skelgnn_tf.detection.side_guard import SideGuard
from skelgnn_tf.detection.tracker import Tracker
from skelgnn_tf.skeletons import BLAZEPOSE_33


def standing(x: float, y: float, size: float, mirrored: bool = False) -> np.ndarray:
    """33 joints of somebody `size` high whose left is on the picture's right: (33, 2)."""
    points = np.zeros((33, 2))
    for i, name in enumerate(BLAZEPOSE_33.joints):
        out = 0.15 if name.startswith("left") else -0.15 if name.startswith("right") else 0.0
        up = {"shoulder": 0.3, "elbow": 0.2, "wrist": 0.1, "hip": 0.0, "knee": -0.25, "ankle": -0.5}
        points[i] = x + out * size, y - up.get(name.split("_")[-1], 0.4) * size
    return points[list(BLAZEPOSE_33.mirror)] if mirrored else points


class Scene:
    """A detector that knows who is where: {name: hips' x, y and height in pixels}."""

    def __init__(self):
        self.people: dict[str, tuple[float, float, float]] = {}
        self.swapped = False
        self.searches = 0

    def detect(self, rgb, square):
        self.searches += 1
        # As BlazePose's detector it sees one in a square, the largest who is not blackened.
        for x, y, size in sorted(self.people.values(), key=lambda person: -person[2]):
            at = square.from_picture(np.array([x, y]))
            if np.all((at > 0) & (at < 1)) and rgb[int(y), int(x)].any():
                return [Detection(Crop(x, y, 1.4 * size), 0.9)]
        return []

    def landmarks(self, rgb, crop):
        best = min(
            self.people.values(), key=lambda p: np.hypot(p[0] - crop.x_px, p[1] - crop.y_px), default=(1e9, 1e9, 1.0)
        )
        x, y, size = best
        near = np.hypot(x - crop.x_px, y - crop.y_px) < 0.5 * crop.side_px
        points = standing(x, y, size, self.swapped).astype(np.float32)
        return Landmarks(
            points,
            np.ones(33),
            np.ones(33),
            np.pad(points, ((0, 0), (0, 1))),
            1.0 if near else 0.1,
            Crop(x, y, 1.4 * size),
        )


def follow(scene: Scene, moments: list[dict], persons: int = 1) -> tuple[list, list[str]]:
    """The hips' x of each place at each moment (None: free), and the notes; ten pictures a second."""
    notes: list[str] = []
    tracker, rgb = Tracker(scene, 10.0, persons, notes), np.full((480, 640, 3), 99, np.uint8)
    places = []
    for index, people in enumerate(moments):
        scene.people = people
        seen = tracker.update(rgb, index / 10)
        places.append([None if one is None else float(one.next_crop.x_px) for one in seen])
    return places, notes


def test_the_largest_is_followed_and_the_others_are_mentioned_once():
    moments = [{"small": (100, 240, 90), "large": (400 + 3 * k, 240, 200)} for k in range(50)]
    places, notes = follow(Scene(), moments)
    assert places == [[400.0 + 3 * k] for k in range(50)]
    assert notes == [
        "at 0.0 s there are 1 more people in the picture than the 1 followed; set --persons 2 to follow them"
    ]


def test_people_keep_their_places_when_they_pass_and_change_in_size():
    moments = [{"a": (100 + 8 * k, 200, 200 - 2 * k), "b": (500 - 8 * k, 290, 120 + 3 * k)} for k in range(45)]
    places, notes = follow(Scene(), moments, persons=2)
    assert places == [[100.0 + 8 * k, 500.0 - 8 * k] for k in range(45)]
    assert notes == []


def test_who_stays_is_followed_though_somebody_larger_comes():
    moments = [{"a": (200, 240, 100)}] * 10 + [{"a": (200, 240, 100), "b": (500, 240, 300)}] * 40
    places, notes = follow(Scene(), moments)
    assert {place for (place,) in places} == {200.0}
    assert len(notes) == 1 and "--persons 2" in notes[0]


def test_who_comes_back_nearby_gets_the_place_back():
    gone = [{"b": (500, 240, 150)}] * 5
    moments = [{"a": (200, 240, 150), "b": (500, 240, 150)}] * 5 + gone
    moments += [{"a": (230, 240, 150), "b": (500, 240, 150)}] * 12
    places, notes = follow(Scene(), moments, persons=2)
    at = places[0].index(200.0)
    assert places[7][at] is None and places[7][1 - at] == 500.0
    assert places[-1][at] == 230.0 and places[-1][1 - at] == 500.0
    assert notes == []


def test_a_place_that_goes_to_another_is_mentioned():
    places, notes = follow(Scene(), [{"a": (150, 240, 150)}] * 5 + [{"b": (550, 240, 150)}] * 5)
    assert places[0] == [150.0] and places[-1] == [550.0]
    assert notes == ["at 0.5 s person 0 is gone and another person takes the place"]


def test_nobody_is_nobody_and_is_searched_for_in_every_picture():
    scene = Scene()
    places, notes = follow(scene, [{}] * 7)
    assert places == [[None]] * 7 and notes == []
    assert scene.searches >= 7


def test_one_person_never_fills_two_places():
    moments = [{"a": (200, 240, 180), "b": (400, 240, 180)}] * 3 + [{"a": (290, 240, 180)}] * 30
    places, _ = follow(Scene(), moments, persons=2)
    for seen in places[3:]:
        # Who was nearer stays.
        assert seen == [290.0 if place == 200.0 else None for place in places[0]]


def test_a_short_swap_of_sides_is_undone_in_all_that_is_said_of_a_person():
    scene = Scene()
    scene.people = {"a": (300.0, 240.0, 200.0)}
    tracker, rgb = Tracker(scene, 30.0, 1, []), np.full((480, 640, 3), 99, np.uint8)
    left = BLAZEPOSE_33.index("left_wrist")
    for index in range(60):
        scene.swapped = index in (20, 21, 22, 40)
        (one,) = tracker.update(rgb, index / 30)
        assert one.points_px[left, 0] > 300, f"left is right in picture {index}"
        assert one.world_m[left, 0] > 300, f"left is right in picture {index} in 3D"


def test_a_swap_is_noticed_behind_a_picture_in_which_the_sides_meet_half_way():
    guard, right, wrong = SideGuard(60.0), standing(0, 0, 100.0), standing(0, 0, 100.0, mirrored=True)
    said = [guard.swapped(points, 140.0) for points in [right] * 60 + [0.4 * right + 0.6 * wrong] + [wrong] * 20]
    assert not any(said[:60]) and all(said[61:])


def test_a_swap_that_lasts_is_believed_within_a_second():
    guard = SideGuard(30.0)
    before = [guard.swapped(standing(0, 0, 100.0), 140.0) for _ in range(60)]
    after = [guard.swapped(standing(0, 0, 100.0, mirrored=True), 140.0) for _ in range(60)]
    assert not any(before)
    assert after[0] and 15 <= sum(after) <= 25 and not any(after[25:])


def test_a_person_who_moves_fast_or_stands_side_on_is_left_as_they_are():
    guard = SideGuard(30.0)
    for k in range(60):
        assert not guard.swapped(standing(9.0 * k, 0, 100.0), 140.0)
    thin = standing(0, 0, 100.0)
    thin[:, 0] *= 0.05
    for k in range(10):
        assert not guard.swapped(thin if k % 2 else thin[list(BLAZEPOSE_33.mirror)], 140.0)
