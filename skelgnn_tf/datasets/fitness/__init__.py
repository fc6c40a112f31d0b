"""A generated data set of people who exercise in front of a phone. It needs no download."""

from skelgnn_tf.datasets.fitness.captured import Recordings
from skelgnn_tf.datasets.fitness.exercises import CLASSES, PHONE_CLASSES
from skelgnn_tf.datasets.fitness.generator import LAYOUTS, SCENES, generate, iterate, load, make_clip

__all__ = ["CLASSES", "LAYOUTS", "PHONE_CLASSES", "SCENES", "Recordings", "generate", "iterate", "load", "make_clip"]
