"""Simulates a 2D keypoint detector: its own joints, noise, confidence, gaps and swapped sides."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from skelgnn_tf.datasets.fitness.body import INDEX, SIDE_SIGN
from skelgnn_tf.datasets.fitness.kinematics import FRAME_OF, Pose
from skelgnn_tf.geometry import Camera
from skelgnn_tf.skeletons import Skeleton

# Noise of each joint relative to the mean joint: the ends of limbs move fast, and hips have no edges in a picture.
_NOISE = {"wrist": 1.4, "ankle": 1.3, "hip": 1.3, "elbow": 1.1, "knee": 1.05, "index": 1.6, "pinky": 1.6, "thumb": 1.5}
_NOISE |= {"heel": 1.5, "foot_index": 1.5, "head": 1.0, "neck": 0.9, "spine": 1.2, "thorax": 0.9}
# Distance in meters of a detector's joint from the joint's center, outward and upward in the body's frame, in addition
# to the offset of the clip. Annotators click on the outside of the hip and on the top of the shoulder.
_OUTWARD_M = {"hip": (0.015, 0.0), "shoulder": (-0.005, 0.012), "ear": (0.01, 0.0)}
#: Range of the noise of BlazePose on real people, relative to their size; with it the median second difference of
#: joints at 15 frames per second is 0.002 to 0.04 as in real clips.
_REAL_NOISE = (0.002, 0.012)
#: Confidence at which detection keeps a joint outside the picture.
OUTSIDE_CONFIDENCE = 0.5
_OFFSET_M = {"hip": 0.024, "shoulder": 0.022, "spine": 0.025, "thorax": 0.020, "head": 0.022}

_LIMBS = tuple(
    tuple(f"{side}_{joint}" for joint in limb)
    for side in ("left", "right")
    for limb in (
        ("elbow", "wrist", "index", "pinky", "thumb"),
        ("knee", "ankle", "heel", "foot_index"),
        ("wrist", "index", "pinky", "thumb"),
        ("ankle", "heel", "foot_index"),
    )
)
_TRUNK = [INDEX[f"{side}_{joint}"] for side in ("left", "right") for joint in ("hip", "shoulder")]
_ARMS = ("shoulder", "elbow", "wrist", "index", "pinky", "thumb")
_LEGS = ("hip", "knee", "ankle", "heel", "foot_index")


def part_of(joint: str) -> str:
    """The joint's name without its side."""
    return joint.removeprefix("left_").removeprefix("right_")


def _side(joint: str) -> float:
    """-1 left, 1 right, 0 middle."""
    return SIDE_SIGN[0] if joint.startswith("left_") else SIDE_SIGN[1] if joint.startswith("right_") else 0.0


def redefined(rng: np.random.Generator, pose: Pose, layout: Skeleton) -> np.ndarray:
    """Returns the positions of a detector's joints, world-space meters (frames, joints, 3).

    Each joint has one offset for the whole clip, which moves with its part of the body.
    """
    ids = [INDEX[joint] for joint in layout.joints]
    offset = rng.normal(size=(layout.num_joints, 3))
    offset *= np.array([_OFFSET_M.get(part_of(joint), 0.016) for joint in layout.joints])[:, None]
    # Faces are small and clear.
    offset[FRAME_OF[ids] == 2] *= 0.6
    for row, joint in enumerate(layout.joints):
        out, up = _OUTWARD_M.get(part_of(joint), (0.0, 0.0))
        offset[row] += [_side(joint) * out, 0.0, up]
    moved = pose.joints_m[:, ids]
    return moved + np.einsum("tjab,jb->tja", pose.frames[:, FRAME_OF[ids]], offset)


