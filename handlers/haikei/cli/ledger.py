"""`haikei ledger`: audit the ledger, seal it, and hand proofs to outsiders."""

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haikei.cli.output import (
    STDOUT,
    Exit,
    JsonOption,
    print_json,
    print_table,
    say,
    to_stdout,
    warn,
)
from haikei.cli.startup import SettingsOption, load_settings, open_studio
from haikei.errors import LedgerError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from haikei.jobs.checkpointing import Checkpointing
    from haikei.ledger import Bundled, EntrySelection
    from haikei.settings import Settings

app = typer.Typer(
    help="Audit the ledger, seal it, and prove to outsiders what it holds.", no_args_is_help=True
)

ImageArgument = Annotated[str, typer.Argument(help="An image's file, or its SHA-256.")]
_SHA256 = 64
#: Findings about records that are printed; of a rewritten table, each row would be one.
_SHOWN = 50


@app.command()
def verify(settings: SettingsOption = None, *, as_json: JsonOption = False) -> None:
    """Recompute every hash, compare with every checkpoint, and hold all records against it."""
    from haikei.credits.records import differences
    from haikei.database import reading
    from haikei.jobs.checkpointing import outlets_of
    from haikei.ledger import audit, note_signer

    tell = None if as_json else _progress
    with _open(settings, restored=True) as (loaded, database), reading(database) as connection:
        outlets = outlets_of(loaded, database)
        key = note_signer(loaded).key
        found = audit(connection, key, outlets=outlets, tell=tell)
        unlike = tuple(islice(differences(connection, tell=tell), _SHOWN))
    findings = (*found.findings, *unlike)
    if as_json:
        print_json(
            {
                "ok": not findings,
                "entries": found.entries,
                "root": found.root.hex(),
                "checkpoints": found.checkpoints,
                "outside": found.outside,
                "findings": findings,
                "restored": [one.sentence for one in found.restored],
            }
        )
    else:
        for finding in findings:
            say(f"FAIL {finding}", colour="red")
        say(
            f"{found.entries} entries, {found.checkpoints} checkpoints and {found.outside} more "
            f"held outside, root {found.root.hex()}"
        )
        for one in found.restored:
            say(one.sentence, colour="yellow")
        verdict = "The ledger is whole, and the records are those that it seals."
        say("docs/reference/ledger.md says what to do." if findings else verdict)
    if findings:
        raise typer.Exit(Exit.FAILED)


@app.command()
def checkpoint(settings: SettingsOption = None, *, as_json: JsonOption = False) -> None:
    """Sign the ledger as it is now, and send the checkpoint to every outlet."""
    with _open(settings) as (loaded, database), _keeper(loaded, database) as keeper:
        made = keeper.make()
        sent = keeper.send()
    signed = made.checkpoint
    if as_json:
        print_json(
            {"size": signed.size, "root": signed.root.hex(), "note": made.note, "sent": sent}
        )
    else:
        say(made.note)
    if not sent:
        typer.secho("It is signed, but not everywhere yet: see the log.", fg="yellow", err=True)
        raise typer.Exit(Exit.TRY_AGAIN)


