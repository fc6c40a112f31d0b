"""The joint layouts of data sets and detectors."""

from __future__ import annotations

from skelgnn_tf.skeletons.skeleton import Skeleton


def _skeleton(name: str, tree: dict[str, str | None], extra_edges: tuple[tuple[str, str], ...] = ()) -> Skeleton:
    """A skeleton from {joint: parent}. Counterparts have the same name but for "left_" and "right_"."""
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

#: Human3.6M as in VideoPose3D. "neck" is Human3.6M's Neck/Nose, "head" the top of the head.
H36M_17 = _skeleton("h36m_17", _H36M_TREE)

#: The same joints with the extra edges of LCN, from hips and shoulders to the spine. The largest hop distance is 6.
H36M_17_LCN = _skeleton(
    "h36m_17_lcn",
    _H36M_TREE,
    tuple((joint, "spine") for joint in ("right_hip", "left_hip", "left_shoulder", "right_shoulder")),
)

#: MPI-INF-3DHP in the order of P-STMO's files. The pelvis (14) is the root.
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

#: COCO keypoints with the tree of PYSKL. The nose is the root.
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

#: The landmarks of BlazePose (MediaPipe). The nose is the root, as for COCO.
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

#: The 25 joints of Kinect v2 in the order of NTU RGB+D. The base of the spine is the root.
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

#: All layouts by name.
ALL = {s.name: s for s in (H36M_17, H36M_17_LCN, MPI_INF_3DHP_17, COCO_17, BLAZEPOSE_33, NTU_25)}


def get(name: str | Skeleton) -> Skeleton:
    """The layout of this name; a skeleton is returned as it is. Raises ValueError, with all names, if there is none."""
    if isinstance(name, Skeleton):
        return name
    if name not in ALL:
        raise ValueError(f"skeleton must be one of {', '.join(ALL)}. Received: {name!r}.")
    return ALL[name]
