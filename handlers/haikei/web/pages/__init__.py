"""What people look at: shows, cuts with their layers, credits, and reports."""

from haikei.web.pages.routes import Pages

__all__ = ["Pages"]
