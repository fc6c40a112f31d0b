"""BlazePose on LiteRT: where people are in a picture, and their 33 landmarks.

Source: Bazarevsky et al., BlazePose: On-device Real-time Body Pose tracking, 2020 (arXiv:2006.10204). Decoding follows
the graphs of MediaPipe's pose_detection and pose_landmark modules (Apache-2.0).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from skelgnn_tf.detection.crop import Crop, cut_out, person_crop
from skelgnn_tf.detection.detector import Detection, Landmarks
from skelgnn_tf.quiet import quiet
from skelgnn_tf.skeletons import BLAZEPOSE_33

if TYPE_CHECKING:
    from skelgnn_tf.detection.models import DetectorModels

NUM_JOINTS = BLAZEPOSE_33.num_joints
DETECTOR_SIZE, LANDMARK_SIZE = 224, 256
#: (stride, anchors in each cell) of the detector's three grids. All anchors have size one.
_GRIDS = ((8, 2), (16, 2), (32, 6))
#: Detections with a lower score are dropped.
_MIN_SCORE = 0.5
#: Boxes whose intersection over union with the best box exceeds this show the same person.
_SAME_BOX = 0.3
#: The landmark model's auxiliary points after its 33 joints: the middle of the hips and a point on the circle.
_HIPS, _EDGE = NUM_JOINTS, NUM_JOINTS + 1
_NUM_POINTS = 39
#: Landmarks are refined in heat maps of 64 x 64, in windows of 7 x 7 whose maximum is at least this.
_HEAT_WINDOW, _MIN_HEAT = 7, 0.5


class BlazePose:
    """The two models of BlazePose; a `Detector` of 33 joints.

    Args:
        models: The model files.
        num_threads: Number of CPU threads of each model.

    Raises:
        ValueError: LiteRT cannot load a file, or the file is another model.

    Example:
        >>> detector = BlazePose(find_models())  # doctest: +SKIP
        >>> person, *_ = detector.detect(rgb, Crop(320.0, 240.0, 640.0))  # doctest: +SKIP
        >>> detector.landmarks(rgb, person.crop).points_px.shape  # doctest: +SKIP
        (33, 2)
    """

    def __init__(self, models: DetectorModels, num_threads: int = 2) -> None:
        self._detector = _Net(models.detector, "detector", DETECTOR_SIZE, num_threads)
        self._landmarker = _Net(models.landmarker, "landmark model", LANDMARK_SIZE, num_threads)
        self._anchors = anchors()

    def detect(self, rgb: np.ndarray, square: Crop) -> list[Detection]:
        """Returns the people in a part of a picture, the most confident first.

        Args:
            rgb: uint8 (height, width, 3).
            square: The part to search. Whatever lies outside the picture counts as black.
        """
        outputs = self._detector(cut_out(rgb, square, DETECTOR_SIZE) * 2 - 1)
        scores, boxes = outputs[(len(self._anchors), 1)][:, 0], outputs[(len(self._anchors), 12)]
        people = merge_boxes(*decode_boxes(boxes, scores, self._anchors, _MIN_SCORE))
        found = []
        for points, score in people:
            hips, edge = square.to_picture(points[2:4])
            found.append(Detection(person_crop(hips, edge), score))
        return found

    def landmarks(self, rgb: np.ndarray, crop: Crop) -> Landmarks:
        """Returns the landmarks of the person in a part of a picture (uint8 (height, width, 3))."""
        outputs = self._landmarker(cut_out(rgb, crop, LANDMARK_SIZE))
        points = outputs[(5 * _NUM_POINTS,)].reshape(_NUM_POINTS, 5)
        world_m = outputs[(3 * _NUM_POINTS,)].reshape(_NUM_POINTS, 3)[:NUM_JOINTS].copy()
        # From the axes of the crop, which may be rotated, to those of the picture.
        world_m[:, :2] = world_m[:, :2] @ crop.rotation.T
        # (64, 64, points)
        places = refine(points[:, :2] / LANDMARK_SIZE, outputs[(64, 64, _NUM_POINTS)])
        in_picture = crop.to_picture(places)
        return Landmarks(
            points_px=in_picture[:NUM_JOINTS].astype(np.float32),
            visibility=_sigmoid(points[:NUM_JOINTS, 3]),
            presence=_sigmoid(points[:NUM_JOINTS, 4]),
            world_m=world_m,
            confidence=float(outputs[(1,)][0]),
            next_crop=person_crop(in_picture[_HIPS], in_picture[_EDGE]),
        )


class _Net:
    """A .tflite model of one picture. Outputs are identified by shape, since their names differ between versions."""

    def __init__(self, content: bytes, name: str, size: int, num_threads: int) -> None:
        from ai_edge_litert.interpreter import Interpreter

        try:
            with quiet():
                self._interpreter = Interpreter(model_content=content, num_threads=num_threads)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise ValueError(f"BlazePose's {name} must be a .tflite model. Received: {reason}.") from error
        (given,) = self._interpreter.get_input_details()
        if given["shape"].tolist() != [1, size, size, 3]:
            raise ValueError(
                f"BlazePose's {name} must take pictures (1, {size}, {size}, 3). Received: a model that takes "
                f"{tuple(given['shape'].tolist())}."
            )
        self._given = given["index"]
        self._outputs = {tuple(d["shape"][1:]): d["index"] for d in self._interpreter.get_output_details()}

    def __call__(self, picture: np.ndarray) -> dict[tuple[int, ...], np.ndarray]:
        """float32 (size, size, 3) -> {shape: output}, without the batch axis."""
        self._interpreter.set_tensor(self._given, picture[None])
        self._interpreter.invoke()
        return {shape: self._interpreter.get_tensor(index)[0] for shape, index in self._outputs.items()}


def anchors() -> np.ndarray:
    """Origins of the detector's boxes: float32 (2254, 2), x and y relative to the size of its input."""
    grids = []
    for stride, per_cell in _GRIDS:
        cells = DETECTOR_SIZE // stride
        y, x = np.divmod(np.arange(cells * cells), cells)
        grids.append(np.repeat((np.stack([x, y], axis=1) + 0.5) / cells, per_cell, axis=0))
    return np.concatenate(grids).astype(np.float32)


