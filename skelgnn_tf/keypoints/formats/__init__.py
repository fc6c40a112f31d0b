"""One module for each format of keypoint files."""
