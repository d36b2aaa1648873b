"""
Identity assertions (CAWG 1.2, X.509): each person who made a step signs, with a certificate of
their own, that it was they.

The signing library takes one such person a manifest, and nobody can sign before the hash of the
picture is known. So it lays out the manifest with room for every assertion; then people sign in
that room, the claim takes the hashes of what they signed, and the studio signs the claim.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from haikei.credits import Contribution, Person, Role
from haikei.errors import MarksError, SettingsError, SigningUnavailable
from haikei.provenance.c2pa_python import IDENTITY, PEOPLE
from haikei.provenance.certificate import (
    Algorithm,
    Chain,
    SignBytes,
    raw_signature,
    read_chain,
    sign_with_key,
)
from haikei.settings import PersonEntry, Settings

#: What a person's signature covers, besides the hash of the picture.
_REFERENCED = ("c2pa.actions.v2", PEOPLE)
_BINDING = "c2pa.hash."
_CREATOR, _EDITOR = "cawg.creator", "cawg.editor"
_ROLES = {
    Role.LAYOUT: _CREATOR,
    Role.GENZU: _CREATOR,
    Role.GENZU_CLEAN_UP: _EDITOR,
    Role.TOUCH_UP: _EDITOR,
    Role.BACKGROUND: _CREATOR,
}
_CHECK = "Check certificate_file and certificate_key_file, or signer, of their [[people]] entry."
#: COSE (RFC 9053, RFC 8152): what the headers of a signature are called.
_ALGORITHM, _CERTIFICATES, _SIGNED = 1, 33, 18
_COSE = {Algorithm.ES256: -7, Algorithm.ES384: -35, Algorithm.PS256: -37, Algorithm.ED25519: -8}
#: Room for a signature, what it covers and padding, besides the certificates.
_ROOM = 3000
_HEAD = 8  #: of a JUMBF box: its length and its kind


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


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningPerson:
    """Somebody who signs for a step."""

    identity: PersonIdentity
    roles: tuple[str, ...]  #: what they did, in CAWG's words


def signing_people(
    contributions: Iterable[Contribution], known: Iterable[PersonIdentity]
) -> tuple[SigningPerson, ...]:
    """
    Return who signs for a step: everybody who drew or painted and has a certificate, each once.

    Nobody is named by a certificate who does not want to be named.
    """
    identities_ = tuple(known)
    found: dict[str, SigningPerson] = {}
    for one in contributions:
        actor, role = one.actor, _ROLES.get(one.role)
        if role is None or not isinstance(actor, Person) or actor.opt_out:
            continue
        for identity in identities_:
            if identity.entry.means(actor.id, (actor.name, actor.name_ja)):
                before = found[actor.id].roles if actor.id in found else ()
                roles = tuple(dict.fromkeys((*before, role)))
                found[actor.id] = SigningPerson(identity=identity, roles=roles)
                break
    return tuple(found.values())


def room_for(person: SigningPerson) -> dict[str, Any]:
    """Return the assertion that holds the place of a person's own until they have signed."""
    return {"label": IDENTITY, "data": {"pad": "0" * (len(person.identity.chain.pem) + _ROOM)}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Where the claim of a store's own manifest stands, and its signature's CBOR."""

    start: int
    end: int
    signature: tuple[int, int]

    def signed_bytes(self, store: bytes, protected: bytes) -> bytes:
        """Return what the claim's signature is over (RFC 9052, section 4.4)."""
        return cbor2.dumps(["Signature1", protected, b"", store[self.start : self.end]])


def sign_for_step(store: bytes, people: Sequence[SigningPerson]) -> bytes:
    """
    Return a manifest store of the same length in which people have signed for its own step.

    The claim holds the hashes of their assertions; its own signature is to be made anew.

    Args:
        store: laid out with room for each of them, in this order.
        people: who signs.

    Raises:
        SigningUnavailable: a key service gives no signature.
        SettingsError: a signature is by another key than the certificate's.
        MarksError: the store is not laid out as expected.
    """
    data, claim = bytearray(store), claim_of(store)
    content = cbor2.loads(store[claim.start : claim.end])
    cited = [*content["created_assertions"], *content.get("gathered_assertions", ())]
    covered = [
        {"url": one["url"], "hash": one["hash"]}
        for one in cited
        if _label(one["url"]) in _REFERENCED or _label(one["url"]).startswith(_BINDING)
    ]
    rooms = [box for box in _assertions(store) if _label(box.label) == IDENTITY]
    if len(rooms) != len(people) or not any(_BINDING in one["url"] for one in covered):
        raise MarksError("The manifest was not laid out with room for everybody who signs.")
    for box, person in zip(rooms, people, strict=True):
        before = hashlib.sha256(store[box.start + _HEAD : box.end]).digest()
        start, end = _content(store, box)
        data[start:end] = _identity_assertion(person, covered, end - start)
        after = hashlib.sha256(data[box.start + _HEAD : box.end]).digest()
        if data.count(before, claim.start, claim.end) != 1:
            raise MarksError(f"The claim does not cite {box.label} by its hash.")
        data[claim.start : claim.end] = data[claim.start : claim.end].replace(before, after)
    return bytes(data)


def claim_of(store: bytes) -> Claim:
    """
    Return where the claim of a store's own manifest stands.

    Raises:
        MarksError: there is none.
    """
    found = {_label(box.label): box for box in _inside(store, _own_manifest(store))}
    try:
        start, end = _content(store, found["c2pa.claim.v2"])
        return Claim(start=start, end=end, signature=_content(store, found["c2pa.signature"]))
    except KeyError as error:
        raise MarksError(
            "The signed manifest holds no claim of version 2, or no signature."
        ) from error


def _identity_assertion(
    person: SigningPerson, covered: Sequence[dict[str, Any]], length: int
) -> bytes:
    identity = person.identity
    payload = {
        "referenced_assertions": list(covered),
        "sig_type": "cawg.x509.cose",
        "role": list(person.roles),
    }
    chain = x509.load_pem_x509_certificates(identity.chain.pem.encode("ascii"))
    certificates = [one.public_bytes(serialization.Encoding.DER) for one in chain]
    sent = certificates[0] if len(certificates) == 1 else certificates
    protected = cbor2.dumps({_ALGORITHM: _COSE[identity.chain.algorithm], _CERTIFICATES: sent})
    signed = identity.sign(cbor2.dumps(["Signature1", protected, b"", cbor2.dumps(payload)]))
    cose = cbor2.dumps(cbor2.CBORTag(_SIGNED, [protected, {}, None, signed]))
    made: dict[str, Any] = {"signer_payload": payload, "signature": cose, "pad1": b""}
    # The head of a padding between 256 and 65,535 bytes is two bytes longer than an empty one's.
    room = length - len(cbor2.dumps(made)) - 2
    if not 256 <= room < 1 << 16:
        raise MarksError(
            f"The certificate of {identity.entry.name} does not fit into a manifest.",
            advice="Use a chain of a few certificates.",
        )
    return cbor2.dumps({**made, "pad1": bytes(room)})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Box:
    """A JUMBF superbox (ISO 19566-5)."""

    start: int
    end: int
    label: str


def _boxes(store: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of the boxes between two places."""
    while start + _HEAD <= end:
        length = int.from_bytes(store[start : start + 4])
        if length < _HEAD or start + length > end:
            raise MarksError("The signed manifest is not made of whole boxes.")
        yield store[start + 4 : start + _HEAD], start, start + length
        start += length


def _inside(store: bytes, outer: _Box | None) -> Iterator[_Box]:
    """Yield the superboxes in another; of the whole store for none."""
    start, end = (0, len(store)) if outer is None else (outer.start + _HEAD, outer.end)
    for kind, first, last in _boxes(store, start, end):
        if kind == b"jumb":
            # Its description comes first: a kind of 16 bytes, a byte of toggles, and the label.
            label = store[first + 2 * _HEAD + 17 : last].partition(b"\0")[0]
            yield _Box(start=first, end=last, label=label.decode("utf-8", "replace"))


def _own_manifest(store: bytes) -> _Box:
    """Return the manifest of the file itself, which is the last in the store."""
    (whole,) = _inside(store, None)
    return [*_inside(store, whole)][-1]


def _assertions(store: bytes) -> Iterator[_Box]:
    for box in _inside(store, _own_manifest(store)):
        if box.label == "c2pa.assertions":
            yield from _inside(store, box)


def _content(store: bytes, box: _Box) -> tuple[int, int]:
    """Return where the CBOR in a superbox stands."""
    for kind, start, end in _boxes(store, box.start + _HEAD, box.end):
        if kind == b"cbor":
            return start + _HEAD, end
    raise MarksError(f"{box.label} holds no CBOR.")


def _label(address: str) -> str:
    """Return a label, or the one at the end of an address, without the number of its instance."""
    return address.rpartition("/")[2].partition("__")[0]


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
