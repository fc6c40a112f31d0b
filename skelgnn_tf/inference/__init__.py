"""What trained models say of keypoints: whole clips, live streams, exported files."""
