"""Every kind of report: those that Haikei brings, and a studio's own."""

from importlib.metadata import entry_points
from typing import cast

from haikei.errors import ReportError
from haikei.reports.report import Report

GROUP = "haikei.reports"


def built_in() -> tuple[Report, ...]:
    """Return the reports that Haikei brings, in the order in which people read them."""
    from haikei.reports.kinds.ai_use import AiUseReport
    from haikei.reports.kinds.article50 import Article50Report
    from haikei.reports.kinds.breakdown import Breakdown
    from haikei.reports.kinds.copyright_helper import CopyrightReport
    from haikei.reports.kinds.credits_roll import CreditsRollReport
    from haikei.reports.kinds.dashboard import Dashboard
    from haikei.reports.kinds.image_sheet import ImageSheet
    from haikei.reports.kinds.no_ai import NoAiReport
    from haikei.reports.kinds.omc import OmcReport
    from haikei.reports.kinds.transcript import VerificationReport
    from haikei.reports.kinds.union_log import UnionLogReport

    return (
        CreditsRollReport(),
        Breakdown(),
        Dashboard(),
        ImageSheet(),
        AiUseReport(),
        Article50Report(),
        CopyrightReport(),
        UnionLogReport(),
        NoAiReport(),
        VerificationReport(),
        OmcReport(),
    )


def reports() -> tuple[Report, ...]:
    """
    Return every report: the built-in ones, then those of entry points `haikei.reports`.

    Raises:
        ReportError: a studio's report cannot be loaded, or has the name of another.
    """
    found = list(built_in())
    names = {one.name for one in found}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            report = cast("Report", point.load()())
        except Exception as error:
            raise ReportError(
                f"The report {point.name} ({point.value}) cannot be loaded: {error}.",
                advice="Repair or remove the package that brings it.",
            ) from error
        if report.name in names:
            raise ReportError(
                f"Two reports are called {report.name!r}; one is {point.value}.",
                advice="Give the studio's own another name.",
            )
        names.add(report.name)
        found.append(report)
    return tuple(found)


def find_report(name: str) -> Report:
    """
    Return the report called `name`.

    Raises:
        ReportError: there is none.
    """
    known = reports()
    for report in known:
        if report.name == name:
            return report
    names = ", ".join(report.name for report in known)
    raise ReportError(f"There is no report {name!r}.", advice=f"Known reports: {names}.")
