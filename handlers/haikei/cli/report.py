"""
`haikei report NAME` and `haikei check-report FILE`: who made what, for people and
machines.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

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
from haikei.cli.startup import SettingsOption, load_settings
from haikei.errors import CreditError, HaikeiError, ReportError
from haikei.reports import Format
from haikei.texts import Bilingual, Language, in_language

if TYPE_CHECKING:
    from haikei.reports import Report, ReportOptions, ReportSource
    from haikei.reports.kinds import MadeReport

_LIST, _ALL, _ROLL = "list", "all", "credits-roll"
_WRITE = "write"
#: People who have not confirmed that are named; the command that is named lists all.
_NAMED = 20
#: What `haikei report all` writes of each report when no format is named: PDF takes long.
_USUAL = (Format.HTML, Format.CSV, Format.JSON)
_COVER_NOTE = Bilingual(
    "Cover note, for you alone (no report holds it):",
    "添え書き（担当者用。報告書には含まれません）：",
)
_MORE = Bilingual("and {n} more; --json lists all", "ほか{n}件（--json で全件）")
_MOST_LINES = 40


class _Reports(TyperGroup):
    """`haikei report NAME`: what is no verb of ours is a report's name, or an option of one."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        first = [one for one in args if one != "--json"][:1]
        if first == [_LIST]:
            args = [_LIST, *(one for one in args if one != _LIST)]
        elif first and first[0] not in {_WRITE, "-h", "--help"}:
            args = [_WRITE, *args]
        return super().make_context(info_name, args, parent, **extra)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        names = self.commands[_WRITE].params[0].shell_complete(ctx, incomplete)
        return [*super().shell_complete(ctx, incomplete), *names]


app = typer.Typer(
    cls=_Reports,
    help="List reports, or write one, by its name, on a show, a sequence, a cut or one version.",
    no_args_is_help=True,
)


def _names(incomplete: str) -> list[str]:
    from haikei.reports import reports

    names = (_ALL, *(one.name for one in reports()))
    return [one for one in names if one.startswith(incomplete)]


