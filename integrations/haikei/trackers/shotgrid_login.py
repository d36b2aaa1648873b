"""Check a person's login and password against the site."""

from collections.abc import Mapping
from typing import Any, cast

import shotgun_api3
from pydantic import SecretStr

from haikei.settings import Settings
from haikei.trackers.shotgrid_errors import CLIENT_ERRORS, tracker_error
from haikei.trackers.shotgrid_http import OneSendShotgun
from haikei.trackers.shotgrid_record import Record
from haikei.trackers.visiting import SignedIn

#: Seconds that somebody who signs in waits for the site at most.
PATIENCE = 10.0


def authenticate(
    settings: Settings, login: str, password: SecretStr, *, code: str = ""
) -> SignedIn | None:
    """
    Return who has this login and password on the site; None when nobody active has.

    Args:
        settings: the studio's.
        login: as the person wrote it.
        password: likewise; it is sent to the site alone and kept nowhere.
        code: the one-time code, where the site asks for a second factor.

    Raises:
        TrackerError: the site does not answer.
    """
    secret = password.get_secret_value()
    if not login or not secret:
        return None
    url = str(settings.tracker.url).rstrip("/")
    # The person's own rights count here; the script's key is not used.
    site = OneSendShotgun(
        url,
        script=settings.tracker.script,
        key=SecretStr("not used"),
        timeout=min(PATIENCE, settings.tracker.timeout),
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
