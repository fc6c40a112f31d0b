"""Training, evaluation and reports of pose lifters and action recognizers, on every backend of Keras."""
