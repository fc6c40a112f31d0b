"""The camera of a phone that a person has leaned against something or holds."""

from __future__ import annotations

import numpy as np

from skelgnn_tf.geometry import Camera, look_at

# Width and height, in landscape format, of pictures that phones record and stream.
_SIZES_PX = ((1920, 1080), (1280, 720), (640, 480), (1440, 1080), (854, 480))
_NEAREST_M = 0.5


def draw_camera(rng: np.random.Generator, points_m: np.ndarray) -> Camera:
    """Draws the camera of a phone that films a person.

    The person fills 35 to 95 % of the picture in the tighter direction; one clip in ten is cropped. The field of view
    is 55 to 80 degrees along the long side. The lens is 0.2 to 2.2 m high, so that it looks up (at most 30 degrees) or
    down (at most 45). The roll is mostly small and up to 30 degrees.

    Args:
        rng: The clip's random numbers.
        points_m: (frames, joints, 3), world-space meters with z up, the points to see.

    Returns:
        A `Camera` without lens distortion.
    """
    wide, narrow = _SIZES_PX[int(rng.integers(len(_SIZES_PX)))]
    portrait = rng.random() < 0.5
    width, height = (narrow, wide) if portrait else (wide, narrow)
    focal = wide / 2 / np.tan(np.deg2rad(rng.uniform(55, 80)) / 2)
    azimuth = rng.uniform(0, 2 * np.pi)
    lens_m = float(rng.uniform(0.2, 2.2) if rng.random() < 0.7 else rng.uniform(0.6, 1.5))
    roll = np.deg2rad(np.clip(rng.normal(0, 4), -30, 30) if rng.random() < 0.8 else rng.uniform(-30, 30))
    fills = rng.triangular(0.35, 0.8, 0.95) if rng.random() < 0.9 else rng.uniform(0.95, 1.3)
    aim = rng.uniform(-0.5, 0.5, 2)

    points_m = points_m[:: max(1, len(points_m) // 24)].reshape(-1, 3)
    middle = (points_m.min(axis=0) + points_m.max(axis=0)) / 2
    away = np.array([np.sin(azimuth), np.cos(azimuth), 0.0])
    distance = 3.0
    for _ in range(3):
        # The size of the person depends on the distance, which depends on the size: three rounds converge.
        position = _place(middle, distance * away, lens_m)
        camera = Camera((focal, focal), (width / 2, height / 2), (width, height), look_at(position, middle), position)
        seen = camera.to_camera(points_m)
        seen[:, 2] = np.maximum(seen[:, 2], _NEAREST_M)
        extent = np.ptp(camera.project(seen), axis=0) / [width, height]
        reach = np.linalg.norm(np.ptp(points_m[:, :2], axis=0)) / 2
        distance = max(distance * extent.max() / fills, reach + _NEAREST_M)
    position = _place(middle, distance * away, lens_m)
    # Nobody aims exactly. The aim may be off by the room that the person leaves in the picture.
    room = np.maximum(1 - extent * fills / extent.max(), 0.05) * np.array([width, height]) / 2
    focal_off = aim * room / focal * np.linalg.norm(middle - position)
    straight = look_at(position, middle)
    target = middle + straight.T @ np.array([focal_off[0], focal_off[1], 0.0])
    return Camera((focal, focal), (width / 2, height / 2), (width, height), look_at(position, target, roll), position)


def _place(middle_m: np.ndarray, away_m: np.ndarray, lens_m: float) -> np.ndarray:
    """Position of a lens at the height `lens_m`, limited to looking 30 degrees up and 45 degrees down."""
    distance = np.linalg.norm(away_m)
    low, high = middle_m[2] - distance * np.tan(np.deg2rad(30)), middle_m[2] + distance
    return middle_m * [1, 1, 0] + away_m + [0, 0, np.clip(lens_m, low, high)]
