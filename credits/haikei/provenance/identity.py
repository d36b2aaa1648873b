"""
Identity assertions (CAWG 1.2, X.509): a person signs, with a certificate of their own, that it was
they who made this step.

The library signs such an assertion only where it asks for both signatures over HTTP. So a server
on this machine answers while one file is signed: keys and key services stay where they are, and
nothing but the bytes to sign and the signature pass through it.
"""

import os
import secrets
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, cast

from haikei.credits import Contribution, Person, Role
from haikei.errors import SettingsError, SigningUnavailable
from haikei.provenance.c2pa_python import PEOPLE
from haikei.provenance.certificate import (
    Chain,
    SignBytes,
    raw_signature,
    read_chain,
    sign_with_key,
)
from haikei.settings import PersonEntry, Settings

#: What a person's signature covers, besides the hash of the picture.
_REFERENCED = ("c2pa.actions.v2", PEOPLE)
_CREATOR, _EDITOR = "cawg.creator", "cawg.editor"
_ROLES = {
    Role.LAYOUT: _CREATOR,
    Role.GENZU: _CREATOR,
    Role.GENZU_CLEAN_UP: _EDITOR,
    Role.TOUCH_UP: _EDITOR,
    Role.BACKGROUND: _CREATOR,
}
_CHECK = "Check certificate_file and certificate_key_file, or signer, of their [[people]] entry."
_HOST = "127.0.0.1"
_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonIdentity:
    """A person's certificate, and what signs with its key."""

    entry: PersonEntry
    chain: Chain
    raw: SignBytes

    def sign(self, data: bytes) -> bytes:
        """
        Return the signature in COSE's form.

        Raises:
            SigningUnavailable: the key service gives none.
            SettingsError: it is by another key than the certificate's.
        """
        try:
            signature = self.raw(data)
        except Exception as error:
            raise SigningUnavailable(
                f"The signer of {self.entry.name}'s certificate failed: {error}.",
                advice="See whether the key service can be reached; files wait for it.",
            ) from error
        return raw_signature(signature, data, self.chain)


def identities(
    settings: Settings, signer: Callable[[str, str], SignBytes]
) -> tuple[PersonIdentity, ...]:
    """
    Return the certificates of people whom the settings name.

    Args:
        settings: the studio's.
        signer: returns what signs, by the name of a signer and the person's id.

    Raises:
        SettingsError: a certificate or key does not exist, fit or hold.
    """
    return tuple(
        _identity(entry, signer)
        for entry in settings.people
        if entry.certificate_file or entry.certificate_key_file or entry.signer
    )


def identity_of(
    contributions: Iterable[Contribution], known: Iterable[PersonIdentity]
) -> tuple[PersonIdentity, str] | None:
    """
    Return whose identity a step carries, and their role in CAWG's words; None for nobody's.

    It is the first of those who drew or painted and have a certificate: a manifest takes one.
    Nobody is named by a certificate who does not want to be named.
    """
    for one in contributions:
        actor, role = one.actor, _ROLES.get(one.role)
        if role is None or not isinstance(actor, Person) or actor.opt_out:
            continue
        for identity in known:
            if identity.entry.means(actor.id, (actor.name, actor.name_ja)):
                return identity, role
    return None


@contextmanager
def two_signers(
    claim: tuple[SignBytes, Chain],
    person: tuple[SignBytes, Chain],
    role: str,
    *,
    timestamp_url: str | None,
) -> Generator[Mapping[str, Any]]:
    """
    Yield the library's settings with which it asks us for both signatures, while it signs a file.

    Args:
        claim: signs the manifest, with its certificate.
        person: signs the identity assertion, likewise.
        role: what the person did, in CAWG's words.
        timestamp_url: a time-stamp authority.
    """
    # Paths that nobody else on this machine can guess: who asks there is answered.
    paths = {f"/{secrets.token_urlsafe(32)}": sign for sign, _ in (claim, person)}
    server = _server(paths)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        own, theirs = (f"http://{_HOST}:{server.server_address[1]}{path}" for path in paths)
        stamp = {} if timestamp_url is None else {"tsa_url": timestamp_url}
        about = {"referenced_assertions": list(_REFERENCED), "roles": [role]}
        yield {
            "signer": {"remote": {**_remote(own, claim[1]), **stamp}},
            "cawg_x509_signer": {"remote": {**_remote(theirs, person[1]), **about}},
        }
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _identity(entry: PersonEntry, signer: Callable[[str, str], SignBytes]) -> PersonIdentity:
    if entry.certificate_file is None:
        raise SettingsError(f"A key of {entry.name} is set, but no certificate.", advice=_CHECK)
    if not entry.signer and entry.certificate_key_file is None:
        raise SettingsError(f"A certificate of {entry.name} is set, but no key.", advice=_CHECK)
    try:
        chain = read_chain(entry.certificate_file)
        if entry.signer is not None:
            sign = signer(entry.signer, entry.id)
        else:
            sign = sign_with_key(cast("Path", entry.certificate_key_file), chain)
    except SettingsError as error:
        raise SettingsError(
            f"The identity of {entry.name}: {error.message}", advice=_CHECK
        ) from error
    return PersonIdentity(entry=entry, chain=chain, raw=sign)


def _remote(url: str, chain: Chain) -> dict[str, str]:
    return {"url": url, "alg": chain.algorithm.value.lower(), "sign_cert": chain.pem}


def _server(paths: Mapping[str, Callable[[bytes], bytes]]) -> ThreadingHTTPServer:
    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sign = paths.get(self.path)
            length = self.headers.get("content-length", "")
            if sign is None or not length.isdecimal() or int(length) > _MOST_BYTES:
                self.send_error(404)
                return
            try:
                signature = sign(self.rfile.read(int(length)))
            except Exception:  # noqa: BLE001 - whoever signs keeps the error for its caller
                self.send_error(500)
                return
            self.send_response(200)
            self.send_header("content-length", str(len(signature)))
            self.end_headers()
            self.wfile.write(signature)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as its parent
            """Log nothing: a path is a secret."""

    _never_by_proxy()
    return ThreadingHTTPServer((_HOST, 0), Answers)


def _never_by_proxy() -> None:
    # A studio's proxy cannot reach this machine's own loopback.
    for name in ("NO_PROXY", "no_proxy"):
        named = os.environ.get(name, "").split(",")
        if _HOST not in named:
            os.environ[name] = ",".join(filter(None, (*named, _HOST)))
