"""Follows people from picture to picture: each has a crop that moves with the landmarks, and stable sides."""

from __future__ import annotations

import dataclasses

import numpy as np

from skelgnn_tf.detection.crop import Crop
from skelgnn_tf.detection.detector import Detection, Detector, Landmarks
from skelgnn_tf.detection.side_guard import SideGuard
from skelgnn_tf.skeletons import BLAZEPOSE_33

#: Below this confidence of the landmark model there is no person.
_MIN_CONFIDENCE = 0.5
#: Confidence of the landmark model for nearly all people whose whole body is visible.
_NEWCOMER_CONFIDENCE = 0.95
#: Time between two searches for people: while a person is missing, and otherwise.
_SEARCH_S, _LOOK_AROUND_S = 0.5, 2.0
#: Crops whose centers are closer than this fraction of the larger side show the same person. It reaches from the hips
#: beyond the shoulders; two people next to each other are a third of their height apart.
_SAME_PERSON = 0.2
#: How far, in sides of the crop, and for how long a person may disappear and keep the place.
_MAX_GAP, _MAX_GAP_S = 0.6, 2.0
_MIRROR = list(BLAZEPOSE_33.mirror)


class _Place:
    """A place for one person who is followed."""

    def __init__(self, fps: float) -> None:
        self._fps = fps
        self.guard = SideGuard(fps)
        self.last: Crop | None = None
        self.seen_s = -np.inf
        self.followed = False

    def see(self, landmarks: Landmarks, time_s: float) -> Landmarks:
        """Continues with these landmarks; returns them with the sides of the earlier pictures."""
        self.last, self.seen_s, self.followed = landmarks.next_crop, time_s, True
        if not self.guard.swapped(landmarks.points_px, landmarks.next_crop.side_px):
            return landmarks
        return dataclasses.replace(
            landmarks,
            points_px=landmarks.points_px[_MIRROR],
            visibility=landmarks.visibility[_MIRROR],
            presence=landmarks.presence[_MIRROR],
            world_m=landmarks.world_m[_MIRROR],
        )

    def admit(self, newcomers: list[Landmarks], time_s: float) -> tuple[Landmarks, bool]:
        """Returns who of the newcomers takes this place, and whether that replaces another person."""
        if self.last is not None and time_s - self.seen_s <= _MAX_GAP_S:
            for newcomer in newcomers:
                if _distance_px(self.last, newcomer.next_crop) < _MAX_GAP * self.last.side_px:
                    return newcomer, False
        self.guard = SideGuard(self._fps)
        return newcomers[0], self.last is not None


