"""Training and scoring of action recognisers."""
