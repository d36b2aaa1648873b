"""Line-art layouts drawn by our own code, for demonstrations and tests."""

from haikei.scenes.camera import Layer, LayoutDrawing, Scene, SceneKind
from haikei.scenes.places import draw
from haikei.scenes.saving import save_layout

__all__ = ["Layer", "LayoutDrawing", "Scene", "SceneKind", "draw", "save_layout"]
