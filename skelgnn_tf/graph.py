"""The graph of a skeleton, as graph layers use it: hop groups and normalized adjacency."""

from __future__ import annotations

import numpy as np

from skelgnn_tf.skeletons import Skeleton


def hop_groups(skeleton: Skeleton, short_hops: int, max_hops: int) -> np.ndarray:
    """The pairs of joints in each hop group of the paper.

    Args:
        skeleton: Defines the hop distances.
        short_hops: S. The first group holds all pairs of joints at most S hops apart, including each joint itself.
        max_hops: L. One more group for each distance S + 1 to L, empty if the skeleton is smaller.

    Returns:
        bool (1 + L - S, joints to, joints from).

    Raises:
        ValueError: S or L is negative, or L is less than S.

    Source: Zeng et al., ICCV 2021, section 3.1 (docs/method.md).
    """
    if not 0 <= short_hops <= max_hops:
        raise ValueError(
            f"short_hops must be at least 0 and at most max_hops. Received: short_hops={short_hops}, "
            f"max_hops={max_hops}."
        )
    hops = skeleton.hop_distances
    return np.stack([hops <= short_hops, *(hops == k for k in range(short_hops + 1, max_hops + 1))])


def normalize_adjacency(adjacency: np.ndarray) -> np.ndarray:
    """Symmetric normalization D^-1/2 A D^-1/2. The rows and columns of a joint without neighbors stay zero.

    Args:
        adjacency: (..., joints, joints), bool or numbers.

    Returns:
        float32 (..., joints, joints).

    Source: Kipf and Welling, ICLR 2017.
    """
    degree = adjacency.sum(axis=-1, dtype=np.float32)
    scale = np.where(degree > 0, 1 / np.sqrt(np.maximum(degree, 1)), 0)
    return (adjacency * scale[..., :, None] * scale[..., None, :]).astype(np.float32)
