"""Skeletal graph neural networks for Keras: pose lifting and action recognition, exported to phones."""

__version__ = "0.1.0"
