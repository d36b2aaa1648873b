"""What every HTTP endpoint of one running site shares."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from haikei.errors import HaikeiError
from haikei.sgserver.credentials import Caller
from haikei.sgserver.faults.fault_board import FaultBoard
from haikei.sgserver.http.form import Form, Workers, read_form
from haikei.sgserver.media.media_store import AddressSigner, MediaStore
from haikei.sgserver.media.thumbnails import ThumbnailMaker
from haikei.sgserver.media.uploads import ThumbnailNotReady, Uploads
from haikei.sgserver.site import Site
from haikei.sgserver.values import Fault

_MIB = 1024 * 1024

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteOptions:
    """How a site is served."""

    uploads: Literal["classic", "cloud"] = "classic"  #: how clients are to upload
    remote: bool = False  #: pages ask for a login, any host name is answered
    host: str = "127.0.0.1"  #: where it is bound; this name is answered
    call_limit: int = 64 * _MIB  #: bytes of one call's JSON
    file_limit: int = 8192 * _MIB  #: bytes of one uploaded file
    reserve: int = 64 * _MIB  #: bytes that uploads leave free on the disk
    thumbnail_delay: float = 1.0  #: seconds that a thumbnail is pending at least
    board: FaultBoard | None = None  #: what goes wrong on purpose; None: nothing, ever
    faults_key: str = ""  #: changes that over HTTP; empty: nobody may


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosting:
    """A site with everything that serves it."""

    site: Site
    options: SiteOptions
    media: MediaStore
    signer: AddressSigner
    thumbnails: ThumbnailMaker
    uploads: Uploads
    workers: Workers

    @classmethod
    def open(cls, site: Site, options: SiteOptions) -> "Hosting":
        """Open the folders of a site's media."""
        media = MediaStore(
            site.data / "attachments", limit=options.file_limit, reserve=options.reserve
        )
        signer = AddressSigner.open(site.data / "signing.key")
        thumbnails = ThumbnailMaker(site, media, delay=options.thumbnail_delay)
        return cls(
            site=site,
            options=options,
            media=media,
            signer=signer,
            thumbnails=thumbnails,
            uploads=Uploads(site, media, thumbnails),
            workers=Workers(),
        )

    async def answer_form(self, request: Request, work: Callable[[Caller, Form], str]) -> Response:
        """
        Sign in with a posted form, do the work in a thread, and answer as clients expect it.

        The answer is always 200: the official client takes any other for a broken line, sends the
        whole file three times, and never shows the reason.
        """
        caller: Caller | None = None

        def sign_in(fields: Mapping[str, str]) -> None:
            nonlocal caller
            caller = self.site.authenticate(_auth(fields))

        def finish(form: Form) -> str:
            try:
                if caller is None:
                    message = "a form was read without signing in"
                    raise RuntimeError(message)
                return work(caller, form)
            finally:
                if form.file is not None:
                    form.file.received.path.unlink(missing_ok=True)

        try:
            form = await read_form(request, self.media, self.workers, sign_in=sign_in)
            text = await self.workers.run(finish, form)
        except ThumbnailNotReady as fault:
            text = f"2\n{fault.message}\n"
        except Fault as fault:
            text = f"0\n{fault.message}\n"
        except HaikeiError as error:
            _log.warning("upload_failed", path=request.url.path, reason=str(error))
            text = f"0\n{error}\n"
        except Exception:  # noqa: BLE001 - after a 500 the client would send the file again
            _log.exception("upload_failed", path=request.url.path)
            text = "0\nThe site failed to store this; its log says why.\n"
        return PlainTextResponse(text)


def _auth(fields: Mapping[str, str]) -> dict[str, str]:
    names = (
        "script_name",
        "script_key",
        "user_login",
        "user_password",
        "auth_token",
        "session_token",
        "session_uuid",
        "sudo_as_login",
        "reject_if_expired",
    )
    return {name: fields[name] for name in names if name in fields}


#: The name that the real site gives its cookie; the official client sends it for downloads.
SESSION_COOKIE = "_session_id"


class Visitors:
    """
    Knows a browser by its session.

    Args:
        site: whose pages.
        remote: False when only this machine can reach the site; then reading needs no login.
    """

    def __init__(self, site: Site, *, remote: bool) -> None:
        self._site = site
        self._remote = remote

    def caller(self, request: Request) -> Caller | None:
        """Return as whom this request may read, None when it must sign in first."""
        token = request.cookies.get(SESSION_COOKIE)
        if token:
            try:
                return self._site.session_caller(token)
            except Fault:
                pass  # an old cookie is as good as none
        return None if self._remote else self._site.system

    def sign_in(self, login: str, password: str) -> str:
        """
        Return the session of a person.

        Raises:
            Fault: nobody has this login and password.
        """
        caller = self._site.authenticate({"user_login": login, "user_password": password})
        return self._site.new_session(caller)