@app.command(_WRITE)
def write(
    name: Annotated[
        str,
        typer.Argument(help="A report's name, or `all`: every report.", autocompletion=_names),
    ],
    project: Annotated[str, typer.Option(help="The show: its name, title or id.")] = "",
    episode: Annotated[str, typer.Option(help="Only this episode.")] = "",
    sequence: Annotated[str, typer.Option(help="Only this sequence.")] = "",
    shot: Annotated[str, typer.Option(help="Only this cut.")] = "",
    of: Annotated[str, typer.Option(help="One Version's code, for an image sheet.")] = "",
    language: Annotated[Language, typer.Option(help="What it is written in.")] = Language.EN,
    form: Annotated[
        Format | None,
        typer.Option("--format", help="Else the ending of --out, else the report's usual one."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The file to write, `-` for standard output; with `all`, the folder."),
    ] = None,
    settings: SettingsOption = None,
    *,
    all_versions: Annotated[
        bool, typer.Option("--all-versions", help="Not only each background's newest version.")
    ] = False,
    no_tracker: Annotated[
        bool, typer.Option("--no-tracker", help="Do not ask the tracker for logged hours.")
    ] = False,
    by_reading: Annotated[
        bool, typer.Option("--by-reading", help="The end roll in the order of readings (五十音順).")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that stand.")] = False,
    as_json: JsonOption = False,
) -> None:
    """
    Write a report; `write` may be left out: `haikei report breakdown --project PORT`.

    Files that stand are kept unless --force is given; a report that fails leaves nothing behind.
    What you can do about what is missing is printed as a cover note, and stands in no report.
    """
    if name == _LIST:
        raise typer.BadParameter("`haikei report list` takes nothing but --json", param_hint="NAME")
    if name == _ALL and out == STDOUT:
        raise typer.BadParameter("it writes several files: name a folder", param_hint="--out")
    if not project:
        raise typer.BadParameter("say which show", param_hint="--project")
    if by_reading and name not in {"credits-roll", _ALL}:
        raise typer.BadParameter("only credits-roll lists people so", param_hint="--by-reading")
    from haikei.cli.report_source import report_source
    from haikei.credits import Scope
    from haikei.reports import ReportOptions, collect_rarely

    collect_rarely()
    scope = Scope(
        project=project, episode=episode, sequence=sequence, shot=shot, latest=not all_versions
    )
    options = ReportOptions(language=language, code=of, by_reading=by_reading)
    note = _CoverNote(language)
    with report_source(settings, scope, ask_tracker=not no_tracker, advise=note.add) as source:
        if name == _ALL:
            _write_all(source, options, form, out, note, force=force, as_json=as_json)
        else:
            _write_one(name, source, options, form, out, note, force=force, as_json=as_json)


class _CoverNote:
    """What whoever runs a report can do about it: it stays with them, papers leave the studio."""

    def __init__(self, language: Language) -> None:
        self._language = Language.JA if language is Language.JA else Language.EN
        self._lines: dict[Bilingual, None] = {}

    def add(self, advice: Bilingual) -> None:
        self._lines.setdefault(advice)

    def print(self, say: Callable[..., None] = say) -> None:
        if not self._lines:
            return
        say("")
        say(in_language(_COVER_NOTE, self._language), colour="cyan")
        for line in list(self._lines)[:_MOST_LINES]:
            say(f"- {in_language(line, self._language)}")
        rest = len(self._lines) - _MOST_LINES
        if rest > 0:
            say(in_language(_MORE.filled(n=f"{rest:,}"), self._language))

    def plain(self) -> list[dict[str, str]]:
        return [{"en": line.en, "ja": line.ja} for line in self._lines]


@app.command(_LIST)
def list_reports(*, as_json: JsonOption = False) -> None:
    """List the reports that there are, with what each is for and its formats."""
    from haikei.reports import reports

    known = reports()
    if as_json:
        shown = [
            {
                "name": one.name,
                "title": {"en": one.title.en, "ja": one.title.ja},
                "purpose": one.purpose,
                "formats": [form.value for form in one.formats],
            }
            for one in known
        ]
        print_json({"reports": shown})
        return
    rows = ((one.name, one.purpose, " ".join(form.value for form in one.formats)) for one in known)
    print_table(("report", "what it is for", "formats"), rows)


def _write_one(
    name: str,
    source: "ReportSource",
    options: "ReportOptions",
    form: Format | None,
    out: Path | None,
    note: _CoverNote,
    *,
    force: bool,
    as_json: bool,
) -> None:
    from haikei.reports import find_report, write_report

    wanted = find_report(name)
    chosen = _format(wanted, form, out)
    path = out or Path(f"{_stem(wanted, source)}.{chosen.value}")
    if path == STDOUT:
        document = wanted.document(source, options)
        if document.sign is not None:
            raise ReportError(
                f"{name} is signed, and its signature is a file beside it.",
                advice="Name a file with --out.",
            )
        with to_stdout(path, as_json=as_json) as target:
            write_report(document, chosen, target)
        note.print(warn)
        _say_unconfirmed(_unconfirmed(wanted, source) or [], source.scope.project)
        return
    if path.exists() and not force:
        # Refused before hours are spent on a report that would have nowhere to go.
        raise ReportError(
            f"{path} stands already.", advice="Name another with --out, or add --force."
        )
    files = write_report(wanted.document(source, options), chosen, path, force=force)
    waiting = _unconfirmed(wanted, source)
    if as_json:
        summary: dict[str, object] = {
            "report": name,
            "format": chosen.value,
            "files": [str(one) for one in files],
        }
        summary["cover_note"] = note.plain()
        print_json(summary | ({} if waiting is None else {"unconfirmed": waiting}))
        return
    for file in files:
        say(str(file))
    note.print()
    _say_unconfirmed(waiting or [], source.scope.project)


def _unconfirmed(wanted: "Report", source: "ReportSource") -> list[str] | None:
    """Return who has not confirmed the credits that a roll prints; None for other reports."""
    if wanted.name != _ROLL:
        return None
    from haikei.credits import records

    standing = records.standings(source.connection, source.scope.project)
    return [one.person.id for one in standing if not one.is_done]


def _say_unconfirmed(ids: list[str], project: str) -> None:
    if ids:
        warn(
            f"{len(ids)} people have not confirmed their credits: {', '.join(ids[:_NAMED])}"
            f"{', …' if len(ids) > _NAMED else ''}. `haikei credits confirmations --project "
            f"{quote(project)}` lists them, and ask-confirmation asks them.",
            colour="yellow",
        )


def _format(wanted: "Report", form: Format | None, out: Path | None) -> Format:
    chosen = form
    if chosen is None and out is not None:
        chosen = next((one for one in Format if one.value == out.suffix[1:].lower()), None)
    chosen = chosen or wanted.formats[0]
    if chosen not in wanted.formats:
        raise ReportError(
            f"{wanted.name} is not written as {chosen.value}.",
            advice=f"Its formats: {', '.join(one.value for one in wanted.formats)}.",
        )
    return chosen


def _stem(wanted: "Report", source: "ReportSource") -> str:
    scope = source.scope
    parts = (wanted.name, scope.project, scope.episode, scope.sequence, scope.shot)
    return "-".join(_safe(part) for part in parts if part)


def _safe(name: str) -> str:
    return re.sub(r"[^\w.-]+", "_", name)


def _write_all(
    source: "ReportSource",
    options: "ReportOptions",
    form: Format | None,
    out: Path | None,
    note: _CoverNote,
    *,
    force: bool,
    as_json: bool,
) -> None:
    from haikei.reports import reports, write_report
    from haikei.reports.kinds import Index, MadeReport

    folder = out or Path(f"reports-{_safe(source.scope.project)}")
    index = folder / "index.html"
    if index.exists() and not force:
        raise ReportError(
            f"{index} stands already.", advice="Name another folder with --out, or add --force."
        )
    made: list[MadeReport] = []
    refused = False
    for one in reports():
        forms = [chosen for chosen in ((form,) if form else _USUAL) if chosen in one.formats]
        files, errors = _make(one, forms, source, options, folder, force=force)
        refused = refused or any(isinstance(error, CreditError) for error in errors)
        for advice in dict.fromkeys(error.advice for error in errors if error.advice):
            note.add(Bilingual(f"{one.name}: {advice}", f"{one.name}: {advice}"))
        made.append(
            MadeReport(
                report=one,
                files=tuple(file.name for file in files),
                refusals=tuple(dict.fromkeys(error.message for error in errors)),
            )
        )
        if not as_json:
            _tell(made[-1], folder)
    write_report(Index(made).document(source, options), Format.HTML, index, force=force)
    if as_json:
        print_json(
            {
                "index": str(index),
                "reports": [_plain(one, folder) for one in made],
                "cover_note": note.plain(),
            }
        )
    else:
        say(str(index))
        note.print()
    if refused:
        raise typer.Exit(Exit.FAILED)


def _make(
    wanted: "Report",
    forms: Sequence[Format],
    source: "ReportSource",
    options: "ReportOptions",
    folder: Path,
    *,
    force: bool,
) -> tuple[list[Path], list[HaikeiError]]:
    from haikei.reports import write_report

    files: list[Path] = []
    errors: list[HaikeiError] = []
    for chosen in forms:
        path = folder / f"{wanted.name}.{chosen.value}"
        try:
            files.extend(write_report(wanted.document(source, options), chosen, path, force=force))
        except (CreditError, ReportError) as error:
            errors.append(error)
    return files, errors


def _tell(made: "MadeReport", folder: Path) -> None:
    for why in made.refusals:
        say(f"{made.report.name}: {why}", colour="yellow")
    for file in made.files:
        say(str(folder / file))


def _plain(made: "MadeReport", folder: Path) -> dict[str, object]:
    return {
        "report": made.report.name,
        "files": [str(folder / file) for file in made.files],
        "refusals": list(made.refusals),
    }


def check_report(
    file: Annotated[Path, typer.Argument(help="A signed report; its .sig file is beside it.")],
    key: Annotated[
        str, typer.Option(help="The signer's vkey (`haikei ledger key`); else this studio's own.")
    ] = "",
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Check the signature beside a report, such as the list of work without AI."""
    from haikei.ledger import VerifierKey, note_signer
    from haikei.reports import check_seal

    known = VerifierKey.parse(key) if key else note_signer(load_settings(settings)).key
    found = check_seal(file, known)
    if as_json:
        print_json(
            {
                "report": found.report,
                "studio": found.studio,
                "scope": found.scope,
                "made_at": found.made_at.isoformat(),
                "ledger_size": found.ledger_size,
                "sha256": found.sha256,
                "key": str(known),
            }
        )
        return
    say(
        f"{file.name} is the report {found.report} on {found.scope} that {found.studio} signed on "
        f"{found.made_at:%Y-%m-%d %H:%M} UTC, when its ledger had {found.ledger_size:,} entries."
    )
