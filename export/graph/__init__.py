"""The graph that a phone runs, restated from operators that its runtimes have."""
