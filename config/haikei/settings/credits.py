"""
How credits are kept: people and staff, signing, the ledger and where its heads go,
reports.
"""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field, HttpUrl, SecretStr

from haikei.names import plain_names
from haikei.settings.section import LocatedPath, Seconds, Section, Slug


class PersonEntry(Section):
    """One artist, as credits name them."""

    id: str = ""
    """Who this is in the tracker, such as `HumanUser:12`; names change, the id does not."""
    name: str
    """The name in Latin letters, given name first."""
    name_ja: str = ""
    """The name in Japanese script, family name first."""
    reading: str = ""
    """The name in kana, family name first: rolls list it beside the name."""
    logins: tuple[str, ...] = ()
    """Tracker logins and full names by which this person is recognised."""
    aliases: tuple[str, ...] = ()
    """Other names of this person: earlier ones, and other spellings and scripts."""
    consent: bool = True
    """False: layouts by this person are never given to a generator."""
    opt_out: str = ""
    """Where it is recorded that this person does not want to be named, such as a letter's date."""
    employer: str = ""
    """Who employs this person, as credits group painters of other studios."""
    union: str = ""
    """The guild whose agreement covers this person, such as `TAG 839`; empty for none."""
    classification: str = ""
    """The person's classification under that agreement."""
    pays: Literal["", "employee", "work_for_hire", "freelance"] = ""
    """How the rights in the work come to the studio, for the copyright helper."""
    mail: str = ""
    """Where this person is asked to confirm their credits, as a mail address."""
    certificate_file: LocatedPath | None = None
    """The person's own X.509 certificate chain (PEM, leaf first): files they painted carry it."""
    certificate_key_file: LocatedPath | None = None
    """The private key of that certificate (PEM), unless a signer is named."""
    signer: Slug | None = None
    """Who signs with that key: a name in the entry points `haikei.signers`."""

    def means(self, person_id: str, names: Iterable[str]) -> bool:
        """
        Tell whether this entry is about a person.

        Where the entry has an id and the person has one of the same kind, the ids decide, and
        names do not count. Else one of the person's names or logins must be one of the entry's,
        whatever the letter case, the Unicode form or the blanks.
        """
        kind, separator, _ = self.id.partition(":")
        if separator and person_id.startswith(f"{kind}:"):
            return person_id == self.id
        return bool(self.plain_names() & (plain_names(names) | plain_names((person_id,))))

    def plain_names(self) -> frozenset[str]:
        """Return all that this person is called, without what spelling adds to it."""
        return plain_names((self.name, self.name_ja, self.reading, *self.logins, *self.aliases))


class StaffEntry(Section):
    """Someone whose part is in no single image, such as an art director."""

    role: Literal[
        "art_director",
        "assistant_art_director",
        "art_setting",
        "art_board",
        "background",
        "background_check",
        "pipeline",
    ]
    """What they do."""
    name: str
    """The name in Latin letters."""
    name_ja: str = ""
    """The name in Japanese script."""
    project: str = "*"
    """Project names in paths, as a shell pattern; letter case and Unicode form do not count."""
    sequence: str = "*"
    """Sequence names, as a shell pattern."""


class Signing(Section):
    """With what records, files and the ledger are signed."""

    key_file: LocatedPath | None = None
    """An Ed25519 private key (PEM) for records and checkpoints; else a development key is made."""
    certificate_file: LocatedPath | None = None
    """The chain (PEM, leaf first) that signs files (C2PA); else a development CA is made."""
    certificate_key_file: LocatedPath | None = None
    """The leaf's private key (PEM), unless a signer is named."""
    signer: Slug | None = None
    """Who signs with the leaf's key, such as a KMS: a name in the entry points `haikei.signers`."""
    trust_file: LocatedPath | None = None
    """Certificates (PEM) that marks of others are checked against, besides our own."""
    timestamp_url: HttpUrl | None = None
    """An RFC 3161 time-stamp authority. Files wait for it; none is signed without its token."""
    timestamp_trust_file: LocatedPath | None = None
    """The authority's root certificate (PEM)."""
    write_prompts: bool = False
    """Whether prompts are written into published files (XMP); records keep them in any case."""
    mining: Literal["forbidden", "allowed", "unsaid"] = "forbidden"
    """What published files say of data mining and the training of models by others."""


class Mail(Section):
    """Where checkpoints are mailed."""

    host: str = ""
    """The mail server; empty: nothing is mailed."""
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    """Its port."""
    sender: str = ""
    """The address they come from."""
    to: tuple[str, ...] = ()
    """Addresses outside the studio."""
    user: str = ""
    """The account, where the server asks for one."""
    password: SecretStr | None = Field(default=None, exclude=True)
    """Its password: from HAIKEI_LEDGER__MAIL__PASSWORD, never from here."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection is protected."""


class LedgerKeeping(Section):
    """How the ledger's heads are signed and sent out of the building."""

    origin: str = ""
    """The ledger's name, such as `studio.example/haikei`; else it follows from the studio's."""
    checkpoint_every: Seconds = 3600.0
    """Seconds between signed heads of the ledger, when something was added."""
    drop: tuple[LocatedPath, ...] = ()
    """Folders into which each head is written: a client's share, a write-once disk."""
    mail: Mail = Mail()
    """Where each head is mailed."""
    tracker_field: bool = True
    """Write each head into a field of the shows' Project rows."""


class Credits(Section):
    """Who is named, besides those whose work is in the images."""

    staff: tuple[StaffEntry, ...] = ()
    """People whose part is in no single image."""
    people_file: LocatedPath | None = None
    """
    A CSV file of people, in UTF-8, as `[[people]]` in the settings name them: one a line, under a
    first line of columns.
    """
    layout_role: Literal["layout", "genzu"] = "genzu"
    """What drawing a layout is called in this studio's credits."""
    confirm_days: Annotated[int, Field(ge=1, le=365)] = 30
    """Days for which a link may be answered that asks somebody to confirm their credits."""


class Reports(Section):
    """How reports look."""

    font: str = ""
    """A font family that holds the show's scripts; else those that the system has."""
    client: str = ""
    """Whom the studio works for, as reports name them."""
    contact: str = ""
    """Whom a reader may ask."""
    logo: LocatedPath | None = None
    """A picture for the head of each report."""
