"""Predictions to files: JSON, NPZ, CSV, BVH and TRC."""

from skelgnn_tf.writers.save import check_suffix, notes_on, save

__all__ = ["check_suffix", "notes_on", "save"]
