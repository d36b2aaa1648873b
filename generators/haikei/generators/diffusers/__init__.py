"""Diffusion models in diffusers format: they redraw a picture along the layout's lines."""
