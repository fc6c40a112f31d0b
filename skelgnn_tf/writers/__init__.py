"""Predictions to files: JSON, NPZ, CSV, BVH and TRC, and a table of repetitions."""

from skelgnn_tf.writers.repetitions_csv import check_repetitions, save_repetitions
from skelgnn_tf.writers.save import check_suffix, notes_on, save

__all__ = ["check_repetitions", "check_suffix", "notes_on", "save", "save_repetitions"]
