"""Who signs files: the studio's certificate, a key service, or a development authority."""

from typing import Self

from haikei.settings import Settings


class MarkSigner:
    """Signs the manifests of files."""

    trust_pem: str  #: the roots against which our own files are checked
    timestamp_trust_pem: str  #: the roots of the time-stamp authority; empty without one
    kind: str  #: `studio`, or `development` for an authority that Haikei made by itself

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Return the signer that the settings name."""
        raise NotImplementedError
