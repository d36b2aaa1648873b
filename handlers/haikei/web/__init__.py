"""Haikei's web application: webhooks, menu items, sign-in and pages."""

from haikei.web.address import address, is_open, to_confirmation
from haikei.web.api.operations import ApiScope, ApiToken, Tokens
from haikei.web.application import make_app
from haikei.web.context import WebContext
from haikei.web.security.sessions import Visitor, VisitorRole, require_supervisor, visitor

__all__ = [
    "ApiScope",
    "ApiToken",
    "Tokens",
    "Visitor",
    "VisitorRole",
    "WebContext",
    "address",
    "is_open",
    "make_app",
    "require_supervisor",
    "to_confirmation",
    "visitor",
]
