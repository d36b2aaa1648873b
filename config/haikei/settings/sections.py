"""Sections of the settings about people: credits and the ledger, review, dailies and notices."""

import ipaddress
import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, HttpUrl, SecretStr, model_validator

from haikei.decisions import Decision
from haikei.names import plain_names
from haikei.settings.naming import Template
from haikei.settings.section import (
    LocatedPath,
    RootUrl,
    Seconds,
    Section,
    Slug,
    filled,
    is_loopback,
)


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
    no_consent: tuple[str, ...] = ()
    """Projects, as shell patterns, in which this person's layouts are not given to a generator."""
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


_HOST = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?", re.ASCII)


def _listens(host: str) -> str:
    """Return a host to listen on; anything else would only fail when pages are served."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if not _HOST.fullmatch(host) or host.replace(".", "").isdigit():
            message = "is neither a host's name nor an IP address (IPv6 without brackets)"
            raise ValueError(message) from None
    return host


class Statuses(Section):
    """What the tracker's status codes of a Version mean; checked against the site at start."""

    approve: tuple[str, ...] = ("apr", "fin")
    """The version is good."""
    retake: tuple[str, ...] = ("rtk",)
    """Another version is wanted; its Notes say how."""
    hold: tuple[str, ...] = ("hld",)
    """Nothing happens until somebody decides."""
    omit: tuple[str, ...] = ("omt",)
    """The version is not needed."""
    task_approved: str = "fin"
    """What the Task becomes when its version is approved; empty leaves it."""
    task_retake: str = "ip"
    """What the Task becomes when a retake is asked for; empty leaves it."""

    def by_decision(self) -> dict[Decision, tuple[str, ...]]:
        """Return the codes that mean each decision."""
        return {
            Decision.APPROVE: self.approve,
            Decision.RETAKE: self.retake,
            Decision.HOLD: self.hold,
            Decision.OMIT: self.omit,
        }

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code of a Version's status by which people decide, once."""
        named = (code for codes in self.by_decision().values() for code in codes)
        return tuple(dict.fromkeys(named))


class Dailies(Section):
    """The playlist in which supervisors see what is new."""

    enabled: bool = True
    """Collect new versions in a playlist."""
    name: str = "{project} backgrounds {date}"
    """What a playlist is called; one is made for each name."""
    close_at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "18:00"
    """Local time at which the day's playlist is finished: contact sheet and summary Note."""
    supervisors: tuple[str, ...] = ()
    """Logins of those to whom the summary Note is addressed."""
    note: bool = True
    """Write the summary Note."""


class Review(Section):
    """How decisions become versions."""

    statuses: Statuses = Statuses()
    dailies: Dailies = Dailies()
    settle: Annotated[float, Field(ge=0)] = 10.0
    """Seconds that a retake waits for the Notes that belong to it."""
    max_retakes: Annotated[int, Field(ge=1)] = 30
    """Retakes of one cut, season and time; a person must decide beyond it."""
    similarity: Annotated[float, Field(ge=0, le=1)] = 0.55
    """How alike a painted-over file must be to a version to be taken for its touch-up."""
    unread_limit: Annotated[float, Field(ge=0, le=1)] = 0.6
    """The part of a layout that may be unread before a version needs a look; 1: any."""


class Web(Section):
    """Haikei's pages, webhooks and action menu items."""

    enabled: bool = True
    """Serve them."""
    host: Annotated[str, AfterValidator(_listens)] = "127.0.0.1"
    """The address to listen on; any other than loopback asks people to sign in."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8771
    """The port to listen on."""
    url: RootUrl | None = None
    """Where people and the tracker reach the pages, if not above; the root of a host."""
    webhook_token: SecretStr | None = Field(default=None, exclude=True)
    """The webhooks' secret token: from HAIKEI_WEB__WEBHOOK_TOKEN; without it none is taken."""
    menu_secret: SecretStr | None = Field(default=None, exclude=True)
    """The action menu items' secret: from HAIKEI_WEB__MENU_SECRET; without it none is taken."""
    session_hours: Annotated[float, Field(gt=0)] = 12.0
    """How long a person stays signed in."""
    admins: tuple[str, ...] = ()
    """Logins that may change what is configured for a show."""
    supervisors: tuple[str, ...] = ()
    """Logins that may decide; all others only look. Empty on loopback: everybody may."""
    local_person: str = ""
    """Login of who sits at this machine, where nobody signs in: decisions there are theirs."""
    max_body_kib: Annotated[int, Field(ge=1)] = 1100
    """The largest request that is read, in KiB; a webhook sends up to about 1 MB."""
    rate: Annotated[int, Field(ge=1)] = 240
    """Requests a minute from one address to sign-in, menu items and decisions."""
    api_rate: Annotated[int, Field(ge=1)] = 1200
    """Requests a minute with one token to the API; and from one address without a good one."""
    max_upload_mib: Annotated[int, Field(ge=1)] = 1024
    """The largest file that the API takes, in MiB."""


