"""Skeleton: joints, parents, mirror and extra edges. Everything else is derived from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Skeleton:
    """A tree of joints, with its mirror image and optional extra edges for graph layers.

    Args:
        name: Name of the skeleton, such as "h36m_17".
        joints: Names of the joints. Names of joints on the person's left side start with "left_".
        parents: Index of the parent of each joint, -1 for the root.
        mirror: Index of the counterpart of each joint on the other side; a joint in the middle is its own counterpart.
        extra_edges: Pairs of joints that graph layers treat as neighbors, in addition to the bones.

    Raises:
        ValueError: There is not exactly one root, the parents form a cycle, `mirror` is not an involution, or an edge
            connects joints that do not exist.

    Example:
        >>> arm = Skeleton("arm", ("shoulder", "elbow", "wrist"), (-1, 0, 1), (0, 1, 2))
        >>> arm.num_joints, arm.joints[arm.root], arm.bones
        (3, 'shoulder', ((1, 0), (2, 1)))
    """

    name: str
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    mirror: tuple[int, ...]
    extra_edges: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        # JSON has lists; a frozen value needs tuples.
        for field in ("joints", "parents", "mirror"):
            object.__setattr__(self, field, tuple(getattr(self, field)))
        object.__setattr__(self, "extra_edges", tuple((int(i), int(j)) for i, j in self.extra_edges))
        self._check()

    def _check(self) -> None:
        n = len(self.joints)
        where = f"skeleton {self.name!r}"
        if not n or len(self.parents) != n or len(self.mirror) != n:
            raise ValueError(
                f"{where}: parents and mirror must have one entry for each joint, at least one. Received: {n} joints, "
                f"{len(self.parents)} parents, {len(self.mirror)} counterparts."
            )
        if len(set(self.joints)) != n:
            raise ValueError(f"{where}: joints must have different names. Received: {self.joints}.")
        roots = [i for i, parent in enumerate(self.parents) if parent == -1]
        if len(roots) != 1:
            raise ValueError(f"{where}: parents must have one root (-1). Received: {len(roots)} in {self.parents}.")
        if any(not -1 <= parent < n for parent in self.parents):
            raise ValueError(f"{where}: parents must be between -1 and {n - 1}. Received: {self.parents}.")
        for start in range(n):
            joint, steps = start, 0
            while joint != -1:
                joint, steps = self.parents[joint], steps + 1
                if steps > n:
                    name = self.joints[start]
                    raise ValueError(
                        f"{where}: parents must form a tree. Received: a cycle above joint {start} ({name})."
                    )
        if sorted(self.mirror) != list(range(n)) or any(self.mirror[self.mirror[i]] != i for i in range(n)):
            raise ValueError(
                f"{where}: mirror must map each joint to its counterpart and back. Received: {self.mirror}."
            )
        for i, j in self.extra_edges:
            if i == j or not (0 <= i < n and 0 <= j < n):
                raise ValueError(
                    f"{where}: extra_edges must connect two different joints of 0 to {n - 1}. Received: ({i}, {j})."
                )

    @property
    def num_joints(self) -> int:
        """Number of joints N."""
        return len(self.joints)

    @cached_property
    def root(self) -> int:
        """Index of the joint without a parent, the origin of root-relative poses."""
        return self.parents.index(-1)

    @cached_property
    def bones(self) -> tuple[tuple[int, int], ...]:
        """(child, parent) of every bone, in the order of the children."""
        return tuple((child, parent) for child, parent in enumerate(self.parents) if parent != -1)

    @cached_property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """Bones and extra edges, undirected, each of them once."""
        return self.bones + self.extra_edges

    @cached_property
    def left(self) -> tuple[int, ...]:
        """Joints of the person's left side."""
        return tuple(i for i, name in enumerate(self.joints) if self.mirror[i] != i and name.startswith("left_"))

    @cached_property
    def right(self) -> tuple[int, ...]:
        """Counterparts of `left`, in the same order."""
        return tuple(self.mirror[i] for i in self.left)

    @cached_property
    def hop_distances(self) -> np.ndarray:
        """Number of edges on the shortest path between two joints: int64 (N, N)."""
        n = self.num_joints
        distances = np.full((n, n), n, np.int64)
        np.fill_diagonal(distances, 0)
        for i, j in self.edges:
            distances[i, j] = distances[j, i] = 1
        for via in range(n):
            distances = np.minimum(distances, distances[:, via, None] + distances[None, via, :])
        return distances

    @cached_property
    def pelvis(self) -> np.ndarray:
        """The lower end of the spine as weights of the joints: float32 (N,), summing to 1."""
        return self._point(("spine_base", "pelvis", "hip"), ("left_hip", "right_hip"))

    @cached_property
    def middle(self) -> np.ndarray:
        """The middle of the trunk as weights of the joints: float32 (N,), summing to 1."""
        return self._point(("spine_mid", "spine"), ("left_hip", "right_hip", "left_shoulder", "right_shoulder"))

    def _point(self, names: tuple[str, ...], around: tuple[str, ...]) -> np.ndarray:
        """The first of `names` that exists, else the mean of the joints `around`, else the root."""
        named = [joint for joint in names if joint in self.joints][:1]
        found = named or [joint for joint in around if joint in self.joints] or [self.joints[self.root]]
        weights = np.zeros(self.num_joints, np.float32)
        weights[[self.index(joint) for joint in found]] = 1 / len(found)
        return weights

    def index(self, joint: str) -> int:
        """Index of a joint by its name. Raises ValueError, with all names, if there is no such joint."""
        if joint not in self.joints:
            raise ValueError(
                f"joint must be one of {', '.join(self.joints)} (skeleton {self.name}). Received: {joint!r}."
            )
        return self.joints.index(joint)

    def below(self, joint: int) -> tuple[int, ...]:
        """A joint and all its descendants, parents first."""
        children = [child for child, parent in enumerate(self.parents) if parent == joint]
        return (joint, *(lower for child in children for lower in self.below(child)))

    def get_config(self) -> dict[str, Any]:
        """Plain values for JSON. `Skeleton.from_config` makes a skeleton of them."""
        return {
            "name": self.name,
            "joints": list(self.joints),
            "parents": list(self.parents),
            "mirror": list(self.mirror),
            "extra_edges": [list(edge) for edge in self.extra_edges],
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Skeleton:
        """The skeleton that `get_config` describes."""
        return cls(**config)
