"""The generated data set: people who exercise before a phone's camera, without a download."""

from skelgnn_tf.datasets.fitness.exercises import CLASSES
from skelgnn_tf.datasets.fitness.generator import LAYOUTS, generate, iterate, load, make_clip

__all__ = ["CLASSES", "LAYOUTS", "generate", "iterate", "load", "make_clip"]
