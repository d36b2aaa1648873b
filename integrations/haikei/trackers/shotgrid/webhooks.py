"""
A ShotGrid site's webhooks, over its REST interface: the official client has no call for them.

They only wake Haikei up sooner; the event log is followed all the same, as a site stops sending to
an address that failed a hundred times in a day.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import urlsplit

from haikei.checkup import Finding
from haikei.errors import TrackerError, TrackerRejected, TrackerUnavailable
from haikei.settings import Settings
from haikei.trackers.contract.feed import webhook_path

if TYPE_CHECKING:
    import httpx
    from pydantic import SecretStr

#: What we want to hear of: for each type its actions, with the fields of an update.
WANTED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "Version": {"update": ("sg_status_list",)},
    "Note": {"create": (), "update": ("content", "note_links", "publish_status", "subject")},
    "Reply": {"create": (), "update": ("content",)},
    "PublishedFile": {"create": (), "update": ("path", "published_file_type")},
}

_HOOKS = "/api/v1/webhook/hooks"
_DESCRIPTION = "Wakes Haikei when a version is reviewed or a file is published."
_SUBJECT = "webhook"
_STATES_WITHOUT_US = {"failed", "disabled"}
_LONGEST_ANSWER = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One webhook of a site."""

    id: str
    url: str
    status: str  #: `active`, `unstable`, `failed` or `disabled`
    entity_types: Mapping[str, Any]
    projects: frozenset[int]  #: empty is all


class WebhookClient:
    """The webhooks of a site, as Haikei's script; a context manager."""

    def __init__(self, settings: Settings, key: "SecretStr") -> None:
        import httpx

        self._script = settings.tracker.script
        self._key = key
        self._url = str(settings.tracker.url).rstrip("/")
        self._http: httpx.Client = httpx.Client(
            base_url=self._url, timeout=settings.tracker.timeout, follow_redirects=False
        )
        self._token = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def hooks(self) -> tuple[Webhook, ...]:
        """
        Return the site's webhooks.

        Raises:
            TrackerError: the site does not answer, or refuses.
        """
        found: list[Webhook] = []
        path = _HOOKS
        while path:
            answer = self._call("GET", path)
            rows = answer.get("data")
            found += (
                _webhook(cast("Mapping[str, Any]", row))
                for row in (cast("list[object]", rows) if isinstance(rows, list) else [])
                if isinstance(row, dict)
            )
            links = answer.get("links")
            after = cast("Mapping[str, Any]", links).get("next") if isinstance(links, dict) else ""
            # A site says "next" on its last page too; an empty page ends the list.
            path = after if rows and isinstance(after, str) else ""
        return tuple(found)

    def create(self, url: str, token: "SecretStr", projects: frozenset[int] | None = None) -> None:
        """
        Let the site send what we want to hear of to an address, signed with the token.

        Args:
            url: where to.
            token: what it is signed with.
            projects: the ids of those that it is to tell of; by default all there are.

        Raises:
            TrackerError: the site does not answer, or refuses.
        """
        body: dict[str, object] = {
            "url": url,
            "entity_types": _wire_types(),
            "token": token.get_secret_value(),
            "batch_deliveries": True,
            "validate_ssl_cert": True,
            "description": _DESCRIPTION,
        }
        if projects is not None:
            body["projects"] = sorted(projects)
        self._call("POST", _HOOKS, body)

    def _call(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> Mapping[str, Any]:
        if not self._token:
            self._token = self._sign_in()
        headers = {"authorization": f"Bearer {self._token}", "accept": "application/json"}
        return self._send(method, path, headers=headers, json=body)

    def _sign_in(self) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._script,
            "client_secret": self._key.get_secret_value(),
        }
        answer = self._send("POST", "/api/v1/auth/access_token", data=form)
        token = answer.get("access_token")
        if not isinstance(token, str):
            raise TrackerUnavailable(
                f"{self._url} gave no access token to the script {self._script!r}.",
                advice="Check tracker.url, and proxies on the way.",
            )
        return token

    def _send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Mapping[str, object] | None = None,
        data: Mapping[str, str] | None = None,
    ) -> Mapping[str, Any]:
        import httpx

        try:
            answer = self._http.request(method, path, headers=headers, json=json, data=data)
        except httpx.HTTPError as error:
            raise TrackerUnavailable(
                f"{self._url} gave no answer about webhooks: {type(error).__name__}."
            ) from error
        if answer.is_success:
            try:
                found: object = answer.json() if answer.content else {}
            except ValueError:
                found = None
            if isinstance(found, dict):
                return cast("Mapping[str, Any]", found)
        words = f"{self._url} answered {answer.status_code} about webhooks: {_reason(answer)}"
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise TrackerUnavailable(words)
        raise TrackerRejected(
            words, advice="Let the script's permission role manage webhooks, or do without them."
        )


