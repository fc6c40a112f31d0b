"""BlazePose's decoding against nested loops, crops against geometry, and the models if their files are there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from skelgnn_tf.detection.blazepose import BlazePose, anchors, decode_boxes, merge_boxes, refine
from skelgnn_tf.detection.crop import Crop, cut_out, person_crop
from skelgnn_tf.detection.models import DetectorModels
from support.blazepose_files import models_or_skip

crops = st.builds(Crop, st.floats(-500, 2500), st.floats(-500, 2500), st.floats(10, 3000), st.floats(-np.pi, np.pi))


@pytest.fixture(scope="module", params=["lite", "full"])
def models(request) -> DetectorModels:
    return models_or_skip(request.param)


@given(crops, st.lists(st.tuples(st.floats(-1, 2), st.floats(-1, 2)), min_size=1))
def test_points_go_into_a_crop_and_back(crop, points):
    points = np.array(points)
    np.testing.assert_allclose(crop.from_picture(crop.to_picture(points)), points, atol=1e-6)


@given(crops)
def test_a_crop_is_a_square_round_its_center(crop):
    corners = crop.to_picture(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]))
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    np.testing.assert_allclose(sides, crop.side_px, rtol=1e-6)
    np.testing.assert_allclose(corners.mean(axis=0), crop.center_px, atol=1e-6)
    a, b = corners[1] - corners[0], corners[3] - corners[0]
    # No mirroring: from right to down is clockwise, as in the picture.
    assert a[0] * b[1] - a[1] * b[0] > 0


@given(st.floats(0, 2000), st.floats(0, 2000), st.floats(5, 900), st.floats(-3.1, 3.1))
def test_a_person_stands_upright_in_the_crop_whichever_way_they_lie(x, y, radius, lean):
    hips = np.array([x, y])
    edge = hips + radius * np.array([np.sin(lean), -np.cos(lean)])
    crop = person_crop(hips, edge)
    # Straight above the middle, as far as the circle; the crop is 1.25 times as wide as the circle.
    np.testing.assert_allclose(crop.from_picture(np.stack([hips, edge])), [[0.5, 0.5], [0.5, 0.1]], atol=1e-6)


@pytest.mark.parametrize(
    "crop",
    [
        Crop(60.0, 40.0, 50.0),
        Crop(60.0, 40.0, 30.0, 0.7),
        Crop(5.0, 75.0, 90.0, -2.1),
        Crop(100.5, 7.25, 200.0, 3.0),
        Crop(400.0, 400.0, 50.0),
    ],
)
def test_a_cut_out_is_the_picture_bilinearly_and_black_outside(crop):
    x, y = np.meshgrid(np.arange(120), np.arange(80))
    smooth = np.stack([100 + 90 * np.sin(x / 17), 120 + 80 * np.cos(y / 13), 40 + x], axis=-1)
    rgb = smooth.round().astype(np.uint8)
    size = 32
    # Where the middle of each pixel of the crop lies, pixel (0, 0)'s middle being (0.5, 0.5).
    c, r = np.meshgrid((np.arange(size) + 0.5) / size, (np.arange(size) + 0.5) / size)
    at = crop.to_picture(np.stack([c, r], axis=-1))
    expected = np.stack(
        [map_coordinates(rgb[..., k].astype(float), [at[..., 1] - 0.5, at[..., 0] - 0.5], order=1, mode="nearest")
         for k in range(3)], axis=-1,
    )  # fmt: skip
    cut = cut_out(rgb, crop, size) * 255
    assert cut.shape == (size, size, 3) and cut.dtype == np.float32
    inside = np.all((at > 1) & (at < (119, 79)), axis=-1)
    outside = np.any((at < -1) | (at > (121, 81)), axis=-1)
    np.testing.assert_allclose(cut[inside], expected[inside], atol=1.01)
    np.testing.assert_array_equal(cut[outside], 0)


def test_a_cut_out_of_a_turned_view_needs_no_copy_of_the_picture():
    rgb = np.random.default_rng(0).integers(0, 255, (60, 90, 3), np.uint8)
    crop = Crop(30.0, 40.0, 40.0, 0.3)
    turned = np.rot90(rgb)
    np.testing.assert_array_equal(cut_out(turned, crop, 16), cut_out(np.ascontiguousarray(turned), crop, 16))


def test_anchors_lie_in_the_middle_of_their_cells():
    expected = []
    for cells, per_cell in ((28, 2), (14, 2), (7, 6)):
        for row in range(cells):
            for column in range(cells):
                expected += [[(column + 0.5) / cells, (row + 0.5) / cells]] * per_cell
    np.testing.assert_allclose(anchors(), expected, atol=1e-7)


def test_boxes_are_decoded_as_by_hand():
    rng = np.random.default_rng(1)
    raw, logits, places = rng.normal(0, 60, (50, 12)), rng.normal(0, 3, 50), rng.uniform(0, 1, (50, 2))
    logits[7] = -1000.0
    boxes, scores = decode_boxes(raw.astype(np.float32), logits.astype(np.float32), places, 0.6)
    row = 0
    for i in range(50):
        score = 1 / (1 + float(np.exp(-max(logits[i], -700))))
        if score < 0.6:
            continue
        cx, cy = raw[i, 0] / 224 + places[i, 0], raw[i, 1] / 224 + places[i, 1]
        w, h = raw[i, 2] / 224, raw[i, 3] / 224
        expected = [(cx - w / 2, cy - h / 2), (cx + w / 2, cy + h / 2)]
        for point in range(4):
            expected.append((raw[i, 4 + 2 * point] / 224 + places[i, 0], raw[i, 5 + 2 * point] / 224 + places[i, 1]))
        np.testing.assert_allclose(boxes[row], expected, atol=1e-5)
        assert scores[row] == pytest.approx(score, abs=1e-6)
        row += 1
    assert row == len(boxes) == len(scores) > 5


def area(box: np.ndarray) -> float:
    """Of ((x0, y0), (x1, y1), ...)."""
    return (box[1][0] - box[0][0]) * (box[1][1] - box[0][1])


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union."""
    width = min(a[1][0], b[1][0]) - max(a[0][0], b[0][0])
    height = min(a[1][1], b[1][1]) - max(a[0][1], b[0][1])
    shared = max(width, 0) * max(height, 0)
    return shared / (area(a) + area(b) - shared)


