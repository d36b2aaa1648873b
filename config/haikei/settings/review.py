"""How supervisors decide, where they look, and who is told."""

import ipaddress
import re
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, HttpUrl, SecretStr, model_validator

from haikei.settings.section import LocatedPath, RootUrl, Seconds, Section, Slug, filled
from haikei.settings.template import Template


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches what listens on that host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


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
    max_body_kib: Annotated[int, Field(ge=1)] = 1100
    """The largest request that is read, in KiB; a webhook sends up to about 1 MB."""
    rate: Annotated[int, Field(ge=1)] = 240
    """Requests a minute from one address to sign-in, menu items and decisions."""
    api_rate: Annotated[int, Field(ge=1)] = 1200
    """Requests a minute with one token to the API; and from one address without a good one."""
    max_upload_mib: Annotated[int, Field(ge=1)] = 1024
    """The largest file that the API takes, in MiB."""


class HookEvent(StrEnum):
    """What an outgoing webhook can be told."""

    JOB_MADE = "job_made"  #: a job waits
    IN_REVIEW = "in_review"  #: a version stands in the tracker
    DECIDED = "decided"  #: somebody decided about a version
    REFUSED = "refused"  #: a file or event will not become a job
    DEAD = "dead"  #: a job will not go on by itself


class Hook(Section):
    """One program that is told what happens."""

    name: Slug
    """What it is called in commands, logs and tables."""
    url: HttpUrl
    """Where it is told; https, whose certificate is checked."""
    on: Annotated[tuple[HookEvent, ...], AfterValidator(filled)] = tuple(HookEvent)
    """What it is told."""
    projects: tuple[str, ...] = ()
    """Projects of which it is told, by their name in paths, in any spelling. Empty: all."""
    secret_file: LocatedPath | None = None
    """A file that holds only this hook's secret; else it is HAIKEI_NOTIFICATIONS__HOOK_SECRET."""
    loopback: bool = False
    """Whether it is a program on this machine, which http may reach as well."""

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
    """Who is told of what went wrong and what is ready."""

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
    What is told: dead letters, versions in review, questions, refused checkpoints, and trouble of
    the whole studio: work that stands still, a lane that fails, a source that lags.
    """
    every: Seconds = 300.0
    """Seconds in which what happened is gathered into one message."""
    standstill: Seconds = 900.0
    """Seconds without a change, while work waits, or without a word of a source, that are told."""
    hooks: tuple[Hook, ...] = ()
    """Programs that are told what happens, at once and signed."""
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
