"""Training and scoring of pose lifters."""