class Tracker:
    """Follows the largest people of a video.

    A person is followed until the detector loses them. A free place goes to the person who had it, if they are back
    within two seconds nearby, and otherwise to the largest newcomer.

    Args:
        detector: Finds people and their landmarks.
        fps: Pictures per second.
        persons: Maximum number of people to follow.
        notes: Receives a line when a person is left out for the first time, and when a place goes to another person.
    """

    def __init__(self, detector: Detector, fps: float, persons: int, notes: list[str]) -> None:
        self._detector, self._notes = detector, notes
        self._places = [_Place(fps) for _ in range(persons)]
        self._search_s = self._deep_s = -np.inf
        self._told_left_out = self._told_replaced = False

    def update(self, rgb: np.ndarray, time_s: float) -> list[Landmarks | None]:
        """Processes the next picture.

        Args:
            rgb: uint8 (height, width, 3).
            time_s: Time of the picture.

        Returns:
            The landmarks of the person in each place, or None if the place is free. People keep their places.
        """
        seen = [self._follow(rgb, place) for place in self._places]
        self._separate(seen)
        lost = any(place.followed and one is None for place, one in zip(self._places, seen, strict=True))
        num_seen = sum(one is not None for one in seen)
        wait_s = _SEARCH_S if num_seen < len(seen) else _LOOK_AROUND_S
        if lost or not num_seen or time_s >= self._search_s + wait_s:
            self._search_s = time_s
            self._search(rgb, time_s, seen)
        for i, (place, one) in enumerate(zip(self._places, seen, strict=True)):
            place.followed = False
            if one is not None:
                seen[i] = place.see(one, time_s)
        return seen

    def _follow(self, rgb: np.ndarray, place: _Place) -> Landmarks | None:
        if not place.followed or place.last is None:
            return None
        landmarks = self._detector.landmarks(rgb, place.last)
        return landmarks if landmarks.confidence >= _MIN_CONFIDENCE else None

    def _separate(self, seen: list[Landmarks | None]) -> None:
        """Frees a place whose crop has moved onto the person of another place."""
        present = [(i, one) for i, one in enumerate(seen) if one is not None]
        kept: list[Crop] = []
        # The person who moved least keeps the place.
        for i, one in sorted(present, key=lambda pair: self._moved_px(*pair)):
            if any(_same(one.next_crop, other) for other in kept):
                seen[i] = None
            else:
                kept.append(one.next_crop)

    def _moved_px(self, i: int, one: Landmarks) -> float:
        last = self._places[i].last
        return 0.0 if last is None else _distance_px(one.next_crop, last)

    def _search(self, rgb: np.ndarray, time_s: float, seen: list[Landmarks | None]) -> None:
        """Fills the free places of `seen`, and notes who is left out."""
        newcomers = self._newcomers(rgb, _squares(rgb.shape, 1), [one for one in seen if one])
        if not newcomers and not any(seen) and time_s >= self._deep_s + _SEARCH_S:
            # Searching for small people takes many crops, so it is done less often.
            self._deep_s = time_s
            newcomers = self._newcomers(rgb, _squares(rgb.shape, 0.5), [])
        for i, place in enumerate(self._places):
            if seen[i] is None and newcomers:
                chosen, replaced = place.admit(newcomers, time_s)
                newcomers = [newcomer for newcomer in newcomers if newcomer is not chosen]
                seen[i] = chosen
                if replaced and not self._told_replaced:
                    self._told_replaced = True
                    self._notes.append(f"at {time_s:.1f} s person {i} is gone and another person takes the place")
        if newcomers and not self._told_left_out:
            self._told_left_out = True
            more, places = len(newcomers), len(seen)
            self._notes.append(
                f"at {time_s:.1f} s there are {more} more people in the picture than the {places} followed; set "
                f"--persons {places + more} to follow them"
            )

    def _newcomers(self, rgb: np.ndarray, squares: list[Crop], known: list[Landmarks]) -> list[Landmarks]:
        """People who are not known yet: first those with a high confidence, each group from large to small."""
        newcomers: list[Landmarks] = []
        # Next to a prominent person the detector finds no other one, so everyone who is found is painted black.
        while found := self._look(_without(rgb, known + newcomers), rgb, squares, known + newcomers):
            newcomers += found
            if len(newcomers) > len(self._places):
                break
        return sorted(newcomers, key=lambda one: (one.confidence < _NEWCOMER_CONFIDENCE, -one.next_crop.side_px))

    def _look(
        self, to_search: np.ndarray, rgb: np.ndarray, squares: list[Crop], known: list[Landmarks]
    ) -> list[Landmarks]:
        """People found in one pass over the squares, without those who are known."""
        found = sorted((f for square in squares for f in self._detector.detect(to_search, square)), key=_by_score)
        # Between two people the detector finds a third one, with a lower confidence of the landmark model.
        min_confidence = _NEWCOMER_CONFIDENCE if known else _MIN_CONFIDENCE
        crops = [one.next_crop for one in known]
        newcomers: list[Landmarks] = []
        looked_at = list(crops)
        for crop in (f.crop for f in found):
            # Squares overlap, so most people are found more than once.
            if any(_same(crop, other) for other in looked_at):
                continue
            looked_at.append(crop)
            landmarks = self._detector.landmarks(rgb, crop)
            if landmarks.confidence >= _MIN_CONFIDENCE:
                # Once more with the landmarks' own crop: the detector's is rough.
                landmarks = self._detector.landmarks(rgb, landmarks.next_crop)
            if landmarks.confidence >= min_confidence and not any(_same(landmarks.next_crop, c) for c in crops):
                crops.append(landmarks.next_crop)
                newcomers.append(landmarks)
                min_confidence = _NEWCOMER_CONFIDENCE
        return newcomers


def _by_score(found: Detection) -> float:
    return -found.score


def _without(rgb: np.ndarray, people: list[Landmarks]) -> np.ndarray:
    """The picture with black boxes over people's joints."""
    if not people:
        return rgb
    rgb = rgb.copy()
    for person in people:
        margin = 0.03 * person.next_crop.side_px
        x0, y0 = np.maximum(person.points_px.min(axis=0) - margin, 0).astype(int)
        x1, y1 = np.maximum(person.points_px.max(axis=0) + margin, 0).astype(int)
        rgb[y0:y1, x0:x1] = 0
    return rgb


def _distance_px(a: Crop, b: Crop) -> float:
    return float(np.linalg.norm(a.center_px - b.center_px))


def _same(a: Crop, b: Crop) -> bool:
    return bool(np.hypot(a.x_px - b.x_px, a.y_px - b.y_px) < _SAME_PERSON * max(a.side_px, b.side_px))


def _squares(shape: tuple[int, ...], fraction: float) -> list[Crop]:
    """The whole picture in a square, and half overlapping squares with a fraction of its shorter side.

    The detector sees 224 x 224 pixels and misses people who are small in them, such as a person with half the height of
    a wide picture.
    """
    height, width = shape[:2]
    side = fraction * min(height, width)
    squares = [Crop(width / 2, height / 2, float(max(height, width)))] if fraction == 1 else []
    columns, rows = (int(np.ceil(2 * length / side - 1 - 1e-6)) for length in (width, height))
    for y in np.linspace(side / 2, height - side / 2, max(1, rows)):
        for x in np.linspace(side / 2, width - side / 2, max(1, columns)):
            squares.append(Crop(float(x), float(y), float(side)))
    return squares
