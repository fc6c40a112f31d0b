"""Pictures from video files, folders and webcams."""
