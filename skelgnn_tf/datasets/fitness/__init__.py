"""A generated data set of people who exercise in front of a phone. It needs no download."""

from skelgnn_tf.datasets.fitness.captured import Recordings
from skelgnn_tf.datasets.fitness.exercises import CLASSES, STUDIO_CLASSES
from skelgnn_tf.datasets.fitness.generator import LAYOUTS, SCENES, generate, iterate, load, make_clip

__all__ = ["CLASSES", "LAYOUTS", "SCENES", "STUDIO_CLASSES", "Recordings", "generate", "iterate", "load", "make_clip"]
