"""`haikei setup`: make the tracker ready."""

from typing import Annotated

import typer

from haikei.cli.output import Exit, JsonOption, finding_row, print_json, say_finding
from haikei.cli.studio import SettingsOption, load_settings


def setup(
    settings: SettingsOption = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be made.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Create the fields, file types and storages that Haikei needs in the tracker."""
    from haikei.trackers import load_tracker

    findings = load_tracker(load_settings(settings)).setup(dry_run=dry_run)
    if as_json:
        print_json([finding_row(one) for one in findings])
    else:
        for one in findings:
            say_finding(one)
    if not all(one.ok for one in findings):
        raise typer.Exit(Exit.FAILED)
