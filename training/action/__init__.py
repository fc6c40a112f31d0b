"""Training and scoring of action recognizers."""
