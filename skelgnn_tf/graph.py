"""What graph layers read off a skeleton: hop groups and normalised adjacency."""

from __future__ import annotations

import numpy as np

from skelgnn_tf.skeletons import Skeleton


def hop_groups(skeleton: Skeleton, short_hops: int, max_hops: int) -> np.ndarray:
    """The joint pairs of each hop group, as PAPER.md's layer has them.

    Args:
        skeleton: Whose hop distances count.
        short_hops: S; the first group holds all pairs at most S hops apart, a joint itself included.
        max_hops: L; one more group for each distance S+1..L, empty where the skeleton is smaller.

    Returns:
        bool (1 + L - S, joints to, joints from).

    Raises:
        ValueError: S or L negative, or L below S.
    """
    if not 0 <= short_hops <= max_hops:
        raise ValueError(f"expected 0 <= short_hops <= max_hops; got short_hops={short_hops}, max_hops={max_hops}")
    hops = skeleton.hop_distances
    return np.stack([hops <= short_hops, *(hops == k for k in range(short_hops + 1, max_hops + 1))])


def normalize_adjacency(adjacency: np.ndarray) -> np.ndarray:
    """Symmetric normalisation D^-1/2 A D^-1/2 of (..., joints, joints); a joint without neighbours keeps its zeros.

    Source: Kipf and Welling, ICLR 2017.
    """
    degree = adjacency.sum(axis=-1, dtype=np.float32)
    scale = np.where(degree > 0, 1 / np.sqrt(np.maximum(degree, 1)), 0)
    return (adjacency * scale[..., :, None] * scale[..., None, :]).astype(np.float32)
