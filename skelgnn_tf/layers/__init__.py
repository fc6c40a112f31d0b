"""Keras layers of the paper, written in keras.ops alone."""

from skelgnn_tf.layers.dynamic_graph import DynamicGraph
from skelgnn_tf.layers.hcsf import HCSF
from skelgnn_tf.layers.person_frame import PersonFrame
from skelgnn_tf.layers.temporal_conv import TemporalConv

__all__ = ["HCSF", "DynamicGraph", "PersonFrame", "TemporalConv"]
