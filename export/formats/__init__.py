"""The file formats of exported models."""
