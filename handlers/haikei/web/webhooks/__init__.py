"""Webhooks of the tracker: they say where to look, and nothing else."""
