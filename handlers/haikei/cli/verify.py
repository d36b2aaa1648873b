"""`haikei verify PATH…`: what files say about themselves, and what we know of them."""

from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haikei.cli.output import Declared, Exit, JsonOption, print_json, say
from haikei.cli.startup import SettingsOption, load_settings, open_studio
from haikei.errors import DeliveryError

if TYPE_CHECKING:
    from haikei.intake import Declaration, Examination, Examiner, Resemblance
    from haikei.provenance import MarkedStep, SignedIdentity
    from haikei.settings import Settings

#: Names of files that were not looked at which are printed; JSON has all of them.
_SHOWN = 10
_COLOURS = {"ok": "green", "look": "yellow", "unrecorded": "yellow"}


def verify(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders of a delivery.")],
    declare: Annotated[
        Declared | None,
        typer.Option(help="It is a vendor's delivery, of which this is declared as a whole."),
    ] = None,
    declaration: Annotated[
        Path | None,
        typer.Option(help="It is a vendor's delivery; the TOML file says what is declared of it."),
    ] = None,
    trust: Annotated[
        Path | None, typer.Option(help="Root certificates (PEM) of signers that count as well.")
    ] = None,
    transcript: Annotated[
        Path | None, typer.Option(help="Write all findings to this HTML, PDF, CSV or JSON file.")
    ] = None,
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """
    Say what files tell of their making, whether it holds, and whether the ledger knows them.

    Exit codes: 0 all is well; 1 something is broken, stripped or unreadable; 4 a trained model
    shows that nobody declared; 5 our records do not know a file.
    """
    from haikei.intake import gather, left_out

    if declare is not None and declaration is not None:
        raise typer.BadParameter("give --declare or --declaration, not both")
    loaded = _studio(settings)
    declared = _declaration(declare, declaration)
    found: list[Examination] = []
    with _examiner(loaded, declared, trust) as examiner:
        for file in gather(paths):
            one = examiner.examine(file)
            found.append(one)
            if not as_json:
                _show(one)
    if not found:
        raise DeliveryError(
            "There is no picture in what was named.", advice="Name files, or a folder of pictures."
        )
    if transcript is not None:
        _write(found, loaded, transcript)
    code = _exit(found)
    passed_over = left_out(paths)
    if as_json:
        files = [_plain(one) for one in found]
        print_json({"exit": int(code), "files": files, "left_out": passed_over})
    else:
        _sum_up(found, transcript, passed_over)
    if code is not Exit.OK:
        raise typer.Exit(code)


def _studio(path: Path | None) -> "Settings | None":
    from haikei.settings import settings_path

    if path is None and not settings_path().exists():
        return None
    return load_settings(path)


def _declaration(declare: Declared | None, file: Path | None) -> "Declaration | None":
    from haikei.intake import Declaration, declared_free_of_ai, read_declaration

    if file is not None:
        return read_declaration(file)
    match declare:
        case Declared.NO_AI:
            return declared_free_of_ai()
        case Declared.UNDECLARED:
            return Declaration(by="", reference="", files=())
        case None:
            return None


@contextmanager
def _examiner(
    settings: "Settings | None", declaration: "Declaration | None", trust: Path | None
) -> "Generator[Examiner]":
    from haikei.database import reading
    from haikei.images import Limits
    from haikei.intake import Examiner
    from haikei.provenance import read_roots, trusted_roots

    known = trusted_roots(settings) if settings is not None else None
    roots = (known.signers if known else "") + read_roots(trust)
    if settings is None:
        yield Examiner(trust_pem=roots, declaration=declaration)
        return
    with open_studio(settings) as database, reading(database) as connection:
        yield Examiner(
            trust_pem=roots,
            timestamp_trust_pem=known.time_stamps if known else "",
            own_trust_pem=known.own if known else "",
            people_trust_pem=known.people if known else "",
            studio=settings.studio.name,
            connection=connection,
            declaration=declaration,
            limits=Limits.from_settings(settings.watch),
        )


def _exit(found: "Sequence[Examination]") -> Exit:
    verdicts = {one.verdict.value for one in found}
    if "failed" in verdicts:
        return Exit.FAILED
    if "undeclared_ai" in verdicts:
        return Exit.UNDECLARED_AI
    return Exit.UNRECORDED if "unrecorded" in verdicts else Exit.OK


def _show(one: "Examination") -> None:
    say(str(one.path), colour=_COLOURS.get(one.verdict.value, "red"))
    for label, text in _lines(one):
        say(f"  {label:<10}{text}")
    for problem in one.problems:
        say(f"  {problem.kind.value}: {problem.message}", colour="red")
        say(f"    {problem.advice}")


def _lines(one: "Examination") -> Sequence[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    marks = one.marks
    if marks is not None:
        engines = ", ".join(verdict.engine for verdict in marks.engines if verdict.available)
        state = marks.state.value
        lines.append(("marks", f"{state}, by {engines}" if engines else state))
        lines += [
            ("step", f"{step.title}: {', '.join(action.action for action in step.actions)}")
            for step in marks.steps
        ]
        lines += [
            ("identity", _identity(step, one)) for step in marks.steps for one in step.identities
        ]
        if marks.xmp is not None and marks.xmp.credit:
            lines.append(("says", marks.xmp.credit))
        lines += [("AI sign", f"{sign.what} ({sign.where})") for sign in marks.ai_signs]
    if one.record is not None:
        code = one.version.code if one.version else one.record.path
        entry = "" if one.entry is None else f", ledger entry {one.entry}"
        if one.confidence is None:
            lines.append(("recorded", f"{code}{entry}, known by its {one.recognition.value}"))
        else:
            sure = f"by its likeness: {one.confidence.value}"
            lines.append(("recorded", f"recognised as {code}{entry}, {sure}"))
    if one.credit is not None:
        lines += [("made by", one.credit.en), ("", one.credit.ja)]
    lines += [("known", f"{role} {who}: {known}") for role, who, known in _grades(one)]
    lines += [("later", text) for text in _later(one)]
    for like in one.near:
        word = "as near" if like.as_near else like.match.likeness.value
        lines.append(("like", f"{like.name}, ledger entry {like.entry}: {word}, {_gap(like)}"))
        if one.credit is None and like.credit is not None:
            lines += [("", like.credit.en), ("", like.credit.ja)]
    if one.declared:
        lines.append(("declared", one.declared))
    lines.append(("sha256", one.sha256))
    return lines


def _grades(one: "Examination") -> Sequence[tuple[str, str, str]]:
    """Return who did what for a recorded picture, each with how that is known."""
    from haikei.credits import Person, printed_person

    images = one.version.images if one.version else (one.record,) if one.record else ()
    found = (
        (part.role.value, printed_person(part.actor).en, part.grade.value)
        for image in images
        for part in image.contributions
        if isinstance(part.actor, Person)
    )
    return tuple(dict.fromkeys(found))


def _identity(step: "MarkedStep", one: "SignedIdentity") -> str:
    """Return who signed for a step with a certificate of their own, and what that is worth."""
    roles = ", ".join(one.roles) or "no role"
    held = "the signature holds" if one.holds else "THE SIGNATURE DOES NOT HOLD"
    known = "issued by someone known" if one.trusted else "issued by nobody that is known here"
    return f"{one.name} ({roles}) signed for {step.title}: {held}, {known}"


def _later(one: "Examination") -> Sequence[str]:
    """Return who was recorded since a file was marked: true of both, and no alarm."""
    from haikei.credits import Person, printed_person
    from haikei.texts import ROLES

    named: list[str] = []
    for part in one.later:
        if isinstance(part.actor, Person):
            who, role = printed_person(part.actor).en, ROLES[part.role.value].short.en
            known = f"recorded on {part.at:%Y-%m-%d}, {part.grade.value}"
            named.append(
                f"{role} {who}, {known}: after the file was marked, so its marks are without them"
            )
    return named


def _gap(like: "Resemblance") -> str:
    match = like.match
    return f"{match.bits} bits and {match.colour:.1f} in colour away"


def _sum_up(
    found: "Sequence[Examination]", transcript: Path | None, passed_over: Sequence[str]
) -> None:
    counts = Counter(one.verdict.value for one in found)
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
    say(f"{len(found)} file{'s' * (len(found) != 1)}: {verdicts}")
    if passed_over:
        more = f" and {len(passed_over) - _SHOWN} more" * (len(passed_over) > _SHOWN)
        shown = ", ".join(passed_over[:_SHOWN])
        say(
            f"Not looked at, no pictures by their names or links out: {shown}{more}",
            colour="yellow",
        )
    if transcript is not None:
        say(f"Transcript  {transcript}")


def _plain(one: "Examination") -> dict[str, object]:
    from haikei.credits import Person

    marks = one.marks
    return {
        "path": one.path,
        "verdict": one.verdict.value,
        "sha256": one.sha256,
        "marks": None if marks is None else marks.state.value,
        "engines": []
        if marks is None
        else [
            {
                "engine": verdict.engine,
                "available": verdict.available,
                "state": verdict.state,
                "failures": [*verdict.failures, *verdict.ingredient_failures],
            }
            for verdict in marks.engines
        ],
        "steps": [] if marks is None else [step.title for step in marks.steps],
        "identities": [
            {
                "step": step.title,
                "name": signed.name,
                "roles": list(signed.roles),
                "holds": signed.holds,
                "trusted": signed.trusted,
            }
            for step in (() if marks is None else marks.steps)
            for signed in step.identities
        ],
        "contributions": [
            {"role": role, "person": who, "grade": known} for role, who, known in _grades(one)
        ],
        "digital_source_type": marks.xmp.digital_source_type if marks and marks.xmp else "",
        "ai_signs": []
        if marks is None
        else [
            {"what": sign.what, "where": sign.where, "proof": sign.proof} for sign in marks.ai_signs
        ],
        "recognition": one.recognition.value,
        "confidence": one.confidence.value if one.confidence else None,
        "version": one.version.code if one.version else None,
        "entry": one.entry,
        "credit": one.credit.en if one.credit else None,
        "credit_ja": one.credit.ja if one.credit else None,
        "later": [
            {"role": part.role.value, "actor": part.actor.id, "grade": part.grade.value}
            for part in one.later
            if isinstance(part.actor, Person)
        ],
        "near": [
            {
                "name": like.name,
                "entry": like.entry,
                "likeness": like.match.likeness.value,
                "as_near": like.as_near,
                "bits": like.match.bits,
                "colour": round(like.match.colour, 2),
                "distance": round(like.match.distance, 3),
                "credit": like.credit.en if like.credit else None,
                "credit_ja": like.credit.ja if like.credit else None,
            }
            for like in one.near
        ],
        "declared": one.declared,
        "problems": [
            {"kind": problem.kind.value, "message": problem.message, "advice": problem.advice}
            for problem in one.problems
        ],
    }


def _write(found: "Sequence[Examination]", settings: "Settings | None", path: Path) -> None:
    from haikei.database import utc_now
    from haikei.reports import Format, write_report
    from haikei.reports.kinds import transcript_of

    try:
        form = Format(path.suffix.lower().removeprefix("."))
    except ValueError as error:
        raise typer.BadParameter(
            f"{path.name} ends in none of: html, pdf, csv, json, txt"
        ) from error
    studio = settings.studio.name if settings else ""
    write_report(transcript_of(found, studio=studio, now=utc_now()), form, path)
