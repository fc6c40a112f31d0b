"""What defines a run, as plain values."""
