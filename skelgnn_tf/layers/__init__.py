"""Keras layers of the paper, written with keras.ops only."""

# Keras comes first: as soon as it is there, models are imported, and they import the modules below.
import keras  # noqa: F401  # isort: split

from skelgnn_tf.layers.clip_frame import ClipFrame
from skelgnn_tf.layers.dynamic_graph import DynamicGraph
from skelgnn_tf.layers.hcsf import HCSF
from skelgnn_tf.layers.person_frame import PersonFrame
from skelgnn_tf.layers.random_affine import RandomAffine
from skelgnn_tf.layers.stream import Stream
from skelgnn_tf.layers.temporal_conv import TemporalConv

__all__ = ["HCSF", "ClipFrame", "DynamicGraph", "PersonFrame", "RandomAffine", "Stream", "TemporalConv"]
