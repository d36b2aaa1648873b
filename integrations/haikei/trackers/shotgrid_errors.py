"""What can go wrong on the way to a ShotGrid site, in Haikei's words."""

import http.client
import json
import socket
import ssl
import urllib.error
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import shotgun_api3
from shotgun_api3.lib.httplib2 import HttpLib2Error, ServerNotFoundError

from haikei.errors import HaikeiError, TrackerError, TrackerRejected, TrackerUnavailable

#: What the client lets out: its own errors, the network's, and what answers in a strange shape
#: (a proxy's page instead of JSON) make of its code.
CLIENT_ERRORS = (
    shotgun_api3.ShotgunError,
    shotgun_api3.ProtocolError,
    HttpLib2Error,
    http.client.HTTPException,
    OSError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    RuntimeError,
)

_SETUP = "Run `haikei setup`, then `haikei doctor`."
_PASSING = {408, 425, 429, 500, 502, 503, 504}


def tracker_error(error: Exception, *, site: str, doing: str) -> HaikeiError:
    """Return our error for one that the client raised while doing something."""
    if isinstance(error, HaikeiError):
        return error
    if isinstance(error, shotgun_api3.AuthenticationFault):
        return TrackerRejected(
            f"{site} does not let us sign in: {_sentence(error)}",
            advice="Check tracker.script and its key; the key may have been changed on the site.",
        )
    if isinstance(error, shotgun_api3.Fault):
        return _fault(str(error), site=site, doing=doing)
    if isinstance(error, shotgun_api3.ProtocolError):
        headers = getattr(error, "headers", None)
        known = headers if isinstance(headers, Mapping) else {}
        return _status(
            int(getattr(error, "errcode", 0)), known.get("retry-after"), site=site, doing=doing
        )
    if isinstance(error, shotgun_api3.ShotgunError):
        return _client_refusal(str(error), site=site, doing=doing)
    if isinstance(error, ssl.SSLCertVerificationError):
        return TrackerRejected(
            f"The certificate of {site} is not trusted: {error.verify_message}.",
            advice="Point SHOTGUN_API_CACERTS to the file with your studio's authority.",
        )
    return _unanswered(error, site=site, doing=doing)


def upload_error(error: Exception, url: str) -> TrackerError:
    """Return our error for one that came up while a form or a file was sent to `url`."""
    # What follows the host may hold a signature that lets anybody write there.
    host = urlsplit(url).netloc
    doing = f"sending to {urlsplit(url).path}" if "/upload/" in url else "sending a file"
    if isinstance(error, urllib.error.HTTPError):
        retry_after = error.headers.get("retry-after")
        error.close()
        return _status(error.code, retry_after, site=host, doing=doing)
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    return _unanswered(cause, site=host, doing=doing)


def _status(code: int, retry_after: object, *, site: str, doing: str) -> TrackerError:
    if code in _PASSING:
        return TrackerUnavailable(
            f"{site} answered {code} ({_reason(code)}) to {doing}.",
            retry_after=_seconds(retry_after),
        )
    if code in {401, 403}:
        return TrackerRejected(
            f"{site} answered {code} ({_reason(code)}) to {doing}.",
            advice="API access is blocked there: check the site's network restrictions.",
        )
    return TrackerRejected(
        f"{site} answered {code} ({_reason(code)}) to {doing}.",
        advice="Check tracker.url: it must be the root of a ShotGrid site.",
    )


def _fault(message: str, *, site: str, doing: str) -> TrackerRejected:
    lowered = message.casefold()
    advice: str | None = None
    if "sg_haikei" in lowered:
        advice = _SETUP
    elif "permission" in lowered or "not allowed" in lowered or "not permitted" in lowered:
        advice = "Give the script's permission role this right on the site."
    elif "local storage" in lowered:
        advice = "Give storage.roots the names and paths of the site's local storages. " + _SETUP
    elif "valid status" in lowered:
        advice = (
            "Name statuses that the site has in tracker.review_status and [review.statuses]. "
            + _SETUP
        )
    return TrackerRejected(f"{site} refused {doing}: {_sentence(message)}", advice=advice)


def _unanswered(error: object, *, site: str, doing: str) -> TrackerUnavailable:
    if isinstance(error, TimeoutError):
        return TrackerUnavailable(
            f"{site} gave no answer to {doing} in time.",
            advice="It may have been carried out all the same. Raise tracker.timeout if need be.",
        )
    if isinstance(error, ServerNotFoundError | socket.gaierror):
        return TrackerUnavailable(
            f"{site} cannot be found in the network.", advice="Check tracker.url and the DNS."
        )
    if isinstance(error, ConnectionRefusedError):
        return TrackerUnavailable(
            f"{site} takes no connections.", advice="Check that it runs, and tracker.url."
        )
    if isinstance(error, json.JSONDecodeError | KeyError | IndexError | TypeError | AttributeError):
        return TrackerUnavailable(
            f"{site} answered {doing} with something else than ShotGrid would.",
            advice="Check tracker.url, and proxies on the way.",
        )
    return TrackerUnavailable(f"{site} was cut off during {doing}: {_sentence(error)}")


def _client_refusal(message: str, *, site: str, doing: str) -> TrackerError:
    # The client wraps what the site said to an upload: "…\nPath: …\nUrl: …\nError: 0\n<reason>".
    # Its documentation says of such failures that they happen, and that trying again helps.
    _, mark, said = message.partition("Error: ")
    if mark:
        reason = said.removeprefix("0").strip() or "it did not say why"
        return TrackerUnavailable(f"{site} failed in {doing}: {_sentence(reason)}")
    return TrackerRejected(f"The client refused {doing}: {_sentence(message)}")


def _sentence(text: object) -> str:
    words = " ".join(str(text).split()) or type(text).__name__
    return words if words.endswith(".") else f"{words}."


def _reason(code: int) -> str:
    return http.client.responses.get(code, "unknown status")


def _seconds(value: object) -> float | None:
    """Return the seconds that a Retry-After header asks for: a number, or a moment."""
    if not isinstance(value, str):
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment - datetime.now(UTC)).total_seconds()) if moment.tzinfo else None
