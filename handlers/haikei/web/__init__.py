"""Haikei's web application: webhooks, menu items, sign-in and pages."""

from haikei.web.address import address
from haikei.web.app import make_app
from haikei.web.context import WebContext
from haikei.web.visitor import Role, Visitor, require_supervisor, visitor

__all__ = [
    "Role",
    "Visitor",
    "WebContext",
    "address",
    "make_app",
    "require_supervisor",
    "visitor",
]
