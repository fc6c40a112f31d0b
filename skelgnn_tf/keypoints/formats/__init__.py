"""One reader for each format of keypoint files."""
