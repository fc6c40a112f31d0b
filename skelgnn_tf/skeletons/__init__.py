"""Skeletons, the joint layouts of common data sets and detectors, and maps between them."""

from skelgnn_tf.skeletons.joint_maps import joint_map, map_keypoints
from skelgnn_tf.skeletons.layouts import (
    ALL,
    BLAZEPOSE_33,
    COCO_17,
    H36M_17,
    H36M_17_LCN,
    MPI_INF_3DHP_17,
    NTU_25,
    get,
)
from skelgnn_tf.skeletons.skeleton import Skeleton

__all__ = [
    "ALL",
    "BLAZEPOSE_33",
    "COCO_17",
    "H36M_17",
    "H36M_17_LCN",
    "MPI_INF_3DHP_17",
    "NTU_25",
    "Skeleton",
    "get",
    "joint_map",
    "map_keypoints",
]
