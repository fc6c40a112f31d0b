"""The same people from picture to picture, each with a crop that follows the landmarks and sides that stay put."""

from __future__ import annotations

import dataclasses
from collections import deque
from typing import Protocol

import numpy as np

from skelgnn_tf.detection.blazepose import Found, Landmarks
from skelgnn_tf.detection.crop import Crop
from skelgnn_tf.skeletons import BLAZEPOSE_33

#: Below this the landmark model says that nobody is there.
_SURE = 0.5
#: How sure it is of nearly everybody who stands whole in the picture.
_SURE_NEWCOMER = 0.95
#: How often everyone is looked for: while somebody is missing, and otherwise (for newcomers).
_SEARCH_S, _LOOK_ROUND_S = 0.5, 2.0
#: Crops whose centres are nearer than this share of the larger side show the same person: it reaches from the hips
#: to beyond the shoulders, and two people side by side are a third of their height apart.
_SAME_PERSON = 0.2
#: How far a person may have gone while unseen, in sides of the crop, and for how long he is waited for.
_GONE_FAR, _GONE_S = 0.6, 2.0
#: The share of the person's size by which joints differ from the mirrored ones for the sides to be told, ...
_SIDES_APART = 0.04
#: ... how much better mirrored joints have to explain one of the pictures before, and which those are, ...
_SWAPPED, _BEFORE_S = 0.5, 0.1
#: ... and how far back the detector's pictures count when it insists.
_VOTES_S = 1.0
_MIRROR = list(BLAZEPOSE_33.mirror)
_BODY = [
    i
    for i, name in enumerate(BLAZEPOSE_33.joints)
    if name.endswith(("shoulder", "elbow", "wrist", "hip", "knee", "ankle"))
]


class Detector(Protocol):
    """What the tracker wants of `BlazePose`."""

    def detect(self, rgb: np.ndarray, square: Crop) -> list[Found]:
        """People in a square of a picture."""

    def landmarks(self, rgb: np.ndarray, crop: Crop) -> Landmarks:
        """The landmarks of the person in a crop."""


class SideGuard:
    """Notices when a detector takes a whole person's left for right, as it does against the light, and undoes it.

    The detector's pictures of the last second vote: a swap that lasts is none, and is believed the sooner the
    less the votes before agreed.

    Args:
        fps: Pictures per second.
    """

    def __init__(self, fps: float):
        self._votes = max(1.0, _VOTES_S * fps)
        self._agreed = 0.0
        self._before: deque[np.ndarray] = deque(maxlen=max(1, round(_BEFORE_S * fps)))
        self._swapped = False

    def swapped(self, points_px: np.ndarray, size_px: float) -> bool:
        """Whether the next picture's joints have to be mirrored to go on from the ones before.

        Args:
            points_px: (33, 2), as the detector says.
            size_px: Of the person.
        """
        mirrored, swapped = points_px[_MIRROR], False
        if self._before:
            # Side on, left and right lie on each other, and whatever was so before goes on.
            apart = _distance(points_px, mirrored) >= _SIDES_APART * size_px
            # On the way to a swap there may be a picture in which the sides meet half way: those before it tell.
            kept, turned = (min(_distance(p, before) for before in self._before) for p in (points_px, mirrored))
            swapped = turned < _SWAPPED * kept if apart else self._swapped
        self._agreed += ((-1 if swapped else 1) - self._agreed) / self._votes
        if swapped and self._agreed < 0:
            swapped, self._agreed = False, -self._agreed
        self._swapped = swapped
        self._before.append(mirrored if swapped else points_px)
        return swapped


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(a[_BODY] - b[_BODY], axis=-1).mean())


class _Person:
    """A place for one who is followed."""

    def __init__(self, fps: float):
        self._fps = fps
        self.guard = SideGuard(fps)
        self.last: Crop | None = None
        self.seen_s = -np.inf
        self.followed = False

    def see(self, landmarks: Landmarks, time_s: float) -> Landmarks:
        """Goes on with these; returns them with their sides as in the pictures before."""
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

    def welcome(self, newcomers: list[Landmarks], time_s: float) -> tuple[Landmarks, bool]:
        """Who of them takes this place, and whether somebody else had it before."""
        if self.last is not None and time_s - self.seen_s <= _GONE_S:
            for newcomer in newcomers:
                way = np.linalg.norm(self.last.centre_px - newcomer.next_crop.centre_px)
                if way < _GONE_FAR * self.last.side_px:
                    return newcomer, False
        self.guard = SideGuard(self._fps)
        return newcomers[0], self.last is not None