def test_each_person_is_the_weighted_mean_of_their_boxes():
    rng = np.random.default_rng(2)
    boxes, scores = [], []
    for center in ((0.3, 0.4), (0.7, 0.5)):
        for _ in range(6):
            at = np.array(center) + rng.normal(0, 0.02, 2)
            boxes.append(np.concatenate([[at - 0.12, at + 0.12], at + rng.normal(0, 0.05, (4, 2))]))
            scores.append(rng.uniform(0.5, 1))
    boxes, scores = np.array(boxes), np.array(scores)
    left, expected = list(np.argsort(-scores)), []
    while left:
        same = [i for i in left if overlap(boxes[left[0]], boxes[i]) > 0.3]
        mean = sum(scores[i] * boxes[i] for i in same) / sum(scores[i] for i in same)
        expected.append((mean, scores[left[0]]))
        left = [i for i in left if i not in same]
    merged = merge_boxes(boxes, scores)
    assert len(merged) == len(expected) == 2
    for (box, score), (wanted, best) in zip(merged, expected, strict=True):
        np.testing.assert_allclose(box, wanted)
        assert score == pytest.approx(best)


def test_boxes_without_area_end_too():
    assert len(merge_boxes(np.zeros((4, 6, 2)), np.array([0.9, 0.8, 0.7, 0.6]))) in (1, 4)
    assert merge_boxes(np.zeros((0, 6, 2)), np.zeros(0)) == []


def test_landmarks_move_to_the_mean_of_their_heat():
    rng = np.random.default_rng(3)
    heat = rng.normal(-2, 2, (64, 64, 8)).astype(np.float32)
    places = rng.uniform(0, 1, (8, 2))
    places[0], places[1], places[2] = (0.01, 0.99), (1.2, 0.5), (-0.001, 0.5)
    heat[..., 3] = -9.0
    expected = places.copy()
    for j in range(8):
        column, row = int(np.floor(places[j, 0] * 64)), int(np.floor(places[j, 1] * 64))
        if not (0 <= column < 64 and 0 <= row < 64):
            continue
        total = x = y = best = 0.0
        for r in range(max(0, row - 3), min(64, row + 4)):
            for c in range(max(0, column - 3), min(64, column + 4)):
                weight = 1 / (1 + np.exp(-float(heat[r, c, j])))
                total, x, y, best = total + weight, x + weight * c, y + weight * r, max(best, weight)
        if best >= 0.5:
            expected[j] = x / total / 64, y / total / 64
    np.testing.assert_allclose(refine(places, heat), expected, atol=1e-6)
    np.testing.assert_array_equal(refine(places, heat)[1:4], places[1:4])


def test_files_that_are_no_models_are_said():
    for content in (b"", b"TFL3", b"\x00\x00\x00\x00TFL3" + bytes(200)):
        with pytest.raises(ValueError, match="BlazePose's detector must be a .tflite model"):
            BlazePose(DetectorModels("a folder", content, content))


def test_models_that_changed_places_are_said(models):
    with pytest.raises(
        ValueError, match=r"detector must take pictures \(1, 224, 224, 3\). Received: a model that takes \(1, 256"
    ):
        BlazePose(DetectorModels(models.name, models.landmarker, models.detector))


def test_nobody_is_in_an_empty_picture(models):
    detector = BlazePose(models)
    rgb = np.full((300, 400, 3), 90, np.uint8)
    assert detector.detect(rgb, Crop(200.0, 150.0, 400.0)) == []
    assert detector.landmarks(rgb, Crop(200.0, 150.0, 300.0)).confidence < 0.5
