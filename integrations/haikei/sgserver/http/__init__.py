"""What travels over HTTP: the wire methods, the REST part, webhooks."""

from haikei.sgserver.http.serving import serve

__all__ = [
    "serve",
]
