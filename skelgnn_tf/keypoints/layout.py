"""Which layout keypoints have, told by their number and their places."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from skelgnn_tf import skeletons

#: How large a face may be beside its person: 0.06 to 0.25 in COCO's order of generated exercises, where joints 0 to 4
#: are the face; 0.26 to 0.80 with h36m_17's joints 0 to 4.
_FACE_SHARE = 0.25


def recognized_layout(path: Path, keypoints: np.ndarray, notes: list[str]) -> str:
    """The layout that keypoints have by their number of joints and, with 17, by their places.

    Args:
        path: The file, for messages.
        keypoints: (persons, frames, joints, 3) pixels and confidence.
        notes: Gets a line where it is a guess.

    Raises:
        ValueError: No layout has so many joints.
    """
    joints = keypoints.shape[2]
    # LCN's is Human3.6M's with other edges.
    layouts = [s.name for s in skeletons.ALL.values() if s.num_joints == joints and not s.extra_edges]
    if not layouts:
        known = ", ".join(f"{s.name} ({s.num_joints})" for s in skeletons.ALL.values() if not s.extra_edges)
        raise ValueError(
            f"{path} has {joints} joints, which no known layout has: {known}. Leave other joints out, and say which "
            "layout it is with --keypoint-layout"
        )
    if len(layouts) == 1:
        return layouts[0]
    layout = _like_coco_or_shortest(keypoints, [name for name in layouts if name != "coco_17"])
    others = ", ".join(name for name in layouts if name != layout)
    notes.append(f"{joints} joints lie as in {layout}; if they are {others}, say so with --keypoint-layout")
    return layout


def _like_coco_or_shortest(keypoints: np.ndarray, others: list[str]) -> str:
    """coco_17 if its face is small beside the person, else the layout whose bones are shortest."""
    flat = keypoints.reshape(-1, *keypoints.shape[2:])
    seen = flat[..., 2] > 0
    face = [i for i, name in enumerate(skeletons.COCO_17.joints) if name.endswith(("nose", "eye", "ear"))]
    whole, part = _sizes(flat, seen), _sizes(flat[:, face], seen[:, face])
    # In a close-up of a head and shoulders a face is large too.
    fit = (seen.mean(axis=1) > 0.75) & (whole > 0)
    if not fit.any() or np.median(part[fit] / whole[fit]) <= _FACE_SHARE:
        return "coco_17"
    return min(others, key=lambda name: _mean_bone(flat, seen, skeletons.get(name)))


def _sizes(keypoints: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The longer side of the box round each frame's visible joints (frames, joints, 3) -> (frames,); 0 without any."""
    low = np.where(seen[..., None], keypoints[..., :2], np.inf).min(axis=1)
    high = np.where(seen[..., None], keypoints[..., :2], -np.inf).max(axis=1)
    return np.where(seen.any(axis=1), np.max(high - low, axis=-1), 0)


def _mean_bone(keypoints: np.ndarray, seen: np.ndarray, skeleton: skeletons.Skeleton) -> float:
    children, parents = np.array(skeleton.bones).T
    lengths = np.linalg.norm(keypoints[:, children, :2] - keypoints[:, parents, :2], axis=-1)
    both = seen[:, children] & seen[:, parents]
    return lengths[both].mean() if both.any() else np.inf
