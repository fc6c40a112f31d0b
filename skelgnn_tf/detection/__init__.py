"""2D keypoints from pictures: a detector, its model files, and a tracker that follows people through a video."""
