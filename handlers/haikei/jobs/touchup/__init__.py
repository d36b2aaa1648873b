"""The job of a touch-up: what an artist painted over a version becomes the next version."""
