"""NTU RGB+D 60 and 120 from their raw `.skeleton` files."""

from skelgnn_tf.datasets.ntu.loader import load
from skelgnn_tf.datasets.ntu.names import BENCHMARKS, CLASSES, Benchmark

__all__ = ["BENCHMARKS", "CLASSES", "Benchmark", "load"]
