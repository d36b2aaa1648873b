"""The demonstration studio."""