def decode_boxes(
    raw: np.ndarray, logits: np.ndarray, anchors: np.ndarray, min_score: float
) -> tuple[np.ndarray, np.ndarray]:
    """Decodes the detector's boxes with a sufficient score.

    Args:
        raw: (boxes, 12): center, size and four points (middle of the hips, point on the body's circle, middle of the
            shoulders, point on the upper circle), in pixels of the input. Center and points are relative to the anchor.
        logits: (boxes,).
        anchors: (boxes, 2).
        min_score: In [0, 1].

    Returns:
        (kept, 6, 2): the corners with the smallest and largest x and y and the four points, relative to the size of the
        input; and the scores (kept,).
    """
    scores = _sigmoid(logits)
    kept = scores >= min_score
    pairs = raw[kept].reshape(-1, 6, 2) / DETECTOR_SIZE
    half = pairs[:, 1] / 2
    from_anchor = pairs + anchors[kept, None]
    center = from_anchor[:, 0]
    corners = np.stack([center - half, center + half], axis=1)
    return np.concatenate([corners, from_anchor[:, 2:]], axis=1), scores[kept]


def merge_boxes(boxes: np.ndarray, scores: np.ndarray) -> list[tuple[np.ndarray, float]]:
    """Weighted non-maximum suppression: the mean of each person's boxes, weighted by their scores.

    The best box on its own jumps by whole cells of the grid, and the crop with it.

    Args:
        boxes: (boxes, 6, 2), as returned by `decode_boxes`.
        scores: (boxes,).

    Returns:
        For each person, the most confident first: (6, 2) and the best score.
    """
    people = []
    left = np.argsort(-scores, kind="stable")
    while len(left):
        best = boxes[left[0]]
        low, high = np.maximum(boxes[left, 0], best[0]), np.minimum(boxes[left, 1], best[1])
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        areas = np.prod(boxes[left, 1] - boxes[left, 0], axis=1)
        same = shared / np.maximum(areas + areas[0] - shared, 1e-9) > _SAME_BOX
        # A degenerate box does not even overlap itself.
        same[0] = True
        mean = np.average(boxes[left[same]], axis=0, weights=scores[left[same]])
        people.append((mean, float(scores[left[0]])))
        left = left[~same]
    return people


def refine(places: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Moves landmarks to the weighted mean of the heat map around them, where the map is high enough.

    Args:
        places: (points, 2), x and y relative to the size of the crop.
        heat: (rows, columns, points), logits.

    Returns:
        (points, 2).
    """
    rows, columns, num_points = heat.shape
    at = np.floor(places * (columns, rows)).astype(int)
    reach = np.arange(_HEAT_WINDOW) - _HEAT_WINDOW // 2
    # (points, 7): rows and columns of each window; cells outside the map have no weight.
    y, x = at[:, 1:] + reach, at[:, :1] + reach
    inside = ((y >= 0) & (y < rows))[:, :, None] & ((x >= 0) & (x < columns))[:, None, :]
    which = np.arange(num_points)[:, None, None]
    window = heat[np.clip(y, 0, rows - 1)[:, :, None], np.clip(x, 0, columns - 1)[:, None, :], which]
    weight = np.where(inside, _sigmoid(window), 0)
    total = weight.sum(axis=(1, 2))
    mean_x = (weight * x[:, None, :]).sum(axis=(1, 2)) / np.maximum(total, 1e-9) / columns
    mean_y = (weight * y[:, :, None]).sum(axis=(1, 2)) / np.maximum(total, 1e-9) / rows
    on_map = ((at >= 0) & (at < (columns, rows))).all(axis=1)
    hot = on_map & (weight.max(axis=(1, 2)) >= _MIN_HEAT)
    return np.where(hot[:, None], np.stack([mean_x, mean_y], axis=1), places)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    # The detector's lowest logits overflow the exponential of float32.
    return 1 / (1 + np.exp(-np.clip(x, -80, 80)))
