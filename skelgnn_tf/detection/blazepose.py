"""BlazePose on plain LiteRT: where people are in a picture, and their 33 landmarks.

Source: Bazarevsky et al., BlazePose: On-device Real-time Body Pose tracking, 2020 (arXiv:2006.10204); decoding as in
the graphs of MediaPipe's pose_detection and pose_landmark modules (Apache-2.0).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from skelgnn_tf.detection.crop import Crop, cut_out, person_crop
from skelgnn_tf.quiet import quiet
from skelgnn_tf.skeletons import BLAZEPOSE_33

if TYPE_CHECKING:
    from skelgnn_tf.detection.models import DetectorModels

NUM_JOINTS = BLAZEPOSE_33.num_joints
DETECTOR_SIZE, LANDMARK_SIZE = 224, 256
#: (stride, anchors in each cell) of the detector's three grids; all anchors have size one.
_GRIDS = ((8, 2), (16, 2), (32, 6))
#: A box that covers this much (intersection over union) of the best one is the same person.
_SAME_BOX = 0.3
#: The landmark model's own auxiliary points, after its 33 joints: the hips' middle and the circle.
_HIPS, _EDGE = NUM_JOINTS, NUM_JOINTS + 1
_NUM_POINTS = 39
#: Landmarks are refined in heat maps of 64 x 64, in windows of 7 x 7 whose best is at least this sure.
_HEAT_WINDOW, _HEAT_SURE = 7, 0.5


@dataclass(frozen=True)
class Found:
    """A person that the detector sees: where to look for landmarks, and how sure it is (0..1)."""

    crop: Crop
    score: float


@dataclass(frozen=True, eq=False)
class Landmarks:
    """One person's landmarks.

    Args:
        points_px: float32 (33, 2), x right, y down in the picture's pixels.
        visibility: float32 (33,), 0..1: seen, neither hidden nor outside.
        presence: float32 (33,), 0..1: inside the crop, maybe hidden.
        world_m: float32 (33, 3), BlazePose's own 3D: metres from the hips' middle along the picture's x, y and forward.
        sure: 0..1, whether there is a person at all.
        next_crop: Where to look in the next picture.
    """

    points_px: np.ndarray
    visibility: np.ndarray
    presence: np.ndarray
    world_m: np.ndarray
    sure: float
    next_crop: Crop


class BlazePose:
    """The two models.

    Args:
        models: Their files.
        num_threads: Of each.

    Raises:
        ValueError: A file that LiteRT cannot load or that is another model.
    """

    def __init__(self, models: DetectorModels, num_threads: int = 2):
        self._detector = _Net(models.detector, "detector", DETECTOR_SIZE, num_threads)
        self._landmarker = _Net(models.landmarker, "landmark model", LANDMARK_SIZE, num_threads)
        self._anchors = anchors()

    def detect(self, rgb: np.ndarray, square: Crop, least_score: float = 0.5) -> list[Found]:
        """People in a square of a picture, the surest first.

        Args:
            rgb: uint8 (height, width, 3).
            square: Where to look; what lies outside the picture counts as black.
            least_score: Weaker ones are left out.
        """
        outputs = self._detector(cut_out(rgb, square, DETECTOR_SIZE) * 2 - 1)
        scores, boxes = outputs[(len(self._anchors), 1)][:, 0], outputs[(len(self._anchors), 12)]
        people = merge_boxes(*decode_boxes(boxes, scores, self._anchors, least_score))
        found = []
        for points, score in people:
            hips, edge = square.to_picture(points[2:4])
            found.append(Found(person_crop(hips, edge), score))
        return found

    def landmarks(self, rgb: np.ndarray, crop: Crop) -> Landmarks:
        """The landmarks of the person in a crop of a picture (uint8 (height, width, 3))."""
        outputs = self._landmarker(cut_out(rgb, crop, LANDMARK_SIZE))
        points = outputs[(5 * _NUM_POINTS,)].reshape(_NUM_POINTS, 5)
        world_m = outputs[(3 * _NUM_POINTS,)].reshape(_NUM_POINTS, 3)[:NUM_JOINTS].copy()
        # The crop may be turned; the picture's x and y are wanted.
        world_m[:, :2] = world_m[:, :2] @ crop.rotation.T
        # (64, 64, points)
        places = refine(points[:, :2] / LANDMARK_SIZE, outputs[(64, 64, _NUM_POINTS)])
        in_picture = crop.to_picture(places)
        return Landmarks(
            points_px=in_picture[:NUM_JOINTS].astype(np.float32),
            visibility=_sigmoid(points[:NUM_JOINTS, 3]),
            presence=_sigmoid(points[:NUM_JOINTS, 4]),
            world_m=world_m,
            sure=float(outputs[(1,)][0]),
            next_crop=person_crop(in_picture[_HIPS], in_picture[_EDGE]),
        )


class _Net:
    """A .tflite model of one picture; its outputs are told by their shapes, for their names differ between versions."""

    def __init__(self, content: bytes, name: str, size: int, num_threads: int):
        from ai_edge_litert.interpreter import Interpreter

        try:
            with quiet():
                self._interpreter = Interpreter(model_content=content, num_threads=num_threads)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ValueError(f"BlazePose's {name} cannot be loaded ({str(error).splitlines()[0]})") from error
        (given,) = self._interpreter.get_input_details()
        if given["shape"].tolist() != [1, size, size, 3]:
            raise ValueError(
                f"BlazePose's {name} wants pictures (1, {size}, {size}, 3); this model's are "
                f"{tuple(given['shape'].tolist())}"
            )
        self._given = given["index"]
        self._outputs = {tuple(d["shape"][1:]): d["index"] for d in self._interpreter.get_output_details()}

    def __call__(self, picture: np.ndarray) -> dict[tuple[int, ...], np.ndarray]:
        """float32 (size, size, 3) -> {shape: output}, without batch."""
        self._interpreter.set_tensor(self._given, picture[None])
        self._interpreter.invoke()
        return {shape: self._interpreter.get_tensor(index)[0] for shape, index in self._outputs.items()}


def anchors() -> np.ndarray:
    """The places that the detector's boxes are measured from: float32 (2254, 2), x and y in shares of its picture."""
    grids = []
    for stride, per_cell in _GRIDS:
        cells = DETECTOR_SIZE // stride
        y, x = np.divmod(np.arange(cells * cells), cells)
        grids.append(np.repeat((np.stack([x, y], axis=1) + 0.5) / cells, per_cell, axis=0))
    return np.concatenate(grids).astype(np.float32)


