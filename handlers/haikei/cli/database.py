"""`haikei database`: where the studio's state is, and how it is carried elsewhere."""

from pathlib import Path
from typing import Annotated

import typer

from haikei.cli.output import JsonOption, print_json, print_table, say
from haikei.cli.startup import SettingsOption, load_settings
from haikei.errors import SettingsError

app = typer.Typer(help="Carry the studio's state to another database.", no_args_is_help=True)


@app.callback()
def database() -> None:
    """Carry the studio's state to another database."""


@app.command()
def move(
    to: Annotated[
        str,
        typer.Option(metavar="URL", help="The new address: postgresql://… or sqlite:////…"),
    ],
    settings: SettingsOption = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only look whether it can be, and what it would be.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """
    Carry all of the state to another database, while nothing runs, and check what arrived.

    What stays behind is a copy of then, and is refused from now on.
    """
    from pydantic import ValidationError

    from haikei.processes.moving import move_state
    from haikei.settings import Database

    loaded = load_settings(settings)
    try:
        there = Database.model_validate({"url": to}, context={"folder": Path.cwd()})
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise SettingsError(f"The address after --to {reason}.") from None
    target = loaded.model_copy(update={"database": there})
    moved = move_state(loaded, target, dry_run=dry_run)
    if as_json:
        print_json(
            {
                "dry_run": dry_run,
                "source": moved.source,
                "target": moved.target,
                "rows": moved.rows,
                "ledger_entries": moved.entries,
                "jobs_begun_anew": moved.begin_anew,
                "folders": [str(folder) for folder in moved.folders],
            }
        )
        return
    print_table(("table", "rows"), [(name, count) for name, count in moved.rows.items() if count])
    for folder in moved.folders:
        say(f"{folder} {'goes' if dry_run else 'was copied'} to {target.work_folder}")
    if moved.begin_anew:
        say(f"{moved.begin_anew} jobs that were at work begin anew; what they made is used.")
    if dry_run:
        say(f"Nothing was changed. {moved.source} can be carried to {moved.target}.")
        return
    say(f"The state is in {moved.target}; {moved.entries} ledger entries verified there.")
    say("Set database.url to it on every host, then start Haikei.", colour="yellow")
