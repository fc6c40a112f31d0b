"""The models as graphs of operators that the runtimes of phones have."""
