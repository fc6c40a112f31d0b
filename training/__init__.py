"""The TensorFlow edge of training: pipelines, loop, evaluation, reports."""
