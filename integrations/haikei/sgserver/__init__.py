"""The embedded tracker: one process, one SQLite file, speaking ShotGrid's protocol."""
