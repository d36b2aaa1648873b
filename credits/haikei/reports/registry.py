"""Every kind of report: Haikei's own and a studio's enter by the same entry points."""

from importlib.metadata import entry_points
from typing import cast

from haikei.errors import ReportError
from haikei.reports.report import Report

GROUP = "haikei.reports"
_OURS = "haikei."


def reports() -> tuple[Report, ...]:
    """
    Return the report of every entry point `haikei.reports`, by name.

    Raises:
        ReportError: one cannot be loaded, or two have the same name.
    """
    found: dict[str, Report] = {}
    # Haikei's own first, so that the message about a name given twice blames the studio's.
    points = sorted(entry_points(group=GROUP), key=lambda point: not point.value.startswith(_OURS))
    for point in points:
        try:
            report = cast("Report", point.load()())
        except Exception as error:
            raise ReportError(
                f"The report {point.name} ({point.value}) cannot be loaded: {error}.",
                advice="Repair or remove the package that brings it.",
            ) from error
        if report.name in found:
            raise ReportError(
                f"Two reports are called {report.name!r}; one is {point.value}.",
                advice="Give the studio's own another name.",
            )
        found[report.name] = report
    return tuple(found[name] for name in sorted(found))


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
