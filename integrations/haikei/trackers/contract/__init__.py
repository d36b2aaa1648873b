"""What a tracker is: one adapter, and the parts that it may have; exported by `haikei.trackers`."""