def hidden(camera_m: np.ndarray) -> np.ndarray:
    """How much (0..1) each of `JOINTS` (frames, JOINTS, 3, camera space) is hidden by the person's own trunk."""
    hip, thorax = camera_m[:, INDEX["hip"]], camera_m[:, INDEX["thorax"]]
    flat = camera_m[..., :2] / camera_m[..., 2:]
    low, high = flat[:, INDEX["hip"]], flat[:, INDEX["thorax"]]
    along = high - low
    length2 = np.maximum(np.sum(along**2, axis=-1), 1e-6)
    share = np.clip(np.einsum("tjc,tc->tj", flat - low[:, None], along) / length2[:, None], 0, 1)
    depth = hip[:, None, 2] + share * (thorax - hip)[:, None, 2]
    apart = flat - low[:, None] - share[..., None] * along[:, None]
    # The trunk is a capsule with a radius of 13 cm and soft edges, like a shirt.
    inside = np.clip((0.15 - np.sqrt(np.sum(apart**2, axis=-1)) * depth) / 0.04, 0, 1)
    behind = inside * np.clip((camera_m[..., 2] - depth - 0.05) / 0.05, 0, 1)
    # The far hip and shoulder are part of the trunk, and detectors place them well in a side view.
    behind[:, _TRUNK] *= 0.35
    return behind


def detect(
    rng: np.random.Generator, pose: Pose, camera: Camera, layout: Skeleton, fps: float, realistic: bool = False
) -> np.ndarray:
    """Returns the keypoints of a simulated detector.

    Args:
        rng: The clip's random numbers.
        pose: The person in world space.
        camera: The camera.
        layout: The detector's joints, all of them in `JOINTS`.
        fps: Frames per second. Slow noise is slow in seconds.
        realistic: Whether errors and confidence are those of BlazePose on real people: the further outside the picture
            a joint is, the lower its confidence. `leave_out` then treats it as real detection does.

    Returns:
        float64 (frames, joints, 3): x, y in pixels and confidence in [0, 1]. At confidence 0 the joint is missing and
        its coordinates have no meaning.
    """
    ids = [INDEX[joint] for joint in layout.joints]
    pixels = camera.project(camera.to_camera(redefined(rng, pose, layout)))
    in_camera = camera.to_camera(pose.joints_m)
    behind = hidden(in_camera)[:, ids]
    size = np.median(np.ptp(pixels, axis=1).max(axis=1))
    outside = (
        _how_far_outside(pixels, camera.image_size_px, size) if realistic else _outside(pixels, camera.image_size_px)
    )
    sigma = np.exp(rng.uniform(*np.log(_REAL_NOISE))) if realistic else rng.uniform(0.0035, 0.011)
    noise = _noise(rng, pixels.shape, fps, sigma)
    noise *= np.array([_NOISE.get(part_of(joint), 0.8) for joint in layout.joints])[:, None]
    noise *= (1 + 2.0 * behind + 3.0 * outside)[..., None]
    _swap(rng, noise, pixels / size, layout, fps)
    keypoints = np.empty((*pixels.shape[:2], 3))
    keypoints[..., :2] = pixels + noise * size
    error = np.sqrt(np.sum(noise**2, axis=-1))
    if realistic:
        unseen = np.clip(behind * rng.uniform(0.4, 1.0, behind.shape[1]), 0, 0.97)
        confidence = 1 - rng.gamma(1.0, rng.uniform(0.003, 0.025), error.shape)
        confidence = confidence * np.exp(-((error / 0.08) ** 2)) * (1 - unseen)
        keypoints[..., 2] = np.clip(confidence, 0.02, 1.0) * (1 - outside)
    else:
        confidence = rng.uniform(0.86, 0.99) + rng.normal(size=error.shape) * 0.03
        confidence = confidence * np.exp(-((error / 0.06) ** 2)) * (1 - 0.6 * behind) * (1 - 0.85 * outside)
        keypoints[..., 2] = np.clip(confidence, 0.02, 1.0)
    _drop(rng, keypoints, layout, fps)
    return keypoints


def _outside(pixels: np.ndarray, image_size_px: tuple[int, int]) -> np.ndarray:
    """Whether each joint (frames, joints) is outside the picture."""
    return np.any((pixels < 0) | (pixels > np.array(image_size_px)), axis=-1)


