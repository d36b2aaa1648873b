"""Reports: the list of them, and each as a page or a file."""

import re
import tempfile
from collections.abc import Callable, Mapping
from html import unescape
from pathlib import Path
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from haikei.credits import Scope, records
from haikei.database import reading, utc_now
from haikei.errors import HaikeiError
from haikei.jobs.page_inputs import logged_hours
from haikei.reports import (
    Format,
    LoggedTime,
    Report,
    ReportOptions,
    ReportSource,
    find_report,
    reports,
    write_report,
)
from haikei.web.context import WebContext
from haikei.web.pages import page_texts
from haikei.web.pages.rendering import Renderer

#: What a browser is offered, in this order.
OFFERED = (Format.HTML, Format.PDF, Format.CSV, Format.JSON)
_POLICY = re.compile(r'http-equiv="Content-Security-Policy" content="([^"]+)"')
_HEAD = 4000
_TYPES = {
    Format.PDF: "application/pdf",
    Format.CSV: "text/csv; charset=utf-8",
    Format.JSON: "application/json",
}


class ReportPages:
    """Makes reports when they are asked for."""

    def __init__(
        self,
        web: WebContext,
        renderer: Renderer,
        find_file: Callable[[str], Path | None],
    ) -> None:
        self._web = web
        self._renderer = renderer
        self._find_file = find_file

    def list(self, request: Request) -> Response:
        """Show which reports there are on a show."""
        project: str = request.path_params["project"]
        if not self._is_known(project):
            return self._renderer.page(
                request,
                "message.html",
                status=404,
                text=page_texts.NO_SUCH_SHOW.filled(name=project),
            )
        return self._renderer.page(
            request,
            "reports.html",
            project=project,
            # A sheet is about one version, whose page leads to it.
            found=[one for one in reports() if one.name != "image-sheet"],
            offered=OFFERED,
        )

    def one(self, request: Request) -> Response:
        """Show a report, or hand it out as a file."""
        params, query = request.path_params, request.query_params
        project: str = params["project"]
        form = next((one for one in OFFERED if one.value == params["form"]), None)
        try:
            wanted = find_report(params["name"])
        except HaikeiError as error:
            raise HTTPException(404, str(error)) from error
        if form is None or form not in wanted.formats or not self._is_known(project):
            raise HTTPException(404, "There is no such report.")
        scope = Scope(project=project)
        language = self._renderer.chosen(request).language
        options = ReportOptions(language=language, code=query.get("of", ""))
        try:
            return self._made(wanted, form, scope, options)
        except HaikeiError as error:
            return self._renderer.page(
                request,
                "message.html",
                status=503 if error.transient else 409,
                text=page_texts.REPORT_REFUSED,
                why=str(error),
            )

    def _made(self, wanted: Report, form: Format, scope: Scope, options: ReportOptions) -> Response:
        with (
            tempfile.TemporaryDirectory(prefix="haikei-report-") as folder,
            reading(self._web.database) as connection,
        ):
            source = ReportSource(
                connection=connection,
                settings=self._web.settings,
                scope=scope,
                now=utc_now(),
                find_file=self._find_file,
                hours=lambda: self._hours(scope.project),
            )
            file = Path(folder) / f"report.{form.value}"
            write_report(wanted.document(source, options), form, file)
            content = file.read_bytes()
        if form is Format.HTML:
            return HTMLResponse(content, headers=_policy(content))
        parts = (wanted.name, scope.project, options.code)
        name = "-".join(re.sub(r"[^\w.-]+", "_", part) for part in parts if part)
        return Response(
            content,
            media_type=_TYPES[form],
            headers={
                "content-disposition": f"attachment; filename*=UTF-8''{quote(name)}.{form.value}"
            },
        )

    def _hours(self, project: str) -> tuple[LoggedTime, ...] | None:
        try:
            return logged_hours(self._web.settings, project)
        except HaikeiError:
            return None

    def _is_known(self, project: str) -> bool:
        with reading(self._web.database) as connection:
            return project in records.projects(connection)


def _policy(content: bytes) -> Mapping[str, str]:
    """Return the policy that the report names itself: it alone knows the hash of its styles."""
    found = _POLICY.search(content[:_HEAD].decode("utf-8", "replace"))
    own = found[1] if found else "default-src 'none'"
    return {"content-security-policy": f"{unescape(own)}; sandbox; frame-ancestors 'none'"}
