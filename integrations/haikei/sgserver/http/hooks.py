"""A site's webhooks: where they send what, and how they stand."""

import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from haikei.sgserver.site import Site
from haikei.sgserver.store import Session
from haikei.sgserver.values import Fault, Json, bad_request

#: `failed` is set by the site, after too many failures; `disabled` by who manages the webhook.
HookStatus = Literal["active", "unstable", "failed", "disabled"]

#: What an action's name in a webhook is in the names of event types.
ACTIONS: Mapping[str, str] = {
    "New": "create",
    "Change": "update",
    "Retirement": "delete",
    "Revival": "revive",
}

_EntityTypes = dict[str, dict[str, list[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One webhook."""

    id: str
    url: str
    entity_types: _EntityTypes  #: for each type its actions, and for `update` the fields; [] is all
    projects: tuple[int, ...] = ()  #: empty is all
    token: str = ""  #: what deliveries are signed with; empty leaves them unsigned
    batch_deliveries: bool = False
    validate_ssl_cert: bool = True
    description: str = ""
    status: HookStatus = "active"

    @property
    def sends(self) -> bool:
        """Whether anything is sent at all."""
        return self.status in {"active", "unstable"}

    def wants(self, entity_type: str, operation: str, attribute: str, project: int | None) -> bool:
        """Tell whether an event belongs to this webhook."""
        fields = self.entity_types.get(entity_type, {}).get(operation)
        if fields is None or (self.projects and project not in self.projects):
            return False
        return operation != "update" or not fields or attribute in fields

    def signature(self, body: bytes) -> str:
        """Return the value of `x-sg-signature`: HMAC-SHA1 of the raw body."""
        return "sha1=" + hmac.new(self.token.encode(), body, hashlib.sha1).hexdigest()

    def shown(self) -> dict[str, Json]:
        """Return it as the REST interface shows it: without its token."""
        return {
            "id": self.id,
            "url": self.url,
            "entity_types": {
                name: {action: list(fields) for action, fields in actions.items()}
                for name, actions in self.entity_types.items()
            },
            "projects": list(self.projects),
            "batch_deliveries": self.batch_deliveries,
            "validate_ssl_cert": self.validate_ssl_cert,
            "description": self.description,
            "status": self.status,
        }


_HOOK = TypeAdapter(Hook)
_GIVEN = {
    "url",
    "entity_types",
    "projects",
    "token",
    "batch_deliveries",
    "validate_ssl_cert",
    "description",
}


class Hooks:
    """The webhooks of a site, kept in its database; only this object may change them."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._known: Sequence[Hook] | None = None

    def all(self) -> Sequence[Hook]:
        """Return every webhook."""
        known = self._known
        if known is None:
            with self._site.reading() as (session, _):
                known = self._known = _read(session)
        return known

    def find(self, number: str) -> Hook | None:
        """Return one webhook, None when there is none of that id."""
        return next((hook for hook in self.all() if hook.id == number), None)

    def create(self, given: Mapping[str, Any]) -> Hook:
        """
        Keep a new webhook.

        Raises:
            Fault: what is given makes no webhook.
        """
        hook = _made({"id": str(uuid.uuid4()), "entity_types": {}} | _known(given))
        self._keep(hook)
        return hook

    def change(self, hook: Hook, given: Mapping[str, Any]) -> Hook:
        """
        Keep a webhook with other values; its status may be set to `active` and `disabled`.

        Raises:
            Fault: what is given makes no webhook.
        """
        status = given.get("status", hook.status)
        if status not in {"active", "disabled", hook.status}:
            raise bad_request(f"A webhook's status cannot be set to {status!r}.")
        changed = _made(asdict(hook) | _known(given) | {"status": status})
        self._keep(changed)
        return changed

    def mark(self, hook: Hook, status: HookStatus) -> None:
        """Keep how a webhook stands, unless it was changed or deleted meanwhile."""
        current = self.find(hook.id)
        if current is not None and current.status == hook.status:
            self._keep(replace(current, status=status))

    def delete(self, number: str) -> None:
        """Forget a webhook."""
        with self._site.writing(self._site.system, "delete") as (work, _):
            work.session.execute("DELETE FROM webhooks WHERE id = ?", (number,))
            work.session.when_committed(self._forget)

    def _keep(self, hook: Hook) -> None:
        with self._site.writing(self._site.system, "update") as (work, _):
            work.session.execute(
                "INSERT OR REPLACE INTO webhooks VALUES (?, ?)",
                (hook.id, json.dumps(asdict(hook), ensure_ascii=False)),
            )
            work.session.when_committed(self._forget)

    def _forget(self) -> None:
        self._known = None


def _read(session: Session) -> Sequence[Hook]:
    rows = session.rows("SELECT definition FROM webhooks ORDER BY id")
    return [_HOOK.validate_json(str(row[0])) for row in rows]


def _known(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name in _GIVEN}


def _made(values: Mapping[str, Any]) -> Hook:
    try:
        hook = _HOOK.validate_python(dict(values))
    except ValidationError as error:
        raise bad_request(_mistakes(error)) from error
    address = urlsplit(hook.url)
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise bad_request("url is not a valid URL.")
    if not hook.entity_types:
        raise bad_request("entity_types is missing.")
    return hook


def _mistakes(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()
    )


def refusal(fault: Fault) -> dict[str, Json]:
    """Return a refusal in the shape of the REST interface."""
    return {"errors": [{"status": 400, "code": fault.code, "title": fault.message}]}