def leave_out(keypoints: np.ndarray, image_size_px: tuple[int, int]) -> None:
    """Removes the joints (frames, joints, 3) that detection leaves out: outside the picture and not confident."""
    outside = _outside(keypoints[..., :2], image_size_px)
    keypoints[outside & (keypoints[..., 2] < OUTSIDE_CONFIDENCE)] = 0.0


def _how_far_outside(pixels: np.ndarray, image_size_px: tuple[int, int], size: float) -> np.ndarray:
    """How far outside the picture each joint is, 0..1 (frames, joints): 1 from a fifth of the person's size on."""
    away = np.maximum(-pixels, pixels - np.array(image_size_px)).max(axis=-1)
    return np.clip(away / (0.2 * size), 0, 1)


def _noise(rng: np.random.Generator, shape: tuple[int, ...], fps: float, sigma: float) -> np.ndarray:
    """Slow drift (time constant about a third of a second) and fast jitter, relative to the person's size."""
    keep = np.exp(-1 / (0.3 * fps))
    start = rng.normal(size=(1, *shape[1:]))
    steps = rng.normal(size=shape) * np.sqrt(1 - keep**2)
    wander, _ = lfilter([1.0], [1.0, -keep], steps, axis=0, zi=start * keep)
    return sigma * (wander + 0.35 * rng.normal(size=shape))


def _runs(
    rng: np.random.Generator, num_frames: int, per_s: float, seconds: tuple[float, float], fps: float
) -> list[slice]:
    """Runs of frames that start `per_s` times per second on average."""
    count = int(rng.poisson(per_s * num_frames / fps))
    starts = rng.integers(0, num_frames, count)
    lengths = np.ceil(rng.uniform(*seconds, count) * fps).astype(int)
    return [slice(int(a), int(a + n)) for a, n in zip(starts, lengths, strict=True)]


def _swap(rng: np.random.Generator, noise: np.ndarray, places: np.ndarray, layout: Skeleton, fps: float) -> None:
    """Swaps left and right arms or legs in short runs, by adding the distance to the other side to the noise."""
    num_frames = len(noise)
    hips = places[:, layout.index("left_hip")] - places[:, layout.index("right_hip")]
    # Relative to the person's size, the hips of a frontal view are 0.1 or more apart. In a side view, detectors guess.
    side_on = float(np.mean(np.abs(hips).max(axis=1) < 0.05))
    for run in _runs(rng, num_frames, 0.03 + 0.25 * side_on, (0.07, 0.5), fps):
        swapped = _LEGS if rng.random() < 0.6 else _ARMS
        for joint, name in enumerate(layout.joints):
            other = layout.mirror[joint]
            if other > joint and part_of(name) in swapped:
                way = places[run, other] - places[run, joint]
                noise[run, joint], noise[run, other] = way + noise[run, other], noise[run, joint] - way


def _drop(rng: np.random.Generator, keypoints: np.ndarray, layout: Skeleton, fps: float) -> None:
    """Removes single joints and whole limbs for a while: confidence 0, coordinates 0 or random."""
    num_frames, num_joints = keypoints.shape[:2]
    rate = rng.choice([0.0, 0.3, 1.0], p=[0.3, 0.5, 0.2])
    low, high = keypoints[..., :2].min(axis=(0, 1)), keypoints[..., :2].max(axis=(0, 1))
    for run in _runs(rng, num_frames, rate, (0.1, 1.2), fps):
        joints = [int(rng.integers(num_joints))]
        if rng.random() < 0.4:
            limb = _LIMBS[int(rng.integers(len(_LIMBS)))]
            joints = [i for i, joint in enumerate(layout.joints) if joint in limb]
        garbage = rng.uniform(low, high) if rng.random() < 0.5 else 0.0
        for joint in joints:
            keypoints[run, joint, :2] = garbage
            keypoints[run, joint, 2] = 0.0
