"""`haikei doctor`: one clear line for each thing that must be right."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from haikei.cli.output import Exit, JsonOption, finding_row, print_json, say, say_finding
from haikei.cli.studio import SettingsOption

if TYPE_CHECKING:
    from haikei.settings import Settings
    from haikei.trackers import Finding


def doctor(settings: SettingsOption = None, *, as_json: JsonOption = False) -> None:
    """Check settings, folders, generators, notifications and the tracker; say what to do."""
    findings: list[Finding] = []
    for one in check_up(settings):
        findings.append(one)
        if not as_json:
            say_finding(one)
    bad = sum(not one.ok for one in findings)
    if as_json:
        print_json({"ok": not bad, "findings": [finding_row(one) for one in findings]})
    elif bad:
        say(f"{bad} of {len(findings)} things need you.", colour="red")
    else:
        say(f"All {len(findings)} things are right.", colour="green")
    if bad:
        raise typer.Exit(Exit.FAILED)


def check_up(path: Path | None) -> "Iterator[Finding]":
    """Yield a finding for each thing, from the settings to the tracker."""
    from haikei.presets import RECIPES
    from haikei.settings import read, settings_path
    from haikei.trackers import Finding

    reading = read(settings_path(path), built_in_recipes=RECIPES)
    for mistake in reading.mistakes:
        yield Finding(
            ok=False,
            subject="settings",
            message=str(mistake),
            advice=f"Mend it in {reading.path}.",
        )
    loaded = reading.settings
    if loaded is None:
        return
    yield Finding(ok=True, subject="settings", message=f"{reading.path} is right.")
    from haikei.cli import checks

    yield from checks.state(loaded)
    yield from checks.storage(loaded)
    yield from checks.watching(loaded)
    yield from checks.generators(loaded)
    yield from _notifications(loaded)
    yield from _tracker(loaded)
    yield from _statuses(loaded)


def _notifications(settings: "Settings") -> "Iterator[Finding]":
    from haikei.notify import check_notifications

    yield from check_notifications(settings)


def _tracker(settings: "Settings") -> "Iterator[Finding]":
    from haikei.errors import HaikeiError
    from haikei.trackers import Finding, load_tracker

    try:
        tracker = load_tracker(settings)
    except HaikeiError as error:
        yield Finding(ok=False, subject="tracker", message=error.message, advice=error.advice or "")
        return
    yield from tracker.check()


def _statuses(settings: "Settings") -> "Iterator[Finding]":
    from haikei.errors import HaikeiError
    from haikei.review import check_statuses
    from haikei.trackers import load_review_desk

    try:
        desk = load_review_desk(settings)
    except HaikeiError:
        # What is wrong with the tracker stands in the lines before.
        return
    try:
        yield from check_statuses(settings, desk)
    finally:
        desk.close()