@app.command()
def prove(
    image: ImageArgument,
    out: Annotated[
        Path | None,
        typer.Option(help="A folder for the record and its proof; `-`, or none: print the proof."),
    ] = None,
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Prove that an image's record stands in the ledger, in one small text file."""
    from haikei.database import reading
    from haikei.ledger import (
        InclusionProof,
        StoredTree,
        entry,
        image_entry,
        newest_checkpoint,
        note_signer,
    )

    with _open(settings) as (loaded, database):
        with reading(database) as connection:
            seq = image_entry(connection, _sha256(image))
        _cover(loaded, database, seq)
        with reading(database) as connection:
            newest = newest_checkpoint(connection)
            if newest is None:
                raise LedgerError("The ledger has no checkpoint.")
            record = entry(connection, seq)
            path = StoredTree(connection).inclusion(seq, newest.checkpoint.size)
    proof = InclusionProof(index=seq, path=path, note=newest.note)
    proof.check(record.payload, note_signer(loaded).key)
    files: list[Path] = []
    if out is not None and out != STDOUT:
        if out.is_file():
            raise typer.BadParameter(f"{out} is a file, not a folder", param_hint="--out")
        out.mkdir(parents=True, exist_ok=True)
        files = [out / f"{seq}.json", out / f"{seq}.tlog-proof"]
        _write_new(files[0], record.payload)
        _write_new(files[1], str(proof))
    if as_json:
        print_json({"entry": seq, "proof": str(proof), "files": files})
    elif files:
        say(f"{files[1]}", colour="green")
    else:
        typer.echo(str(proof), nl=False)


@app.command()
def export(
    out: Annotated[Path, typer.Option(help="The zip file to write; `-`: to standard output.")],
    project: Annotated[str, typer.Option(help="A show.")] = "",
    episode: Annotated[str, typer.Option(help="Only this episode of it.")] = "",
    sequence: Annotated[str, typer.Option(help="Only this sequence of it.")] = "",
    shot: Annotated[str, typer.Option(help="Only this shot of it.")] = "",
    image: Annotated[
        str, typer.Option(help="Instead of a show: one image's file, or its SHA-256.")
    ] = "",
    settings: SettingsOption = None,
    *,
    files: Annotated[
        bool, typer.Option("--files", help="Put the published images into the bundle.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a bundle with which an outsider verifies records, names and images."""
    from haikei.cli.name_check import known_place
    from haikei.credits.records import statements
    from haikei.database import reading
    from haikei.ledger import EntrySelection
    from haikei.show import Place

    if bool(project) == bool(image) or ((episode or sequence or shot) and not project):
        raise typer.BadParameter("give either --project, or --image alone", param_hint="--project")
    if out.is_dir():
        raise typer.BadParameter(f"{out} is a folder, not a file", param_hint="--out")
    with _open(settings) as (loaded, database):
        place = Place(project=project, episode=episode, sequence=sequence, shot=shot)
        if project:
            with reading(database) as connection:
                stated = statements.places(connection)
                place = known_place(connection, loaded, place, more=stated, can_insist=False)
        selection = EntrySelection(
            project=place.project,
            episode=place.episode,
            sequence=place.sequence,
            shot=place.shot,
            image=_sha256(image) if image else "",
        )
        with to_stdout(out, as_json=as_json) as target:
            done, missing = _export(loaded, database, selection, target, files=files)
    tell = warn if out == STDOUT else say
    if as_json:
        print_json(
            {
                "path": done.path,
                "size": done.checkpoint.checkpoint.size,
                "entries": done.entries,
                "checkpoints": done.checkpoints,
                "names": done.names,
                "withheld": done.withheld,
                "files": done.files,
                "missing": missing,
            }
        )
    else:
        if out != STDOUT:
            say(f"{done.path}", colour="green")
        tell(
            f"{done.entries} entries, {done.names} people by name, {done.withheld} names withheld, "
            f"{done.files} files, up to checkpoint {done.checkpoint.checkpoint.size}"
        )
        for path in missing:
            warn(f"not in it, since it is not where it was: {path}", colour="yellow")
    if missing:
        raise typer.Exit(Exit.FAILED)


@app.command("log")
def show_log(
    start: Annotated[int | None, typer.Option(min=0, help="The first entry to show.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="The most entries to show.")] = 50,
    about: Annotated[
        str, typer.Option(help="Only entries whose record or key contains this text.")
    ] = "",
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """List entries in order; without --start the newest."""
    import json

    from haikei.database import reading
    from haikei.ledger import list_entries

    with _open(settings) as (_, database), reading(database) as connection:
        found = list_entries(connection, start=start, limit=limit, about=about)
    if as_json:
        entries = [
            {
                "seq": one.seq,
                "key": one.key,
                "leaf": one.leaf.hex(),
                "appended_at": one.appended_at.isoformat(),
                "record": json.loads(one.payload),
            }
            for one in found
        ]
        print_json({"entries": entries})
        return
    print_table(
        ("entry", "appended", "what", "of", "key"),
        [
            (
                one.seq,
                f"{one.appended_at:%Y-%m-%d %H:%M:%S}",
                *_what_and_where(one.payload),
                one.key,
            )
            for one in found
        ],
    )


@app.command()
def key(settings: SettingsOption = None, *, as_json: JsonOption = False) -> None:
    """Print the vkey with which outsiders verify checkpoints: give it to them by another road."""
    from haikei.ledger import note_signer

    vkey = str(note_signer(load_settings(settings)).key)
    if as_json:
        print_json({"key": vkey})
    else:
        typer.echo(vkey)


@contextmanager
def _open(settings: Path | None, *, restored: bool = False) -> "Generator[tuple[Settings, Engine]]":
    from haikei.cli.startup import configure_logs

    loaded = load_settings(settings)
    configure_logs(loaded.log)
    with open_studio(loaded, restored=restored) as database:
        yield loaded, database


@contextmanager
def _keeper(settings: "Settings", database: "Engine") -> "Generator[Checkpointing]":
    from haikei.jobs.checkpointing import Checkpointing
    from haikei.jobs.engine.recovery import open_locks

    locks = open_locks(settings.database_url, settings.studio.state / "locks")
    keeper = Checkpointing(settings, database, locks)
    try:
        yield keeper
    finally:
        keeper.close()
        locks.release()


def _cover(settings: "Settings", database: "Engine", seq: int) -> None:
    """Make a checkpoint, if the newest one does not cover an entry yet."""
    from haikei.database import reading
    from haikei.ledger import newest_checkpoint

    with reading(database) as connection:
        newest = newest_checkpoint(connection)
    if newest is None or newest.checkpoint.size <= seq:
        with _keeper(settings, database) as keeper:
            keeper.make()


def _export(
    settings: "Settings", database: "Engine", selection: "EntrySelection", out: Path, *, files: bool
) -> "tuple[Bundled, Sequence[str]]":
    from haikei.database import reading
    from haikei.ledger import export_bundle, note_signer, published_files, select_entries

    with reading(database) as connection:
        seqs = select_entries(connection, selection)
    if not seqs:
        raise LedgerError("The ledger holds no entry of this selection.")
    _cover(settings, database, seqs[-1])
    roots = [root.path for root in settings.storage.roots]
    with reading(database) as connection:
        found, missing = published_files(connection, seqs, roots) if files else ((), ())
        done = export_bundle(
            connection, seqs, target=out, signer=note_signer(settings), files=found
        )
    return done, missing


def _sha256(image: str) -> str:
    from haikei.files import sha256_of

    given = image.lower()
    if len(given) == _SHA256 and set(given) <= set("0123456789abcdef"):
        return given
    try:
        return sha256_of(Path(image))
    except OSError as error:
        raise LedgerError(
            f"{image} cannot be read: {error.strerror}.", advice="Give a file or a SHA-256."
        ) from error


def _write_new(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as error:
        raise LedgerError(
            f"{path} cannot be written: {error.strerror}.", advice="Give another folder."
        ) from error


def _what_and_where(payload: str) -> tuple[str, str]:
    import json

    record = json.loads(payload)
    if not isinstance(record, dict):
        return "", ""
    what = " ".join(str(record[name]) for name in ("type", "kind") if record.get(name))
    place = "/".join(
        str(record[name]) for name in ("project", "episode", "sequence", "shot") if record.get(name)
    )
    return what, place or str(record.get("path", ""))


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{done:,} of {total:,} entries" + ("\n" if done == total else ""))
        sys.stderr.flush()
