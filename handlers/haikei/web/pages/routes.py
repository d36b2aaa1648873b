"""All pages of the application."""

from starlette.routing import BaseRoute, Mount, Route

from haikei.jobs.reporting import published_files
from haikei.web.context import WebContext
from haikei.web.pages.assets import Assets
from haikei.web.pages.deciding import DecisionForms
from haikei.web.pages.files import Files
from haikei.web.pages.looking import Looking
from haikei.web.pages.pictures import Pictures
from haikei.web.pages.rendering import Renderer
from haikei.web.pages.report_pages import ReportPages


class Pages:
    """What people look at, and what they decide there."""

    def __init__(self, web: WebContext) -> None:
        settings = web.settings
        find_file = published_files(settings)
        renderer = Renderer()
        pictures = Pictures(
            web.database,
            find_file,
            settings.studio.state,
            max_mib=settings.watch.max_mib,
        )
        self._looking = Looking(web, renderer)
        self._deciding = DecisionForms(web, renderer, self._looking)
        self._files = Files(web, pictures, find_file)
        self._reports = ReportPages(web, renderer, find_file)

    def routes(self) -> list[BaseRoute]:
        """Return what to serve."""
        looking, deciding, files, reports = (
            self._looking,
            self._deciding,
            self._files,
            self._reports,
        )
        return [
            Route("/", looking.shows),
            Route("/preferences", looking.prefer, methods=["POST"]),
            Route("/shows/{project}", looking.show),
            Route("/shows/{project}/card", looking.one_card),
            Route("/shows/{project}/reports", reports.list),
            Route("/shows/{project}/{sequence}/{shot}", looking.cut),
            Route("/versions/{key}", looking.version),
            Route("/versions/{key}/decision", deciding.decide, methods=["POST"]),
            Route("/versions/{key}/record", files.record),
            Route("/jobs/{key}/retry", deciding.retry, methods=["POST"]),
            Route("/pictures/{sha256}/{size}.jpg", files.picture),
            Route("/ledger/{number}", files.ledger),
            Route("/reports/{project}/{name}.{form}", reports.one),
            Mount("/static", Assets()),
        ]
