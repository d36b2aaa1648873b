"""Line-art layouts drawn by our own code, for demonstrations and tests."""
