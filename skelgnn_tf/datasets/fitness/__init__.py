"""A generated data set of people who exercise in front of a phone. It needs no download."""

from skelgnn_tf.datasets.fitness.exercises import CLASSES
from skelgnn_tf.datasets.fitness.generator import LAYOUTS, generate, iterate, load, make_clip

__all__ = ["CLASSES", "LAYOUTS", "generate", "iterate", "load", "make_clip"]
