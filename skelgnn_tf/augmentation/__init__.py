"""Augmentation of training windows in keras.ops, so that it runs on every backend."""
