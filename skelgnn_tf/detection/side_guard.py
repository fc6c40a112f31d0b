"""Keeps left and right of a followed person apart when a detector confuses them."""

from __future__ import annotations

from collections import deque

import numpy as np

from skelgnn_tf.skeletons import BLAZEPOSE_33

#: Left and right can be told apart if mirroring moves the joints by this fraction of the person's size.
_SIDES_APART = 0.04
#: The sides are swapped if mirrored joints fit one of the pictures of the last moments this much better.
_SWAPPED, _BEFORE_S = 0.5, 0.1
#: Time over which the detector's pictures vote.
_VOTES_S = 1.0
_MIRROR = list(BLAZEPOSE_33.mirror)
_BODY = [
    i
    for i, name in enumerate(BLAZEPOSE_33.joints)
    if name.endswith(("shoulder", "elbow", "wrist", "hip", "knee", "ankle"))
]


class SideGuard:
    """Notices when a detector swaps the left and right side of a whole person, as it does against the light.

    The detector's pictures of the last second vote. A swap that lasts is accepted, and the sooner the less the earlier
    votes agreed.

    Args:
        fps: Pictures per second.
    """

    def __init__(self, fps: float) -> None:
        self._votes = max(1.0, _VOTES_S * fps)
        self._agreed = 0.0
        self._before: deque[np.ndarray] = deque(maxlen=max(1, round(_BEFORE_S * fps)))
        self._swapped = False

    def swapped(self, points_px: np.ndarray, size_px: float) -> bool:
        """Whether the joints of the next picture must be mirrored to continue the earlier ones.

        Args:
            points_px: (33, 2), as detected.
            size_px: Size of the person.
        """
        mirrored, swapped = points_px[_MIRROR], False
        if self._before:
            # Seen from the side, left and right coincide, and the earlier decision stays.
            apart = _distance(points_px, mirrored) >= _SIDES_APART * size_px
            # On the way to a swap the sides may meet halfway in one picture, so those before it count too.
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
