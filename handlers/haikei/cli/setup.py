"""`haikei setup`: make the tracker ready."""

from typing import Annotated

import typer

from haikei.cli.output import Exit, JsonOption, print_json, say
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
        print_json(
            [
                {"ok": one.ok, "subject": one.subject, "message": one.message, "advice": one.advice}
                for one in findings
            ]
        )
    else:
        for one in findings:
            say(f"{'ok  ' if one.ok else 'FAIL'} {one.subject}: {one.message}")
            if one.advice and not one.ok:
                say(f"     {one.advice}")
    if not all(one.ok for one in findings):
        raise typer.Exit(Exit.FAILED)
