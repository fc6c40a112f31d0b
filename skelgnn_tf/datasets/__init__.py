"""Loaders of motion data: each gives a ClipSet."""
