"""Skeletons as plain values: joints, parents, mirror, extra edges; everything else is derived from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Skeleton:
    """A tree of joints, with its mirror image and optional extra edges for graph layers.

    Args:
        name: What `get` finds it by, e.g. "h36m_17".
        joints: Names of the joints; a joint of the person's left side starts with "left_".
        parents: Parent of each joint, -1 for the one root.
        mirror: For each joint the joint of the other side, itself if it lies in the middle.
        extra_edges: Pairs of joints that a graph layer treats as neighbours besides the bones.

    Raises:
        ValueError: More or fewer than one root, a cycle, a mirror that is no involution, an edge to nowhere.

    Example:
        >>> H36M_17.num_joints, H36M_17.joints[H36M_17.root], len(H36M_17.bones)
        (17, 'hip', 16)
    """

    name: str
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    mirror: tuple[int, ...]
    extra_edges: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        # JSON gives lists; a frozen value holds tuples.
        for field in ("joints", "parents", "mirror"):
            object.__setattr__(self, field, tuple(getattr(self, field)))
        object.__setattr__(self, "extra_edges", tuple((int(i), int(j)) for i, j in self.extra_edges))
        self._check()

    def _check(self) -> None:
        n = len(self.joints)
        where = f"skeleton {self.name!r}"
        if not n or len(self.parents) != n or len(self.mirror) != n:
            raise ValueError(
                f"{where}: joints, parents and mirror want one entry for each joint; got {n}, {len(self.parents)} "
                f"and {len(self.mirror)}"
            )
        if len(set(self.joints)) != n:
            raise ValueError(f"{where}: two joints have the same name; give each its own")
        roots = [i for i, parent in enumerate(self.parents) if parent == -1]
        if len(roots) != 1:
            raise ValueError(f"{where}: expected one root (parent -1), found {len(roots)}: {roots}")
        if any(not -1 <= parent < n for parent in self.parents):
            raise ValueError(f"{where}: a parent lies outside 0..{n - 1}: {self.parents}")
        for start in range(n):
            joint, steps = start, 0
            while joint != -1:
                joint, steps = self.parents[joint], steps + 1
                if steps > n:
                    raise ValueError(f"{where}: the parents of joint {start} ({self.joints[start]}) form a cycle")
        if sorted(self.mirror) != list(range(n)) or any(self.mirror[self.mirror[i]] != i for i in range(n)):
            raise ValueError(f"{where}: mirror must map each joint to its counterpart and back; got {self.mirror}")
        for i, j in self.extra_edges:
            if i == j or not (0 <= i < n and 0 <= j < n):
                raise ValueError(f"{where}: extra edge ({i}, {j}) wants two different joints of 0..{n - 1}")

    @property
    def num_joints(self) -> int:
        """Number of joints N."""
        return len(self.joints)

    @cached_property
    def root(self) -> int:
        """The joint without a parent, the origin of root-relative poses."""
        return self.parents.index(-1)

    @cached_property
    def bones(self) -> tuple[tuple[int, int], ...]:
        """(child, parent) of every bone, in the order of the children."""
        return tuple((child, parent) for child, parent in enumerate(self.parents) if parent != -1)

    @cached_property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """Bones and extra edges, undirected, each once."""
        return self.bones + self.extra_edges

    @cached_property
    def left(self) -> tuple[int, ...]:
        """Joints of the person's left side."""
        return tuple(i for i, name in enumerate(self.joints) if self.mirror[i] != i and name.startswith("left_"))

    @cached_property
    def right(self) -> tuple[int, ...]:
        """Counterparts of `left`, in its order."""
        return tuple(self.mirror[i] for i in self.left)

    @cached_property
    def hop_distances(self) -> np.ndarray:
        """Shortest path between joints over bones and extra edges: int64 (N, N)."""
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
        """The first of some joints that there is, else the mean of others, else the root."""
        named = [joint for joint in names if joint in self.joints][:1]
        found = named or [joint for joint in around if joint in self.joints] or [self.joints[self.root]]
        weights = np.zeros(self.num_joints, np.float32)
        weights[[self.index(joint) for joint in found]] = 1 / len(found)
        return weights

    def index(self, joint: str) -> int:
        """Index of a joint by name; ValueError lists the names if there is none."""
        if joint not in self.joints:
            raise ValueError(f"skeleton {self.name!r} has no joint {joint!r}; it has {', '.join(self.joints)}")
        return self.joints.index(joint)

    def below(self, joint: int) -> tuple[int, ...]:
        """A joint and all that hangs on it, parents first."""
        children = [child for child, parent in enumerate(self.parents) if parent == joint]
        return (joint, *(lower for child in children for lower in self.below(child)))

    def get_config(self) -> dict:
        """Plain values for JSON; `Skeleton.from_config` is the way back."""
        return {
            "name": self.name,
            "joints": list(self.joints),
            "parents": list(self.parents),
            "mirror": list(self.mirror),
            "extra_edges": [list(edge) for edge in self.extra_edges],
        }

    @classmethod
    def from_config(cls, config: dict) -> Skeleton:
        """The skeleton that `get_config` described."""
        return cls(**config)
