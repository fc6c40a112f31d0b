"""What is drawn of a skeleton: its bones in their order, joints, head and shadow, with colors and widths.

The painter (Pillow), the plots (matplotlib) and the page (canvas) all draw by this description.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skelgnn_tf.skeletons import Skeleton

# Orange and blue differ for every kind of color blindness.
LEFT, RIGHT, MIDDLE = "#E0662B", "#1F6FB2", "#3A3F4B"
#: Color of ground truth that is drawn over a prediction, and of small text.
TARGET = "#9AA0AC"
SHADOW = "#C2C8D1"
#: Color of the outlines that separate near bones from far ones.
OUTLINE = "white"
#: Text for a frame without a person, and for bones of joints that were not seen.
NOBODY, GUESSED = "no person is seen", "pale: not seen, guessed"
#: Share of its color that a bone keeps if it is guessed.
_GHOST = 0.32


@dataclass(frozen=True)
class FigureStyle:
    """Sizes of the drawn parts. Lengths are pixels of a picture about 540 pixels high; renderers scale all alike.

    Args:
        bone_2d: Width of a bone between keypoints.
        bone_3d: Width of a bone of the 3D skeleton.
        ghost: Width of such a bone if it is guessed.
        joint_radius: Radius of a keypoint's dot.
        joint_outline: Width of the outline around it.
        head_radius_m: Radius of the head's disc in meters.
        head_outline: Width of the outline around it.
        head_at: Position of its center on the bone: 0 at the parent, 1 at the outermost joint.
        shadow: Width of a bone's shadow on the floor.
        target: Width of a bone of the ground truth.
    """

    bone_2d: float = 3.2
    bone_3d: float = 6.0
    ghost: float = 3.6
    joint_radius: float = 3.2
    joint_outline: float = 1.2
    head_radius_m: float = 0.085
    head_outline: float = 1.1
    head_at: float = 0.6
    shadow: float = 5.5
    target: float = 2.0

    def outlined(self, width: float) -> float:
        """Returns the width of a bone with its outline."""
        return width + min(2.2, 0.7 * width)


STYLE = FigureStyle()


@dataclass(frozen=True)
class DrawnBone:
    """A bone of the drawn skeleton.

    Args:
        child: Index of the joint at its outer end.
        parent: Index of the joint at its inner end.
        color: Color of the person's left or right side, or of the middle.
        ghost: The same color, pale, for a bone that is guessed.
        has_head: Whether it carries the head's disc and ends in the center of the disc.
    """

    child: int
    parent: int
    color: str
    ghost: str
    has_head: bool

    def is_ghost(self, unseen: np.ndarray) -> bool:
        """Returns whether it touches a joint that was not seen (joints,), so that its place is a guess."""
        return bool(unseen[self.child] or unseen[self.parent])

    def ends(self, points: np.ndarray) -> np.ndarray:
        """Returns the drawn ends (2, axes), the outer one first, of a skeleton's points (joints, axes)."""
        ends = points[[self.child, self.parent]]
        if self.has_head:
            ends[0] = ends.T @ (STYLE.head_at, 1 - STYLE.head_at)
        return ends


def drawn_bones(skeleton: Skeleton) -> tuple[DrawnBone, ...]:
    """Returns the bones of a skeleton as they are drawn."""
    colors, heads = joint_colors(skeleton), _heads(skeleton)
    return tuple(
        DrawnBone(child, parent, colors[child], pale(colors[child]), child in heads) for child, parent in skeleton.bones
    )


def pale(color: str) -> str:
    """Returns a color "#RRGGBB" as guessed bones have it."""
    parts = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(255 - _GHOST * (255 - part)):02X}" for part in parts)


def joint_colors(skeleton: Skeleton) -> tuple[str, ...]:
    """Returns the color of each joint: that of the person's left or right side, or of the middle."""
    return tuple(
        LEFT if joint in skeleton.left else RIGHT if joint in skeleton.right else MIDDLE
        for joint in range(skeleton.num_joints)
    )


def far_to_near(bones: Sequence[DrawnBone], depth: np.ndarray) -> list[DrawnBone]:
    """Sorts bones so that near ones are drawn over far ones, by the depth of the joints (joints,)."""
    return sorted(bones, key=lambda bone: -depth[[bone.child, bone.parent]].sum())


def is_seen(keypoints_px: np.ndarray) -> np.ndarray:
    """Returns which joints (...) of keypoints (..., 2 or 3) are drawn: those with a confidence, or all without one."""
    return keypoints_px[..., 2] > 0 if keypoints_px.shape[-1] == 3 else np.ones(keypoints_px.shape[:-1], bool)


def _heads(skeleton: Skeleton) -> tuple[int, ...]:
    """The outermost joints of heads."""
    return tuple(
        joint
        for joint, name in enumerate(skeleton.joints)
        if name.startswith("head") and joint not in skeleton.parents and joint != skeleton.root
    )
