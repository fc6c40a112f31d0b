"""2D keypoints of people over time, and the files that detectors write."""