def decode_boxes(
    raw: np.ndarray, logits: np.ndarray, anchors: np.ndarray, least_score: float
) -> tuple[np.ndarray, np.ndarray]:
    """The detector's boxes that are sure enough.

    Args:
        raw: (boxes, 12) centre, size and four points (hips' middle, body's circle, shoulders' middle, upper circle), in
            pixels of its picture, centre and points from the anchor.
        logits: (boxes,).
        anchors: (boxes, 2).
        least_score: 0..1.

    Returns:
        (kept, 6, 2): corners of least and greatest x and y, then the four points, in shares of the picture; and scores
        (kept,).
    """
    scores = _sigmoid(logits)
    kept = scores >= least_score
    pairs = raw[kept].reshape(-1, 6, 2) / DETECTOR_SIZE
    half = pairs[:, 1] / 2
    from_anchor = pairs + anchors[kept, None]
    centre = from_anchor[:, 0]
    corners = np.stack([centre - half, centre + half], axis=1)
    return np.concatenate([corners, from_anchor[:, 2:]], axis=1), scores[kept]


def merge_boxes(boxes: np.ndarray, scores: np.ndarray) -> list[tuple[np.ndarray, float]]:
    """Weighted non-maximum suppression: a person is the mean of his boxes, weighted by their scores.

    The best box alone trembles by whole cells of the grid, and the crop with it.

    Args:
        boxes: (boxes, 6, 2), as `decode_boxes` gives them.
        scores: (boxes,).

    Returns:
        For each person, the surest first: (6, 2), and the best score.
    """
    people = []
    left = np.argsort(-scores, kind="stable")
    while len(left):
        best = boxes[left[0]]
        low, high = np.maximum(boxes[left, 0], best[0]), np.minimum(boxes[left, 1], best[1])
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        areas = np.prod(boxes[left, 1] - boxes[left, 0], axis=1)
        same = shared / np.maximum(areas + areas[0] - shared, 1e-9) > _SAME_BOX
        # A degenerate box does not even cover itself.
        same[0] = True
        mean = np.average(boxes[left[same]], axis=0, weights=scores[left[same]])
        people.append((mean, float(scores[left[0]])))
        left = left[~same]
    return people


def refine(places: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Moves landmarks to the mean of the heat around them, where there is heat.

    Args:
        places: (points, 2), x and y in shares of the crop.
        heat: (rows, columns, points), logits.

    Returns:
        (points, 2).
    """
    rows, columns, num_points = heat.shape
    at = np.floor(places * (columns, rows)).astype(int)
    reach = np.arange(_HEAT_WINDOW) - _HEAT_WINDOW // 2
    # (points, 7): the rows and the columns of each window; what leaves the map weighs nothing.
    y, x = at[:, 1:] + reach, at[:, :1] + reach
    inside = ((y >= 0) & (y < rows))[:, :, None] & ((x >= 0) & (x < columns))[:, None, :]
    which = np.arange(num_points)[:, None, None]
    window = heat[np.clip(y, 0, rows - 1)[:, :, None], np.clip(x, 0, columns - 1)[:, None, :], which]
    weight = np.where(inside, _sigmoid(window), 0)
    total = weight.sum(axis=(1, 2))
    mean_x = (weight * x[:, None, :]).sum(axis=(1, 2)) / np.maximum(total, 1e-9) / columns
    mean_y = (weight * y[:, :, None]).sum(axis=(1, 2)) / np.maximum(total, 1e-9) / rows
    on_map = ((at >= 0) & (at < (columns, rows))).all(axis=1)
    hot = on_map & (weight.max(axis=(1, 2)) >= _HEAT_SURE)
    return np.where(hot[:, None], np.stack([mean_x, mean_y], axis=1), places)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    # The detector's weakest logits overflow float32's exponential.
    return 1 / (1 + np.exp(-np.clip(x, -80, 80)))