class Tracker:
    """Follows the largest people of a video.

    Whoever is followed stays so until he is lost; a place that becomes free goes to the one who was lost there, if he
    is back within two seconds near by, and else to the largest newcomer.

    Args:
        detector: Finds people and their landmarks.
        fps: Pictures per second.
        persons: How many to follow at most.
        notes: Gets a line when somebody is left out for the first time, and when a place goes to somebody else.
    """

    def __init__(self, detector: Detector, fps: float, persons: int, notes: list[str]):
        self._detector, self._notes = detector, notes
        self._people = [_Person(fps) for _ in range(persons)]
        self._search_s = self._deep_s = -np.inf
        self._told_left_out = self._told_replaced = False

    def update(self, rgb: np.ndarray, time_s: float) -> list[Landmarks | None]:
        """Everyone's landmarks in the next picture, in the places that they keep; None for a place that is free.

        Args:
            rgb: uint8 (height, width, 3).
            time_s: When it was taken.
        """
        seen = [self._follow(rgb, person) for person in self._people]
        self._part(seen)
        lost = any(person.followed and one is None for person, one in zip(self._people, seen, strict=True))
        num_seen = sum(one is not None for one in seen)
        wait_s = _SEARCH_S if num_seen < len(seen) else _LOOK_ROUND_S
        if lost or not num_seen or time_s >= self._search_s + wait_s:
            self._search_s = time_s
            self._search(rgb, time_s, seen)
        for place, (person, one) in enumerate(zip(self._people, seen, strict=True)):
            person.followed = False
            if one is not None:
                seen[place] = person.see(one, time_s)
        return seen

    def _follow(self, rgb: np.ndarray, person: _Person) -> Landmarks | None:
        if not person.followed:
            return None
        landmarks = self._detector.landmarks(rgb, person.last)
        return landmarks if landmarks.sure >= _SURE else None

    def _part(self, seen: list[Landmarks | None]) -> None:
        """Frees the place whose crop has run into somebody else's."""
        places = [place for place, one in enumerate(seen) if one is not None]
        # Who moved least is where he was.
        places.sort(key=lambda p: np.linalg.norm(seen[p].next_crop.centre_px - self._people[p].last.centre_px))
        for i, place in enumerate(places):
            if any(_same(seen[place].next_crop, seen[other].next_crop) for other in places[:i] if seen[other]):
                seen[place] = None

    def _search(self, rgb: np.ndarray, time_s: float, seen: list[Landmarks | None]) -> None:
        """Fills free places of `seen`, and tells who is left out."""
        newcomers = self._newcomers(rgb, _squares(rgb.shape, 1), [one for one in seen if one])
        if not newcomers and not any(seen) and time_s >= self._deep_s + _SEARCH_S:
            # Small people, who take many looks: only now and then.
            self._deep_s = time_s
            newcomers = self._newcomers(rgb, _squares(rgb.shape, 0.5), [])
        for place, person in enumerate(self._people):
            if seen[place] is None and newcomers:
                chosen, replaced = person.welcome(newcomers, time_s)
                newcomers = [newcomer for newcomer in newcomers if newcomer is not chosen]
                seen[place] = chosen
                if replaced and not self._told_replaced:
                    self._told_replaced = True
                    self._notes.append(f"at {time_s:.1f} s person {place} is gone, and another takes the place")
        if newcomers and not self._told_left_out:
            self._told_left_out = True
            also, places = len(newcomers), len(seen)
            self._notes.append(
                f"at {time_s:.1f} s there are {also} more in the picture than the {places} followed; "
                f"--persons {places + also} follows them too"
            )

    def _newcomers(self, rgb: np.ndarray, squares: list[Crop], known: list[Landmarks]) -> list[Landmarks]:
        """People who are not known yet, the largest of the sure ones first."""
        newcomers: list[Landmarks] = []
        # Beside somebody who stands out the detector sees nobody else, so whoever is found is blackened.
        while found := self._look(_without(rgb, known + newcomers), rgb, squares, known + newcomers):
            newcomers += found
            if len(newcomers) > len(self._people):
                break
        return sorted(newcomers, key=lambda one: (one.sure < _SURE_NEWCOMER, -one.next_crop.side_px))

    def _look(
        self, to_search: np.ndarray, rgb: np.ndarray, squares: list[Crop], known: list[Landmarks]
    ) -> list[Landmarks]:
        """People in one look at each square, without those who are known."""
        found = sorted((f for square in squares for f in self._detector.detect(to_search, square)), key=_by_score)
        # Between two people the detector sees a third, of whom the landmark model is less sure.
        least_sure = _SURE_NEWCOMER if known else _SURE
        crops, newcomers = [one.next_crop for one in known], []
        looked_at = list(crops)
        for crop in (f.crop for f in found):
            # Squares overlap, so most are found more than once.
            if any(_same(crop, other) for other in looked_at):
                continue
            looked_at.append(crop)
            landmarks = self._detector.landmarks(rgb, crop)
            if landmarks.sure >= _SURE:
                # Again from the landmarks' own crop: the detector's is rough.
                landmarks = self._detector.landmarks(rgb, landmarks.next_crop)
            if landmarks.sure >= least_sure and not any(_same(landmarks.next_crop, other) for other in crops):
                crops.append(landmarks.next_crop)
                newcomers.append(landmarks)
                least_sure = _SURE_NEWCOMER
        return newcomers


def _by_score(found: Found) -> float:
    return -found.score


def _without(rgb: np.ndarray, people: list[Landmarks]) -> np.ndarray:
    """A picture in which the boxes round people's joints are black."""
    if not people:
        return rgb
    rgb = rgb.copy()
    for person in people:
        margin = 0.03 * person.next_crop.side_px
        x0, y0 = np.maximum(person.points_px.min(axis=0) - margin, 0).astype(int)
        x1, y1 = np.maximum(person.points_px.max(axis=0) + margin, 0).astype(int)
        rgb[y0:y1, x0:x1] = 0
    return rgb


def _same(a: Crop, b: Crop) -> bool:
    return np.hypot(a.x_px - b.x_px, a.y_px - b.y_px) < _SAME_PERSON * max(a.side_px, b.side_px)


def _squares(shape: tuple[int, ...], share: float) -> list[Crop]:
    """The whole picture in a square, and half overlapping squares of a share of its shorter side.

    The detector sees 224 x 224 pixels, and misses who is small in them: a person of half a picture's height on a wide
    one, say.
    """
    height, width = shape[:2]
    side = share * min(height, width)
    squares = [Crop(width / 2, height / 2, float(max(height, width)))] if share == 1 else []
    columns, rows = (int(np.ceil(2 * length / side - 1 - 1e-6)) for length in (width, height))
    for y in np.linspace(side / 2, height - side / 2, max(1, rows)):
        for x in np.linspace(side / 2, width - side / 2, max(1, columns)):
            squares.append(Crop(float(x), float(y), float(side)))
    return squares
