"""Scenes to learn from, and the network that learns to read layouts from them."""
