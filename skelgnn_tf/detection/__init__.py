"""2D keypoints from pictures."""
