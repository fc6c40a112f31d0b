"""Cameras, projection, normalization, mirroring and alignment of poses, in NumPy."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from skelgnn_tf.skeletons import Skeleton


@dataclass(frozen=True)
class Camera:
    """A pinhole camera with Brown's lens distortion. Camera axes are x right, y down, z forward.

    Args:
        focal_px: Focal lengths (x, y).
        center_px: Principal point (x, y).
        image_size_px: Width and height of the picture.
        rotation: (3, 3), from world axes to camera axes.
        position_m: (3,), position of the camera in world space.
        radial: Radial distortion k1, k2, k3.
        tangential: Tangential distortion p1, p2.

    Example:
        >>> camera = Camera((1000.0, 1000.0), (500.0, 500.0), (1000, 1000))
        >>> camera.project(np.array([[0.0, 0.1, 4.0]]))
        array([[500., 525.]])
    """

    focal_px: tuple[float, float]
    center_px: tuple[float, float]
    image_size_px: tuple[int, int]
    rotation: np.ndarray = field(default_factory=lambda: np.eye(3))
    position_m: np.ndarray = field(default_factory=lambda: np.zeros(3))
    radial: tuple[float, float, float] = (0.0, 0.0, 0.0)
    tangential: tuple[float, float] = (0.0, 0.0)

    def to_camera(self, points_m: np.ndarray) -> np.ndarray:
        """World-space meters (..., 3) -> camera-space meters (..., 3)."""
        return (points_m - np.asarray(self.position_m)) @ np.asarray(self.rotation).T

    def to_world(self, points_m: np.ndarray) -> np.ndarray:
        """Camera-space meters (..., 3) -> world-space meters (..., 3)."""
        return points_m @ np.asarray(self.rotation) + np.asarray(self.position_m)

    def project(self, points_m: np.ndarray) -> np.ndarray:
        """Camera-space meters (..., 3) -> pixels (..., 2), lens distortion included.

        Source: Human3.6M's camera model, as in VideoPose3D's `project_to_2d`.
        """
        xy = points_m[..., :2] / points_m[..., 2:]
        # Beyond the edge of any picture the polynomial folds back; VideoPose3D clips there too.
        xy = np.clip(xy, -1, 1) if any(self.radial) else xy
        shift = np.asarray(self.tangential) * np.sum(xy**2, axis=-1, keepdims=True)
        return (xy * self._stretch(xy) + shift) * np.asarray(self.focal_px) + np.asarray(self.center_px)

    def unproject(self, pixels: np.ndarray, depth_m: np.ndarray) -> np.ndarray:
        """Pixels (..., 2) at depths (...) in meters -> camera-space meters (..., 3), the inverse of `project`."""
        distorted = (pixels - np.asarray(self.center_px)) / np.asarray(self.focal_px)
        xy = distorted
        if any(self.radial) or any(self.tangential):
            p = np.asarray(self.tangential)
            # Fixed-point iteration: ten rounds are accurate to 1e-6 pixels anywhere in a Human3.6M picture.
            for _ in range(10):
                xy = (distorted - p * np.sum(xy**2, axis=-1, keepdims=True)) / self._stretch(xy)
        return np.concatenate([xy * depth_m[..., None], depth_m[..., None]], axis=-1)

    def _stretch(self, xy: np.ndarray) -> np.ndarray:
        """Factor (..., 1) by which the lens moves undistorted points of the image plane (..., 2) outward."""
        k1, k2, k3 = self.radial
        r2 = np.sum(xy**2, axis=-1, keepdims=True)
        return 1 + r2 * (k1 + r2 * (k2 + r2 * k3)) + xy @ np.asarray(self.tangential)[:, None]


def look_at(position_m: np.ndarray, target_m: np.ndarray, roll_rad: float = 0.0, up: int = 2) -> np.ndarray:
    """Returns the rotation of a camera that looks at a point.

    Args:
        position_m: (3,), position of the camera in world space.
        target_m: (3,), the point in world space that is projected to the middle of the picture.
        roll_rad: Rotation about the viewing direction.
        up: Index of the world axis that points up.

    Returns:
        (3, 3), from world axes to camera axes.
    """
    forward = np.asarray(target_m, float) - position_m
    forward = forward / np.linalg.norm(forward)
    right = np.cross(forward, np.eye(3)[up])
    right = right / np.linalg.norm(right)
    down = np.cross(forward, right)
    cos, sin = np.cos(roll_rad), np.sin(roll_rad)
    return np.stack([cos * right + sin * down, cos * down - sin * right, forward])


def normalize_screen(keypoints_px: np.ndarray, image_size_px: tuple[int, int]) -> np.ndarray:
    """Pixels (..., 2 or more) -> screen units: x in [-1, 1], y at the same scale. Further channels are kept.

    Source: VideoPose3D's `normalize_screen_coordinates`.
    """
    width, height = image_size_px
    out = np.array(keypoints_px, np.float32)
    # Width scales both axes: dividing y by height would change body proportions.
    out[..., :2] = out[..., :2] / width * 2 - np.array([1, height / width], np.float32)
    return out


def root_relative(pose_m: np.ndarray, root: int) -> np.ndarray:
    """Meters (..., joints, 3) -> the same with the root at the origin."""
    return pose_m - pose_m[..., root : root + 1, :]


def flip_keypoints(keypoints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Screen keypoints (..., joints, 2 or 3), x centered on 0 -> those of the mirrored picture."""
    flipped = keypoints[..., list(skeleton.mirror), :].copy()
    flipped[..., 0] *= -1
    return flipped


