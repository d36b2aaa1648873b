"""`haikei backup` and `haikei restore`: a copy of the whole state, and the way back from one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haikei.cli.output import Exit, JsonOption, print_json, say, warn
from haikei.cli.startup import SettingsOption, configure_logs, load_settings, open_studio

if TYPE_CHECKING:
    from haikei.backup import Adopted, BackupChecked
    from haikei.settings import Settings


def backup(
    to: Annotated[
        Path, typer.Option("--to", help="A new folder, or a new file that ends in .tar.")
    ],
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """
    Copy databases, keys, checkpoints, claims and settings, while Haikei runs.

    The copy holds keys: its owner alone can read it.
    """
    from haikei.backup import make_backup
    from haikei.settings import settings_path

    loaded = load_settings(settings)
    configure_logs(loaded.log)
    with open_studio(loaded) as database:
        made = make_backup(loaded, database, settings_path(settings), to)
    found = made.manifest
    if as_json:
        print_json(
            {
                "path": made.path,
                "made_at": found.made_at.isoformat(),
                "entries": found.entries,
                "root": found.root,
                "files": len(found.files),
                "left_out": made.left_out,
            }
        )
    else:
        say(f"{made.path}", colour="green")
        say(
            f"{len(found.files)} files, {found.entries} entries of the ledger "
            f"{found.origin}. It holds keys: keep it as you keep those."
        )
    for one in made.left_out:
        warn(f"not in it: {one}", colour="yellow")
    if made.left_out and any("is none yet" not in one for one in made.left_out):
        raise typer.Exit(Exit.FAILED)


def restore(
    source: Annotated[
        Path | None, typer.Argument(help="The folder or .tar file that `haikei backup` made.")
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", help="Put it into this folder, and touch nothing else."),
    ] = None,
    settings: SettingsOption = None,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether the back-up is whole.")
    ] = False,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Only adopt what was published since the back-up.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """
    Put a back-up back, adopt what was published since, and seal what the ledger has lost.

    Nothing is restored over a state that is there: move it aside first.
    """
    from haikei.backup import check_backup, put_back

    if adopt and (source is not None or to is not None or check):
        raise typer.BadParameter("--adopt goes alone", param_hint="--adopt")
    if check and to is not None:
        raise typer.BadParameter("give either --check or --to", param_hint="--check")
    if source is None and not adopt:
        load_settings(settings)
        raise typer.BadParameter("name the back-up", param_hint="SOURCE")
    checked: BackupChecked | None = None
    adopted: Adopted | None = None
    if source is not None and (check or to is not None):
        checked = check_backup(source) if to is None else put_back(source, None, to)
    else:
        loaded = load_settings(settings)
        configure_logs(loaded.log)
        if source is not None:
            checked = put_back(source, loaded, loaded.studio.state)
            warn("The back-up is in its place; adopting what was published since.")
        adopted = _adopt(loaded)
    if as_json:
        print_json({**_checked_row(checked), **_adopted_row(adopted)})
    else:
        _tell(checked, adopted, to)
    if adopted is not None and adopted.refused:
        raise typer.Exit(Exit.FAILED)


def _adopt(settings: "Settings") -> "Adopted":
    from haikei.backup import adopt

    with open_studio(settings, restored=True) as database:
        return adopt(settings, database)


def _checked_row(checked: "BackupChecked | None") -> dict[str, object]:
    if checked is None:
        return {}
    found = checked.manifest
    return {
        "made_at": found.made_at.isoformat(),
        "studio": found.studio,
        "haikei": found.haikei,
        "schema": found.schema,
        "entries": found.entries,
        "files": checked.files,
    }


def _adopted_row(adopted: "Adopted | None") -> dict[str, object]:
    if adopted is None:
        return {}
    restoration = adopted.restoration
    return {
        "restored": None if restoration is None else restoration.sentence,
        "adopted": adopted.versions,
        "unfinished": adopted.unfinished,
        "jobs_ended": adopted.ended,
        "jobs_begun_anew": adopted.begun_anew,
        "set_aside": adopted.set_aside,
        "refused": adopted.refused,
        "withheld": adopted.withheld,
    }


def _tell(checked: "BackupChecked | None", adopted: "Adopted | None", to: Path | None) -> None:
    if checked is not None:
        found = checked.manifest
        say(
            f"The back-up of {found.made_at:%Y-%m-%d %H:%M:%S} UTC ({found.studio}, haikei "
            f"{found.haikei}) is whole: {checked.files} files, {found.entries} entries.",
            colour="green",
        )
    if to is not None:
        say(
            f"It is in {to}. Name that folder as studio.state, then run `haikei restore --adopt`; "
            "nothing runs before."
        )
    if adopted is None:
        return
    if adopted.restoration is not None:
        say(adopted.restoration.sentence)
        if adopted.restoration.lost:
            warn(
                "What people declared, confirmed or asked about their names in those entries is "
                "gone with them. Look through the letters since, and record it again.",
                colour="yellow",
            )
    for id_ in adopted.withheld:
        warn(
            f"{id_} asked after the back-up not to be named, and is not. If their name was erased: "
            f"haikei credits erase {id_} --reference …",
            colour="yellow",
        )
    for code in adopted.versions:
        later = " (its job goes on)" if code in adopted.unfinished else ""
        say(f"adopted {code}{later}")
    say(f"{adopted.ended} jobs are done by that, {adopted.begun_anew} jobs begin anew.")
    for path in adopted.set_aside:
        say(f"set aside, as it belongs to no version: {path}")
    for one in adopted.refused:
        warn(f"not adopted: {one}", colour="yellow")
