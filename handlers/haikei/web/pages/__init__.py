"""What people look at: shows, cuts with their layers, credits, and reports."""

from haikei.web.pages.looking import Pages

__all__ = ["Pages"]
