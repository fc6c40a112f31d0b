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


def _skeleton(name: str, tree: dict[str, str | None], extra_edges: tuple[tuple[str, str], ...] = ()) -> Skeleton:
    """A skeleton from {joint: parent}; sides are mirrored by their names."""
    joints = tuple(tree)

    def opposite(joint: str) -> str:
        for side, other in (("left_", "right_"), ("right_", "left_")):
            if joint.startswith(side):
                return other + joint.removeprefix(side)
        return joint

    return Skeleton(
        name,
        joints,
        tuple(-1 if parent is None else joints.index(parent) for parent in tree.values()),
        tuple(joints.index(opposite(joint)) for joint in joints),
        tuple((joints.index(i), joints.index(j)) for i, j in extra_edges),
    )


_H36M_TREE = {
    "hip": None,
    "right_hip": "hip",
    "right_knee": "right_hip",
    "right_ankle": "right_knee",
    "left_hip": "hip",
    "left_knee": "left_hip",
    "left_ankle": "left_knee",
    "spine": "hip",
    "thorax": "spine",
    "neck": "thorax",
    "head": "neck",
    "left_shoulder": "thorax",
    "left_elbow": "left_shoulder",
    "left_wrist": "left_elbow",
    "right_shoulder": "thorax",
    "right_elbow": "right_shoulder",
    "right_wrist": "right_elbow",
}

#: Human3.6M as VideoPose3D uses it; "neck" is its Neck/Nose, "head" the top of the head.
H36M_17 = _skeleton("h36m_17", _H36M_TREE)

#: The same joints with LCN's extra edges, hips and shoulders to the spine: the furthest hop is then 6.
H36M_17_LCN = _skeleton(
    "h36m_17_lcn",
    _H36M_TREE,
    tuple((joint, "spine") for joint in ("right_hip", "left_hip", "left_shoulder", "right_shoulder")),
)

#: MPI-INF-3DHP in the order of P-STMO's files, the pelvis (14) as root.
MPI_INF_3DHP_17 = _skeleton(
    "mpi_inf_3dhp_17",
    {
        "head_top": "head",
        "neck": "spine",
        "right_shoulder": "neck",
        "right_elbow": "right_shoulder",
        "right_wrist": "right_elbow",
        "left_shoulder": "neck",
        "left_elbow": "left_shoulder",
        "left_wrist": "left_elbow",
        "right_hip": "pelvis",
        "right_knee": "right_hip",
        "right_ankle": "right_knee",
        "left_hip": "pelvis",
        "left_knee": "left_hip",
        "left_ankle": "left_knee",
        "pelvis": None,
        "spine": "pelvis",
        "head": "neck",
    },
)

#: COCO keypoints with PYSKL's tree: the nose is the root.
COCO_17 = _skeleton(
    "coco_17",
    {
        "nose": None,
        "left_eye": "nose",
        "right_eye": "nose",
        "left_ear": "left_eye",
        "right_ear": "right_eye",
        "left_shoulder": "nose",
        "right_shoulder": "nose",
        "left_elbow": "left_shoulder",
        "right_elbow": "right_shoulder",
        "left_wrist": "left_elbow",
        "right_wrist": "right_elbow",
        "left_hip": "left_shoulder",
        "right_hip": "right_shoulder",
        "left_knee": "left_hip",
        "right_knee": "right_hip",
        "left_ankle": "left_knee",
        "right_ankle": "right_knee",
    },
)

#: BlazePose's (MediaPipe's) landmarks; the tree hangs on the nose as COCO's does.
BLAZEPOSE_33 = _skeleton(
    "blazepose_33",
    {
        "nose": None,
        "left_eye_inner": "nose",
        "left_eye": "left_eye_inner",
        "left_eye_outer": "left_eye",
        "right_eye_inner": "nose",
        "right_eye": "right_eye_inner",
        "right_eye_outer": "right_eye",
        "left_ear": "left_eye_outer",
        "right_ear": "right_eye_outer",
        "left_mouth": "nose",
        "right_mouth": "nose",
        "left_shoulder": "nose",
        "right_shoulder": "nose",
        "left_elbow": "left_shoulder",
        "right_elbow": "right_shoulder",
        "left_wrist": "left_elbow",
        "right_wrist": "right_elbow",
        "left_pinky": "left_wrist",
        "right_pinky": "right_wrist",
        "left_index": "left_wrist",
        "right_index": "right_wrist",
        "left_thumb": "left_wrist",
        "right_thumb": "right_wrist",
        "left_hip": "left_shoulder",
        "right_hip": "right_shoulder",
        "left_knee": "left_hip",
        "right_knee": "right_hip",
        "left_ankle": "left_knee",
        "right_ankle": "right_knee",
        "left_heel": "left_ankle",
        "right_heel": "right_ankle",
        "left_foot_index": "left_heel",
        "right_foot_index": "right_heel",
    },
)