class HookEvent(StrEnum):
    """What an outgoing webhook can report."""

    JOB_MADE = "job_made"  #: a job waits
    IN_REVIEW = "in_review"  #: a version stands in the tracker
    DECIDED = "decided"  #: somebody decided about a version
    REFUSED = "refused"  #: a file or event will not become a job
    DEAD = "dead"  #: a job will not go on by itself


class Hook(Section):
    """One program that receives outgoing webhooks."""

    name: Slug
    """What it is called in commands, logs and tables."""
    url: HttpUrl
    """Where they are sent; https, whose certificate is checked."""
    on: Annotated[tuple[HookEvent, ...], AfterValidator(filled)] = tuple(HookEvent)
    """What is sent to it."""
    projects: tuple[str, ...] = ()
    """Projects that are reported to it, by their name in paths, in any spelling. Empty: all."""
    secret_file: LocatedPath | None = None
    """A file that holds only this hook's secret; else it is HAIKEI_NOTIFICATIONS__HOOK_SECRET."""
    loopback: bool = False
    """Whether it is a program on this machine, which http may reach as well."""
    private: bool = False
    """Whether its name may lead to a private address, such as another machine of the studio."""

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if self.url.username or self.url.password:
            message = "the url must not hold a login: deliveries are signed instead"
            raise ValueError(message)
        if self.loopback != is_loopback(self.url.host or ""):
            message = "loopback must be true for a program on this machine, and for no other"
            raise ValueError(message)
        if self.url.scheme != "https" and not self.loopback:
            message = "the url must be https; http is for a program on this machine alone"
            raise ValueError(message)
        return self


class Notifications(Section):
    """Who is notified of what went wrong and what is ready."""

    mail_to: tuple[str, ...] = ()
    """Addresses; the server is that of `[ledger.mail]`."""
    chat_url: SecretStr | None = Field(default=None, exclude=True)
    """A chat webhook that takes `{"text": …}`: from HAIKEI_NOTIFICATIONS__CHAT_URL."""
    on: tuple[Literal["dead", "ready", "question", "checkpoint", "trouble"], ...] = (
        "dead",
        "question",
        "trouble",
    )
    """
    What is sent: dead letters, versions in review, questions, refused checkpoints, and trouble of
    the whole studio: work that stands still, a lane that fails, a source that lags.
    """
    every: Seconds = 300.0
    """Seconds in which what happened is gathered into one message."""
    standstill: Seconds = 900.0
    """Seconds without a change while work waits, or without a sign of a source, before a notice."""
    hooks: tuple[Hook, ...] = ()
    """Programs that receive what happens, at once and signed."""
    hook_secret: SecretStr | None = Field(default=None, exclude=True)
    """The secret of hooks without a file of their own: from HAIKEI_NOTIFICATIONS__HOOK_SECRET."""
    hook_tries: Annotated[int, Field(ge=1, le=100)] = 15
    """Tries of one delivery before it is given up, with a notice; 15 take about nine hours."""


class TouchUpFolder(Section):
    """One folder tree in which artists' paint-overs land."""

    path: LocatedPath
    """The top of the tree."""
    template: Template = (
        "{project}/{sequence}/{shot}/touchup/{shot}_bg_{season}_{time}_v{version:03d}_{name}.{ext}"
    )
    """A paint-over's path below it; `version` is the version it is on, `name` its artist."""
