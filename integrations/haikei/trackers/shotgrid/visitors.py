"""
Who comes from a ShotGrid site to our pages: passwords checked there, selected rows
read anew.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import shotgun_api3
from pydantic import SecretStr

from haikei.settings import Settings, Tracker
from haikei.show import Place
from haikei.trackers.contract.visitors import Selected, SignedIn
from haikei.trackers.shotgrid.client import Record, SiteClient
from haikei.trackers.shotgrid.context import name_in
from haikei.trackers.shotgrid.http import CLIENT_ERRORS, OneSendShotgun, tracker_error

#: Seconds that somebody who signs in waits for the site at most.
PATIENCE = 10.0


class ShotGridSignIn:
    """Has the site check passwords; implements `PasswordCheck`."""

    def __init__(self, settings: Tracker) -> None:
        self._settings = settings

    def __call__(self, login: str, password: SecretStr, /, *, code: str = "") -> SignedIn | None:
        """
        Return who has this login and password on the site; None when nobody active has.

        Raises:
            TrackerError: the site does not answer.
        """
        return _authenticate(self._settings, login, password, code)


def _authenticate(settings: Tracker, login: str, password: SecretStr, code: str) -> SignedIn | None:
    secret = password.get_secret_value()
    if not login or not secret:
        return None
    url = str(settings.url).rstrip("/")
    # The person's own rights count here; the script's key is not used.
    site = OneSendShotgun(
        url,
        script=settings.script,
        key=SecretStr("not used"),
        timeout=min(PATIENCE, settings.timeout),
    )
    site.config.user_login = login
    site.config.user_password = secret
    site.config.auth_token = code or None
    try:
        row = site.find_one(
            "HumanUser",
            [["login", "is", login], ["sg_status_list", "is", "act"]],
            ["login", "name"],
        )
    except shotgun_api3.AuthenticationFault:
        return None
    except CLIENT_ERRORS as error:
        found = tracker_error(error, site=url, doing="a sign-in")
        # What a site echoes of a password must not reach a log, not even as a cause.
        raise type(found)(
            found.message.replace(secret, "********"),
            advice=found.advice,
            retry_after=found.retry_after,
        ) from None
    finally:
        site.close()
    if row is None:
        return None
    record = Record.of(cast("Mapping[str, Any]", row))
    return SignedIn(
        login=record.text("login") or login,
        name=record.text("name") or record.text("login") or login,
        person_id=f"HumanUser:{record.id}",
    )


#: Where each type of row says which shot it belongs to.
_SHOT = {"Shot": "", "Version": "entity.Shot.", "PublishedFile": "entity.Shot."}
_TYPE = "published_file_type.PublishedFileType.code"


class ShotGridSelection:
    """A site's rows, as Haikei's script user sees them; implements `SelectionDesk`."""

    def __init__(self, client: SiteClient, settings: Settings) -> None:
        self._client = client
        self._layout_types = list(settings.tracker.layout_types)
        self._episode = settings.tracker.episode_field

    def read(self, entity_type: str, ids: Sequence[int]) -> tuple[Selected, ...]:
        """
        Return those rows that there are, in the order of the ids; nothing for other types.

        Raises:
            TrackerError: the site does not answer, or refuses.
        """
        if entity_type not in _SHOT:
            return ()
        shot = _SHOT[entity_type]
        fields = [f"{shot}code", f"{shot}sg_sequence", "project", "project.Project.tank_name"]
        if entity_type == "PublishedFile":
            fields.append("version")
        episode = f"{shot}{self._episode}" if self._episode else ""
        fields += [episode] if episode else []
        rows = self._client.find(entity_type, [["id", "in", list(ids)]], fields)
        found = {row.id: row for row in rows}
        return tuple(_selected(found[one], entity_type, episode) for one in ids if one in found)

    def layouts_of(self, shots: Sequence[int]) -> tuple[int, ...]:
        """
        Return the newest layout of each name that is linked to these Shots.

        Raises:
            TrackerError: the site does not answer, or refuses.
        """
        rows = self._client.find(
            "PublishedFile",
            [
                ["entity", "in", [{"type": "Shot", "id": one} for one in shots]],
                [_TYPE, "in", self._layout_types],
            ],
            ["entity", "name", "version_number"],
        )
        newest: dict[tuple[int, str], Record] = {}
        for row in rows:
            entity = row.link("entity")
            key = (entity.id if entity else 0, row.text("name"))
            before = newest.get(key)
            if before is None or _age(before) <= _age(row):
                newest[key] = row
        return tuple(row.id for row in newest.values())

    def person(self, login: str) -> SignedIn | None:
        """
        Return the active person with this login.

        Raises:
            TrackerError: the site does not answer, or refuses.
        """
        rows = self._client.find(
            "HumanUser",
            [["login", "is", login], ["sg_status_list", "is", "act"]],
            ["login", "name"],
            limit=1,
        )
        for row in rows:
            name = row.text("name") or login
            return SignedIn(login=row.text("login"), name=name, person_id=f"HumanUser:{row.id}")
        return None

    def close(self) -> None:
        """Close this thread's connection; the next call opens one again."""
        self._client.close()


def _selected(row: Record, entity_type: str, episode: str) -> Selected:
    shot = _SHOT[entity_type]
    sequence, project, version = row.link(f"{shot}sg_sequence"), row.link("project"), None
    if entity_type == "Version":
        version = row.id
    elif link := row.link("version"):
        version = link.id
    return Selected(
        type=entity_type,
        id=row.id,
        place=Place(
            project=row.text("project.Project.tank_name") or (project.name if project else ""),
            episode=name_in(row, episode) if episode else "",
            sequence=sequence.name if sequence else "",
            shot=row.text(f"{shot}code"),
        ),
        version=version,
    )


def _age(row: Record) -> tuple[int, int]:
    return (row.number("version_number") or 0, row.id)