#: Kinect v2's 25 joints in the order of NTU RGB+D; the base of the spine is the root.
NTU_25 = _skeleton(
    "ntu_25",
    {
        "spine_base": None,
        "spine_mid": "spine_base",
        "neck": "spine_shoulder",
        "head": "neck",
        "left_shoulder": "spine_shoulder",
        "left_elbow": "left_shoulder",
        "left_wrist": "left_elbow",
        "left_hand": "left_wrist",
        "right_shoulder": "spine_shoulder",
        "right_elbow": "right_shoulder",
        "right_wrist": "right_elbow",
        "right_hand": "right_wrist",
        "left_hip": "spine_base",
        "left_knee": "left_hip",
        "left_ankle": "left_knee",
        "left_foot": "left_ankle",
        "right_hip": "spine_base",
        "right_knee": "right_hip",
        "right_ankle": "right_knee",
        "right_foot": "right_ankle",
        "spine_shoulder": "spine_mid",
        "left_hand_tip": "left_thumb",
        "left_thumb": "left_hand",
        "right_hand_tip": "right_thumb",
        "right_thumb": "right_hand",
    },
)

ALL = {s.name: s for s in (H36M_17, H36M_17_LCN, MPI_INF_3DHP_17, COCO_17, BLAZEPOSE_33, NTU_25)}


def get(name: str) -> Skeleton:
    """The skeleton of that name; ValueError lists the names if there is none."""
    if name not in ALL:
        raise ValueError(f"unknown skeleton {name!r}; there are {', '.join(ALL)}")
    return ALL[name]


# Joints that another layout calls otherwise or that it only implies, as weights over its own joints (they sum to 1).
_COCO_TO_H36M = {
    "hip": {"left_hip": 0.5, "right_hip": 0.5},
    "thorax": {"left_shoulder": 0.5, "right_shoulder": 0.5},
    "spine": {"left_hip": 0.25, "right_hip": 0.25, "left_shoulder": 0.25, "right_shoulder": 0.25},
    # H36M's Neck/Nose lies half way from between the shoulders to between the ears, its Head as far beyond the ears.
    "neck": {"left_shoulder": 0.25, "right_shoulder": 0.25, "left_ear": 0.25, "right_ear": 0.25},
    "head": {"left_shoulder": -0.25, "right_shoulder": -0.25, "left_ear": 0.75, "right_ear": 0.75},
}
_IMPLIED = {
    ("coco_17", "h36m_17"): _COCO_TO_H36M,
    ("blazepose_33", "h36m_17"): _COCO_TO_H36M,
    ("mpi_inf_3dhp_17", "h36m_17"): {
        "hip": {"pelvis": 1.0},
        "thorax": {"neck": 1.0},
        "neck": {"head": 1.0},
        "head": {"head_top": 1.0},
    },
    ("h36m_17", "mpi_inf_3dhp_17"): {
        "pelvis": {"hip": 1.0},
        "neck": {"thorax": 1.0},
        "head": {"neck": 1.0},
        "head_top": {"head": 1.0},
    },
    ("ntu_25", "h36m_17"): {
        "hip": {"spine_base": 1.0},
        "spine": {"spine_mid": 1.0},
        "thorax": {"spine_shoulder": 1.0},
        "neck": {"neck": 1.0},
        "head": {"head": 1.0},
    },
}


def joint_map(source: str | Skeleton, target: str | Skeleton) -> np.ndarray:
    """Matrix that turns joints of one layout into another's: `target = joint_map(source, target) @ source`.

    Rows sum to one, so the map commutes with every affine map of the coordinates (pixels, metres).

    Args:
        source: Skeleton, or its name, of what a detector gives.
        target: Skeleton, or its name, of what a model wants.

    Returns:
        float32 (target joints, source joints).

    Raises:
        ValueError: The source cannot give a joint of the target; names those joints.
    """
    source = get(source) if isinstance(source, str) else source
    target = get(target) if isinstance(target, str) else target
    implied = _IMPLIED.get((source.name.removesuffix("_lcn"), target.name.removesuffix("_lcn")), {})
    matrix = np.zeros((target.num_joints, source.num_joints), np.float32)
    missing = []
    for row, joint in enumerate(target.joints):
        weights = implied.get(joint) or ({joint: 1.0} if joint in source.joints else {})
        if not weights:
            missing.append(joint)
        for name, weight in weights.items():
            matrix[row, source.index(name)] = weight
    if missing:
        raise ValueError(f"{source.name} cannot give these joints of {target.name}: {', '.join(missing)}")
    return matrix


def map_keypoints(keypoints: np.ndarray, source: str | Skeleton, target: str | Skeleton) -> np.ndarray:
    """Keypoints of one layout as another's; a joint is as sure as the least sure of those that it is made of.

    Args:
        keypoints: (..., source joints, 2, or 3 with confidence), any unit.
        source: Skeleton, or its name, of what a detector gives.
        target: Skeleton, or its name, of what a model wants.

    Returns:
        (..., target joints, 2 or 3).

    Raises:
        ValueError: As `joint_map`.
    """
    matrix = joint_map(source, target)
    mapped = matrix @ keypoints
    if keypoints.shape[-1] == 3:
        parts = [np.flatnonzero(row) for row in matrix]
        mapped[..., 2] = np.stack([keypoints[..., joints, 2].min(axis=-1) for joints in parts], axis=-1)
    return mapped
