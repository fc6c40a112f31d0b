"""Recognizes the layout of keypoints by the number and the positions of the joints."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from skelgnn_tf import skeletons

#: Largest size of a face relative to the person: 0.06 to 0.25 for generated exercises in COCO's order, where joints 0
#: to 4 are the face; 0.26 to 0.80 for joints 0 to 4 of h36m_17.
_FACE_FRACTION = 0.25


def recognized_layout(path: Path, keypoints: np.ndarray, notes: list[str]) -> str:
    """Recognizes a layout by the number of joints and, if several layouts have that number, by the joint positions.

    Args:
        path: The file, used in messages.
        keypoints: (persons, frames, joints, 3) pixels and confidence.
        notes: Receives a line if the layout is a guess.

    Returns:
        Name of a skeleton.

    Raises:
        ValueError: No layout has this number of joints.
    """
    joints = keypoints.shape[2]
    # h36m_17_lcn has the joints of h36m_17 and other edges.
    layouts = [s.name for s in skeletons.ALL.values() if s.num_joints == joints and not s.extra_edges]
    if not layouts:
        known = ", ".join(f"{s.name} ({s.num_joints})" for s in skeletons.ALL.values() if not s.extra_edges)
        raise ValueError(
            f"{path}: the number of joints must be that of a known layout: {known}. Received: {joints} joints. Remove "
            "the other joints and set --keypoint-layout."
        )
    if len(layouts) == 1:
        return layouts[0]
    layout = _coco_or_shortest(keypoints, [name for name in layouts if name != "coco_17"])
    others = ", ".join(name for name in layouts if name != layout)
    notes.append(f"the {joints} joints look like {layout}; if they are {others}, set --keypoint-layout")
    return layout


def _coco_or_shortest(keypoints: np.ndarray, others: list[str]) -> str:
    """Returns coco_17 if its face is small relative to the person, else the layout with the shortest bones."""
    flat = keypoints.reshape(-1, *keypoints.shape[2:])
    seen = flat[..., 2] > 0
    face = [i for i, name in enumerate(skeletons.COCO_17.joints) if name.endswith(("nose", "eye", "ear"))]
    whole, part = _sizes(flat, seen), _sizes(flat[:, face], seen[:, face])
    # In a close-up of head and shoulders the face is large too.
    fit = (seen.mean(axis=1) > 0.75) & (whole > 0)
    if not fit.any() or np.median(part[fit] / whole[fit]) <= _FACE_FRACTION:
        return "coco_17"
    return min(others, key=lambda name: _mean_bone(flat, seen, skeletons.get(name)))


def _sizes(keypoints: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Longer side of the bounding box of each frame's visible joints (frames, joints, 3) -> (frames,); 0 if none."""
    low = np.where(seen[..., None], keypoints[..., :2], np.inf).min(axis=1)
    high = np.where(seen[..., None], keypoints[..., :2], -np.inf).max(axis=1)
    return np.where(seen.any(axis=1), np.max(high - low, axis=-1), 0)


def _mean_bone(keypoints: np.ndarray, seen: np.ndarray, skeleton: skeletons.Skeleton) -> float:
    children, parents = np.array(skeleton.bones).T
    lengths = np.linalg.norm(keypoints[:, children, :2] - keypoints[:, parents, :2], axis=-1)
    both = seen[:, children] & seen[:, parents]
    return float(lengths[both].mean()) if both.any() else np.inf
