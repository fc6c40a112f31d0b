"""Bone and motion streams, number by number."""

import numpy as np


def between(end, begin, confidence):
    """end - begin of one joint; with confidence nothing if one of the two is missing, else the less sure one's."""
    if not confidence:
        return end - begin
    sure = min(end[-1], begin[-1])
    return np.append(end[:-1] - begin[:-1] if sure > 0 else np.zeros(len(end) - 1), sure)


def derived(x, skeleton, stream, confidence=False):
    """A stream of x (batch, persons, frames, joints, channels), number by number."""
    out = x.astype(np.float64)
    batch, persons, frames, joints, _ = x.shape
    if stream.startswith("bone"):
        joint = out.copy()
        for where in np.ndindex(batch, persons, frames):
            for j in range(joints):
                parent = skeleton.parents[j]
                if parent < 0:
                    out[where][j] = 0
                    if confidence:
                        out[where][j, -1] = joint[where][j, -1]
                else:
                    out[where][j] = between(joint[where][j], joint[where][parent], confidence)
    if stream.endswith("motion"):
        still = out.copy()
        for b, p, j in np.ndindex(batch, persons, joints):
            for t in range(frames - 1):
                out[b, p, t, j] = between(still[b, p, t + 1, j], still[b, p, t, j], confidence)
            out[b, p, -1, j] = 0
            if confidence:
                out[b, p, -1, j, -1] = still[b, p, -1, j, -1]
    return out