def set_up_webhooks(
    settings: Settings,
    key: "SecretStr",
    *,
    projects: frozenset[int] | None = None,
    dry_run: bool,
) -> Iterator[Finding]:
    """
    Create our webhook where the site can reach us; one that stands is left as it is.

    Args:
        settings: the studio's.
        key: the script's.
        projects: the ids of those that are heeded; by default all there are.
        dry_run: create nothing.

    Never raises for the site: without webhooks the event log is followed.
    """
    url, why_not = _address(settings)
    token = settings.web.webhook_token
    if not url or token is None:
        yield Finding(ok=True, subject=_SUBJECT, message=why_not or _UNSIGNED)
        return
    if projects is not None and not projects:
        yield Finding(ok=False, subject=_SUBJECT, message=_NO_PROJECT, advice=_NAME_PROJECTS)
        return
    try:
        with WebhookClient(settings, key) as client:
            found = [hook for hook in client.hooks() if hook.url == url]
            if found:
                yield _standing(found, projects)
            elif dry_run:
                message = f"It is missing, and would be created for {url}."
                yield Finding(ok=True, planned=True, subject=_SUBJECT, message=message)
            else:
                client.create(url, token, projects)
                yield Finding(ok=True, subject=_SUBJECT, message="Created.")
    except TrackerError as error:
        yield Finding(
            ok=False, subject=_SUBJECT, message=error.message, advice=error.advice or _BY_HAND
        )


def check_webhooks(
    settings: Settings, key: "SecretStr", *, projects: frozenset[int] | None = None
) -> Iterator[Finding]:
    """Yield whether the site still sends to us; never raises for the site."""
    url, why_not = _address(settings)
    if not url or settings.web.webhook_token is None:
        yield Finding(ok=True, subject=_SUBJECT, message=why_not or _UNSIGNED)
        return
    try:
        with WebhookClient(settings, key) as client:
            found = [hook for hook in client.hooks() if hook.url == url]
    except TrackerError as error:
        yield Finding(
            ok=False, subject=_SUBJECT, message=error.message, advice=error.advice or _BY_HAND
        )
        return
    if not found:
        yield Finding(
            ok=False,
            subject=_SUBJECT,
            message=f"The site has none for {url}.",
            advice="Run `haikei setup`.",
        )
        return
    standing = _standing(found, projects)
    yield Finding(
        ok=standing.ok,
        subject=_SUBJECT,
        message=f"It is {found[0].status}." if standing.ok else standing.message,
        advice=standing.advice,
    )


_ANEW = "Delete it on the site; then run `haikei setup` again."
_NO_PROJECT = "None is made, as the site has no project that tracker.projects names."
_NAME_PROJECTS = "Correct tracker.projects."
_NO_URL = "None is made, as web.url is not set; the event log is followed instead."
_UNSIGNED = (
    "None is made, as HAIKEI_WEB__WEBHOOK_TOKEN is not set; the event log is followed instead."
)
_BY_HAND = "Or do without: the event log is followed in any case."


def _standing(found: list[Webhook], projects: frozenset[int] | None) -> Finding:
    hook = next((one for one in found if one.status not in _STATES_WITHOUT_US), found[0])
    if hook.status in _STATES_WITHOUT_US:
        return Finding(
            ok=False,
            subject=_SUBJECT,
            message=f"It is {hook.status}: the site sends nothing to {hook.url} any more.",
            advice="See that the site reaches that address, then enable the webhook on the site.",
        )
    missing = sorted(set(WANTED) - set(hook.entity_types))
    if missing:
        return Finding(
            ok=False,
            subject=_SUBJECT,
            message=f"It tells nothing of {', '.join(missing)}.",
            advice=_ANEW,
        )
    if hook.projects != (projects or frozenset()):
        return Finding(
            ok=False,
            subject=_SUBJECT,
            message="It does not tell of the projects that tracker.projects names, or of others.",
            advice=_ANEW,
        )
    return Finding(ok=True, subject=_SUBJECT, message="It stands already.")


def _address(settings: Settings) -> tuple[str, str]:
    """Return where the site sends to, or else why it cannot."""
    web = settings.web
    if not web.enabled or web.url is None:
        return "", _NO_URL
    url = f"{str(web.url).rstrip('/')}{webhook_path(settings.tracker.kind)}"
    # A site in our own network reaches what is inside it; Autodesk's reach the public only.
    if is_public(str(web.url)) or not is_public(str(settings.tracker.url)):
        return url, ""
    return "", (
        f"None is made, as {settings.tracker.url} cannot reach {web.url}; "
        "the event log is followed instead."
    )


def is_public(url: str) -> bool:
    """Tell whether an address may be reached from the internet, as far as its name says."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        inside = ("local", "localhost", "internal", "intranet", "lan", "home", "corp", "test")
        return "." in host and host.rpartition(".")[2] not in inside


def _webhook(row: Mapping[str, Any]) -> Webhook:
    attributes = row.get("attributes")
    # Some answers put the fields below `attributes`, as REST resources do, and some do not.
    fields = cast("Mapping[str, Any]", attributes) if isinstance(attributes, dict) else row
    types, projects = fields.get("entity_types"), fields.get("projects")
    return Webhook(
        id=str(row.get("id", "")),
        url=str(fields.get("url", "")),
        status=str(fields.get("status", "")),
        entity_types=cast("Mapping[str, Any]", types) if isinstance(types, dict) else {},
        projects=frozenset(one for one in cast("list[object]", projects) if isinstance(one, int))
        if isinstance(projects, list)
        else frozenset(),
    )


def _wire_types() -> dict[str, dict[str, list[str]]]:
    return {
        name: {action: list(fields) for action, fields in actions.items()}
        for name, actions in WANTED.items()
    }


def _reason(answer: "httpx.Response") -> str:
    words = " ".join(answer.text.split())[:_LONGEST_ANSWER]
    return words if words.endswith(".") else f"{words or 'nothing'}."
