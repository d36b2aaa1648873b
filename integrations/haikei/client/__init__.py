"""A way in from anywhere: hand layouts in, see what becomes of them, decide about versions."""

from .client import (
    Client,
    ClientError,
    Job,
    ServerAway,
    SignatureInvalid,
    StillRunning,
    Submission,
    Version,
    verified,
)

__all__ = [
    "Client",
    "ClientError",
    "Job",
    "ServerAway",
    "SignatureInvalid",
    "StillRunning",
    "Submission",
    "Version",
    "verified",
]