def flip_pose(pose_m: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Camera-space poses (..., joints, 3) -> their mirror images: x changes sign and the sides are swapped."""
    return flip_keypoints(pose_m, skeleton)


def procrustes(prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Aligns a prediction with a target by translation, rotation and scale, without mirroring.

    Args:
        prediction: (..., joints, 3).
        target: (..., joints, 3).

    Returns:
        The prediction (..., joints, 3) with the least squared distance to the target.

    Source: protocol 2 of Human3.6M, the closed form of Umeyama (1991).
    """
    mu_p, mu_t = prediction.mean(axis=-2, keepdims=True), target.mean(axis=-2, keepdims=True)
    p, t = prediction - mu_p, target - mu_t
    u, s, vt = np.linalg.svd(np.swapaxes(p, -1, -2) @ t)
    sign = np.sign(np.linalg.det(u @ vt))
    s = np.concatenate([s[..., :-1], s[..., -1:] * sign[..., None]], axis=-1)
    u = np.concatenate([u[..., :-1], u[..., -1:] * sign[..., None, None]], axis=-1)
    variance = np.sum(p**2, axis=(-1, -2))
    # A prediction with all joints in one place has no size that could be scaled.
    scale = np.where(variance > 0, s.sum(axis=-1) / np.where(variance > 0, variance, 1), 0)
    return scale[..., None, None] * (p @ (u @ vt)) + mu_t


def to_pixel_protocol(pose_m: np.ndarray, camera: Camera, root: int) -> np.ndarray:
    """Camera-space meters (..., joints, 3) -> the pixel protocol's target (..., joints, 3) in screen units.

    x and y are those of the picture, scaled by `normalize_screen`. z is the depth relative to the root in pixels at the
    root's distance (LCN's box of +-1000 mm around the root), at the same scale.

    Args:
        pose_m: (..., joints, 3), camera-space meters.
        camera: The camera that took the picture.
        root: Index of the root joint.

    Source: docs/method.md, protocols of Human3.6M.
    """
    depth_px = (pose_m[..., 2] - pose_m[..., root : root + 1, 2]) * camera.focal_px[0] / pose_m[..., root : root + 1, 2]
    target_px = np.concatenate([camera.project(pose_m), depth_px[..., None]], axis=-1)
    target = normalize_screen(target_px, camera.image_size_px)
    target[..., 2] *= 2 / camera.image_size_px[0]
    return target


def from_pixel_protocol(target: np.ndarray, camera: Camera, root_depth_m: np.ndarray) -> np.ndarray:
    """The pixel protocol's target (..., joints, 3) in screen units -> camera-space meters (..., joints, 3).

    Args:
        target: The result of `to_pixel_protocol`, or a prediction of it.
        camera: The camera that took the picture.
        root_depth_m: (...), true depth of the root, which the protocol provides.
    """
    width, height = camera.image_size_px
    pixels = (target[..., :2] + np.array([1, height / width])) * width / 2
    root_depth_m = np.asarray(root_depth_m)[..., None]
    depth_m = target[..., 2] * width / 2 * root_depth_m / camera.focal_px[0] + root_depth_m
    return camera.unproject(pixels, depth_m)


def from_kinect_axes(values: np.ndarray) -> np.ndarray:
    """Kinect axes (..., 3), x to the camera's left, y up, z forward -> camera axes, x right, y down, z forward."""
    return values * np.array([-1, -1, 1], np.float32)
