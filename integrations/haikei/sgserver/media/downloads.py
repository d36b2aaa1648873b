"""Files and thumbnails, back to those who may have them."""

from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from haikei.sgserver.credentials import Caller
from haikei.sgserver.http.form import safe_filename
from haikei.sgserver.http.hosting import Hosting, Visitors
from haikei.sgserver.media.media_store import Rendition
from haikei.sgserver.media.uploads import parse_target
from haikei.sgserver.values import AuthenticationFault, Fault, bad_request

_PENDING = Path(__file__).parents[1] / "pages" / "static" / "thumbnail_pending.png"
#: Nothing that was uploaded may act in the site's name when a browser opens it.
_HARMLESS = {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}
_UNKNOWN = "application/octet-stream"
_PRIVATE = {"Cache-Control": "private, max-age=900"}


class Downloads:
    """`/file_serve/…`, `/images/status/…` and `/upload/get_thumbnail_url`."""

    def __init__(self, hosting: Hosting, visitors: Visitors) -> None:
        self._hosting = hosting
        self._visitors = visitors

    def routes(self) -> list[Route]:
        """Return what to serve."""
        return [
            Route("/file_serve/attachment/{number:int}", self.attachment),
            Route("/file_serve/thumbnail/{number:int}", self.thumbnail),
            Route("/file_serve/review/{number:int}", self.review),
            Route("/images/status/transient/thumbnail_pending.png", self.pending),
            Route("/upload/get_thumbnail_url", self.thumbnail_url),
        ]

    async def attachment(self, request: Request) -> Response:
        """
        Answer with the bytes that were uploaded, by signed address or to who may see the pages.

        The official client's session cookie names host and port, which its own cookie jar then
        does not take for the host: to a site on a port of its own it sends none. So rows give
        signed addresses, and on loopback a number is enough.
        """
        number: int = request.path_params["number"]

        def look_up() -> tuple[str, str]:
            signed = self._is_signed(request)
            caller = self._hosting.site.system if signed else self._visitors.caller(request)
            if caller is None:
                raise AuthenticationFault("Sign in to download files.")
            return self._name_and_type(caller, number)

        try:
            name, content_type = await self._hosting.workers.run(look_up)
        except Fault as fault:
            return PlainTextResponse(fault.message, 401 if fault.code == 102 else 400)
        return FileResponse(
            self._hosting.media.original(number),
            media_type=content_type,
            headers=_HARMLESS
            | _PRIVATE
            | {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"},
        )

    async def thumbnail(self, request: Request) -> Response:
        """Answer with a thumbnail; the signed address that a row's `image` gives is needed."""
        return self._rendition(request, Rendition.THUMBNAIL)

    async def review(self, request: Request) -> Response:
        """Answer with the large picture of the site's own pages, by signed address."""
        return self._rendition(request, Rendition.REVIEW)

    async def pending(self, _request: Request) -> Response:
        """Answer with the picture that stands for a thumbnail in the making."""
        return FileResponse(_PENDING, headers={"Cache-Control": "no-store"})

    async def thumbnail_url(self, request: Request) -> Response:
        """Answer with a thumbnail's path, as clients of sites before 3.3 asked for it."""

        def work() -> str:
            if self._visitors.caller(request) is None:
                return "0\nSign in to see thumbnails.\n"
            query = request.query_params
            target = parse_target(f"{query.get('entity_type', '')}_{query.get('entity_id', '')}")
            shown = self._hosting.site.image_of(target.type, target.id)
            if shown is None:
                return "0\nThis row has no thumbnail.\n"
            attachment, transient = shown
            if transient:
                return "1\n/images/status/transient/thumbnail_pending.png\n"
            return f"1\n{self._hosting.signer.sign(f'/file_serve/thumbnail/{attachment}')}\n"

        try:
            text = await self._hosting.workers.run(work)
        except Fault as fault:
            text = f"0\n{fault.message}\n"
        return PlainTextResponse(text)

    def _rendition(self, request: Request, rendition: Rendition) -> Response:
        if not self._is_signed(request):
            return PlainTextResponse("This address is not signed, or its time is over.", 403)
        path = self._hosting.media.rendition(request.path_params["number"], rendition)
        if not path.exists():
            return PlainTextResponse("There is no such picture.", 404)
        return FileResponse(path, media_type="image/jpeg", headers=_HARMLESS | _PRIVATE)

    def _is_signed(self, request: Request) -> bool:
        query = request.query_params
        return self._hosting.signer.holds(
            request.url.path, expires=query.get("expires"), signature=query.get("signature")
        )

    def _name_and_type(self, caller: Caller, number: int) -> tuple[str, str]:
        row = self._hosting.site.find_one(
            caller, "Attachment", [["id", "is", number]], ["this_file", "filename"]
        )
        match row:
            case {"this_file": {"link_type": "upload", **file}, "filename": str(name)}:
                if not self._hosting.media.original(number).exists():
                    raise bad_request(f"The bytes of attachment {number} never arrived.")
                content_type = file.get("content_type")
                known = content_type if isinstance(content_type, str) else _UNKNOWN
                return safe_filename(name), known
            case _:
                raise bad_request(f"There is no uploaded attachment {number}.")
