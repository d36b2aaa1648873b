"""Line-art layouts drawn by our own code, for demonstrations and tests."""

from haikei.scenes.places import draw
from haikei.scenes.sheet import Layer, LayoutDrawing, Scene, SceneKind, save_layout

__all__ = ["Layer", "LayoutDrawing", "Scene", "SceneKind", "draw", "save_layout"]
